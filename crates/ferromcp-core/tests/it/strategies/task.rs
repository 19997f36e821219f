//! Strategies for tasks (2025-11-25).

use serde_json::Value;

use super::basic::*;

/// A task, with or without `_meta`.
pub(crate) fn task(with_meta: bool) -> Json {
    let mut fields = vec![
        must("taskId", non_empty_text()),
        must("status", one_of(&["working", "input_required", "completed", "failed", "cancelled"])),
        may("statusMessage", text()),
        must("createdAt", time()),
        must("lastUpdatedAt", time()),
        must("ttl", either([constant(Value::Null), count()])),
        may("pollInterval", count()),
    ];
    if with_meta {
        fields.push(may("_meta", meta()));
    }
    object(fields)
}

/// A request for execution as a task.
pub(crate) fn wish() -> Json {
    object([may("ttl", count())])
}
