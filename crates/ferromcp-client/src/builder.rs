//! Builder of a client.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ferromcp_core::model::{
    CreateMessageParams, CreateMessageResult, ElicitResult, FormParams, Implementation, LogLevel, LogMessageParams,
    Root, UrlParams,
};
use ferromcp_core::{Era, RawJson, RawMap, Revision};

use crate::cache::CacheOptions;
use crate::client::Client;
use crate::connect::Connector;
use crate::engine::Engine;
use crate::error::ClientError;
use crate::handler::{ClientHandler, HandledRequests, Handlers, IntoAnswer};
use crate::limits::ClientLimits;
use crate::negotiated::Negotiated;
use crate::notification_router::NotificationRouter;
use crate::settings::{Settings, VersionPolicy};
use crate::target::{ConnectOptions, Target};

impl Client {
    /// Starts building a client with this name and version.
    ///
    /// Add handlers and limits, or call [`connect`](ClientBuilder::connect) right away.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(Implementation::new(name, version))
    }
}

/// Builder of a [`Client`], created by [`Client::builder`]. Cheap to clone, to connect to several servers with the same
/// handlers.
#[derive(Clone)]
#[must_use = "a builder does nothing until `connect` is called"]
pub struct ClientBuilder {
    info: Implementation,
    extensions: RawMap,
    limits: ClientLimits,
    version_policy: VersionPolicy,
    negotiated: Option<Negotiated>,
    log_level: Option<LogLevel>,
    handlers: Handlers,
    validate_output: bool,
    cache: Option<CacheOptions>,
    pub(crate) connect_options: ConnectOptions,
}

impl ClientBuilder {
    /// Starts building a client with this [`Implementation`].
    pub fn new(info: Implementation) -> Self {
        Self {
            info,
            extensions: RawMap::new(),
            limits: ClientLimits::default(),
            version_policy: VersionPolicy::Any,
            negotiated: None,
            log_level: None,
            handlers: Handlers::default(),
            validate_output: true,
            cache: Some(CacheOptions::default()),
            connect_options: ConnectOptions::default(),
        }
    }

    /// Handles form elicitation. Fields missing from the response are filled with the defaults of the form.
    ///
    /// ```
    /// use ferromcp_client::{Client, accept};
    /// let builder = Client::builder("demo", "1.0.0")
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

    /// Handles URL elicitation: asks the user for consent to open a URL.
    ///
    /// Show the URL in full, and do not fetch it beforehand.
    pub fn on_url<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(UrlParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<ElicitResult>,
    {
        self.handlers.on_url(handler);
        self
    }

    /// Called with the elicitation id when a URL elicitation is complete (2025-11-25). Must not block.
    pub fn on_url_complete(mut self, listener: impl Fn(String) + Send + Sync + 'static) -> Self {
        self.handlers.elicitation_complete = Some(Arc::new(listener));
        self
    }

    /// Handles sampling requests: runs a model.
    pub fn on_sampling<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(CreateMessageParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<CreateMessageResult>,
    {
        self.handlers.on_sampling(handler, false);
        self
    }

    /// Handles sampling requests, including those with tools (declares `sampling.tools`).
    pub fn on_sampling_with_tools<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn(CreateMessageParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<CreateMessageResult>,
    {
        self.handlers.on_sampling(handler, true);
        self
    }

    /// Handles requests for roots: returns the folders that servers may access.
    pub fn on_roots<F, Fut>(mut self, handler: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<Vec<Root>>,
    {
        self.handlers.on_roots(handler);
        self
    }

    /// Installs a [`ClientHandler`] for the requests it handles.
    pub fn handler(mut self, handler: impl ClientHandler) -> Self {
        self.handlers.install(handler);
        self
    }

    /// Declares capabilities without a handler, for calls whose input requests are returned to the caller
    /// ([`ClientCall::manual`](crate::ClientCall::manual)).
    pub fn declare_capabilities(mut self, requests: HandledRequests) -> Self {
        self.handlers.declared = requests;
        self
    }

    /// Called with each log message of `level` and above. Runs on the read task, so it must not block.
    pub fn on_log(mut self, level: LogLevel, listener: impl Fn(LogMessageParams) + Send + Sync + 'static) -> Self {
        self.log_level = Some(level);
        self.handlers.log = Some(Arc::new(listener));
        self
    }

    /// Declares an extension by its id, with its settings, a JSON object. The extensions of the credentials are declared
    /// without it.
    pub fn extension(mut self, id: &str, settings: RawJson) -> Self {
        self.extensions.insert(id, settings);
        self
    }

    /// Sets limits and timeouts.
    pub fn limits(mut self, limits: ClientLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Restricts negotiation to the revisions of one era.
    pub fn only_era(mut self, era: Era) -> Self {
        self.version_policy = VersionPolicy::Era(era);
        self
    }

    /// Restricts negotiation to one revision.
    pub fn only_revision(mut self, revision: Revision) -> Self {
        self.version_policy = VersionPolicy::Revision(revision);
        self
    }

    /// Sets the outcome of an earlier negotiation, to skip the probe. An outdated value is detected and ignored.
    pub fn negotiated(mut self, negotiated: Negotiated) -> Self {
        self.negotiated = Some(negotiated);
        self
    }

    /// Sets whether structured output is validated against the output schema of its tool, if the tool was listed.
    /// Default: `true`.
    pub fn validate_output(mut self, enabled: bool) -> Self {
        self.validate_output = enabled;
        self
    }

    /// Configures the cache of results with a `ttlMs`. Default: in memory. [`CacheOptions::store`] replaces the storage.
    pub fn cache(mut self, options: CacheOptions) -> Self {
        self.cache = Some(options);
        self
    }

    /// Disables the cache.
    pub fn no_cache(mut self) -> Self {
        self.cache = None;
        self
    }

    /// Connects to a server and negotiates the revision.
    ///
    /// # Errors
    /// When the server cannot be started or reached, or supports no revision that this client may use.
    pub async fn connect<M>(self, target: impl Target<M>) -> Result<Client, ClientError> {
        let engine = self.into_engine(target)?;
        Box::pin(engine.open()).await?; // boxed, because the future is large
        Ok(Client::from_engine(engine))
    }

    /// Creates a client that connects when it is used for the first time, or by [`Client::reconnect`].
    ///
    /// Until the server has answered for the first time, each call makes one attempt to connect. Calls shortly after a
    /// failed attempt fail with its error.
    ///
    /// # Errors
    /// When the target is invalid.
    pub fn connect_lazy<M>(self, target: impl Target<M>) -> Result<Client, ClientError> {
        Ok(Client::from_engine(self.into_engine(target)?))
    }

    fn into_engine<M>(self, target: impl Target<M>) -> Result<Arc<Engine>, ClientError> {
        let connector: Arc<dyn Connector> = target.connector_with(&self.connect_options)?.into();
        let mut settings = Settings::new(self.info);
        settings.extensions = self.connect_options.http.extensions();
        for (id, own) in self.extensions.iter() {
            settings.extensions.insert(id, own.clone());
        }
        settings.limits = self.limits;
        settings.version_policy = self.version_policy;
        settings.negotiated = self.negotiated;
        settings.log_level = self.log_level;
        settings.validate_output = self.validate_output;
        let cache = self.cache.map(|options| options.build(connector.name()));
        Ok(Engine::new(settings, NotificationRouter::new(self.handlers, cache), connector))
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("name", &self.info.name)
            .field("version_policy", &self.version_policy)
            .field("handlers", &self.handlers)
            .finish_non_exhaustive()
    }
}
