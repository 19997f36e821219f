//! Authorization of requests: the hook, principals, scopes, and the end of streams when tokens expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use ferromcp_core::Revision;
use ferromcp_server::http::{
    AuthorizationFuture, Body, ClientAddr, HttpAuthorization, HttpServerLimits, HttpServerOptions, ScopeChallenge, http,
};
use ferromcp_server::middleware::Next;
use ferromcp_server::testing::{ClientMode, TestClient};
use ferromcp_server::{Arg, Call, Completion, Ctx, Extension, Principal, Prompt, Reply, Resource, Server, Tool};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request as HttpRequest, Response as HttpResponse, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::client::{
    Session, initialize, legacy, legacy_message, modern, modern_call, modern_message, modern_post, post,
};
use crate::fixture::{CallControl, Host, server};
use crate::in_process;
use crate::message::{Request, Response, TIMEOUT};
use crate::mounted::Mounted;

/// The limit of the server on the bodies for routes of the authorization that have not arrived.
const AUTHORIZATION_BODIES: usize = 256;

/// Accepts tokens of the form `user;scope+scope;milliseconds`, which state what they grant.
#[derive(Default)]
struct TestAuthorization {
    checks: Arc<AtomicUsize>,
    is_revoked: Arc<AtomicBool>,
}

impl HttpAuthorization for TestAuthorization {
    fn authorize<'a>(&'a self, request: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), HttpResponse<Bytes>>> {
        self.checks.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let header = request.headers.get("authorization").and_then(|value| value.to_str().ok());
            let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
                let mut response = HttpResponse::new(Bytes::from_static(b"{}"));
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                response.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer scope=\"base\""));
                return Err(response);
            };
            let mut parts = token.split(';');
            let (user, scopes) = (parts.next().unwrap(), parts.next().unwrap_or_default());
            let mut principal =
                Principal::new(user).with_subject(user).with_scopes(scopes.split('+').filter(|it| !it.is_empty()));
            if let Some(lifetime) = parts.next() {
                principal = principal.with_expiry(SystemTime::now() + Duration::from_millis(lifetime.parse().unwrap()));
            }
            let is_revoked = Arc::clone(&self.is_revoked);
            let is_valid = move || std::future::ready(!is_revoked.load(Ordering::SeqCst));
            request.extensions.insert(principal.with_validity_check(is_valid));
            let challenge = |scopes: &[&str]| {
                HeaderValue::try_from(format!(
                    "Bearer error=\"insufficient_scope\", scope=\"base {}\"",
                    scopes.join(" ")
                ))
                .unwrap()
            };
            request.extensions.insert(ScopeChallenge::new(challenge));
            Ok(())
        })
    }

    fn is_route(&self, path: &str) -> bool {
        path == "/.well-known/test"
    }

    fn respond(&self, request: HttpRequest<Bytes>) -> AuthorizationFuture<'_, HttpResponse<Bytes>> {
        let address = request.extensions().get().map(|ClientAddr(address)| address.ip().to_string());
        let response = HttpResponse::builder().header("x-client", address.unwrap_or_default());
        Box::pin(async move { response.body(Bytes::from(format!("{} bytes", request.body().len()))).unwrap() })
    }
}

/// A server whose items require scopes.
fn scoped_server() -> Server {
    let whoami = |user: Option<Principal>, ctx: Ctx| {
        assert_eq!(user.as_ref().map(|user| user.identity().as_str()), ctx.identity());
        user.map_or("anonymous".to_owned(), |user| format!("{} {}", user.subject().unwrap(), user.scopes().join(" ")))
    };
    let delegate = |ctx: Ctx| async move { ctx.call_tool("delete", json!({})).await.map(|_| "delegated") };
    Server::new("scoped", "1")
        .with_tool(Tool::sync("whoami", whoami).args([Arg::new("user"), Arg::new("ctx")]))
        .with_tool(Tool::sync("principal", |user: Principal| user.subject().map(str::to_owned)).args(["user"]))
        .with_tool(Tool::sync("delete", || "deleted").scopes(["files:write", "admin"]))
        .with_tool(Tool::new("delegate", delegate).args(["ctx"]))
        .with_resource(Resource::sync("file:///open", || "open"))
        .with_resource(Resource::sync("file:///secret", || "secret").scopes(["files:read"]))
        .with_resource(Resource::sync("log:///{day}", |day: String| day).args(["day"]).scopes(["logs"]))
        .with_prompt(Prompt::sync("hello", || "hello"))
        .with_prompt(Prompt::sync("audit", |day: String| day).args(["day"]).scopes(["audit"]))
        .with_completion(
            Completion::resource_sync("log:///{day}", "day", |_: String| vec!["today".to_owned()]).args(["text"]),
        )
}

