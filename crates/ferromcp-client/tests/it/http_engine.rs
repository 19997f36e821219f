//! The engine with an HTTP-like channel, where each request is a POST. The channel is scripted.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use ferromcp_client::channel::{BoxFuture, Channel, ChannelError, Inbound, Outgoing, TransportKind};
use ferromcp_client::{Client, ClientLimits, Connector, ErrorKind, Negotiated};
use ferromcp_core::header::mirror;
use ferromcp_core::{ClientNotification, ClientRequest, Error, ErrorCode, RawJson, Revision};
use serde_json::{Value, json};

use crate::script::{builder, discovered, initialized, soon, text};

/// An expected method, and its outcome.
type Step = (&'static str, Result<Value, ChannelError>);

/// The scripted outcomes of requests, in order.
#[derive(Clone, Default)]
struct Script {
    steps: Arc<Mutex<VecDeque<Step>>>,
    /// The opened connections, and the headers of calls.
    seen: Arc<Mutex<Vec<String>>>,
    old: bool,
}

impl Script {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: Arc::new(Mutex::new(steps.into_iter().collect())), ..Self::default() }
    }

    fn with_http_sse(mut self) -> Self {
        self.old = true;
        self
    }

    fn saw(&self, what: impl Into<String>) {
        self.seen.lock().unwrap().push(what.into());
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    fn is_closed(&self) -> bool {
        self.steps.lock().unwrap().is_empty()
    }

    fn opened(&self, what: &str) -> BoxFuture<'static, Result<Arc<dyn Channel>, ChannelError>> {
        self.saw(what);
        let channel: Arc<dyn Channel> = Arc::new(Scripted(self.clone()));
        Box::pin(std::future::ready(Ok(channel)))
    }
}

impl Connector for Script {
    fn open<'a>(
        &'a self,
        _: Arc<dyn Inbound>,
        _: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        self.opened("open")
    }

    fn open_http_sse<'a>(
        &'a self,
        _: Arc<dyn Inbound>,
        _: &'a ClientLimits,
    ) -> Option<BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>>> {
        self.old.then(|| self.opened("open HTTP+SSE") as _)
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn transport_kind(&self) -> TransportKind {
        TransportKind::Post
    }

    fn name(&self) -> String {
        "script".to_owned()
    }
}

struct Scripted(Script);

impl Channel for Scripted {
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, ChannelError>> {
        let (method, step) = self.0.steps.lock().unwrap().pop_front().expect("unexpected request");
        assert_eq!(outgoing.request.method(), method);
        if let ClientRequest::CallTool(call) = &outgoing.request {
            let headers = mirror(&outgoing.annotations, call.arguments.as_ref()).unwrap();
            self.0.saw(format!("{headers:?}"));
        }
        Box::pin(std::future::ready(step.map(RawJson::from)))
    }

    fn notify(&self, _: ClientNotification, _: Revision) -> BoxFuture<'static, Result<(), ChannelError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn set_revision(&self, revision: Revision) {
        self.0.saw(format!("agreed {revision}"));
    }

    fn is_closed(&self) -> bool {
        false
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.0.saw("close");
        Box::pin(std::future::ready(()))
    }
}

fn modern() -> Step {
    ("server/discover", Ok(discovered(&[Revision::LATEST.as_str()])))
}

fn legacy() -> [Step; 2] {
    [("server/discover", Err(status(400))), ("initialize", Ok(initialized(Revision::LATEST_LEGACY.as_str())))]
}

fn status(status: u16) -> ChannelError {
    ChannelError::Status { status, body: String::new() }
}

fn rpc(code: ErrorCode, status: u16) -> ChannelError {
    ChannelError::Rpc { error: Error::new(code, "no"), status: Some(status) }
}

async fn connect(script: &Script) -> Client {
    soon(builder().connect(script.clone())).await.unwrap()
}

fn tools(header: &str) -> Value {
    let tool = |name: &str, header: &Value| {
        json!({ "name": name, "inputSchema": { "type": "object", "properties": {
            "a": { "type": "string", "x-mcp-header": header } } } })
    };
    json!({ "tools": [tool("good", &json!(header)), tool("bad", &json!("no token")), tool("worse", &json!(7))] })
}

