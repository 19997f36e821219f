//! Clients that do not read their responses.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::{ServerProcess, large};
use crate::message::Request;

const LARGE: usize = 256 << 10;

/// Opens an HTTP/2 connection with a window for each response. It answers pings.
async fn connect(address: SocketAddr, window: u32) -> http2::SendRequest<Full<Bytes>> {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(window).max_concurrent_streams(1000);
    let (client, connection) = builder.handshake(io).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Converts a request for an HTTP/2 connection.
fn http2_request(address: SocketAddr, request: &Request) -> http::Request<Full<Bytes>> {
    let mut built = http::Request::post(format!("http://{address}{}", request.path));
    for (name, value) in &request.headers {
        built = built.header(name, value.as_slice());
    }
    built.body(Full::from(request.body.clone())).unwrap()
}

/// Sends requests without reading the bodies of the responses.
async fn send_all(
    client: &mut http2::SendRequest<Full<Bytes>>,
    address: SocketAddr,
    request: &Request,
    count: usize,
) -> Vec<Response<Incoming>> {
    let sent: Vec<_> = (0..count).map(|_| client.send_request(http2_request(address, request))).collect();
    let mut responses = Vec::new();
    for response in sent {
        responses.push(timeout(Duration::from_secs(10), response).await.expect("no response").unwrap());
    }
    responses
}

/// Asserts that the server has reset the large ones of unread responses. Returns their number.
async fn assert_reset(responses: Vec<Response<Incoming>>) -> usize {
    let mut reset = 0;
    for response in responses {
        let read =
            timeout(Duration::from_secs(10), response.into_body().collect()).await.expect("the stream stays open");
        match read {
            Ok(body) => assert!(body.to_bytes().len() < 4096, "a large response is complete"),
            Err(_) => reset += 1,
        }
    }
    reset
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_http2_responses_are_bounded_and_reset_when_the_window_is_closed() {
    for (tool, window) in [("large", 0), ("large", 1), ("large_stream", 0), ("large_stream", 100)] {
        let server = ServerProcess::start(&json!({ "total_response_bytes": 8 << 20, "stall_timeout": 1000 }));
        let mut unread = Vec::new();
        let growth = server
            .growth_kib(async {
                for _ in 0..2 {
                    let mut client = connect(server.address, window).await;
                    let responses = send_all(&mut client, server.address, &large(tool, LARGE), 60).await;
                    unread.push((client, responses));
                }
                sleep(Duration::from_millis(200)).await;
            })
            .await;
        eprintln!("{tool}, window {window}: 120 unread responses of 256 KiB, +{growth} KiB");
        assert!(growth < 14 << 10, "{growth} KiB");
        server.assert_responsive().await;
        for (mut client, mut responses) in unread {
            let refused =
                responses.iter().filter(|response| response.status() == StatusCode::SERVICE_UNAVAILABLE).count();
            assert!(refused < 60, "all requests are refused");
            responses.retain(|response| response.status() == StatusCode::OK);
            // The stream ends, and the connection does not.
            sleep(Duration::from_millis(1300)).await; // reading would open the window
            assert!(assert_reset(responses).await > 0, "no response is reset");
            client.ready().await.expect("the connection is open");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_http2_responses_are_complete_when_the_client_reads_slowly() {
    let server = ServerProcess::start(&json!({ "total_response_bytes": 8 << 20, "stall_timeout": 1500 }));
    for tool in ["large", "large_stream"] {
        let mut client = connect(server.address, 20_000).await;
        let mut response = send_all(&mut client, server.address, &large(tool, LARGE), 1).await.swap_remove(0);
        let mut bytes = Vec::new();
        while let Some(frame) = timeout(Duration::from_secs(10), response.body_mut().frame()).await.expect("stalled") {
            bytes.extend_from_slice(&frame.expect("not reset").into_data().unwrap());
            sleep(Duration::from_millis(40)).await; // longer than the timeout in total
        }
        let text = String::from_utf8(bytes).unwrap();
        let message = text.split("data: ").last().unwrap().trim();
        let message: Value = serde_json::from_str(message).unwrap();
        assert_eq!(message["result"]["content"][0]["text"].as_str().map(str::len), Some(LARGE), "{tool}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unread_http1_responses_are_bounded() {
    let server = ServerProcess::start(&json!({ "total_response_bytes": 8 << 20, "stall_timeout": 3000 }));
    let mut unread = Vec::new();
    let growth = server
        .growth_kib(async {
            for _ in 0..20 {
                let socket = TcpSocket::new_v4().unwrap();
                socket.set_recv_buffer_size(4096).unwrap();
                let mut stream = socket.connect(server.address).await.unwrap();
                stream.write_all(&large("large", 2 << 20).bytes(server.address)).await.unwrap();
                unread.push(stream);
            }
            sleep(Duration::from_secs(3)).await; // until the calls have run
        })
        .await;
    eprintln!("20 unread HTTP/1.1 responses of 2 MiB, +{growth} KiB");
    assert!(growth < 20 << 10, "{growth} KiB");
    server.assert_responsive().await;
    // Under pressure, stalled connections close early, so that others can be served.
    sleep(Duration::from_millis(800)).await;
    let mut response = large("large", LARGE).send(server.address).await;
    assert!(response.json().await["result"].is_object());
    drop(unread);
}

#[tokio::test]
async fn result_is_replaced_by_an_error_when_too_many_response_bytes_are_unread() {
    let server = ServerProcess::start(&json!({ "total_response_bytes": 1 << 20, "stall_timeout": 60_000 }));
    let mut client = connect(server.address, 0).await;
    let unread = send_all(&mut client, server.address, &large("large", 4 << 20), 1).await;
    sleep(Duration::from_millis(100)).await;
    let mut response = large("large", LARGE).send(server.address).await;
    let answer = response.json().await;
    assert_eq!((response.status, &answer["id"], &answer["error"]["code"]), (200, &json!(1), &json!(-32603)));
    let text = answer["error"]["message"].as_str().unwrap();
    assert!(text.starts_with("cannot send the result") && text.contains("total_response_bytes"), "{text}");
    // The same connection must read first.
    let refused = send_all(&mut client, server.address, &large("large", 10), 1).await;
    assert_eq!(refused[0].status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused[0].headers()["retry-after"], "1");
    drop((unread, client));
    let deadline = async {
        loop {
            let mut response = large("large", LARGE).send(server.address).await;
            if response.json().await["result"].is_object() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(10), deadline).await.expect("the bytes are released when the client disconnects");
}
