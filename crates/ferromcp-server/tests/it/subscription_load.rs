//! Subscriptions under load: slow readers and many subscribers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ferromcp_core::model::ListenParams;
use ferromcp_core::{ClientRequest, Revision, ServerNotification};
use ferromcp_server::{Call, NotificationSink, Peer, QueueFull, RequestSink, ServerLimits};
use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, memory_with_capacity};
use serde_json::{Value, json};

use crate::client::{Case, modern_meta};
use crate::subscriptions::{listen_to_all, server};

#[tokio::test]
async fn change_notifications_are_coalesced_when_reader_is_slow() {
    // M26-267, M26-318, S-230
    const CHANGES: usize = 20_000;
    for case in Case::eras() {
        let limits = ServerLimits::new().outbound_bytes(2 << 10);
        let server = server().limits(limits);
        let notify = server.notify();
        let (near, far) = memory_with_capacity(2 << 10);
        tokio::spawn(server.serve(far));
        let (mut rx, mut tx) = near.split().unwrap();
        let mut out = Outbound::new();
        for line in subscribe_messages(case) {
            out.frame(|out| out.extend_from_slice(line.to_string().as_bytes()));
        }
        while !out.is_empty() {
            tx.write(&mut out).await.unwrap();
        }
        while !notify.has_subscribers("file:///a") {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await; // until `initialized` is read
        for n in 0..CHANGES {
            notify.tools_changed();
            notify.resource_updated(format!("file:///a/{n}"));
            if n % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        notify.resource_updated("mark:");
        let (mut received, mut parent_notified) = (0, false);
        loop {
            let frame = tokio::time::timeout(Duration::from_secs(10), rx.recv())
                .await
                .expect("timed out waiting for the last notification");
            let Some(Frame::Complete(line)) = frame.unwrap() else { panic!("the server disconnected") };
            let message: Value = serde_json::from_slice(&line).unwrap();
            received += 1;
            parent_notified |= message["params"]["uri"] == "file:///a";
            if message["params"]["uri"] == "mark:" {
                break;
            }
        }
        assert!(received < 1000, "{received} messages were queued for a reader that did not read");
        assert!(parent_notified, "excess resource updates must be coalesced into an update of the subscribed URI");
    }
}

/// Returns the messages that subscribe to `file:///a` and `mark:`.
fn subscribe_messages(case: Case) -> Vec<Value> {
    let uris = ["file:///a", "mark:"];
    if case.is_modern() {
        let mut params = listen_to_all(&uris);
        params["_meta"] = modern_meta();
        return vec![json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params })];
    }
    let params = json!({ "protocolVersion": case.revision.as_str(), "capabilities": {},
        "clientInfo": { "name": "t", "version": "0" } });
    let mut lines = vec![
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
    ];
    lines.extend(
        uris.map(
            |uri| json!({ "jsonrpc": "2.0", "id": uri, "method": "resources/subscribe", "params": { "uri": uri } }),
        ),
    );
    lines
}

/// Counts received notifications.
#[derive(Default)]
struct CountingSink {
    acknowledged: AtomicUsize,
    changes: AtomicUsize,
}

impl NotificationSink for CountingSink {
    fn try_send(&self, _: u64, notification: ServerNotification, _: Revision) -> Result<(), QueueFull> {
        let count = match notification {
            ServerNotification::Acknowledged(_) => &self.acknowledged,
            _ => &self.changes,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn ready(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

/// Returns the resident memory of this process in bytes, if `/proc` is available.
fn memory_used() -> Option<usize> {
    let pages = std::fs::read_to_string("/proc/self/statm").ok()?;
    pages.split(' ').nth(1)?.parse::<usize>().ok().map(|pages| pages * 4096)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_is_delivered_once_each_when_ten_thousand_subscribers_listen() {
    // M26-273, M26-318
    const SUBSCRIBERS: usize = 10_000;
    let server = server();
    let sink = Arc::new(CountingSink::default());
    let wait = |count: fn(&CountingSink) -> &AtomicUsize| {
        let sink = Arc::clone(&sink);
        async move {
            let all = async {
                while count(&sink).load(Ordering::Relaxed) < SUBSCRIBERS {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(30), all).await.expect("timed out waiting for all subscribers");
        }
    };
    let before = memory_used();
    let params: ListenParams = serde_json::from_value(listen_to_all(&["file:///a"])).unwrap();
    let tasks: Vec<_> = (0..SUBSCRIBERS)
        .map(|n| {
            let call = Call::new(ClientRequest::Listen(params.clone()), Peer::new(Revision::LATEST))
                .id(i64::try_from(n).unwrap().into())
                .sink(RequestSink::new(Arc::clone(&sink) as _, n as u64));
            let server = server.clone();
            tokio::spawn(async move { server.call(call).await })
        })
        .collect();
    wait(|sink| &sink.acknowledged).await;
    let after = memory_used();
    let notify = server.notify();
    let start = Instant::now();
    notify.tools_changed();
    let sent = start.elapsed();
    wait(|sink| &sink.changes).await;
    let delivered = start.elapsed();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(sink.changes.load(Ordering::Relaxed), SUBSCRIBERS, "each subscriber must receive one notification");
    let each = before.zip(after).map(|(before, after)| after.saturating_sub(before) / SUBSCRIBERS);
    eprintln!(
        "{SUBSCRIBERS} subscribers: sent in {sent:?}, delivered in {delivered:?}, bytes per subscriber: {each:?}"
    );
    for task in tasks {
        task.abort();
        let _ = task.await;
    }
    assert!(!notify.has_subscribers("file:///a"));
}
