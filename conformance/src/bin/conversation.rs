//! A server whose tools ask their client in the middle, and note what they do in files: so that tests see that every
//! effect happens once, whoever asks, on whichever revision, in however many processes.
//!
//! `conformance-conversation [--http] EFFECTS [RUNS]`: `EFFECTS` gets a line for each effect, `RUNS` one for each time
//! that a handler begins. Over HTTP it says on stderr where it listens. `FERROMCP_KEYS` has the keys that processes share,
//! with commas between: the first seals, all open.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use ferromcp::prelude::*;
use ferromcp::server::Sample;
use ferromcp::server::asks::state::{Key, KeyRing, StateOptions};
use tracing_subscriber::filter::LevelFilter;

/// Where things are noted.
#[derive(Clone)]
struct Notes {
    effects: PathBuf,
    runs: Option<PathBuf>,
}

impl Notes {
    /// Notes an effect.
    fn effect(&self, words: impl AsRef<str>) -> Result<(), String> {
        append(&self.effects, words.as_ref())
    }

    /// Notes that a handler begins, be it again.
    fn run(&self, tool: &str) -> Result<(), ToolError> {
        self.runs.as_ref().map_or(Ok(()), |runs| append(runs, tool)).map_err(ToolError::new)
    }
}

/// Appends one line, as a whole: other processes may append too.
fn append(path: &PathBuf, words: &str) -> Result<(), String> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(format!("{words}\n").as_bytes()).and_then(|()| file.flush()))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// Book seats, in three questions
#[tool]
async fn book(State(notes): State<Notes>, ctx: Ctx) -> Result<String, ToolError> {
    notes.run("book")?;
    ctx.try_once("reserve", || async { notes.effect("book: reserved") }).await?;
    let name = ctx.elicit::<String>("Name?").await?;
    ctx.try_once("greet", || async { notes.effect(format!("book: greeted {name}")) }).await?;
    let seats = ctx.elicit::<u8>(format!("How many seats, {name}?")).await?;
    ctx.try_once("seat", || async { notes.effect(format!("book: seated {seats}")) }).await?;
    let sure = ctx.elicit::<bool>(format!("{seats} seats for {name}, sure?")).await?;
    ctx.try_once("pay", || async { notes.effect(format!("book: paid {sure}")) }).await?;
    Ok(format!("{seats} seats for {name}: {sure}"))
}

/// Guess a number until it is right
#[tool]
async fn guess(State(notes): State<Notes>, ctx: Ctx) -> Result<String, ToolError> {
    notes.run("guess")?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let number = ctx.elicit::<u32>("A number?").await?;
        ctx.try_once("look", || async { notes.effect(format!("guess: looked at {number}")) }).await?;
        if number == 7 {
            return Ok(format!("right after {attempts}"));
        }
    }
}

/// Delete everything, if the user is sure
#[tool]
async fn delete(State(notes): State<Notes>, ctx: Ctx) -> Result<String, ToolError> {
    notes.run("delete")?;
    ctx.try_once("look", || async { notes.effect("delete: looked") }).await?;
    match ctx.try_elicit::<bool>("Delete everything?").await? {
        Elicited::Accepted(true) => {
            ctx.try_once("delete", || async { notes.effect("delete: deleted") }).await?;
            Ok("deleted".into())
        }
        other => Ok(format!("nothing was deleted: {other}")),
    }
}

/// Tell a story, with the help of user and model
#[tool]
async fn story(State(notes): State<Notes>, ctx: Ctx) -> Result<String, ToolError> {
    notes.run("story")?;
    let about = ctx.elicit::<String>("About what?").await?;
    let told = ctx.sample(Sample::new(format!("Tell of {about}")).max_tokens(100)).await?.text();
    ctx.try_once("write", || async { notes.effect(format!("story: wrote {told}")) }).await?;
    let good = ctx.elicit::<bool>(format!("Is it good: {told}?")).await?;
    Ok(format!("{told}: {good}"))
}

/// Ask two questions at once, twice
#[tool]
async fn both(State(notes): State<Notes>, ctx: Ctx) -> Result<String, ToolError> {
    async fn side(ctx: &Ctx, notes: &Notes, side: &str) -> Result<u32, ToolError> {
        let mut sum = 0;
        for turn in 1..=2 {
            sum += ctx.elicit::<u32>(format!("{side}, turn {turn}?")).await?;
            ctx.try_once("add", || async { notes.effect(format!("both: {side} is {sum}")) }).await?;
        }
        Ok(sum)
    }
    notes.run("both")?;
    let (left, right) = tokio::join!(side(&ctx, &notes, "left"), side(&ctx, &notes, "right"));
    Ok(format!("{} {}", left?, right?))
}

/// Look into the client's folders
#[tool]
async fn look(State(notes): State<Notes>, ctx: Ctx) -> Result<String, ToolError> {
    notes.run("look")?;
    let roots = ctx.roots().await?;
    let roots = roots.iter().map(|root| root.uri.as_str()).collect::<Vec<_>>().join(" ");
    ctx.try_once("look", || async { notes.effect(format!("look: saw {roots}")) }).await?;
    Ok(roots)
}

#[tokio::main]
async fn main() -> ExitCode {
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false);
    log.with_max_level(LevelFilter::WARN).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), String> {
    let mut args = std::env::args().skip(1).peekable();
    let over_http = args.next_if(|arg| arg == "--http").is_some();
    let effects = args.next().ok_or("usage: conformance-conversation [--http] EFFECTS [RUNS]")?.into();
    let mut server = Server::new("Conversation", "1.0.0")
        .tool::<book>()
        .tool::<guess>()
        .tool::<delete>()
        .tool::<story>()
        .tool::<both>()
        .tool::<look>()
        .state(Notes { effects, runs: args.next().map(PathBuf::from) });
    if let Ok(keys) = std::env::var("FERROMCP_KEYS") {
        server = server.request_states(StateOptions::new().keys(ring(&keys)?));
    }
    let done = if over_http {
        let place = http("127.0.0.1:0").options(HttpOptions::new().http_sse(true));
        server.serve(place.on_bound(|address| eprintln!("http://{address}/mcp"))).await
    } else {
        server.serve(stdio()).await
    };
    done.map_err(|error| error.to_string())
}

fn ring(keys: &str) -> Result<KeyRing, String> {
    let key = |text| Key::parse(text).map_err(|error| format!("FERROMCP_KEYS: {error}"));
    let (first, others) = keys.split_once(',').unwrap_or((keys, ""));
    let others = others.split(',').filter(|other| !other.is_empty());
    others.into_iter().try_fold(KeyRing::new(key(first)?), |ring, other| Ok(ring.and(key(other)?)))
}
