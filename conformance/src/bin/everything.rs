//! A server with something of everything a conversation can be about: each kind of result, progress, logs, waiting,
//! failing, stray output. Its one argument, if given, is a file that gets a line when the lifespan opens and closes.

use std::fs::OpenOptions;
use std::future;
use std::io::Write;
use std::path::PathBuf;

use ferromcp::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

/// Add two numbers
#[tool(title = "Addition", annotations(read_only, open_world = false))]
async fn add(
    a: i64,
    /// What to add to `a`
    b: i64,
) -> i64 {
    a + b
}

/// The weather somewhere
#[derive(Serialize, JsonSchema)]
struct Weather {
    /// Degrees Celsius
    celsius: f64,
    sky: String,
}

/// Tell the weather
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

/// Wait for ever, and say on stderr when nobody waits any more
#[tool]
async fn wait(ctx: Ctx) -> String {
    struct Goodbye;
    impl Drop for Goodbye {
        fn drop(&mut self) {
            eprintln!("wait was dropped");
        }
    }
    let _goodbye = Goodbye;
    ctx.progress(1.0, None).await;
    future::pending().await
}

/// Block a thread for a minute, as nothing can be stopped from outside
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

/// What the application is set to
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

/// Languages we know
#[completion(prompt = "review_code", argument = "language")]
async fn languages(typed: String) -> Vec<String> {
    let known = ["python", "ruby", "rust"].map(str::to_owned);
    known.into_iter().filter(|language| language.starts_with(&typed)).collect()
}

/// Where to note that serving began and ended.
#[derive(Clone)]
struct Marker(Option<PathBuf>);

impl Marker {
    fn note(&self, line: &str) -> std::io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        writeln!(OpenOptions::new().create(true).append(true).open(path)?, "{line}")
    }
}

async fn open() -> Result<Marker, ToolError> {
    let marker = Marker(std::env::args_os().nth(1).map(PathBuf::from));
    marker.note("opened")?;
    Ok(marker)
}

async fn close(marker: Marker) {
    if let Err(error) = marker.note("closed") {
        eprintln!("the marker cannot be written: {error}");
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
