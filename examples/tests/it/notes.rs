//! Notes in a database: elicitation before a deletion, progress of an import, and a resource for each note.

use std::process::Command;
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use ferromcp::client::{accept, cancel, decline};
use ferromcp::core::Revision;
use ferromcp::prelude::*;
use ferromcp_examples::text;
use serde_json::json;

use crate::peer::Peer;

const BOTH: [Revision; 2] = [Revision::LATEST_LEGACY, Revision::LATEST];

/// Returns the command of a server with an empty database.
fn notes() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_notes"));
    command.arg(":memory:");
    command
}

async fn names(client: &Client) -> Result<Vec<String>> {
    Ok(client.resources().await?.into_iter().map(|resource| resource.name).collect())
}

#[tokio::test]
async fn notes_are_found_listed_and_read_when_added() -> Result<()> {
    for revision in BOTH {
        let client = Client::builder("tests", "1.0.0").only_revision(revision).connect(notes()).await?;
        assert_eq!(client.call_as::<i64>("add_note", json!({ "text": "buy milk\nand tea" })).await?, 1);
        assert_eq!(client.call_as::<i64>("add_note", json!({ "text": "call Ada" })).await?, 2);
        let found: Vec<String> = client.call_as("find_notes", json!({ "word": "milk" })).await?;
        assert_eq!(found, ["buy milk\nand tea"]);
        assert_eq!(names(&client).await?, ["buy milk", "call Ada"]);
        assert_eq!(client.read_text("note://2").await?, "call Ada");
        let error = client.read_text("note://3").await.unwrap_err();
        let code = if revision.is_modern() { -32602 } else { -32002 };
        assert_eq!(error.rpc().context("an error of the server")?.code.0, code);
        let prompt = client.prompt("summarize_notes", json!({ "word": "Ada" })).await?;
        let message = prompt.messages.first().context("a message")?;
        assert_eq!(message.content.as_text(), Some("Please summarize these notes:\n- call Ada"));
        client.close().await;
    }
    Ok(())
}

#[tokio::test]
async fn note_is_deleted_only_when_user_accepts() -> Result<()> {
    for revision in BOTH {
        let answer = Arc::new(Mutex::new(decline()));
        let current = Arc::clone(&answer);
        let client = Client::builder("tests", "1.0.0").only_revision(revision).on_form(move |form| {
            assert_eq!(form.message, "Delete note 1, \"buy milk\"?");
            let answer = current.lock().expect("no thread panics here").clone();
            async move { answer }
        });
        let client = client.connect(notes()).await?;
        client.call("add_note", json!({ "text": "buy milk" })).await?;
        for (next, result, left) in [
            (accept(&json!({ "value": false }))?, "note 1 is kept", 1),
            (decline(), "note 1 is kept", 1),
            (cancel(), "note 1 is kept", 1),
            (accept(&json!({ "value": true }))?, "note 1 is deleted", 0),
        ] {
            *answer.lock().expect("no thread panics here") = next;
            assert_eq!(text(&client.call("delete_note", json!({ "id": 1 })).await?), result);
            assert_eq!(names(&client).await?.len(), left);
        }
        let again = client.call("delete_note", json!({ "id": 1 })).await?;
        assert!(again.is_error() && text(&again).starts_with("there is no note 1; "), "{again:?}");
        client.close().await;
    }
    Ok(())
}

#[test]
fn progress_is_sent_for_each_batch_when_notes_are_imported() {
    for revision in BOTH {
        let mut peer = Peer::with(&mut notes(), revision);
        let texts: Vec<_> = (1..=25).map(|number| format!("note {number}")).collect();
        let arguments = json!({ "texts": texts });
        let params = json!({ "name": "import_notes", "arguments": arguments, "_meta": { "progressToken": "p" } });
        let id = peer.begin("tools/call", params);
        let mut progress = Vec::new();
        let result = loop {
            let message = peer.next();
            match message["method"].as_str() {
                Some("notifications/progress") => progress.push(message["params"]["progress"].as_f64()),
                // Sessions receive this without a subscription.
                Some(method) => assert_eq!(method, "notifications/resources/list_changed"),
                None => break message,
            }
        };
        assert_eq!(result["id"], id);
        assert_eq!(result["result"]["content"][0]["text"], "25 notes saved");
        assert_eq!(progress, [Some(10.0), Some(20.0), Some(25.0)]);
        assert_eq!(peer.end(), "", "a healthy server writes nothing to stderr");
    }
}
