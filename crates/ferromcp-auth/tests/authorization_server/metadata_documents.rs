//! Client ID metadata documents, fetched from a server on the loopback interface.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Harness, exchange, options};
use crate::provider::now;
use crate::signing::SigningKey;

/// A web server with one document for all paths.
#[derive(Clone)]
struct Site {
    address: SocketAddr,
    /// The status, headers and body of each response.
    response: Arc<Mutex<(u16, String, String)>>,
    requests: Arc<AtomicUsize>,
}

impl Site {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = Self { address: listener.local_addr().unwrap(), response: Arc::default(), requests: Arc::default() };
        let serving = site.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                serving.requests.fetch_add(1, Ordering::SeqCst);
                let mut request = Vec::new();
                let mut buffer = [0; 1024];
                while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut buffer) {
                        Ok(length) if length > 0 => request.extend_from_slice(&buffer[..length]),
                        _ => break,
                    }
                }
                let (status, headers, body) = serving.response.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                // The client closes the connection of a response that is too long.
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
            }
        });
        site
    }

    fn url(&self) -> String {
        format!("http://{}/client.json", self.address)
    }

    fn respond(&self, status: u16, headers: &str, body: &str) {
        *self.response.lock().unwrap() = (status, headers.to_owned(), body.to_owned());
    }

    fn serve(&self, headers: &str, changes: &Value) {
        let mut document = json!({
            "client_id": self.url(), "client_name": "App", "redirect_uris": ["http://127.0.0.1/cb"],
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        self.respond(200, &format!("content-type: application/json\r\n{headers}"), &document.to_string());
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

fn harness() -> Harness {
    Harness::with(options().allow_private_networks())
}

const URI: &str = "http://127.0.0.1:5000/cb";

#[tokio::test]
async fn client_with_a_document_logs_in() {
    //
    let (harness, site) = (harness(), Site::start());
    site.serve("cache-control: max-age=60\r\n", &json!({}));
    let id = site.url();
    let code = harness.code(&[("client_id", &id), ("redirect_uri", URI)]).await;
    let mut fields = exchange(&id, &code);
    fields.retain(|(name, _)| *name != "redirect_uri");
    fields.push(("redirect_uri", URI));
    assert_eq!(harness.token(&fields).await.status, 200);
    assert_eq!(site.requests(), 1, "the document is cached");
    let foreign = harness.authorize(&[("client_id", &id), ("redirect_uri", "https://evil.example.com/")]).await;
    assert_eq!(foreign.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn documents_are_cached_as_their_headers_allow() {
    //
    for (headers, requests) in [("cache-control: max-age=60\r\n", 1), ("cache-control: no-store\r\n", 2), ("", 1)] {
        let (harness, site) = (harness(), Site::start());
        site.serve(headers, &json!({}));
        for _ in 0..2 {
            harness.code(&[("client_id", &site.url()), ("redirect_uri", URI)]).await;
        }
        assert_eq!(site.requests(), requests, "{headers}");
    }
}

#[tokio::test]
async fn invalid_documents_are_refused_without_a_redirect_and_not_cached() {
    //
    let (harness, site) = (harness(), Site::start());
    let id = site.url();
    let request = [("client_id", id.as_str()), ("redirect_uri", URI)];
    let failed = (400, "invalid_client".to_owned());
    for changes in [
        json!({ "client_id": format!("{id}/") }),
        json!({ "client_name": null }),
        json!({ "redirect_uris": ["javascript:alert(1)"] }),
        json!({ "client_secret": "x" }),
        json!({ "token_endpoint_auth_method": "client_secret_post" }),
        json!({ "padding": "x".repeat(10_000) }),
    ] {
        site.serve("cache-control: max-age=60\r\n", &changes);
        let before = site.requests();
        assert_eq!(harness.authorize(&request).await.error(), failed, "{changes}");
        assert_eq!(site.requests(), before + 1, "{changes}");
    }
    for (status, headers, body) in [
        (404, "content-type: application/json\r\n", "{}"),
        (500, "content-type: application/json\r\n", "{}"),
        (200, "content-type: text/html\r\n", "<html>"),
        (200, "content-type: application/json\r\n", "{"),
    ] {
        site.respond(status, headers, body);
        assert_eq!(harness.authorize(&request).await.error(), failed, "{status}");
    }
    site.serve("", &json!({}));
    assert!(harness.authorize(&request).await.parameter("code").is_some());
}

#[tokio::test]
async fn trap_open_redirect_by_a_metadata_document() {
    //
    let (harness, site) = (harness(), Site::start());
    let evil = "https://evil.example.com/phish";
    site.serve("", &json!({ "redirect_uris": [evil, "http://127.0.0.1/cb"] }));
    let id = site.url();
    for field in [("response_type", "x"), ("scope", "unknown"), ("state", "deny")] {
        let reply = harness.authorize(&[("client_id", &id), ("redirect_uri", evil), field]).await;
        assert!(reply.status.is_client_error() && !reply.headers.contains_key("location"), "{field:?} {reply:?}");
        let reply = harness.authorize(&[("client_id", &id), ("redirect_uri", URI), field]).await;
        assert!(reply.parameter("error").is_some());
    }
    assert!(harness.authorize(&[("client_id", &id), ("redirect_uri", evil)]).await.parameter("code").is_some());
}

#[tokio::test]
async fn concurrent_requests_share_a_fetch() {
    //
    let (harness, site) = (harness(), Site::start());
    site.serve("cache-control: no-store\r\n", &json!({}));
    let id = site.url();
    let request = [("client_id", id.as_str()), ("redirect_uri", URI)];
    let replies = tokio::join!(harness.authorize(&request), harness.authorize(&request), harness.authorize(&request));
    for reply in [replies.0, replies.1, replies.2] {
        assert!(reply.parameter("code").is_some());
    }
    assert_eq!(site.requests(), 1);
    harness.authorize(&request).await;
    assert_eq!(site.requests(), 2, "the outcome is not cached");
}

#[tokio::test]
async fn trap_slow_host_blocks_clients_of_other_hosts() {
    // Connections are accepted, but no response is sent.
    let (harness, site) = (harness(), Site::start());
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = slow.local_addr().unwrap().port();
    let load = |i: usize| {
        let harness = harness.clone();
        let id = format!("http://127.0.0.1:{port}/{i}");
        tokio::spawn(async move { harness.authorize(&[("client_id", &id), ("redirect_uri", URI)]).await })
    };
    let waiting = [load(0), load(1)];
    // The runtime has one thread, so that the first two begin before the third.
    let refused = load(2).await.unwrap();
    assert_eq!(refused.error().1, "temporarily_unavailable");
    let id = site.url().replace("127.0.0.1", "localhost");
    site.serve("", &json!({ "client_id": id }));
    let reply = harness.authorize(&[("client_id", &id), ("redirect_uri", URI)]).await;
    assert!(reply.parameter("code").is_some());
    // A request that is canceled releases its slot.
    for request in waiting {
        request.abort();
        assert!(request.await.unwrap_err().is_cancelled());
    }
    drop(slow);
    assert_eq!(load(3).await.unwrap().error().1, "invalid_client");
}

#[tokio::test]
async fn unreachable_url_is_not_requested_again_for_a_minute() {
    //
    let harness = harness();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let id = format!("http://{address}/client.json");
    let request = [("client_id", id.as_str()), ("redirect_uri", URI)];
    assert_eq!(harness.authorize(&request).await.error(), (400, "invalid_client".to_owned()));
    let listener = TcpListener::bind(address).unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(harness.authorize(&request).await.error(), (400, "invalid_client".to_owned()));
    assert!(listener.accept().is_err(), "no request is sent");
}

#[tokio::test]
async fn trap_ssrf_of_client_metadata_by_a_redirect() {
    //
    let (harness, site, target) = (harness(), Site::start(), Site::start());
    target.serve("", &json!({}));
    for status in [301, 302, 307, 308] {
        site.respond(status, &format!("location: {}\r\n", target.url()), "");
        let reply = harness.authorize(&[("client_id", &site.url()), ("redirect_uri", URI)]).await;
        assert_eq!(reply.error(), (400, "invalid_client".to_owned()));
    }
    assert_eq!((site.requests(), target.requests()), (4, 0));
}

#[tokio::test]
async fn trap_ssrf_of_client_metadata_without_permission() {
    //
    let (harness, site) = (Harness::new(), Site::start());
    site.serve("", &json!({}));
    let port = site.address.port();
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "0x7f.1", "10.0.0.1"] {
        for scheme in ["http", "https"] {
            let id = format!("{scheme}://{host}:{port}/client.json");
            let reply = harness.authorize(&[("client_id", &id), ("redirect_uri", URI)]).await;
            assert_eq!(reply.error(), (400, "invalid_client".to_owned()), "{id}");
        }
    }
    assert_eq!(site.requests(), 0);
}

#[tokio::test]
async fn documents_can_be_disabled() {
    let harness = Harness::with(options().allow_private_networks().client_id_metadata_documents(false));
    let site = Site::start();
    site.serve("", &json!({}));
    let reply = harness.authorize(&[("client_id", &site.url()), ("redirect_uri", URI)]).await;
    assert_eq!((reply.error().0, site.requests()), (400, 0));
}

#[tokio::test]
async fn client_with_a_document_authenticates_by_its_keys() {
    //
    let (harness, site, keys, key) = (harness(), Site::start(), Site::start(), SigningKey::generate());
    keys.respond(200, "content-type: application/json\r\n", &key.jwks().to_string());
    let id = site.url();
    site.serve("", &json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": keys.url() }));
    let claims = json!({ "iss": id, "sub": id, "aud": crate::harness::ISSUER, "jti": "1", "exp": now() + 60 });
    let assertion = key.token("JWT", &claims);
    for (assertion, status) in [(None, 401), (Some(assertion.as_str()), 200), (Some(assertion.as_str()), 401)] {
        let code = harness.code(&[("client_id", &id), ("redirect_uri", URI)]).await;
        let mut fields = exchange(&id, &code);
        fields.retain(|(name, _)| *name != "redirect_uri");
        fields.push(("redirect_uri", URI));
        if let Some(assertion) = assertion {
            fields.push(("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            fields.push(("client_assertion", assertion));
        }
        assert_eq!(harness.token(&fields).await.status, status);
    }
    assert_eq!(keys.requests(), 1, "the keys are cached");
}
