//! A database with a lifespan.

use std::fs;
use std::path::PathBuf;

use ferromcp::core::Revision;
use serde_json::json;

use crate::peer::Peer;

/// Returns the path of a file that does not exist.
fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path); // left by an earlier run
    path
}

#[test]
fn database_is_opened_used_and_closed() {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let path = fresh(&format!("notes-{revision}.db"));
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_lifespan"), &[path.as_os_str()], revision);
        assert_eq!(peer.call("add_note", json!({ "text": "buy milk" }))["structuredContent"]["result"], 1);
        assert_eq!(peer.call("add_note", json!({ "text": "it's late" }))["structuredContent"]["result"], 2);
        let found = peer.call("find_notes", json!({ "word": "milk" }));
        assert_eq!(found["structuredContent"], json!({ "result": ["buy milk"] }));
        // The connection closes during a call: the lifespan closes after that call has finished.
        peer.begin("tools/call", json!({ "name": "add_note", "arguments": { "text": "last" } }));
        assert_eq!(peer.end(), "closed with 3 notes\n");

        let mut peer = Peer::start(env!("CARGO_BIN_EXE_lifespan"), &[path.as_os_str()], revision);
        let found = peer.call("find_notes", json!({ "word": "la" }));
        assert_eq!(found["structuredContent"], json!({ "result": ["it's late", "last"] }));
        assert_eq!(peer.end(), "closed with 3 notes\n");
    }
}

#[test]
#[cfg(unix)]
fn database_is_closed_when_server_receives_signal() {
    let path = fresh("stopped.db");
    let mut peer = Peer::start(env!("CARGO_BIN_EXE_lifespan"), &[path.as_os_str()], Revision::LATEST);
    peer.call("add_note", json!({ "text": "buy milk" }));
    peer.terminate();
    assert_eq!(peer.end(), "closed with 1 notes\n");
}

#[test]
fn server_exits_with_error_when_database_cannot_open() {
    let nowhere = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no/such/folder/notes.db");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lifespan"))
        .arg(nowhere)
        .stdin(std::process::Stdio::piped())
        .output()
        .expect("the example starts");
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("unable to open database file"), "{words}");
}
