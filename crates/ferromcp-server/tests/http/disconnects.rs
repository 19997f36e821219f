//! Disconnects at random moments: a reconnecting client receives every event exactly once.

use std::time::Duration;

use bytes::Bytes;
use ferromcp_core::Revision;
use ferromcp_server::StoreFuture;
use ferromcp_server::http::{EventReplay, EventStore, HttpServerOptions, MemoryEventStore, StreamKey};
use serde_json::json;

use crate::client::Session;
use crate::events::Events;
use crate::fixture::Host;

/// An event store with latency, like one behind a network.
struct Slow(MemoryEventStore);

impl EventStore for Slow {
    fn append<'a>(&'a self, key: StreamKey<'a>, number: u64, data: Bytes) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(3)).await;
            self.0.append(key, number, data).await
        })
    }

    fn end<'a>(&'a self, key: StreamKey<'a>) -> StoreFuture<'a, ()> {
        self.0.end(key)
    }

    fn replay<'a>(&'a self, key: StreamKey<'a>, after: u64) -> StoreFuture<'a, EventReplay> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            self.0.replay(key, after).await
        })
    }

    fn forget<'a>(&'a self, session: &'a str) -> StoreFuture<'a, ()> {
        self.0.forget(session)
    }
}

fn stores() -> [HttpServerOptions; 2] {
    [HttpServerOptions::new(), HttpServerOptions::new().events(Slow(MemoryEventStore::new()))]
}

/// A deterministic pseudo-random generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Resumes a stream after its last event.
async fn reconnect(session: &Session, stream: &mut Events) {
    let last = stream.last_id().expect("an id").to_owned();
    *stream = loop {
        let response = session.resume(&last).await;
        // The server may not have detected yet that earlier connections are closed.
        if response.status != 429 {
            break response.events().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn response_is_complete_when_disconnected_repeatedly() {
    // S-141, S-151, S-153, S-166, S-171, S-172
    const STEPS: u32 = 40;
    for options in stores() {
        let host = Host::with(options).await;
        let session = Session::open(host.address, Revision::V2025_11_25).await;
        let calls: Vec<_> = (1..=6_u32)
            .map(|id| {
                let session = session.clone();
                tokio::spawn(async move {
                    let mut dice = Dice(u64::from(id));
                    let mut stream = session.call(id.into(), "steps", json!({ "count": STEPS })).await.events().await;
                    stream.primed().await;
                    let mut step = 0;
                    loop {
                        if dice.roll(4) == 0 {
                            reconnect(&session, &mut stream).await;
                        }
                        let message = stream.message().await;
                        if message.get("result").is_some() {
                            assert_eq!((&message["id"], step), (&json!(id), STEPS));
                            break;
                        }
                        step += 1;
                        assert_eq!(message["params"]["progress"], f64::from(step));
                        assert_eq!(message["params"]["progressToken"], id);
                    }
                    stream.ends().await;
                })
            })
            .collect();
        for _ in 0..=STEPS {
            host.control.go(6);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for call in calls {
            call.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_are_complete_when_disconnected_repeatedly() {
    // S-153, S-163, S-164, S-166, S-171
    const COUNT: usize = 150;
    for options in stores() {
        let host = Host::with(options).await;
        let session = Session::open(host.address, Revision::V2025_11_25).await;
        let mut uris: Vec<String> = (0..COUNT).map(|number| format!("file:///{number}")).collect();
        for uri in &uris {
            assert_eq!(session.send(1, "resources/subscribe", json!({ "uri": uri })).await.status, 200);
        }
        let mut stream = session.get().send(host.address).await.events().await;
        stream.primed().await;
        let notifying = tokio::spawn({
            let (notify, uris) = (host.server.notify(), uris.clone());
            async move {
                for uri in uris {
                    notify.resource_updated(&uri);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        });
        let (mut received, mut dice) = (Vec::new(), Dice(7));
        while received.len() < COUNT {
            if dice.roll(3) == 0 {
                reconnect(&session, &mut stream).await;
            }
            let message = stream.message().await;
            received.push(message["params"]["uri"].as_str().expect("an update").to_owned());
        }
        notifying.await.unwrap();
        // Each exactly once. The order is not deterministic across two connections.
        received.sort();
        uris.sort();
        assert_eq!(received, uris);
    }
}
