//! A database over a server's life.

use std::fs;
use std::path::PathBuf;

use ferromcp::prelude::Revision;
use serde_json::json;

use crate::peer::Peer;

/// A file of this test's own, which is not there yet.
fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path); // of an earlier run, if any
    path
}

#[test]
fn a_database_is_opened_used_and_closed() {
    for revision in [Revision::LATEST_LEGACY, Revision::LATEST] {
        let path = fresh(&format!("notes-{revision}.db"));
        let mut peer = Peer::start(env!("CARGO_BIN_EXE_lifespan"), &[path.as_os_str()], revision);
        assert_eq!(peer.call("add_note", json!({ "text": "buy milk" }))["structuredContent"]["result"], 1);
        assert_eq!(peer.call("add_note", json!({ "text": "it's late" }))["structuredContent"]["result"], 2);
        let found = peer.call("find_notes", json!({ "word": "milk" }));
        assert_eq!(found["structuredContent"], json!({ "result": ["buy milk"] }));
        // The pipe closes with a call under way: closing counts what that call still wrote.
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
fn a_server_told_to_stop_closes_its_database() {
    let path = fresh("stopped.db");
    let mut peer = Peer::start(env!("CARGO_BIN_EXE_lifespan"), &[path.as_os_str()], Revision::LATEST);
    peer.call("add_note", json!({ "text": "buy milk" }));
    peer.terminate();
    assert_eq!(peer.end(), "closed with 1 notes\n");
}

#[test]
fn a_database_that_does_not_open_is_told_and_ends_the_server() {
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
