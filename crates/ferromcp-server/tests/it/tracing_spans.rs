//! Spans and log events recorded by a `tracing` subscriber.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use ferromcp_core::RequestId;
use ferromcp_core::Revision;
use ferromcp_core::model::ResourceDefinition;
use ferromcp_server::{Prompt, Resource, Server, Tool, ToolError};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::client::{Case, Client};

/// Records the fields of all spans and events, in order.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<BTreeMap<String, String>>>>);

struct Fields<'a>(&'a mut BTreeMap<String, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut all = self.0.lock().unwrap();
        let mut fields = BTreeMap::from([("span".to_owned(), span.metadata().name().to_owned())]);
        span.record(&mut Fields(&mut fields));
        all.push(fields);
        Id::from_u64(all.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let index = usize::try_from(span.into_u64()).unwrap() - 1;
        values.record(&mut Fields(&mut self.0.lock().unwrap()[index]));
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::from([("level".to_owned(), event.metadata().level().to_string())]);
        event.record(&mut Fields(&mut fields));
        self.0.lock().unwrap().push(fields);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Recorder {
    /// Returns the fields of the span for a request id.
    fn span(&self, id: i64) -> BTreeMap<String, String> {
        let all = self.0.lock().unwrap();
        let mut spans = all.iter().filter(|fields| fields.get("jsonrpc.request.id") == Some(&id.to_string()));
        spans.next().unwrap_or_else(|| panic!("no span for {id}: {all:?}")).clone()
    }

    fn events(&self) -> Vec<BTreeMap<String, String>> {
        self.0.lock().unwrap().iter().filter(|fields| fields.contains_key("level")).cloned().collect()
    }
}

fn server() -> Server {
    Server::new("tracing", "0")
        .with_tool(Tool::sync("hi", || "hi"))
        .with_tool(Tool::new("late", || async {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            Err::<String, _>(ToolError::new("no"))
        }))
        .with_tool(Tool::sync("panics", || -> String { panic!("the secret") }))
        .with_tool(Tool::new("hold", || async {
            std::future::pending::<()>().await;
            ""
        }))
        .with_prompt(Prompt::sync("ask", || "?"))
        .with_resource(Resource::sync("notes://one", || "1"))
}

#[tokio::test]
async fn span_has_semantic_convention_fields_when_request_is_served() {
    // M26-065, S-038
    for case in Case::all() {
        let recorder = Recorder::default();
        let _on = tracing::subscriber::set_default(recorder.clone());
        let mut client = Client::connect(server(), case).await;
        let trace = json!({ "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "a=b", "baggage": "c=d" });
        let id = client.start("tools/call", json!({ "name": "hi", "_meta": trace }));
        client.answer(id).await;
        let span = recorder.span(id);
        for (field, expected) in [
            ("span", "mcp.call"),
            ("otel.name", "tools/call hi"),
            ("otel.kind", "server"),
            ("mcp.method.name", "tools/call"),
            ("mcp.protocol.version", case.revision.as_str()),
            ("gen_ai.operation.name", "execute_tool"),
            ("gen_ai.tool.name", "hi"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("tracestate", "a=b"),
            ("baggage", "c=d"),
        ] {
            assert_eq!(span.get(field).map(String::as_str), Some(expected), "{field}: {span:?}");
        }
        assert!(!span.contains_key("error.type") && !span.contains_key("otel.status_code"), "{span:?}");
        for (method, params, field, expected) in [
            ("tools/call", json!({ "name": "late" }), "error.type", "tool_error"),
            ("tools/call", json!({ "name": "late" }), "otel.status_code", "ERROR"),
            ("tools/call", json!({ "name": "unknown" }), "error.type", "-32602"),
            ("tools/call", json!({ "name": "unknown" }), "rpc.response.status_code", "-32602"),
            ("prompts/get", json!({ "name": "ask" }), "gen_ai.prompt.name", "ask"),
            ("resources/read", json!({ "uri": "notes://one" }), "mcp.resource.uri", "notes://one"),
            ("tools/list", json!({}), "otel.name", "tools/list"),
            ("unknown/method", json!({}), "error.type", "-32601"),
            ("unknown/method", json!({}), "otel.status_code", "ERROR"),
        ] {
            let id = client.start(method, params);
            client.answer(id).await;
            let span = recorder.span(id);
            assert_eq!(span.get(field).map(String::as_str), Some(expected), "{method} {field}: {span:?}");
        }
    }
}

#[tokio::test]
async fn request_succeeds_when_trace_context_is_invalid() {
    // M26-044, M26-065, S-030
    for case in Case::all() {
        let recorder = Recorder::default();
        let _on = tracing::subscriber::set_default(recorder.clone());
        let mut client = Client::connect(server(), case).await;
        for parent in [json!(""), json!("x"), json!(7), json!({}), json!(null)] {
            let result = client.result("tools/call", json!({ "name": "hi", "_meta": { "traceparent": parent } })).await;
            assert_eq!(result["content"][0]["text"], "hi", "{parent}");
        }
    }
}

#[tokio::test]
async fn events_are_logged_when_handler_panics_or_request_is_cancelled() {
    // M26-299, S-221
    for case in Case::all() {
        let recorder = Recorder::default();
        let _on = tracing::subscriber::set_default(recorder.clone());
        let mut client = Client::connect(server(), case).await;
        client.error("tools/call", json!({ "name": "panics" })).await;
        let id = client.start_call("hold", json!({}));
        client.assert_alive().await;
        client.cancel(id);
        client.assert_alive().await;
        let events = recorder.events();
        let has =
            |field: &str, text: &str| events.iter().any(|event| event.get(field).is_some_and(|it| it.contains(text)));
        assert!(has("panic", "the secret"), "{events:?}");
        assert!(has("reason", "no longer wanted"), "{events:?}");
    }
}

#[tokio::test]
async fn span_omits_request_id_when_call_is_in_process() {
    // M26-065
    use ferromcp_core::ClientRequest;
    use ferromcp_core::model::EmptyParams;
    use ferromcp_server::{Call, Peer};

    let recorder = Recorder::default();
    let _on = tracing::subscriber::set_default(recorder.clone());
    let call = || Call::new(ClientRequest::Ping(EmptyParams::default()), Peer::new(Revision::LATEST_LEGACY));
    server().call(call()).await;
    server().call(call().id(RequestId::from("x"))).await;
    let spans = recorder.0.lock().unwrap().clone();
    assert_eq!(spans.len(), 2, "{spans:?}");
    assert_eq!(
        (spans[0].get("jsonrpc.request.id"), spans[1].get("jsonrpc.request.id").map(String::as_str)),
        (None, Some("x"))
    );
    assert_eq!(Value::from(spans[0]["mcp.method.name"].clone()), "ping");
}

#[tokio::test]
async fn host_warnings_are_logged_once_when_server_starts() {
    // S3
    let recorder = Recorder::default();
    let _guard = tracing::subscriber::set_default(recorder.clone());
    let warnings = || -> Vec<String> {
        let events = recorder.events().into_iter().filter(|fields| fields["level"] == "WARN");
        events.filter_map(|fields| fields.get("message").cloned()).filter(|text| text.contains("rejected by")).collect()
    };
    let mut server = Server::new("hosts", "0").with_tool(Tool::sync("files.read", || ""));
    assert_eq!(warnings(), [""; 0], "not while the server is built");
    server.check().unwrap();
    server.open().await.unwrap();
    let first = "tool `files.read` is rejected by Claude Desktop";
    assert!(warnings().len() == 1 && warnings()[0].starts_with(first), "{:?}", warnings());
    server.open().await.unwrap();
    assert_eq!(warnings().len(), 1);
    server.registry().add_tool(Tool::sync("files.write", || "")).unwrap();
    assert!(warnings().len() == 2 && warnings()[1].starts_with("tool `files.write`"), "{:?}", warnings());
    server.registry().add_tool(Tool::sync("fine", || "")).unwrap();
    assert_eq!(warnings().len(), 2);
    // The number of warnings that are logged at once is limited.
    server = Server::new("hosts", "0");
    for n in 0..30 {
        server = server.with_tool(Tool::sync(format!("a.{n}"), || ""));
    }
    assert_eq!(server.host_warnings().len(), 30);
    server.open().await.unwrap();
    assert_eq!(warnings().len(), 22);
    let more = "10 more warnings about tools that hosts reject; `Server::host_warnings` returns all";
    assert!(recorder.events().iter().any(|fields| fields.get("message").is_some_and(|text| text == more)));
}

#[tokio::test]
async fn warning_names_function_template_and_namespace_when_list_function_fails() {
    fn broken_list() -> Result<Vec<ResourceDefinition>, ToolError> {
        Err(ToolError::new("no\ndatabase"))
    }
    let notes = || {
        let template = Resource::sync("note://{id}", |id: String| id).args(["id"]).list(broken_list);
        Server::new("notes", "0").with_resource(Resource::sync("notes://one", || "1")).with_resource(template)
    };
    for (server, template, namespace) in
        [(notes(), "note://{id}", ""), (Server::new("outer", "0").mount("in", notes()), "note://in/{id}", "in")]
    {
        let recorder = Recorder::default();
        let _on = tracing::subscriber::set_default(recorder.clone());
        let mut client = Client::connect(server, Case::eras()[1]).await;
        client.result("resources/list", Value::Null).await;
        let events = recorder.events();
        let warning = events.iter().find(|event| event.contains_key("template")).expect("a warning is logged");
        assert!(warning["function"].ends_with("broken_list"), "{warning:?}");
        assert_eq!((&*warning["level"], &*warning["template"], &*warning["namespace"]), ("WARN", template, namespace));
        assert_eq!(warning["error"], r"no\ndatabase");
    }
}
