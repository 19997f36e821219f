//! A server: what it is called, what it offers, what it keeps.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ferromcp_core::RawJson;
use ferromcp_core::model::{CacheHint, Icon, Implementation};
use ferromcp_transport::{InProcess, Memory};

use crate::request_state::StateOptions;
use crate::call::{Call, Reply};
use crate::component::{Completion, CompletionDef, Component, Prompt, PromptDef, Resource, ResourceDef, Tool, ToolDef};
use crate::dispatch;
use crate::inner::Inner;
use crate::lifespan::Lifespan;
use crate::limits::Limits;
use crate::middleware::Middleware;
use crate::paging::List;
use crate::registry::{RegisterError, Registry};
use crate::serve::{self, ServeError, ServeOn, Served};
use crate::subscription::Notify;
use crate::tool_error::ToolError;

/// A server, while it is built and while it runs. Cloning is cheap and shares everything.
///
/// It is also a [`tower_service::Service`] of [`Call`]s, so tower layers fit around it.
///
/// ```
/// use ferromcp_server::{Arg, Server, Tool};
///
/// let server = Server::new("Demo", "1.0.0")
///     .instructions("Adds numbers.")
///     .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args([Arg::new("a"), Arg::new("b")]));
/// assert!(server.check().is_ok());
/// ```
#[derive(Clone)]
#[must_use = "a server does nothing until it serves"]
pub struct Server {
    pub(crate) inner: Arc<Inner>,
}

