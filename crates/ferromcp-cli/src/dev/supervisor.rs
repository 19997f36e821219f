//! Builds, starts and replaces the server.

use std::sync::Arc;
use std::time::Instant;

use ferromcp_client::{Client, ClientLimits};
use ferromcp_core::text::excerpt;
use tokio::sync::{mpsc, watch};
use url::Url;

use super::Watcher;
use super::http_process::HttpProcess;
use crate::bridge::{Connections, Replacer, all_requests};
use crate::cli::{Connection, Words};
use crate::connect::{CALL_TIMEOUT, Observer, new_builder, open_observed, with_roots};
use crate::exit::{Exit, Failure};
use crate::inspector::Build;
use crate::record::Recorder;
use crate::record::hub::{Hub, Status};
use crate::target::{self, Kind, Target};
use crate::terminal;

/// The server to start.
pub(crate) struct Launch {
    pub(crate) words: Words,
    pub(crate) connection: Connection,
}

impl Launch {
    /// Builds the target.
    ///
    /// # Errors
    /// Fails if the target does not exist or cannot be built.
    async fn build(self: &Arc<Self>) -> Result<Target, Failure> {
        let launch = Arc::clone(self);
        let building = tokio::task::spawn_blocking(move || {
            let (source, _) = target::split(&launch.words)?;
            target::resolve(source, &launch.connection)
        });
        building.await.map_err(|error| Failure::usage(format!("cannot build the target: {error}")))?
    }
}

/// Builds and starts the server again when its sources change.
pub(crate) struct Supervisor {
    pub(crate) launch: Arc<Launch>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) connections: Connections,
    pub(crate) replacer: Replacer,
    /// The build that the inspector connects to.
    pub(crate) builds: watch::Sender<Option<Arc<Build>>>,
    pub(crate) watcher: Watcher,
    /// Requests of the page to build again.
    pub(crate) restarts: mpsc::Receiver<()>,
    /// The URL at which the started server listens, instead of stdin and stdout.
    pub(crate) url: Option<Url>,
}

impl Supervisor {
    /// Runs until the future is dropped.
    pub(crate) async fn run(mut self) {
        let mut number = 0;
        let mut process = None;
        loop {
            number += 1;
            self.start(number, &mut process).await;
            tokio::select! {
                file = self.watcher.changed() => {
                    let file = file.display().to_string();
                    self.report("info", &format!("changed: {}", excerpt(&file)));
                }
                Some(()) = self.restarts.recv() => self.report("info", "restarting"),
            }
        }
    }

    /// Builds and starts the server, and forwards requests to it. If that fails, the previous server continues to run, unless
    /// it was stopped because both use the same URL.
    async fn start(&self, number: usize, process: &mut Option<HttpProcess>) {
        let started = Instant::now();
        self.hub.update(|state| (state.status, state.error) = (Status::Building, None));
        let (target, connected) = match self.build(process).await {
            Ok(target) => {
                self.hub.update(|state| state.url = target.url().map(str::to_owned));
                let connected = self.connect(&target, number).await;
                (Some(target), connected)
            }
            Err(failure) => (None, Err(failure)),
        };
        // The inspector shows why the first build cannot start, and logs in.
        let is_running = self.replacer.has_server();
        let is_shown = connected.as_ref().map_or_else(|failure| !is_running || failure.exit == Exit::Login, |_| true);
        let build = target.filter(|_| is_shown).map(|target| Arc::new(Build { number, target }));
        match connected {
            Ok(client) => {
                let server = client.server_info().map(|info| info.name).unwrap_or_default();
                self.replacer.replace(number, client).await;
                let time = started.elapsed();
                self.hub.update(|state| {
                    state.status = Status::Running;
                    state.generation = number;
                    state.build_ms = u64::try_from(time.as_millis()).ok();
                });
                self.report(
                    "info",
                    &format!("running `{}`, build {number} ({} ms)", excerpt(&server), time.as_millis()),
                );
            }
            Err(failure) => {
                let text = failure.to_string();
                self.hub.update(|state| (state.status, state.error) = (Status::Failed, Some(text.clone())));
                let rest = if is_running { "; the previous build still runs" } else { "" };
                self.report("error", &format!("cannot start build {number}{rest}: {text}"));
            }
        }
        if build.is_some() {
            self.builds.send_replace(build);
        }
    }

    /// Builds the target. With a URL, the previous server is stopped, and the next one is started.
    async fn build(&self, process: &mut Option<HttpProcess>) -> Result<Target, Failure> {
        let target = self.launch.build().await?;
        self.hub.update(|state| state.status = Status::Starting);
        let Some(url) = &self.url else { return Ok(target) };
        self.replacer.suspend().await;
        if let Some(previous) = process.take() {
            previous.stop().await;
        }
        // The variables are those of the process.
        let connection = Connection { env: Vec::new(), ..target.connection.clone() };
        let target_of_process =
            Target { connection: Connection { headers: Vec::new(), ..target.connection }, ..target };
        *process = Some(HttpProcess::start(target_of_process, url, &self.observer()).await?);
        Ok(Target { kind: Kind::Url(url.to_string()), connection })
    }

    async fn connect(&self, target: &Target, number: usize) -> Result<Client, Failure> {
        let timeout = target.connection.timeout.unwrap_or(CALL_TIMEOUT);
        let limits = ClientLimits::new().request_timeout(timeout).request_time_limit(CALL_TIMEOUT.max(timeout));
        let builder = new_builder(&target.connection).limits(limits);
        let builder = with_roots(self.connections.prepare(builder, number, all_requests()), &target.connection)?;
        open_observed(target.duplicate(), builder, &self.observer()).await
    }

    /// Returns the observer of the connection for hosts.
    fn observer(&self) -> Observer {
        let hub = Arc::clone(&self.hub);
        let stderr = move |line: &str| hub.log("stderr", Some("host"), "info", None, line.into());
        Observer { recorder: Some(Recorder::new(&self.hub, "host")), stderr: Some(Arc::new(stderr)) }
    }

    /// Reports an event in the terminal and to the page.
    fn report(&self, level: &str, text: &str) {
        terminal::message(terminal::indented(text));
        self.hub.log("dev", None, level, None, text.into());
    }
}
