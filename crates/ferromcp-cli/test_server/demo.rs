//! The server of the guide: the quickstart, and a tool that asks a question.

use ferromcp::prelude::*;

/// Add two numbers
#[tool]
async fn add(a: i64, #[arg(default = 1)] b: i64) -> i64 {
    a + b
}

/// Divide two numbers
#[tool]
async fn divide(a: f64, b: f64) -> Result<f64, ToolError> {
    if b == 0.0 { Err(ToolError::new("cannot divide by zero")) } else { Ok(a / b) }
}

/// Get a personalized greeting
#[resource("greeting://{name}")]
async fn greeting(name: String) -> String {
    format!("Hello, {name}!")
}

/// Ask for a review of some code
#[prompt]
async fn review_code(code: String, language: Option<String>) -> String {
    format!("Please review this {} code:\n\n{code}", language.unwrap_or_else(|| "Rust".to_owned()))
}

/// Suggest languages
#[completion(prompt = "review_code", argument = "language")]
fn languages(typed: String) -> Vec<&'static str> {
    ["c", "python", "ruby", "rust"].into_iter().filter(|language| language.starts_with(&typed)).collect()
}

/// Returns the server.
pub(crate) fn server() -> Server {
    let server = Server::new("Demo", "1.0.0").tool::<add>().tool::<divide>();
    server.resource::<greeting>().prompt::<review_code>().completion::<languages>()
}
