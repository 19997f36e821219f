//! Subscriptions: change notifications in both eras, delivered once to each subscriber until it unsubscribes.

use std::time::{Duration, Instant};

use ferromcp_core::meta::key;
use ferromcp_core::model::{InitializeParams, ListenParams, ResourceUriParams};
use ferromcp_core::{ClientRequest, Revision, ServerResult};
use ferromcp_server::middleware::concurrency_limit;
use ferromcp_server::{Call, ChangeNotifier, Ctx, Peer, Prompt, Reply, Resource, Server, ServerLimits, Tool};
use serde_json::{Value, json};

use crate::client::{Case, Client};

pub(crate) fn server() -> Server {
    Server::new("subscriptions", "0")
        .with_tool(
            Tool::sync("notify_updated", |ctx: Ctx, uri: String| ctx.notify().resource_updated(uri))
                .args(["ctx", "uri"]),
        )
        .with_resource(Resource::sync("file:///a", || "a"))
        .with_prompt(Prompt::sync("ask", || "?"))
}

fn extra_tool() -> Tool {
    Tool::sync("extra", || 1)
}

/// The parameters of a `subscriptions/listen` request for all list changes and `uris`.
pub(crate) fn listen_to_all(uris: &[&str]) -> Value {
    json!({ "notifications": {
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": uris
    } })
}

/// A client subscribed to all list changes and to `uris`.
struct Subscribed {
    client: Client,
    case: Case,
    id: Value,
}

impl Subscribed {
    async fn new(server: Server, case: Case, uris: &[&str]) -> Self {
        let mut client = Client::connect(server, case).await;
        let mut id = Value::Null;
        if case.is_modern() {
            id = client.start("subscriptions/listen", listen_to_all(uris)).into();
            let first = client.recv().await;
            assert_eq!(first["method"], "notifications/subscriptions/acknowledged", "{first}");
        } else {
            for uri in uris {
                assert_eq!(client.result("resources/subscribe", json!({ "uri": uri })).await, json!({}));
            }
            client.assert_alive().await; // `initialized` has arrived
        }
        Self { client, case, id }
    }

    /// Receives the next change notification and returns its list kind or URI.
    async fn next_change(&mut self) -> String {
        let message = self.client.recv().await;
        assert_eq!(message["params"]["_meta"].get(key::SUBSCRIPTION_ID), Some(&self.id).filter(|id| !id.is_null()));
        assert_eq!(message["params"].get("_meta").is_some(), self.case.is_modern(), "{message}");
        changed(&message)
    }

    /// Asserts that no other notification is received before the one for `mark`, a subscribed URI.
    async fn assert_next_is(&mut self, notify: &ChangeNotifier, mark: &str) {
        notify.resource_updated(mark);
        assert_eq!(self.next_change().await, mark);
    }
}

/// Returns the list kind or the URI of a change notification.
fn changed(message: &Value) -> String {
    let method = message["method"].as_str().unwrap_or_else(|| panic!("not a notification: {message}"));
    match message["params"].get("uri") {
        Some(uri) => {
            assert_eq!(method, "notifications/resources/updated");
            uri.as_str().unwrap().to_owned()
        }
        None => method.trim_start_matches("notifications/").trim_end_matches("/list_changed").to_owned(),
    }
}

#[tokio::test]
async fn change_notification_reaches_both_eras_when_resource_or_list_changes() {
    // M26-318, M26-360, M26-361, M26-384, S-230, S-231, S-271, S-272, S-293
    for case in Case::all() {
        let other = Case::eras().into_iter().find(|other| other.is_modern() != case.is_modern()).unwrap();
        let server = server();
        let (notify, registry) = (server.notify(), server.registry().clone());
        let mut subscribers = [
            Subscribed::new(server.clone(), case, &["file:///a"]).await,
            Subscribed::new(server.clone(), other, &["file:///a"]).await,
        ];
        let mut notifier = Client::connect(server.clone(), case).await;
        notify.tools_changed();
        for subscriber in &mut subscribers {
            assert_eq!(subscriber.next_change().await, "tools");
        }
        notifier.call("notify_updated", json!({ "uri": "file:///a" })).await;
        for subscriber in &mut subscribers {
            assert_eq!(subscriber.next_change().await, "file:///a");
        }
        registry.add_tool(extra_tool()).unwrap();
        for subscriber in &mut subscribers {
            assert_eq!(subscriber.next_change().await, "tools");
        }
    }
}

/// Changes a registry and returns whether the result is as expected.
type Edit<'a> = Box<dyn Fn() -> bool + 'a>;

#[tokio::test]
async fn one_list_changed_is_sent_when_registry_changes() {
    // M26-318, M26-360, M26-384, S-230, S-271, S-293
    for case in Case::all() {
        let server = server();
        let (notify, registry) = (server.notify(), server.registry().clone());
        let mut subscriber = Subscribed::new(server, case, &["mark:"]).await;
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
        for (expected, edit) in edits {
            assert!(edit(), "{expected}");
            if !expected.is_empty() {
                assert_eq!(subscriber.next_change().await, expected);
            }
            subscriber.assert_next_is(&notify, "mark:").await;
        }
    }
}

