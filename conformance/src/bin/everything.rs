//! A server that uses most features: all kinds of results, progress, logging, blocking and failing tools, and stray output
//! on stdout. The optional argument is a file that gets a line when the lifespan opens and closes.

use std::fs::OpenOptions;
use std::future;
use std::io::Write;
use std::path::PathBuf;

use ferromcp::prelude::*;
use ferromcp::server::Json;
use schemars::JsonSchema;
use serde::Serialize;

/// Add two numbers
#[tool(title = "Addition", annotations(read_only, open_world = false))]
async fn add(
    a: i64,
    /// The number to add to `a`
    b: i64,
) -> i64 {
    a + b
}

/// The weather at a place
#[derive(Serialize, JsonSchema)]
struct Weather {
    /// Degrees Celsius
    celsius: f64,
    sky: String,
}

/// Get the weather
#[tool]
async fn weather(
    /// The city, by its name
    #[arg(length(1..=80))]
    city: String,
) -> Json<Weather> {
    Json(Weather { celsius: 21.5, sky: format!("clear over {city}") })
}

/// Work in three steps
#[tool]
async fn long_task(ctx: Ctx) -> String {
    ctx.info("begun").await;
    for step in 1..=3 {
        ctx.progress_with(f64::from(step), 3.0, format!("step {step} of 3")).await;
        tokio::task::yield_now().await;
    }
    ctx.debug("worked through").await;
    "done".into()
}

/// Wait indefinitely, and print to stderr when the call is dropped
#[tool]
async fn wait(ctx: Ctx) -> String {
    struct DropNotice;
    impl Drop for DropNotice {
        fn drop(&mut self) {
            eprintln!("wait was dropped");
        }
    }
    let _notice = DropNotice;
    ctx.progress(1.0, None).await;
    future::pending().await
}

/// Block a thread for a minute
#[tool(blocking)]
fn block() -> String {
    eprintln!("block has begun");
    std::thread::sleep(std::time::Duration::from_secs(60));
    "slept".into()
}

/// Print to stdout, which a tool should not
#[tool]
#[expect(clippy::print_stdout, reason = "this is what is tested")]
async fn shout() -> String {
    println!("stray line");
    print!("stray words without an end");
    "shouted".into()
}

/// Fail with a reason
#[tool]
async fn fail() -> Result<String, ToolError> {
    Err(ToolError::new("out of paper"))
}

/// Panic
#[tool]
async fn crash() -> String {
    panic!("a secret of the inside")
}

/// Get a personalized greeting
#[resource("greeting://{name}")]
async fn greeting(name: String) -> String {
    format!("Hello, {name}!")
}

/// The application settings
#[resource("config://app", mime_type = "application/json")]
async fn config() -> &'static str {
    r#"{"theme":"dark"}"#
}

/// A few bytes
#[resource("bytes://few")]
async fn few_bytes() -> Vec<u8> {
    vec![0, 159, 146, 150]
}

/// Ask for a review of some code
#[prompt(title = "Review code")]
async fn review_code(
    /// The code to look at
    code: String,
    /// The language it is in
    language: Option<String>,
) -> String {
    format!("Please review this {} code:\n\n{code}", language.as_deref().unwrap_or("unknown"))
}

/// Known languages
#[completion(prompt = "review_code", argument = "language")]
async fn languages(typed: String) -> Vec<String> {
    let known = ["python", "ruby", "rust"].map(str::to_owned);
    known.into_iter().filter(|language| language.starts_with(&typed)).collect()
}

/// The file that records the start and end of serving.
#[derive(Clone)]
struct LifespanLog(Option<PathBuf>);

impl LifespanLog {
    fn append(&self, line: &str) -> std::io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        writeln!(OpenOptions::new().create(true).append(true).open(path)?, "{line}")
    }
}

async fn open() -> Result<LifespanLog, ToolError> {
    let log = LifespanLog(std::env::args_os().nth(1).map(PathBuf::from));
    log.append("opened")?;
    Ok(log)
}

async fn close(log: LifespanLog) {
    if let Err(error) = log.append("closed") {
        eprintln!("cannot write the lifespan log: {error}");
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Everything", "1.0.0")
        .title("Everything at once")
        .instructions("Use `add` for sums.")
        .tool::<add>()
        .tool::<weather>()
        .tool::<long_task>()
        .tool::<wait>()
        .tool::<block>()
        .tool::<shout>()
        .tool::<fail>()
        .tool::<crash>()
        .resource::<greeting>()
        .resource::<config>()
        .resource::<few_bytes>()
        .prompt::<review_code>()
        .completion::<languages>()
        .lifespan(open, close)
        .serve(stdio())
        .await
}
