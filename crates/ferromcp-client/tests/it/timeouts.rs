//! Timeouts, progress and cancellation of calls.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferromcp_client::ErrorKind;
use serde_json::{Value, json};

use crate::script::{builder, legacy, modern, soon, text};

const SHORT: Duration = Duration::from_millis(60);

#[tokio::test]
async fn cancels_call_and_ignores_late_response_when_timed_out() {
    // M26-130, S-210, S-211, S-214, S-219, S-220, S-267
    for is_modern in [true, false] {
        let (client, mut peer) = if is_modern { modern(builder()).await } else { legacy(builder()).await };
        let error = soon(client.call("slow", ()).timeout(SHORT)).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        let call = peer.expect("tools/call").await;
        let cancelled = peer.expect("notifications/cancelled").await;
        assert_eq!(cancelled["params"]["requestId"], call["id"]);
        assert!(cancelled["params"]["reason"].is_string());
        peer.answer(&call, text("late")).await;
        peer.answer(&json!({ "id": "unknown" }), text("lie")).await;
        let script = async {
            let next = peer.expect("tools/call").await;
            assert_ne!(next["id"], call["id"]);
            peer.answer(&next, text("in time")).await;
        };
        let (result, ()) = soon(async { tokio::join!(async { client.call("quick", ()).await }, script) }).await;
        assert_eq!(result.unwrap().content.len(), 1);
    }
}

#[tokio::test]
async fn cancels_call_when_dropped_before_response() {
    // M26-130
    let (client, mut peer) = modern(builder()).await;
    let task = tokio::spawn({
        let client = client.clone();
        async move { client.call("slow", ()).await }
    });
    let call = peer.expect("tools/call").await;
    task.abort();
    assert_eq!(peer.expect("notifications/cancelled").await["params"]["requestId"], call["id"]);

    let script = async {
        let next = peer.expect("tools/call").await;
        peer.answer(&next, text("done")).await;
    };
    soon(async { tokio::join!(async { client.call("quick", ()).await }, script) }).await.0.unwrap();
    drop(client);
    assert_eq!(peer.try_recv().await, None);
}

#[tokio::test]
async fn progress_restarts_timeout() {
    let (client, mut peer) = modern(builder()).await;
    let received = Arc::new(Mutex::new(Vec::new()));
    let hear = Arc::clone(&received);
    let call = client
        .call("long", ())
        .timeout(SHORT * 2)
        .on_progress(move |progress| hear.lock().unwrap().push((progress.progress, progress.total, progress.message)));
    let script = async {
        let call = peer.expect("tools/call").await;
        let token = &call["params"]["_meta"]["progressToken"];
        assert!(token.is_i64(), "{call}");
        for step in 1..=4 {
            tokio::time::sleep(SHORT).await;
            let params = json!({ "progressToken": token, "progress": step, "total": 4, "message": "so far" });
            peer.notify("notifications/progress", params).await;
        }
        peer.notify("notifications/progress", json!({ "progressToken": "nobody's", "progress": 1 })).await;
        peer.answer(&call, text("done")).await;
        peer.notify("notifications/progress", json!({ "progressToken": token, "progress": 5 })).await;
    };
    soon(async { tokio::join!(call, script) }).await.0.unwrap();
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 4);
    assert_eq!(received[3], (4.0, Some(4.0), Some("so far".to_owned())));
}

#[tokio::test]
async fn call_times_out_at_time_limit_despite_progress() {
    let (client, mut peer) = modern(builder()).await;
    let call = client.call("endless", ()).timeout(SHORT * 2).time_limit(SHORT * 4);
    let script = async {
        let call = peer.expect("tools/call").await;
        let token = &call["params"]["_meta"]["progressToken"];
        for step in 0..20 {
            tokio::time::sleep(SHORT / 2).await;
            peer.notify("notifications/progress", json!({ "progressToken": token, "progress": step })).await;
        }
    };
    let error = soon(async { tokio::join!(call, script) }).await.0.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    peer.expect("notifications/cancelled").await;
}

#[tokio::test]
async fn watch_progress_returns_latest_progress() {
    let (client, mut peer) = modern(builder()).await;
    let (call, watch) = client.call("long", ()).watch_progress();
    let script = async {
        let call = peer.expect("tools/call").await;
        for step in 1..=1000 {
            let params = json!({ "progressToken": call["params"]["_meta"]["progressToken"], "progress": step });
            peer.notify("notifications/progress", params).await;
        }
        peer.answer(&call, text("done")).await;
    };
    soon(async { tokio::join!(call, script) }).await.0.unwrap();
    assert!((watch.borrow().as_ref().unwrap().progress - 1000.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn returns_json_rpc_error_of_server() {
    // M26-368
    let (client, mut peer) = modern(builder()).await;
    for (code, data, missing) in
        [(-32602, json!({ "uri": "x:a" }), true), (-32002, Value::Null, true), (-32602, Value::Null, false)]
    {
        let script = async {
            let read = peer.expect("resources/read").await;
            peer.fail(&read, code, data.clone()).await;
        };
        let error = soon(async { tokio::join!(async { client.read("x:a").await }, script) }).await.0.unwrap_err();
        assert_eq!((error.kind(), error.is_resource_not_found()), (ErrorKind::Server, missing), "{error}");
        assert_eq!(error.rpc().unwrap().code.0, code);
    }
}

#[tokio::test]
async fn rejects_arguments_when_not_an_object() {
    let (client, mut peer) = modern(builder()).await;
    let error = soon(client.call("tool", [1, 2])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    drop(client);
    assert_eq!(peer.try_recv().await, None);
}
