//! [`Registry`]: the tools, resources, prompts and completions of a server.
//!
//! Items keep their insertion order and are looked up by name in constant time. Readers take a snapshot; a change
//! creates the next one. Serialized lists are cached until they change.
//!
//! A builder method on a server that has clones creates a separate server, and so a *fork* of the registry: it starts
//! with the same items. A change through a [`Registry`] handle applies to the forks as well, so that a handle that was
//! taken before the server was complete changes the server that is served. The registry of a server that is mounted in
//! another one has a fork there too, whose items are under a namespace.

mod list_cache;
mod tables;

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

use crate::component::{Completion, Prompt, ReadyPrompt, ReadyResource, Resource, Tool};
use crate::forks::Forks;
use crate::function::{FromCtx, Invocation, Rejection};
use crate::hosts;
use crate::mount::Mount;
use crate::namespace::{name_under, uri_under};
use crate::subscription::{Broadcaster, Change};

pub(crate) use list_cache::PageRequest;
pub(crate) use tables::Tables;

/// A handle to the tools, resources, prompts and completions of a server, which can change them while it runs.
///
/// Cloning is cheap; clones share the contents. Subscribed clients are notified of each change. A handler takes the
/// registry of its server as a parameter:
///
/// ```
/// use ferromcp_server::{Arg, RegisterError, Registry, Server, Tool};
///
/// async fn unlock(registry: Registry) -> Result<&'static str, RegisterError> {
///     registry.add_tool(Tool::sync("double", |n: i64| n * 2).args([Arg::new("n")]))?;
///     Ok("`double` is available")
/// }
///
/// let server = Server::new("demo", "1.0.0").with_tool(Tool::new("unlock", unlock));
/// let registry = server.registry().clone(); // for tasks outside of handlers
/// assert!(registry.remove_tool("unlock"));
/// ```
///
/// A handle can be taken at any time, also before the last builder method.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    tables: RwLock<Arc<Tables>>,
    broadcaster: Arc<Broadcaster>,
    /// The registries of servers that were built from a clone of this one or that it is mounted in, each with the mounts
    /// on the way.
    forks: Forks<Shared, Weak<Mount>>,
    /// The name of the server, set when it starts.
    served_as: OnceLock<String>,
}

/// A registry that a change applies to.
struct Member {
    shared: Arc<Shared>,
    /// The mounts between the changed registry and this one, the innermost first.
    mounts: Vec<Arc<Mount>>,
}

/// The error returned when an item cannot be registered: it is invalid or its name is already in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterError(String);

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegisterError {}

impl From<String> for RegisterError {
    fn from(problem: String) -> Self {
        Self(problem)
    }
}

