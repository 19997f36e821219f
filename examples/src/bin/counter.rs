//! The counter server that many MCP SDKs have as an example, over stdio, or over HTTP if the argument is a port.

use std::sync::atomic::{AtomicI64, Ordering};

use ferromcp::prelude::*;
use ferromcp::server::Args;
use schemars::JsonSchema;
use serde::Deserialize;

const VALUE: &str = "counter://value";

/// A counter, shared by all clients of the process.
#[derive(Default)]
struct Counter(AtomicI64);

#[component]
impl Counter {
    /// Increment the counter by 1 and return its value
    #[tool(annotations(destructive = false, open_world = false))]
    fn increment(&self, ctx: Ctx) -> i64 {
        self.add(1, &ctx)
    }

    /// Decrement the counter by 1 and return its value
    #[tool(annotations(destructive = false, open_world = false))]
    fn decrement(&self, ctx: Ctx) -> i64 {
        self.add(-1, &ctx)
    }

    /// Get the value of the counter
    #[tool(annotations(read_only, open_world = false))]
    fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Say hello to someone
    #[prompt]
    fn say_hello(&self, #[arg(default = "world")] name: String) -> String {
        format!("Say hello to {name}, and mention that the counter is at {}.", self.get())
    }

    /// The value of the counter
    #[resource("counter://value")]
    fn value(&self) -> String {
        self.get().to_string()
    }

    fn add(&self, step: i64, ctx: &Ctx) -> i64 {
        let value = self.0.fetch_add(step, Ordering::Relaxed) + step;
        ctx.notify().resource_updated(VALUE);
        value
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)] // a misspelled argument is an error
struct Sum {
    /// The left number
    a: i32,
    /// The right number
    b: i32,
}

/// Calculate the sum of two numbers
#[tool(annotations(read_only, open_world = false))]
fn sum(Args(Sum { a, b }): Args<Sum>) -> i64 {
    i64::from(a) + i64::from(b)
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let server = Server::new("Counter", "1.0.0").mount("", Counter::default()).tool::<sum>(); // no namespace
    match std::env::args().nth(1) {
        None => server.serve(stdio()).await,
        Some(port) => {
            let tell = |address| eprintln!("serving at http://{address}/mcp");
            server.serve(http(format!("127.0.0.1:{port}")).on_bound(tell)).await
        }
    }
}
