//! `mcp add`, `mcp names` and `mcp remove`.

use std::path::Path;

use crate::process::{HttpServer, Run, command, file, run, server};

fn at(home: &Path, args: &[&str]) -> Run {
    run(command(args).env("MCP_HOME", home))
}

#[test]
fn saved_names_are_targets() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().join("new");
    let http = HttpServer::start("http");
    let url = http.url();
    assert_eq!(at(&home, &["names"]).stdout, "");
    assert_eq!(at(&home, &["add", "kitchen", "--", server(), "stdio"]).code, 0);
    assert_eq!(at(&home, &["add", "web", &url, "--era", "legacy", "-H", "X-Key: env:CLI_TEST_KEY"]).code, 0);
    assert_eq!(at(&home, &["add", "copy", "kitchen"]).code, 0);
    assert_eq!(at(&home, &["remove", "kitchen"]).code, 0);
    let names = at(&home, &["names"]).stdout;
    assert_eq!(names, format!("copy\t-- {} stdio\nweb\t{url}\n", server()));
    assert!(at(&home, &["names", "--json"]).stdout.contains(&url));

    assert_eq!(at(&home, &["call", "copy", "add", "a=1"]).stdout, "2\n");
    let missing = at(&home, &["ping", "web"]);
    assert!(missing.code == 2 && missing.stderr.contains("`env:CLI_TEST_KEY`"), "{missing:?}");
    let pinged = run(command(&["ping", "web"]).env("MCP_HOME", &home).env("CLI_TEST_KEY", "k"));
    assert!(pinged.stdout.contains("2025-11-25"), "{pinged:?}");
    let unknown = at(&home, &["ping", "wen"]);
    assert!(unknown.code == 2 && unknown.stderr.contains("did you mean the saved name `web`?"), "{unknown:?}");
}

#[test]
fn errors_name_the_remedy() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    assert_eq!(at(home, &["add", "a", "http://127.0.0.1:1/"]).code, 0);
    assert_eq!(at(home, &["add", "kitchen", "http://127.0.0.1:1/"]).code, 0);
    for (args, expected) in [
        (&["add", "a", "http://127.0.0.1:2/"][..], "replace it with `--force`"),
        (&["add", "a/b", "http://127.0.0.1:2/"], "cannot save the name `a/b`"),
        (&["add", "b"], "the target is missing"),
        (&["add"], "the name is missing"),
        (&["add", "b", "http://x", "extra"], "unexpected argument `extra`"),
        (&["add", "b", "http://x", "-H", "broken"], "the colon is missing"),
        (&["remove", "kichen"], "no saved name `kichen`; did you mean `kitchen`?"),
        (&["remove", "zzz"], "`mcp names` lists the saved names"),
    ] {
        let run = at(home, args);
        assert_eq!(run.code, 2, "{args:?}: {run:?}");
        assert!(run.stderr.contains(expected), "{args:?}: {run:?}");
    }
    assert_eq!(at(home, &["add", "a", "http://127.0.0.1:2/", "--force"]).code, 0);
    file(home, "targets.json", "{ s3cret");
    let damaged = at(home, &["names"]);
    assert!(damaged.code == 2 && damaged.stderr.contains("repair or remove it"), "{damaged:?}");
    assert!(!damaged.stderr.contains("s3cret"));
}

#[cfg(unix)]
#[test]
fn file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("mcp");
    assert_eq!(at(&folder, &["add", "a", "http://127.0.0.1:1/", "-H", "X: s3cret"]).code, 0);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("targets.json"))), (0o700, 0o600));
    assert!(!at(&folder, &["names", "--json"]).stdout.contains("s3cret"));
}

#[test]
fn relative_paths_are_saved_as_absolute_paths() {
    let home = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    file(
        folder.path(),
        "mcp.json",
        &format!(r#"{{"mcpServers":{{"k":{{"command":{:?},"args":["stdio"]}}}}}}"#, server()),
    );
    let add = run(command(&["add", "k", "mcp.json#k"]).env("MCP_HOME", home.path()).current_dir(folder.path()));
    assert_eq!(add.code, 0, "{add:?}");
    assert_eq!(at(home.path(), &["call", "k", "add", "a=1"]).stdout, "2\n");
}
