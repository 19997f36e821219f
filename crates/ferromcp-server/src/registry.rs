//! What a server offers, in the order it was added, found by name at once.
//!
//! Reading takes a snapshot; changing makes the next one. Lists keep their text until they change.

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
use crate::limits::Limits;
use crate::paging::{List, Pages};
use crate::state::StateNeed;
use crate::subscription::{Change, Hub};
use crate::uri_template::Captures;

/// What a server offers; a handle that can change it while the server runs. Cloning shares it.
///
/// Clients that asked to know hear of each change.
#[derive(Clone)]
pub struct Registry {
    tables: Arc<RwLock<Arc<Tables>>>,
    limits: Limits,
    hub: Arc<Hub>,
}

/// A resource, with what its template captured of the URI.
type Found<'a> = (&'a Arc<ReadyResource>, Option<Captures>);

/// Why something cannot be offered: it is not sound, or its name is taken.
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

/// One state of the registry.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    tools: Shelf<String, ReadyTool>,
    resources: Shelf<String, ReadyResource>,
    /// The same templates as in `resources`, the most specific first.
    templates: Vec<Arc<ReadyResource>>,
    prompts: Shelf<String, ReadyPrompt>,
    completions: Shelf<CompletionKey, ReadyCompletion>,
    serial: u64,
    lists: Lists,
}

/// Pages, made when first asked for.
#[derive(Clone, Default)]
struct Lists {
    tools: Arc<OnceLock<Pages<model::Tool>>>,
    resources: Arc<OnceLock<Pages<model::Resource>>>,
    templates: Arc<OnceLock<Pages<model::ResourceTemplate>>>,
    prompts: Arc<OnceLock<Pages<model::Prompt>>>,
}

/// Items in order, each with its serial number, found by key.
struct Shelf<K, T> {
    items: Vec<(u64, Arc<T>)>,
    places: HashMap<K, usize>,
}

impl<K: Hash + Eq + Clone, T> Shelf<K, T> {
    fn get(&self, key: &K) -> Option<&Arc<T>> {
        self.places.get(key).map(|place| &self.items[*place].1)
    }

    /// Adds an item whose key is new.
    fn push(&mut self, key: K, serial: u64, item: Arc<T>) {
        self.places.insert(key, self.items.len());
        self.items.push((serial, item));
    }

    fn remove(&mut self, key: &K) -> Option<Arc<T>> {
        let place = self.places.remove(key)?;
        let (_, item) = self.items.remove(place);
        for other in self.places.values_mut().filter(|other| **other > place) {
            *other -= 1;
        }
        Some(item)
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &Arc<T>)> {
        self.items.iter().map(|(serial, item)| (*serial, item))
    }
}

impl<K: Clone, T> Clone for Shelf<K, T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), places: self.places.clone() }
    }
}

impl<K, T> Default for Shelf<K, T> {
    fn default() -> Self {
        Self { items: Vec::new(), places: HashMap::new() }
    }
}

