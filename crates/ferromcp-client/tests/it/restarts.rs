//! Servers that end: started again, and what was under way is repeated only where that does no harm.

use std::time::Duration;

use ferromcp_client::{Client, ClientLimits, ErrorKind};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::script::{Far, builder, dialer, modern, soon, text};

fn quick() -> ClientLimits {
    let mut limits = ClientLimits::default();
    limits.restart_backoff = Duration::from_millis(1);
    limits.shutdown_grace = Duration::from_millis(50);
    limits
}

/// A client whose server can be started again; the far ends come one by one.
async fn connect() -> (Client, Far, UnboundedReceiver<Far>) {
    let (target, mut fars) = dialer();
    let script = async {
        let mut far = fars.recv().await.unwrap();
        far.be_modern().await;
        far
    };
    let (client, far) = soon(async { tokio::join!(builder().limits(quick()).connect(target), script) }).await;
    (client.unwrap(), far, fars)
}

#[tokio::test]
async fn a_read_that_was_lost_is_sent_again_to_the_new_server() {
    // M26-136, M26-167, S-006
    let (client, mut far, mut fars) = connect().await;
    let script = async {
        let first = far.expect("resources/read").await;
        drop(far);
        let mut far = fars.recv().await.unwrap();
        far.be_modern().await;
        let second = far.expect("resources/read").await;
        assert_ne!(first["id"], second["id"]);
        far.answer(&second, json!({ "contents": [] })).await;
        far
    };
    soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn a_call_that_was_lost_is_not_sent_again_and_says_that_it_may_have_run() {
    let (client, mut far, mut fars) = connect().await;
    let script = async {
        far.expect("tools/call").await;
        drop(far);
    };
    let (result, ()) = soon(async { tokio::join!(async { client.call("pay", ()).await }, script) }).await;
    let error = result.unwrap_err();
    assert!(error.is_lost() && error.kind() == ErrorKind::Lost && !error.is_unsent(), "{error}");
    assert!(error.to_string().contains("may have run"), "{error}");
    // The next call starts the server again.
    let script = async {
        let mut far = fars.recv().await.unwrap();
        far.be_modern().await;
        let call = far.expect("tools/call").await;
        far.answer(&call, text("ok")).await;
        far
    };
    soon(async { tokio::join!(async { client.call("pay", ()).await }, script) }).await.0.unwrap();
}

#[tokio::test]
async fn tools_that_say_so_and_calls_whose_caller_says_so_are_sent_again() {
    let (client, mut far, mut fars) = connect().await;
    let tool =
        |name: &str, hints: Value| json!({ "name": name, "inputSchema": { "type": "object" }, "annotations": hints });
    let tools = json!([
        tool("look", json!({ "readOnlyHint": true })),
        tool("set", json!({ "idempotentHint": true })),
        tool("pay", json!({ "readOnlyHint": false })),
    ]);
    let script = async {
        let list = far.expect("tools/list").await;
        far.answer(&list, json!({ "tools": tools })).await;
    };
    soon(async { tokio::join!(async { client.tools().await }, script) }).await.0.unwrap();
    assert_eq!(client.annotations("look").unwrap().read_only_hint, Some(true));
    for (name, told, again) in [
        ("look", None, true),
        ("set", None, true),
        ("pay", None, false),
        ("pay", Some(true), true),
        ("look", Some(false), false),
    ] {
        let script = async {
            far.expect("tools/call").await;
            drop(far);
            let mut far = fars.recv().await;
            if let Some(far) = &mut far {
                far.be_modern().await;
                if again {
                    let call = far.expect("tools/call").await;
                    far.answer(&call, text("ok")).await;
                } else {
                    let read = far.expect("resources/read").await;
                    far.answer(&read, json!({ "contents": [] })).await;
                }
            }
            far.unwrap()
        };
        let calling = async {
            let call = client.call(name, ());
            let result = match told {
                Some(told) => call.repeatable(told).await,
                None => call.await,
            };
            assert_eq!(result.is_ok(), again, "{name} {told:?} {result:?}");
            if !again {
                client.read("x:a").await.unwrap();
            }
        };
        far = soon(async { tokio::join!(calling, script) }).await.1;
    }
}

#[tokio::test]
async fn many_that_wait_share_one_restart() {
    let (client, far, mut fars) = connect().await;
    drop(far);
    let script = async {
        let mut far = fars.recv().await.unwrap();
        far.be_modern().await;
        for _ in 0..8 {
            let read = far.expect("resources/read").await;
            far.answer(&read, json!({ "contents": [] })).await;
        }
        far
    };
    let reading = async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.read("x:a").await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
    };
    soon(async { tokio::join!(reading, script) }).await;
    assert!(fars.try_recv().is_err(), "one start for all");
}

#[tokio::test]
async fn a_server_that_does_not_stay_is_given_up() {
    let (client, far, mut fars) = connect().await;
    drop(far);
    let starts = tokio::spawn(async move {
        let mut starts = 0;
        while let Some(far) = fars.recv().await {
            starts += 1;
            drop(far);
        }
        starts
    });
    let error = soon(client.read("x:a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    drop(client);
    let starts = soon(starts).await.unwrap();
    assert!((5..=10).contains(&starts), "{starts} starts, each a probe and a handshake at most");
}

#[tokio::test]
async fn a_pipe_that_cannot_be_opened_again_stays_closed() {
    let (client, far) = modern(builder()).await;
    drop(far);
    while soon(client.read("x:a")).await.unwrap_err().kind() != ErrorKind::Closed {}
    assert!(soon(client.call("t", ())).await.unwrap_err().is_closed());
}

#[tokio::test]
async fn closing_sends_what_waits_and_then_nothing() {
    let (client, mut far) = modern(builder().limits(quick())).await;
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.call("t", ()).await }
    });
    far.expect("tools/call").await;
    let closing = async {
        client.close().await;
        client.close().await;
    };
    let ((), last) = soon(async { tokio::join!(closing, far.try_recv()) }).await;
    assert_eq!(last, None);
    assert!(soon(task).await.unwrap().is_err());
    assert!(soon(client.call("t", ())).await.unwrap_err().is_closed());
    assert!(soon(client.tools()).await.unwrap_err().is_closed());
}

#[tokio::test]
async fn a_server_that_was_replaced_is_probed_anew() {
    // M26-080, M26-081
    let (client, mut far, mut fars) = connect().await;
    let script = async {
        let read = far.expect("resources/read").await;
        far.fail(&read, -32022, json!({ "supported": ["2025-11-25"] })).await;
        let mut far = fars.recv().await.unwrap();
        far.be_legacy().await;
        let read = far.expect("resources/read").await;
        assert_eq!(read["params"], json!({ "uri": "x:a" }));
        far.answer(&read, json!({ "contents": [] })).await;
        far
    };
    let (result, _far) = soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await;
    result.unwrap();
    assert!(!client.revision().is_modern());
}
