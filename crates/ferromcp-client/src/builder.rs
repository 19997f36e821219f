//! How a client is built, and connected in one line.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ferromcp_core::model::{
    CreateMessageParams, CreateMessageResult, ElicitResult, FormParams, Implementation, LogLevel, LogMessageParams,
    Root, UrlParams,
};
use ferromcp_core::{Era, RawJson, RawMap, Revision};

use crate::board::Board;
use crate::cache::CacheOptions;
use crate::client::Client;
use crate::connect::Connector;
use crate::engine::Engine;
use crate::error::ClientError;
use crate::handler::{ClientHandler, Handlers, Handles, IntoAnswer};
use crate::limits::ClientLimits;
use crate::results::Results;
use crate::settings::{Pin, Settings};
use crate::stored::Stored;
use crate::target::{Target, Ways};
use crate::verdict::Verdict;

impl Client {
    /// A client to be: who it says it is. Go on with handlers and limits, or straight to
    /// [`connect`](ClientBuilder::connect).
    #[allow(clippy::new_ret_no_self, reason = "a client is one only once it is connected")]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Implementation::new(name, version))
    }
}

/// A client to be; made by [`Client::new`]. Cheap to clone, for many servers with the same handlers.
#[derive(Clone)]
#[must_use = "a client does nothing before it is connected"]
pub struct ClientBuilder {
    info: Implementation,
    extensions: RawMap,
    limits: ClientLimits,
    pin: Pin,
    verdict: Option<Verdict>,
    log_level: Option<LogLevel>,
    handlers: Handlers,
    checks_output: bool,
    cache: Option<CacheOptions>,
    results: Option<Arc<dyn Results>>,
    pub(crate) ways: Ways,
}

impl ClientBuilder {
    /// A client that says it is `info`.
    pub fn new(info: Implementation) -> Self {
        Self {
            info,
            extensions: RawMap::new(),
            limits: ClientLimits::default(),
            pin: Pin::Any,
            verdict: None,
            log_level: None,
            handlers: Handlers::default(),
            checks_output: true,
            cache: Some(CacheOptions::default()),
            results: None,
            ways: Ways::default(),
        }
    }

    /// Shows the user forms. What the answer leaves out is filled with the form's defaults.
    ///
    /// ```
    /// use ferromcp_client::{Client, accept};
    /// let builder = Client::new("demo", "1.0.0")
    ///     .on_form(|form| async move { accept(&serde_json::json!({ "name": form.message })) });
    /// ```
    pub fn on_form<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(FormParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<ElicitResult>,
    {
        self.handlers.on_form(handler);
        self
    }

    /// Asks the user whether to open URLs. A URL must be shown whole, and never be fetched before.
    pub fn on_url<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(UrlParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<ElicitResult>,
    {
        self.handlers.on_url(handler);
        self
    }

    /// Hears that what happens at a URL is over, by the elicitation's id (2025-11-25). Must not block.
    pub fn on_url_complete(mut self, listener: impl Fn(String) + Send + Sync + 'static) -> Self {
        self.handlers.elicitation_complete = Some(Arc::new(listener));
        self
    }

    /// Runs a model for servers.
    pub fn on_sampling<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(CreateMessageParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<CreateMessageResult>,
    {
        self.handlers.on_sampling(handler, false);
        self
    }

    /// Runs a model that may use tools for servers.
    pub fn on_sampling_with_tools<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(CreateMessageParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<CreateMessageResult>,
    {
        self.handlers.on_sampling(handler, true);
        self
    }

    /// Names the folders servers may look into.
    pub fn on_roots<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<Vec<Root>>,
    {
        self.handlers.on_roots(handler);
        self
    }

    /// Answers whatever `handler` handles.
    pub fn handler(mut self, handler: impl ClientHandler) -> Self {
        self.handlers.install(handler);
        self
    }

    /// Declares questions as answerable for which there is no handler, since calls are driven by hand
    /// ([`Call::manual`](crate::Call::manual)).
    pub fn declare(mut self, handles: Handles) -> Self {
        self.handlers.declared = handles;
        self
    }

    /// Hears logs of `level` and above. The listener is called where messages are read, so it must not block.
    pub fn on_log(mut self, level: LogLevel, listener: impl Fn(LogMessageParams) + Send + Sync + 'static) -> Self {
        self.log_level = Some(level);
        self.handlers.log = Some(Arc::new(listener));
        self
    }

    /// Declares an extension by its id, with its settings: an object.
    pub fn extension(mut self, id: &str, settings: RawJson) -> Self {
        self.extensions.insert(id, settings);
        self
    }

    /// Bounds and times.
    pub fn limits(mut self, limits: ClientLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Speaks revisions of one era alone.
    pub fn only_era(mut self, era: Era) -> Self {
        self.pin = Pin::Era(era);
        self
    }

    /// Speaks one revision alone.
    pub fn only_revision(mut self, revision: Revision) -> Self {
        self.pin = Pin::Revision(revision);
        self
    }

    /// What an earlier negotiation found out, which saves the probe. Stale ones do no harm.
    pub fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(verdict);
        self
    }

    /// Whether structured results are held against the output schemas of their tools, as far as those were listed; yes
    /// unless said otherwise.
    pub fn check_output(mut self, yes: bool) -> Self {
        self.checks_output = yes;
        self
    }

    /// How results are kept that their server says stay fresh; in memory unless said otherwise.
    pub fn cache(mut self, options: CacheOptions) -> Self {
        self.cache = Some(options);
        self
    }

    /// Keeps no results.
    pub fn no_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// A store of results of your own in place of the cache, asked before lists and reads.
    pub fn results(mut self, results: Arc<dyn Results>) -> Self {
        self.results = Some(results);
        self
    }

    /// Connects to a server, finding out what it speaks.
    ///
    /// # Errors
    /// When it cannot be reached, or speaks nothing this client may speak.
    pub async fn connect<M>(self, target: impl Target<M>) -> Result<Client, ClientError> {
        let connector: Arc<dyn Connector> = target.connector_by(&self.ways)?.into();
        let mut settings = Settings::new(self.info);
        settings.extensions = self.extensions;
        settings.limits = self.limits;
        settings.pin = self.pin;
        settings.verdict = self.verdict;
        settings.log_level = self.log_level;
        settings.checks_output = self.checks_output;
        let cached = || {
            let cache = self.cache.as_ref()?.build(connector.name());
            Some(Arc::new(Stored::new(cache, Arc::clone(&connector))) as Arc<dyn Results>)
        };
        let results = self.results.clone().or_else(cached);
        let engine = Arc::new(Engine::new(settings, Board::new(self.handlers, results), connector));
        Box::pin(engine.open()).await?; // negotiation is large, and happens once
        Ok(Client::of(engine))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("name", &self.info.name)
            .field("pin", &self.pin)
            .field("handlers", &self.handlers)
            .finish_non_exhaustive()
    }
}
