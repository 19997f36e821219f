//! The tables of a registry: tools, resources, prompts and completions in insertion order.

mod listing;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use ferromcp_core::model::{self, Reference};
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error};

use crate::component::{CompletionKey, Listed, Owner, ReadyCompletion, ReadyPrompt, ReadyResource, ReadyTool};
use crate::function::suggestion::closest_match;
use crate::mount::{Mount, MountedItem};
use crate::registry::list_cache::Lists;
use crate::state::StateNeed;
use crate::uri_key::{decode_unreserved, lowercase_start, template_key, uri_key, without_root_path};
use crate::uri_template::Captures;

/// A resource and the variables that its template captured from the URI.
type Found<'a> = (&'a Arc<ReadyResource>, Option<Captures>);

/// A snapshot of the registry.
#[derive(Clone, Default)]
pub(crate) struct Tables {
    tools: Table<String, ReadyTool>,
    /// By the key of the URI or template.
    resources: Table<String, ReadyResource>,
    /// The same templates as in `resources`, the most specific first.
    templates: Vec<Arc<ReadyResource>>,
    prompts: Table<String, ReadyPrompt>,
    completions: Table<CompletionKey, ReadyCompletion>,
    /// The servers that are mounted in this one.
    mounts: Vec<Arc<Mount>>,
    serial: u64,
    /// Whether an item requires scopes, or did before it was removed.
    has_scopes: bool,
    lists: Lists,
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

/// Returns whether an item belongs to a mount. Every item belongs to the server itself, for which `of` is `None`.
fn is_of(item: Option<&MountedItem>, of: Option<&Arc<Mount>>) -> bool {
    of.is_none_or(|mount| item.is_some_and(|item| Arc::ptr_eq(&item.mount, mount)))
}

impl Tables {
    /// Adds a tool.
    ///
    /// # Errors
    /// Returns a message if its name is already in use.
    pub(super) fn add_tool(&mut self, tool: Arc<ReadyTool>) -> Result<(), String> {
        let name = tool.definition.name.clone();
        if self.tools.get(&name).is_some() {
            return Err(format!("two tools are named `{}`; rename one, or mount it under a namespace", excerpt(&name)));
        }
        let serial = self.next_serial();
        self.has_scopes |= !tool.scopes.is_empty();
        self.tools.push(name, serial, tool);
        Ok(())
    }

    /// Adds a resource or resource template.
    ///
    /// # Errors
    /// Returns a message if its URI is already in use.
    pub(super) fn add_resource(&mut self, resource: Arc<ReadyResource>) -> Result<(), String> {
        let key = resource.key();
        if self.resources.get(&key).is_some() {
            return Err(format!(
                "two resources are at `{}`; move one, or mount it under a namespace",
                excerpt(&resource.uri)
            ));
        }
        let serial = self.next_serial();
        self.has_scopes |= !resource.scopes.is_empty();
        if matches!(resource.definition, Listed::Template(_)) {
            let earlier = |other: &Arc<ReadyResource>| other.template.specific_first(&resource.template).is_le();
            let position = self.templates.partition_point(earlier);
            self.templates.insert(position, Arc::clone(&resource));
        }
        self.resources.push(key, serial, resource);
        Ok(())
    }

    /// Adds a prompt.
    ///
    /// # Errors
    /// Returns a message if its name is already in use.
    pub(super) fn add_prompt(&mut self, prompt: Arc<ReadyPrompt>) -> Result<(), String> {
        let name = prompt.definition.name.clone();
        if self.prompts.get(&name).is_some() {
            return Err(format!(
                "two prompts are named `{}`; rename one, or mount it under a namespace",
                excerpt(&name)
            ));
        }
        let serial = self.next_serial();
        self.has_scopes |= !prompt.scopes.is_empty();
        self.prompts.push(name, serial, prompt);
        Ok(())
    }

    /// Adds a completion.
    ///
    /// # Errors
    /// Returns a message if the argument already has one.
    pub(super) fn add_completion(
        &mut self,
        key: CompletionKey,
        completion: Arc<ReadyCompletion>,
    ) -> Result<(), String> {
        if self.completions.get(&key).is_some() {
            return Err(format!("two completions are registered for {key}; remove one"));
        }
        let serial = self.next_serial();
        self.completions.push(key, serial, completion);
        Ok(())
    }

    /// Removes a tool. With a mount, only a tool of that mount is removed. Returns whether it existed.
    pub(super) fn remove_tool(&mut self, name: &str, of: Option<&Arc<Mount>>) -> bool {
        let name = name.to_owned();
        let belongs = self.tools.get(&name).is_some_and(|tool| is_of(tool.mounted.as_ref(), of));
        belongs && self.tools.remove(&name).is_some()
    }

