//! An MCP server over Streamable HTTP, for a container or a system service.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `MCP_ADDRESS` | the address and port of the listener | `127.0.0.1:8000` |
//! | `MCP_HOST` | the public host name; other hosts are rejected | local names only |
//! | `RUST_LOG` | the log filter | errors |

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use ferromcp::prelude::*;
use ferromcp::server::http::{HttpServerLimits, HttpServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tracing_subscriber::EnvFilter;

/// How long calls in flight may run after SIGTERM. The supervisor must wait longer.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(20);

/// How long the health check waits.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Add two numbers
#[tool(annotations(read_only, open_world = false))]
async fn add(
    /// The first number
    a: i64,
    /// The second number
    b: i64,
) -> Result<i64, ToolError> {
    a.checked_add(b)
        .ok_or_else(|| ToolError::new("the sum is too large"))
}

fn server() -> Server {
    Server::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")).tool::<add>()
}

/// Returns the options of the endpoint.
fn options() -> HttpServerOptions {
    let limits = HttpServerLimits::new().shutdown_grace(SHUTDOWN_GRACE);
    let options = HttpServerOptions::new().limits(limits);
    match env::var("MCP_HOST") {
        Ok(host) => options.allow_host(host),
        Err(_) => options,
    }
}

/// Asks a running server whether it responds. Containers without a shell use it as their health check.
async fn check_health(address: &str) -> Result<(), Box<dyn Error>> {
    let port = address.rsplit(':').next().unwrap_or(address);
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).await?;
    stream
        .write_all(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut status = [0; 12]; // "HTTP/1.0 200"
    stream.read_exact(&mut status).await?;
    if status.ends_with(b" 200") {
        Ok(())
    } else {
        Err("the server is not healthy".into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let logs = EnvFilter::from_default_env();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(logs)
        .init();

    let address = env::var("MCP_ADDRESS").unwrap_or_else(|_| "127.0.0.1:8000".to_owned());
    if env::args()
        .nth(1)
        .is_some_and(|arg| arg == "--check-health")
    {
        return tokio::time::timeout(HEALTH_TIMEOUT, check_health(&address)).await?;
    }

    let health = Router::new().route("/livez", get(|| async { "ok" }));
    let on_bound = |address| eprintln!("serving at http://{address}/mcp");
    let http = http(address)
        .options(options())
        .fallback(health)
        .on_bound(on_bound);
    server().serve(http).await?; // returns after SIGTERM, when the calls in flight are complete
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::mpsc;

    use serde_json::json;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn returns_sum_when_called_over_http() -> Result<(), Box<dyn Error>> {
        let (sender, receiver) = mpsc::channel::<SocketAddr>();
        let on_bound = move |address| {
            let _ = sender.send(address);
        };
        tokio::spawn(server().serve(http("127.0.0.1:0").options(options()).on_bound(on_bound)));
        let address = receiver.recv_timeout(Duration::from_secs(10))?;

        let url = format!("http://{address}/mcp");
        let client = Client::builder("tests", "1.0.0")
            .connect(url.as_str())
            .await?;
        let sum: i64 = client.call_as("add", json!({ "a": 2, "b": 3 })).await?;
        assert_eq!(sum, 5);
        client.close().await;
        Ok(())
    }
}
