//! Functions around every call, spans for each, and an extractor of one's own.

use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::middleware::{concurrency_limit, response_cache, timing};
use ferromcp::server::{FromCtx, Invocation, Refusal};

/// Who calls, as a middleware found out.
#[derive(Clone)]
struct Caller(String);

/// Finds out who calls, and leaves it for handlers; refuses whom it does not know.
async fn who(mut call: Call, next: Next) -> Reply {
    match call.peer.info() {
        Some(info) if info.name == "mallory" => Reply::Failed(Error::invalid_request("Not you again")),
        info => {
            call.extensions.insert(Caller(info.map_or_else(|| "nobody".to_owned(), |info| info.name)));
            next.run(call).await
        }
    }
}

/// What the client was told to speak, for handlers that want to know.
struct Speaks(Revision);

impl FromCtx for Speaks {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        Ok(Self(invocation.peer().revision()))
    }
}

/// Say who calls, and in which revision of the protocol
#[tool]
fn who_am_i(Extension(Caller(name)): Extension<Caller>, Speaks(revision): Speaks) -> String {
    format!("{name}, in {revision}")
}

/// A slow answer, kept for a minute
#[resource("slow://answer", ttl_ms = 60_000)]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(50)).await;
    "42"
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init(); // stdout is the wire
    Server::new("Layers", "1.0.0")
        .tool::<who_am_i>()
        .resource::<slow>()
        .wrap(timing) // the first is the outermost
        .wrap(who)
        .wrap(concurrency_limit(8))
        .wrap(response_cache(100))
        .serve(stdio())
        .await
}
