//! `mcp run` on stdio: the server itself, or a bridge.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::process::{HttpServer, Run, command, file, free_port, mcp, run, run_with_input, server};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn call(id: u32, tool: &str, arguments: &Value) -> String {
    let params = json!({ "name": tool, "arguments": arguments });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}

/// Runs the command as a host does, and returns the responses.
fn exchange(args: &[&str], calls: &[String]) -> (Vec<Value>, Run) {
    let mut input = vec![INITIALIZE.to_owned(), INITIALIZED.to_owned()];
    input.extend_from_slice(calls);
    let run = run_with_input(&mut command(args), &(input.join("\n") + "\n"));
    let messages = run.stdout.lines().map(|line| serde_json::from_str(line).expect("a JSON-RPC message"));
    (messages.filter(|message: &Value| message.get("id").is_some()).collect(), run)
}

fn text(message: &Value) -> &str {
    message["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {message}"))
}

#[test]
fn server_on_stdio_gets_variables_of_files_and_of_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let env = file(folder.path(), ".env", "# comment\nONE=of the file\nTWO='env:HOME'\n");
    let env = env.to_str().unwrap();
    let read = |name: &str| vec![call(2, "variable", &json!({ "name": name }))];
    for extra in [&[][..], &["--bridge"]] {
        let run = |name: &str| {
            let args =
                [&["run", "--env-file", env, "-e", "ONE=of the command line"], extra, &["--", server(), "stdio"]];
            exchange(&args.concat(), &read(name))
        };
        let (messages, output) = run("ONE");
        assert_eq!(messages[0]["result"]["serverInfo"]["name"], "Kitchen", "{output:?}");
        assert_eq!(text(&messages[1]), "of the command line", "{output:?}");
        assert_eq!(text(&run("TWO").0[1]), "env:HOME");
        assert_eq!(output.code, 0, "{output:?}");
    }
}

#[test]
fn entry_and_saved_name_are_run() {
    let folder = tempfile::tempdir().unwrap();
    let servers = json!({ "mcpServers": {
        "kitchen": { "command": server(), "args": ["stdio"], "env": { "ONE": "of the entry" } },
        "other": { "command": server(), "args": ["demo"] },
    } });
    let path = file(folder.path(), "all.json", &servers.to_string());
    let entry = format!("{}#kitchen", path.display());
    let (messages, output) = exchange(&["run", &entry], &[call(2, "variable", &json!({ "name": "ONE" }))]);
    assert_eq!(text(&messages[1]), "of the entry", "{output:?}");

    let home = folder.path().to_str().unwrap();
    let saved = run(command(&["add", "k", "-e", "ONE=of the name", "--", server(), "stdio"]).env("MCP_HOME", home));
    assert_eq!(saved.code, 0, "{saved:?}");
    let input = [INITIALIZE, INITIALIZED, &call(2, "variable", &json!({ "name": "ONE" })), ""].join("\n");
    let output = run_with_input(command(&["run", "k"]).env("MCP_HOME", home), &input);
    assert!(output.stdout.contains("of the name"), "{output:?}");
}

#[test]
fn url_is_served_on_stdio() {
    let http = HttpServer::start("http");
    let (messages, output) = exchange(&["run", &http.url()], &[call(2, "add", &json!({ "a": 2, "b": 3 }))]);
    assert_eq!((text(&messages[1]), output.code), ("5", 0), "{output:?}");
}

#[test]
fn first_request_is_answered_with_an_error_when_server_cannot_be_reached() {
    let url = format!("http://127.0.0.1:{}/mcp", free_port());
    let (messages, output) = exchange(&["run", &url], &[]);
    assert_eq!((messages[0]["id"].as_u64(), output.code), (Some(1), 3), "{output:?}");
    let message = messages[0]["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("cannot reach") && output.stderr.contains(message), "{output:?}");

    let protected = HttpServer::start("protected");
    let (messages, output) = exchange(&["run", &protected.url()], &[]);
    let message = messages[0]["error"]["message"].as_str().unwrap();
    assert!(message.ends_with(&format!("run `mcp login {}`", protected.url())), "{output:?}");
    assert_eq!(output.code, 4, "{output:?}");
}

#[test]
fn nothing_is_started_when_client_sends_nothing() {
    let mut command = command(&["run", "--bridge", "--", "/nonexistent/server"]);
    let run = run(command.stdin(Stdio::null()));
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
}

#[test]
fn invalid_first_message_gets_the_error_of_the_protocol() {
    let run = run_with_input(&mut command(&["run", "--bridge", "--", server(), "stdio"]), "not JSON\n");
    let response: Value = serde_json::from_str(run.stdout.trim()).unwrap();
    assert_eq!(response["error"]["code"], -32700, "{run:?}");
}

#[test]
fn command_that_does_not_exist_is_an_error() {
    let run = mcp(&["run", "--", "/nonexistent/server"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, ""), "{run:?}");
    assert!(run.stderr.starts_with("error: cannot start `/nonexistent/server`: "), "{run:?}");
}

#[test]
fn options_that_do_not_apply_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let env = file(folder.path(), ".env", "A=1\n");
    let empty = file(folder.path(), "empty", "\n");
    let token = format!("file:{}", empty.display());
    for (args, expected) in [
        (&["run", "--token", "env:HOME", "--", server(), "stdio"][..], "add `--transport http`"),
        (&["run", "--port", "0", "--", server(), "stdio"], "cannot apply `--port`: the transport is stdio"),
        (&["run", "-H", "A: b", "--", server(), "stdio"], "headers (`-H`) apply to URLs"),
        (
            &["run", "--env-file", env.to_str().unwrap(), "http://127.0.0.1:1/mcp"],
            "cannot apply `--env-file`: the target is a URL",
        ),
        (&["run", "--transport", "http", "--token", &token, "--", server(), "stdio"], "cannot use the token"),
        (
            &["run", "--transport", "http", "--path", "mcp", "--port", "0", "--", server(), "stdio"],
            "cannot use the path `mcp` (`--path`)",
        ),
    ] {
        let run = mcp(args);
        assert_eq!(run.code, 2, "{args:?}: {run:?}");
        assert!(run.stderr.contains(expected), "{args:?}: {run:?}");
    }
}
