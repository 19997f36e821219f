//! Concurrent calls on one connection.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ferromcp_server::{Arg, Server, ServerLimits, Tool};
use serde_json::{Value, json};
use tokio::sync::{Barrier, Notify};

use crate::client::{Case, Client};

fn sleep() -> Tool {
    Tool::new("sleep", |ms: u64| async move {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        format!("{ms}")
    })
    .args([Arg::new("ms")])
}

#[tokio::test]
async fn fast_call_completes_when_slow_call_is_in_flight() {
    // M26-036, S-007
    for case in Case::all() {
        let go = Arc::new(Notify::new());
        let waits = Arc::clone(&go);
        let server = Server::new("slow", "0")
            .with_tool(Tool::new("slow", move || {
                let waits = Arc::clone(&waits);
                async move {
                    waits.notified().await;
                    "slow"
                }
            }))
            .with_tool(Tool::sync("fast", || "fast"))
            .with_tool(Tool::blocking("blocking", || "blocking"))
            .with_tool(sleep());
        let mut client = Client::connect(server, case).await;
        let slow = client.start_call("slow", json!({}));
        assert_eq!(client.text("fast", json!({})).await, "fast");
        assert_eq!(client.text("sleep", json!({ "ms": 1 })).await, "1");
        assert_eq!(client.text("blocking", json!({})).await, "blocking");
        assert!(client.seen().is_empty());
        go.notify_one();
        assert_eq!(client.answer(slow).await["result"]["content"][0]["text"], "slow");
    }
}

#[tokio::test]
async fn calls_run_concurrently_when_a_thousand_are_in_flight() {
    // M26-006, M26-036, S-007
    for case in Case::all() {
        let barrier = Arc::new(Barrier::new(1000));
        let server = Server::new("many", "0").with_tool(
            Tool::new("meet", move |n: u64| {
                let barrier = Arc::clone(&barrier);
                async move {
                    barrier.wait().await; // blocks until all 1,000 calls have started
                    n.to_string()
                }
            })
            .args(["n"]),
        );
        let mut client = Client::connect(server, case).await;
        let ids: Vec<i64> = (0..1000).map(|n| client.start_call("meet", json!({ "n": n }))).collect();
        let mut answered = HashSet::new();
        for _ in 0..1000 {
            let answer = client.recv().await;
            let id = answer["id"].as_i64().unwrap();
            let n = ids.iter().position(|known| *known == id).unwrap();
            assert_eq!(answer["result"]["content"][0]["text"], n.to_string());
            assert!(answered.insert(id), "duplicate response: {answer}");
        }
        client.assert_alive().await;
    }
}

#[tokio::test]
async fn call_is_rejected_when_in_flight_limit_is_reached() {
    // M26-345, S-262, S-320
    for case in Case::all() {
        let go = Arc::new(Notify::new());
        let waits = Arc::clone(&go);
        let limits = ServerLimits::new().in_flight(5);
        let server = Server::new("bounded", "0").limits(limits).with_tool(Tool::new("wait", move || {
            let waits = Arc::clone(&waits);
            async move {
                waits.notified().await;
                "done"
            }
        }));
        let mut client = Client::connect(server, case).await;
        let ids: Vec<i64> = (0..7).map(|_| client.start_call("wait", json!({}))).collect();
        for id in &ids[5..] {
            let error = client.answer(*id).await["error"].clone();
            assert_eq!(error["code"], -32603, "{error}");
            assert!(error["message"].as_str().unwrap().contains('5'), "{error}");
        }
        go.notify_one();
        let first = client.recv().await;
        assert_eq!(first["result"]["content"][0]["text"], "done");
        let again = client.start_call("wait", json!({}));
        tokio::task::yield_now().await;
        client.cancel(again);
        for _ in 0..4 {
            go.notify_one();
            assert!(client.recv().await.get("result").is_some());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finished_call_is_answered_when_requests_flood_the_connection() {
    // M26-036, S-188
    use ferromcp_transport::unix;
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    let (near, far) = tokio::net::UnixStream::pair().unwrap();
    tokio::spawn(Server::new("flood", "0").with_tool(sleep()).serve(unix(far)));
    let (reader, mut writer) = near.into_split();
    let mut lines = BufReader::new(reader).lines();
    let initialize = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "", "capabilities": {}, "clientInfo": { "name": "t", "version": "0" } } });
    let call = json!({ "jsonrpc": "2.0", "id": "slow", "method": "tools/call", "params": { "name": "sleep", "arguments": { "ms": 20 } } });
    writer.write_all(format!("{initialize}\n{call}\n").as_bytes()).await.unwrap();
    let flood = tokio::spawn(async move {
        let pings = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n".repeat(500);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(2) {
            if writer.write_all(pings.as_bytes()).await.is_err() {
                return;
            }
        }
    });
    let begin = Instant::now();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.contains("slow") {
            break;
        }
    }
    assert!(
        begin.elapsed() < Duration::from_millis(1500),
        "the finished call was answered only after the flood: {:?}",
        begin.elapsed()
    );
    assert!(!flood.is_finished());
    flood.abort();
}

#[tokio::test]
async fn server_answers_when_called_as_tower_service() {
    // M26-001, S-102
    use ferromcp_core::model::{CallToolParams, EmptyParams};
    use ferromcp_core::{ClientRequest, RawJson, Revision, ServerResult};
    use ferromcp_server::{Call, Peer, Reply};
    use tower_service::Service;

    let mut server = Server::new("tower", "0").with_tool(sleep());
    std::future::poll_fn(|cx| server.poll_ready(cx)).await.unwrap();
    for revision in Revision::ALL {
        let params = CallToolParams::new("sleep").arguments(RawJson::parse("{\"ms\":1}").unwrap());
        let call = Call::new(ClientRequest::CallTool(params), Peer::new(revision));
        let Ok(Reply::Done(ServerResult::CallTool(result))) = Service::call(&mut server, call).await else {
            panic!("{revision}")
        };
        assert_eq!(result.content[0].as_text(), Some("1"));
        let ping = Call::new(ClientRequest::Ping(EmptyParams::default()), Peer::new(revision));
        assert!(matches!(server.call(ping).await, Reply::Done(ServerResult::Empty(_))));
        let unknown = Call::new(ClientRequest::CallTool(CallToolParams::new("x")), Peer::new(revision));
        let Reply::Failed(error) = server.call(unknown).await else { panic!("{revision}") };
        assert_eq!(Value::from(error.code.0), -32602);
    }
}
