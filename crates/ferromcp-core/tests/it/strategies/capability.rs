//! Strategies for capabilities.

use serde_json::json;

use super::Fill;
use super::basic::*;

/// Unknown capabilities: an object of objects.
fn foreign() -> Json {
    object([must("com.example/foreign", plain_object())])
}

fn list_changed() -> Json {
    object([may("listChanged", boolean())])
}

fn tasks(requests: serde_json::Value) -> Json {
    object([may("list", constant(json!({}))), may("cancel", constant(json!({}))), may("requests", constant(requests))])
}

/// Client capabilities.
pub(crate) fn of_client(fill: Fill) -> Json {
    let mut fields = vec![
        may("roots", list_changed()),
        may("sampling", object([may("context", plain_object()), may("tools", plain_object())])),
        may("elicitation", object([may("form", plain_object()), may("url", plain_object())])),
        may("experimental", foreign()),
    ];
    if fill.has_legacy() {
        fields
            .push(may("tasks", tasks(json!({ "sampling": { "createMessage": {} }, "elicitation": { "create": {} } }))));
    }
    if fill.has_modern() {
        fields.push(may("extensions", foreign()));
    }
    object(fields)
}

/// Server capabilities.
pub(crate) fn of_server(fill: Fill) -> Json {
    let mut fields = vec![
        may("completions", plain_object()),
        may("logging", plain_object()),
        may("prompts", list_changed()),
        may("resources", object([may("subscribe", boolean()), may("listChanged", boolean())])),
        may("tools", list_changed()),
        may("experimental", foreign()),
    ];
    if fill.has_legacy() {
        fields.push(may("tasks", tasks(json!({ "tools": { "call": {} } }))));
    }
    if fill.has_modern() {
        fields.push(may("extensions", foreign()));
    }
    object(fields)
}
