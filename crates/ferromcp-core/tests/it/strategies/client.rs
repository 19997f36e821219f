//! Strategies for messages of a client: requests, notifications, results.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::basic::*;
use super::content::implementation;
use super::{Fill, MethodJson, capability, elicit, method_json, sampling, task};

const LEVELS: &[&str] = &["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

/// The `_meta` of a request.
fn request_meta(fill: Fill) -> Field {
    let mut fields =
        vec![may("progressToken", id()), may("com.example/foreign", any_json()), may("traceparent", non_empty_text())];
    if fill.has_modern() {
        fields.extend([
            must("io.modelcontextprotocol/protocolVersion", constant("2026-07-28")),
            must("io.modelcontextprotocol/clientCapabilities", capability::of_client(fill)),
            may("io.modelcontextprotocol/clientInfo", implementation()),
            may("io.modelcontextprotocol/logLevel", one_of(LEVELS)),
        ]);
        return must("_meta", object(fields));
    }
    // An empty `_meta` is serialized like an absent one.
    let meta = object(fields).prop_map(|meta| match meta {
        Value::Object(members) if members.is_empty() => json!({ "plain": 1 }),
        meta => meta,
    });
    may("_meta", meta.boxed())
}

/// The fields of a request that answers an `input_required` result.
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
pub(crate) fn request(fill: Fill) -> BoxedStrategy<MethodJson> {
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
        // Empty arguments are serialized like absent arguments.
        Value::Object(members) if members.is_empty() => json!({}),
        arguments => json!({ "arguments": arguments }),
    });
    let complete = [
        must("ref", reference),
        must("argument", object([must("name", text()), must("value", text())])),
        may("context", context.boxed()),
    ];
    let mut all = vec![
        method_json("tools/list", paged()),
        method_json("tools/call", params(fill, call)),
        method_json("resources/list", paged()),
        method_json("resources/templates/list", paged()),
        method_json("resources/read", params(fill, read)),
        method_json("prompts/list", paged()),
        method_json("prompts/get", params(fill, get)),
        method_json("completion/complete", params(fill, complete)),
    ];
    if fill.has_legacy() {
        let initialize = [
            must("protocolVersion", text()),
            must("capabilities", capability::of_client(fill)),
            must("clientInfo", implementation()),
        ];
        let of_task = || params(fill, [must("taskId", non_empty_text())]);
        all.extend([
            method_json("initialize", params(fill, initialize)),
            method_json("ping", params(fill, [])),
            method_json("resources/subscribe", params(fill, [must("uri", uri())])),
            method_json("resources/unsubscribe", params(fill, [must("uri", uri())])),
            method_json("logging/setLevel", params(fill, [must("level", one_of(LEVELS))])),
            method_json("tasks/get", of_task()),
            method_json("tasks/result", of_task()),
            method_json("tasks/list", paged()),
            method_json("tasks/cancel", of_task()),
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
            method_json("server/discover", params(fill, [])),
            method_json("subscriptions/listen", params(fill, [must("notifications", filter)])),
        ]);
    }
    proptest::strategy::Union::new(all).boxed()
}

/// An object with `_meta` and these members.
pub(super) fn with_meta(fields: impl IntoIterator<Item = Field>) -> Json {
    object(fields.into_iter().chain([may("_meta", meta())]))
}

/// A progress notification, which both sides can send.
pub(super) fn progress() -> Json {
    with_meta([must("progressToken", id()), must("progress", number()), may("total", number()), may("message", text())])
}

/// A cancellation. `requestId` is optional only in the types of 2025-11-25.
pub(super) fn cancelled() -> Json {
    with_meta([must("requestId", id()), may("reason", text())])
}

/// Any notification with its parameters.
pub(crate) fn notification() -> BoxedStrategy<MethodJson> {
    proptest::strategy::Union::new([
        method_json("notifications/initialized", with_meta([])),
        method_json("notifications/cancelled", cancelled()),
        method_json("notifications/progress", progress()),
        method_json("notifications/roots/list_changed", with_meta([])),
        method_json("notifications/tasks/status", task::task(true)),
    ])
    .boxed()
}

/// Any result, with its method. `several` enables multiple choices.
pub(crate) fn result(fill: Fill, several: bool) -> BoxedStrategy<MethodJson> {
    let root = object([must("uri", constant("file:///w")), may("name", text()), may("_meta", meta())]);
    proptest::strategy::Union::new([
        method_json("ping", with_meta([])),
        method_json("sampling/createMessage", sampling::result(fill)),
        method_json("roots/list", with_meta([must("roots", list(root))])),
        method_json("elicitation/create", elicit::result(several, true)),
        method_json("tasks/get", task::task(true)),
        method_json("tasks/cancel", task::task(true)),
        method_json("tasks/result", with_meta([may("anything", any_json())])),
        method_json("tasks/list", with_meta([must("tasks", list(task::task(false))), may("nextCursor", text())])),
    ])
    .boxed()
}
