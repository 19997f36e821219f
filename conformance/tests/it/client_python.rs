//! Our client and servers by the Python SDK: what works is the same over every transport and on both eras.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ferromcp::prelude::*;
use serde_json::json;

use crate::interop::folder;

const PATIENCE: Duration = Duration::from_secs(30);

/// A server that listens; killed when dropped.
struct Listening(Child, String);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(folder: &Path, version: &str) -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/ferromcp/tests/interop/server_py.py");
    let mut command = Command::new(folder.join(version).join("bin/python"));
    command.arg(script);
    command
}

/// Starts a server of this kind on a free port, and waits until it listens.
fn listening(folder: &Path, version: &str, kind: &str) -> Listening {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = command(folder, version);
    command.args([kind, &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let path = if kind == "sse" { "sse" } else { "mcp" };
    let server = Listening(command.spawn().unwrap(), format!("http://127.0.0.1:{port}/{path}"));
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < PATIENCE, "{version} {kind} does not listen");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

fn builder() -> ClientBuilder {
    Client::new("interop", "1.0.0").on_form(|form| async move {
        assert_eq!(form.message, "Your name?");
        accept(&json!({ "name": "Ada" }))
    })
}

/// What every server does for our client; `asks` where it can ask in the middle of a call.
async fn works(client: Client, revision: Revision, asks: bool) {
    assert_eq!(client.revision(), revision);
    let mut names: Vec<String> = client.tools().await.unwrap().into_iter().map(|tool| tool.name).collect();
    names.sort();
    assert_eq!(names, ["add", "ask", "steps"]);
    let sum = client.call("add", json!({ "a": 2, "b": 3 })).await.unwrap();
    assert_eq!(sum.content[0].as_text(), Some("5"));
    let mistaken = client.call("add", json!({ "a": "many" })).await.unwrap();
    assert!(mistaken.is_error(), "{mistaken:?}");
    let (call, progress) = client.call("steps", json!({})).watch_progress();
    assert_eq!(call.await.unwrap().content[0].as_text(), Some("all steps done"));
    assert!(progress.borrow().is_some(), "progress was heard of");
    let read = client.read("greeting://Ada").await.unwrap();
    assert_eq!(read.contents[0].as_text(), Some("Hello, Ada!"));
    let prompt = client.prompt("review", json!({ "code": "x" })).await.unwrap();
    assert_eq!(prompt.messages[0].content.as_text(), Some("Please review: x"));
    if asks {
        let asked = client.call("ask", json!({})).await.unwrap();
        assert_eq!(asked.content[0].as_text(), Some("Hello, Ada!"));
    }
    client.close().await;
}

// M26-065, M26-085
#[tokio::test]
async fn servers_of_sessions_are_spoken_to_over_every_transport() {
    let Some(folder) = folder("servers_of_sessions_are_spoken_to_over_every_transport") else { return };
    let revision = Revision::LATEST_LEGACY;
    let mut stdio = command(&folder, "py1");
    stdio.arg("stdio");
    works(builder().connect(stdio).await.unwrap(), revision, true).await;
    for (kind, asks) in [("http", true), ("stateless", false), ("sse", true)] {
        let server = listening(&folder, "py1", kind);
        works(builder().connect(server.1.as_str()).await.unwrap(), revision, asks).await;
    }
}

#[tokio::test]
async fn a_server_of_both_eras_is_spoken_to_in_each() {
    let Some(folder) = folder("a_server_of_both_eras_is_spoken_to_in_each") else { return };
    for (revision, asks) in [(Revision::LATEST, false), (Revision::LATEST_LEGACY, true)] {
        let mut stdio = command(&folder, "py2");
        stdio.arg("stdio");
        works(builder().only_revision(revision).connect(stdio).await.unwrap(), revision, asks).await;
        let server = listening(&folder, "py2", "http");
        works(builder().only_revision(revision).connect(server.1.as_str()).await.unwrap(), revision, asks).await;
    }
    let mut stdio = command(&folder, "py2");
    stdio.arg("stdio");
    works(builder().connect(stdio).await.unwrap(), Revision::LATEST, false).await;
}
