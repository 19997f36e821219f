//! The server of the soak: `soak-server [--session-idle SECONDS] [--stall-timeout SECONDS]`.
//!
//! All other limits have their defaults. Prints its address to stdout.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use ferromcp::prelude::*;
use ferromcp::server::http::{
    EventReplay, EventStore, HttpServerLimits, HttpServerOptions, MemoryEventStore, StreamKey,
};
use ferromcp::server::{Prompt, Resource, StoreFuture, Tool};
use tokio::runtime::Handle;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let events = CountedEvents::default();
    let ended_sessions = Arc::clone(&events.ended_sessions);
    let options = HttpServerOptions::new().events(events).limits(limits(std::env::args().skip(1))?);
    let listener = http("127.0.0.1:0").options(options).on_bound(|address| {
        #[allow(clippy::print_stdout, reason = "the soak reads the address")]
        {
            println!("{address}");
        }
    });
    server(ended_sessions).serve(listener).await?;
    Ok(())
}

/// Parses the limits from the arguments.
fn limits(mut args: impl Iterator<Item = String>) -> anyhow::Result<HttpServerLimits> {
    let mut limits = HttpServerLimits::new();
    while let Some(option) = args.next() {
        let seconds = args.next().with_context(|| format!("{option} requires a number of seconds"))?;
        let time = Duration::from_secs(seconds.parse().with_context(|| format!("invalid {option}"))?);
        limits = match option.as_str() {
            "--session-idle" => limits.session_idle(time),
            "--stall-timeout" => limits.stall_timeout(time),
            _ => bail!("unknown option {option}"),
        };
    }
    Ok(limits)
}

/// The event store of the server, which counts ended sessions.
#[derive(Default)]
struct CountedEvents {
    store: MemoryEventStore,
    ended_sessions: Arc<AtomicUsize>,
}

impl EventStore for CountedEvents {
    fn append<'a>(&'a self, key: StreamKey<'a>, number: u64, data: Bytes) -> StoreFuture<'a, ()> {
        self.store.append(key, number, data)
    }

    fn end<'a>(&'a self, key: StreamKey<'a>) -> StoreFuture<'a, ()> {
        self.store.end(key)
    }

    fn replay<'a>(&'a self, key: StreamKey<'a>, after: u64) -> StoreFuture<'a, EventReplay> {
        self.store.replay(key, after)
    }

    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()> {
        self.ended_sessions.fetch_add(1, Ordering::SeqCst);
        self.store.forget(session)
    }
}

fn server(ended_sessions: Arc<AtomicUsize>) -> Server {
    Server::new("soak", "1.0.0")
        .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]))
        .with_tool(Tool::sync("length", |text: String| text.len()).args(["text"]))
        .with_tool(Tool::sync("large", |bytes: usize| "x".repeat(bytes)).args(["bytes"]))
        .with_tool(Tool::new("steps", steps).args(["ctx", "count", "pause_ms", "bytes"]))
        .with_tool(Tool::new("confirm", confirm).args(["ctx"]))
        .with_tool(Tool::new("change", change).args(["ctx", "uri"]))
        .with_tool(
            // The numbers of tasks and of sessions that have ended since the start.
            Tool::sync("stats", move || {
                let tasks = Handle::current().metrics().num_alive_tasks();
                format!("{tasks} {}", ended_sessions.load(Ordering::SeqCst))
            }),
        )
        .with_resource(Resource::sync("note://{name}", |name: String| format!("the note {name}")).args(["name"]))
        .with_prompt(Prompt::sync("review", |code: String| format!("Review this code:\n\n{code}")).args(["code"]))
}

/// Sends progress notifications with messages of `bytes`.
async fn steps(ctx: Ctx, count: u32, pause_ms: u64, bytes: usize) -> u32 {
    for step in 1..=count {
        ctx.progress_with(f64::from(step), f64::from(count), "p".repeat(bytes)).await;
        if pause_ms > 0 {
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
    }
    count
}

/// Asks the user.
async fn confirm(ctx: Ctx) -> Result<bool, ToolError> {
    Ok(ctx.elicit::<bool>("Continue?").await?)
}

/// Notifies the subscribers of a resource.
async fn change(ctx: Ctx, uri: String) -> bool {
    ctx.notify().resource_updated(&uri);
    true
}