impl Server {
    /// A server of this name and version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { inner: Arc::new(Inner::new(Implementation::new(name, version))) }
    }

    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }

    fn note(mut self, outcome: Result<(), RegisterError>) -> Self {
        if let Err(problem) = outcome {
            self.inner().problems.push(problem.to_string());
        }
        self
    }

    /// The name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.inner().info.title = Some(title.into());
        self
    }

    /// What the server is.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.inner().info.description = Some(description.into());
        self
    }

    /// Where to read about it.
    pub fn website(mut self, url: impl Into<String>) -> Self {
        self.inner().info.website_url = Some(url.into());
        self
    }

    /// Adds a picture.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.inner().info.icons.push(icon);
        self
    }

    /// How to use the server well, for the model; not what its tools say of themselves already.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.inner().instructions = Some(instructions.into());
        self
    }

    /// Adds a tool that `#[tool]` made.
    pub fn tool<T: ToolDef>(self) -> Self {
        self.with_tool(T::tool())
    }

    /// Adds a tool.
    pub fn with_tool(mut self, tool: Tool) -> Self {
        let outcome = self.inner().registry.add_tool(tool);
        self.note(outcome)
    }

    /// Adds a resource or template that `#[resource]` made.
    pub fn resource<T: ResourceDef>(self) -> Self {
        self.with_resource(T::resource())
    }

    /// Adds a resource or template.
    pub fn with_resource(mut self, resource: Resource) -> Self {
        let outcome = self.inner().registry.add_resource(resource);
        self.note(outcome)
    }

    /// Adds a prompt that `#[prompt]` made.
    pub fn prompt<T: PromptDef>(self) -> Self {
        self.with_prompt(T::prompt())
    }

    /// Adds a prompt.
    pub fn with_prompt(mut self, prompt: Prompt) -> Self {
        let outcome = self.inner().registry.add_prompt(prompt);
        self.note(outcome)
    }

    /// Adds a completion that `#[completion]` made.
    pub fn completion<T: CompletionDef>(self) -> Self {
        self.with_completion(T::completion())
    }

    /// Adds a completion.
    pub fn with_completion(mut self, completion: Completion) -> Self {
        let outcome = self.inner().registry.add_completion(completion);
        self.note(outcome)
    }

    /// Adds everything a component brings under a namespace: a tool `add` becomes `namespace_add`,
    /// a URI `notes://x` becomes `notes://namespace/x`. An empty namespace changes no name.
    pub fn mount(self, namespace: &str, component: impl Component) -> Self {
        let parts = Arc::new(component).parts().under(namespace);
        let server = parts.tools.into_iter().fold(self, Self::with_tool);
        let server = parts.resources.into_iter().fold(server, Self::with_resource);
        let server = parts.prompts.into_iter().fold(server, Self::with_prompt);
        parts.completions.into_iter().fold(server, Self::with_completion)
    }

    /// Keeps a value for functions that take [`State<T>`](crate::State), one of each type.
    pub fn state<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        Arc::make_mut(&mut self.inner().states).insert(value);
        self
    }

    /// Opens state before the first request and closes it after the last, once per process however
    /// many transports serve. Functions take it as [`State<S>`](crate::State).
    ///
    /// ```
    /// use ferromcp_server::{Server, ToolError};
    ///
    /// #[derive(Clone)]
    /// struct Db;
    ///
    /// let server = Server::new("demo", "1.0.0").lifespan(
    ///     || async { Ok::<_, ToolError>(Db) },
    ///     |_db: Db| async { eprintln!("closed") },
    /// );
    /// ```
    pub fn lifespan<S, O, OFut, E, C, CFut>(mut self, open: O, close: C) -> Self
    where
        S: Clone + Send + Sync + 'static,
        O: Fn() -> OFut + Send + Sync + 'static,
        OFut: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<ToolError>,
        C: Fn(S) -> CFut + Send + Sync + 'static,
        CFut: Future<Output = ()> + Send + 'static,
    {
        self.inner().lifespans.push(Lifespan::new(open, close));
        self
    }

    /// Puts a middleware around every call; the first one wrapped is the outermost.
    pub fn wrap(mut self, middleware: impl Middleware) -> Self {
        let inner = self.inner();
        inner.middleware = inner.middleware.iter().cloned().chain([Arc::new(middleware) as _]).collect();
        self
    }

    /// Sets the bounds.
    pub fn limits(mut self, limits: Limits) -> Self {
        let inner = self.inner();
        inner.limits = limits;
        inner.registry.set_limits(limits);
        self
    }

    /// How the state of calls that ask their client is kept while it is away: keys for a fleet, times, a store. A key
    /// made at random for this process unless set.
    pub fn request_states(mut self, options: StateOptions) -> Self {
        self.inner().states_of_calls = options;
        self
    }

    /// Whether a value that a model put into a string by mistake (`"5"` for `5`) is read all the
    /// same, after reading it strictly failed. On unless switched off.
    pub fn lenient_arguments(mut self, lenient: bool) -> Self {
        self.inner().lenient = lenient;
        self
    }

    /// How long lists and the discovery result stay fresh, and for whom. Stale at once unless set.
    pub fn list_cache(mut self, hint: CacheHint) -> Self {
        self.inner().caches.fill(hint);
        self
    }

    /// How long one list stays fresh, and for whom, where it differs from the others.
    pub fn cache_of(mut self, list: List, hint: CacheHint) -> Self {
        self.inner().caches[list as usize] = hint;
        self
    }

    /// Whether handlers may log to the client. On unless switched off.
    pub fn logging(mut self, logging: bool) -> Self {
        self.inner().logging = logging;
        self
    }

    /// Advertises an extension, by an id such as `com.example/thing`, with its settings (an object).
    pub fn extension(mut self, id: &str, settings: RawJson) -> Self {
        if !ferromcp_core::meta::is_valid_key(id) || !id.contains('/') || !settings.is_object() {
            let problem = format!("extension `{id}`: an id is `prefix/name`, and its settings are an object");
            return self.note(Err(problem.into()));
        }
        self.inner().extensions.insert(id, settings);
        self
    }

    /// The registry, for adding and taking away while the server runs.
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// What tells the clients of this server that something changed.
    ///
    /// Take it once the server is built: building on from a server that has clones makes another one.
    pub fn notify(&self) -> Notify {
        Notify::new(Arc::clone(&self.inner.hub))
    }

    /// Says what would keep the server from serving.
    ///
    /// # Errors
    /// [`ServeError`] naming every mistake: twin names, templates that do not fit, missing state.
    pub fn check(&self) -> Result<(), ServeError> {
        serve::check(&self.inner)
    }

    /// Serves on a transport until the peer hangs up, or on an address of HTTP; in any case until the process is told
    /// to stop.
    ///
    /// On stdio the first SIGTERM or SIGINT ends serving in good order. Any after that, and any after
    /// serving, ends the process, so that a function that blocks for ever cannot make it deaf.
    ///
    /// # Errors
    /// When [`check`](Self::check) finds mistakes, a lifespan does not open, or the transport breaks.
    pub async fn serve<M>(self, on: impl ServeOn<M>) -> Result<(), ServeError> {
        on.serve(Served(self.inner)).await
    }

    /// Opens the lifespans for calls in this process, as serving a transport does by itself. Each
    /// `open` wants a [`close`](Self::close).
    ///
    /// # Errors
    /// When [`check`](Self::check) finds mistakes or a lifespan does not open.
    pub async fn open(&self) -> Result<(), ServeError> {
        serve::open(&self.inner).await
    }

    /// Closes the lifespans, unless somebody else still serves or has them open.
    pub async fn close(&self) {
        self.inner.running.leave().await;
    }

    /// Answers one call in this process, without any transport. State of lifespans is there between
    /// [`open`](Self::open) and [`close`](Self::close).
    pub async fn call(&self, call: Call) -> Reply {
        dispatch::run(&self.inner, call).await
    }
}

impl tower_service::Service<Call> for Server {
    type Response = Reply;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Reply, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Call) -> Self::Future {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { Ok(dispatch::run(&inner, call).await) })
    }
}

/// So that a client in this process can be connected to a server as it is.
impl InProcess for Server {
    fn serve_peer(&self, far: Memory) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { serve::serve(&inner, far).await.map_err(io::Error::other) })
    }

    fn name(&self) -> String {
        self.inner.info.name.clone()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.inner.info.name)
            .field("version", &self.inner.info.version)
            .field("registry", &self.inner.registry)
            .finish_non_exhaustive()
    }
}
