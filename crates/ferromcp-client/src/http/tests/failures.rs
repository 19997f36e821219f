//! Failures of requests, by kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::post::modern;
use super::wire::{Wire, run_both};
use super::{client_error, options, response};
use crate::http::credentials::{Challenge, ChallengeAction, Credentials, CredentialsFuture, Request};
use crate::http::endpoint::Endpoint;
use crate::http::failure::Failure;
use crate::http::request_headers::RequestHeaders;

#[tokio::test]
async fn failure_is_unexecuted_when_connection_is_refused() {
    let url = Wire::new().await.url("/mcp");
    let endpoint = Endpoint::new(&url, options()).expect("an endpoint");
    let failure = endpoint.post(&modern(), "{}".into()).await.expect_err("connection refused");
    assert!(matches!(failure, Failure::Unreachable { .. }), "{failure:?}");
    let error = client_error(failure, &endpoint);
    assert!(error.is_unsent() && error.to_string().contains(&endpoint.redacted_url()), "{error}");
}

#[tokio::test]
async fn failure_is_lost_when_connection_closes_after_send() {
    for said in
        ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\""]
    {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let (outcome, _) = run_both(endpoint.post(&modern(), "{}".into()), wire.answer(said)).await;
        let failure = outcome.expect_err("lost");
        assert!(matches!(failure, Failure::Lost { .. }), "{said:?} {failure:?}");
        let error = client_error(failure, &endpoint);
        assert!(error.is_connection_lost() && !error.is_unsent(), "{error}");
        assert!(wire.has_no_connection().await, "it is not sent again");
    }
}

#[tokio::test]
async fn failure_is_lost_when_response_is_not_http() {
    for said in
        ["SSH-2.0-x\r\n", "HTTP/1.1 999999 x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "\0\0\0\0"]
    {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let failure = run_both(endpoint.post(&modern(), "{}".into()), wire.answer(said)).await.0.expect_err("lost");
        assert!(matches!(failure, Failure::Lost { .. }), "{said:?} {failure:?}");
    }
}

#[tokio::test]
async fn fails_when_response_headers_are_unlimited() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let line = format!("X-{}: {}\r\n", "a".repeat(100), "b".repeat(8000));
    let said = format!("HTTP/1.1 200 OK\r\n{}", line.repeat(99));
    let server = async {
        let (_, mut peer) = wire.asked().await;
        peer.try_write(said).await;
    };
    let failure = run_both(endpoint.post(&modern(), "{}".into()), server).await.0.expect_err("too much");
    assert!(matches!(failure, Failure::Lost { .. }), "{failure:?}");
}

#[tokio::test]
async fn follows_redirect_when_origin_and_method_are_kept() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        wire.answer("HTTP/1.1 307 Go\r\nLocation: /mcp/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        wire.answer(response(200, "application/json", "{}")).await
    };
    let (outcome, asked) = run_both(endpoint.post(&modern(), "{\"a\":1}".into()), server).await;
    outcome.expect("a reply");
    assert_eq!((&*asked.method, &*asked.target, &*asked.body), ("POST", "/mcp/", "{\"a\":1}"));
    assert_eq!((asked.header("mcp-method"), asked.header("referer")), (Some("tools/call"), None));
    for (status, to) in [
        (301, "/other"),
        (302, "/other"),
        (303, "/other"),
        (307, "http://localhost:1/mcp?token=s3cret"),
        (308, "https://user:s3cret@example.com/"),
        (307, "file:///etc/passwd"),
    ] {
        let answer =
            format!("HTTP/1.1 {status} Go\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let failure =
            run_both(endpoint.post(&modern(), "{}".into()), wire.answer(answer)).await.0.expect_err("not followed");
        assert!(matches!(failure, Failure::Redirected { .. }), "{failure:?}");
        assert!(!format!("{failure} {failure:?}").contains("s3cret"), "{failure}");
        assert!(client_error(failure, &endpoint).is_unsent());
    }
}

#[tokio::test]
async fn fails_when_redirects_loop() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let around = "HTTP/1.1 307 Go\r\nLocation: /mcp\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = async {
        for _ in 0..6 {
            wire.answer(around).await;
        }
        wire.has_no_connection().await
    };
    let (outcome, alone) = run_both(endpoint.post(&modern(), "{}".into()), server).await;
    assert!(alone);
    let failure = outcome.expect_err("a loop");
    assert!(matches!(failure, Failure::RedirectLoop { .. }), "{failure:?}");
    // Another URL does not help.
    let error = client_error(failure, &endpoint);
    assert!(error.is_unsent() && error.to_string().contains("part of a loop"), "{error}");
    assert!(!error.to_string().contains("connect to that URL") && !error.to_string().contains("retried"), "{error}");
    let itself = "HTTP/1.1 302 Go\r\nLocation: /mcp\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let failure = run_both(endpoint.post(&modern(), "{}".into()), wire.answer(itself)).await.0;
    assert!(matches!(failure, Err(Failure::RedirectLoop { .. })), "{failure:?}");
}

