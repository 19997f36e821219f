//! A server that forwards requests to other servers, of any revision and transport.
//!
//! The engine translates revisions on both sides: [`ferromcp_server`] serves the clients, and [`ferromcp_client`] connects to
//! the servers. The bridge forwards requests, progress, log messages, cancellation, changes and the requests of the servers
//! (elicitation, sampling, roots), called *questions* in this module. A question reaches the client during the call that it
//! belongs to. On 2026-07-28, the call returns `input_required`, and the call of the server continues when the client retries
//! it with the input responses.
//!
//! | module | content |
//! |---|---|
//! | `members` | the servers, and the item names of several servers |
//! | `forward` | forwards one request, with its progress, logs and questions |
//! | `running_call` | a request that a server handles, and its questions |
//! | `in_flight` | finds the call that a question or a log message belongs to |
//! | `suspended` | calls that wait for the client to return with answers |
//! | `lists` | lists of several servers |
//! | `changes` | change notifications and resource subscriptions |
//! | `replace` | replaces the servers of a bridge while clients stay connected, for `mcp dev` |
//! | `handler` | receives the questions of the servers |
//! | `first_message` | the capabilities of the client on stdio |
//! | `bearer` | access by a bearer token |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>.

pub(crate) mod bearer;
mod changes;
pub(crate) mod first_message;
mod forward;
mod handler;
mod in_flight;
mod lists;
mod members;
mod replace;
mod running_call;
mod suspended;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ferromcp_client::{ClientBuilder, HandledRequests};
use ferromcp_core::model::{
    ClientCapabilities, Implementation, ListChanged, LogLevel, ResourcesCapability, ServerCapabilities,
    SubscriptionFilter,
};
use ferromcp_core::{ClientRequest, Era, Error};
use ferromcp_server::middleware::Next;
use ferromcp_server::{Call, ChangeNotifier, Reply, Server};
use tokio::sync::watch;
use tokio::time::timeout;

use changes::Changes;
use handler::QuestionHandler;
use in_flight::InFlight;
use suspended::SuspendedCalls;

pub(crate) use changes::list_filter;
pub(crate) use handler::{all_requests, requests_of};
pub(crate) use members::{Member, Members};
pub(crate) use replace::{DRAIN_TIME, Replacer};

/// The extensions that need no implementation in a bridge, because they only add members to messages.
const TRANSPARENT_EXTENSIONS: [&str; 1] = ["io.modelcontextprotocol/ui"];

/// How long a request waits for the first server to start, which may have to be built.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The servers and the calls in flight.
pub(crate) struct Bridge {
    /// The servers, which can be replaced. Empty until the first one has started.
    members: watch::Sender<Members>,
    in_flight: Arc<InFlight>,
    suspended: Arc<SuspendedCalls>,
    changes: Changes,
    /// The last level that a client with a session has set.
    log_level: Mutex<Option<LogLevel>>,
    /// Whether the servers can be replaced, so that all lists are declared.
    is_replaceable: bool,
}

/// Creates the clients of a bridge.
#[derive(Clone)]
pub(crate) struct Connections {
    in_flight: Arc<InFlight>,
    /// Set when the server of the bridge exists.
    notifier: Arc<OnceLock<ChangeNotifier>>,
}

impl Connections {
    /// Creates the connections of a bridge. `has_one_client` is true on stdio.
    pub(crate) fn new(has_one_client: bool) -> Self {
        Self { in_flight: Arc::new(InFlight::new(has_one_client)), notifier: Arc::default() }
    }

    /// Configures the client of a server to forward questions and log messages. `number` identifies the server.
    pub(crate) fn prepare(&self, builder: ClientBuilder, number: usize, requests: HandledRequests) -> ClientBuilder {
        let (logs, notifier) = (Arc::clone(&self.in_flight), Arc::clone(&self.notifier));
        let handler = QuestionHandler { in_flight: Arc::clone(&self.in_flight), member: number, requests };
        builder
            .handler(handler)
            .validate_output(false)
            .on_log(LogLevel::Info, move |message| logs.log(number, message))
            .on_url_complete(move |id| {
                if let Some(notifier) = notifier.get() {
                    notifier.elicitation_complete(&id);
                }
            })
    }

    /// Creates the server that forwards to `members`.
    pub(crate) fn server(self, members: Members) -> Server {
        let capabilities = capabilities(&members);
        let (server, bridge) = self.create(members, capabilities, false);
        server.wrap(move |call, next| Arc::clone(&bridge).handle(call, next))
    }

    /// Creates a server with these capabilities, and the bridge that handles its requests.
    fn create(self, members: Members, capabilities: ServerCapabilities, is_replaceable: bool) -> (Server, Arc<Bridge>) {
        let Implementation { name, title, version, description, icons, website_url, .. } = members.implementation();
        let mut server = Server::new(name, version).logging(capabilities.logging.is_some());
        server = title.into_iter().fold(server, Server::title);
        server = description.into_iter().fold(server, Server::description);
        server = website_url.into_iter().fold(server, Server::website);
        server = icons.into_iter().fold(server, Server::icon);
        server = members.instructions().into_iter().fold(server, Server::instructions);
        for id in TRANSPARENT_EXTENSIONS {
            if let Some(settings) = capabilities.extensions.get(id).filter(|settings| settings.is_object()) {
                server = server.extension(id, settings.clone());
            }
        }
        let server = server.declare_capabilities(capabilities);
        let changes = Changes::start(&server.notify(), &members);
        let _ = self.notifier.set(server.notify()); // set once, because this consumes `self`
        let suspended = Arc::new(SuspendedCalls::default());
        let members = watch::Sender::new(members);
        let log_level = Mutex::default();
        let bridge = Bridge { members, in_flight: self.in_flight, suspended, changes, log_level, is_replaceable };
        (server, Arc::new(bridge))
    }
}

