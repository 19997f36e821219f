//! Long-running tools, async and blocking: progress notifications, log messages, and a resource of the same server.

use std::time::Duration;

use ferromcp::prelude::*;
use tokio::runtime::Handle;

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

/// Count the prime numbers up to a maximum
#[tool(blocking)]
fn count_primes(#[arg(range(1..=1_000_000))] max: u32, ctx: Ctx) -> Result<u32, ToolError> {
    let runtime = Handle::current(); // threads of the blocking pool can wait for futures
    let mut count = 0;
    for number in 2..=max {
        count += u32::from((2..number).take_while(|it| it * it <= number).all(|it| number % it != 0));
        if number % 1000 == 0 {
            if ctx.has_ended() {
                return Err(ToolError::new("the call was cancelled"));
            }
            runtime.block_on(ctx.progress(f64::from(number), f64::from(max)));
        }
    }
    Ok(count)
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let server = Server::new("Patience", "1.0.0").tool::<long_task>().tool::<count_primes>().resource::<pace>();
    server.serve(stdio()).await
}
