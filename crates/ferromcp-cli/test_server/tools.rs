//! A server with one component of each kind.

use std::time::Duration;

use ferromcp::Form;
use ferromcp::prelude::*;
use ferromcp::server::{Image, Principal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An image of one pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0\x3a\x7e\x9b\x55\
    \0\0\0\nIDAT\x78\x9cc\xf8\x0f\0\x01\x01\x01\0\x1b\xb6\xeeV\0\0\0\0IEND\xaeB`\x82";

/// Add two numbers
///
/// The second number is 1 by default.
#[tool]
async fn add(a: i64, #[arg(default = 1)] b: i64) -> i64 {
    a + b
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Unit {
    Celsius,
    Kelvin,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Place {
    city: String,
    zip: Option<u32>,
}

/// Return the arguments as JSON
#[tool]
async fn echo(
    unit: Option<Unit>,
    #[arg(default)] tags: Vec<String>,
    place: Option<Place>,
    flag: Option<bool>,
    text: Option<String>,
) -> Result<String, ToolError> {
    let value = serde_json::json!({ "unit": unit, "tags": tags, "place": place, "flag": flag, "text": text });
    Ok(serde_json::to_string(&value)?)
}

/// Fail
#[tool]
async fn fail() -> Result<String, ToolError> {
    Err(ToolError::new("out of cheese"))
}

/// Report progress and log messages
#[tool]
async fn steps(ctx: Ctx) -> &'static str {
    ctx.info("on the way").await;
    for step in 1..=3_u8 {
        ctx.progress_with(f64::from(step), 3.0, format!("step {step}")).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    "done"
}

/// Sleep until the call is cancelled
#[tool]
async fn sleep() -> &'static str {
    eprintln!("sleeping");
    let guard = Cancelled;
    tokio::time::sleep(Duration::from_secs(600)).await;
    drop(guard);
    "awake"
}

/// Prints that the call was cancelled.
struct Cancelled;

impl Drop for Cancelled {
    fn drop(&mut self) {
        eprintln!("cancelled");
    }
}

#[derive(Form, Serialize)]
struct Party {
    /// Who the table is for
    #[form(title = "Name", length(1..=80))]
    name: String,
    #[form(range(1..=8), default = 2)]
    guests: u8,
    place: Seat,
}

#[derive(Form, Serialize)]
enum Seat {
    #[form(title = "By the window")]
    Window,
    #[form(title = "In the garden")]
    Garden,
}

/// Ask for a table
#[tool]
async fn book(ctx: Ctx) -> Result<String, ToolError> {
    let party: Party = ctx.elicit("A table for whom?").await?;
    Ok(serde_json::to_string(&party)?)
}

/// Ask to open a page
#[tool]
async fn open(ctx: Ctx) -> Result<&'static str, ToolError> {
    let consent = ctx.elicit_url("Sign in, please", "https://example.com/sign-in?x=1").await?;
    if let Some(id) = consent.id {
        ctx.notify().elicitation_complete(&id);
    }
    Ok("opened")
}

/// Return the roots of the client
#[tool]
async fn folders(ctx: Ctx) -> Result<String, ToolError> {
    let roots = ctx.roots().await?;
    Ok(roots.iter().map(|root| root.uri.clone()).collect::<Vec<_>>().join("\n"))
}

/// Return an image
#[tool]
async fn picture() -> Result<(String, Image), ToolError> {
    Ok(("a pixel".to_owned(), Image::new(PNG)?))
}

/// Change the resource
#[tool]
async fn touch(ctx: Ctx) -> &'static str {
    ctx.notify().resource_updated("note://today");
    ctx.notify().tools_changed();
    "touched"
}

/// Return the name of the user
#[tool]
async fn user(caller: Principal) -> String {
    caller.subject().unwrap_or("nobody").to_owned()
}

/// Return a variable of the environment
#[tool]
async fn variable(name: String) -> Option<String> {
    std::env::var(name).ok()
}

/// The note of today
#[resource("note://today")]
async fn note() -> &'static str {
    "Buy cheese\r\nand bread\n"
}

/// An image of one pixel
#[resource("image://pixel")]
async fn pixel() -> Vec<u8> {
    PNG.to_vec()
}

/// Get a personalized greeting
#[resource("greeting://{name}")]
async fn greeting(name: String) -> String {
    format!("Hello, {name}!")
}

/// Ask for a review of some code
#[prompt]
async fn review(code: String, language: Option<String>) -> String {
    format!("Please review this {} code:\n\n{code}", language.unwrap_or_else(|| "C".to_owned()))
}

/// Suggest languages
#[completion(prompt = "review", argument = "language")]
fn languages(typed: String) -> Vec<&'static str> {
    ["c", "ruby", "rust"].into_iter().filter(|language| language.starts_with(&typed)).collect()
}

/// Returns the server.
pub(crate) fn server() -> Server {
    let server = Server::new("Kitchen", "1.2.3").instructions("Use `add` for sums.\nAsk before you `book`.");
    let server = server.tool::<add>().tool::<echo>().tool::<fail>().tool::<steps>().tool::<sleep>().tool::<book>();
    let server = server.tool::<open>().tool::<folders>().tool::<picture>().tool::<touch>().tool::<variable>();
    let server = server.tool::<user>().resource::<note>().resource::<pixel>().resource::<greeting>();
    server.prompt::<review>().completion::<languages>()
}
