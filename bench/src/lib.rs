//! The server that is measured: written as a user would write it, with the public words alone.

mod place;

pub use place::Place;

use ferromcp::prelude::*;

/// Add two numbers
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Say the same again
#[tool]
async fn echo(text: String) -> String {
    text
}

/// A greeting
#[resource("greeting://{name}")]
async fn greeting(name: String) -> String {
    format!("Hello, {name}!")
}

/// Ask for a review of some code
#[prompt]
async fn review_code(code: String) -> String {
    format!("Please review this code:\n\n{code}")
}

/// The server, with `more` tools beside the two that are always there.
pub fn server(more: usize) -> Server {
    let server =
        Server::new("Bench", "1.0.0").tool::<add>().tool::<echo>().resource::<greeting>().prompt::<review_code>();
    (0..more).fold(server, |server, n| server.with_tool(one_more(n)))
}

/// A tool that only makes lists longer.
fn one_more(n: usize) -> Tool {
    Tool::new(format!("tool_{n}"), |a: i64, b: i64| async move { a + b })
        .describe(format!("Add two numbers, in way number {n}"))
        .args([Arg::new("a").describe("The first number"), Arg::new("b").describe("The second number")])
}
