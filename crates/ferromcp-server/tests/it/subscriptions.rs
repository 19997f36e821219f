//! Changes reach those who asked to know, in both eras, once and for as long as they want.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ferromcp_core::meta::key;
use ferromcp_core::model::{InitializeParams, ListenParams, ResourceUriParams};
use ferromcp_core::{ClientRequest, Revision, ServerNotification, ServerResult};
use ferromcp_server::middleware::concurrency_limit;
use ferromcp_server::{Call, Ctx, Full, Limits, Notify, Outlet, Peer, Prompt, Reply, Resource, Server, Sink, Tool};
use ferromcp_transport::memory::memory_with_capacity;
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport};
use serde_json::{Value, json};

use crate::client::{Case, Client, modern_meta};

fn server() -> Server {
    Server::new("news", "0")
        .with_tool(Tool::sync("tell", |ctx: Ctx, uri: String| ctx.notify().resource_updated(uri)).args(["ctx", "uri"]))
        .with_resource(Resource::sync("file:///a", || "a"))
        .with_prompt(Prompt::sync("ask", || "?"))
}

fn extra_tool() -> Tool {
    Tool::sync("extra", || 1)
}

/// Everything a modern client can ask for.
fn everything(uris: &[&str]) -> Value {
    json!({ "notifications": {
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": uris
    } })
}

/// A client that hears of all lists and of `uris`.
struct Watcher {
    client: Client,
    case: Case,
    id: Value,
}

impl Watcher {
    async fn new(server: Server, case: Case, uris: &[&str]) -> Self {
        let mut client = Client::connect(server, case).await;
        let mut id = Value::Null;
        if case.is_modern() {
            id = client.start("subscriptions/listen", everything(uris)).into();
            let first = client.recv().await;
            assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        } else {
            for uri in uris {
                assert_eq!(client.result("resources/subscribe", json!({ "uri": uri })).await, json!({}));
            }
            client.lives().await; // `initialized` has arrived
        }
        Self { client, case, id }
    }

    /// The next change: what is left of its method, and its URI.
    async fn news(&mut self) -> String {
        let message = self.client.recv().await;
        assert_eq!(message["params"]["_meta"].get(key::SUBSCRIPTION_ID), Some(&self.id).filter(|id| !id.is_null()));
        assert_eq!(message["params"].get("_meta").is_some(), self.case.is_modern(), "{message}");
        word(&message)
    }

    /// Proves that nothing else came before `mark`, which it watches.
    async fn hears_only(&mut self, notify: &Notify, mark: &str) {
        notify.resource_updated(mark);
        assert_eq!(self.news().await, mark);
    }
}

fn word(message: &Value) -> String {
    let method = message["method"].as_str().unwrap_or_else(|| panic!("not news: {message}"));
    match message["params"].get("uri") {
        Some(uri) => {
            assert_eq!(method, "notifications/resources/updated");
            uri.as_str().unwrap().to_owned()
        }
        None => method.trim_start_matches("notifications/").trim_end_matches("/list_changed").to_owned(),
    }
}

#[tokio::test]
async fn one_word_reaches_both_eras_from_wherever_it_is_said() {
    // M26-318, M26-360, M26-361, M26-384, S-230, S-231, S-271, S-272, S-293
    for case in Case::all() {
        let other = Case::eras().into_iter().find(|other| other.is_modern() != case.is_modern()).unwrap();
        let server = server();
        let (notify, registry) = (server.notify(), server.registry().clone());
        let mut watchers = [
            Watcher::new(server.clone(), case, &["file:///a"]).await,
            Watcher::new(server.clone(), other, &["file:///a"]).await,
        ];
        let mut teller = Client::connect(server.clone(), case).await;
        notify.tools_changed();
        for watcher in &mut watchers {
            assert_eq!(watcher.news().await, "tools");
        }
        teller.call("tell", json!({ "uri": "file:///a" })).await;
        for watcher in &mut watchers {
            assert_eq!(watcher.news().await, "file:///a");
        }
        registry.add_tool(extra_tool()).unwrap();
        for watcher in &mut watchers {
            assert_eq!(watcher.news().await, "tools");
        }
    }
}

/// Changes a registry; says whether that went as it should.
type Edit<'a> = Box<dyn Fn() -> bool + 'a>;

