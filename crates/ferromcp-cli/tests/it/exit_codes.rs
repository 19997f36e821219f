//! Each exit code, with its cause.

use std::net::TcpListener;

use crate::process::{HttpServer, command, mcp, on_stdio, server};

#[track_caller]
fn assert_fails(args: &[&str], code: i32, expected: &str) {
    let run = mcp(args);
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{args:?}: {run:?}");
    assert!(run.stderr.starts_with("error: ") && run.stderr.contains(expected), "{args:?}: {run:?}");
}

#[test]
fn exit_code_is_2_when_the_command_line_is_invalid() {
    for (args, expected) in [
        (&["ping"][..], "the target is missing"),
        (&["ping", "nonsense"], "cannot find the target `nonsense`"),
        (&["ping", "localhost:1"], "a URL starts with http:// or https://: `http://localhost:1`"),
        (&["ping", "Cargo.toml"], "write it after `--`"),
        (&["ping", "http://"], "http://"),
        (&["ping", "http://127.0.0.1:1/", "extra"], "unexpected argument `extra`"),
        (&["ping", "-e", "A=b", "http://127.0.0.1:1/"], "variables (`-e`) apply to servers that are started"),
        (&["ping", "-H", "A: b", "--", "true"], "headers (`-H`) apply to URLs"),
        (&["ping", "-H", "A", "http://127.0.0.1:1/"], "the colon is missing"),
        (&["ping", "-H", "Accept: x", "http://127.0.0.1:1/"], "the header `Accept` is set by the client"),
        (&["list", "http://127.0.0.1:1/", "tool"], "cannot list `tool`"),
        (&["read", "http://127.0.0.1:1/"], "the URI of the resource is missing"),
        (&["prompt", "http://127.0.0.1:1/"], "the name of the prompt is missing"),
        (&["complete", "http://127.0.0.1:1/", "p"], "the argument to complete is missing"),
        (&["ping", "missing.py"], "cannot read the Python file `missing.py`"),
        (&["ping", "missing.json"], "missing.json"),
    ] {
        assert_fails(args, 2, expected);
    }
}

#[test]
fn exit_code_is_3_when_the_server_cannot_be_reached() {
    assert_fails(&["ping", "--", "/does/not/exist"], 3, "cannot start `/does/not/exist`");
    assert_fails(&["ping", "http://127.0.0.1:1/mcp"], 3, "cannot reach `http://127.0.0.1:1/mcp`");
    assert_fails(&["ping", "--", server(), "nonsense"], 3, "usage: cli-test-server demo");
}

#[test]
fn exit_code_is_4_when_the_server_requires_a_login() {
    let server = HttpServer::start("protected");
    let url = server.url();
    let remedy = format!("; run `mcp login {url}`");
    assert_fails(&["list", &url], 4, &remedy);
    assert_fails(&["ping", &url, "-H", "Authorization: Bearer nonsense"], 4, "check the header `Authorization`");
    assert_fails(&["whoami", &url], 4, &remedy);
}

#[test]
fn exit_code_is_5_when_the_server_returns_an_error() {
    let run = on_stdio(&["read", "nowhere://nothing"]);
    assert_eq!(run.code, 5);
    assert!(run.stderr.contains("Resource not found: nowhere://nothing"), "{run:?}");
}

#[test]
fn exit_code_is_6_when_the_tool_reports_an_error() {
    let run = on_stdio(&["call", "fail"]);
    assert_eq!((run.code, run.stdout.as_str(), run.stderr.as_str()), (6, "", "error: out of cheese\n"));
    let run = on_stdio(&["call", "fail", "--json"]);
    assert!(run.code == 6 && run.stdout.contains("\"isError\": true") && run.stderr.is_empty(), "{run:?}");
}

#[test]
fn exit_code_is_7_when_a_timeout_expires() {
    assert_fails(&["call", "sleep", "--timeout", "0.2", "--", server(), "stdio"], 7, "raise `--timeout`");
    assert_fails(&["ping", "--timeout", "0.2", "--", server(), "hostile", "mute"], 7, "raise `--timeout`");
    // The connection is accepted by the kernel, and never answered.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", socket.local_addr().unwrap());
    assert_fails(&["ping", "--timeout", "0.2", &url], 7, "raise `--timeout`");
}

#[test]
fn exit_code_is_0_when_the_reader_of_stdout_is_gone() {
    let mut command = command(&["list", "tools", "--", server(), "hostile", "tools"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
