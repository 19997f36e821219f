//! Builds, starts and replaces the server.

use std::sync::Arc;
use std::time::Instant;

use ferromcp_client::{Client, ClientLimits};
use ferromcp_core::text::excerpt;
use tokio::sync::{mpsc, watch};

use super::Watcher;
use crate::bridge::{Connections, Replacer, all_requests};
use crate::cli::{Connection, Words};
use crate::connect::{CALL_TIMEOUT, Observer, new_builder, open_observed, with_roots};
use crate::exit::{Exit, Failure};
use crate::inspector::Build;
use crate::record::Recorder;
use crate::record::hub::{Hub, Status};
use crate::target::{self, Target};
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
}

impl Supervisor {
    /// Runs until the future is dropped.
    pub(crate) async fn run(mut self) {
        let mut number = 0;
        let mut is_running = false;
        loop {
            number += 1;
            is_running |= self.start(number, is_running).await;
            tokio::select! {
                file = self.watcher.changed() => {
                    let file = file.display().to_string();
                    self.report("info", &format!("changed: {}", excerpt(&file)));
                }
                Some(()) = self.restarts.recv() => self.report("info", "restarting"),
            }
        }
    }

    /// Builds and starts the server, and forwards requests to it. Returns whether that succeeded; otherwise the previous
    /// server continues to run.
    async fn start(&self, number: usize, is_running: bool) -> bool {
        let started = Instant::now();
        self.hub.update(|state| (state.status, state.error) = (Status::Building, None));
        let (target, connected) = match self.launch.build().await {
            Ok(target) => {
                self.hub.update(|state| {
                    state.status = Status::Starting;
                    state.url = target.url().map(str::to_owned);
                });
                let connected = self.connect(&target, number).await;
                (Some(target), connected)
            }
            Err(failure) => (None, Err(failure)),
        };
        // The inspector shows why the first build cannot start, and logs in.
        let is_shown = connected.as_ref().map_or_else(|failure| !is_running || failure.exit == Exit::Login, |_| true);
        let build = target.filter(|_| is_shown).map(|target| Arc::new(Build { number, target }));
        let is_connected = connected.is_ok();
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
                self.report("info", &format!("running `{}`, build {number} ({} ms)", excerpt(&server), time.as_millis()));
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
        is_connected
    }

    async fn connect(&self, target: &Target, number: usize) -> Result<Client, Failure> {
        let timeout = target.connection.timeout.unwrap_or(CALL_TIMEOUT);
        let limits = ClientLimits::new().request_timeout(timeout).request_time_limit(CALL_TIMEOUT.max(timeout));
        let builder = new_builder(&target.connection).limits(limits);
        let builder = with_roots(self.connections.prepare(builder, number, all_requests()), &target.connection)?;
        let hub = Arc::clone(&self.hub);
        let stderr = move |line: &str| hub.log("stderr", Some("host"), "info", None, line.into());
        let observer = Observer { recorder: Some(Recorder::new(&self.hub, "host")), stderr: Some(Arc::new(stderr)) };
        open_observed(target.duplicate(), builder, &observer).await
    }

    /// Reports an event in the terminal and to the page.
    fn report(&self, level: &str, text: &str) {
        terminal::message(terminal::indented(text));
        self.hub.log("dev", None, level, None, text.into());
    }
}
