//! What a server says: results, questions, requests, notifications, errors.

use proptest::prelude::*;
use serde_json::json;

use super::basic::*;
use super::client::{cancelled, noted, progress};
use super::content::*;
use super::elicit::Asked;
use super::{Fill, Said, capability, elicit, listed, said, sampling, task};

/// Caching hints: there, absent, or either.
fn hints(fill: Fill) -> Vec<Field> {
    let (ttl, scope) = (count(), one_of(&["public", "private"]));
    match fill {
        Fill::Legacy => Vec::new(),
        Fill::Modern => vec![must("ttlMs", ttl), must("cacheScope", scope)],
        Fill::Both => vec![may("ttlMs", ttl), may("cacheScope", scope)],
    }
}

/// Any result, under the method it answers.
pub(crate) fn result(fill: Fill) -> BoxedStrategy<Said> {
    let page = |name, of| {
        let fields = [must(name, list(of)), may("nextCursor", text())];
        noted(fields.into_iter().chain(hints(fill)))
    };
    let completion = object([must("values", list(text())), may("total", count()), may("hasMore", boolean())]);
    let call = noted([
        must("content", list(content_block())),
        may("structuredContent", structured(fill.has_modern())),
        may("isError", boolean()),
    ]);
    let mut all = vec![
        said("tools/list", page("tools", listed::tool(fill))),
        said("tools/call", call),
        said("resources/list", page("resources", listed::resource())),
        said("resources/templates/list", page("resourceTemplates", listed::template())),
        said("resources/read", noted([must("contents", list(contents()))].into_iter().chain(hints(fill)))),
        said("prompts/list", page("prompts", listed::prompt())),
        said("prompts/get", noted([must("messages", list(prompt_message())), may("description", text())])),
        said("completion/complete", noted([must("completion", completion)])),
    ];
    if fill.has_legacy() {
        let initialize = [
            must("protocolVersion", text()),
            must("capabilities", capability::of_server(fill)),
            must("serverInfo", implementation()),
            may("instructions", text()),
        ];
        all.extend([
            said("initialize", noted(initialize)),
            said("ping", noted([])),
            said("logging/setLevel", noted([])),
            said("resources/subscribe", noted([])),
            said("tasks/get", task::task(true)),
            said("tasks/cancel", task::task(true)),
            said("tasks/result", noted([may("anything", any_json())])),
            said("tasks/list", noted([must("tasks", list(task::task(false))), may("nextCursor", text())])),
        ]);
    }
    if fill.has_modern() {
        let discover = [
            must("supportedVersions", list(word())),
            must("capabilities", capability::of_server(fill)),
            may("instructions", text()),
        ];
        // The closing result names its subscription; the engine that knows it puts it there.
        let closing = object([must("io.modelcontextprotocol/subscriptionId", id()), may("plain", any_json())]);
        all.extend([
            said("server/discover", noted(discover.into_iter().chain(hints(fill)))),
            said("subscriptions/listen", object([must("_meta", closing)])),
        ]);
    }
    proptest::strategy::Union::new(all).boxed()
}

/// A call that became a task (2025-11-25).
pub(crate) fn create_task() -> Json {
    noted([must("task", task::task(false))])
}

/// Questions in place of a result.
pub(crate) fn input_required(fill: Fill) -> Json {
    let asked = if fill == Fill::Both { Asked::Both } else { Asked::Modern };
    let question = |method: &str, params| object([must("method", constant(method)), must("params", params)]);
    let question = either([
        question("elicitation/create", elicit::params(asked)),
        question("sampling/createMessage", sampling::params(fill)),
        constant(json!({ "method": "roots/list" })),
    ]);
    noted([may("inputRequests", members(question)), may("requestState", text())])
}

/// Any request (legacy era). `asked` says which questions its peer knows.
pub(crate) fn request(fill: Fill, asked: Asked) -> BoxedStrategy<Said> {
    let with_token = || may("_meta", object([must("progressToken", id()), may("plain", any_json())]));
    let of_task = || object([must("taskId", word()), with_token()]);
    proptest::strategy::Union::new([
        said("ping", object([with_token()])),
        said("sampling/createMessage", sampling::params(fill)),
        said("roots/list", object([with_token()])),
        said("elicitation/create", elicit::params(asked)),
        said("tasks/get", of_task()),
        said("tasks/result", of_task()),
        said("tasks/list", object([may("cursor", text()), with_token()])),
        said("tasks/cancel", of_task()),
    ])
    .boxed()
}

/// Any notification with its parameters.
pub(crate) fn notification() -> BoxedStrategy<Said> {
    let levels = one_of(&["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]);
    let filter = object([
        may("toolsListChanged", boolean()),
        may("promptsListChanged", boolean()),
        may("resourcesListChanged", boolean()),
        may("resourceSubscriptions", list(uri())),
    ]);
    let of_stream = || may("_meta", object([must("io.modelcontextprotocol/subscriptionId", id())]));
    proptest::strategy::Union::new([
        said("notifications/cancelled", cancelled()),
        said("notifications/progress", progress()),
        said("notifications/message", noted([must("level", levels), may("logger", text()), must("data", any_json())])),
        said("notifications/resources/updated", object([must("uri", uri()), of_stream()])),
        said("notifications/resources/list_changed", object([of_stream()])),
        said("notifications/tools/list_changed", object([of_stream()])),
        said("notifications/prompts/list_changed", object([of_stream()])),
        said("notifications/subscriptions/acknowledged", object([must("notifications", filter), of_stream()])),
        said("notifications/elicitation/complete", noted([must("elicitationId", word())])),
        said("notifications/tasks/status", task::task(true)),
    ])
    .boxed()
}

/// Any error that a handler may return: of each known code, with data or without.
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
        must("elicitationId", word()),
    ]);
    either([
        plain,
        object([must("code", constant(-32020)), must("message", text())]),
        with_data(-32002, object([must("uri", uri())])),
        with_data(-32021, object([must("requiredCapabilities", capability::of_client(Fill::Modern))])),
        with_data(-32022, object([must("supported", list(word())), must("requested", text())])),
        with_data(-32042, object([must("elicitations", list(elicitation))])),
    ])
}

/// The codes that stand for themselves in every revision, and two of somebody's own.
pub(crate) const CODES: &[i64] = &[-32700, -32600, -32601, -32602, -32603, -1, 4711];
