//! The benchmark server, which uses only the public API.

mod endpoint;

pub use endpoint::Endpoint;

use ferromcp::prelude::*;
use ferromcp::server::{Arg, Tool};

/// Add two numbers
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
}

/// Return the text
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

/// Returns the server, with `more` additional tools.
pub fn server(more: usize) -> Server {
    let server =
        Server::new("Bench", "1.0.0").tool::<add>().tool::<echo>().resource::<greeting>().prompt::<review_code>();
    (0..more).fold(server, |server, n| server.with_tool(additional_tool(n)))
}

/// Returns the `n`-th additional tool.
fn additional_tool(n: usize) -> Tool {
    Tool::new(format!("tool_{n}"), |a: i64, b: i64| async move { a + b })
        .describe(format!("Add two numbers, variant {n}"))
        .args([Arg::new("a").describe("The first number"), Arg::new("b").describe("The second number")])
}
