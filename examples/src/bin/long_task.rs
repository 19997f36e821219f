//! A long-running tool: progress notifications, log messages, and a resource of the same server.

use std::time::Duration;

use ferromcp::prelude::*;

/// Duration of a step in milliseconds
#[resource("config://pace")]
fn pace() -> &'static str {
    "20"
}

/// Run some steps in sequence
#[tool]
async fn long_task(#[arg(range(1..=1000))] steps: u32, ctx: Ctx) -> Result<String, ToolError> {
    let read = ctx.read_resource("config://pace").await?;
    let pace = read.contents.first().and_then(|contents| contents.as_text()).unwrap_or("100");
    let pace = Duration::from_millis(pace.parse()?);
    ctx.info(format!("{steps} steps, {pace:?} each")).await;
    for step in 1..=steps {
        tokio::time::sleep(pace).await; // a cancelled call stops here: its future is dropped
        ctx.progress_with(f64::from(step), f64::from(steps), format!("step {step} done")).await;
    }
    Ok(format!("all {steps} steps done"))
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Patience", "1.0.0").tool::<long_task>().resource::<pace>().serve(stdio()).await
}
