//! An HTTP server for a container or a system service: settings from the environment, and health checks.

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::extract;
use axum::http::StatusCode;
use axum::routing::get;
use ferromcp::prelude::*;
use ferromcp::server::State;
use ferromcp::server::http::{HttpServerLimits, HttpServerOptions};
use ferromcp::server::{Key, KeyRing, StateOptions};
use tracing_subscriber::EnvFilter;

/// The folder with the reports, which the server depends on.
#[derive(Clone)]
struct Reports(PathBuf);

/// Count the reports
#[tool(annotations(read_only, open_world = false))]
async fn count_reports(State(Reports(folder)): State<Reports>) -> Result<usize, ToolError> {
    let mut entries = tokio::fs::read_dir(folder).await?;
    let mut count = 0;
    while entries.next_entry().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Returns 200 if the server can do its work, 503 otherwise.
async fn ready(extract::State(Reports(folder)): extract::State<Reports>) -> StatusCode {
    match tokio::fs::metadata(folder).await {
        Ok(metadata) if metadata.is_dir() => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Returns the options of the endpoint.
fn options() -> HttpServerOptions {
    let mut options = HttpServerOptions::new()
        .stateless(env::var_os("MCP_STATELESS").is_some()) // then any process can handle any request
        .limits(HttpServerLimits::new().shutdown_grace(Duration::from_secs(20)));
    if let Ok(host) = env::var("MCP_HOST") {
        options = options.allow_host(host); // the public host name
    }
    if let Ok(proxy) = env::var("MCP_PROXY") {
        options = options.trust_proxy(proxy); // the network of the reverse proxy
    }
    options
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let logs = EnvFilter::from_default_env(); // RUST_LOG; without it, only errors
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).with_env_filter(logs).init();

    let port = env::args().nth(1).unwrap_or_else(|| "8000".to_owned());
    let address = env::var("MCP_ADDRESS").unwrap_or_else(|_| "127.0.0.1".to_owned());
    let reports = Reports(env::var_os("MCP_REPORTS").unwrap_or_else(|| ".".into()).into());
    let mut server = Server::new("Reports", "1.0.0").tool::<count_reports>().state(reports.clone());
    if let Ok(key) = env::var("MCP_STATE_KEY") {
        // The same key in every process, so that each can continue a call of another one.
        server = server.request_state_options(StateOptions::new().keys(KeyRing::new(Key::parse(&key)?)));
    }

    let health = Router::new()
        .route("/livez", get(|| async { "ok" })) // the process responds
        .route("/readyz", get(ready)) // the dependencies of the server are available
        .with_state(reports);
    let tell = |address| eprintln!("serving at http://{address}/mcp");
    let http = http(format!("{address}:{port}")).options(options()).fallback(health).on_bound(tell);
    server.serve(http).await?; // returns after SIGTERM, when the calls in flight are complete
    Ok(())
}
