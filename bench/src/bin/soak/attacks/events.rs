//! Streams with many events, which the server may store.

use serde_json::json;
use std::fmt::Write as _;

use tokio::task::JoinSet;

use super::Attacker;
use crate::connection::Http1;
use crate::events::Messages;
use crate::message;
use crate::session::Session;
use crate::target::Target;

const ROUNDS: usize = 100;
const STREAMS: usize = 16;
const SESSIONS: usize = 100;

/// Reads streams with progress notifications in rounds, without a session. Reports the memory after every ten rounds.
pub(super) async fn progress(attacker: &Attacker) -> anyhow::Result<String> {
    let mut report = String::from("MiB after every 10 rounds:");
    for round in 1..=ROUNDS {
        let mut clients = JoinSet::new();
        for _ in 0..STREAMS {
            clients.spawn(read_steps(attacker.target.clone()));
        }
        for read in clients.join_all().await {
            read?;
        }
        if round % 10 == 0 {
            let kib = attacker.memory.current() >> 10;
            let _ = write!(report, " {}.{}", kib >> 10, (kib & 1023) * 10 / 1024); // writing to a `String` cannot fail
        }
    }
    Ok(report)
}

async fn read_steps(target: Target) -> anyhow::Result<()> {
    let mut http = Http1::connect(&target).await?;
    let arguments = json!({ "count": 100, "pause_ms": 0, "bytes": 1000 });
    let request = message::call_with_progress(target.address, "steps", &arguments);
    Messages::of(http.send(request).await?).await?.result().await?;
    Ok(())
}

/// Fills the event store: many sessions with many small events.
pub(super) async fn fill(attacker: &Attacker) -> anyhow::Result<String> {
    let before = attacker.memory.current();
    let mut clients = JoinSet::new();
    for first in 0..4 {
        let target = attacker.target.clone();
        clients.spawn(async move {
            for _ in (first..SESSIONS).step_by(4) {
                let session = Session::open(&target).await?;
                let mut http = Http1::connect(&target).await?;
                for id in 1..=3 {
                    let call = session.call(id, "steps", &json!({ "count": 1000, "pause_ms": 0, "bytes": 20 }));
                    let mut messages = Messages::of(http.send(call).await?).await?;
                    messages.result().await?;
                    messages.finish().await?;
                }
            }
            anyhow::Ok(())
        });
    }
    for filled in clients.join_all().await {
        filled?;
    }
    let growth = attacker.memory.current().saturating_sub(before) >> 20;
    Ok(format!("+{growth} MiB; the limit of the event store is 64 MiB"))
}
