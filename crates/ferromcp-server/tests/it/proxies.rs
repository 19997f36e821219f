//! Middleware that implements declared capabilities, as a proxy for another server does.

use ferromcp_core::model::{
    CallToolResult, ListChanged, ListToolsResult, LogLevel, LogMessageParams, ResourcesCapability, ServerCapabilities,
    ToolDefinition,
};
use ferromcp_core::model::{CreateMessageParams, ElicitParams, FormParams, FormSchema, InputRequest, SamplingMessage};
use ferromcp_core::{ClientRequest, Error, RawJson, ServerNotification, ServerResult};
use ferromcp_server::middleware::Next;
use ferromcp_server::{Call, QuestionError, Reply, Server};
use serde_json::{Value, json};

use crate::client::{Case, Client};
use crate::server_requests::all_capabilities;

fn capabilities() -> ServerCapabilities {
    let resources = ResourcesCapability::default().subscribe(true);
    ServerCapabilities::default()
        .tools(ListChanged::default().list_changed(true))
        .resources(resources)
        .completions(RawJson::empty_object())
}

fn question(text: &str) -> InputRequest {
    InputRequest::Elicit(ElicitParams::Form(FormParams::new(text, FormSchema::new(Vec::new()))))
}

/// Lists one tool, and forwards its question to a client with a session.
async fn proxy(call: Call, next: Next) -> Reply {
    match &call.request {
        ClientRequest::ListTools(_) => {
            let schema = RawJson::parse(r#"{"type":"object"}"#).expect("valid JSON");
            Reply::Done(ListToolsResult::new(vec![ToolDefinition::new("far", schema)]).into())
        }
        ClientRequest::CallTool(_) => {
            let message = LogMessageParams::new(LogLevel::Error, RawJson::from(json!("from afar")));
            call.sink.notify(ServerNotification::Message(message), &call.peer).await;
            let answer = call.sink.request_input(question("Who?"), &call.peer).await;
            let text = answer.map_or_else(|error: QuestionError| error.to_string(), |json| json.as_str().to_owned());
            Reply::Done(ServerResult::from(CallToolResult::text(text)))
        }
        _ => next.run(call).await,
    }
}

fn server() -> Server {
    Server::new("near", "0").declare_capabilities(capabilities()).wrap(proxy)
}

#[tokio::test]
async fn declared_capabilities_are_advertised_without_items() {
    for case in Case::all() {
        let mut client = Client::raw(server(), case);
        let result = if case.is_modern() {
            client.result("server/discover", json!({})).await
        } else {
            client.initialize().await
        };
        let declared = &result["capabilities"];
        assert_eq!(declared["tools"], json!({ "listChanged": true }), "{result}");
        assert_eq!(declared["resources"], json!({ "subscribe": true }), "{result}");
        assert_eq!(declared["prompts"], Value::Null, "{result}");
        assert_eq!(client.result("tools/list", json!({})).await["tools"][0]["name"], "far");
        // Requests that the middleware passes on are handled by the registered items.
        assert_eq!(client.result("resources/list", json!({})).await["resources"], json!([]));
        assert_eq!(client.error("prompts/list", json!({})).await["code"], -32601);
    }
}

#[tokio::test]
async fn changes_of_declared_lists_and_resources_are_notified() {
    for case in Case::all() {
        let server = server();
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        if case.is_modern() {
            let wanted =
                json!({ "toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["x:a"] });
            client.start("subscriptions/listen", json!({ "notifications": wanted }));
            let acknowledged = client.recv().await;
            let expected = json!({ "toolsListChanged": true, "resourceSubscriptions": ["x:a"] });
            assert_eq!(acknowledged["params"]["notifications"], expected, "{acknowledged}");
        } else {
            client.result("resources/subscribe", json!({ "uri": "x:a" })).await;
            client.assert_alive().await;
        }
        notify.prompts_changed();
        notify.tools_changed();
        assert_eq!(client.recv().await["method"], "notifications/tools/list_changed");
        notify.resource_updated("x:a");
        assert_eq!(client.recv().await["params"]["uri"], "x:a");
    }
}

#[tokio::test]
async fn question_is_forwarded_when_client_has_a_session_and_the_capability() {
    for case in Case::all() {
        for declares in [true, false] {
            let capabilities = if declares { all_capabilities() } else { json!({}) };
            let mut client = Client::raw(server(), case).with_capabilities(capabilities);
            if !case.is_modern() {
                client.initialize().await;
            }
            let id = client.start_call("far", json!({}));
            assert_eq!(client.recv().await["params"]["data"], "from afar", "{case:?}");
            let can_ask = declares && !case.is_modern() && case.revision.as_str() >= "2025-06-18";
            if can_ask {
                let question = client.question("elicitation/create").await;
                assert_eq!(question["params"]["message"], "Who?");
                client.reply(&question, json!({ "action": "decline" }));
            }
            let result = client.answer(id).await;
            let text = result["result"]["content"][0]["text"].as_str().unwrap();
            if can_ask {
                assert_eq!(text, r#"{"action":"decline"}"#);
            } else if case.is_modern() {
                assert!(text.contains("the revision has no server requests; return `Reply::NeedsInput`"), "{text}");
            } else {
                assert!(text.contains("the client did not declare the capability `elicitation`"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn optional_fields_are_removed_when_client_does_not_support_them() {
    use ferromcp_core::model::{ClientCapabilities, IncludeContext, SamplingCapability};
    let ask = |peer: &ferromcp_server::Peer| {
        let message = SamplingMessage::user("Capital?");
        let mut params = CreateMessageParams::new(vec![message], 5);
        params.include_context = Some(IncludeContext::AllServers);
        let mut request = InputRequest::CreateMessage(Box::new(params));
        let adapted: Result<(), Error> =
            peer.adapt_input(&mut request).map_err(|missing| Error::missing_client_capability(&missing));
        let InputRequest::CreateMessage(params) = request else { panic!("another request") };
        adapted.map(|()| params.include_context)
    };
    let peer = |sampling: Option<SamplingCapability>| {
        let mut capabilities = ClientCapabilities::default();
        capabilities.sampling = sampling;
        ferromcp_server::Peer::new(ferromcp_core::Revision::LATEST).with_capabilities(capabilities)
    };
    assert!(ask(&peer(None)).unwrap_err().message.contains("sampling"));
    assert_eq!(ask(&peer(Some(SamplingCapability::default()))), Ok(None));
    let with_context = SamplingCapability::default().context(RawJson::empty_object());
    assert_eq!(ask(&peer(Some(with_context))), Ok(Some(IncludeContext::AllServers)));
}
