//! An HTTP server with timeouts of one second, for tests with misbehaving clients. It prints its URL to stderr.

use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::http::HttpServerLimits;
use ferromcp::server::http::HttpServerOptions;

/// The value of all timeouts.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Add two numbers
#[tool]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Send a notification that the tools changed
#[tool]
fn change(ctx: Ctx) {
    ctx.notify().tools_changed();
}

/// Send progress notifications without end, and print to stderr when the call is dropped
#[tool]
async fn flood(ctx: Ctx) -> String {
    struct DropNotice;
    impl Drop for DropNotice {
        fn drop(&mut self) {
            eprintln!("flood was dropped");
        }
    }
    let _notice = DropNotice;
    let words = "water ".repeat(10_000);
    let mut drops = 0.0;
    loop {
        drops += 1.0;
        ctx.progress_with(drops, None, words.clone()).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let limits = HttpServerLimits::new()
        .header_timeout(TIMEOUT)
        .body_timeout(TIMEOUT)
        .stall_timeout(TIMEOUT)
        .session_idle(TIMEOUT);
    Server::new("Impatient", "1.0.0")
        .tool::<add>()
        .tool::<change>()
        .tool::<flood>()
        .serve(
            http("127.0.0.1:0")
                .options(HttpServerOptions::new().limits(limits))
                .on_bound(|address| eprintln!("http://{address}/mcp")),
        )
        .await
}
