//! Components: values whose methods are tools, resources, prompts and completions.

use std::sync::Arc;

use super::{Completion, Prompt, Resource, Tool};

/// A value that provides tools, resources, prompts and completions; implemented by `#[component]`.
pub trait Component: Send + Sync + 'static {
    /// Returns the parts of the component.
    fn parts(self: Arc<Self>) -> Parts;
}

/// The tools, resources, prompts and completions of a component.
#[derive(Debug, Default)]
pub struct Parts {
    pub(crate) tools: Vec<Tool>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) completions: Vec<Completion>,
}

impl Parts {
    /// Creates an empty set of parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tool.
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Adds a resource.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Adds a prompt.
    pub fn prompt(mut self, prompt: Prompt) -> Self {
        self.prompts.push(prompt);
        self
    }

    /// Adds a completion.
    pub fn completion(mut self, completion: Completion) -> Self {
        self.completions.push(completion);
        self
    }

    /// Prefixes all parts with `namespace`: names become `namespace_name`, and a URI `scheme://rest` becomes
    /// `scheme://namespace/rest`. An empty namespace is ignored.
    pub(crate) fn under(mut self, namespace: &str) -> Self {
        if namespace.is_empty() {
            return self;
        }
        let templates: Vec<String> = self.resources.iter().map(|resource| resource.uri().to_owned()).collect();
        self.tools = self.tools.into_iter().map(|tool| tool.under(namespace)).collect();
        self.resources = self.resources.into_iter().map(|resource| resource.under(namespace)).collect();
        self.prompts = self.prompts.into_iter().map(|prompt| prompt.under(namespace)).collect();
        let completions = self.completions.into_iter();
        self.completions = completions.map(|completion| completion.under(namespace, &templates)).collect();
        self
    }
}
