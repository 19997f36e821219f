//! Tokens that are bound to a key of the client.

use ferromcp_auth::authorization_server::RegisteredClient;
use ferromcp_auth::resource_server::DpopPolicy;

use crate::harness::{Harness, REDIRECT_URI, SECRET, TOKEN_ENDPOINT, basic, exchange, options};
use crate::signing::SigningKey;

#[tokio::test]
async fn tokens_are_bound_to_the_key_of_the_proof() {
    //
    let (harness, key) = (Harness::new(), SigningKey::generate());
    let code = harness.code(&[]).await;
    let proof = key.proof("1", TOKEN_ENDPOINT);
    let tokens = harness.form("/token", &[("dpop", &proof)], &exchange("public", &code)).await.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(harness.provider.state().access[access].key_thumbprint, Some(key.thumbprint()));
    assert!(!harness.accepts(access).await, "a bound token is not a bearer token");
}

#[tokio::test]
async fn invalid_proofs_are_rejected() {
    let (harness, key) = (Harness::new(), SigningKey::generate());
    let code = harness.code(&[]).await;
    for proof in [key.proof("1", "https://other.example.com/token"), "x".to_owned(), key.token("JWT", &"x".into())] {
        let reply = harness.form("/token", &[("dpop", &proof)], &exchange("public", &code)).await;
        assert_eq!(reply.error(), (400, "invalid_dpop_proof".to_owned()), "{proof}");
    }
}

#[tokio::test]
async fn trap_proofs_of_requests_without_a_valid_grant_are_remembered() {
    // They would evict those of valid requests, which could then be replayed.
    let (harness, key) = (Harness::new(), SigningKey::generate());
    let proof = key.proof("1", TOKEN_ENDPOINT);
    let headers = [("dpop", proof.as_str())];
    for fields in [
        vec![("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", "x")],
        exchange("public", "x"),
    ] {
        assert_eq!(harness.form("/token", &headers, &fields).await.error().1, "invalid_grant");
    }
    let code = harness.code(&[]).await;
    let tokens = harness.form("/token", &headers, &exchange("public", &code)).await.json();
    assert_eq!(tokens["token_type"], "DPoP", "the proof was not used up");
    // With a valid grant, a proof is used once, and its replay does not use up the grant.
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let code = harness.code(&[]).await;
    for fields in [
        vec![("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", refresh)],
        exchange("public", &code),
    ] {
        let replayed = harness.form("/token", &headers, &fields).await;
        assert_eq!(replayed.error(), (400, "invalid_dpop_proof".to_owned()));
    }
    let (proof, machine) = (key.proof("2", TOKEN_ENDPOINT), basic("machine", SECRET));
    let headers = [("dpop", proof.as_str()), ("authorization", machine.as_str())];
    for status in [200, 400] {
        assert_eq!(harness.form("/token", &headers, &[("grant_type", "client_credentials")]).await.status, status);
    }
    assert_eq!(harness.token(&exchange("public", &code)).await.status, 200);
}

#[tokio::test]
async fn trap_refresh_token_of_a_public_client_with_another_key() {
    let (harness, key) = (Harness::new(), SigningKey::generate());
    let code = harness.code(&[]).await;
    let proof = key.proof("1", TOKEN_ENDPOINT);
    let tokens = harness.form("/token", &[("dpop", &proof)], &exchange("public", &code)).await.json();
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let fields = [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", refresh)];
    let other = SigningKey::generate().proof("2", TOKEN_ENDPOINT);
    for headers in [vec![], vec![("dpop", other.as_str())]] {
        let reply = harness.form("/token", &headers, &fields).await;
        assert_eq!(reply.error(), (400, "invalid_grant".to_owned()));
    }
    let proof = key.proof("3", TOKEN_ENDPOINT);
    assert_eq!(harness.form("/token", &[("dpop", &proof)], &fields).await.json()["token_type"], "DPoP");
}

#[tokio::test]
async fn code_can_be_bound_to_a_key() {
    let (harness, key) = (Harness::new(), SigningKey::generate());
    let thumbprint = key.thumbprint();
    let code = harness.code(&[("dpop_jkt", &thumbprint)]).await;
    let fields = exchange("public", &code);
    assert_eq!(harness.token(&fields).await.error().1, "invalid_grant");
    let other = SigningKey::generate().proof("1", TOKEN_ENDPOINT);
    assert_eq!(harness.form("/token", &[("dpop", &other)], &fields).await.error().1, "invalid_grant");
    let proof = key.proof("2", TOKEN_ENDPOINT);
    assert_eq!(harness.form("/token", &[("dpop", &proof)], &fields).await.status, 200);
}

#[tokio::test]
async fn clients_and_servers_can_require_proofs() {
    //
    let harness = Harness::new();
    let mut client = RegisteredClient::new("bound", [REDIRECT_URI]);
    client.requires_dpop = true;
    harness.provider.add(client);
    let code = harness.code(&[("client_id", "bound")]).await;
    assert_eq!(harness.token(&exchange("bound", &code)).await.error(), (400, "invalid_dpop_proof".to_owned()));
    let strict = Harness::with(options().dpop(DpopPolicy::required()));
    let credentials = basic("machine", SECRET);
    let fields = [("grant_type", "client_credentials")];
    let reply = strict.form("/token", &[("authorization", &credentials)], &fields).await;
    assert_eq!(reply.error(), (400, "invalid_dpop_proof".to_owned()));
}

#[tokio::test]
async fn nonces_are_required_and_sent() {
    let harness = Harness::with(options().dpop(DpopPolicy::optional().with_nonces()));
    let code = harness.code(&[]).await;
    let proof = SigningKey::generate().proof("1", TOKEN_ENDPOINT);
    let reply = harness.form("/token", &[("dpop", &proof)], &exchange("public", &code)).await;
    assert_eq!(reply.error(), (400, "use_dpop_nonce".to_owned()));
    assert!(!reply.header("dpop-nonce").unwrap().is_empty());
    // Without a proof, no nonce is needed.
    assert_eq!(harness.token(&exchange("public", &code)).await.status, 200);
}