    /// Removes a resource or resource template, and its completions. With a mount, only a resource of that mount is
    /// removed. Returns whether it existed.
    pub(super) fn remove_resource(&mut self, uri_or_template: &str, of: Option<&Arc<Mount>>) -> bool {
        let belongs =
            |key: &String| self.resources.get(key).is_some_and(|resource| is_of(resource.mounted.as_ref(), of));
        let key = [uri_key(uri_or_template).into_owned(), template_key(uri_or_template)].into_iter().find(belongs);
        let Some(removed) = key.and_then(|key| self.resources.remove(&key)) else { return false };
        self.templates.retain(|template| !Arc::ptr_eq(template, &removed));
        self.remove_completions(&Owner::Template(removed.template.as_str().to_owned()));
        true
    }

    /// Removes a prompt and its completions. With a mount, only a prompt of that mount is removed. Returns whether it
    /// existed.
    pub(super) fn remove_prompt(&mut self, name: &str, of: Option<&Arc<Mount>>) -> bool {
        let name = name.to_owned();
        let belongs = self.prompts.get(&name).is_some_and(|prompt| is_of(prompt.mounted.as_ref(), of));
        if !belongs || self.prompts.remove(&name).is_none() {
            return false;
        }
        self.remove_completions(&Owner::Prompt(name));
        true
    }

    fn remove_completions(&mut self, of: &Owner) {
        let keys: Vec<CompletionKey> = self.completions.positions.keys().filter(|key| key.of == *of).cloned().collect();
        for key in keys {
            self.completions.remove(&key);
        }
    }

    /// Discards the cached pages of lists.
    pub(super) fn discard_pages(&mut self) {
        self.lists = Lists::default();
    }

    /// Returns the numbers of tools, resources, prompts and completions.
    pub(super) fn counts(&self) -> [usize; 4] {
        [self.tools.items.len(), self.resources.items.len(), self.prompts.items.len(), self.completions.items.len()]
    }

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
        if let Some(position) = self.resources.positions.get(&*uri_key(uri)) {
            let resource = &self.resources.items[*position].1;
            if matches!(resource.definition, Listed::Fixed(_)) {
                return Ok(Some((resource, None)));
            }
        }
        let uri = lowercase_start(uri);
        let decoded = decode_unreserved(&uri);
        let without_root_path = without_root_path(&uri);
        for uri in [decoded.as_deref(), Some(&*uri), without_root_path.as_deref()].into_iter().flatten() {
            for template in &self.templates {
                if let Some(captures) = template.captures(uri)? {
                    return Ok(Some((template, Some(captures))));
                }
            }
        }
        Ok(None)
    }

    /// Returns the resource template with this text, apart from the case of its scheme and host.
    pub(crate) fn template(&self, text: &str) -> Option<&Arc<ReadyResource>> {
        let key = template_key(text);
        self.templates.iter().find(|template| template.template.as_str() == key)
    }

    /// Returns whether a function lists the resources of a template.
    pub(crate) fn has_listers(&self) -> bool {
        self.templates.iter().any(|template| template.lister.is_some())
    }