#[tokio::test]
async fn each_edit_of_the_registry_is_told_once() {
    // M26-318, M26-360, M26-384, S-230, S-271, S-293
    for case in Case::all() {
        let server = server();
        let (notify, registry) = (server.notify(), server.registry().clone());
        let mut watcher = Watcher::new(server, case, &["mark:"]).await;
        let template = || Resource::sync("more://{id}", |id: String| id).args(["id"]);
        let edits: [(&str, Edit<'_>); 9] = [
            ("tools", Box::new(|| registry.add_tool(extra_tool()).is_ok())),
            ("resources", Box::new(|| registry.add_resource(Resource::sync("b://b", || "b")).is_ok())),
            ("resources", Box::new(|| registry.add_resource(template()).is_ok())),
            ("", Box::new(|| registry.add_resource(template()).is_err() && !registry.remove_prompt("none"))),
            ("prompts", Box::new(|| registry.add_prompt(Prompt::sync("more", || "?")).is_ok())),
            ("tools", Box::new(|| registry.remove_tool("extra"))),
            ("resources", Box::new(|| registry.remove_resource("b://b"))),
            ("resources", Box::new(|| registry.remove_resource("more://{id}"))),
            ("prompts", Box::new(|| registry.remove_prompt("more"))),
        ];
        for (what, edit) in edits {
            assert!(edit(), "{what}");
            if !what.is_empty() {
                assert_eq!(watcher.news().await, what);
            }
            watcher.hears_only(&notify, "mark:").await;
        }
    }
}

#[tokio::test]
async fn what_is_announced_is_advertised() {
    // M26-318, M26-358, M26-360, M26-384, S-082, S-270, S-273
    for case in Case::all() {
        let mut client = Client::raw(server(), case);
        let capabilities = if case.is_modern() {
            client.result("server/discover", Value::Null).await["capabilities"].clone()
        } else {
            client.initialize().await["capabilities"].clone()
        };
        assert_eq!(capabilities["tools"], json!({ "listChanged": true }));
        assert_eq!(capabilities["prompts"], json!({ "listChanged": true }));
        assert_eq!(capabilities["resources"], json!({ "subscribe": true, "listChanged": true }));
    }
}

#[tokio::test]
async fn the_acknowledgment_comes_first_and_ids_keep_their_type() {
    // M26-266, M26-267, M26-268, M26-271, M26-272, M26-273
    for case in Case::modern() {
        let server = server();
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let ids = [json!(1), json!("1"), json!(""), json!(0)];
        for id in &ids {
            notify.tools_changed(); // those before hear it; this one may, but not yet
            let listen = client.request_of(id.clone(), "subscriptions/listen", everything(&[]));
            client.send(&listen);
            notify.tools_changed();
        }
        let mut begun: Vec<Value> = Vec::new();
        let mut ended = 0;
        while ended < ids.len() {
            let message = client.recv().await;
            let id = message["params"]["_meta"][key::SUBSCRIPTION_ID].clone();
            assert!(ids.contains(&id), "{message}");
            let is_acknowledgment = message["method"] == "notifications/subscriptions/acknowledged";
            assert_eq!(is_acknowledgment, !begun.contains(&id), "{message}");
            if is_acknowledgment {
                begun.push(id);
                if begun.len() == ids.len() {
                    notify.prompts_changed();
                }
            }
            ended += usize::from(message["method"] == "notifications/prompts/list_changed");
        }
    }
}

#[tokio::test]
async fn only_what_was_asked_for_and_is_offered_is_honoured() {
    // M26-265, M26-269, M26-278, M26-361
    for case in Case::modern() {
        let server =
            Server::new("some", "0").with_tool(extra_tool()).with_resource(Resource::sync("file:///a", || "a"));
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let wishes = [
            (json!({}), json!({})),
            (json!({ "toolsListChanged": false, "promptsListChanged": true, "x": 1 }), json!({})),
            (json!({ "toolsListChanged": true, "resourceSubscriptions": [] }), json!({ "toolsListChanged": true })),
            (
                json!({ "resourcesListChanged": true, "resourceSubscriptions": ["file:///a"] }),
                json!({ "resourcesListChanged": true, "resourceSubscriptions": ["file:///a"] }),
            ),
        ];
        let mut ids = Vec::new();
        for (wish, honoured) in wishes {
            ids.push(client.start("subscriptions/listen", json!({ "notifications": wish })));
            let first = client.recv().await;
            assert_eq!(first["params"]["notifications"], honoured, "{first}");
        }
        notify.prompts_changed();
        notify.resource_updated("file:///b");
        notify.resource_updated("file:///ab");
        notify.tools_changed();
        notify.resources_changed();
        notify.resource_updated("file:///a");
        let mut heard = Vec::new();
        for _ in 0..3 {
            let message = client.recv().await;
            heard.push((message["params"]["_meta"][key::SUBSCRIPTION_ID].as_i64().unwrap(), word(&message)));
        }
        heard.sort();
        let (tools, resources) = (ids[2], ids[3]);
        let expected = [(tools, "tools"), (resources, "file:///a"), (resources, "resources")];
        assert_eq!(heard, expected.map(|(id, word)| (id, word.to_owned())));
        client.lives().await;
    }
}

#[tokio::test]
async fn who_watches_a_folder_hears_of_what_is_in_it() {
    // M26-361, S-272
    for case in Case::all() {
        let server = server();
        let notify = server.notify();
        let mut watcher = Watcher::new(server, case, &["file:///a", "file:///c/", "mark:"]).await;
        for uri in ["file:///a/b", "file:///a", "file:///a/", "file:///c/d/e", "file:///c/"] {
            assert!(notify.has_subscribers(uri), "{uri}");
            notify.resource_updated(uri);
            assert_eq!(watcher.news().await, uri);
        }
        for uri in ["file:///ab", "file:///", "file:///b", "file:///c", "other:///a/b", ""] {
            assert!(!notify.has_subscribers(uri), "{uri}");
            notify.resource_updated(uri);
        }
        watcher.hears_only(&notify, "mark:").await;
    }
}

#[tokio::test]
async fn sessions_subscribe_and_unsubscribe_as_often_as_they_like() {
    // S-231, S-272
    for case in Case::legacy() {
        let server = server();
        let notify = server.notify();
        let mut watcher = Watcher::new(server, case, &["file:///a", "file:///a", "mark:"]).await;
        notify.resource_updated("file:///a");
        assert_eq!(watcher.news().await, "file:///a");
        watcher.hears_only(&notify, "mark:").await;
        for uri in ["file:///a", "file:///a", "file:///never"] {
            assert_eq!(watcher.client.result("resources/unsubscribe", json!({ "uri": uri })).await, json!({}));
        }
        assert!(!notify.has_subscribers("file:///a"));
        notify.resource_updated("file:///a");
        watcher.hears_only(&notify, "mark:").await;
        assert_eq!(watcher.client.error("resources/subscribe", json!({})).await["code"], -32602);
        watcher.client.close().await.unwrap();
        assert!(!notify.has_subscribers("mark:"), "the session is over");
    }
}

#[tokio::test]
async fn a_session_is_told_nothing_before_it_is_ready_and_nothing_it_was_not_promised() {
    // S-230, S-273, S-293
    for case in Case::legacy() {
        let server = Server::new("few", "0").with_tool(extra_tool());
        let (notify, registry) = (server.notify(), server.registry().clone());
        let mut client = Client::raw(server, case);
        let opening = client.opening(case.revision.as_str());
        let declared = client.result("initialize", opening).await["capabilities"].clone();
        assert!(declared.get("prompts").is_none());
        notify.tools_changed();
        client.lives().await;
        client.lives().await;
        registry.add_prompt(Prompt::sync("late", || "?")).unwrap();
        client.notify("notifications/initialized", json!({}));
        assert_eq!(word(&client.recv().await), "tools");
        notify.prompts_changed();
        client.lives().await;
        client.lives().await;
    }
}

#[tokio::test]
async fn a_subscription_the_client_ends_is_silent_from_then_on() {
    // M26-273, M26-291, M26-292
    for case in Case::modern() {
        let server = server();
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let first = client.start("subscriptions/listen", everything(&["file:///a"]));
        let second = client.start("subscriptions/listen", everything(&["file:///b"]));
        for _ in 0..2 {
            assert_eq!(client.recv().await["method"], "notifications/subscriptions/acknowledged");
        }
        client.cancel(first);
        client.lives().await;
        let gone = async {
            while notify.has_subscribers("file:///a") {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), gone).await.expect("it is still there");
        notify.tools_changed();
        let message = client.recv().await;
        assert_eq!(message["params"]["_meta"][key::SUBSCRIPTION_ID], second, "{message}");
        client.lives().await;
    }
}

#[tokio::test]
async fn a_server_that_ends_says_so_to_each_subscription() {
    // M26-274, M26-275, M26-277, M26-291, M26-292
    for case in Case::modern() {
        let server = server();
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let ids = [json!("L1"), json!(7)];
        for id in &ids {
            let listen = client.request_of(id.clone(), "subscriptions/listen", everything(&[]));
            client.send(&listen);
            client.recv().await;
        }
        let begun = Instant::now();
        notify.tools_changed(); // what waits is told before the end
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(1), "it waits for the grace time to pass");
        for id in &ids {
            let of = |message: &&Value| {
                message["params"]["_meta"][key::SUBSCRIPTION_ID] == *id
                    || message["id"] == *id
                    || message["params"]["requestId"] == *id
            };
            let mine: Vec<&Value> = rest.iter().filter(of).collect();
            assert_eq!(mine.len(), 3, "{mine:?}");
            assert_eq!(mine[0]["method"], "notifications/tools/list_changed");
            assert_eq!(mine[1]["result"]["resultType"], "complete");
            assert_eq!(mine[1]["result"]["_meta"][key::SUBSCRIPTION_ID], *id);
            assert_eq!(mine[2]["method"], "notifications/cancelled");
        }
        assert_eq!(rest.len(), 6, "{rest:?}");
        assert!(!notify.has_subscribers("file:///a"));
    }
}