impl Shared {
    fn snapshot(&self) -> Arc<Tables> {
        Arc::clone(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies a change. The tables are copied only while a snapshot is in use.
    fn edit<R>(&self, change: impl FnOnce(&mut Tables) -> Result<R, String>) -> Result<R, RegisterError> {
        let mut guard = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let tables = Arc::make_mut(&mut guard);
        let outcome = change(tables)?;
        tables.discard_pages();
        Ok(outcome)
    }
}

impl Registry {
    /// Creates an empty registry that notifies `broadcaster` of changes.
    pub(crate) fn new(broadcaster: Arc<Broadcaster>) -> Self {
        Self(Arc::new(Shared {
            tables: RwLock::default(),
            broadcaster,
            forks: Forks::default(),
            served_as: OnceLock::new(),
        }))
    }

    /// Creates a registry with the same items for a server that is built from a clone. Changes through handles of
    /// `self` apply to it too.
    pub(crate) fn fork(&self, broadcaster: Arc<Broadcaster>) -> Self {
        let (tables, forks) = (RwLock::new(self.snapshot()), self.0.forks.of_copy());
        let fork = Arc::new(Shared { tables, broadcaster, forks, served_as: OnceLock::new() });
        fork.forks.register(&fork);
        Self(fork)
    }

    /// Returns this registry and its forks.
    fn family(&self) -> Vec<Member> {
        let mut family = vec![Member { shared: Arc::clone(&self.0), mounts: Vec::new() }];
        family.extend(self.0.forks.live().into_iter().filter_map(|(shared, mounts)| {
            Some(Member { shared, mounts: mounts.iter().map(Weak::upgrade).collect::<Option<_>>()? })
        }));
        family
    }

    /// Adds the items of `inner`, the registry of a mounted server, and applies its changes from now on. Returns the
    /// problems of items that cannot be added.
    pub(crate) fn mount(&self, inner: &Self, mount: &Arc<Mount>) -> Vec<String> {
        let items = inner.snapshot();
        let problems = self.0.edit(|tables| Ok(tables.mount(&items, mount))).unwrap_or_default();
        inner.0.forks.mount(&self.0, &self.0.forks, &Arc::downgrade(mount));
        problems
    }

    /// Discards the cached pages of lists, which depend on the page size.
    pub(crate) fn discard_pages(&self) {
        self.0.edit(|_| Ok(())).unwrap_or_default();
    }

    /// Returns the current snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Tables> {
        self.0.snapshot()
    }

    /// Returns whether an item requires scopes.
    pub(crate) fn has_scopes(&self) -> bool {
        self.0.tables.read().unwrap_or_else(PoisonError::into_inner).has_scopes()
    }

    /// Adds an item to this registry and its forks, and notifies subscribers. If one of them rejects it, none changes.
    fn add<T>(
        &self,
        what: &Change,
        item: T,
        under: impl Fn(&T, &Arc<Mount>) -> Result<T, String>,
        add: impl Fn(&mut Tables, T) -> Result<(), String>,
    ) -> Result<(), RegisterError>
    where
        T: Clone,
    {
        let mut additions = Vec::new();
        for member in self.family() {
            let item = member.mounts.iter().try_fold(item.clone(), |item, mount| under(&item, mount))?;
            add(&mut Tables::clone(&member.shared.snapshot()), item.clone())?; // a trial
            additions.push((member.shared, item));
        }
        for (shared, item) in additions {
            shared.edit(|tables| add(tables, item))?;
            shared.broadcaster.notify(what.clone());
        }
        Ok(())
    }

    /// Removes an item from this registry and its forks, and notifies the subscribers of those that had it. Where this
    /// registry is mounted, only items of that mount are removed. Returns whether any had it.
    fn remove(
        &self,
        what: &Change,
        name: &str,
        under: impl Fn(&str, &str) -> String,
        remove: impl Fn(&mut Tables, &str, Option<&Arc<Mount>>) -> bool,
    ) -> bool {
        let mut existed = false;
        for member in self.family() {
            let name = member.mounts.iter().fold(name.to_owned(), |name, mount| under(&mount.namespace, &name));
            if member.shared.edit(|tables| Ok(remove(tables, &name, member.mounts.last()))).unwrap_or(false) {
                existed = true;
                member.shared.broadcaster.notify(what.clone());
            }
        }
        existed
    }

    /// Adds a tool.
    ///
    /// # Errors
    /// Fails if the tool is invalid or its name is already in use.
    pub fn add_tool(&self, tool: Tool) -> Result<(), RegisterError> {
        let tool = Arc::new(tool.build()?);
        let name = tool.definition.name.clone();
        self.add(&Change::Tools, tool, |tool, mount| Ok(Arc::new(tool.under(mount)?)), Tables::add_tool)?;
        for member in self.family() {
            let name = member.mounts.iter().fold(name.clone(), |name, mount| name_under(&mount.namespace, &name));
            if let (Some(server), Some(tool)) = (member.shared.served_as.get(), member.shared.snapshot().tool(&name)) {
                hosts::log(&hosts::warnings(server, &tool.definition));
            }
        }
        Ok(())
    }

    /// Logs which hosts reject tools of the server with this name, when it starts for the first time. From then on,
    /// [`add_tool`](Self::add_tool) logs them too.
    pub(crate) fn log_host_warnings(&self, server: &str) {
        if self.0.served_as.set(server.to_owned()).is_ok() {
            hosts::log(&self.host_warnings(server));
        }
    }

    /// Returns which hosts reject tools of the server with this name.
    pub(crate) fn host_warnings(&self, server: &str) -> Vec<hosts::HostWarning> {
        self.snapshot().tool_definitions().flat_map(|tool| hosts::warnings(server, tool)).collect()
    }

    /// Adds a resource or resource template.
    ///
    /// # Errors
    /// Fails if the resource is invalid or its URI is already in use.
    pub fn add_resource(&self, resource: Resource) -> Result<(), RegisterError> {
        let resource = Arc::new(resource.build()?);
        let under = |resource: &Arc<ReadyResource>, mount: &Arc<Mount>| Ok(Arc::new(resource.under(mount)?));
        self.add(&Change::Resources, resource, under, Tables::add_resource)
    }

    /// Adds a prompt.
    ///
    /// # Errors
    /// Fails if the prompt is invalid or its name is already in use.
    pub fn add_prompt(&self, prompt: Prompt) -> Result<(), RegisterError> {
        let prompt = Arc::new(prompt.build()?);
        let under = |prompt: &Arc<ReadyPrompt>, mount: &Arc<Mount>| Ok(Arc::new(prompt.under(mount)));
        self.add(&Change::Prompts, prompt, under, Tables::add_prompt)
    }

    /// Adds a completion.
    ///
    /// # Errors
    /// Fails if the completion is invalid, its prompt or template does not exist or has no such argument, or the
    /// argument already has a completion.
    pub fn add_completion(&self, completion: Completion) -> Result<(), RegisterError> {
        let (key, completion) = completion.build()?;
        let completion = Arc::new(completion);
        let tables = self.snapshot();
        if let Some(problem) = tables.completion_problem(&key) {
            return Err(problem.into());
        }
        for member in self.family() {
            let key = tables.key_under(&key, &member.mounts);
            member.shared.edit(|tables| tables.add_completion(key, Arc::clone(&completion)))?;
        }
        Ok(())
    }

    /// Adds a tool to the server that is being built, and not to its forks.
    pub(crate) fn build_tool(&self, tool: Tool) -> Result<(), RegisterError> {
        let tool = Arc::new(tool.build()?);
        self.0.edit(|tables| tables.add_tool(tool))
    }

    /// Adds a resource or resource template to the server that is being built, and not to its forks.
    pub(crate) fn build_resource(&self, resource: Resource) -> Result<(), RegisterError> {
        let resource = Arc::new(resource.build()?);
        self.0.edit(|tables| tables.add_resource(resource))
    }

    /// Adds a prompt to the server that is being built, and not to its forks.
    pub(crate) fn build_prompt(&self, prompt: Prompt) -> Result<(), RegisterError> {
        let prompt = Arc::new(prompt.build()?);
        self.0.edit(|tables| tables.add_prompt(prompt))
    }

    /// Adds a completion to the server that is being built. Its prompt or template may be added later.
    pub(crate) fn build_completion(&self, completion: Completion) -> Result<(), RegisterError> {
        let (key, completion) = completion.build()?;
        self.0.edit(|tables| tables.add_completion(key, Arc::new(completion)))
    }

    /// Removes a tool. Returns whether it existed.
    pub fn remove_tool(&self, name: &str) -> bool {
        self.remove(&Change::Tools, name, name_under, Tables::remove_tool)
    }

    /// Removes a resource or resource template, and the completions of its variables. Returns whether it existed.
    pub fn remove_resource(&self, uri_or_template: &str) -> bool {
        let tables = self.snapshot();
        let uri = tables.registered_uri(uri_or_template).unwrap_or(uri_or_template);
        self.remove(&Change::Resources, uri, uri_under, Tables::remove_resource)
    }

    /// Removes a prompt and the completions of its arguments. Returns whether it existed.
    pub fn remove_prompt(&self, name: &str) -> bool {
        self.remove(&Change::Prompts, name, name_under, Tables::remove_prompt)
    }
}

/// Extracts a handle to the registry of the server.
impl FromCtx for Registry {
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
        Ok(invocation.registry().clone())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [tools, resources, prompts, completions] = self.snapshot().counts();
        f.debug_struct("Registry")
            .field("tools", &tools)
            .field("resources", &resources)
            .field("prompts", &prompts)
            .field("completions", &completions)
            .finish()
    }
}
