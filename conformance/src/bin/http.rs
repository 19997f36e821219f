//! An HTTP server for tests with third-party clients, including HTTP+SSE clients, and with a browser. It prints its URL to
//! stderr. The arguments are the allowed origins of web pages. With the variable `FERROMCP_TEST_LOG`, it also logs to stderr.

use ferromcp::server::http::HttpServerOptions;
use std::future;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ferromcp::prelude::*;
use ferromcp::server::State;

/// The number of `slow_task` calls.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicU32>);

/// Add two numbers
#[tool]
async fn add(a: i64, b: i64) -> i64 {
    a + b
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

/// Work in six steps that take a while, so that a connection can be cut between them
#[tool]
async fn slow_task(runs: State<Runs>, ctx: Ctx) -> String {
    runs.0.0.fetch_add(1, Ordering::SeqCst);
    for step in 1..=6 {
        ctx.progress_with(f64::from(step), 6.0, format!("step {step} of 6")).await;
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    "done, slowly".into()
}

/// Count the calls of `slow_task`
#[tool]
async fn slow_task_runs(runs: State<Runs>) -> u32 {
    runs.0.0.load(Ordering::SeqCst)
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

/// Send notifications that the tools and the configuration changed
#[tool]
async fn touch(ctx: Ctx) -> &'static str {
    ctx.notify().tools_changed();
    ctx.notify().resource_updated("config://app");
    "touched"
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

/// Ask for a review of some code
#[prompt]
async fn review_code(code: String) -> String {
    format!("Please review this code:\n\n{code}")
}

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::var_os("FERROMCP_TEST_LOG").is_some() {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    }
    let mut options = HttpServerOptions::new().http_sse(true).retry(Duration::from_millis(100));
    for origin in std::env::args().skip(1) {
        options = options.allow_origin(origin);
    }
    let server = Server::new("Over HTTP", "1.0.0")
        .tool::<add>()
        .tool::<long_task>()
        .tool::<slow_task>()
        .tool::<slow_task_runs>()
        .tool::<wait>()
        .tool::<touch>()
        .resource::<greeting>()
        .resource::<config>()
        .prompt::<review_code>()
        .state(Runs::default());
    let transport = http("127.0.0.1:0").path("/mcp").options(options);
    match server.serve(transport.on_bound(|address| eprintln!("http://{address}/mcp"))).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
