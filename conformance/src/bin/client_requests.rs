//! A server with tools that send elicitation, sampling and roots requests to the client and log their side effects to
//! files. Tests check that each side effect happens once, on every revision and with any number of processes.
//!
//! `conformance-client-requests [--http] EFFECTS [RUNS]`: the file `EFFECTS` gets a line for each side effect, the file
//! `RUNS` a line for each start of a handler. Over HTTP the server prints its URL to stderr. `FERROMCP_KEYS` contains
//! comma-separated keys that the processes share: the first encrypts request states, all of them decrypt.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::Sample;
use ferromcp::server::http::HttpServerOptions;
use ferromcp::server::{Elicited, State};
use ferromcp::server::{Key, KeyRing, StateOptions};
use tracing_subscriber::filter::LevelFilter;

/// The log files.
#[derive(Clone)]
struct EventLog {
    effects: PathBuf,
    runs: Option<PathBuf>,
}

impl EventLog {
    /// Logs a side effect.
    fn effect(&self, line: impl AsRef<str>) -> Result<(), String> {
        append(&self.effects, line.as_ref())
    }

    /// Logs the start of a handler.
    fn run(&self, tool: &str) -> Result<(), ToolError> {
        self.runs.as_ref().map_or(Ok(()), |runs| append(runs, tool)).map_err(ToolError::new)
    }
}

/// Appends one line with a single write, because other processes may append too.
fn append(path: &PathBuf, line: &str) -> Result<(), String> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.flush()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// Book seats, in three questions
#[tool]
async fn book(State(log): State<EventLog>, ctx: Ctx) -> Result<String, ToolError> {
    log.run("book")?;
    ctx.try_once("reserve", || async { log.effect("book: reserved") }).await?;
    let name = ctx.elicit::<String>("Name?").await?;
    ctx.try_once("greet", || async { log.effect(format!("book: greeted {name}")) }).await?;
    let seats = ctx.elicit::<u8>(format!("How many seats, {name}?")).await?;
    ctx.try_once("seat", || async { log.effect(format!("book: seated {seats}")) }).await?;
    let sure = ctx.elicit::<bool>(format!("{seats} seats for {name}, sure?")).await?;
    ctx.try_once("pay", || async { log.effect(format!("book: paid {sure}")) }).await?;
    Ok(format!("{seats} seats for {name}: {sure}"))
}

/// Guess a number until it is right
#[tool]
async fn guess(State(log): State<EventLog>, ctx: Ctx) -> Result<String, ToolError> {
    log.run("guess")?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let number = ctx.elicit::<u32>("A number?").await?;
        ctx.try_once("look", || async { log.effect(format!("guess: looked at {number}")) }).await?;
        if number == 7 {
            return Ok(format!("right after {attempts}"));
        }
    }
}

/// Delete everything, if the user is sure
#[tool]
async fn delete(State(log): State<EventLog>, ctx: Ctx) -> Result<String, ToolError> {
    log.run("delete")?;
    ctx.try_once("look", || async { log.effect("delete: looked") }).await?;
    match ctx.try_elicit::<bool>("Delete everything?").await? {
        Elicited::Accepted(true) => {
            ctx.try_once("delete", || async { log.effect("delete: deleted") }).await?;
            Ok("deleted".into())
        }
        other => Ok(format!("nothing was deleted: {other}")),
    }
}

/// Write a story with elicitation and sampling
#[tool]
async fn story(State(log): State<EventLog>, ctx: Ctx) -> Result<String, ToolError> {
    log.run("story")?;
    let about = ctx.elicit::<String>("About what?").await?;
    let text = ctx.sample(Sample::new(format!("Write a story about {about}")).max_tokens(100)).await?.text();
    ctx.try_once("write", || async { log.effect(format!("story: wrote {text}")) }).await?;
    let good = ctx.elicit::<bool>(format!("Is it good: {text}?")).await?;
    Ok(format!("{text}: {good}"))
}

/// Ask two questions at once, twice
#[tool]
async fn both(State(log): State<EventLog>, ctx: Ctx) -> Result<String, ToolError> {
    async fn side(ctx: &Ctx, log: &EventLog, side: &str) -> Result<u32, ToolError> {
        let mut sum = 0;
        for turn in 1..=2 {
            sum += ctx.elicit::<u32>(format!("{side}, turn {turn}?")).await?;
            ctx.try_once("add", || async { log.effect(format!("both: {side} is {sum}")) }).await?;
        }
        Ok(sum)
    }
    log.run("both")?;
    let (left, right) = tokio::join!(side(&ctx, &log, "left"), side(&ctx, &log, "right"));
    Ok(format!("{} {}", left?, right?))
}

/// Look into the client's folders
#[tool]
async fn look(State(log): State<EventLog>, ctx: Ctx) -> Result<String, ToolError> {
    log.run("look")?;
    let roots = ctx.roots().await?;
    let roots = roots.iter().map(|root| root.uri.as_str()).collect::<Vec<_>>().join(" ");
    ctx.try_once("look", || async { log.effect(format!("look: saw {roots}")) }).await?;
    Ok(roots)
}

/// Work in three steps, without questions
#[tool]
async fn steps(
    /// The pause after each step, in milliseconds
    #[arg(default = 0)]
    pause: u64,
    ctx: Ctx,
) -> String {
    ctx.info("begun").await;
    for step in 1..=3 {
        ctx.progress_with(f64::from(step), 3.0, format!("step {step} of 3")).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    "done".into()
}

#[tokio::main]
async fn main() -> ExitCode {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false);
    log.with_max_level(LevelFilter::WARN).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), String> {
    let mut args = std::env::args().skip(1).peekable();
    let over_http = args.next_if(|arg| arg == "--http").is_some();
    let effects = args.next().ok_or("usage: conformance-client-requests [--http] EFFECTS [RUNS]")?.into();
    let mut server = Server::new("Conversation", "1.0.0")
        .tool::<book>()
        .tool::<guess>()
        .tool::<delete>()
        .tool::<story>()
        .tool::<both>()
        .tool::<look>()
        .tool::<steps>()
        .state(EventLog { effects, runs: args.next().map(PathBuf::from) });
    if let Ok(keys) = std::env::var("FERROMCP_KEYS") {
        server = server.request_state_options(StateOptions::new().keys(ring(&keys)?));
    }
    let done = if over_http {
        let transport = http("127.0.0.1:0").options(HttpServerOptions::new().http_sse(true));
        server.serve(transport.on_bound(|address| eprintln!("http://{address}/mcp"))).await
    } else {
        server.serve(stdio()).await
    };
    done.map_err(|error| error.to_string())
}

fn ring(keys: &str) -> Result<KeyRing, String> {
    let key = |text| Key::parse(text).map_err(|error| format!("FERROMCP_KEYS: {error}"));
    let (first, others) = keys.split_once(',').unwrap_or((keys, ""));
    let others = others.split(',').filter(|other| !other.is_empty());
    others.into_iter().try_fold(KeyRing::new(key(first)?), |ring, other| Ok(ring.with_decrypt_key(key(other)?)))
}
