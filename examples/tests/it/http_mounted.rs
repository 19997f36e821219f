//! A server in an axum router.

use std::io::{Read, Write};

use ferromcp::core::Revision;
use serde_json::json;

use crate::web::{Client, Web};

const MOUNTED: &str = env!("CARGO_BIN_EXE_http_mounted");

#[test]
fn mounted_server_serves_both_eras_with_other_routes() {
    let web = Web::start(MOUNTED, &[]);
    for (count, revision) in [(1, Revision::LATEST_LEGACY), (2, Revision::LATEST)] {
        let signed = Client::new(&web, revision).call("sign", &json!({ "name": "Ada" }));
        assert_eq!(signed["structuredContent"]["result"], count);
    }
    let health = web.request("GET", "/health", &[], "");
    assert_eq!((health.status, health.body.as_str()), (200, "well"));
    assert_eq!(web.request("GET", "/nowhere", &[], "").status, 404);
}

#[cfg(unix)]
#[test]
fn streams_end_and_state_is_closed_when_stopped() {
    let web = Web::start(MOUNTED, &[]);
    Client::new(&web, Revision::LATEST).call("sign", &json!({ "name": "Ada" }));
    let session = Client::new(&web, Revision::LATEST_LEGACY);
    let mut stream = web.connect();
    let id = session.session().expect("a session");
    let address = &web.address;
    write!(stream, "GET /mcp HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\nMcp-Session-Id: {id}\r\n\r\n")
        .expect("the server reads");
    let mut head = [0; 15];
    stream.read_exact(&mut head).expect("the stream is open");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    assert_eq!(web.interrupt(), ["closed with 1 names"]);
    let mut rest = String::new();
    stream.read_to_string(&mut rest).expect("the stream ends");
    assert!(rest.ends_with("\r\n0\r\n\r\n"), "the stream ends with the last chunk: {rest}");
}
