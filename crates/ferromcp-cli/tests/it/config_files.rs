//! Configuration files as targets.

use crate::process::{HttpServer, file, mcp, server};

#[test]
fn entries_are_targets() {
    let folder = tempfile::tempdir().unwrap();
    let http = HttpServer::start("http");
    let command = format!(r#"{{ "command": {:?}, "args": ["stdio"], "env": {{ "GREETING": "hi" }} }}"#, server());
    let text =
        format!(r#"{{ "mcpServers": {{ "local": {command}, /* remote */ "web": {{ "url": "{}" }} }} }}"#, http.url());
    let both = file(folder.path(), "both.json", &text).display().to_string();
    let one = file(folder.path(), "one.jsonc", &format!(r#"{{ "servers": {{ "local": {command}, }} }}"#))
        .display()
        .to_string();

    assert_eq!(mcp(&["call", &format!("{both}#web"), "add", "a=1"]).stdout, "2\n");
    assert_eq!(mcp(&["call", &format!("{both}#local"), "variable", "name=GREETING"]).stdout, "hi\n");
    let replaced = mcp(&["call", &format!("{both}#local"), "-e", "GREETING=ho", "variable", "name=GREETING"]);
    assert_eq!(replaced.stdout, "ho\n");
    assert_eq!(mcp(&["call", &one, "add", "a=1"]).stdout, "2\n", "the only entry");
    let login = mcp(&["login", &one]);
    assert!(login.code == 2 && login.stderr.contains("it is not a server over HTTP"), "{login:?}");
    for (target, expected) in [
        (both.clone(), "has several servers; write `".to_owned()),
        (format!("{both}#x"), "does not have the server `x`; it has local, web".to_owned()),
        (
            file(folder.path(), "none.json", r#"{ "mcpServers": {} }"#).display().to_string(),
            "has no servers".to_owned(),
        ),
        (file(folder.path(), "bad.json", "{").display().to_string(), "is not JSON".to_owned()),
    ] {
        let run = mcp(&["ping", &target]);
        assert!(run.code == 2 && run.stderr.contains(&expected), "{run:?}");
    }
}
