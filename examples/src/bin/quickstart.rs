//! A complete server: a tool, a resource template, and a prompt.

use ferromcp::prelude::*;

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

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Demo", "1.0.0").tool::<add>().resource::<greeting>().prompt::<review_code>().serve(stdio()).await
}
