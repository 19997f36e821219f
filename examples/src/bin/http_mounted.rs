//! A server mounted in an axum router with other routes. State is opened before the first request and closed after
//! the last.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use ferromcp::prelude::*;
use ferromcp::server::State;
use ferromcp::server::http::HttpServerOptions;
use tokio::net::TcpListener;

/// The names in the guest book.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<String>>>);

impl Book {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<String>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sign the guest book and return the number of names
#[tool]
fn sign(#[arg(length(1..=80))] name: String, State(book): State<Book>) -> usize {
    book.with(|names| {
        names.push(name);
        names.len()
    })
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8000".to_owned());
    let open = || async { Ok::<_, ToolError>(Book::default()) };
    let close = |book: Book| async move { eprintln!("closed with {} names", book.with(|names| names.len())) };
    let server = Server::new("Guests", "1.0.0").tool::<sign>().lifespan(open, close);

    let service = server.http_with(HttpServerOptions::new())?;
    service.open().await?; // reports lifespan errors at start instead of at the first request
    let router = Router::new().route("/health", get(|| async { "well" })).nest_service("/mcp", service.clone());

    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("serving at http://{}/mcp", listener.local_addr()?);
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true); // sends small responses without delay
    });
    let stop = async move {
        let _ = tokio::signal::ctrl_c().await;
        service.shutdown().await; // closes open streams, which would otherwise keep the router running
    };
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    Ok(())
}