#[tokio::test]
async fn returns_challenge_when_unauthorized() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    for status in [401, 403] {
        let answer = format!(
            "HTTP/1.1 {status} No\r\nWWW-Authenticate: Bearer scope=\"a\"\r\nWWW-Authenticate: Basic\r\n\
             Content-Length: 2\r\nConnection: close\r\n\r\nno"
        );
        let failure =
            run_both(endpoint.post(&modern(), "{}".into()), wire.answer(answer)).await.0.expect_err("refused");
        let Failure::Unauthorized(challenge) = &failure else { panic!("{failure:?}") };
        assert_eq!((challenge.status(), challenge.attempt(), &challenge.body()[..]), (status, 0, &b"no"[..]));
        assert_eq!(challenge.www_authenticate().collect::<Vec<_>>(), ["Bearer scope=\"a\"", "Basic"]);
        let error = client_error(failure, &endpoint);
        assert!(error.is_unauthorized() && error.is_unsent());
        assert_eq!((error.http_status(), error.challenge()), (Some(status), Some("Bearer scope=\"a\", Basic")));
    }
}

/// Numbered tokens. The server rejects the first one.
#[derive(Clone, Default)]
struct Tokens {
    number: Arc<AtomicU32>,
    answers: Arc<AtomicU32>,
}

impl Credentials for Tokens {
    fn authorize<'a>(&'a self, request: Request<'a>, headers: &'a mut HeaderMap) -> CredentialsFuture<'a, ()> {
        Box::pin(async move {
            assert!(request.method() == "POST" && request.url().ends_with("/mcp"));
            let token = format!("Bearer {}", self.number.load(Ordering::SeqCst));
            headers.insert(AUTHORIZATION, HeaderValue::try_from(token)?);
            Ok(())
        })
    }

    fn challenged<'a>(&'a self, _: &'a Challenge) -> CredentialsFuture<'a, ChallengeAction> {
        Box::pin(async move {
            match self.number.fetch_add(1, Ordering::SeqCst) {
                100 => Err("no more tokens".into()),
                _ => Ok(ChallengeAction::Retry),
            }
        })
    }

    fn response_received(&self, _: &HeaderMap) {
        self.answers.fetch_add(1, Ordering::SeqCst);
    }
}

const REFUSED: &str = "HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn retries_with_new_credentials_when_challenged() {
    let wire = Wire::new().await;
    let tokens = Tokens::default();
    let endpoint = wire.endpoint_with(options().credentials(tokens.clone()));
    let server = async {
        let first = wire.answer(REFUSED).await;
        (first, wire.answer(response(200, "application/json", "{}")).await)
    };
    let (outcome, (first, second)) = run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), server).await;
    outcome.expect("a reply");
    assert_eq!((first.header("authorization"), second.header("authorization")), (Some("Bearer 0"), Some("Bearer 1")));
    assert_eq!(first.body, second.body);
    assert_eq!(tokens.answers.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn stops_retrying_when_challenge_limit_is_reached() {
    let wire = Wire::new().await;
    let tokens = Tokens::default();
    let endpoint = wire.endpoint_with(options().credentials(tokens.clone()));
    let server = async {
        for _ in 0..4 {
            wire.answer(REFUSED).await;
        }
        wire.has_no_connection().await
    };
    let (outcome, alone) = run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), server).await;
    assert!(matches!(&outcome, Err(Failure::Unauthorized(challenge)) if challenge.attempt() == 3), "{outcome:?}");
    assert!(alone);
    tokens.number.store(100, Ordering::SeqCst);
    let failure = run_both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(REFUSED)).await.0;
    assert!(matches!(failure, Err(Failure::Credentials { .. })), "{failure:?}");
}

#[test]
fn endpoint_is_rejected_when_url_or_options_are_invalid() {
    for url in ["", "example.com/mcp", "ftp://example.com", "http://", "file:///mcp"] {
        assert!(Endpoint::new(url, options()).is_err(), "{url}");
    }
    let error = Endpoint::new("http://example.com", options().header("Accept", "x")).expect_err("reserved header");
    assert!(error.contains("Accept"), "{error}");
    assert!(Endpoint::new("http://example.com", options().proxy("::")).is_err());
    let endpoint = Endpoint::new("https://example.com:443/mcp", options()).expect("an endpoint");
    assert_eq!(endpoint.redacted_url(), "https://example.com/mcp");
}
