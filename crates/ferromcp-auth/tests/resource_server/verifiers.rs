//! Keys of an identity provider, and introspection.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferromcp_auth::resource_server::{IntrospectionVerifier, JwtVerifier, ResourceServer};
use ring::hmac;
use serde_json::{Value, json};

use crate::idp::{Idp, RESOURCE, Rejected, with_token};
use crate::keys::{Key, message, now};

const KEYS: &str = "/keys";

fn server(verifier: JwtVerifier) -> ResourceServer {
    ResourceServer::builder(RESOURCE, verifier).build().unwrap()
}

fn token(idp: &Idp, key: &Key) -> String {
    key.sign(&json!({}), &idp.claims(&json!({})))
}

fn status<T>(result: Result<T, Rejected>) -> u16 {
    result.map_or_else(|rejected| rejected.status, |_| 200)
}

#[tokio::test]
async fn all_algorithms_are_verified_with_discovered_keys() {
    //
    let algorithms = ["ES256", "ES384", "EdDSA", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let keys: Vec<Key> = algorithms.iter().map(|algorithm| Key::new(algorithm, algorithm)).collect();
    let idp = Idp::start(&keys.iter().collect::<Vec<_>>()).await;
    let server = server(JwtVerifier::new(idp.issuer()));
    for key in &keys {
        let principal = with_token(&server, &token(&idp, key)).await.unwrap();
        assert_eq!(principal.issuer(), Some(idp.issuer().as_str()), "{}", key.id);
        let mut tampered = token(&idp, key);
        let last = if tampered.ends_with("AAAA") { "BBBB" } else { "AAAA" };
        tampered.replace_range(tampered.len() - 4.., last);
        assert_eq!(status(with_token(&server, &tampered).await), 401, "{}", key.id);
    }
    assert_eq!(idp.count(KEYS), 1);
    assert_eq!(idp.count("/.well-known/oauth-authorization-server"), 1);
}

#[tokio::test]
async fn keys_are_found_by_openid_discovery_or_a_url() {
    let key = Key::new("a", "ES256");
    let idp = Idp::start(&[&key]).await;
    let metadata = json!({ "issuer": idp.issuer(), "jwks_uri": format!("{}/keys", idp.issuer()) });
    idp.state().documents.remove("/.well-known/oauth-authorization-server");
    idp.set("/.well-known/openid-configuration", 200, metadata);
    with_token(&server(JwtVerifier::new(idp.issuer())), &token(&idp, &key)).await.unwrap();
    idp.state().documents.remove("/.well-known/openid-configuration");
    let by_url = server(JwtVerifier::new(idp.issuer()).jwks_url(format!("{}/keys", idp.issuer())));
    with_token(&by_url, &token(&idp, &key)).await.unwrap();
    assert_eq!(status(with_token(&server(JwtVerifier::new(idp.issuer())), &token(&idp, &key)).await), 503);
}

#[tokio::test]
async fn trap_foreign_issuer_in_metadata() {
    //
    let key = Key::new("a", "ES256");
    let idp = Idp::start(&[&key]).await;
    for issuer in [format!("{}/", idp.issuer()), "https://evil.example.com".to_owned()] {
        let metadata = json!({ "issuer": issuer, "jwks_uri": format!("{}/keys", idp.issuer()) });
        idp.set("/.well-known/oauth-authorization-server", 200, metadata);
        assert_eq!(status(with_token(&server(JwtVerifier::new(idp.issuer())), &token(&idp, &key)).await), 503);
    }
    assert_eq!(idp.count(KEYS), 0);
    // A token of another issuer does not cause a request.
    idp.state().paths.clear();
    let foreign = key.sign(&json!({ "kid": "unknown" }), &idp.claims(&json!({ "iss": "https://evil.example.com" })));
    let server = server(JwtVerifier::new(idp.issuer()).jwks_url(format!("{}/keys", idp.issuer())));
    with_token(&server, &token(&idp, &key)).await.unwrap();
    assert_eq!(status(with_token(&server, &foreign).await), 401);
    assert_eq!(idp.count(KEYS), 1);
}

#[tokio::test]
async fn trap_algorithm_none_and_key_confusion() {
    //
    let (ec, rsa) = (Key::new("ec", "ES256"), Key::new("rsa", "RS256"));
    let idp = Idp::start(&[&ec, &rsa]).await;
    let server = server(JwtVerifier::new(idp.issuer()));
    let claims = idp.claims(&json!({}));
    for algorithm in ["none", "None", "NONE", ""] {
        let unsigned = message(&json!({ "alg": algorithm, "kid": "ec", "typ": "at+jwt" }), &claims);
        assert_eq!(status(with_token(&server, &format!("{unsigned}.")).await), 401);
        assert_eq!(status(with_token(&server, &format!("{unsigned}.AAAA")).await), 401);
    }
    for key in [&ec, &rsa] {
        let header = json!({ "alg": "HS256", "kid": key.id, "typ": "at+jwt" });
        let message = message(&header, &claims);
        for secret in [key.public_bytes(), key.jwk().to_string().into_bytes()] {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            assert_eq!(status(with_token(&server, &forged).await), 401);
        }
        // The key in the header of the token, and its URL, are ignored.
        let attacker = Key::new("attacker", "ES256");
        for header in [
            json!({ "jwk": attacker.bare_jwk() }),
            json!({ "kid": key.id, "jwk": attacker.bare_jwk() }),
            json!({ "jku": format!("{}/attacker", idp.issuer()) }),
        ] {
            assert_eq!(status(with_token(&server, &attacker.sign(&header, &claims)).await), 401, "{header}");
        }
        // The algorithm must fit the key.
        let other = if key.id == "ec" { "rsa" } else { "ec" };
        assert_eq!(status(with_token(&server, &key.sign(&json!({ "kid": other }), &claims)).await), 401);
    }
    assert_eq!(idp.count("/attacker"), 0);
    let only_ps = crate::verifiers::server(JwtVerifier::new(idp.issuer()).algorithms(["PS256"]));
    assert_eq!(status(with_token(&only_ps, &token(&idp, &rsa)).await), 401);
}

#[tokio::test]
async fn rotated_keys_are_fetched_with_a_minimum_interval() {
    //
    let (old, new) = (Key::new("old", "ES256"), Key::new("new", "EdDSA"));
    let idp = Idp::start(&[&old]).await;
    let server = server(JwtVerifier::new(idp.issuer()));
    with_token(&server, &token(&idp, &old)).await.unwrap();
    idp.set_keys(&[&old, &new]);
    with_token(&server, &token(&idp, &new)).await.unwrap();
    assert_eq!(idp.count(KEYS), 2);
    // Unknown keys cause no further request for a while.
    for id in ["x", "y", "z"] {
        let unknown = old.sign(&json!({ "kid": id }), &idp.claims(&json!({})));
        assert_eq!(status(with_token(&server, &unknown).await), 401);
    }
    assert_eq!(idp.count(KEYS), 2);
    with_token(&server, &token(&idp, &old)).await.unwrap();
}

#[tokio::test]
async fn revoked_keys_are_forgotten_at_their_maximum_age() {
    //
    let (revoked, current) = (Key::new("revoked", "ES256"), Key::new("current", "ES256"));
    let idp = Idp::start(&[&revoked, &current]).await;
    let server = server(JwtVerifier::new(idp.issuer()).key_max_age(Duration::from_millis(50)));
    let text = token(&idp, &revoked);
    with_token(&server, &text).await.unwrap();
    idp.set_keys(&[&current]);
    tokio::time::sleep(Duration::from_millis(60)).await;
    // The token was verified and cached before.
    assert_eq!(status(with_token(&server, &text).await), 401);
    with_token(&server, &token(&idp, &current)).await.unwrap();
}

#[tokio::test]
async fn old_keys_are_used_during_an_outage() {
    let key = Key::new("a", "ES256");
    let idp = Idp::start(&[&key]).await;
    let server = server(JwtVerifier::new(idp.issuer()).key_max_age(Duration::from_millis(20)));
    with_token(&server, &token(&idp, &key)).await.unwrap();
    for (status_code, document) in [(500, json!({})), (404, json!({})), (200, json!([])), (200, json!({ "keys": 1 }))] {
        idp.set(KEYS, status_code, document);
        tokio::time::sleep(Duration::from_millis(30)).await;
        with_token(&server, &token(&idp, &key)).await.unwrap();
    }
    assert!(idp.count(KEYS) > 2, "{}", idp.count(KEYS));
}

#[tokio::test]
async fn unavailable_keys_get_503() {
    let key = Key::new("a", "ES256");
    let idp = Idp::start(&[&key]).await;
    idp.set(KEYS, 500, json!({}));
    let server = server(JwtVerifier::new(idp.issuer()));
    for _ in 0..3 {
        assert_eq!(status(with_token(&server, &token(&idp, &key)).await), 503);
    }
    assert_eq!(idp.count(KEYS), 1, "a failed fetch is not repeated at once");
}

#[tokio::test]
async fn concurrent_requests_share_one_fetch() {
    let key = Key::new("a", "ES256");
    let idp = Idp::start(&[&key]).await;
    let server = server(JwtVerifier::new(idp.issuer()));
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..20 {
        let (server, text) = (server.clone(), key.sign(&json!({}), &idp.claims(&json!({ "sub": i.to_string() }))));
        tasks.spawn(async move { with_token(&server, &text).await.unwrap().subject().map(str::to_owned) });
    }
    let mut subjects = tasks.join_all().await;
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!((subjects.len(), idp.count(KEYS)), (20, 1));
}

#[tokio::test]
async fn trap_clients_that_disconnect_do_not_prevent_the_fetch_of_keys() {
    let key = Key::new("a", "ES256");
    let idp = Idp::start(&[&key]).await;
    let server = server(JwtVerifier::new(idp.issuer()));
    let text = token(&idp, &key);
    drop(tokio::time::timeout(Duration::ZERO, with_token(&server, &text)).await);
    for _ in 0..500 {
        if idp.count(KEYS) == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(idp.count(KEYS), 1, "the fetch continues without the request");
    with_token(&server, &text).await.unwrap();
}

#[tokio::test]
async fn id_tokens_and_certificate_bound_tokens_are_rejected() {
    //
    let key = Key::new("a", "ES256");
    let idp = Idp::start(&[&key]).await;
    let server = server(JwtVerifier::new(idp.issuer()));
    for claims in [json!({ "nonce": "x" }), json!({ "at_hash": "x" }), json!({ "cnf": { "x5t#S256": "x" } })] {
        let text = key.sign(&json!({ "typ": "JWT" }), &idp.claims(&claims));
        assert_eq!(status(with_token(&server, &text).await), 401, "{claims}");
    }
    for typ in ["JWT", "jwt", "application/at+jwt"] {
        with_token(&server, &key.sign(&json!({ "typ": typ }), &idp.claims(&json!({})))).await.unwrap();
    }
}

fn introspecting(idp: &Idp, cache_time: Duration) -> ResourceServer {
    let verifier = IntrospectionVerifier::new(format!("{}/introspect", idp.issuer()), "rs", "s3cret")
        .issuer(idp.issuer())
        .cache_time(cache_time);
    ResourceServer::builder(RESOURCE, verifier).build().unwrap()
}

fn active(idp: &Idp, fields: &Value) -> Value {
    let mut response = idp.claims(fields);
    response["active"] = json!(true);
    response
}

#[tokio::test]
async fn opaque_tokens_are_introspected_and_cached() {
    //
    let idp = Idp::start(&[]).await;
    let server = introspecting(&idp, Duration::from_secs(30));
    let response = active(&idp, &json!({ "exp": now() + 100 }));
    idp.state().tokens.insert("opaque".to_owned(), response);
    for _ in 0..3 {
        let principal = with_token(&server, "opaque").await.unwrap();
        assert_eq!((principal.subject(), principal.scopes().len()), (Some("ada"), 2));
        assert_eq!(status(with_token(&server, "unknown").await), 401);
    }
    assert_eq!(idp.count("/introspect"), 2, "valid and invalid results are cached");
    with_token(&server, "opaque").await.unwrap();
    let response = active(&idp, &json!({ "aud": "https://other" }));
    idp.state().tokens.insert("foreign".to_owned(), response);
    assert_eq!(status(with_token(&server, "foreign").await), 401);
    let state = idp.state();
    assert_eq!(state.form["token"], "foreign");
    assert_eq!(state.form["token_type_hint"], "access_token");
    assert_eq!(state.headers["authorization"], "Basic cnM6czNjcmV0");
}

#[tokio::test]
async fn revoked_tokens_are_rejected_without_cache() {
    //
    let idp = Idp::start(&[]).await;
    let server = introspecting(&idp, Duration::ZERO);
    let response = active(&idp, &json!({}));
    idp.state().tokens.insert("opaque".to_owned(), response);
    with_token(&server, "opaque").await.unwrap();
    idp.state().tokens.clear();
    assert_eq!(status(with_token(&server, "opaque").await), 401);
}

#[tokio::test]
async fn trap_flood_of_unknown_tokens_delays_others_without_end() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/introspect", silent.local_addr().unwrap());
    let verifier = IntrospectionVerifier::new(url, "rs", "s3cret");
    let server =
        ResourceServer::builder(RESOURCE, verifier).authorization_server("http://localhost:1").build().unwrap();
    let flood: Vec<_> = (0..40)
        .map(|i| {
            let server = server.clone();
            tokio::spawn(async move { status(with_token(&server, &format!("unknown-{i}")).await) })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = std::time::Instant::now();
    assert_eq!(status(with_token(&server, "opaque").await), 503);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    flood.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn failures_of_the_introspection_endpoint_get_503() {
    let idp = Idp::start(&[]).await;
    let server = introspecting(&idp, Duration::from_secs(30));
    for (status_code, document) in [(500, json!({})), (401, json!({})), (302, json!({})), (200, json!([1]))] {
        idp.set("/introspect", status_code, document);
        assert_eq!(status(with_token(&server, "opaque").await), 503, "{status_code}");
    }
    idp.set("/introspect", 200, active(&idp, &json!({})));
    with_token(&server, "opaque").await.unwrap();
}
