//! `mcp dev`: runs a server with hot reload, a web inspector, and an endpoint for hosts.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ferromcp_core::text::excerpt;
use ferromcp_server::Server;
use ferromcp_server::http::HttpServerOptions;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::bridge::Connections;
use crate::cli::Dev;
use crate::connect::{roots, until_interrupted, until_terminated};
use crate::dev::{Launch, Sources, Supervisor, Watcher};
use crate::exit::{Exit, Failure};
use crate::inspector::http::{ENDPOINT_PATH, Service};
use crate::inspector::{Inspector, Token};
use crate::logs::start_logs;
use crate::record::hub::{Hub, ServerState, Status};
use crate::target::{self, Source};
use crate::terminal;

/// Maximum number of open connections of pages and hosts.
const MAX_CONNECTIONS: usize = 512;

/// Runs until interrupted.
pub(crate) async fn run(mut args: Dev) -> Result<(), Failure> {
    start_logs(args.connection.verbose);
    // stderr of the server is part of the output of this command.
    args.connection.verbose = args.connection.verbose.max(1);
    let (source, extra) = target::split(&args.words)?;
    target::reject_extra(extra)?;
    let sources = Sources::of(source, &args.watch)?;
    let watcher = Watcher::new(&sources)?;
    let listener = listen(args.port).await?;
    let address = listener.local_addr()?;
    let state = state(source, address, &sources);
    let hub = Arc::new(Hub::new(state, roots(&args.connection)?));
    let token = Token::random().map_err(|error| Failure::usage(format!("cannot create a token: {error}")))?;

    let connections = Connections::new(false);
    let (server, replacer) = connections.clone().replaceable();
    let (builds, latest) = watch::channel(None);
    let (restart, restarts) = mpsc::channel(1);
    let inspector = Inspector::new(&hub, latest, restart);
    let endpoint = server.http_with(HttpServerOptions::new())?;
    let page = format!("http://127.0.0.1:{}/#token={}", address.port(), token.reveal());
    let service = Service::new(inspector.clone(), endpoint.clone(), token, address);
    show_addresses(&page, address, &sources);
    if !args.no_open && terminal::is_interactive() {
        open_browser(page);
    }

    let (connection, stdio, url) = (args.connection.clone(), args.stdio, args.url);
    let launch = Arc::new(Launch { words: args.words, connection });
    let supervisor =
        Supervisor { launch, hub, connections, replacer: replacer.clone(), builds, watcher, restarts, url };
    let result = Box::pin(until_terminated(async {
        tokio::select! {
            () = supervisor.run() => Ok(()),
            () = accept(listener, service) => Ok(()),
            result = serve_stdio(server), if stdio => result,
        }
    }));
    let result = result.await;
    let closing = async {
        let clients = async {
            endpoint.shutdown().await;
            replacer.close().await;
        };
        tokio::join!(inspector.close(), clients);
        Ok(())
    };
    // A second Ctrl-C does not wait for the server.
    let _ = until_interrupted(closing).await;
    result
}

async fn listen(port: u16) -> Result<TcpListener, Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.map_err(|error| {
        let text = format!("cannot listen on {address}: {error}; change `--port`; port 0 selects a free one");
        Failure::new(Exit::Connect, text)
    })
}

/// Returns the state before the first build.
fn state(source: Source<'_>, address: SocketAddr, sources: &Sources) -> ServerState {
    let call = ["mcp", "call"].map(str::to_owned);
    let (command, command_after, target) = match source {
        Source::Word(word) => (call.into_iter().chain([word.to_owned()]).collect(), Vec::new(), word.to_owned()),
        Source::Command(words) => {
            let after = std::iter::once("--".to_owned()).chain(words.iter().cloned()).collect();
            (call.to_vec(), after, words.join(" "))
        }
    };
    ServerState {
        status: Status::Building,
        generation: 0,
        error: None,
        target,
        endpoint: format!("http://{address}{ENDPOINT_PATH}"),
        command,
        command_after,
        url: None,
        watching: sources.paths().map(std::path::Path::to_owned).collect(),
        build_ms: None,
        version: env!("CARGO_PKG_VERSION"),
    }
}

fn show_addresses(page: &str, address: SocketAddr, sources: &Sources) {
    terminal::message(format_args!("inspector: {page}"));
    terminal::message(format_args!("endpoint:  http://{address}{ENDPOINT_PATH} (for hosts)"));
    for path in sources.paths() {
        let path = path.display().to_string();
        terminal::message(format_args!("watching:  {}", excerpt(&path)));
    }
    terminal::message("Ctrl-C exits");
}

/// Opens the page in a thread, because a browser in the terminal returns only when it exits.
fn open_browser(page: String) {
    tokio::task::spawn_blocking(move || {
        if webbrowser::open(&page).is_err() {
            terminal::message("cannot open a browser; open the URL of the inspector yourself");
        }
    });
}

/// Serves a host that has started this command.
async fn serve_stdio(server: Server) -> Result<(), Failure> {
    server.serve(ferromcp_transport::stdio()).await.map_err(Failure::from)
}

/// Accepts connections of pages and hosts.
async fn accept(listener: TcpListener, service: Service) {
    let permits = Arc::new(tokio::sync::Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let service = service.clone();
        tokio::spawn(async move {
            let respond = hyper::service::service_fn(move |request| service.clone().respond(request));
            let mut http = hyper::server::conn::http1::Builder::new();
            let connection = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), respond);
            // A connection that ends early needs no report.
            let _ = connection.await;
            drop(permit);
        });
    }
}
