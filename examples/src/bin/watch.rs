//! Subscriptions: notes with change notifications, and a file that is polled only while it has subscribers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::{ChangeNotifier, State};

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<BTreeMap<String, String>>>);

/// A note
#[resource("note:///{name}")]
fn note(name: String, State(notes): State<Notes>) -> Option<String> {
    notes.0.lock().ok()?.get(&name).cloned()
}

/// Write a note
#[tool]
fn write(name: String, text: String, State(notes): State<Notes>, ctx: Ctx) -> Result<(), ToolError> {
    notes.0.lock().map_err(|_| "the notes are unavailable")?.insert(name.clone(), text);
    ctx.notify().resource_updated(format!("note:///{name}"));
    Ok(())
}

#[derive(Clone)]
struct Log(PathBuf);

/// The log of today
#[resource("log://today")]
async fn log(State(log): State<Log>) -> std::io::Result<String> {
    tokio::fs::read_to_string(&log.0).await
}

/// Polls the file while it has subscribers.
async fn watch(log: PathBuf, notify: ChangeNotifier) {
    let mut last = None;
    loop {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if notify.has_subscribers("log://today") {
            let size = tokio::fs::metadata(&log).await.map(|file| file.len()).ok();
            if last.replace(size).is_some_and(|last| last != size) {
                notify.resource_updated("log://today");
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let path = std::env::args_os().nth(1).map_or_else(|| "today.log".into(), PathBuf::from);
    let server = Server::new("Watch", "1.0.0").tool::<write>().resource::<note>().resource::<log>();
    let server = server.state(Notes::default()).state(Log(path.clone()));
    tokio::spawn(watch(path, server.notify()));
    server.serve(stdio()).await
}