#[tokio::test]
async fn falls_back_to_initialize_when_4xx_has_no_error() {
    for code in [400, 404, 405, 406, 415, 422] {
        let script = Script::new([("server/discover", Err(status(code))), legacy()[1].clone()]);
        assert_eq!(connect(&script).await.revision(), Revision::LATEST_LEGACY);
        assert_eq!(script.seen(), ["open".to_owned(), format!("agreed {}", Revision::LATEST_LEGACY)]);
    }
}

#[tokio::test]
async fn does_not_fall_back_when_server_is_unavailable_or_unauthorized_or_modern() {
    let unauthorized = |status| ChannelError::Unauthorized { status, challenge: Some("Bearer".into()) };
    for (failure, kind) in [
        (status(502), ErrorKind::Unavailable),
        (status(503), ErrorKind::Unavailable),
        (unauthorized(401), ErrorKind::Unauthorized),
        (unauthorized(403), ErrorKind::Unauthorized),
        (rpc(ErrorCode::HEADER_MISMATCH, 400), ErrorKind::Server),
        (rpc(ErrorCode::MISSING_CLIENT_CAPABILITY, 400), ErrorKind::Server),
        (ChannelError::unsent(std::io::ErrorKind::ConnectionRefused.into()), ErrorKind::Connect),
    ] {
        let script = Script::new([("server/discover", Err(failure))]);
        let error = soon(builder().connect(script.clone())).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(script.seen(), ["open", "close"]);
    }
}