    /// Returns the item of a mounted server that handles a request, if one does.
    pub(crate) fn mounted(&self, request: &ClientRequest) -> Option<&MountedItem> {
        match request {
            ClientRequest::CallTool(params) => self.tool(&params.name)?.mounted.as_ref(),
            ClientRequest::GetPrompt(params) => self.prompt(&params.name)?.mounted.as_ref(),
            ClientRequest::ReadResource(params) => self.resource(&params.uri).ok()??.0.mounted.as_ref(),
            ClientRequest::Complete(params) => match &params.r#ref {
                Reference::Prompt { name, .. } => self.prompt(name)?.mounted.as_ref(),
                Reference::Resource { uri } => {
                    let template = self.template(uri);
                    template.or_else(|| Some(self.resource(uri).ok()??.0))?.mounted.as_ref()
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the mounted item that a completion belongs to, if it belongs to one.
    fn mounted_owner(&self, of: &Owner) -> Option<&MountedItem> {
        match of {
            Owner::Prompt(name) => self.prompt(name)?.mounted.as_ref(),
            Owner::Template(uri) => self.template(uri)?.mounted.as_ref(),
        }
    }

    /// Adds the items of a mounted server. Returns the problems of those that cannot be added.
    pub(super) fn mount(&mut self, inner: &Self, mount: &Arc<Mount>) -> Vec<String> {
        let tools = inner.tools.iter().map(|(_, tool)| self.add_tool(Arc::new(tool.under(mount)?)));
        let mut problems: Vec<String> = tools.filter_map(Result::err).collect();
        let resources = inner.resources.iter().map(|(_, resource)| self.add_resource(Arc::new(resource.under(mount)?)));
        problems.extend(resources.filter_map(Result::err));
        let prompts = inner.prompts.iter().map(|(_, prompt)| self.add_prompt(Arc::new(prompt.under(mount))));
        problems.extend(prompts.filter_map(Result::err));
        for (key, position) in &inner.completions.positions {
            let completion = Arc::clone(&inner.completions.items[*position].1);
            let key = inner.key_under(key, std::slice::from_ref(mount));
            problems.extend(self.add_completion(key, completion).err());
        }
        self.mounts.push(Arc::clone(mount));
        problems
    }

    /// Returns the key that a completion of this server has in a server that this one is mounted in. The mounts are on
    /// the way to that server, the innermost first.
    pub(super) fn key_under(&self, key: &CompletionKey, mounts: &[Arc<Mount>]) -> CompletionKey {
        let templates = self.templates.iter().map(|template| template.uri.as_str());
        let of = key.of.under(mounts.iter().map(|mount| &*mount.namespace), templates);
        CompletionKey { of: of.into_key(), argument: key.argument.clone() }
    }

    /// Returns the URI or template of a resource as it was registered.
    pub(super) fn registered_uri(&self, uri_or_template: &str) -> Option<&str> {
        let keys = [uri_key(uri_or_template).into_owned(), template_key(uri_or_template)];
        keys.iter().find_map(|key| Some(self.resources.get(key)?.uri.as_str()))
    }

    /// Returns whether an item requires scopes.
    pub(crate) fn has_scopes(&self) -> bool {
        self.has_scopes
    }

    /// Returns whether a server is mounted in this one.
    pub(crate) fn has_mounts(&self) -> bool {
        !self.mounts.is_empty()
    }

    /// Returns the problem of a completion whose prompt, template or argument does not exist.
    pub(crate) fn completion_problem(&self, key: &CompletionKey) -> Option<String> {
        let (what, known): (&str, Option<Vec<&str>>) = match &key.of {
            Owner::Prompt(name) => ("prompt", self.prompt(name).map(|prompt| prompt.argument_names().collect())),
            Owner::Template(uri) => {
                let template =
                    self.template(uri).map(|it| it.template.variables().map(ferromcp_uri_template::Variable::name));
                ("resource template", template.map(Iterator::collect))
            }
        };
        let Some(known) = known else {
            let (name, names): (&str, Vec<&str>) = match &key.of {
                Owner::Prompt(name) => (name, self.prompts.positions.keys().map(String::as_str).collect()),
                Owner::Template(uri) => (uri, self.templates.iter().map(|template| template.uri.as_str()).collect()),
            };
            let hint = closest_match(name, &names).map(|name| format!("; did you mean `{name}`?"));
            return Some(format!("completion of {key}: {what} not found{}", hint.unwrap_or_default()));
        };
        if known.contains(&key.argument.as_str()) {
            return None;
        }
        let hint = match (closest_match(&key.argument, &known), known.as_slice()) {
            (Some(name), _) => format!("did you mean `{name}`?"),
            (None, []) => "it has none".to_owned(),
            (None, known) => format!("known are `{}`", excerpt(&known.join("`, `"))),
        };
        Some(format!("completion of {key}: the {what} has no argument `{}`; {hint}", excerpt(&key.argument)))
    }

    /// Returns the problems of all completions.
    pub(crate) fn completion_problems(&self) -> impl Iterator<Item = String> {
        let mut keys: Vec<_> = self.completions.positions.iter().collect();
        keys.sort_by_key(|(_, position)| **position);
        keys.into_iter().filter_map(|(key, _)| self.completion_problem(key))
    }

    /// Iterates over the definitions of the tools.
    pub(crate) fn tool_definitions(&self) -> impl Iterator<Item = &model::ToolDefinition> {
        self.tools.items.iter().map(|(_, tool)| &tool.definition)
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

    /// Iterates over the state types that functions require, each with a description of the function.
    pub(crate) fn state_needs(&self) -> impl Iterator<Item = (String, StateNeed)> {
        // The functions of a mounted server use its state.
        let tools = self.tools.items.iter().filter(|(_, it)| it.mounted.is_none());
        let tools = tools.map(|(_, it)| (format!("tool `{}`", excerpt(&it.definition.name)), &*it.signature));
        let resources = self.resources.items.iter().filter(|(_, it)| it.mounted.is_none()).flat_map(|(_, it)| {
            it.signatures().map(|signature| (format!("resource `{}`", excerpt(&it.uri)), signature))
        });
        let prompts = self.prompts.items.iter().filter(|(_, it)| it.mounted.is_none());
        let prompts = prompts.map(|(_, it)| (format!("prompt `{}`", excerpt(&it.definition.name)), &*it.signature));
        let positions = &self.completions.positions;
        let completions =
            positions.iter().filter(|(key, _)| self.mounted_owner(&key.of).is_none()).map(|(key, position)| {
                (format!("the completion of {key}"), &self.completions.items[*position].1.signature)
            });
        tools
            .chain(resources)
            .chain(prompts)
            .chain(completions)
            .flat_map(|(name, signature)| signature.states().map(move |need| (name.clone(), need)))
    }
}
