//! A request with its options. Awaiting it sends the request.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::model::LogLevel;
use ferromcp_core::{ClientRequest, RawJson, ServerResult, Str};
use serde::Serialize;
use tokio::sync::watch;

use crate::channel::BoxFuture;
use crate::engine::{Engine, Options};
use crate::era::modern::with_meta;
use crate::error::{ClientError, ErrorKind};
use crate::mrtr::{Round, named, run_rounds, run_single_round};
use crate::notification_router::Progress;
use crate::pending::{CallOutcome, PendingCall};

/// Converts a result to the type of the call.
pub(crate) type Read<T> = fn(ServerResult) -> Result<T, ClientError>;

/// A request that is sent when awaited.
///
/// # Cancellation
/// Dropping the future cancels the request, and notifies the server.
///
/// ```no_run
/// # use std::time::Duration;
/// # async fn example(client: ferromcp_client::Client) -> Result<(), ferromcp_client::ClientError> {
/// let result = client
///     .call("index", serde_json::json!({ "folder": "docs" }))
///     .timeout(Duration::from_secs(5))
///     .on_progress(|progress| eprintln!("{} of {:?}", progress.progress, progress.total))
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct ClientCall<T> {
    engine: Arc<Engine>,
    request: Result<ClientRequest, ClientError>,
    /// The next round of a call that was resumed.
    retry: Option<ClientRequest>,
    options: Options,
    read: Read<T>,
}

impl<T> ClientCall<T> {
    pub(crate) fn new(engine: Arc<Engine>, request: Result<ClientRequest, ClientError>, read: Read<T>) -> Self {
        Self { engine, request, retry: None, options: Options::default(), read }
    }

    pub(crate) fn resumed(
        engine: Arc<Engine>,
        pair: Result<(ClientRequest, ClientRequest), ClientError>,
        read: Read<T>,
    ) -> Self {
        let (request, retry) = match pair {
            Ok((request, retry)) => (Ok(request), Some(retry)),
            Err(error) => (Err(error), None),
        };
        Self { retry, ..Self::new(engine, request, read) }
    }

    /// Sets the timeout of the call, which restarts on each progress notification and while a handler of the client
    /// answers the server. It covers the whole call: retries, reconnects, and the rounds of `input_required` results.
    /// Default: [`ClientLimits::request_timeout`](crate::ClientLimits::request_timeout).
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = Some(time);
        self
    }

    /// Sets the maximum duration of the whole call, regardless of progress: all its rounds with the answers in between,
    /// retries and reconnects. Default: [`ClientLimits::request_time_limit`](crate::ClientLimits::request_time_limit).
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.options.cap = Some(time);
        self
    }

    /// Called on each progress notification. Runs on the read task, so it must not block.
    pub fn on_progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.options.progress = Some(Arc::new(listener));
        self
    }

    /// Returns a channel with the latest progress notification. Intermediate ones may be skipped.
    pub fn watch_progress(self) -> (Self, watch::Receiver<Option<Progress>>) {
        let (sender, receiver) = watch::channel(None);
        (self.on_progress(move |progress| drop(sender.send_replace(Some(progress)))), receiver)
    }

    /// Sets whether the request may be retried after the connection is lost.
    ///
    /// By default, reads and lists are retried, and calls of tools annotated as read-only or idempotent.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.options.idempotent = Some(idempotent);
        self
    }

    /// Bypasses the cache, even if a cached result is fresh.
    pub fn fresh(mut self) -> Self {
        self.options.fresh = true;
        self
    }

    /// Adds a key to the `_meta` of the request. Do not set keys that the protocol reserves.
    pub fn meta<V: Serialize + ?Sized>(self, key: impl Into<Str>, value: &V) -> Self {
        let key = key.into();
        let value = RawJson::new(value)
            .map_err(|error| ClientError::new(ErrorKind::InvalidRequest, format!("cannot serialize `_meta`: {error}")));
        self.change(|request| {
            let value = value?;
            with_meta(request, |meta| meta.other.insert(key, value))
        })
    }

    /// Sets the minimum level of log messages for this request (2026-07-28; in legacy revisions, the level applies to
    /// the session, see [`Client::set_log_level`](crate::Client::set_log_level)).
    pub fn log_level(self, level: LogLevel) -> Self {
        self.change(|request| with_meta(request, |meta| meta.log_level = Some(level)))
    }

    fn change(mut self, change: impl FnOnce(&mut ClientRequest) -> Result<(), ClientError>) -> Self {
        self.request = self.request.and_then(|mut request| change(&mut request).map(|()| request));
        self
    }

    /// Returns input requests of the server to the caller instead of to the handlers.
    pub fn manual(self) -> ManualCall<T> {
        ManualCall(self)
    }

    async fn run(self) -> Result<T, ClientError> {
        let request = self.request?;
        let completed = run_rounds(&self.engine, &request, self.retry, &self.options).await?;
        (self.read)(completed.result).map_err(|error| named(error, &request))
    }

    async fn run_once(self) -> Result<CallOutcome<T>, ClientError> {
        let request = self.request?;
        match run_single_round(&self.engine, &request, self.retry.as_ref(), &self.options).await? {
            Round::Complete(completed) => {
                let value = (self.read)(completed.result).map_err(|error| named(error, &request))?;
                Ok(CallOutcome::Complete(value))
            }
            Round::InputRequired(required) => PendingCall::new(&request, required).map(CallOutcome::InputRequired),
        }
    }
}

impl<T: 'static> IntoFuture for ClientCall<T> {
    type Output = Result<T, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<T> fmt::Debug for ClientCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.request.as_ref().map_or("(invalid)", |request| request.method());
        f.debug_struct("ClientCall").field("method", &method).field("options", &self.options).finish_non_exhaustive()
    }
}

/// A call whose input requests are returned to the caller. Created by [`ClientCall::manual`].
#[must_use = "a call is sent when it is awaited"]
#[derive(Debug)]
pub struct ManualCall<T>(ClientCall<T>);

impl<T: 'static> IntoFuture for ManualCall<T> {
    type Output = Result<CallOutcome<T>, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.0.run_once())
    }
}

/// Asserts that the future of a call is `Send`.
#[allow(dead_code, reason = "compile-time assertion")]
fn calls_are_send<T: 'static>(call: ClientCall<T>) -> impl Future<Output = Result<T, ClientError>> + Send {
    call.run()
}