#[tokio::test]
async fn bad_subscriptions_are_refused() {
    // M26-264
    for case in Case::all() {
        let mut limits = Limits::default();
        limits.subscriptions = 2;
        let mut client = Client::connect(server().limits(limits), case).await;
        if !case.is_modern() {
            for (uri, code) in [("a:1", Value::Null), ("a:2", Value::Null), ("a:3", json!(-32602))] {
                let answer = client.request("resources/subscribe", json!({ "uri": uri })).await;
                assert_eq!(answer["error"]["code"], code, "{answer}");
            }
            let error = client.error("subscriptions/listen", everything(&[])).await;
            assert!(error["code"] == -32602 || error["code"] == -32601, "{error}");
            continue;
        }
        for params in
            [json!({}), json!({ "notifications": null }), json!({ "notifications": { "toolsListChanged": 1 } })]
        {
            assert_eq!(client.error("subscriptions/listen", params).await["code"], -32602);
        }
        let error = client.error("subscriptions/listen", everything(&["a:1", "a:2", "a:3"])).await;
        assert_eq!(error["code"], -32602);
        assert!(error["message"].as_str().unwrap().contains("at most 2"), "{error}");
        for method in ["resources/subscribe", "resources/unsubscribe"] {
            assert_eq!(client.error(method, json!({ "uri": "file:///a" })).await["code"], -32601);
        }
        client.lives().await;
    }
}

