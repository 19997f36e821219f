//! A server with many tools, to measure startup time, memory use and list pagination. The argument is the number of
//! tools (default: 10,000).

use ferromcp::prelude::*;
use ferromcp::server::{Arg, Tool};

/// The default number of tools.
const TOOLS: usize = 10_000;

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let tools = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(TOOLS);
    let server = (0..tools).fold(Server::new("Many", "1.0.0"), |server, n| server.with_tool(tool(n)));
    server.serve(stdio()).await
}

/// Returns the `n`-th tool; its result depends on `n`, so that tests can check which tool ran.
fn tool(n: usize) -> Tool {
    let add = move |a: i64, b: i64| async move { a + b + i64::try_from(n).unwrap_or(i64::MAX) };
    Tool::new(format!("tool_{n}"), add)
        .describe(format!("Add two numbers and {n}"))
        .args([Arg::new("a").describe("The first number"), Arg::new("b").describe("The second number")])
}
