//! `subscriptions/listen` of 2026-07-28.

use ferromcp_core::meta::key;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use ferromcp_server::{Prompt, Server, Tool};
use ferromcp_transport::sse::Decoder;
use serde_json::{Value, json};

use crate::client::{modern, modern_message, modern_post};
use crate::events::Events;
use crate::fixture::{CallControl, Host, server};
use crate::in_process;
use crate::mounted::Mounted;

/// Opens a subscription and reads its acknowledgment.
async fn listen(host: &Host, id: Value, filter: Value) -> (Events, Value) {
    let message = modern_message(id.clone(), "subscriptions/listen", json!({ "notifications": filter }));
    let response = modern_post(&message).send(host.address).await;
    assert_eq!(response.header("x-accel-buffering"), Some("no"));
    let mut stream = response.events().await;
    let (event, first) = stream.identified().await;
    assert_eq!((event, &first["method"]), (None, &json!("notifications/subscriptions/acknowledged")));
    assert_eq!(first["params"]["_meta"][key::SUBSCRIPTION_ID], id);
    (stream, first["params"]["notifications"].clone())
}

/// Reads the next notification of a subscription.
async fn notification(stream: &mut Events, id: &Value) -> String {
    let (event, message) = stream.identified().await;
    assert_eq!(event, None);
    assert_eq!(&message["params"]["_meta"][key::SUBSCRIPTION_ID], id, "{message}");
    assert!(message.get("id").is_none(), "{message}");
    message["params"]["uri"].as_str().or(message["method"].as_str()).unwrap().to_owned()
}

#[tokio::test]
async fn receives_only_filtered_changes_when_subscribed() {
    // M26-265, M26-266, M26-267, M26-269, M26-271, M26-272, M26-278
    let host = Host::new().await;
    let notify = host.server.notify();
    for id in [json!("L1"), json!(7), json!("7"), json!(-1), json!("")] {
        let (mut stream, acknowledged) =
            listen(&host, id.clone(), json!({ "toolsListChanged": true, "resourceSubscriptions": ["file:///a"] }))
                .await;
        assert_eq!(acknowledged, json!({ "toolsListChanged": true, "resourceSubscriptions": ["file:///a"] }));
        notify.prompts_changed();
        notify.resources_changed();
        notify.resource_updated("file:///b");
        notify.tools_changed();
        assert_eq!(notification(&mut stream, &id).await, "notifications/tools/list_changed");
        notify.resource_updated("file:///a");
        assert_eq!(notification(&mut stream, &id).await, "file:///a");
        notify.prompts_changed();
        notify.resource_updated("file:///a/b");
        assert_eq!(notification(&mut stream, &id).await, "file:///a/b");
    }
}

#[tokio::test]
async fn acknowledges_only_supported_notifications_when_subscribing() {
    // M26-269
    let only_prompts = Server::new("prompts", "1").with_prompt(Prompt::sync("ask", || "?"));
    let host = Host::of(only_prompts, CallControl::default(), HttpServerOptions::new()).await;
    let filter = json!({
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": false,
        "resourceSubscriptions": ["file:///a"], "somethingNew": true
    });
    let (_, acknowledged) = listen(&host, json!(1), filter).await;
    assert_eq!(acknowledged, json!({ "promptsListChanged": true }));
    let (_, acknowledged) = listen(&host, json!(2), json!({})).await;
    assert_eq!(acknowledged, json!({}));
}

#[tokio::test]
async fn subscriptions_run_concurrently() {
    // M26-265, M26-271, M26-272
    let host = Host::new().await;
    // Even with the same id: connections are independent.
    let (mut tools, _) = listen(&host, json!(1), json!({ "toolsListChanged": true })).await;
    let (mut prompts, _) = listen(&host, json!(1), json!({ "promptsListChanged": true })).await;
    let (mut both, _) = listen(&host, json!(2), json!({ "toolsListChanged": true, "promptsListChanged": true })).await;
    host.server.registry().add_tool(Tool::sync("extra", || 1)).unwrap();
    assert_eq!(notification(&mut both, &json!(2)).await, "notifications/tools/list_changed");
    host.server.registry().add_prompt(Prompt::sync("extra", || "?")).unwrap();
    assert_eq!(notification(&mut both, &json!(2)).await, "notifications/prompts/list_changed");
    assert_eq!(notification(&mut tools, &json!(1)).await, "notifications/tools/list_changed");
    assert_eq!(notification(&mut prompts, &json!(1)).await, "notifications/prompts/list_changed");
    // Subscriptions do not receive progress and logs of calls.
    host.control.go(3);
    let steps = json!({ "name": "steps", "arguments": { "count": 2 }, "_meta": { "progressToken": 1 } });
    let mut call = modern("tools/call", steps).send(host.address).await.events().await;
    while call.next().await.is_some() {}
    host.server.notify().tools_changed();
    assert_eq!(notification(&mut tools, &json!(1)).await, "notifications/tools/list_changed");
}

