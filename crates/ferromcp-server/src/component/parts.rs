//! Components: values whose methods are tools, resources and prompts.

use std::sync::Arc;

use super::{Completion, Prompt, Resource, Tool};

/// A value that brings tools, resources, prompts and completions; `#[component]` writes this.
pub trait Component: Send + Sync + 'static {
    /// What it brings.
    fn parts(self: Arc<Self>) -> Parts;
}

/// What a component brings.
#[derive(Debug, Default)]
pub struct Parts {
    pub(crate) tools: Vec<Tool>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) completions: Vec<Completion>,
}

impl Parts {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// And this tool.
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// And this resource.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// And this prompt.
    pub fn prompt(mut self, prompt: Prompt) -> Self {
        self.prompts.push(prompt);
        self
    }

    /// And this completion.
    pub fn completion(mut self, completion: Completion) -> Self {
        self.completions.push(completion);
        self
    }

    /// Puts everything under `namespace`: tools and prompts become `namespace_name`, and a URI
    /// `scheme://rest` becomes `scheme://namespace/rest`. An empty namespace changes nothing.
    pub(crate) fn under(mut self, namespace: &str) -> Self {
        if namespace.is_empty() {
            return self;
        }
        self.tools = self.tools.into_iter().map(|tool| tool.under(namespace)).collect();
        self.resources = self.resources.into_iter().map(|resource| resource.under(namespace)).collect();
        self.prompts = self.prompts.into_iter().map(|prompt| prompt.under(namespace)).collect();
        self.completions = self.completions.into_iter().map(|completion| completion.under(namespace)).collect();
        self
    }
}
