//! [`Inner`]: the data shared by all clones of a server.

use std::sync::{Arc, OnceLock};

use ferromcp_core::model::{CacheHint, Implementation, ListChanged, ResourcesCapability, ServerCapabilities};
use ferromcp_core::{RawJson, RawMap};

use crate::call::OuterServer;
use crate::lifespan::{Lifespan, Lifespans};
use crate::limits::ServerLimits;
use crate::middleware::Middleware;
use crate::registry::{Registry, Tables};
use crate::request_state::StateOptions;
use crate::state::States;
use crate::subscription::{Broadcaster, ListKinds};

/// The configuration and state of a server.
pub(crate) struct Inner {
    pub(crate) info: Implementation,
    info_json: OnceLock<RawJson>,
    pub(crate) instructions: Option<String>,
    pub(crate) states: Arc<States>,
    pub(crate) lifespans: Vec<Lifespan>,
    pub(crate) running: Arc<Lifespans>,
    /// The servers that are mounted in this one.
    pub(crate) mounted: Vec<Arc<Inner>>,
    pub(crate) registry: Registry,
    /// The subscribers of changes; shared with the registry.
    pub(crate) broadcaster: Arc<Broadcaster>,
    pub(crate) middleware: Arc<[Arc<dyn Middleware>]>,
    pub(crate) limits: ServerLimits,
    /// How the state of multi-round-trip requests is sealed and stored.
    pub(crate) request_state_options: StateOptions,
    pub(crate) lenient: bool,
    /// The names of arguments that are removed from the calls of tools without such an argument.
    pub(crate) ignored_arguments: Vec<String>,
    /// The cache hints: of `server/discover` at index 0, of each list at the index of its
    /// [`List`](crate::paging::List).
    pub(crate) caches: [CacheHint; 5],
    pub(crate) logging: bool,
    pub(crate) extensions: RawMap,
    pub(crate) experimental: RawMap,
    /// The capabilities that middleware implements, without registered items.
    pub(crate) declared: ServerCapabilities,
    /// Errors of the builder methods, reported when serving starts.
    pub(crate) build_errors: Vec<String>,
}

impl Inner {
    pub(crate) fn new(info: Implementation) -> Self {
        let broadcaster: Arc<Broadcaster> = Arc::default();
        Self {
            info,
            info_json: OnceLock::new(),
            instructions: None,
            states: Arc::default(),
            lifespans: Vec::new(),
            running: Arc::new(Lifespans::new()),
            mounted: Vec::new(),
            registry: Registry::new(Arc::clone(&broadcaster)),
            broadcaster,
            middleware: Arc::new([]),
            limits: ServerLimits::default(),
            request_state_options: StateOptions::default(),
            lenient: true,
            ignored_arguments: Vec::new(),
            caches: [CacheHint::default(); 5],
            logging: true,
            extensions: RawMap::new(),
            experimental: RawMap::new(),
            declared: ServerCapabilities::default(),
            build_errors: Vec::new(),
        }
    }

    /// Returns the serialized server info, for the results of modern peers.
    pub(crate) fn info_json(&self) -> &RawJson {
        self.info_json.get_or_init(|| RawJson::new(&self.info).unwrap_or_else(|_| RawJson::empty_object()))
    }

    /// Returns the state that handlers can use, including the state of the lifespans while the server runs.
    pub(crate) fn states(&self) -> Arc<States> {
        self.running.states().unwrap_or_else(|| Arc::clone(&self.states))
    }

    /// Returns the request state options and the audience of sealed states of this server.
    pub(crate) fn request_state_options_and_audience(&self) -> (&StateOptions, &str) {
        (&self.request_state_options, self.request_state_options.audience_or(&self.info.name))
    }