impl Registry {
    /// An empty registry that tells `hub` of its changes.
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        Self { tables: Arc::default(), limits: Limits::default(), hub }
    }

    /// The same entries in a registry of its own, which tells `hub`.
    pub(crate) fn detached(&self, hub: Arc<Hub>) -> Self {
        Self { tables: Arc::new(RwLock::new(self.snapshot())), limits: self.limits, hub }
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.edit(|_| Ok(())).unwrap_or_default(); // pages are cut anew
    }

    /// The registry as it is now.
    pub(crate) fn snapshot(&self) -> Arc<Tables> {
        Arc::clone(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the next state. While nobody holds a snapshot nothing is copied.
    fn edit<R>(&self, change: impl FnOnce(&mut Tables) -> Result<R, String>) -> Result<R, RegisterError> {
        let mut guard = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        let tables = Arc::make_mut(&mut guard);
        let outcome = change(tables)?;
        tables.lists = Lists::default();
        Ok(outcome)
    }

    /// Adds something, and tells of it.
    fn add(&self, what: Change, change: impl FnOnce(&mut Tables) -> Result<(), String>) -> Result<(), RegisterError> {
        self.edit(change)?;
        self.hub.notify(what);
        Ok(())
    }

    /// Takes something away, and tells of it if it was there.
    fn remove(&self, what: Change, change: impl FnOnce(&mut Tables) -> bool) -> bool {
        let gone = self.edit(|tables| Ok(change(tables))).unwrap_or(false);
        if gone {
            self.hub.notify(what);
        }
        gone
    }

    /// Adds a tool.
    ///
    /// # Errors
    /// When the tool is not sound or its name is taken.
    pub fn add_tool(&self, tool: Tool) -> Result<(), RegisterError> {
        let tool = tool.build(self.limits.schema_bytes)?;
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
    /// When it is not sound or its URI is taken.
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
                let place = tables.templates.partition_point(earlier);
                tables.templates.insert(place, Arc::clone(&resource));
            }
            tables.resources.push(uri, serial, resource);
            Ok(())
        })
    }

    /// Adds a prompt.
    ///
    /// # Errors
    /// When it is not sound or its name is taken.
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
    /// When it is not sound or the argument has one already.
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

    /// Takes a tool away; says whether it was there.
    pub fn remove_tool(&self, name: &str) -> bool {
        self.remove(Change::Tools, |tables| tables.tools.remove(&name.to_owned()).is_some())
    }

    /// Takes a resource or resource template away; says whether it was there.
    pub fn remove_resource(&self, uri_or_template: &str) -> bool {
        self.remove(Change::Resources, |tables| {
            tables.templates.retain(|template| template.template.as_str() != uri_or_template);
            tables.resources.remove(&uri_or_template.to_owned()).is_some()
        })
    }

    /// Takes a prompt away; says whether it was there.
    pub fn remove_prompt(&self, name: &str) -> bool {
        self.remove(Change::Prompts, |tables| tables.prompts.remove(&name.to_owned()).is_some())
    }

    pub(crate) fn page_size(&self) -> usize {
        self.limits.page_size
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
        self.tools.places.get(name).map(|place| &self.tools.items[*place].1)
    }

    pub(crate) fn prompt(&self, name: &str) -> Option<&Arc<ReadyPrompt>> {
        self.prompts.places.get(name).map(|place| &self.prompts.items[*place].1)
    }

    pub(crate) fn completion(&self, key: &CompletionKey) -> Option<&Arc<ReadyCompletion>> {
        self.completions.get(key)
    }

    /// The resource that `uri` names, with what a template captured of it.
    ///
    /// # Errors
    /// -32602 when a template matches but a variable could walk out of a folder.
    pub(crate) fn resource(&self, uri: &str) -> Result<Option<Found<'_>>, Error> {
        if let Some(place) = self.resources.places.get(uri) {
            let resource = &self.resources.items[*place].1;
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

    /// The template of exactly this text.
    pub(crate) fn template(&self, text: &str) -> Option<&Arc<ReadyResource>> {
        self.templates.iter().find(|template| template.template.as_str() == text)
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

    pub(crate) fn tool_pages(&self, size: usize) -> &Pages<model::Tool> {
        self.lists.tools.get_or_init(|| {
            let items = self.tools.iter().map(|(serial, tool)| (serial, tool.definition.clone()));
            Pages::cut(List::Tools, items, size)
        })
    }

    pub(crate) fn resource_pages(&self, size: usize) -> &Pages<model::Resource> {
        let fixed = |(serial, resource): (u64, &Arc<ReadyResource>)| match &resource.definition {
            Listed::Fixed(listed) => Some((serial, listed.clone())),
            Listed::Template(_) => None,
        };
        self.lists.resources.get_or_init(|| Pages::cut(List::Resources, self.resources.iter().filter_map(fixed), size))
    }

    pub(crate) fn template_pages(&self, size: usize) -> &Pages<model::ResourceTemplate> {
        let template = |(serial, resource): (u64, &Arc<ReadyResource>)| match &resource.definition {
            Listed::Template(listed) => Some((serial, listed.clone())),
            Listed::Fixed(_) => None,
        };
        self.lists
            .templates
            .get_or_init(|| Pages::cut(List::Templates, self.resources.iter().filter_map(template), size))
    }

    pub(crate) fn prompt_pages(&self, size: usize) -> &Pages<model::Prompt> {
        self.lists.prompts.get_or_init(|| {
            let items = self.prompts.iter().map(|(serial, prompt)| (serial, prompt.definition.clone()));
            Pages::cut(List::Prompts, items, size)
        })
    }

    /// Every function's name for people, with the state it needs.
    pub(crate) fn state_needs(&self) -> impl Iterator<Item = (String, StateNeed)> {
        let tools = self.tools.items.iter().map(|(_, it)| (format!("tool `{}`", it.definition.name), &it.signature));
        let resources =
            self.resources.items.iter().map(|(_, it)| (format!("resource `{}`", it.template.as_str()), &it.signature));
        let prompts =
            self.prompts.items.iter().map(|(_, it)| (format!("prompt `{}`", it.definition.name), &it.signature));
        let places = &self.completions.places;
        let completions = places
            .iter()
            .map(|(key, place)| (format!("the completion of {key}"), &self.completions.items[*place].1.signature));
        tools
            .chain(resources)
            .chain(prompts)
            .chain(completions)
            .flat_map(|(name, signature)| signature.states().map(move |need| (name.clone(), need)))
    }
}
