//! Cache of the listed tools: annotations, arguments that are mirrored in headers, and output schemas.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::RawJson;
use ferromcp_core::header::{Annotation, InvalidAnnotation, scan};
use ferromcp_core::model::{ToolAnnotations, ToolDefinition};
use ferromcp_json_schema::LazyValidator;

use crate::limits::{MAX_CACHED_TOOLS, MAX_SCHEMA_BYTES};

/// Cache of the listed tools, up to a limit.
pub(crate) struct ToolCache {
    entries: Mutex<Entries>,
    /// Maximum size of all cached output schemas, in bytes. Zero if results are not validated.
    schema_bytes: usize,
}

#[derive(Default)]
struct Entries {
    tools: HashMap<String, Arc<CachedTool>>,
    schema_bytes: usize,
}

/// Cached properties of one tool.
pub(crate) struct CachedTool {
    pub(crate) annotations: Option<ToolAnnotations>,
    /// The arguments that are mirrored in headers, or the reason why the tool cannot be called over HTTP.
    pub(crate) header_annotations: Result<Arc<[Annotation]>, InvalidAnnotation>,
    /// Validator for the output schema.
    pub(crate) output: Option<Arc<LazyValidator>>,
    /// Version of the list of tools in which the tool was listed.
    pub(crate) list_version: u64,
}

impl CachedTool {
    /// Returns whether the annotations declare the tool read-only or idempotent, so that a call can be retried.
    pub(crate) fn is_idempotent(&self) -> bool {
        let hints = self.annotations.as_ref();
        let is_set = |hint: fn(&ToolAnnotations) -> Option<bool>| hints.and_then(hint) == Some(true);
        is_set(|hints| hints.read_only_hint) || is_set(|hints| hints.idempotent_hint)
    }

    fn schema_bytes(&self) -> usize {
        self.output.as_ref().map_or(0, |schema| schema.source().len())
    }
}

impl ToolCache {
    pub(crate) fn new(validate_output: bool) -> Self {
        let schema_bytes = if validate_output { MAX_SCHEMA_BYTES } else { 0 };
        Self { entries: Mutex::default(), schema_bytes }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Inserts a tool as listed in version `list_version` of the list.
    pub(crate) fn insert(&self, tool: &ToolDefinition, list_version: u64) -> Arc<CachedTool> {
        let (annotations, header_annotations) = (tool.annotations.clone(), scan(&tool.input_schema).map(Arc::from));
        let mut entries = self.entries();
        let previous = entries.tools.get(&tool.name).cloned();
        let used_bytes = entries.schema_bytes - previous.as_ref().map_or(0, |tool| tool.schema_bytes());
        let output =
            tool.output_schema.as_ref().and_then(|schema| self.output(previous.as_deref(), schema, used_bytes));
        let cached = Arc::new(CachedTool { annotations, header_annotations, output, list_version });
        if entries.tools.len() < MAX_CACHED_TOOLS || previous.is_some() {
            entries.schema_bytes = used_bytes + cached.schema_bytes();
            entries.tools.insert(tool.name.clone(), Arc::clone(&cached));
        }
        cached
    }

    /// Returns a validator for `schema`. Reuses the previous one if the schema is unchanged, so that it compiles once.
    fn output(&self, previous: Option<&CachedTool>, schema: &RawJson, used_bytes: usize) -> Option<Arc<LazyValidator>> {
        if let Some(same) =
            previous.and_then(|tool| tool.output.as_ref()).filter(|tool| tool.source() == schema.as_str())
        {
            return Some(Arc::clone(same));
        }
        if schema.as_str().len() > self.schema_bytes.saturating_sub(used_bytes) {
            tracing::debug!(limit = self.schema_bytes, "an output schema is not cached: the cache is full or disabled");
            return None;
        }
        // The validator copies the text, so that it does not keep the frame of the whole list alive.
        Some(Arc::new(LazyValidator::new(schema.as_str())))
    }

    /// Returns the cached properties of the tool `name`.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<CachedTool>> {
        self.entries().tools.get(name).cloned()
    }

    /// Removes all tools.
    pub(crate) fn clear(&self) {
        *self.entries() = Entries::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_schema_is_not_cached_when_limit_is_exceeded_or_validation_is_disabled() {
        let schema = || RawJson::parse(r#"{"type":"object"}"#).unwrap();
        let mut tool = ToolDefinition::new("add", schema());
        tool.output_schema = Some(schema());
        let has_output = |cache: &ToolCache| cache.insert(&tool, 1).output.is_some();
        assert!(has_output(&ToolCache::new(true)));
        assert!(!has_output(&ToolCache::new(false)));
        let small = ToolCache { schema_bytes: 10, ..ToolCache::new(true) };
        assert!(!has_output(&small) && small.get("add").is_some());
    }
}