    /// Returns the request state options and the audience of sealed states for a call, which are those of the outer
    /// server if this one is mounted.
    pub(crate) fn sealing<'a>(&'a self, outer: Option<&'a OuterServer>) -> (&'a StateOptions, &'a str) {
        outer.map_or_else(|| self.request_state_options_and_audience(), |outer| (&outer.state_options, &outer.audience))
    }

    /// Returns the advertised capabilities: each feature with a registered item or a declaration, and logging.
    ///
    /// `receives_changes` declares change notifications and resource subscriptions.
    pub(crate) fn capabilities(&self, tables: &Tables, receives_changes: bool) -> ServerCapabilities {
        let (offered, declared) = (self.offered(tables), &self.declared);
        let receives = |has_items: bool, declared: Option<bool>| {
            (receives_changes && (has_items || declared == Some(true))).then_some(true)
        };
        let list = |has_items: bool, declared: Option<&ListChanged>| {
            list_changed(receives(has_items, declared.and_then(|list| list.list_changed)))
        };
        let mut capabilities = ServerCapabilities::default();
        capabilities.tools = offered.tools.then(|| list(tables.has_tools(), declared.tools.as_ref()));
        capabilities.resources = offered.resources.then(|| {
            let (has_items, declared) = (tables.has_resources(), declared.resources.clone().unwrap_or_default());
            let mut resources = ResourcesCapability::default();
            resources.subscribe = receives(has_items, declared.subscribe);
            resources.list_changed = receives(has_items, declared.list_changed);
            resources
        });
        capabilities.prompts = offered.prompts.then(|| list(tables.has_prompts(), declared.prompts.as_ref()));
        capabilities.completions = offered.completions.then(RawJson::empty_object);
        capabilities.logging = self.logging.then(RawJson::empty_object);
        capabilities.extensions = self.extensions.clone();
        capabilities.experimental = self.experimental.clone();
        capabilities
    }

    /// Returns the features with a registered item or a declaration.
    pub(crate) fn offered(&self, tables: &Tables) -> Offered {
        Offered {
            tools: tables.has_tools() || self.declared.tools.is_some(),
            resources: tables.has_resources() || self.declared.resources.is_some(),
            prompts: tables.has_prompts() || self.declared.prompts.is_some(),
            completions: tables.has_completions() || self.declared.completions.is_some(),
        }
    }
}

/// The features of a server. The methods of other features do not exist.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "four independent features")]
pub(crate) struct Offered {
    pub(crate) tools: bool,
    pub(crate) resources: bool,
    pub(crate) prompts: bool,
    pub(crate) completions: bool,
}

impl Offered {
    /// Returns the lists whose changes are notified.
    pub(crate) fn list_kinds(self) -> ListKinds {
        ListKinds::TOOLS
            .only_if(self.tools)
            .and(ListKinds::PROMPTS.only_if(self.prompts))
            .and(ListKinds::RESOURCES.only_if(self.resources))
    }
}

fn list_changed(receives_changes: Option<bool>) -> ListChanged {
    let mut list = ListChanged::default();
    list.list_changed = receives_changes;
    list
}

impl Clone for Inner {
    /// Copies a shared server for further building. The copy has the same items and state. What is built on one does
    /// not affect the other, but handles of the original (registry, change notifier) reach the copy too.
    fn clone(&self) -> Self {
        let broadcaster = self.broadcaster.fork();
        Self {
            info: self.info.clone(),
            info_json: OnceLock::new(),
            instructions: self.instructions.clone(),
            states: Arc::clone(&self.states),
            lifespans: self.lifespans.clone(),
            running: Arc::new(Lifespans::new()),
            mounted: self.mounted.clone(),
            registry: self.registry.fork(Arc::clone(&broadcaster)),
            broadcaster,
            middleware: Arc::clone(&self.middleware),
            limits: self.limits,
            request_state_options: self.request_state_options.clone(),
            lenient: self.lenient,
            ignored_arguments: self.ignored_arguments.clone(),
            caches: self.caches,
            logging: self.logging,
            extensions: self.extensions.clone(),
            experimental: self.experimental.clone(),
            declared: self.declared.clone(),
            build_errors: self.build_errors.clone(),
        }
    }
}
