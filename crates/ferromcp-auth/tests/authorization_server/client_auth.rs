//! Authentication of clients.

use ferromcp_auth::authorization_server::{ClientAuthentication, ClientSecretDigest, RegisteredClient};
use ferromcp_auth::resource_server::DpopPolicy;
use serde_json::{Value, json};

use crate::harness::{
    Fields, Harness, ISSUER, REDIRECT_URI, RESOURCE, SECRET, TOKEN_ENDPOINT, basic, changed, exchange, options,
};
use crate::provider::now;
use crate::signing::SigningKey;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Exchanges a new code of a client, and returns the status and the error.
async fn login(harness: &Harness, client: &str, headers: Fields<'_>, changes: Fields<'_>) -> (u16, String) {
    let code = harness.code(&[("client_id", client)]).await;
    let reply = harness.form("/token", headers, &changed(exchange(client, &code), changes)).await;
    let has_challenge = reply.headers.contains_key("www-authenticate");
    let is_basic = headers.iter().any(|(name, _)| *name == "authorization");
    assert_eq!(has_challenge, reply.status == 401 && is_basic, "{reply:?}");
    assert!(reply.status == 200 || !reply.body.contains("s3cret"));
    reply.error()
}

#[tokio::test]
async fn clients_authenticate_by_their_registered_method() {
    //
    let harness = Harness::new();
    let (right, wrong) = (basic("basic", SECRET), basic("basic", "wrong"));
    let right = [("authorization", right.as_str())];
    let wrong = [("authorization", wrong.as_str())];
    let in_form = [("client_secret", SECRET)];
    let ok = (200, String::new());
    let failed = (401, "invalid_client".to_owned());
    assert_eq!(login(&harness, "basic", &right, &[]).await, ok);
    assert_eq!(login(&harness, "basic", &right, &[("client_id", "")]).await, ok, "the header contains the ID");
    assert_eq!(login(&harness, "post", &[], &in_form).await, ok);
    assert_eq!(login(&harness, "public", &[], &[]).await, ok);
    assert_eq!(login(&harness, "basic", &wrong, &[]).await, failed);
    assert_eq!(login(&harness, "basic", &[], &in_form).await, failed);
    assert_eq!(login(&harness, "basic", &[], &[]).await, failed);
    assert_eq!(login(&harness, "post", &[], &[]).await, failed);
    assert_eq!(login(&harness, "post", &[], &[("client_secret", "wrong")]).await, failed);
    assert_eq!(login(&harness, "public", &[], &in_form).await, failed);
    assert_eq!(login(&harness, "basic", &right, &[("client_id", "public")]).await, failed);
    assert_eq!(login(&harness, "basic", &right, &in_form).await, (400, "invalid_request".to_owned()));
    let unknown = basic("unknown", SECRET);
    assert_eq!(login(&harness, "basic", &[("authorization", &unknown)], &[("client_id", "")]).await, failed);
    assert_eq!(login(&harness, "public", &[], &[("client_id", "unknown")]).await, failed);
    assert_eq!(login(&harness, "public", &[], &[("client_id", "")]).await, failed);
    assert_eq!(login(&harness, "public", &[("authorization", "Bearer x")], &[]).await, failed);
}

#[tokio::test]
async fn trap_absent_secret_does_not_authenticate() {
    let harness = Harness::new();
    for (id, method) in
        [("no-basic", ClientAuthentication::ClientSecretBasic), ("no-post", ClientAuthentication::ClientSecretPost)]
    {
        let mut client = RegisteredClient::new(id, [REDIRECT_URI]);
        client.auth_method = method;
        harness.provider.add(client);
        let header = basic(id, "");
        for (headers, changes) in [
            (vec![], vec![]),
            (vec![], vec![("client_secret", "x")]),
            (vec![("authorization", header.as_str())], vec![]),
        ] {
            assert_eq!(login(&harness, id, &headers, &changes).await.0, 401, "{id} {headers:?} {changes:?}");
        }
    }
}

#[tokio::test]
async fn expired_secrets_are_rejected() {
    let harness = Harness::new();
    let mut client = RegisteredClient::new("expired", [REDIRECT_URI]);
    client.auth_method = ClientAuthentication::ClientSecretPost;
    client.client_secret = Some(ClientSecretDigest::of(SECRET));
    client.secret_expires_at = Some(now() - 1);
    harness.provider.add(client);
    assert_eq!(login(&harness, "expired", &[], &[("client_secret", SECRET)]).await.0, 401);
}

