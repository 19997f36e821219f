//! What a client says: requests, notifications, results.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::basic::*;
use super::content::implementation;
use super::{Fill, Said, capability, elicit, said, sampling, task};

const LEVELS: &[&str] = &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// The `_meta` of a request.
fn request_meta(fill: Fill) -> Field {
    let mut fields =
        vec![may("progressToken", id()), may("com.example/foreign", any_json()), may("traceparent", word())];
    if fill.has_modern() {
        fields.extend([
            must("io.modelcontextprotocol/protocolVersion", constant("2026-07-28")),
            must("io.modelcontextprotocol/clientCapabilities", capability::of_client(fill)),
            may("io.modelcontextprotocol/clientInfo", implementation()),
            may("io.modelcontextprotocol/logLevel", one_of(LEVELS)),
        ]);
        return must("_meta", object(fields));
    }
    // An empty `_meta` is written like an absent one.
    let meta = object(fields).prop_map(|meta| match meta {
        Value::Object(members) if members.is_empty() => json!({ "plain": 1 }),
        meta => meta,
    });
    may("_meta", meta.boxed())
}

/// What an attempt brings after it was asked something.
fn answers(fill: Fill) -> Vec<Field> {
    if !fill.has_modern() {
        return Vec::new();
    }
    let answer = either([
        sampling::result(Fill::Modern),
        elicit::result(true, false),
        object([must("roots", list(object([must("uri", constant("file:///w")), may("name", text())])))]),
    ]);
    vec![may("inputResponses", members(answer)), may("requestState", text())]
}

fn params(fill: Fill, fields: impl IntoIterator<Item = Field>) -> Json {
    object(fields.into_iter().chain([request_meta(fill)]))
}

/// Any request with its parameters.
pub(crate) fn request(fill: Fill) -> BoxedStrategy<Said> {
    let paged = || params(fill, [may("cursor", text())]);
    let mut call = vec![must("name", text()), may("arguments", open_object())];
    if fill.has_legacy() {
        call.push(may("task", task::wish()));
    }
    call.extend(answers(fill));
    let get = [must("name", text()), may("arguments", members(text()))].into_iter().chain(answers(fill));
    let read = [must("uri", uri())].into_iter().chain(answers(fill));
    let reference = either([
        object([must("type", constant("ref/prompt")), must("name", text()), may("title", text())]),
        object([must("type", constant("ref/resource")), must("uri", uri())]),
    ]);
    let context = members(text()).prop_map(|arguments| match arguments {
        // No arguments are written like an absent object of them.
        Value::Object(members) if members.is_empty() => json!({}),
        arguments => json!({ "arguments": arguments }),
    });
    let complete = [
        must("ref", reference),
        must("argument", object([must("name", text()), must("value", text())])),
        may("context", context.boxed()),
    ];
    let mut all = vec![
        said("tools/list", paged()),
        said("tools/call", params(fill, call)),
        said("resources/list", paged()),
        said("resources/templates/list", paged()),
        said("resources/read", params(fill, read)),
        said("prompts/list", paged()),
        said("prompts/get", params(fill, get)),
        said("completion/complete", params(fill, complete)),
    ];
    if fill.has_legacy() {
        let initialize = [
            must("protocolVersion", text()),
            must("capabilities", capability::of_client(fill)),
            must("clientInfo", implementation()),
        ];
        let of_task = || params(fill, [must("taskId", word())]);
        all.extend([
            said("initialize", params(fill, initialize)),
            said("ping", params(fill, [])),
            said("resources/subscribe", params(fill, [must("uri", uri())])),
            said("resources/unsubscribe", params(fill, [must("uri", uri())])),
            said("logging/setLevel", params(fill, [must("level", one_of(LEVELS))])),
            said("tasks/get", of_task()),
            said("tasks/result", of_task()),
            said("tasks/list", paged()),
            said("tasks/cancel", of_task()),
        ]);
    }
    if fill.has_modern() {
        let filter = object([
            may("toolsListChanged", boolean()),
            may("promptsListChanged", boolean()),
            may("resourcesListChanged", boolean()),
            may("resourceSubscriptions", list(uri())),
        ]);
        all.extend([
            said("server/discover", params(fill, [])),
            said("subscriptions/listen", params(fill, [must("notifications", filter)])),
        ]);
    }
    proptest::strategy::Union::new(all).boxed()
}

/// `_meta` and these.
pub(super) fn noted(fields: impl IntoIterator<Item = Field>) -> Json {
    object(fields.into_iter().chain([may("_meta", meta())]))
}

/// Progress, which both sides may report.
pub(super) fn progress() -> Json {
    noted([must("progressToken", id()), must("progress", number()), may("total", number()), may("message", text())])
}

/// A cancellation. Its `requestId` may be absent in 2025-11-25 only, and then only by its type.
pub(super) fn cancelled() -> Json {
    noted([must("requestId", id()), may("reason", text())])
}

/// Any notification with its parameters.
pub(crate) fn notification() -> BoxedStrategy<Said> {
    proptest::strategy::Union::new([
        said("notifications/initialized", noted([])),
        said("notifications/cancelled", cancelled()),
        said("notifications/progress", progress()),
        said("notifications/roots/list_changed", noted([])),
        said("notifications/tasks/status", task::task(true)),
    ])
    .boxed()
}

/// Any result, under the method it answers. `several` is for peers that can ask for several choices.
pub(crate) fn result(fill: Fill, several: bool) -> BoxedStrategy<Said> {
    let root = object([must("uri", constant("file:///w")), may("name", text()), may("_meta", meta())]);
    proptest::strategy::Union::new([
        said("ping", noted([])),
        said("sampling/createMessage", sampling::result(fill)),
        said("roots/list", noted([must("roots", list(root))])),
        said("elicitation/create", elicit::result(several, true)),
        said("tasks/get", task::task(true)),
        said("tasks/cancel", task::task(true)),
        said("tasks/result", noted([may("anything", any_json())])),
        said("tasks/list", noted([must("tasks", list(task::task(false))), may("nextCursor", text())])),
    ])
    .boxed()
}
