//! `mcp login`, `mcp whoami` and `mcp logout` on a protected server.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{HttpServer, Run, command, run};

fn at(home: &Path, args: &[&str]) -> Run {
    run(command(args).env("MCP_HOME", home))
}

/// Opens the login page like a browser, and returns the URL to which it redirects.
fn visit(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let no_redirects = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(no_redirects).no_proxy().build().unwrap();
    let mut url = url.to_owned();
    loop {
        let response = runtime.block_on(client.get(&url).send()).unwrap();
        let location =
            response.headers().get("location").unwrap_or_else(|| panic!("no redirect from {url}: {response:?}"));
        url = response.url().join(location.to_str().unwrap()).unwrap().to_string();
        if url.contains("/callback?") {
            return url;
        }
    }
}

/// Logs in, reading the URL of the page from stderr. `open` visits it and returns the text for stdin.
fn log_in(mut command: Command, open: impl FnOnce(&str) -> String) -> (i32, String) {
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut shown = String::new();
    let url = loop {
        let mut line = String::new();
        assert!(stderr.read_line(&mut line).unwrap() > 0, "no URL: {shown}");
        shown.push_str(&line);
        if line.starts_with("http://") {
            break line.trim().to_owned();
        }
    };
    let input = open(&url);
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    std::io::Read::read_to_string(&mut stderr, &mut shown).unwrap();
    (child.wait().unwrap().code().unwrap(), shown)
}

#[test]
fn stored_login_is_used_until_logout() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let server = HttpServer::start("protected");
    let url = server.url();
    assert_eq!(at(home, &["call", &url, "user"]).code, 4);
    assert_eq!(at(home, &["whoami", &url]).code, 4);

    let mut login = command(&["login", &url, "--no-browser"]);
    login.env("MCP_HOME", home);
    let (code, shown) = log_in(login, |page| format!("nonsense\n{}\n", visit(page)));
    assert_eq!(code, 0, "{shown}");
    assert!(
        shown.contains("not the URL of this login") && shown.ends_with(&format!("logged in to {url}\n")),
        "{shown}"
    );

    for era in ["legacy", "modern"] {
        let call = at(home, &["call", "--era", era, &url, "user"]);
        assert_eq!((call.code, call.stdout.as_str()), (0, "ada\n"), "{call:?}");
    }
    let bridged = at(home, &["call", "user", "--", env!("CARGO_BIN_EXE_mcp"), "run", &url]);
    assert_eq!((bridged.code, bridged.stdout.as_str()), (0, "ada\n"), "{bridged:?}");
    let whoami = at(home, &["whoami", &url]);
    assert!(whoami.stdout.contains("scopes:  notes\n") && whoami.stdout.contains("token:   expires in "), "{whoami:?}");
    assert!(
        whoami.stdout.contains(&format!("server:  {url}\nissuer:  {}", url.trim_end_matches("/mcp"))),
        "{whoami:?}"
    );
    let json: serde_json::Value = serde_json::from_str(&at(home, &["whoami", &url, "--json"]).stdout).unwrap();
    assert_eq!(json["scopes"], serde_json::json!(["notes"]));
    // A saved name of the same URL has the same login.
    assert_eq!(at(home, &["add", "notes", &url]).code, 0);
    assert_eq!(at(home, &["call", "notes", "user"]).stdout, "ada\n");
    let again = at(home, &["login", "notes"]);
    assert!(again.code == 0 && again.stderr.contains("logged in"), "no new login: {again:?}");

    let logout = at(home, &["logout", "notes"]);
    assert_eq!((logout.code, logout.stderr), (0, format!("logged out of {url}\n")));
    assert!(at(home, &["logout", &url]).stderr.contains("no login is stored"));
    let call = at(home, &["call", "notes", "user"]);
    assert!(call.code == 4 && call.stderr.contains("; run `mcp login notes`"), "{call:?}");
}

#[test]
fn login_names_the_command_when_the_stored_token_is_rejected() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let server = HttpServer::start("protected");
    let url = server.url();
    let mut login = command(&["login", &url, "--no-browser"]);
    login.env("MCP_HOME", home);
    assert_eq!(log_in(login, |page| format!("{}\n", visit(page))).0, 0);
    let folder = home.join("credentials");
    let path = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let path = path.filter(|path| path.extension().is_some_and(|end| end == "json")).last().unwrap();
    let mut stored: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(stored["tokens"]["access"].is_string());
    stored["tokens"]["access"] = "expired".into();
    stored["tokens"]["refresh"] = "expired".into();
    std::fs::write(&path, stored.to_string()).unwrap();
    let call = at(home, &["call", &url, "user"]);
    assert!(call.code == 4 && call.stderr.contains(&format!("; run `mcp login {url}`")), "{call:?}");
    assert!(!call.stderr.contains("http://127.0.0.1:8765"), "no login starts: {call:?}");
    let doctor = at(home, &["doctor", &url]);
    let fix = format!("fix: run `mcp login {url}`");
    assert!(doctor.code == 4 && doctor.stdout.starts_with("problem  login: "), "{doctor:?}");
    assert!(doctor.stdout.contains(&fix) && !doctor.stdout.contains("expired\""), "{doctor:?}");
}

#[test]
fn login_with_a_browser_receives_the_response() {
    let home = tempfile::tempdir().unwrap();
    let server = HttpServer::start("protected");
    let url = server.url();
    let mut login = command(&["login", &url, "--scope", "admin"]);
    login.env("MCP_HOME", home.path()).env("BROWSER", "true %s");
    let (code, shown) = log_in(login, |page| {
        let callback = visit(page);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        assert!(runtime.block_on(client.get(callback).send()).unwrap().status().is_success());
        String::new()
    });
    assert_eq!(code, 0, "{shown}");
    assert!(at(home.path(), &["whoami", &url]).stdout.contains("admin"));
}

#[test]
fn login_fails_with_an_exit_code() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let open = HttpServer::start("http");
    let free = at(home, &["login", &open.url()]);
    assert!(free.code == 0 && free.stderr.contains("does not require a login"), "{free:?}");
    assert_eq!(at(home, &["login", "http://127.0.0.1:1/mcp"]).code, 3);
    let insecure = at(home, &["login", "http://example.com/mcp"]);
    assert!(insecure.code == 2 && insecure.stderr.contains("https"), "{insecure:?}");
    let server = HttpServer::start("protected");
    let closed = at(home, &["login", &server.url(), "--no-browser"]);
    assert!(closed.code == 4 && closed.stderr.contains("stdin was closed"), "{closed:?}");
    let slow =
        run(command(&["login", &server.url(), "--timeout", "0.5"]).env("MCP_HOME", home).env("BROWSER", "true %s"));
    assert_eq!(slow.code, 7, "{slow:?}");
}
