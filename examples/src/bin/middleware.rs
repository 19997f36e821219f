//! Middleware, tracing spans, and a custom extractor.

use std::time::Duration;

use ferromcp::core::{Error, Revision};
use ferromcp::prelude::*;
use ferromcp::server::middleware::Next;
use ferromcp::server::middleware::{concurrency_limit, response_cache, timing};
use ferromcp::server::{AsyncFromCtx, Call, Extension, Reply};
use ferromcp::server::{FromCtx, Invocation, Rejection};

/// The caller, set by a middleware.
#[derive(Clone)]
struct Caller(String);

/// Stores the caller's name for handlers and rejects blocked callers.
async fn who(mut call: Call, next: Next) -> Reply {
    match call.peer.info() {
        Some(info) if info.name == "mallory" => Reply::Failed(Error::invalid_request("Not you again")),
        info => {
            call.extensions.insert(Caller(info.map_or_else(|| "nobody".to_owned(), |info| info.name)));
            next.run(call).await
        }
    }
}

/// The protocol revision of the client.
struct Speaks(Revision);

impl FromCtx for Speaks {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(Self(invocation.peer().revision()))
    }
}

/// Return the caller's name and protocol revision
#[tool]
fn who_am_i(Extension(Caller(name)): Extension<Caller>, Speaks(revision): Speaks) -> String {
    format!("{name}, in {revision}")
}

/// The plan that the caller pays for.
struct Plan(&'static str);

impl AsyncFromCtx for Plan {
    async fn from_ctx(ctx: &Ctx) -> Result<Self, ToolError> {
        let Some(Caller(name)) = ctx.extensions().get() else { return Err(ToolError::new("the caller is unknown")) };
        tokio::time::sleep(Duration::from_millis(5)).await; // instead of a database query
        Ok(Self(if name == "nobody" { "free" } else { "paid" }))
    }
}

/// Return the caller's plan
#[tool]
fn my_plan(Plan(plan): Plan) -> &'static str {
    plan
}

/// A slow response, cached for a minute
#[resource("slow://answer", ttl_ms = 60_000)]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(50)).await;
    "42"
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init(); // stdout carries the protocol
    Server::new("Layers", "1.0.0")
        .tool::<who_am_i>()
        .tool::<my_plan>()
        .resource::<slow>()
        .wrap(timing) // the first is the outermost
        .wrap(who)
        .wrap(concurrency_limit(8))
        .wrap(response_cache(100))
        .serve(stdio())
        .await
}
