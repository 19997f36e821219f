//! One call on its way: what it asks, and how it wants to be handled. Awaiting it sends it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::json::Str;
use ferromcp_core::model::LogLevel;
use ferromcp_core::{ClientRequest, RawJson, ServerResult};
use serde::Serialize;
use tokio::sync::watch;

use crate::board::Progress;
use crate::channel::BoxFuture;
use crate::engine::{Engine, Options};
use crate::era::modern::with_meta;
use crate::error::{ClientError, ErrorKind};
use crate::pending::{Pending, Settled};
use crate::round::{Step, drive, step};

/// How a result becomes what was asked for.
pub(crate) type Read<T> = fn(ServerResult) -> Result<T, ClientError>;

/// A request that is sent when awaited.
///
/// Dropping its future cancels it at the server too. Its options count for this call alone.
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
pub struct Call<T> {
    engine: Arc<Engine>,
    request: Result<ClientRequest, ClientError>,
    /// The next round, where an earlier process did the first.
    retry: Option<ClientRequest>,
    options: Options,
    read: Read<T>,
}

impl<T> Call<T> {
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

    /// How long it may go without an answer or a sign of progress.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.options.timeout = Some(time);
        self
    }

    /// How long it may take in any case, one round of it.
    pub fn time_limit(mut self, time: Duration) -> Self {
        self.options.cap = Some(time);
        self
    }

    /// Hears of progress. Called where messages are read, so it must not block.
    pub fn on_progress(mut self, listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.options.progress = Some(Arc::new(listener));
        self
    }

    /// Watches progress; who looks rarely sees the latest alone.
    pub fn watch_progress(self) -> (Self, watch::Receiver<Option<Progress>>) {
        let (sender, receiver) = watch::channel(None);
        (self.on_progress(move |progress| drop(sender.send_replace(Some(progress)))), receiver)
    }

    /// Says whether the call may be sent again after its connection was lost. Unsaid, everything may that only reads,
    /// and tools that are annotated as read-only or idempotent.
    pub fn repeatable(mut self, yes: bool) -> Self {
        self.options.safe = Some(yes);
        self
    }

    /// Asks the server even if a stored result is still fresh.
    pub fn fresh(mut self) -> Self {
        self.options.fresh = true;
        self
    }

    /// Adds to the request's `_meta`. Keys of the protocol itself are not yours to set.
    pub fn meta<V: Serialize + ?Sized>(self, key: impl Into<Str>, value: &V) -> Self {
        let key = key.into();
        let value = RawJson::new(value)
            .map_err(|error| ClientError::new(ErrorKind::Invalid, format!("`_meta` cannot be sent: {error}")));
        self.change(|request| {
            let value = value?;
            with_meta(request, |meta| meta.other.insert(key, value))
        })
    }

    /// The least severity to log under this call (modern servers; legacy ones have one level for a session).
    pub fn log_level(self, level: LogLevel) -> Self {
        self.change(|request| with_meta(request, |meta| meta.log_level = Some(level)))
    }

    fn change(mut self, change: impl FnOnce(&mut ClientRequest) -> Result<(), ClientError>) -> Self {
        self.request = self.request.and_then(|mut request| change(&mut request).map(|()| request));
        self
    }

    /// Drives it by hand: questions are not answered here but handed out.
    pub fn manual(self) -> Manual<T> {
        Manual(self)
    }

    async fn run(self) -> Result<T, ClientError> {
        let request = self.request?;
        (self.read)(drive(&self.engine, &request, self.retry, &self.options).await?)
    }

    async fn run_once(self) -> Result<Settled<T>, ClientError> {
        let request = self.request?;
        match step(&self.engine, &request, self.retry.as_ref(), &self.options).await? {
            Step::Done(result) => (self.read)(result).map(Settled::Done),
            Step::Asked(asked) => Pending::new(&request, asked).map(Settled::Pending),
        }
    }
}

impl<T: 'static> IntoFuture for Call<T> {
    type Output = Result<T, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.request.as_ref().map_or("(none)", |request| request.method());
        f.debug_struct("Call").field("method", &method).field("options", &self.options).finish_non_exhaustive()
    }
}

/// A call driven by hand: it ends with a result or with open questions. Made by [`Call::manual`].
#[must_use = "a call is sent when it is awaited"]
#[derive(Debug)]
pub struct Manual<T>(Call<T>);

impl<T: 'static> IntoFuture for Manual<T> {
    type Output = Result<Settled<T>, ClientError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.0.run_once())
    }
}

/// Lets a future be checked for `Send` where it is made.
#[allow(dead_code, reason = "looked at by the compiler only")]
fn calls_are_send<T: 'static>(call: Call<T>) -> impl Future<Output = Result<T, ClientError>> + Send {
    call.run()
}