#[tokio::test]
async fn subscriptions_take_no_place_of_user_code() {
    // M26-273
    for case in Case::modern() {
        let mut watcher = Watcher::new(server().wrap(concurrency_limit(1)), case, &["file:///a"]).await;
        watcher.client.start("subscriptions/listen", everything(&["file:///a"]));
        watcher.client.recv().await;
        watcher.client.start_call("tell", json!({ "uri": "file:///a/b" }));
        let mut told = 0;
        while told < 2 {
            let message = watcher.client.recv().await;
            if message.get("method").is_some() {
                assert_eq!(word(&message), "file:///a/b");
                told += 1;
            }
        }
    }
}

#[tokio::test]
async fn a_peer_that_cannot_be_told_is_promised_nothing() {
    // S-273
    let server = server();
    let peer = || Peer::new(Revision::LATEST_LEGACY);
    let opening = json!({ "protocolVersion": "x", "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
    let opening: InitializeParams = serde_json::from_value(opening).unwrap();
    let reply = server.call(Call::new(ClientRequest::Initialize(Box::new(opening)), peer())).await;
    let Reply::Done(ServerResult::Initialize(result)) = reply else { panic!("{reply:?}") };
    let capabilities = serde_json::to_value(&result.capabilities).unwrap();
    assert_eq!((&capabilities["tools"], &capabilities["resources"]), (&json!({}), &json!({})));
    let uri = || ResourceUriParams::new("file:///a");
    for request in [ClientRequest::Subscribe(uri()), ClientRequest::Unsubscribe(uri())] {
        let reply = server.call(Call::new(request, peer())).await;
        assert!(matches!(&reply, Reply::Failed(error) if error.code.0 == -32601), "{reply:?}");
    }
    let listen = || ClientRequest::Listen(ListenParams::default());
    for (peer, code) in [(peer(), -32601), (Peer::new(Revision::LATEST), -32600)] {
        let reply = server.call(Call::new(listen(), peer)).await;
        assert!(matches!(&reply, Reply::Failed(error) if error.code.0 == code), "{reply:?}");
    }
}

#[tokio::test]
async fn a_slow_reader_costs_little_and_misses_nothing() {
    // M26-267, M26-318, S-230
    const CHANGES: usize = 20_000;
    for case in Case::eras() {
        let mut limits = Limits::default();
        limits.outbound_bytes = 2 << 10;
        let server = server().limits(limits);
        let notify = server.notify();
        let (near, far) = memory_with_capacity(2 << 10);
        tokio::spawn(server.serve(far));
        let (mut rx, mut tx) = near.split().unwrap();
        let mut out = Outbound::new();
        for line in first_lines(case) {
            out.frame(|out| out.extend_from_slice(line.to_string().as_bytes()));
        }
        while !out.is_empty() {
            tx.write(&mut out).await.unwrap();
        }
        while !notify.has_subscribers("file:///a") {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await; // until `initialized` is read, too
        for n in 0..CHANGES {
            notify.tools_changed();
            notify.resource_updated(format!("file:///a/{n}"));
            if n % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        notify.resource_updated("mark:");
        let (mut told, mut folder) = (0, false);
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(10), rx.recv()).await.expect("the last is lost");
            let Some(Frame::Whole(line)) = frame.unwrap() else { panic!("the server hung up") };
            let message: Value = serde_json::from_slice(&line).unwrap();
            told += 1;
            folder |= message["params"]["uri"] == "file:///a";
            if message["params"]["uri"] == "mark:" {
                break;
            }
        }
        assert!(told < 1000, "{told} messages for a reader that read nothing");
        assert!(folder, "what was too much to tell one by one is told by its folder");
    }
}

fn first_lines(case: Case) -> Vec<Value> {
    let uris = ["file:///a", "mark:"];
    if case.is_modern() {
        let mut params = everything(&uris);
        params["_meta"] = modern_meta();
        return vec![json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params })];
    }
    let opening = json!({ "protocolVersion": case.revision.as_str(), "capabilities": {},
        "clientInfo": { "name": "t", "version": "0" } });
    let mut lines = vec![
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": opening }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    ];
    lines.extend(
        uris.map(
            |uri| json!({ "jsonrpc": "2.0", "id": uri, "method": "resources/subscribe", "params": { "uri": uri } }),
        ),
    );
    lines
}

/// Counts what it hears.
#[derive(Default)]
struct Ear {
    acknowledged: AtomicUsize,
    told: AtomicUsize,
}

impl Sink for Ear {
    fn try_send(&self, _: u64, notification: ServerNotification, _: Revision) -> Result<(), Full> {
        let count = match notification {
            ServerNotification::Acknowledged(_) => &self.acknowledged,
            _ => &self.told,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// The memory this process uses, in bytes, where it can be told.
fn memory_used() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    pages.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4096)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_hear_of_one_change_once_each() {
    // M26-273, M26-318
    const LISTENERS: usize = 10_000;
    let server = server();
    let ear = Arc::new(Ear::default());
    let wait = |count: fn(&Ear) -> &AtomicUsize| {
        let ear = Arc::clone(&ear);
        async move {
            let all = async {
                while count(&ear).load(Ordering::Relaxed) < LISTENERS {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(30), all).await.expect("some hear nothing");
        }
    };
    let before = memory_used();
    let params: ListenParams = serde_json::from_value(everything(&["file:///a"])).unwrap();
    let tasks: Vec<_> = (0..LISTENERS)
        .map(|n| {
            let call = Call::new(ClientRequest::Listen(params.clone()), Peer::new(Revision::LATEST))
                .id(i64::try_from(n).unwrap().into())
                .outlet(Outlet::new(Arc::clone(&ear) as _, n as u64));
            let server = server.clone();
            tokio::spawn(async move { server.call(call).await })
        })
        .collect();
    wait(|ear| &ear.acknowledged).await;
    let after = memory_used();
    let notify = server.notify();
    let begun = Instant::now();
    notify.tools_changed();
    let said = begun.elapsed();
    wait(|ear| &ear.told).await;
    let heard = begun.elapsed();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(ear.told.load(Ordering::Relaxed), LISTENERS, "each hears it once");
    let each = before.zip(after).map(|(before, after)| after.saturating_sub(before) / LISTENERS);
    eprintln!(
        "{LISTENERS} listeners: said in {said:?}, heard by all in {heard:?}, bytes each, task included: {each:?}"
    );
    for task in tasks {
        task.abort();
        let _ = task.await;
    }
    assert!(!notify.has_subscribers("file:///a"));
}
