//! Request bodies that are never completed.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use ferromcp_server::Tool;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use super::ServerProcess;
use crate::client::{modern_call, modern_message, modern_post};
use crate::fixture::{CallControl, Host, server, wait_for};
use crate::message::{Request, Response};

const BODY: usize = 1 << 20;

/// Returns a call with a body of about 1 MiB.
fn long_call() -> Request {
    let arguments = json!({ "name": "length", "arguments": { "text": "x".repeat(BODY - 1000) } });
    modern_post(&modern_message(1, "tools/call", arguments))
}

/// A body that never ends.
struct Incomplete(Bytes);

impl Body for Incomplete {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.0.is_empty() {
            return Poll::Pending;
        }
        let length = self.0.len().min(16 << 10);
        Poll::Ready(Some(Ok(Frame::data(self.0.split_to(length)))))
    }
}

fn limits() -> Value {
    json!({ "body_bytes": BODY, "total_body_bytes": 4 << 20, "body_timeout": 1500 })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_http1_bodies_are_bounded() {
    let server = ServerProcess::start(&limits());
    let bytes = long_call().bytes(server.address);
    let incomplete = &bytes[..bytes.len() - 1];
    let mut streams = Vec::new();
    let growth = server
        .growth_kib(async {
            for _ in 0..60 {
                let mut stream = TcpStream::connect(server.address).await.unwrap();
                // The server stops reading when the limit is reached.
                let _ = timeout(Duration::from_millis(10), stream.write_all(incomplete)).await;
                streams.push(stream);
            }
        })
        .await;
    eprintln!("60 incomplete HTTP/1.1 bodies of 1 MiB, +{growth} KiB");
    assert!(growth < 20 << 10, "{growth} KiB");
    server.assert_responsive().await; // small requests
    for stream in streams {
        let response = Response::read(stream, bytes::BytesMut::new()).await;
        assert_eq!(response.header("connection"), Some("close"));
        assert_eq!(response.header("retry-after"), (response.status == 503).then_some("1"));
        assert!([408, 503].contains(&response.status), "{}", response.status);
    }
    let mut response = long_call().send(server.address).await;
    assert_eq!(response.json().await["result"]["content"][0]["text"], (BODY - 1000).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_http1_bodies_end_when_their_clients_disconnect() {
    let server = ServerProcess::start(&json!({ "body_bytes": BODY, "total_body_bytes": 4 << 20 }));
    let bytes = long_call().bytes(server.address);
    let mut streams = Vec::new();
    for _ in 0..60 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let _ = timeout(Duration::from_millis(10), stream.write_all(&bytes[..bytes.len() - 1])).await;
        streams.push(stream);
    }
    drop(streams);
    // It waits for the others, of which 4 are received at a time.
    let started = Instant::now();
    let mut response = long_call().send(server.address).await;
    assert!(response.json().await["result"].is_object());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_http2_bodies_are_bounded() {
    let server = ServerProcess::start(&limits());
    let io = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut client, connection) = http2::Builder::new(TokioExecutor::new()).handshake(io).await.unwrap();
    tokio::spawn(connection);
    let mut responses = Vec::new();
    let growth = server
        .growth_kib(async {
            for _ in 0..60 {
                let call = long_call();
                let mut request = http::Request::post(format!("http://{}{}", server.address, call.path));
                for (name, value) in &call.headers {
                    request = request.header(name, value.as_slice());
                }
                let body = Incomplete(Bytes::from(call.body).slice(..BODY - 1000));
                responses.push(client.send_request(request.body(body).unwrap()));
            }
            sleep(Duration::from_secs(1)).await;
        })
        .await;
    eprintln!("60 incomplete bodies of 1 MiB on one HTTP/2 connection, +{growth} KiB");
    assert!(growth < 12 << 10, "{growth} KiB");
    server.assert_responsive().await;
    // One connection cannot use all of the limit, so a large request of another one passes.
    let started = Instant::now();
    let mut response = long_call().send(server.address).await;
    assert!(response.json().await["result"].is_object());
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    for response in responses {
        let response = timeout(Duration::from_secs(10), response).await.expect("no response").unwrap();
        assert!([408, 503].contains(&response.status().as_u16()), "{}", response.status());
        let _ = response.into_body().collect().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_requests_wait_for_each_other() {
    let server = ServerProcess::start(&json!({ "total_body_bytes": 2 << 20 }));
    let address = server.address;
    let calls: Vec<_> = (0..40)
        .map(|_| {
            tokio::spawn(async move {
                let mut response = long_call().send(address).await;
                response.json().await["result"]["content"][0]["text"].clone()
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), (BODY - 1000).to_string());
    }
}

#[tokio::test]
async fn responds_503_when_calls_in_flight_hold_all_body_bytes() {
    let control = CallControl::default();
    let (started, go) = (Arc::clone(&control.started), Arc::clone(&control.go));
    let hold = Tool::new("hold", move |text: String| {
        let (started, go) = (Arc::clone(&started), Arc::clone(&go));
        async move {
            started.fetch_add(1, Ordering::SeqCst);
            go.acquire().await.unwrap().forget();
            text.len()
        }
    });
    let limits = HttpServerLimits::new().total_body_bytes(BODY).body_timeout(Duration::from_millis(300));
    let server = server(&control).with_tool(hold.args(["text"]));
    let host = Host::of(server, control, HttpServerOptions::new().limits(limits)).await;
    let call = |bytes: usize| modern_call("hold", json!({ "text": "x".repeat(bytes) }));
    let (address, first) = (host.address, call(BODY - 1000));
    let first = tokio::spawn(async move { first.send(address).await.json().await });
    wait_for(&host.control.started, 1).await;
    let mut refused = call(100 << 10).send(host.address).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    assert!(refused.json().await["error"]["message"].as_str().unwrap().contains("total_body_bytes"));
    let small = modern_call("add", json!({ "a": 1, "b": 2 }));
    assert_eq!(small.send(host.address).await.status, 200);
    host.control.go(2);
    assert_eq!(first.await.unwrap()["result"]["content"][0]["text"], (BODY - 1000).to_string());
    assert_eq!(call(100 << 10).send(host.address).await.json().await["result"]["content"][0]["text"], "102400");
}