#[tokio::test]
async fn falls_back_to_initialize_when_connection_is_lost_on_probe() {
    // C4
    let lost = || Err(ChannelError::lost(std::io::ErrorKind::ConnectionReset.into()));
    let script = Script::new([("server/discover", lost()), legacy()[1].clone()]);
    assert_eq!(connect(&script).await.revision(), Revision::LATEST_LEGACY);
    let script = Script::new([("server/discover", lost()), ("initialize", lost())]);
    let error = soon(builder().connect(script.clone())).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connect && error.is_unsent(), "{error}");
    assert!(!error.to_string().contains("may have run"), "{error}");
    // A server that was modern before has an outage.
    let script = Script::new([("server/discover", lost())]);
    let connecting = builder().negotiated(Negotiated::new(Revision::LATEST)).connect(script.clone());
    assert_eq!(soon(connecting).await.unwrap_err().kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn falls_back_to_http_sse_when_streamable_http_is_missing() {
    for code in [400, 404, 405] {
        let script = Script::new([
            ("server/discover", Err(status(code))),
            ("initialize", Err(status(code))),
            ("initialize", Ok(initialized(Revision::V2024_11_05.as_str()))),
        ]);
        let script = script.with_http_sse();
        let client = connect(&script).await;
        assert!(client.negotiated().http_sse);
        assert_eq!(script.seen()[..2], ["open", "open HTTP+SSE"]);
        // A saved negotiation outcome connects directly.
        let again = Script::new([("initialize", Ok(initialized(Revision::V2024_11_05.as_str())))]).with_http_sse();
        let saved: Negotiated = serde_json::from_str(&serde_json::to_string(&client.negotiated()).unwrap()).unwrap();
        soon(builder().negotiated(saved).connect(again.clone())).await.unwrap();
        assert_eq!(again.seen()[0], "open HTTP+SSE");
    }
    // Unavailability during `initialize` does not trigger the fallback.
    let script = Script::new([("server/discover", Err(status(404))), ("initialize", Err(status(502)))]).with_http_sse();
    assert_eq!(soon(builder().connect(script.clone())).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert!(!script.seen().contains(&"open HTTP+SSE".to_owned()));
}

#[tokio::test]
async fn omits_tools_when_header_annotations_are_invalid() {
    // M26-192
    let script = Script::new([modern(), ("tools/list", Ok(tools("Region"))), ("tools/call", Ok(text("ok")))]);
    let client = connect(&script).await;
    let names: Vec<String> = soon(client.tools()).await.unwrap().into_iter().map(|tool| tool.name).collect();
    assert_eq!(names, ["good"]);
    script.seen();
    soon(client.call("good", json!({ "a": "x" }))).await.unwrap();
    assert_eq!(script.seen(), [r#"[("Mcp-Param-Region", "x")]"#]);
    let error = soon(client.call("bad", json!({ "a": "x" }))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(script.is_closed());
}

#[tokio::test]
async fn relists_tools_and_retries_when_headers_mismatch() {
    let refused = || Err(rpc(ErrorCode::HEADER_MISMATCH, 400));
    let script = Script::new([
        modern(),
        ("tools/call", refused()),
        ("tools/list", Ok(tools("Zone"))),
        ("tools/call", Ok(text("ok"))),
        ("tools/call", refused()),
        ("tools/list", Ok(tools("Zone"))),
        ("tools/call", refused()),
    ]);
    let client = connect(&script).await;
    script.seen();
    soon(client.call("good", json!({ "a": "x" }))).await.unwrap();
    assert_eq!(script.seen(), ["[]", r#"[("Mcp-Param-Zone", "x")]"#]);
    assert_eq!(soon(client.call("good", json!({ "a": "x" }))).await.unwrap_err().kind(), ErrorKind::Server);
    assert!(script.is_closed());
}

#[tokio::test]
async fn relists_tools_within_the_permit_of_the_call_when_one_request_may_be_in_flight() {
    let script = Script::new([
        modern(),
        ("tools/call", Err(rpc(ErrorCode::HEADER_MISMATCH, 400))),
        ("tools/list", Ok(tools("Zone"))),
        ("tools/call", Ok(text("ok"))),
    ]);
    let client = soon(builder().limits(ClientLimits::new().in_flight(1)).connect(script.clone())).await.unwrap();
    soon(client.call("good", json!({ "a": "x" }))).await.unwrap();
    assert!(script.is_closed());
}

#[tokio::test]
async fn reopens_session_once_and_retries_when_session_expired() {
    let [probe, opening] = legacy();
    let script = Script::new([
        probe,
        opening.clone(),
        ("tools/call", Err(ChannelError::SessionGone { in_flight: false })),
        opening.clone(),
        ("tools/call", Ok(text("ok"))),
        ("tools/call", Err(ChannelError::SessionGone { in_flight: false })),
        opening,
        ("tools/call", Err(ChannelError::SessionGone { in_flight: false })),
        legacy()[1].clone(),
        ("tools/call", Err(ChannelError::SessionGone { in_flight: true })),
    ]);
    let client = connect(&script).await;
    soon(client.call("t", ())).await.unwrap();
    assert_eq!(script.seen().iter().filter(|what| *what == "open").count(), 2);
    // Reopening is bounded.
    let error = soon(client.call("t", ())).await.unwrap_err();
    assert_eq!((error.kind(), error.http_status()), (ErrorKind::InvalidResponse, Some(404)));
    assert!(
        error.to_string().starts_with("`tools/call` failed with HTTP status 404 in its session and again"),
        "{error}"
    );
    assert!(soon(client.call("t", ())).await.unwrap_err().is_connection_lost(), "the in-flight call may have run");
    assert!(script.is_closed());
}

#[tokio::test]
async fn retries_lost_modern_request_only_when_idempotent() {
    // M26-167
    let lost = || Err(ChannelError::lost(std::io::ErrorKind::ConnectionReset.into()));
    let script = Script::new([
        modern(),
        ("resources/read", lost()),
        ("resources/read", Ok(json!({ "contents": [] }))),
        ("tools/call", lost()),
    ]);
    let client = connect(&script).await;
    soon(client.read("x:a")).await.unwrap();
    assert!(soon(client.call("t", ())).await.unwrap_err().is_connection_lost());
    assert!(script.is_closed());
}

#[tokio::test]
async fn renegotiates_once_when_revision_is_rejected_later() {
    let refused = |supported: &[&str]| {
        let error = Error::new(ErrorCode::UNSUPPORTED_REVISION, "no").with_data(&json!({ "supported": supported }));
        Err(ChannelError::Rpc { error, status: Some(400) })
    };
    let latest = Revision::LATEST.as_str();
    let script = Script::new([
        modern(),
        ("tools/call", refused(&[latest])),
        ("tools/call", Ok(text("ok"))),
        ("tools/call", refused(&[latest])),
        ("tools/call", refused(&[latest])),
    ]);
    let client = connect(&script).await;
    soon(client.call("t", ())).await.unwrap();
    assert_eq!(soon(client.call("t", ())).await.unwrap_err().rpc().unwrap().code, ErrorCode::UNSUPPORTED_REVISION);
    assert!(script.is_closed());
}
