//! OAuth clients of Ferromcp and of the Python and TypeScript SDKs with the embedded authorization server: each registers,
//! logs in, calls tools, refreshes its tokens, and obtains a further scope.
//!
//! The clients are described in `crates/ferromcp/tests/interop/README.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ferromcp::auth::authorization_server::MemoryProvider;
use ferromcp::auth::client::{Grant, OAuth, OAuthOptions};
use ferromcp::client::Client;
use ferromcp_conformance::protected::{READ, WRITE};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::interop::{run_client, set_up_folder};
use crate::oauth_server::ProtectedServer;
use crate::oauth_user::User;
use crate::server_process::ServerProcess;

const NODE: &str = "node/node_modules/.bin/node";
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// The user who opens the pages that a client prints.
enum Visitor {
    /// Submits the form of the consent page.
    Form(User),
    /// Clicks the button in Chromium.
    Chromium { program: PathBuf, folder: PathBuf, pages: Vec<Value> },
}

impl Visitor {
    async fn open(&mut self, url: &str) {
        match self {
            Self::Form(user) => user.open(url).await,
            Self::Chromium { program, folder, pages } => {
                let (set_up, program, url) = (folder.clone(), program.display().to_string(), url.to_owned());
                let number = pages.len();
                let click = move || {
                    let profile = format!("{}/consent-{}-{number}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
                    let page = run_client(&set_up, NODE, "click_consent.mjs", &[&program, &profile, &url]);
                    let _ = fs::remove_dir_all(profile);
                    page
                };
                pages.push(tokio::task::spawn_blocking(click).await.unwrap());
            }
        }
    }
}

/// Runs a client until it exits, opens the pages that it prints, and returns its output.
async fn run(folder: &Path, program: &str, script: &str, url: &str, visitor: &mut Visitor) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ferromcp/tests/interop").join(script);
    let program = folder.join(program);
    let mut client = ServerProcess::start(program.to_str().unwrap(), &[script.to_str().unwrap(), url]);
    let mut opened = 0;
    while !client.has_exited() {
        match client.stderr_line("authorize ", opened) {
            Some(url) => {
                visitor.open(&url).await;
                opened += 1;
            }
            None => tokio::time::sleep(POLL_INTERVAL).await,
        }
    }
    let exit = client.wait();
    let output = exit.rest.join("\n");
    assert!(exit.status.success(), "{}: {}\n{output}\n{}", script.display(), exit.status, exit.stderr);
    let mut seen: Value = serde_json::from_str(&output).unwrap();
    seen["logins"] = json!(opened);
    seen
}

/// Runs a client with a new server and asserts the results that are the same for all clients.
async fn log_in(folder: &Path, program: &str, script: &str, client_name: &str, visitor: &mut Visitor) -> Value {
    let server = ProtectedServer::embedded(MemoryProvider::new().user("ada")).await;
    let seen = run(folder, program, script, &server.url(), visitor).await;
    assert_eq!(seen["tools"], json!(["add", "whoami"]), "a tool without its scope is hidden");
    assert_eq!(seen["add"], json!({ "result": 5 }));
    for (caller, scopes) in [("caller", json!([READ])), ("caller_after", json!([READ, WRITE]))] {
        let mut granted: Vec<_> = seen[caller]["scopes"].as_array().expect("scopes").clone();
        granted.sort_by_key(Value::to_string);
        assert_eq!((&seen[caller]["subject"], json!(granted)), (&json!("ada"), scopes), "{caller}");
    }
    assert_eq!(seen["caller"]["client_id"], seen["caller_after"]["client_id"], "one registration");
    assert_eq!((&seen["refreshed"], &seen["rotated"]), (&json!(true), &json!(true)));
    assert_eq!(seen["write_note"], "written: hello");
    assert_eq!(seen["logins"], 2, "a login, and a further scope");
    assert_requests(&server, client_name);
    seen
}

