//! Requests that come to nothing, sorted by what can be done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ferromcp_client::http::{Challenge, Credentials, CredentialsFuture, Endpoint, Failure, RequestHeaders, Request, ChallengeAction};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::posts::modern;
use crate::wire::{Wire, both, options, response};

#[tokio::test]
async fn nothing_was_sent_where_nobody_listens() {
    let url = Wire::new().await.url("/mcp");
    let endpoint = Endpoint::new(url, options()).expect("an endpoint");
    let failure = endpoint.post(&modern(), "{}".into()).await.expect_err("nobody listens");
    assert!(matches!(failure, Failure::Unreachable { .. }) && failure.is_unexecuted(), "{failure:?}");
}

#[tokio::test]
async fn what_was_sent_may_have_happened() {
    for said in
        ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\""]
    {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let (outcome, _) = both(endpoint.post(&modern(), "{}".into()), wire.answer(said)).await;
        let failure = outcome.expect_err("lost");
        assert!(matches!(failure, Failure::Lost { .. }) && !failure.is_unexecuted(), "{said:?} {failure:?}");
        assert!(wire.is_left_alone().await, "it is not sent again");
    }
}

#[tokio::test]
async fn bytes_that_are_no_http_are_a_loss_and_no_panic() {
    for said in
        ["SSH-2.0-x\r\n", "HTTP/1.1 999999 x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "\0\0\0\0"]
    {
        let wire = Wire::new().await;
        let endpoint = wire.endpoint();
        let failure = both(endpoint.post(&modern(), "{}".into()), wire.answer(said)).await.0.expect_err("lost");
        assert!(matches!(failure, Failure::Lost { .. }), "{said:?} {failure:?}");
    }
}

#[tokio::test]
async fn heads_without_end_are_cut_off() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let line = format!("X-{}: {}\r\n", "a".repeat(100), "b".repeat(8000));
    let said = format!("HTTP/1.1 200 OK\r\n{}", line.repeat(99));
    let server = async {
        let (_, mut peer) = wire.asked().await;
        peer.tries_to_say(said).await;
    };
    let failure = both(endpoint.post(&modern(), "{}".into()), server).await.0.expect_err("too much");
    assert!(matches!(failure, Failure::Lost { .. }), "{failure:?}");
}

#[tokio::test]
async fn redirects_are_followed_within_the_origin_and_never_change_the_method() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let server = async {
        wire.answer("HTTP/1.1 307 Go\r\nLocation: /mcp/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        wire.answer(response(200, "application/json", "{}")).await
    };
    let (outcome, asked) = both(endpoint.post(&modern(), "{\"a\":1}".into()), server).await;
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
            both(endpoint.post(&modern(), "{}".into()), wire.answer(answer)).await.0.expect_err("not followed");
        assert!(matches!(failure, Failure::Redirected { .. }), "{failure:?}");
        assert!(!format!("{failure} {failure:?}").contains("s3cret"), "{failure}");
    }
}

#[tokio::test]
async fn redirects_in_a_circle_come_to_an_end() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    let around = "HTTP/1.1 307 Go\r\nLocation: /mcp\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = async {
        for _ in 0..6 {
            wire.answer(around).await;
        }
        wire.is_left_alone().await
    };
    let (outcome, alone) = both(endpoint.post(&modern(), "{}".into()), server).await;
    assert!(matches!(outcome, Err(Failure::Redirected { .. })) && alone, "{outcome:?}");
}

#[tokio::test]
async fn a_challenge_is_handed_up() {
    let wire = Wire::new().await;
    let endpoint = wire.endpoint();
    for status in [401, 403] {
        let answer = format!(
            "HTTP/1.1 {status} No\r\nWWW-Authenticate: Bearer scope=\"a\"\r\nWWW-Authenticate: Basic\r\n\
             Content-Length: 2\r\nConnection: close\r\n\r\nno"
        );
        let failure = both(endpoint.post(&modern(), "{}".into()), wire.answer(answer)).await.0.expect_err("refused");
        let Failure::Unauthorized(challenge) = &failure else { panic!("{failure:?}") };
        assert_eq!((challenge.status(), challenge.attempt(), &challenge.body()[..]), (status, 0, &b"no"[..]));
        assert_eq!(challenge.www_authenticate().collect::<Vec<_>>(), ["Bearer scope=\"a\"", "Basic"]);
        assert!(failure.is_unexecuted());
    }
}

/// Tokens that are numbered, of which the first is always too old.
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

    fn answered(&self, _: &HeaderMap) {
        self.answers.fetch_add(1, Ordering::SeqCst);
    }
}

const REFUSED: &str = "HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn credentials_dress_every_attempt_and_are_asked_when_it_is_refused() {
    let wire = Wire::new().await;
    let tokens = Tokens::default();
    let endpoint = wire.endpoint_with(options().credentials(tokens.clone()));
    let server = async {
        let first = wire.answer(REFUSED).await;
        (first, wire.answer(response(200, "application/json", "{}")).await)
    };
    let (outcome, (first, second)) = both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), server).await;
    outcome.expect("a reply");
    assert_eq!((first.header("authorization"), second.header("authorization")), (Some("Bearer 0"), Some("Bearer 1")));
    assert_eq!(first.body, second.body);
    assert_eq!(tokens.answers.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_server_that_is_never_content_is_left_alone_after_a_while() {
    let wire = Wire::new().await;
    let tokens = Tokens::default();
    let endpoint = wire.endpoint_with(options().credentials(tokens.clone()));
    let server = async {
        for _ in 0..4 {
            wire.answer(REFUSED).await;
        }
        wire.is_left_alone().await
    };
    let (outcome, alone) = both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), server).await;
    assert!(matches!(&outcome, Err(Failure::Unauthorized(challenge)) if challenge.attempt() == 3), "{outcome:?}");
    assert!(alone);
    tokens.number.store(100, Ordering::SeqCst);
    let failure = both(endpoint.post(&RequestHeaders::initialize(), "{}".into()), wire.answer(REFUSED)).await.0;
    assert!(matches!(failure, Err(Failure::Credentials { .. })), "{failure:?}");
}

#[test]
fn an_endpoint_is_refused_before_anything_is_sent() {
    for url in ["", "example.com/mcp", "ftp://example.com", "http://", "file:///mcp"] {
        assert!(Endpoint::new(url, options()).is_err(), "{url}");
    }
    let error = Endpoint::new("http://example.com", options().header("Accept", "x")).expect_err("ours");
    assert!(error.to_string().contains("Accept"), "{error}");
    assert!(Endpoint::new("http://example.com", options().proxy("::")).is_err());
    let endpoint = Endpoint::new("https://example.com:443/mcp", options()).expect("an endpoint");
    assert_eq!(endpoint.origin(), "https://example.com");
}
