//! The quickstart over HTTP: one endpoint for all protocol revisions, and a long-running tool.

use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::http::{HttpServerLimits, HttpServerOptions};

/// Add two numbers
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Get a personalized greeting
#[resource("greeting://{name}")]
async fn greeting(name: String) -> String {
    format!("Hello, {name}!")
}

/// Ask for a review of some code
#[prompt]
async fn review_code(code: String) -> String {
    format!("Please review this code:\n\n{code}")
}

/// Write a report, chapter by chapter
#[tool]
async fn report(#[arg(range(1..=100))] chapters: u32, ctx: Ctx) -> String {
    ctx.disconnect(Duration::from_millis(100)); // clients that can reconnect do not need to keep the connection open
    for chapter in 1..=chapters {
        tokio::time::sleep(Duration::from_millis(20)).await;
        ctx.progress(f64::from(chapter), f64::from(chapters)).await;
    }
    format!("a report of {chapters} chapters")
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8000".to_owned());
    let server =
        Server::new("Demo", "1.0.0").tool::<add>().tool::<report>().resource::<greeting>().prompt::<review_code>();

    let options = HttpServerOptions::new()
        .allow_host("mcp.example.com") // in addition to local host names
        .allow_origin("https://app.example.com") // a web origin that may send requests
        .limits(HttpServerLimits::new().body_bytes(1 << 20));
    let tell = |address| eprintln!("serving at http://{address}/mcp");
    server.serve(http(format!("127.0.0.1:{port}")).options(options).on_bound(tell)).await
}