/// Asserts what a client sends.
fn assert_requests(server: &ProtectedServer, client_name: &str) {
    let resource = "(origin)/mcp";
    let registration = &server.requests_to("/register")[..];
    let [registration] = registration else { panic!("registrations: {registration:?}") };
    let registered = |name: &str| registration[name].clone();
    assert_eq!((registered("client_name"), registered("scope")), (json!(client_name), json!(READ)));
    assert_eq!(registered("grant_types"), json!(["authorization_code", "refresh_token"]));
    // The SDKs do not name a method, so that the server issues a secret.
    let (is_public, is_native) = match client_name {
        "ferromcp" => (true, true),
        "python-2" | "typescript-2" => (false, true),
        _ => (false, false),
    };
    assert_eq!(registered("token_endpoint_auth_method"), if is_public { json!("none") } else { Value::Null });
    assert_eq!(registered("application_type"), if is_native { json!("native") } else { Value::Null });
    let scopes = [READ.to_owned(), format!("{READ} {WRITE}")];
    let authorizations = server.requests_to("/authorize");
    assert_eq!(authorizations.iter().map(|it| &it["scope"]).collect::<Vec<_>>(), scopes.iter().collect::<Vec<_>>());
    for request in authorizations.iter().chain(&server.requests_to("/token")) {
        assert_eq!(request["resource"], resource, "{request}");
    }
    for request in authorizations {
        assert_eq!(
            (&request["code_challenge_method"], &request["redirect_uri"]),
            (&json!("S256"), &json!("(callback)"))
        );
    }
    for request in server.requests_to("/token") {
        assert_eq!(request["(Authorization)"], if is_public { Value::Null } else { json!("Basic") }, "{request}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ferromcp_logs_in() {
    for binds_tokens in [false, true] {
        let server = ProtectedServer::embedded(MemoryProvider::new().user("ada")).await;
        let options = OAuthOptions::new(server.url()).client_name("ferromcp");
        let options = options.grant(Grant::authorization_code(User::new().prompt()));
        let oauth = OAuth::new(if binds_tokens { options.dpop() } else { options }).unwrap();
        let client = Client::builder("ferromcp", "0").credentials(oauth).connect(server.url()).await.unwrap();
        assert_eq!(client.call_as::<i64>("add", json!({ "a": 2, "b": 3 })).await.unwrap(), 5);
        let written = client.call("write_note", json!({ "text": "hello" })).await.unwrap();
        assert_eq!(written.text_content(), "written: hello");
        let caller: Value = client.call_as("whoami", ()).await.unwrap();
        assert_eq!((&caller["subject"], caller["scopes"].as_array().unwrap().len()), (&json!("ada"), 2));
        client.close().await;
        let scheme = if binds_tokens { "DPoP " } else { "Bearer " };
        assert!(server.last_authorization().unwrap().to_str().unwrap().starts_with(scheme));
        assert_requests(&server, "ferromcp");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_1_logs_in() {
    let Some(folder) = set_up_folder("python_1_logs_in") else { return };
    let seen = log_in(&folder, "py1/bin/python", "oauth_py1.py", "python-1", &mut Visitor::Form(User::new())).await;
    assert_eq!(seen["protocol_version"], "2025-11-25");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_2_logs_in() {
    let Some(folder) = set_up_folder("python_2_logs_in") else { return };
    let seen = log_in(&folder, "py2/bin/python", "oauth_py2.py", "python-2", &mut Visitor::Form(User::new())).await;
    assert_eq!(seen["protocol_version"], "2026-07-28");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typescript_1_logs_in() {
    let Some(folder) = set_up_folder("typescript_1_logs_in") else { return };
    let seen = log_in(&folder, NODE, "oauth_ts1.mjs", "typescript-1", &mut Visitor::Form(User::new())).await;
    assert_eq!(seen["protocol_version"], "2025-11-25");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typescript_2_logs_in_when_user_clicks_in_browser() {
    let test = "typescript_2_logs_in_when_user_clicks_in_browser";
    let Some(folder) = set_up_folder(test) else { return };
    let mut visitor = match Browser::find(test) {
        Some(program) => Visitor::Chromium { program, folder: folder.clone(), pages: Vec::new() },
        None => Visitor::Form(User::new()),
    };
    let seen = log_in(&folder, NODE, "oauth_ts2.mjs", "typescript-2", &mut visitor).await;
    assert_eq!(seen["protocol_version"], "2026-07-28");
    let Visitor::Chromium { pages, .. } = visitor else { return };
    for page in &pages {
        let shown = page["text"].as_str().unwrap();
        assert!(shown.contains("typescript-2") && shown.contains("127.0.0.1") && shown.contains(READ), "{shown}");
        assert!(page["url"].as_str().unwrap().contains("/callback?"), "{page}");
    }
    assert!(pages[1]["text"].as_str().unwrap().contains(WRITE), "{pages:?}");
}
