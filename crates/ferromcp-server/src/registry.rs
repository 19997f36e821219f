//! [`Registry`]: the tools, resources, prompts and completions of a server.
//!
//! Items keep their insertion order and are looked up by name in constant time. Readers take a snapshot; a change creates
//! the next one. Serialized lists are cached until they change.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use ferromcp_core::Error;
use ferromcp_core::model;

use crate::component::{
    Completion, CompletionKey, Listed, Prompt, ReadyCompletion, ReadyPrompt, ReadyResource, ReadyTool,
};
use crate::component::{Resource, Tool};
use crate::paging::{List, Pages};
use crate::state::StateNeed;
use crate::subscription::{Broadcaster, Change, ListKinds};
use crate::uri_template::Captures;

/// A handle to the tools, resources, prompts and completions of a server, which can change them while it runs.
///
/// Cloning is cheap; clones share the contents. Subscribed clients are notified of each change.
///
/// ```
/// use ferromcp_server::{Arg, Server, Tool};
///
/// let server = Server::new("demo", "1.0.0");
/// let double = Tool::sync("double", |n: i64| n * 2).args([Arg::new("n")]);
/// server.registry().add_tool(double)?;
/// assert!(server.registry().remove_tool("double"));
/// # Ok::<(), ferromcp_server::RegisterError>(())
/// ```
#[derive(Clone)]
pub struct Registry {
    tables: Arc<RwLock<Arc<Tables>>>,
    broadcaster: Arc<Broadcaster>,
}

/// A resource and the variables that its template captured from the URI.
type Found<'a> = (&'a Arc<ReadyResource>, Option<Captures>);

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

/// A snapshot of the registry.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    tools: Table<String, ReadyTool>,
    resources: Table<String, ReadyResource>,
    /// The same templates as in `resources`, the most specific first.
    templates: Vec<Arc<ReadyResource>>,
    prompts: Table<String, ReadyPrompt>,
    completions: Table<CompletionKey, ReadyCompletion>,
    serial: u64,
    lists: Lists,
}

/// Cached list pages, created on first use.
#[derive(Clone, Default)]
struct Lists {
    tools: Arc<OnceLock<Pages<model::ToolDefinition>>>,
    resources: Arc<OnceLock<Pages<model::ResourceDefinition>>>,
    templates: Arc<OnceLock<Pages<model::ResourceTemplate>>>,
    prompts: Arc<OnceLock<Pages<model::PromptDefinition>>>,
}

/// Items in order, each with its serial number, found by key.
struct Table<K, T> {
    items: Vec<(u64, Arc<T>)>,
    positions: HashMap<K, usize>,
}

impl<K: Hash + Eq + Clone, T> Table<K, T> {
    fn get(&self, key: &K) -> Option<&Arc<T>> {
        self.positions.get(key).map(|position| &self.items[*position].1)
    }

    /// Adds an item whose key is new.
    fn push(&mut self, key: K, serial: u64, item: Arc<T>) {
        self.positions.insert(key, self.items.len());
        self.items.push((serial, item));
    }

    fn remove(&mut self, key: &K) -> Option<Arc<T>> {
        let position = self.positions.remove(key)?;
        let (_, item) = self.items.remove(position);
        for other in self.positions.values_mut().filter(|other| **other > position) {
            *other -= 1;
        }
        Some(item)
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &Arc<T>)> {
        self.items.iter().map(|(serial, item)| (*serial, item))
    }
}

impl<K: Clone, T> Clone for Table<K, T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), positions: self.positions.clone() }
    }
}

impl<K, T> Default for Table<K, T> {
    fn default() -> Self {
        Self { items: Vec::new(), positions: HashMap::new() }
    }
}

impl Registry {
    /// Creates an empty registry that notifies `broadcaster` of changes.
    pub(crate) fn new(broadcaster: Arc<Broadcaster>) -> Self {
        Self { tables: Arc::default(), broadcaster }
    }

    /// Creates an independent registry with the same entries, which notifies `broadcaster`.
    pub(crate) fn detached(&self, broadcaster: Arc<Broadcaster>) -> Self {
        Self { tables: Arc::new(RwLock::new(self.snapshot())), broadcaster }
    }

    /// Discards the cached pages of lists, which depend on the page size.
    pub(crate) fn discard_pages(&self) {
        self.edit(|_| Ok(())).unwrap_or_default();
    }

