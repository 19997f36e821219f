//! A server over TLS, whose certificate is made for the test.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use ferromcp::core::meta::key;
use ferromcp::prelude::Revision;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::json;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::web::{Response, Web, exchange};

#[test]
fn both_eras_are_served_while_others_are_slow_to_shake_hands() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (certificate, secret) = (folder.join("certificate.pem"), folder.join("key.pem"));
    fs::write(&certificate, cert.pem()).expect("a file");
    fs::write(&secret, signing_key.serialize_pem()).expect("a file");
    let files = [&certificate, &secret].map(|file| file.to_str().expect("a path in text"));
    let web = Web::start(env!("CARGO_BIN_EXE_http_tls"), &files);

    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a root");
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let post = |headers: &[(&str, &str)], request: serde_json::Value| -> Response {
        let tls =
            ClientConnection::new(Arc::clone(&config), "localhost".try_into().expect("a name")).expect("a client");
        let mut all = vec![("Content-Type", "application/json")];
        all.extend(headers);
        exchange(StreamOwned::new(tls, web.connect()), "localhost", "POST", "/mcp", &all, &request.to_string())
    };

    let _silent = (web.connect(), web.connect());
    let meta = json!({ key::PROTOCOL_VERSION: Revision::LATEST, key::CLIENT_CAPABILITIES: {} });
    let params = json!({ "name": "add", "arguments": { "a": 2, "b": 3 }, "_meta": meta });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let headers =
        [("MCP-Protocol-Version", Revision::LATEST.as_str()), ("Mcp-Method", "tools/call"), ("Mcp-Name", "add")];
    assert_eq!(post(&headers, call).json()["result"]["structuredContent"]["result"], 5);

    let info = json!({ "name": "tests", "version": "1.0.0" });
    let params = json!({ "protocolVersion": Revision::LATEST_LEGACY, "capabilities": {}, "clientInfo": info });
    let opened = post(&[], json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }));
    let session = opened.header("mcp-session-id").expect("a session");
    let listed = post(&[("Mcp-Session-Id", session)], json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }));
    assert_eq!(listed.json()["result"]["tools"][0]["name"], "add");
}
