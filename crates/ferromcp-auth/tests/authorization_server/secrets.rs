//! Secrets of programs do not reach logs, `Debug` or errors: assertions, proofs and client secrets.

use ferromcp_auth::authorization_server::{AuthorizationServer, ClientAuthentication, RegisteredClient};
use ferromcp_server::http::HttpAuthorization as _;
use http::header::CONTENT_TYPE;
use http::{HeaderName, Request};
use serde_json::{Value, json};

use crate::assertions::{ID_JAG, JWT_BEARER, identity, setup, workload};
use crate::harness::{Fields, ISSUER, SECRET, TOKEN_ENDPOINT, basic, encode};
use crate::log::Log;
use crate::provider::now;
use crate::recorder::Recorder;
use crate::signing::SigningKey;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Sends a token request, and returns the status.
async fn token(server: &Recorder<AuthorizationServer>, headers: Fields<'_>, fields: Fields<'_>) -> u16 {
    let mut request = Request::post("/token").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(HeaderName::try_from(*name).unwrap(), *value);
    }
    server.respond(request.body(encode(fields).into()).unwrap()).await.status().as_u16()
}

#[tokio::test]
async fn secrets_are_not_logged_when_programs_obtain_tokens() {
    //
    let (log, _guard) = Log::start();
    let setup = setup();
    let key = SigningKey::generate();
    let mut signer = RegisteredClient::new("signer", [""; 0]);
    signer.grant_types = vec!["client_credentials".to_owned()];
    signer.auth_method = ClientAuthentication::PrivateKeyJwt;
    signer.jwks = Some(key.jwks());
    let shown = format!("{signer:?}");
    setup.harness.provider.add(signer);
    let server = Recorder::new(setup.harness.server.clone());

    // Each assertion is sent twice: the second time, it is a replay.
    let employee = setup.provider.token(ID_JAG, &identity("1", &json!({})));
    let foreign = setup.platform.token(ID_JAG, &identity("2", &json!({})));
    let expired = setup.provider.token(ID_JAG, &identity("3", &json!({ "exp": now() - 600 })));
    let program = setup.platform.token("JWT", &workload("4", &json!({})));
    let mut statuses = Vec::new();
    for assertion in [&employee, &foreign, &expired, &program, "not.a.token", "not-even-three-parts"] {
        let client = [("client_id", "agent"), ("client_secret", SECRET)];
        let grant = [("grant_type", JWT_BEARER), ("assertion", assertion)];
        for fields in [[&grant[..], &client[..]].concat(), [&grant[..], &client[..]].concat(), grant.to_vec()] {
            statuses.push(token(&server, &[], &fields).await);
        }
    }
    let successes = statuses.iter().filter(|status| **status == 200).count();
    assert!(statuses[..2] == [200, 400] && (2..6).contains(&successes), "{statuses:?}");

    let claims = |id: &str, audience: &str| -> Value {
        json!({ "iss": "signer", "sub": "signer", "aud": audience, "jti": id, "iat": now(), "exp": now() + 60 })
    };
    let correct = key.token("JWT", &claims("a", ISSUER));
    let elsewhere = key.token("JWT", &claims("b", "https://elsewhere.example.com"));
    let forged = SigningKey::generate().token("JWT", &claims("c", ISSUER));
    for (assertion, expected) in [(&correct, 200), (&correct, 401), (&elsewhere, 401), (&forged, 401)] {
        let proof = key.proof(&format!("proof-{}", server.secrets().len()), TOKEN_ENDPOINT);
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ];
        assert_eq!(token(&server, &[("dpop", &proof)], &fields).await, expected);
    }

    let proof = key.proof("twice", TOKEN_ENDPOINT);
    for (secret, expected) in [(SECRET, 200), (SECRET, 400), ("another-s3cret", 401)] {
        let credentials = basic("machine", secret);
        let headers = [("authorization", credentials.as_str()), ("dpop", &proof)];
        assert_eq!(token(&server, &headers, &[("grant_type", "client_credentials")]).await, expected);
    }

    let shown = format!("{shown} {:?} {}", server.server(), log.text());
    assert!(shown.contains("rejecting") && shown.contains("idp.example.com"), "{shown}");
    assert!(server.secrets().len() > 18, "{}", server.secrets().len());
    server.assert_none_in(&shown);
}
