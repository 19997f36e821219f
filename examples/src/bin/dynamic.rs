//! Without macros: tools from closures, registration at run time, and middleware.

use std::time::Instant;

use ferromcp::core::RawJson;
use ferromcp::prelude::*;
use ferromcp::server::middleware::Next;
use ferromcp::server::{Arg, Call, Reply, Resource, Tool};

/// Prints the duration of each call to stderr.
async fn timing(call: Call, next: Next) -> Reply {
    let method = call.request.method().to_owned();
    let begin = Instant::now();
    let reply = next.run(call).await;
    eprintln!("{method} took {:?}", begin.elapsed());
    reply
}

/// Creates a tool at run time.
fn shout(word: String) -> Tool {
    let name = format!("shout_{word}");
    Tool::sync(name, move |times: usize| word.to_uppercase().repeat(times))
        .describe("Shout a word")
        .args([Arg::new("times").range::<usize>(1..=10).default::<usize>(1)])
        .read_only(true)
}

/// Creates a tool with an external JSON Schema, as in a proxy. It receives its arguments as JSON text.
fn echo() -> anyhow::Result<Tool> {
    let schema = RawJson::parse(r#"{"type": "object", "properties": {"any": {}}}"#)?;
    Ok(Tool::dynamic("echo", schema, |arguments: RawJson, _: Ctx| async move { arguments.as_str().to_owned() }))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let learn = Tool::sync("learn", |word: String, registry: Registry| {
        registry.add_tool(shout(word)) // a registration error becomes a tool error
    });
    let forget =
        Tool::sync("forget", |word: String, registry: Registry| registry.remove_tool(&format!("shout_{word}")));
    Server::new("Parrot", "1.0.0")
        .with_tool(learn.describe("Learn a word").args(["word", "registry"]))
        .with_tool(forget.describe("Forget a word").args(["word", "registry"]))
        .with_tool(echo()?)
        .with_resource(Resource::sync("parrot://mood", || "cheerful"))
        .wrap(timing)
        .serve(stdio())
        .await?;
    Ok(())
}
