//! Servers that respond before they have read the whole request, and close the connection.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::script::{builder, closing, with_timeout};

/// Reads the beginning of each request. Rejects it if it is long, and closes the connection with unread data, which resets
/// it. Otherwise responds to `server/discover`.
async fn serve(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = vec![0; 64 << 10];
        let length = stream.read(&mut read).await.unwrap();
        let head = String::from_utf8_lossy(&read[..length]).into_owned();
        let response = if head.contains("server/discover") {
            let result = json!({
                "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} },
                "ttlMs": 0, "cacheScope": "private",
            });
            let id = head.split_once("\"id\":").unwrap().1.split([',', '}']).next().unwrap();
            closing(200, "application/json", &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#))
        } else {
            let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"at most 4 MiB"}}"#;
            closing(413, "application/json", error)
        };
        stream.write_all(response.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(30)).await;
    }
}

// C6
#[tokio::test]
async fn reads_response_when_sending_fails_afterwards() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let serving = tokio::spawn(serve(listener));
    let client = with_timeout(builder().connect(&*url)).await.unwrap();
    for size in [5 << 20, 5 << 20, 5 << 20, 16 << 20] {
        let error = with_timeout(client.call("t", json!({ "text": "x".repeat(size) }))).await.unwrap_err();
        assert_eq!(error.http_status(), Some(413), "{error}");
        assert!(error.to_string().contains("at most 4 MiB"), "{error}");
    }
    serving.abort();
}