async fn protected() -> Host {
    let options = HttpServerOptions::new().authorization(TestAuthorization::default());
    Host::of(scoped_server(), CallControl::default(), options).await
}

fn with_token(request: Request, token: &str) -> Request {
    request.set("Authorization", format!("Bearer {token}"))
}

/// Returns the names of a list.
async fn names(host: &Host, token: &str, method: &str, key: &str) -> (Vec<String>, Value) {
    let answer = with_token(modern(method, json!({})), token).send(host.address).await.json().await;
    let items = answer["result"][key].as_array().unwrap_or_else(|| panic!("{answer}"));
    let name = |item: &Value| item["uri"].as_str().or(item["name"].as_str()).unwrap().to_owned();
    (items.iter().map(name).collect(), answer["result"]["cacheScope"].clone())
}

/// Asserts that a request is rejected with 403, and returns the challenge.
async fn forbidden(request: Request, host: &Host) -> String {
    let mut response = request.send(host.address).await;
    let answer = response.json().await;
    assert_eq!(response.status, 403, "{answer}");
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().starts_with("Insufficient scope"), "{answer}");
    response.header("www-authenticate").expect("a challenge").to_owned()
}

#[tokio::test]
async fn every_method_of_the_endpoint_requires_a_token() {
    // A-111, A-112, A-116, A-201
    let checks = Arc::new(AtomicUsize::new(0));
    let options = HttpServerOptions::new()
        .authorization(TestAuthorization { checks: Arc::clone(&checks), ..TestAuthorization::default() })
        .allow_origin("https://app.example.com");
    let host = Host::of(scoped_server(), CallControl::default(), options).await;
    for method in ["GET", "POST", "DELETE", "PUT"] {
        let request = Request { method, ..modern("tools/list", json!({})) };
        let response = request.add("Origin", "https://app.example.com").send(host.address).await;
        assert_eq!(response.status, 401, "{method}");
        assert_eq!(response.header("www-authenticate"), Some("Bearer scope=\"base\""));
        // Pages can read the challenge.
        assert!(response.header("access-control-expose-headers").unwrap().contains("WWW-Authenticate"));
    }
    let preflight = Request::new("OPTIONS", "/mcp")
        .add("Origin", "https://app.example.com")
        .add("Access-Control-Request-Method", "POST")
        .add("Access-Control-Request-Headers", "authorization, dpop");
    let response = preflight.send(host.address).await;
    assert_eq!(response.status, 204);
    assert!(response.header("access-control-allow-headers").unwrap().contains("dpop"));
    assert_eq!(checks.load(Ordering::SeqCst), 4);
    // A rejected host is not checked for credentials.
    let foreign = modern("tools/list", json!({})).add("Origin", "https://evil.example.com");
    assert_eq!(foreign.send(host.address).await.status, 403);
    assert_eq!(checks.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn handlers_extract_the_principal() {
    let host = protected().await;
    let call = |tool: &str| with_token(modern_call(tool, json!({})), "ada;base+files:read");
    let answer = call("whoami").send(host.address).await.json().await;
    assert_eq!(answer["result"]["content"][0]["text"], "ada base files:read");
    let answer = with_token(modern_call("principal", json!({})), "ada").send(host.address).await.json().await;
    assert_eq!(answer["result"]["content"][0]["text"], "ada");
    // Without authorization.
    let open = Host::of(scoped_server(), CallControl::default(), HttpServerOptions::new()).await;
    let answer = modern_call("whoami", json!({})).send(open.address).await.json().await;
    assert_eq!(answer["result"]["content"][0]["text"], "anonymous");
    let answer = modern_call("principal", json!({})).send(open.address).await.json().await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("`Option<Principal>`"), "{answer}");
}

#[tokio::test]
async fn trap_handler_forwards_the_token_of_its_client() {
    // A-115
    let names = |headers: Extension<HeaderMap>| headers.0.keys().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let server = || Server::new("headers", "1").with_tool(Tool::sync("names", names).args(["headers"]));
    let options = HttpServerOptions::new().headers(true);
    for (options, is_shown) in [(options.clone().authorization(TestAuthorization::default()), false), (options, true)] {
        let host = Host::of(server(), CallControl::default(), options).await;
        let call = |request| with_token(request, "ada").set("DPoP", "proof").set("X-Tenant", "t");
        let answer = call(modern_call("names", json!({}))).send(host.address).await.json().await;
        let shown = answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        assert!(shown.contains("x-tenant"), "{shown}");
        assert_eq!((shown.contains("authorization"), shown.contains("dpop")), (is_shown, is_shown), "{shown}");
    }
}

#[tokio::test]
async fn call_is_rejected_with_all_scopes_when_one_is_missing() {
    // A-136, A-147, A-148
    let host = protected().await;
    let read = |uri: &str| modern("resources/read", json!({ "uri": uri }));
    let prompt = modern("prompts/get", json!({ "name": "audit", "arguments": { "day": "1" } }));
    let reference = json!({ "type": "ref/resource", "uri": "log:///{day}" });
    let complete = json!({ "ref": reference, "argument": { "name": "day", "value": "" } });
    for (request, scopes) in [
        (modern_call("delete", json!({})), "files:write admin"),
        (read("file:///secret"), "files:read"),
        (read("log:///1"), "logs"),
        (prompt, "audit"),
        (modern("completion/complete", complete), "logs"),
    ] {
        for token in ["ada", "ada;admin+other", "ada;files+write"] {
            let challenge = forbidden(with_token(request.clone(), token), &host).await;
            assert_eq!(challenge, format!("Bearer error=\"insufficient_scope\", scope=\"base {scopes}\""));
        }
        let granted = with_token(request, &format!("ada;x+{}", scopes.replace(' ', "+")));
        let answer = granted.send(host.address).await.json().await;
        assert!(answer.get("error").is_none(), "{answer}");
    }
    let listen =
        json!({ "notifications": { "resourceSubscriptions": ["file:///open", "file:///secret", "log:///1"] } });
    let challenge = forbidden(with_token(modern("subscriptions/listen", listen), "ada"), &host).await;
    assert!(challenge.ends_with("scope=\"base files:read logs\""), "{challenge}");
}

#[tokio::test]
async fn lists_contain_only_what_the_caller_may_use() {
    // A-208, A-209
    let host = protected().await;
    let none = ["whoami", "principal", "delegate"];
    let (tools, scope) = names(&host, "ada;admin", "tools/list", "tools").await;
    assert_eq!((tools, scope), (none.map(str::to_owned).to_vec(), json!("private")));
    let (resources, _) = names(&host, "ada", "resources/list", "resources").await;
    assert_eq!(resources, ["file:///open"]);
    let (templates, _) = names(&host, "ada", "resources/templates/list", "resourceTemplates").await;
    assert!(templates.is_empty());
    let (templates, _) = names(&host, "ada;logs", "resources/templates/list", "resourceTemplates").await;
    assert_eq!(templates.len(), 1);
    let (prompts, _) = names(&host, "ada", "prompts/list", "prompts").await;
    assert_eq!(prompts, ["hello"]);
    let (prompts, _) = names(&host, "eve;audit", "prompts/list", "prompts").await;
    assert_eq!(prompts, ["hello", "audit"]);
}

#[tokio::test]
async fn items_with_scopes_are_rejected_over_http_without_authorization() {
    let host = Host::of(scoped_server(), CallControl::default(), HttpServerOptions::new()).await;
    let challenge = forbidden(modern_call("delete", json!({})), &host).await;
    assert_eq!(challenge, "Bearer error=\"insufficient_scope\", scope=\"files:write admin\"");
    let session = Session::open(host.address, Revision::LATEST_LEGACY).await;
    assert_eq!(session.call(1, "delete", json!({})).await.status, 403);
    let answer = session.send(2, "tools/list", json!({})).await.json().await;
    assert_eq!(answer["result"]["tools"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn local_callers_may_use_all_items_and_principals_only_theirs() {
    for mode in ClientMode::ALL {
        let client = TestClient::with(scoped_server(), mode);
        assert_eq!(client.text("delete", &json!({})).await, "deleted");
        let ada = TestClient::with(scoped_server(), mode).authorized(Principal::new("ada").with_scopes(["admin"]));
        let error = ada.call("delete", &json!({})).await.unwrap_err();
        assert!(error.message.starts_with("Insufficient scope"), "{error:?}");
        // A handler that calls the server acts for its caller.
        let error = ada.error_text("delegate", &json!({})).await;
        assert!(error.contains("Insufficient scope"), "{error}");
        assert_eq!(client.text("delegate", &json!({})).await, "delegated");
    }
}

#[tokio::test]
async fn session_uses_the_scopes_of_each_request() {
    // A-202, A-204
    let host = protected().await;
    for revision in legacy() {
        let opened = with_token(post(initialize(revision).to_string()), "ada").send(host.address).await;
        let id = opened.header("mcp-session-id").expect("a session").to_owned();
        let session = Session { address: host.address, revision, id };
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        with_token(session.post(&ready), "ada").send(host.address).await.empty(202).await;
        let call = legacy_message(1, "tools/call", json!({ "name": "delete", "arguments": {} }));
        let challenge = forbidden(with_token(session.post(&call), "ada;admin"), &host).await;
        assert!(challenge.contains("files:write admin"), "{challenge}");
        // After the step-up, the session continues.
        let answer = with_token(session.post(&call), "ada;admin+files:write").send(host.address).await.json().await;
        assert_eq!(answer["result"]["content"][0]["text"], "deleted");
        // The session of another principal is not found.
        assert_eq!(with_token(session.post(&call), "eve;admin").send(host.address).await.status, 404);
        assert_eq!(session.post(&call).send(host.address).await.status, 401);
        assert_eq!(with_token(session.delete(), "eve").send(host.address).await.status, 404);
        assert_eq!(with_token(session.delete(), "ada").send(host.address).await.status, 204);
    }
}

#[tokio::test]
async fn batch_rejects_only_the_calls_without_scopes() {
    let host = protected().await;
    let opened = with_token(post(initialize(Revision::V2025_03_26).to_string()), "ada").send(host.address).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    let session = Session { address: host.address, revision: Revision::V2025_03_26, id };
    let call = |id: i64, tool: &str| legacy_message(id, "tools/call", json!({ "name": tool, "arguments": {} }));
    let batch = json!([call(1, "whoami"), call(2, "delete")]);
    let answer = with_token(session.post(&batch), "ada;base").send(host.address).await.json().await;
    assert_eq!(answer[0]["result"]["content"][0]["text"], "ada base");
    assert!(answer[1]["error"]["message"].as_str().unwrap().contains("`files:write admin`"), "{answer}");
}

#[tokio::test]
async fn cached_reply_is_not_sent_to_a_caller_without_scopes() {
    // A-209
    async fn cached(call: Call, next: Next) -> Reply {
        drop(next);
        let _ = call;
        Reply::from(Ok::<_, ferromcp_core::Error>(ferromcp_core::model::CallToolResult::text("cached")))
    }
    let server = scoped_server().wrap(cached);
    let ada = TestClient::with(server.clone(), ClientMode::Rounds).authorized(Principal::new("ada"));
    assert!(ada.call("delete", &json!({})).await.is_err());
    assert_eq!(TestClient::with(server, ClientMode::Rounds).text("delete", &json!({})).await, "cached");
}

#[tokio::test]
async fn trap_updates_of_hidden_resources_below_a_subscribed_uri() {
    let host = protected().await;
    let notify = host.server.notify();
    let filter = json!({ "notifications": { "resourceSubscriptions": ["log:///", "file:///open"] } });
    let listen = modern_message(1, "subscriptions/listen", filter);
    for (token, expected) in [("ada", vec!["file:///open"]), ("ada;logs", vec!["log:///1", "file:///open"])] {
        let mut stream = with_token(modern_post(&listen), token).send(host.address).await.events().await;
        assert_eq!(stream.message().await["method"], "notifications/subscriptions/acknowledged");
        notify.resource_updated("log:///1");
        notify.resource_updated("file:///open");
        for uri in expected {
            assert_eq!(stream.message().await["params"]["uri"], uri, "{token}");
        }
    }
    let opened = with_token(post(initialize(Revision::V2025_06_18).to_string()), "ada").send(host.address).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    let session = Session { address: host.address, revision: Revision::V2025_06_18, id };
    let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    with_token(session.post(&ready), "ada").send(host.address).await.empty(202).await;
    for uri in ["log:///", "file:///open"] {
        let subscribe = session.post(&legacy_message(1, "resources/subscribe", json!({ "uri": uri })));
        assert_eq!(with_token(subscribe, "ada").send(host.address).await.status, 200);
    }
    let mut stream = with_token(session.get(), "ada").send(host.address).await.events().await;
    notify.resource_updated("log:///1");
    notify.resource_updated("file:///open");
    assert_eq!(stream.message().await["params"]["uri"], "file:///open");
}

#[tokio::test]
async fn trap_updates_for_a_get_stream_with_fewer_scopes() {
    let host = protected().await;
    let notify = host.server.notify();
    let uris = ["file:///secret", "log:///", "file:///open"];
    for (token, expected) in [
        ("ada", vec!["file:///open"]),
        ("ada;logs", vec!["log:///1", "file:///open"]),
        ("ada;logs+files:read", vec!["file:///secret", "log:///1", "file:///open"]),
    ] {
        let opened = with_token(post(initialize(Revision::V2025_06_18).to_string()), "ada").send(host.address).await;
        let id = opened.header("mcp-session-id").expect("a session").to_owned();
        let session = Session { address: host.address, revision: Revision::V2025_06_18, id };
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        with_token(session.post(&ready), "ada").send(host.address).await.empty(202).await;
        for uri in uris {
            let subscribe = session.post(&legacy_message(1, "resources/subscribe", json!({ "uri": uri })));
            assert_eq!(with_token(subscribe, "ada;files:read+logs").send(host.address).await.status, 200);
        }
        let mut stream = with_token(session.get(), token).send(host.address).await.events().await;
        for uri in ["file:///secret", "log:///1", "file:///open"] {
            notify.resource_updated(uri);
        }
        for uri in expected {
            assert_eq!(stream.message().await["params"]["uri"], uri, "{token}");
        }
    }
}

#[tokio::test]
async fn trap_resumption_with_fewer_scopes() {
    let control = CallControl::default();
    let options = HttpServerOptions::new().authorization(TestAuthorization::default());
    let host = Host::of(server(&control), control, options).await;
    let revision = Revision::V2025_11_25;
    let opened = with_token(post(initialize(revision).to_string()), "ada").send(host.address).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    let session = Session { address: host.address, revision, id };
    host.control.go(2);
    let steps = json!({ "name": "steps", "arguments": { "count": 1 }, "_meta": { "progressToken": 1 } });
    let call = with_token(session.post(&legacy_message(1, "tools/call", steps)), "ada;base+details");
    let mut stream = call.send(host.address).await.events().await;
    let last = stream.primed().await;
    while stream.next().await.is_some() {}
    let resume = |token: &str| with_token(session.get(), token).add("Last-Event-ID", &last);
    for token in ["ada", "ada;base", "ada;details+other"] {
        let mut response = resume(token).send(host.address).await;
        let answer = response.json().await;
        assert_eq!(response.status, 403, "{token}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("fewer scopes"), "{answer}");
        // A new stream can be opened.
        assert_eq!(with_token(session.get(), "ada;base").send(host.address).await.status, 200);
    }
    let mut resumed = resume("ada;details+base+other").send(host.address).await.events().await;
    assert_eq!(resumed.message().await["params"]["progress"], 1.0);
    assert_eq!(resumed.message().await["id"], 1);
}

/// Reads a body to its end. Returns its text and the time since `start`.
async fn read_to_end(response: HttpResponse<Body>, start: Instant) -> (String, u64) {
    assert_eq!(response.status(), 200);
    let (mut body, mut text) = (response.into_body(), String::new());
    while let Some(chunk) = in_process::chunk(&mut body).await {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    (text, start.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn trap_streams_of_a_revoked_token() {
    let authorization = TestAuthorization::default();
    let is_revoked = Arc::clone(&authorization.is_revoked);
    let options = HttpServerOptions::new().authorization(authorization).http_sse(true);
    let service = scoped_server().http_with(options.keep_alive(Duration::from_secs(5))).unwrap();
    let send = async |request: Request| in_process::send(&service, &with_token(request, "ada"), None).await;
    let start = Instant::now();
    let listen = json!({ "notifications": { "toolsListChanged": true } });
    let listen = send(modern("subscriptions/listen", listen)).await;
    let opened = send(post(initialize(Revision::V2025_06_18).to_string())).await;
    let id = opened.headers()["mcp-session-id"].to_str().unwrap().to_owned();
    let session = Session { address: ([127, 0, 0, 1], 0).into(), revision: Revision::V2025_06_18, id };
    let get = send(session.get()).await;
    let sse = send(Request::new("GET", "/sse").add("Accept", "text/event-stream")).await;
    let revoke = async {
        tokio::time::sleep(Duration::from_secs(130)).await;
        is_revoked.store(true, Ordering::SeqCst);
    };
    let (listen, get, sse, ()) =
        tokio::join!(read_to_end(listen, start), read_to_end(get, start), read_to_end(sse, start), revoke);
    assert_eq!([listen.1, get.1, sse.1], [180; 3], "at the third check");
    assert!(listen.0.contains(r#""resultType":"complete""#), "{}", listen.0);
    assert!(sse.0.contains("event: endpoint"), "{}", sse.0);
}

#[tokio::test]
async fn trap_message_uses_the_scopes_of_the_http_sse_stream() {
    let options = HttpServerOptions::new().authorization(TestAuthorization::default()).http_sse(true);
    let host = Host::of(scoped_server(), CallControl::default(), options).await;
    for opener in ["ada", "ada;files:write+admin"] {
        let open = Request::new("GET", "/sse").add("Accept", "text/event-stream");
        let mut stream = with_token(open, opener).send(host.address).await.events().await;
        let first = stream.next().await.unwrap();
        let path = format!("/{}", std::str::from_utf8(&first.data).unwrap());
        let send = async |message: &Value, token: &str| {
            let post = Request::new("POST", &path).add("Content-Type", "application/json");
            with_token(post.body(message.to_string()), token).send(host.address).await
        };
        let call = |tool: &str| legacy_message(1, "tools/call", json!({ "name": tool, "arguments": {} }));
        send(&initialize(Revision::V2024_11_05), "ada;base").await.empty(202).await;
        stream.message().await;
        send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }), "ada").await.empty(202).await;
        for (token, tool, expected) in [
            ("ada;base", "whoami", "ada base"),
            ("ada;files:write+admin", "delete", "deleted"),
            ("ada;admin", "delete", "Insufficient scope"),
            ("ada", "whoami", "ada "),
        ] {
            send(&call(tool), token).await.empty(202).await;
            let answer = stream.message().await;
            let text = &answer["result"]["content"][0]["text"];
            let text = text.as_str().or(answer["error"]["message"].as_str()).unwrap();
            assert!(text.contains(expected), "{token} {tool}: {answer}");
        }
        send(&legacy_message(2, "tools/list", json!({})), "ada").await.empty(202).await;
        assert_eq!(stream.message().await["result"]["tools"].as_array().unwrap().len(), 3);
        assert_eq!(send(&call("whoami"), "eve;base").await.status, 404);
    }
}

#[tokio::test]
async fn streams_end_when_the_token_expires() {
    let host = protected().await;
    let listen = modern_message(1, "subscriptions/listen", json!({ "notifications": { "toolsListChanged": true } }));
    let mut stream = with_token(modern_post(&listen), "ada;;300").send(host.address).await.events().await;
    assert_eq!(stream.message().await["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(stream.message().await["id"], 1, "the final result");
    stream.ends().await;

    let opened = with_token(post(initialize(Revision::V2025_06_18).to_string()), "ada").send(host.address).await;
    let id = opened.header("mcp-session-id").expect("a session").to_owned();
    let session = Session { address: host.address, revision: Revision::V2025_06_18, id };
    let mut stream = with_token(session.get(), "ada;;300").send(host.address).await.events().await;
    stream.ends().await;
    // The session continues with another token.
    let ping = legacy_message(1, "ping", json!({}));
    assert_eq!(with_token(session.post(&ping), "ada").send(host.address).await.status, 200);

    let sse = HttpServerOptions::new().authorization(TestAuthorization::default()).http_sse(true);
    let host = Host::of(scoped_server(), CallControl::default(), sse).await;
    let open = Request::new("GET", "/sse").add("Accept", "text/event-stream");
    assert_eq!(open.send(host.address).await.status, 401);
    let mut stream = with_token(open, "ada;;300").send(host.address).await.events().await;
    assert_eq!(stream.next().await.unwrap().event, "endpoint");
    stream.ends().await;
}

#[tokio::test]
async fn routes_of_the_authorization_are_served_for_pages_of_any_origin() {
    // A-009, A-014
    let host = protected().await;
    let metadata = Request::new("GET", "/.well-known/test").add("Origin", "https://app.example.com");
    let mut response = metadata.send(host.address).await;
    assert_eq!((response.status, &response.body().await[..]), (200, &b"0 bytes"[..]));
    let form = Request::new("POST", "/.well-known/test").body("a=b");
    assert_eq!(&form.send(host.address).await.body().await[..], b"3 bytes");
    // DNS rebinding: the host must be one of this machine.
    let rebound = host_header(&Request::new("GET", "/.well-known/test"), "evil.example.com", &host).await;
    assert_eq!(rebound.status, 403);
    assert_eq!(Request::new("GET", "/.well-known/other").send(host.address).await.status, 404);
}

/// Sends the head of a POST for a route of the authorization, and the beginning of its body.
async fn begin_authorization_post(host: &Host, head: &str, begin: &[u8]) -> TcpStream {
    let head = format!("POST /.well-known/test HTTP/1.1\r\nHost: {}\r\n{head}\r\n\r\n", host.address);
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(begin).await.unwrap();
    stream
}

#[tokio::test]
async fn trap_unauthenticated_bodies_exhaust_the_permits_of_calls() {
    let limits = HttpServerLimits::new().total_body_bytes(64 << 10).in_flight(4);
    let options = HttpServerOptions::new().authorization(TestAuthorization::default()).limits(limits);
    let host = Host::of(scoped_server(), CallControl::default(), options).await;
    let mut stalled = Vec::new();
    for _ in 0..AUTHORIZATION_BODIES {
        stalled.push(begin_authorization_post(&host, "Content-Length: 65536", b"x").await);
    }
    // All permits of these routes are in use.
    let rejected = timeout(TIMEOUT, async {
        loop {
            let stream = begin_authorization_post(&host, "Content-Length: 65536", b"x").await;
            let mut read = tokio::io::BufReader::new(stream);
            if timeout(Duration::from_millis(200), read.fill_buf()).await.is_ok() {
                break read.into_inner();
            }
            stalled.push(read.into_inner()); // some of the earlier requests had not arrived yet
        }
    });
    drop(rejected.await.expect("no request is rejected"));
    let stream = begin_authorization_post(&host, "Content-Length: 65536", b"x").await;
    let mut response = Response::read(stream, BytesMut::new()).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("1")));
    assert!(response.json().await["error"]["message"].as_str().unwrap().contains("for the authorization"));
    // Small requests that arrive at once, and calls of any size, need none of them.
    let form = Request::new("POST", "/.well-known/test").body("a=b");
    assert_eq!(&form.send(host.address).await.body().await[..], b"3 bytes");
    let padded = modern_call("whoami", json!({ "padding": "x".repeat(40 << 10) }));
    assert_eq!(with_token(padded, "ada").send(host.address).await.status, 200);
    // The permits are released.
    drop(stalled);
    let large = Request::new("POST", "/.well-known/test").body(vec![b'x'; 64 << 10]);
    let released = timeout(TIMEOUT, async {
        while large.send(host.address).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    released.await.expect("the permits are not released");
}

#[tokio::test]
async fn rejects_a_body_for_the_authorization_when_it_is_too_large() {
    let host = protected().await;
    for (head, begin) in [
        ("Content-Length: 65537", String::new()), // before the body arrives
        ("Transfer-Encoding: chunked", format!("10001\r\n{}", "x".repeat(0x10001))),
    ] {
        let stream = begin_authorization_post(&host, head, begin.as_bytes()).await;
        let mut response = Response::read(stream, BytesMut::new()).await;
        assert_eq!((response.status, response.header("connection")), (413, Some("close")), "{head}");
        assert!(response.json().await["error"]["message"].as_str().unwrap().contains("65536 bytes"));
    }
}

#[tokio::test]
async fn trap_routes_of_the_authorization_get_the_address_of_the_proxy() {
    for (proxy, expected) in
        [("127.0.0.1", ["203.0.113.5", "2001:db8::17", "127.0.0.1"]), ("10.0.0.7", ["127.0.0.1"; 3])]
    {
        let options = HttpServerOptions::new().authorization(TestAuthorization::default()).trust_proxy(proxy);
        let host = Host::of(scoped_server(), CallControl::default(), options).await;
        let forwarded = [
            ("X-Forwarded-For", "198.51.100.1, 203.0.113.5:4711"),
            ("Forwarded", "for=\"[2001:db8::17]:4711\""),
            ("X-Forwarded-For", "unknown"),
        ];
        for ((name, value), expected) in forwarded.into_iter().zip(expected) {
            let request = Request::new("GET", "/.well-known/test").add(name, value);
            assert_eq!(request.send(host.address).await.header("x-client"), Some(expected), "{name}: {value}");
        }
    }
}

/// Sends a request with another `Host`.
async fn host_header(request: &Request, name: &str, host: &Host) -> Response {
    let bytes = String::from_utf8(request.bytes(host.address)).unwrap();
    let bytes = bytes.replace(&format!("Host: {}", host.address), &format!("Host: {name}"));
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    Response::read(stream, BytesMut::new()).await
}

#[tokio::test]
async fn authorization_remains_when_options_are_set_after_it() {
    let (sender, bound) = tokio::sync::oneshot::channel();
    let listener = http("127.0.0.1:0")
        .authorization(TestAuthorization::default())
        .options(HttpServerOptions::new())
        .on_bound(move |address| sender.send(address).unwrap());
    let serving = tokio::spawn(scoped_server().serve(listener));
    let address = bound.await.unwrap();
    assert_eq!(modern_call("whoami", json!({})).send(address).await.status, 401);
    serving.abort();
}

#[tokio::test]
async fn mounted_endpoint_is_authorized_too() {
    let options = HttpServerOptions::new().authorization(TestAuthorization::default());
    let mounted = Mounted::new(&scoped_server(), options).await;
    assert_eq!(mounted.send(modern_call("whoami", json!({}))).await.status, 401);
    let mut response = mounted.send(with_token(modern_call("whoami", json!({})), "ada;base")).await;
    assert_eq!(response.json().await["result"]["content"][0]["text"], "ada base");
}

#[test]
fn server_does_not_start_when_a_scope_is_invalid() {
    let server = Server::new("x", "1").with_tool(Tool::sync("t", || "").scopes(["a b"]));
    let error = server.check().unwrap_err().to_string();
    assert!(error.contains("tool `t`: scope \"a b\" is not valid"), "{error}");
}