#[tokio::test]
async fn list_changed_capability_is_advertised_when_server_can_notify() {
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
async fn acknowledgment_is_first_and_id_type_is_preserved_when_subscribing() {
    // M26-266, M26-267, M26-268, M26-271, M26-272, M26-273
    for case in Case::modern() {
        let server = server();
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let ids = [json!(1), json!("1"), json!(""), json!(0)];
        for id in &ids {
            notify.tools_changed(); // earlier subscriptions receive this; the new one must not before its acknowledgment
            let listen = client.request_of(id.clone(), "subscriptions/listen", listen_to_all(&[]));
            client.send(&listen);
            notify.tools_changed();
        }
        let mut acknowledged: Vec<Value> = Vec::new();
        let mut completed = 0;
        while completed < ids.len() {
            let message = client.recv().await;
            let id = message["params"]["_meta"][key::SUBSCRIPTION_ID].clone();
            assert!(ids.contains(&id), "{message}");
            let is_acknowledgment = message["method"] == "notifications/subscriptions/acknowledged";
            assert_eq!(is_acknowledgment, !acknowledged.contains(&id), "{message}");
            if is_acknowledgment {
                acknowledged.push(id);
                if acknowledged.len() == ids.len() {
                    notify.prompts_changed();
                }
            }
            completed += usize::from(message["method"] == "notifications/prompts/list_changed");
        }
    }
}

#[tokio::test]
async fn filter_is_reduced_to_offered_features_when_subscribing() {
    // M26-265, M26-269, M26-278, M26-361
    for case in Case::modern() {
        let server =
            Server::new("some", "0").with_tool(extra_tool()).with_resource(Resource::sync("file:///a", || "a"));
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let filters = [
            (json!({}), json!({})),
            (json!({ "toolsListChanged": false, "promptsListChanged": true, "x": 1 }), json!({})),
            (json!({ "toolsListChanged": true, "resourceSubscriptions": [] }), json!({ "toolsListChanged": true })),
            (
                json!({ "resourcesListChanged": true, "resourceSubscriptions": ["file:///a"] }),
                json!({ "resourcesListChanged": true, "resourceSubscriptions": ["file:///a"] }),
            ),
        ];
        let mut ids = Vec::new();
        for (filter, acknowledged) in filters {
            ids.push(client.start("subscriptions/listen", json!({ "notifications": filter })));
            let first = client.recv().await;
            assert_eq!(first["params"]["notifications"], acknowledged, "{first}");
        }
        notify.prompts_changed();
        notify.resource_updated("file:///b");
        notify.resource_updated("file:///ab");
        notify.tools_changed();
        notify.resources_changed();
        notify.resource_updated("file:///a");
        let mut received = Vec::new();
        for _ in 0..3 {
            let message = client.recv().await;
            received.push((message["params"]["_meta"][key::SUBSCRIPTION_ID].as_i64().unwrap(), changed(&message)));
        }
        received.sort();
        let (tools, resources) = (ids[2], ids[3]);
        let expected = [(tools, "tools"), (resources, "file:///a"), (resources, "resources")];
        assert_eq!(received, expected.map(|(id, change)| (id, change.to_owned())));
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn resource_updated_is_sent_when_parent_uri_is_subscribed() {
    // M26-361, S-272
    for case in Case::all() {
        let server = server();
        let notify = server.notify();
        let mut subscriber = Subscribed::new(server, case, &["file:///a", "file:///c/", "mark:"]).await;
        for uri in ["file:///a/b", "file:///a", "file:///a/", "file:///c/d/e", "file:///c/"] {
            assert!(notify.has_subscribers(uri), "{uri}");
            notify.resource_updated(uri);
            assert_eq!(subscriber.next_change().await, uri);
        }
        for uri in ["file:///ab", "file:///", "file:///b", "file:///c", "other:///a/b", ""] {
            assert!(!notify.has_subscribers(uri), "{uri}");
            notify.resource_updated(uri);
        }
        subscriber.assert_next_is(&notify, "mark:").await;
    }
}

#[tokio::test]
async fn subscription_is_idempotent_when_session_repeats_subscribe_or_unsubscribe() {
    // S-231, S-272
    for case in Case::legacy() {
        let server = server();
        let notify = server.notify();
        let mut subscriber = Subscribed::new(server, case, &["file:///a", "file:///a", "mark:"]).await;
        notify.resource_updated("file:///a");
        assert_eq!(subscriber.next_change().await, "file:///a");
        subscriber.assert_next_is(&notify, "mark:").await;
        for uri in ["file:///a", "file:///a", "file:///never"] {
            assert_eq!(subscriber.client.result("resources/unsubscribe", json!({ "uri": uri })).await, json!({}));
        }
        assert!(!notify.has_subscribers("file:///a"));
        notify.resource_updated("file:///a");
        subscriber.assert_next_is(&notify, "mark:").await;
        assert_eq!(subscriber.client.error("resources/subscribe", json!({})).await["code"], -32602);
        subscriber.client.close().await.unwrap();
        assert!(!notify.has_subscribers("mark:"), "the session has ended");
    }
}

#[tokio::test]
async fn no_list_changed_is_sent_when_session_is_not_ready_or_capability_is_undeclared() {
    // S-230, S-273, S-293
    for case in Case::legacy() {
        let server = Server::new("few", "0").with_tool(extra_tool());
        let (notify, registry) = (server.notify(), server.registry().clone());
        let mut client = Client::raw(server, case);
        let params = client.initialize_params(case.revision.as_str());
        let declared = client.result("initialize", params).await["capabilities"].clone();
        assert!(declared.get("prompts").is_none());
        notify.tools_changed();
        client.assert_alive().await;
        client.assert_alive().await;
        registry.add_prompt(Prompt::sync("late", || "?")).unwrap();
        client.notify("notifications/initialized", json!({}));
        assert_eq!(changed(&client.recv().await), "tools");
        notify.prompts_changed();
        client.assert_alive().await;
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn notifications_stop_when_subscription_is_cancelled() {
    // M26-273, M26-291, M26-292
    for case in Case::modern() {
        let server = server();
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let first = client.start("subscriptions/listen", listen_to_all(&["file:///a"]));
        let second = client.start("subscriptions/listen", listen_to_all(&["file:///b"]));
        for _ in 0..2 {
            assert_eq!(client.recv().await["method"], "notifications/subscriptions/acknowledged");
        }
        client.cancel(first);
        client.assert_alive().await;
        let ended = async {
            while notify.has_subscribers("file:///a") {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), ended)
            .await
            .expect("timed out waiting for the subscription to end");
        notify.tools_changed();
        let message = client.recv().await;
        assert_eq!(message["params"]["_meta"][key::SUBSCRIPTION_ID], second, "{message}");
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn each_subscription_is_completed_when_server_shuts_down() {
    // M26-274, M26-275, M26-277, M26-291, M26-292
    for case in Case::modern() {
        let server = server();
        let notify = server.notify();
        let mut client = Client::connect(server, case).await;
        let ids = [json!("L1"), json!(7)];
        for id in &ids {
            let listen = client.request_of(id.clone(), "subscriptions/listen", listen_to_all(&[]));
            client.send(&listen);
            client.recv().await;
        }
        let start = Instant::now();
        notify.tools_changed(); // queued notifications are sent before the subscription ends
        let (rest, served) = client.drain().await;
        served.unwrap();
        assert!(start.elapsed() < Duration::from_secs(1), "shutdown waited for the grace time");
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
async fn subscription_is_rejected_when_params_are_invalid_or_limit_is_exceeded() {
    // M26-264
    for case in Case::all() {
        let limits = ServerLimits::new().subscriptions(2);
        let mut client = Client::connect(server().limits(limits), case).await;
        if !case.is_modern() {
            for (uri, code) in [("a:1", Value::Null), ("a:2", Value::Null), ("a:3", json!(-32602))] {
                let answer = client.request("resources/subscribe", json!({ "uri": uri })).await;
                assert_eq!(answer["error"]["code"], code, "{answer}");
            }
            let error = client.error("subscriptions/listen", listen_to_all(&[])).await;
            assert!(error["code"] == -32602 || error["code"] == -32601, "{error}");
            continue;
        }
        for params in
            [json!({}), json!({ "notifications": null }), json!({ "notifications": { "toolsListChanged": 1 } })]
        {
            assert_eq!(client.error("subscriptions/listen", params).await["code"], -32602);
        }
        let error = client.error("subscriptions/listen", listen_to_all(&["a:1", "a:2", "a:3"])).await;
        assert_eq!(error["code"], -32602);
        assert!(error["message"].as_str().unwrap().contains("at most 2"), "{error}");
        for method in ["resources/subscribe", "resources/unsubscribe"] {
            assert_eq!(client.error(method, json!({ "uri": "file:///a" })).await["code"], -32601);
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn concurrency_permit_is_not_held_when_subscription_is_open() {
    // M26-273
    for case in Case::modern() {
        let mut subscriber = Subscribed::new(server().wrap(concurrency_limit(1)), case, &["file:///a"]).await;
        subscriber.client.start("subscriptions/listen", listen_to_all(&["file:///a"]));
        subscriber.client.recv().await;
        subscriber.client.start_call("notify_updated", json!({ "uri": "file:///a/b" }));
        let mut notified = 0;
        while notified < 2 {
            let message = subscriber.client.recv().await;
            if message.get("method").is_some() {
                assert_eq!(changed(&message), "file:///a/b");
                notified += 1;
            }
        }
    }
}

#[tokio::test]
async fn list_changed_capability_is_absent_when_peer_cannot_receive_notifications() {
    // S-273
    let server = server();
    let peer = || Peer::new(Revision::LATEST_LEGACY);
    let params = json!({ "protocolVersion": "x", "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } });
    let params: InitializeParams = serde_json::from_value(params).unwrap();
    let reply = server.call(Call::new(ClientRequest::Initialize(Box::new(params)), peer())).await;
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