impl Bridge {
    /// Returns the current servers. Waits for the first one to start.
    ///
    /// # Errors
    /// Fails if none has started in time.
    async fn members(&self) -> Result<Members, Error> {
        let mut members = self.members.subscribe();
        let started = timeout(START_TIMEOUT, members.wait_for(|members| members.iter().next().is_some()));
        match started.await {
            Ok(Ok(members)) => Ok(members.clone()),
            _ => Err(Error::internal(
                "cannot forward the request: the server has not started; see the output of the bridge",
            )),
        }
    }

    async fn handle(self: Arc<Self>, mut call: Call, next: Next) -> Reply {
        if !matches!(call.request, ClientRequest::Initialize(_)) {
            self.in_flight.record_session(&call);
        }
        match &mut call.request {
            ClientRequest::CallTool(_)
            | ClientRequest::GetPrompt(_)
            | ClientRequest::ReadResource(_)
            | ClientRequest::Complete(_)
            | ClientRequest::Custom(_) => self.forward(call).await,
            ClientRequest::ListTools(_)
            | ClientRequest::ListPrompts(_)
            | ClientRequest::ListResources(_)
            | ClientRequest::ListResourceTemplates(_) => self.list(call).await,
            ClientRequest::SetLevel(params) => {
                let level = params.level;
                *self.log_level.lock().unwrap_or_else(PoisonError::into_inner) = Some(level);
                let members = self.members.borrow().clone();
                set_log_level(&members, level).await;
                next.run(call).await
            }
            ClientRequest::Subscribe(params) => {
                let uri = params.uri.to_string();
                if let Err(error) = self.watch(&uri).await {
                    return Reply::Failed(error);
                }
                let _interest = self.changes.interest(vec![uri]);
                next.run(call).await
            }
            ClientRequest::Unsubscribe(params) => {
                let uri = params.uri.to_string();
                let _interest = self.changes.interest(vec![uri]);
                next.run(call).await
            }
            ClientRequest::Listen(params) => {
                let _interest = self.listen(&mut params.notifications).await;
                next.run(call).await
            }
            _ => next.run(call).await,
        }
    }

    /// Subscribes to a resource of the server that has it.
    async fn watch(&self, uri: &str) -> Result<(), Error> {
        loop {
            let members = self.members().await?;
            self.changes.watch(&members.of_resource(uri).await?.client, uri).await?;
            if members.is_same(&self.members.borrow()) {
                return Ok(());
            }
            // Another server has replaced this one in the meantime.
            self.changes.forget(uri);
        }
    }

    /// Subscribes to the resources of a filter. Those that cannot be subscribed to are removed.
    async fn listen(&self, filter: &mut SubscriptionFilter) -> changes::Interest<'_> {
        let mut watched = Vec::new();
        for uri in filter.resource_subscriptions.take().unwrap_or_default() {
            match self.watch(&uri).await {
                Ok(()) => watched.push(uri),
                Err(error) => tracing::warn!(%error, "cannot subscribe to a resource"),
            }
        }
        filter.resource_subscriptions = Some(watched.clone()).filter(|uris| !uris.is_empty());
        self.changes.interest(watched)
    }
}

/// Sets the log level of servers with sessions. On 2026-07-28, each request has a level.
async fn set_log_level(members: &Members, level: LogLevel) {
    for member in members.iter() {
        let client = &member.client;
        if client.revision().era() == Era::Legacy
            && client.capabilities().logging.is_some()
            && let Err(error) = client.set_log_level(level).await
        {
            tracing::warn!(%error, "cannot set the log level of a server");
        }
    }
}

/// Declares the extensions of a client that need no implementation.
pub(crate) fn declare_extensions(builder: ClientBuilder, capabilities: &ClientCapabilities) -> ClientBuilder {
    TRANSPARENT_EXTENSIONS.iter().fold(builder, |builder, id| match capabilities.extensions.get(id) {
        Some(settings) if settings.is_object() => builder.extension(id, settings.clone()),
        _ => builder,
    })
}

/// Returns the capabilities of a bridge: those of all its servers.
fn capabilities(members: &Members) -> ServerCapabilities {
    let mut all = ServerCapabilities::default();
    let merge_list = |all: &mut Option<ListChanged>, list: Option<ListChanged>| {
        let Some(list) = list else { return };
        let merged = all.get_or_insert_default();
        merged.list_changed = merged.list_changed.or(list.list_changed.filter(|changes| *changes));
    };
    for member in members.iter() {
        let capabilities = member.client.capabilities();
        merge_list(&mut all.tools, capabilities.tools);
        merge_list(&mut all.prompts, capabilities.prompts);
        if let Some(resources) = capabilities.resources {
            let merged: &mut ResourcesCapability = all.resources.get_or_insert_default();
            merged.subscribe = merged.subscribe.or(resources.subscribe.filter(|subscribe| *subscribe));
            merged.list_changed = merged.list_changed.or(resources.list_changed.filter(|changes| *changes));
        }
        all.completions = all.completions.or(capabilities.completions);
        all.logging = all.logging.or(capabilities.logging);
        for (id, settings) in capabilities.extensions.iter() {
            if all.extensions.get(id).is_none() {
                all.extensions.insert(id, settings.clone());
            }
        }
    }
    all
}
