//! Responses before the end of a request: the client can read them, although it is still sending.

use std::time::Duration;

use bytes::BytesMut;
use ferromcp_server::http::{HttpServerLimits, HttpServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::fixture::Host;
use crate::message::{Request, Response, TIMEOUT};

fn post(bytes: usize) -> Request {
    Request::new("POST", "/mcp")
        .add("Content-Type", "application/json")
        .add("Accept", "application/json, text/event-stream")
        .body(vec![b' '; bytes])
}

/// Sends a whole request, and reads the response only then, as many clients do.
async fn status_after_sending(host: &Host, request: &Request, pause: Duration) -> u16 {
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    for part in request.bytes(host.address).chunks(64 << 10) {
        stream.write_all(part).await.unwrap_or_else(|error| panic!("cannot send the request: {error}"));
        sleep(pause).await;
    }
    Response::read(stream, BytesMut::new()).await.status
}

// C6
#[tokio::test]
async fn client_can_send_whole_request_when_it_is_rejected_early() {
    let host = Host::with(HttpServerOptions::new().limits(HttpServerLimits::new().body_bytes(1 << 20))).await;
    for _ in 0..5 {
        for (request, status) in [
            (post(5 << 20), 413),
            (post((1 << 20) + 1), 413),
            (post(5 << 20).set("Content-Type", "text/plain"), 415),
            (post(5 << 20).set("Accept", "text/plain"), 406),
            (post(5 << 20).add("Origin", "https://evil.example.com"), 403),
            (Request { path: "/elsewhere".into(), ..post(5 << 20) }, 404),
        ] {
            assert_eq!(status_after_sending(&host, &request, Duration::ZERO).await, status, "{:?}", request.headers);
        }
    }
    let slow = post(2 << 20);
    assert_eq!(status_after_sending(&host, &slow, Duration::from_millis(10)).await, 413);
}

// C6
#[tokio::test]
async fn rest_of_request_is_discarded_within_limits() {
    let host = Host::with(HttpServerOptions::new().limits(HttpServerLimits::new().body_bytes(1000))).await;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 1000000000000\r\n",
        host.address
    );
    // A client that sends nothing more.
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let begin = Instant::now();
    let mut response = Vec::new();
    timeout(TIMEOUT, stream.read_to_end(&mut response)).await.unwrap().unwrap();
    assert!(response.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&response));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    // A client that sends without end is disconnected.
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    let spaces = vec![b' '; 64 << 10];
    let endless = async { while stream.write_all(&spaces).await.is_ok() {} };
    timeout(TIMEOUT, endless).await.expect("the server disconnects");
    // A client that waits for permission to send is answered at once.
    let mut stream = TcpStream::connect(host.address).await.unwrap();
    let begin = Instant::now();
    stream.write_all(format!("{head}Expect: 100-continue\r\n\r\n").as_bytes()).await.unwrap();
    let mut start = [0; 12];
    timeout(TIMEOUT, stream.read_exact(&mut start)).await.unwrap().unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
}
