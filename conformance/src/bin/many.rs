//! A server with as many tools as its argument says (10,000 unless given), for looking at start-up, memory and lists.

use ferromcp::prelude::*;

/// How many tools there are unless the argument says otherwise.
const TOOLS: usize = 10_000;

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let tools = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(TOOLS);
    let server = (0..tools).fold(Server::new("Many", "1.0.0"), |server, n| server.with_tool(tool(n)));
    server.serve(stdio()).await
}

/// The `n`-th tool: an addition of its own, so that a test sees which one was called.
fn tool(n: usize) -> Tool {
    let add = move |a: i64, b: i64| async move { a + b + i64::try_from(n).unwrap_or(i64::MAX) };
    Tool::new(format!("tool_{n}"), add)
        .describe(format!("Add two numbers and {n}"))
        .args([Arg::new("a").describe("The first number"), Arg::new("b").describe("The second number")])
}
