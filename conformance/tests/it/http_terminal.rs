//! The text that an HTTP server prints when it is started in a terminal, and its absence elsewhere.

use std::process::Command;

use serde_json::{Value, json};

use crate::server_process::{HTTP, ServerProcess, report_skipped};

/// Starts `argv[2..]` on a pseudoterminal, waits for the line with its URL, and terminates it. With `argv[1] == "log"`,
/// stderr is a pipe instead of the terminal.
const ON_A_TERMINAL: &str = r#"
import errno, json, os, pty, select, subprocess, sys

try:
    terminal, slave = pty.openpty()
except OSError as error:
    print(json.dumps({"skipped": f"cannot open a pseudoterminal: {error}"}))
    sys.exit()
stderr = subprocess.PIPE if sys.argv[1] == "log" else slave
server = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=stderr)
os.close(slave)

def read(source):
    try:
        return os.read(source, 65536) if select.select([source], [], [], 20)[0] else b""
    except OSError as error:
        if error.errno == errno.EIO: # the last process on the terminal has exited
            return b""
        raise

source = terminal if stderr == slave else server.stderr.fileno()
text = b""
while not any(line.startswith(b"http://") for line in text.splitlines() if text.endswith(b"\n")):
    piece = read(source)
    if not piece:
        break
    text += piece
server.terminate()
while piece := read(source):
    text += piece
other = b""
while source != terminal and (piece := read(terminal)):
    other += piece
text = text.decode().replace("\r\n", "\n")
print(json.dumps({"text": text, "other": other.decode(), "code": server.wait(timeout=20)}))
"#;

/// Runs the HTTP server on a terminal, and returns the text on stderr and the URL that the server prints. Reports a skipped
/// test and returns `None` without a pseudoterminal.
fn run(test: &str, stderr: &str, variables: &[(&str, &str)]) -> Option<(String, String)> {
    let mut python = Command::new("python3");
    python.args(["-c", ON_A_TERMINAL, stderr, HTTP]).env_remove("FERROMCP_TEST_LOG").envs(variables.iter().copied());
    let output = match python.output() {
        Ok(output) => output,
        Err(error) => return skip(test, &format!("cannot start python3: {error}")),
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    if let Some(why) = seen["skipped"].as_str() {
        return skip(test, why);
    }
    assert_eq!((&seen["code"], &seen["other"]), (&json!(0), &json!("")), "{seen}");
    let output = seen["text"].as_str().unwrap().to_owned();
    let url = output.lines().rfind(|line| line.starts_with("http://127.0.0.1:"));
    let url = url.unwrap_or_else(|| panic!("no URL in: {output}")).to_owned();
    Some((output, url))
}

fn skip<T>(test: &str, why: &str) -> Option<T> {
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{test}: {why}, but CI requires it");
    report_skipped(&format!("{test}: {why}"));
    None
}

#[test]
fn http_server_prints_usage_hint_when_stderr_is_terminal() {
    // S14
    let Some((output, url)) = run("http_server_prints_usage_hint_when_stderr_is_terminal", "terminal", &[]) else {
        return;
    };
    let hint = output.strip_suffix(&format!("{url}\n")).unwrap();
    assert!(
        hint.starts_with(&format!("Over HTTP 1.0.0 is an MCP server at {url}; it is waiting for clients.\n")),
        "{hint}"
    );
    assert!(
        hint.contains("npx @modelcontextprotocol/inspector ") && hint.ends_with("Press Ctrl-C to exit.\n"),
        "{hint}"
    );
    let config = &hint[hint.find('{').unwrap()..=hint.rfind('}').unwrap()];
    let config: Value = serde_json::from_str(config).unwrap();
    assert_eq!(config, json!({ "mcpServers": { "Over HTTP": { "type": "http", "url": url } } }));
}

#[test]
fn http_server_prints_no_hint_when_stderr_is_not_terminal() {
    // S14
    let Some((output, url)) = run("http_server_prints_no_hint_when_stderr_is_not_terminal", "log", &[]) else { return };
    assert_eq!(output, format!("{url}\n"));
}

#[test]
fn http_server_prints_no_hint_when_no_stream_is_terminal() {
    // S14
    let server = ServerProcess::start(HTTP, &[]);
    let url = server.url();
    server.signal("TERM");
    let end = server.wait();
    end.assert_clean_exit();
    assert_eq!(end.stderr, format!("{url}\n"));
}

#[test]
fn http_server_prints_no_hint_when_tracing_subscriber_is_installed() {
    // S14
    let test = "http_server_prints_no_hint_when_tracing_subscriber_is_installed";
    let Some((output, url)) = run(test, "terminal", &[("FERROMCP_TEST_LOG", "1")]) else { return };
    assert!(!output.contains("mcpServers") && !output.contains("inspector"), "{output}");
    assert!(output.contains(&format!("serving at {url}")), "the log has the address: {output}");
}
