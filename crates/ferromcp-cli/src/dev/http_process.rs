//! A server over HTTP that `mcp dev` starts.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use ferromcp_client::config::TransportConfig;
use ferromcp_core::text::excerpt;
use ferromcp_transport::child::{ChildHandle, ChildPipe};
use ferromcp_transport::{Frame, FrameRx, Transport};
use tokio::net::TcpStream;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};
use url::Url;

use crate::connect::{Observer, process};
use crate::exit::{Exit, Failure};
use crate::target::{Kind, Target};

/// How long a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Interval of attempts to connect.
const INTERVAL: Duration = Duration::from_millis(20);

/// A running server. Dropping it stops the process.
pub(super) struct HttpProcess {
    handle: ChildHandle,
    /// The task that reads stdout, which owns the pipes of the process.
    output: AbortHandle,
}

impl Drop for HttpProcess {
    fn drop(&mut self) {
        // The process is stopped when its pipes are closed.
        self.output.abort();
    }
}

impl HttpProcess {
    /// Starts the command of a target, and waits until it listens at `url`.
    ///
    /// # Errors
    /// Fails if the target is not a command, the process cannot be started, or it exits or does not listen in time.
    pub(super) async fn start(target: Target, url: &Url, observer: &Observer) -> Result<Self, Failure> {
        let Target { kind, connection } = target;
        let (command, name) = match kind {
            Kind::Command(command) => (command, None),
            Kind::Config(config) => match config.transport() {
                TransportConfig::Stdio(stdio) => (stdio.command(), Some(config.name().to_owned())),
                _ => return Err(not_started()),
            },
            Kind::Url(_) => return Err(not_started()),
        };
        let addresses = addresses(url).await;
        if TcpStream::connect(addresses.as_slice()).await.is_ok() {
            let shown = excerpt(url.as_str()).to_string();
            let text =
                format!("cannot start the server: another program listens at {shown}; stop it, or change `--url`");
            return Err(Failure::new(Exit::Connect, text));
        }
        let child = process(command, name.as_deref(), &connection, observer)?;
        let (pipe, handle) = child
            .grace(Duration::from_millis(10)) // a server over HTTP does not read stdin
            .spawn()
            .map_err(|error| Failure::new(Exit::Connect, format!("cannot start the server: {error}")))?;
        let process = Self { handle, output: print_output(pipe, observer) };
        match process.wait_for(url, &addresses).await {
            Ok(()) => Ok(process),
            Err(failure) => {
                process.stop().await;
                Err(failure)
            }
        }
    }

    /// Waits until the server accepts connections.
    async fn wait_for(&self, url: &Url, addresses: &[SocketAddr]) -> Result<(), Failure> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if TcpStream::connect(addresses).await.is_ok() {
                return Ok(());
            }
            tokio::select! {
                exit = self.handle.exited() => {
                    let text = format!("cannot start the server: {exit}");
                    return Err(Failure::new(Exit::Connect, text));
                }
                () = sleep(INTERVAL) => {}
            }
            if Instant::now() >= deadline {
                let (shown, seconds) = (excerpt(url.as_str()).to_string(), START_TIMEOUT.as_secs());
                let text = format!("the server does not listen at {shown} after {seconds} s; correct `--url`");
                return Err(Failure::new(Exit::Timeout, text));
            }
        }
    }

    /// Stops the server, and waits until it has exited.
    pub(super) async fn stop(self) {
        self.handle.shutdown().await;
    }
}

/// Returns the addresses of the host of a URL.
async fn addresses(url: &Url) -> Vec<SocketAddr> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let resolve = move || (host.as_str(), port).to_socket_addrs().map(Vec::from_iter).unwrap_or_default();
    tokio::task::spawn_blocking(resolve).await.unwrap_or_default()
}

fn not_started() -> Failure {
    Failure::usage("cannot apply `--url`: the target is a URL already; remove the option")
}

/// Reports the lines of stdout like those of stderr.
fn print_output(pipe: ChildPipe, observer: &Observer) -> AbortHandle {
    let observe = observer.stderr.clone();
    let task = tokio::spawn(async move {
        // The write half is kept, because stdin is closed only when the server stops.
        let Ok((mut lines, _stdin)) = pipe.split() else { return };
        while let Ok(Some(frame)) = lines.recv().await {
            if let (Frame::Complete(line), Some(observe)) = (frame, &observe) {
                observe(&String::from_utf8_lossy(&line));
            }
        }
    });
    task.abort_handle()
}
