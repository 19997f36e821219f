//! Clients that disconnect when they are asked a question.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde_json::json;
use tokio::task::JoinSet;

use super::Attacker;
use crate::connection::Http1;
use crate::events::Messages;
use crate::session::Session;

const SESSIONS: usize = 4;
const QUESTIONS: u64 = 4096;
/// How many clients call at the same time.
const CLIENTS: usize = 32;

/// Calls a tool that asks a question, and disconnects when the question arrives.
pub(super) async fn run(attacker: &Attacker) -> anyhow::Result<String> {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(Session::open(&attacker.target).await?);
    }
    let sessions: Arc<[Session]> = sessions.into();
    let (next, asked) = (Arc::<AtomicU64>::default(), Arc::<AtomicUsize>::default());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (sessions, next, asked) = (Arc::clone(&sessions), Arc::clone(&next), Arc::clone(&asked));
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= QUESTIONS {
                    return;
                }
                let session = &sessions[usize::try_from(number).unwrap_or_default() % SESSIONS];
                let is_asked = ask(session, number + 1).await.unwrap_or_default();
                asked.fetch_add(usize::from(is_asked), Ordering::Relaxed);
            }
        });
    }
    clients.join_all().await;
    Ok(format!("{} of {QUESTIONS} questions were asked", asked.load(Ordering::Relaxed)))
}

/// Returns whether the server has asked.
async fn ask(session: &Session, id: u64) -> anyhow::Result<bool> {
    let mut http = Http1::connect(&session.target).await?;
    let mut messages = Messages::of(http.send(session.call(id, "confirm", &json!({}))).await?).await?;
    let (_, message) = messages.next().await?;
    Ok(message["method"] == "elicitation/create")
}
