//! A server over HTTP that waits for nobody longer than a second, for clients that misbehave. It says on stderr where
//! it listens.

use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::http::HttpLimits;

/// How long it waits for anything.
const PATIENCE: Duration = Duration::from_secs(1);

/// Add two numbers
#[tool]
fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Say that the tools have changed
#[tool]
fn change(ctx: Ctx) {
    ctx.notify().tools_changed();
}

/// Talk without end, and say on stderr when nobody listens any more
#[tool]
async fn flood(ctx: Ctx) -> String {
    struct Goodbye;
    impl Drop for Goodbye {
        fn drop(&mut self) {
            eprintln!("flood was dropped");
        }
    }
    let _goodbye = Goodbye;
    let words = "water ".repeat(10_000);
    let mut drops = 0.0;
    loop {
        drops += 1.0;
        ctx.progress_with(drops, None, words.clone()).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let mut limits = HttpLimits::default();
    limits.header_time = PATIENCE;
    limits.body_time = PATIENCE;
    limits.stall_time = PATIENCE;
    limits.session_idle = PATIENCE;
    Server::new("Impatient", "1.0.0")
        .tool::<add>()
        .tool::<change>()
        .tool::<flood>()
        .serve(
            http("127.0.0.1:0")
                .options(HttpOptions::new().limits(limits))
                .on_bound(|address| eprintln!("http://{address}/mcp")),
        )
        .await
}