#[tokio::test]
async fn shutdown_ends_a_subscription_with_its_result() {
    // M26-271, M26-274, M26-275, M26-291
    for id in [json!("L1"), json!(9)] {
        let server = server(&CallControl::default());
        let mounted = Mounted::new(&server, HttpServerOptions::new()).await;
        let message = modern_message(
            id.clone(),
            "subscriptions/listen",
            json!({ "notifications": { "toolsListChanged": true } }),
        );
        let mut stream = mounted.send(modern_post(&message)).await.events().await;
        stream.message().await;
        // Pending notifications are sent before the result.
        server.notify().tools_changed();
        mounted.service.shutdown().await;
        assert_eq!(notification(&mut stream, &id).await, "notifications/tools/list_changed");
        let last = stream.message().await;
        assert_eq!(last["id"], id);
        assert_eq!(last["result"]["resultType"], "complete");
        assert_eq!(last["result"]["_meta"][key::SUBSCRIPTION_ID], id);
        stream.ends().await;
    }
}

#[tokio::test]
async fn coalesces_notifications_when_the_subscriber_reads_slowly() {
    const CHANGES: usize = 10_000;
    let host = Host::new().await;
    let long = format!("file:///{}", "x".repeat(4000));
    let uris: Vec<String> = (0..4).map(|number| format!("{long}{number}")).collect();
    let (mut stream, _) =
        listen(&host, json!(1), json!({ "resourceSubscriptions": [uris[0], uris[1], "file:///end"] })).await;
    let notify = host.server.notify();
    for change in 0..CHANGES {
        notify.resource_updated(&uris[change % 2]);
        if change % 8 == 0 {
            tokio::task::yield_now().await; // lets the connection write
        }
    }
    notify.resource_updated("file:///end");
    let mut received = 0;
    loop {
        match notification(&mut stream, &json!(1)).await {
            end if end == "file:///end" => break,
            uri => assert!(uris[..2].contains(&uri), "{uri}"),
        }
        received += 1;
    }
    // Beyond the buffers of the stream and of the kernel, each notification is pending once.
    assert!((2..CHANGES / 2).contains(&received), "{received}");
}

#[tokio::test]
async fn responds_503_when_the_stream_limit_is_exceeded() {
    let limits = HttpServerLimits::new().streams(1);
    let host = Host::with(HttpServerOptions::new().limits(limits)).await;
    let (first, _) = listen(&host, json!(1), json!({})).await;
    let request = modern("subscriptions/listen", json!({ "notifications": {} }));
    let mut rejected = request.send(host.address).await;
    let body = rejected.json().await;
    assert_eq!((rejected.status, rejected.header("retry-after")), (503, Some("1")), "{body}");
    // Calls have a separate limit.
    assert_eq!(modern("tools/list", json!({})).send(host.address).await.status, 200);
    drop(first);
    let released = async {
        while request.send(host.address).await.status != 200 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), released).await.expect("a closed stream is not released");
}

/// Reads events from the body of an in-process response.
struct Reader {
    body: ferromcp_server::http::Body,
    decoder: Decoder,
}

impl Reader {
    async fn messages(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while messages.is_empty() {
            let Some(mut chunk) = in_process::chunk(&mut self.body).await else { return messages };
            while let Some(event) = self.decoder.decode(&mut chunk).unwrap() {
                messages.push(serde_json::from_slice(&event.data).unwrap());
            }
        }
        messages
    }
}

#[tokio::test]
async fn serves_a_thousand_subscriptions() {
    // M26-266, M26-271, M26-274
    const LISTENERS: usize = 1_000;
    let server = server(&CallControl::default());
    let service = server.http_with(HttpServerOptions::new()).unwrap();
    let mut readers = Vec::new();
    for id in 0..LISTENERS {
        let filter = json!({ "notifications": { "toolsListChanged": true } });
        let request = modern_post(&modern_message(id, "subscriptions/listen", filter));
        let body = in_process::send(&service, &request, None).await.into_body();
        let mut reader = Reader { body, decoder: Decoder::default() };
        let first = reader.messages().await;
        assert_eq!(first[0]["params"]["_meta"][key::SUBSCRIPTION_ID], id);
        readers.push(reader);
    }
    for _ in 0..3 {
        server.notify().tools_changed();
        for (id, reader) in readers.iter_mut().enumerate() {
            let messages = reader.messages().await;
            assert_eq!(messages.len(), 1, "{messages:?}");
            assert_eq!(messages[0]["method"], "notifications/tools/list_changed");
            assert_eq!(messages[0]["params"]["_meta"][key::SUBSCRIPTION_ID], id);
        }
    }
    let shutdown = tokio::spawn({
        let service = service.clone();
        async move { service.shutdown().await }
    });
    for (id, reader) in readers.iter_mut().enumerate() {
        let messages = reader.messages().await;
        assert_eq!((messages.len(), &messages[0]["id"]), (1, &json!(id)), "{messages:?}");
        assert!(reader.messages().await.is_empty());
    }
    shutdown.await.unwrap();
}