fn assertion(key: &SigningKey, id: &str, changes: &Value) -> String {
    let mut claims = json!({
        "iss": "signed", "sub": "signed", "aud": ISSUER, "jti": id, "iat": now(), "exp": now() + 60,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    key.token("JWT", &claims)
}

/// Returns a server with the client `signed`, and the key of the client.
fn with_signed_client() -> (Harness, SigningKey) {
    let (harness, key) = (Harness::new(), SigningKey::generate());
    let mut client = RegisteredClient::new("signed", [REDIRECT_URI]);
    client.auth_method = ClientAuthentication::PrivateKeyJwt;
    client.jwks = Some(key.jwks());
    client.grant_types.push("client_credentials".to_owned());
    harness.provider.add(client);
    (harness, key)
}

async fn token(harness: &Harness, assertion: &str, changes: Fields<'_>) -> (u16, String) {
    let fields = vec![
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion),
        ("resource", RESOURCE),
    ];
    harness.token(&changed(fields, changes)).await.error()
}

#[tokio::test]
async fn clients_authenticate_by_signed_assertions() {
    //
    let (harness, key) = with_signed_client();
    let ok = (200, String::new());
    assert_eq!(token(&harness, &assertion(&key, "1", &json!({})), &[]).await, ok);
    let for_endpoint = assertion(&key, "2", &json!({ "aud": [TOKEN_ENDPOINT] }));
    assert_eq!(token(&harness, &for_endpoint, &[("client_id", "signed")]).await, ok);
    for (i, changes) in [
        json!({ "aud": "https://other.example.com" }),
        json!({ "aud": null }),
        json!({ "aud": [ISSUER, "https://other.example.com"] }),
        json!({ "iss": "public" }),
        json!({ "sub": "public" }),
        json!({ "sub": "public", "iss": "public" }),
        json!({ "sub": null }),
        json!({ "exp": now() - 120 }),
        json!({ "exp": null }),
        json!({ "exp": now() + 100_000 }),
        json!({ "nbf": now() + 600 }),
        json!({ "jti": null }),
    ]
    .into_iter()
    .enumerate()
    {
        let assertion = assertion(&key, &format!("invalid-{i}"), &changes);
        assert_eq!(token(&harness, &assertion, &[]).await, (401, "invalid_client".to_owned()), "{changes}");
    }
    let foreign = assertion(&SigningKey::generate(), "3", &json!({}));
    assert_eq!(token(&harness, &foreign, &[]).await.0, 401);
    let valid = assertion(&key, "4", &json!({}));
    assert_eq!(token(&harness, &valid, &[("client_assertion_type", "x")]).await.0, 401);
    assert_eq!(token(&harness, &valid, &[("client_id", "public")]).await.0, 401);
    assert_eq!(token(&harness, &valid, &[("client_secret", "x")]).await.0, 400);
    assert_eq!(token(&harness, "x.y.z", &[]).await.0, 401);
}

#[tokio::test]
async fn assertion_is_not_used_up_when_a_nonce_is_missing() {
    //
    let (harness, key) = with_signed_client();
    let strict = Harness::with(options().dpop(DpopPolicy::optional().with_nonces()));
    strict.provider.add(harness.provider.state().clients["signed"].clone());
    let assertion = assertion(&key, "1", &json!({}));
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", assertion.as_str()),
    ];
    let reply = strict.form("/token", &[("dpop", &key.proof("1", TOKEN_ENDPOINT))], &fields).await;
    assert_eq!(reply.error(), (400, "use_dpop_nonce".to_owned()));
    assert_eq!(strict.token(&fields).await.status, 200);
}

#[tokio::test]
async fn trap_client_assertion_replay() {
    //
    let (harness, key) = with_signed_client();
    let assertion = assertion(&key, "1", &json!({}));
    assert_eq!(token(&harness, &assertion, &[]).await.0, 200);
    assert_eq!(token(&harness, &assertion, &[]).await, (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn trap_assertions_of_one_client_block_others() {
    //
    let (harness, key) = with_signed_client();
    let mut client = harness.provider.state().clients["signed"].clone();
    client.client_id = "evil".to_owned();
    client.is_dynamically_registered = true;
    harness.provider.add(client);
    let of_evil = |id: &str, lifetime: u64| {
        assertion(&key, id, &json!({ "iss": "evil", "sub": "evil", "exp": now() + lifetime }))
    };
    // Each use is recorded until the assertion expires.
    assert_eq!(token(&harness, &of_evil("long", 600), &[]).await, (401, "invalid_client".to_owned()));
    let long = assertion(&key, "long", &json!({ "exp": now() + 3600 }));
    assert_eq!(token(&harness, &long, &[]).await.0, 200, "the operator registered the client");
    for i in 0..1000 {
        assert_eq!(token(&harness, &of_evil(&i.to_string(), 300), &[]).await.0, 200, "{i}");
    }
    assert_eq!(token(&harness, &of_evil("x", 300), &[]).await.1, "temporarily_unavailable");
    for i in 0..2 {
        assert_eq!(token(&harness, &assertion(&key, &i.to_string(), &json!({})), &[]).await.0, 200);
    }
}

#[tokio::test]
async fn trap_unsigned_client_assertion() {
    //
    let (harness, key) = with_signed_client();
    let valid = assertion(&key, "1", &json!({}));
    let payload = valid.split('.').nth(1).unwrap();
    let header = |alg: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json!({ "alg": alg, "kid": "1" }).to_string())
    };
    for alg in ["none", "None", "HS256"] {
        for signature in ["", "AAAA"] {
            let forged = format!("{}.{payload}.{signature}", header(alg));
            assert_eq!(token(&harness, &forged, &[]).await.0, 401, "{alg}");
        }
    }
}
