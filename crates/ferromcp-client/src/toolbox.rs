//! What is remembered of a server's tools: how they behave, which arguments are repeated in headers, and what their
//! results are to be like.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::RawJson;
use ferromcp_core::header::{Annotation, BadAnnotation, scan};
use ferromcp_core::model::{Tool, ToolAnnotations};

use crate::limits::ClientLimits;
use crate::validate::LazySchema;

/// The tools that were listed, up to a limit.
pub(crate) struct Toolbox {
    memory: Mutex<Memory>,
    limit: usize,
    /// How many bytes of output schemas are remembered; none where results are not checked.
    schema_bytes: usize,
}

#[derive(Default)]
struct Memory {
    tools: HashMap<String, Arc<Known>>,
    schema_bytes: usize,
}

/// What is remembered of one tool.
pub(crate) struct Known {
    pub(crate) annotations: Option<ToolAnnotations>,
    /// The arguments that are repeated in headers, or why the tool cannot be called over HTTP.
    pub(crate) marks: Result<Arc<[Annotation]>, BadAnnotation>,
    /// What its results are to be like.
    pub(crate) output: Option<Arc<LazySchema>>,
    /// How often the server had told that its tools changed when this was learnt.
    pub(crate) edition: u64,
}

impl Known {
    /// Whether a call can be repeated without doing anything twice, by the server's own word.
    pub(crate) fn is_safe(&self) -> bool {
        let hints = self.annotations.as_ref();
        let said = |hint: fn(&ToolAnnotations) -> Option<bool>| hints.and_then(hint) == Some(true);
        said(|hints| hints.read_only_hint) || said(|hints| hints.idempotent_hint)
    }

    fn schema_bytes(&self) -> usize {
        self.output.as_ref().map_or(0, |schema| schema.source().as_str().len())
    }
}

impl Toolbox {
    pub(crate) fn new(limits: &ClientLimits, checks_output: bool) -> Self {
        let schema_bytes = if checks_output { limits.schema_bytes } else { 0 };
        Self { memory: Mutex::default(), limit: limits.tools_remembered, schema_bytes }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a tool as it was listed in this edition of the list.
    pub(crate) fn learn(&self, tool: &Tool, edition: u64) -> Arc<Known> {
        let (annotations, marks) = (tool.annotations.clone(), scan(&tool.input_schema).map(Arc::from));
        let mut memory = self.memory();
        let before = memory.tools.get(&tool.name).cloned();
        let taken = memory.schema_bytes - before.as_ref().map_or(0, |known| known.schema_bytes());
        let output = tool.output_schema.as_ref().and_then(|schema| self.output(before.as_deref(), schema, taken));
        let known = Arc::new(Known { annotations, marks, output, edition });
        if memory.tools.len() < self.limit || before.is_some() {
            memory.schema_bytes = taken + known.schema_bytes();
            memory.tools.insert(tool.name.clone(), Arc::clone(&known));
        }
        known
    }

    /// A schema to check results by: the one there was if it is the same, so that it is prepared once.
    fn output(&self, before: Option<&Known>, schema: &RawJson, taken: usize) -> Option<Arc<LazySchema>> {
        if let Some(same) = before.and_then(|known| known.output.as_ref()).filter(|known| known.source() == schema) {
            return Some(Arc::clone(same));
        }
        if schema.as_str().len() > self.schema_bytes.saturating_sub(taken) {
            tracing::debug!("an output schema is not remembered: there is no room for it");
            return None;
        }
        // A copy, which does not hold on to the whole list.
        RawJson::parse(schema.as_str()).ok().map(|schema| Arc::new(LazySchema::new(schema)))
    }

    /// What is known of the tool `name`.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Known>> {
        self.memory().tools.get(name).cloned()
    }

    /// The tools may be others now.
    pub(crate) fn forget(&self) {
        *self.memory() = Memory::default();
    }
}