    /// Returns the current snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Tables> {
        Arc::clone(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies a change. The tables are copied only while a snapshot is in use.
    fn edit<R>(&self, change: impl FnOnce(&mut Tables) -> Result<R, String>) -> Result<R, RegisterError> {
        let mut guard = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let tables = Arc::make_mut(&mut guard);
        let outcome = change(tables)?;
        tables.lists = Lists::default();
        Ok(outcome)
    }

    /// Adds an item and notifies subscribers.
    fn add(&self, what: Change, change: impl FnOnce(&mut Tables) -> Result<(), String>) -> Result<(), RegisterError> {
        self.edit(change)?;
        self.broadcaster.notify(what);
        Ok(())
    }

    /// Removes an item and notifies subscribers if it existed.
    fn remove(&self, what: Change, change: impl FnOnce(&mut Tables) -> bool) -> bool {
        let gone = self.edit(|tables| Ok(change(tables))).unwrap_or(false);
        if gone {
            self.broadcaster.notify(what);
        }
        gone
    }

    /// Adds a tool.
    ///
    /// # Errors
    /// Fails if the tool is invalid or its name is already in use.
    pub fn add_tool(&self, tool: Tool) -> Result<(), RegisterError> {
        let tool = tool.build()?;
        self.add(Change::Tools, |tables| {
            let name = tool.definition.name.clone();
            if tables.tools.get(&name).is_some() {
                return Err(format!("two tools are named `{name}`; rename one, or mount it under a namespace"));
            }
            let serial = tables.next_serial();
            tables.tools.push(name, serial, Arc::new(tool));
            Ok(())
        })
    }

    /// Adds a resource or resource template.
    ///
    /// # Errors
    /// Fails if the resource is invalid or its URI is already in use.
    pub fn add_resource(&self, resource: Resource) -> Result<(), RegisterError> {
        let resource = Arc::new(resource.build()?);
        self.add(Change::Resources, |tables| {
            let uri = resource.template.as_str().to_owned();
            if tables.resources.get(&uri).is_some() {
                return Err(format!("two resources are at `{uri}`; move one, or mount it under a namespace"));
            }
            let serial = tables.next_serial();
            if matches!(resource.definition, Listed::Template(_)) {
                let earlier = |other: &Arc<ReadyResource>| other.template.specific_first(&resource.template).is_le();
                let position = tables.templates.partition_point(earlier);
                tables.templates.insert(position, Arc::clone(&resource));
            }
            tables.resources.push(uri, serial, resource);
            Ok(())
        })
    }

    /// Adds a prompt.
    ///
    /// # Errors
    /// Fails if the prompt is invalid or its name is already in use.
    pub fn add_prompt(&self, prompt: Prompt) -> Result<(), RegisterError> {
        let prompt = prompt.build()?;
        self.add(Change::Prompts, |tables| {
            let name = prompt.definition.name.clone();
            if tables.prompts.get(&name).is_some() {
                return Err(format!("two prompts are named `{name}`; rename one, or mount it under a namespace"));
            }
            let serial = tables.next_serial();
            tables.prompts.push(name, serial, Arc::new(prompt));
            Ok(())
        })
    }

    /// Adds a completion.
    ///
    /// # Errors
    /// Fails if the completion is invalid or the argument already has one.
    pub fn add_completion(&self, completion: Completion) -> Result<(), RegisterError> {
        let (key, completion) = completion.build()?;
        self.edit(|tables| {
            if tables.completions.get(&key).is_some() {
                return Err(format!("two completions are for {key}"));
            }
            let serial = tables.next_serial();
            tables.completions.push(key, serial, Arc::new(completion));
            Ok(())
        })
    }

    /// Removes a tool. Returns whether it existed.
    pub fn remove_tool(&self, name: &str) -> bool {
        self.remove(Change::Tools, |tables| tables.tools.remove(&name.to_owned()).is_some())
    }

    /// Removes a resource or resource template. Returns whether it existed.
    pub fn remove_resource(&self, uri_or_template: &str) -> bool {
        self.remove(Change::Resources, |tables| {
            tables.templates.retain(|template| template.template.as_str() != uri_or_template);
            tables.resources.remove(&uri_or_template.to_owned()).is_some()
        })
    }

    /// Removes a prompt. Returns whether it existed.
    pub fn remove_prompt(&self, name: &str) -> bool {
        self.remove(Change::Prompts, |tables| tables.prompts.remove(&name.to_owned()).is_some())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.snapshot();
        f.debug_struct("Registry")
            .field("tools", &tables.tools.items.len())
            .field("resources", &tables.resources.items.len())
            .field("prompts", &tables.prompts.items.len())
            .field("completions", &tables.completions.items.len())
            .finish()
    }
}

impl Tables {
    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ReadyTool>> {
        self.tools.positions.get(name).map(|position| &self.tools.items[*position].1)
    }

