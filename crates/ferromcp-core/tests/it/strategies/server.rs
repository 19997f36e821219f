//! Strategies for messages of a server: results, input requests, requests, notifications, errors.

use proptest::prelude::*;
use serde_json::json;

use super::basic::*;
use super::client::{cancelled, progress, with_meta};
use super::content::*;
use super::elicit::ElicitPeer;
use super::{Fill, MethodJson, capability, elicit, listed, method_json, sampling, task};

/// Cache hints: required, absent, or optional.
fn hints(fill: Fill) -> Vec<Field> {
    let (ttl, scope) = (count(), one_of(&["public", "private"]));
    match fill {
        Fill::Legacy => Vec::new(),
        Fill::Modern => vec![must("ttlMs", ttl), must("cacheScope", scope)],
        Fill::Both => vec![may("ttlMs", ttl), may("cacheScope", scope)],
    }
}

/// Any result, with its method.
pub(crate) fn result(fill: Fill) -> BoxedStrategy<MethodJson> {
    let page = |name, of| {
        let fields = [must(name, list(of)), may("nextCursor", text())];
        with_meta(fields.into_iter().chain(hints(fill)))
    };
    let completion = object([must("values", list(text())), may("total", count()), may("hasMore", boolean())]);
    let call = with_meta([
        must("content", list(content_block())),
        may("structuredContent", structured(fill.has_modern())),
        may("isError", boolean()),
    ]);
    let mut all = vec![
        method_json("tools/list", page("tools", listed::tool(fill))),
        method_json("tools/call", call),
        method_json("resources/list", page("resources", listed::resource())),
        method_json("resources/templates/list", page("resourceTemplates", listed::template())),
        method_json("resources/read", with_meta([must("contents", list(contents()))].into_iter().chain(hints(fill)))),
        method_json("prompts/list", page("prompts", listed::prompt())),
        method_json("prompts/get", with_meta([must("messages", list(prompt_message())), may("description", text())])),
        method_json("completion/complete", with_meta([must("completion", completion)])),
    ];
    if fill.has_legacy() {
        let initialize = [
            must("protocolVersion", text()),
            must("capabilities", capability::of_server(fill)),
            must("serverInfo", implementation()),
            may("instructions", text()),
        ];
        all.extend([
            method_json("initialize", with_meta(initialize)),
            method_json("ping", with_meta([])),
            method_json("logging/setLevel", with_meta([])),
            method_json("resources/subscribe", with_meta([])),
            method_json("tasks/get", task::task(true)),
            method_json("tasks/cancel", task::task(true)),
            method_json("tasks/result", with_meta([may("anything", any_json())])),
            method_json("tasks/list", with_meta([must("tasks", list(task::task(false))), may("nextCursor", text())])),
        ]);
    }
    if fill.has_modern() {
        let discover = [
            must("supportedVersions", list(non_empty_text())),
            must("capabilities", capability::of_server(fill)),
            may("instructions", text()),
        ];
        // The final result has a subscription id, which is set by the server.
        let closing = object([must("io.modelcontextprotocol/subscriptionId", id()), may("plain", any_json())]);
        all.extend([
            method_json("server/discover", with_meta(discover.into_iter().chain(hints(fill)))),
            method_json("subscriptions/listen", object([must("_meta", closing)])),
        ]);
    }
    proptest::strategy::Union::new(all).boxed()
}

/// The result of a call that is executed as a task (2025-11-25).
pub(crate) fn create_task() -> Json {
    with_meta([must("task", task::task(false))])
}

/// An `input_required` result.
pub(crate) fn input_required(fill: Fill) -> Json {
    let peer = if fill == Fill::Both { ElicitPeer::Both } else { ElicitPeer::Modern };
    let question = |method: &str, params| object([must("method", constant(method)), must("params", params)]);
    let question = either([
        question("elicitation/create", elicit::params(peer)),
        question("sampling/createMessage", sampling::params(fill)),
        constant(json!({ "method": "roots/list" })),
    ]);
    with_meta([may("inputRequests", members(question)), may("requestState", text())])
}

/// Any request (legacy era). `peer` determines the supported elicitation modes.
pub(crate) fn request(fill: Fill, peer: ElicitPeer) -> BoxedStrategy<MethodJson> {
    let with_token = || may("_meta", object([must("progressToken", id()), may("plain", any_json())]));
    let of_task = || object([must("taskId", non_empty_text()), with_token()]);
    proptest::strategy::Union::new([
        method_json("ping", object([with_token()])),
        method_json("sampling/createMessage", sampling::params(fill)),
        method_json("roots/list", object([with_token()])),
        method_json("elicitation/create", elicit::params(peer)),
        method_json("tasks/get", of_task()),
        method_json("tasks/result", of_task()),
        method_json("tasks/list", object([may("cursor", text()), with_token()])),
        method_json("tasks/cancel", of_task()),
    ])
    .boxed()
}

/// Any notification with its parameters.
pub(crate) fn notification() -> BoxedStrategy<MethodJson> {
    let levels = one_of(&["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]);
    let filter = object([
        may("toolsListChanged", boolean()),
        may("promptsListChanged", boolean()),
        may("resourcesListChanged", boolean()),
        may("resourceSubscriptions", list(uri())),
    ]);
    let of_stream = || may("_meta", object([must("io.modelcontextprotocol/subscriptionId", id())]));
    proptest::strategy::Union::new([
        method_json("notifications/cancelled", cancelled()),
        method_json("notifications/progress", progress()),
        method_json(
            "notifications/message",
            with_meta([must("level", levels), may("logger", text()), must("data", any_json())]),
        ),
        method_json("notifications/resources/updated", object([must("uri", uri()), of_stream()])),
        method_json("notifications/resources/list_changed", object([of_stream()])),
        method_json("notifications/tools/list_changed", object([of_stream()])),
        method_json("notifications/prompts/list_changed", object([of_stream()])),
        method_json("notifications/subscriptions/acknowledged", object([must("notifications", filter), of_stream()])),
        method_json("notifications/elicitation/complete", with_meta([must("elicitationId", non_empty_text())])),
        method_json("notifications/tasks/status", task::task(true)),
    ])
    .boxed()
}

/// Any error that a handler can return: each known code, with or without data.
pub(crate) fn error() -> Json {
    let plain = object([
        must("code", proptest::sample::select(CODES).prop_map(serde_json::Value::from).boxed()),
        must("message", text()),
        may("data", any_json()),
    ]);
    let with_data =
        |code: i64, data| object([must("code", constant(code)), must("message", text()), must("data", data)]);
    let elicitation = object([
        must("mode", constant("url")),
        must("message", text()),
        must("url", uri()),
        must("elicitationId", non_empty_text()),
    ]);
    either([
        plain,
        object([must("code", constant(-32020)), must("message", text())]),
        with_data(-32002, object([must("uri", uri())])),
        with_data(-32021, object([must("requiredCapabilities", capability::of_client(Fill::Modern))])),
        with_data(-32022, object([must("supported", list(non_empty_text())), must("requested", text())])),
        with_data(-32042, object([must("elicitations", list(elicitation))])),
    ])
}

/// Codes that are the same in every revision, and two application-defined codes.
pub(crate) const CODES: &[i64] = &[-32700, -32600, -32601, -32602, -32603, -1, 4711];
