//! Prompts with messages of both roles, and a completion for one of their arguments.

use ferromcp::prelude::*;

/// Ask for a review of some code
#[prompt(title = "Review code")]
fn review_code(
    /// The code to look at
    code: String,
    /// The language it is written in
    #[arg(default = "rust")]
    language: String,
) -> String {
    format!("Please review this {language} code:\n\n{code}")
}

/// Start debugging, step by step
#[prompt(title = "Debug an error")]
async fn debug_error(error: String, tried: Option<String>) -> Vec<PromptMessage> {
    let mut messages = vec![
        PromptMessage::user("I see this error:"),
        PromptMessage::user(error),
        PromptMessage::assistant("I see. What did you try?"),
    ];
    messages.extend(tried.map(PromptMessage::user));
    messages
}

/// Suggests languages that start with the typed text
#[completion(prompt = "review_code", argument = "language")]
fn languages(typed: String) -> Vec<&'static str> {
    ["c", "python", "ruby", "rust"].into_iter().filter(|language| language.starts_with(&typed)).collect()
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Prompts", "1.0.0")
        .prompt::<review_code>()
        .prompt::<debug_error>()
        .completion::<languages>()
        .serve(stdio())
        .await
}
