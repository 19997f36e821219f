//! What is remembered of a server's tools: how they behave, and which arguments are repeated in headers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::header::{Annotation, BadAnnotation, scan};
use ferromcp_core::model::{Tool, ToolAnnotations};

/// The tools that were listed, up to a limit.
pub(crate) struct Toolbox {
    tools: Mutex<HashMap<String, Arc<Known>>>,
    limit: usize,
}

/// What is remembered of one tool.
pub(crate) struct Known {
    pub(crate) annotations: Option<ToolAnnotations>,
    /// The arguments that are repeated in headers, or why the tool cannot be called over HTTP.
    pub(crate) marks: Result<Arc<[Annotation]>, BadAnnotation>,
}

impl Known {
    /// Whether a call can be repeated without doing anything twice, by the server's own word.
    pub(crate) fn is_safe(&self) -> bool {
        let hints = self.annotations.as_ref();
        let said = |hint: fn(&ToolAnnotations) -> Option<bool>| hints.and_then(hint) == Some(true);
        said(|hints| hints.read_only_hint) || said(|hints| hints.idempotent_hint)
    }
}

impl Toolbox {
    pub(crate) fn new(limit: usize) -> Self {
        Self { tools: Mutex::default(), limit }
    }

    fn tools(&self) -> MutexGuard<'_, HashMap<String, Arc<Known>>> {
        self.tools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a tool as it was listed.
    pub(crate) fn learn(&self, tool: &Tool) -> Arc<Known> {
        let known =
            Arc::new(Known { annotations: tool.annotations.clone(), marks: scan(&tool.input_schema).map(Arc::from) });
        let mut tools = self.tools();
        if tools.len() < self.limit || tools.contains_key(&tool.name) {
            tools.insert(tool.name.clone(), Arc::clone(&known));
        }
        known
    }

    /// What is known of the tool `name`.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Known>> {
        self.tools().get(name).cloned()
    }

    /// The tools may be others now.
    pub(crate) fn forget(&self) {
        self.tools().clear();
    }
}