    pub(crate) fn prompt(&self, name: &str) -> Option<&Arc<ReadyPrompt>> {
        self.prompts.positions.get(name).map(|position| &self.prompts.items[*position].1)
    }

    pub(crate) fn completion(&self, key: &CompletionKey) -> Option<&Arc<ReadyCompletion>> {
        self.completions.get(key)
    }

    /// Returns the resource at `uri`, with the variables captured by its template.
    ///
    /// # Errors
    /// -32602 if a template matches but a variable contains a path traversal.
    pub(crate) fn resource(&self, uri: &str) -> Result<Option<Found<'_>>, Error> {
        if let Some(position) = self.resources.positions.get(uri) {
            let resource = &self.resources.items[*position].1;
            if matches!(resource.definition, Listed::Fixed(_)) {
                return Ok(Some((resource, None)));
            }
        }
        for template in &self.templates {
            if let Some(captures) = template.captures(uri)? {
                return Ok(Some((template, Some(captures))));
            }
        }
        Ok(None)
    }

    /// Returns the resource template with exactly this text.
    pub(crate) fn template(&self, text: &str) -> Option<&Arc<ReadyResource>> {
        self.templates.iter().find(|template| template.template.as_str() == text)
    }

    /// Returns the lists that are not empty, for which change notifications are declared.
    pub(crate) fn list_kinds(&self) -> ListKinds {
        ListKinds::TOOLS
            .only_if(self.has_tools())
            .and(ListKinds::PROMPTS.only_if(self.has_prompts()))
            .and(ListKinds::RESOURCES.only_if(self.has_resources()))
    }

    pub(crate) fn has_tools(&self) -> bool {
        !self.tools.items.is_empty()
    }

    pub(crate) fn has_resources(&self) -> bool {
        !self.resources.items.is_empty()
    }

    pub(crate) fn has_prompts(&self) -> bool {
        !self.prompts.items.is_empty()
    }

    pub(crate) fn has_completions(&self) -> bool {
        !self.completions.items.is_empty()
    }

    pub(crate) fn tool_pages(&self, size: usize) -> &Pages<model::ToolDefinition> {
        self.lists.tools.get_or_init(|| {
            let items = self.tools.iter().map(|(serial, tool)| (serial, tool.definition.clone()));
            Pages::new(List::Tools, items, size)
        })
    }

    pub(crate) fn resource_pages(&self, size: usize) -> &Pages<model::ResourceDefinition> {
        let fixed = |(serial, resource): (u64, &Arc<ReadyResource>)| match &resource.definition {
            Listed::Fixed(listed) => Some((serial, listed.clone())),
            Listed::Template(_) => None,
        };
        self.lists.resources.get_or_init(|| Pages::new(List::Resources, self.resources.iter().filter_map(fixed), size))
    }

    pub(crate) fn template_pages(&self, size: usize) -> &Pages<model::ResourceTemplate> {
        let template = |(serial, resource): (u64, &Arc<ReadyResource>)| match &resource.definition {
            Listed::Template(listed) => Some((serial, listed.clone())),
            Listed::Fixed(_) => None,
        };
        self.lists
            .templates
            .get_or_init(|| Pages::new(List::Templates, self.resources.iter().filter_map(template), size))
    }

    pub(crate) fn prompt_pages(&self, size: usize) -> &Pages<model::PromptDefinition> {
        self.lists.prompts.get_or_init(|| {
            let items = self.prompts.iter().map(|(serial, prompt)| (serial, prompt.definition.clone()));
            Pages::new(List::Prompts, items, size)
        })
    }

    /// Iterates over the state types that functions require, each with a description of the function.
    pub(crate) fn state_needs(&self) -> impl Iterator<Item = (String, StateNeed)> {
        let tools = self.tools.items.iter().map(|(_, it)| (format!("tool `{}`", it.definition.name), &it.signature));
        let resources =
            self.resources.items.iter().map(|(_, it)| (format!("resource `{}`", it.template.as_str()), &it.signature));
        let prompts =
            self.prompts.items.iter().map(|(_, it)| (format!("prompt `{}`", it.definition.name), &it.signature));
        let positions = &self.completions.positions;
        let completions = positions.iter().map(|(key, position)| {
            (format!("the completion of {key}"), &self.completions.items[*position].1.signature)
        });
        tools
            .chain(resources)
            .chain(prompts)
            .chain(completions)
            .flat_map(|(name, signature)| signature.states().map(move |need| (name.clone(), need)))
    }
}
