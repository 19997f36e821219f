//! Presents arbitrary tokens, key sets, DPoP proofs and assertions: only those that meet the requirements are accepted, and
//! each proof and assertion only once.
//!
//! Covers access tokens, JSON Web Key Sets, DPoP proofs with and without nonces, `private_key_jwt`, identity assertions
//! (ID-JAG) and tokens of workloads. `cargo +nightly fuzz run auth_jwt`. The first byte selects the parser. NUL separates
//! the header and the claims of a token, which are signed with a fixed key; for variables in them, see
//! `ferromcp_fuzz::auth::expand`. Spec: RFC 7515, RFC 7517, RFC 7519, RFC 7523, RFC 9449.
#![no_main]

use std::sync::{LazyLock, Mutex, PoisonError};

use bytes::Bytes;
use ferromcp_auth::authorization_server::{
    AssertionGrant, AuthorizationServer, AuthorizationServerOptions, ClientAuthentication, MemoryProvider,
    RegisteredClient, TrustedIssuer,
};
use ferromcp_auth::resource_server::{
    AccessToken, DpopPolicy, JwtVerifier, ResourceServer, StaticTokens, TokenVerifier, VerifyError,
};
use ferromcp_fuzz::auth::{self, assert_json_error, expand, header, jwks, now, public_key, sha256, sign, thumbprint};
use ferromcp_fuzz::{assert_printable, ready};
use ferromcp_server::http::HttpAuthorization;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

const ISSUER: &str = "http://127.0.0.1:8000";
const RESOURCE: &str = "http://127.0.0.1:8000/mcp";
const TOKEN_ENDPOINT: &str = "http://127.0.0.1:8000/token";
/// The opaque access token that is bound to the key.
const BOUND: &str = "bound-token";

/// The difference of the clocks that is tolerated, in seconds, and a second for the run of the target.
const LEEWAY: u64 = 61;
/// The time within which a proof must have been created, in seconds, and a second for the run of the target.
const WINDOW: u64 = 301;
/// The maximum lifetime of an assertion, in seconds.
const MAX_ASSERTION: u64 = 3600;

/// The number of inputs after which the authorization server is replaced, so that its records remain small.
const MAX_INPUTS: u32 = 1000;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fuzz_target!(|input: &[u8]| {
    let Some((&parser, input)) = input.split_first() else { return };
    let end = input.iter().position(|byte| *byte == 0);
    let (first, second) = end.map_or((input, &b""[..]), |end| (&input[..end], &input[end + 1..]));
    match parser % 8 {
        0 => access_token(first, second),
        1 => key_set(first, second),
        2 => proof(first, second, DpopPolicy::required()),
        3 => proof(first, second, DpopPolicy::required().with_nonces()),
        4 => client_assertion(first, second),
        5 => assertion_grant(first, second),
        6 => raw(input),
        _ => bound_token(first, second),
    }
});

/// A token that was signed, whose header and claims are JSON objects.
struct Signed {
    text: String,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Signed {
    /// Signs a token. The maps are empty if the parts are not JSON objects.
    fn new(header: &[u8], claims: &[u8], further: &[(&str, &str)]) -> Self {
        let [header, claims] = [header, claims].map(|part| expand(part, further));
        let object = |part: &[u8]| serde_json::from_slice(part).unwrap_or_default();
        Self { text: sign(&header, &claims), header: object(&header), claims: object(&claims) }
    }

    fn claim(&self, name: &str) -> &Value {
        self.claims.get(name).unwrap_or(&Value::Null)
    }

    fn seconds(&self, name: &str) -> Option<u64> {
        let value = self.claim(name);
        value.as_u64().or_else(|| value.as_f64().filter(|it| (0.0..1e19).contains(it)).map(|it| it as u64))
    }

    fn has_audience(&self, audiences: &[&str]) -> bool {
        match self.claim("aud") {
            Value::Array(items) => items.iter().any(|item| audiences.iter().any(|audience| item == audience)),
            value => audiences.iter().any(|audience| value == audience),
        }
    }

    /// Asserts what holds for each accepted token.
    fn check_accepted(&self) {
        assert!(self.header.get("alg").is_some_and(|alg| alg == "EdDSA" || alg == "Ed25519"), "{:?}", self.header);
        assert!(!self.header.contains_key("crit") && !self.header.contains_key("b64"), "{:?}", self.header);
    }

    /// Asserts that the token has not expired and is valid already.
    fn check_times(&self) {
        let expires_at = self.seconds("exp").expect("an accepted token has an expiry");
        assert!(expires_at.saturating_add(LEEWAY) > now(), "{:?}", self.claims);
        let not_before = self.claim("nbf");
        assert!(not_before.is_null() || self.seconds("nbf").is_some_and(|at| at <= now() + LEEWAY), "{not_before}");
    }

    /// Returns the token with changes, each of which makes it invalid.
    fn damaged(&self) -> Vec<String> {
        let (message, signature) = self.text.rsplit_once('.').expect("three parts");
        let with_last = |last: char| format!("{message}.{}{last}", &signature[..signature.len() - 1]);
        let last = signature.chars().last().expect("a signature");
        // The last character has 2 bits of the signature; the others must be zero.
        let is_trailing = |c: &char| "AQgw".find(last).is_some() && !"AQgw".contains(*c);
        let mut damaged: Vec<String> = "BRhx".chars().filter(is_trailing).map(with_last).collect();
        damaged.extend([format!("{}=", self.text), format!("{message}."), format!("{message}.{signature}.AAAA")]);
        damaged.extend([message.to_owned(), format!("{}\n", self.text), format!(" {}", self.text)]);
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        damaged.push(format!("{message}.{first}{}", &signature[1..]));
        damaged
    }
}

fn access_token(header: &[u8], claims: &[u8]) {
    let token = Signed::new(header, claims, &[]);
    let verifier = JwtVerifier::new(ISSUER).jwks(jwks());
    let accepted = match ready(verifier.verify(&token.text)) {
        Ok(accepted) => accepted,
        Err(error) => return check_rejection(&error),
    };
    token.check_accepted();
    token.check_times();
    let media_type = token.header.get("typ").map(|typ| typ.as_str().expect("a text").to_ascii_lowercase());
    let media_type = media_type.as_deref().map(|typ| typ.strip_prefix("application/").unwrap_or(typ));
    assert!(matches!(media_type, None | Some("at+jwt" | "jwt")), "{media_type:?}");
    for name in ["nonce", "at_hash", "c_hash"] {
        assert!(!token.claims.contains_key(name), "an ID token was accepted");
    }
    check_claims(&accepted, &token);
    // From the cache, and damaged.
    assert!(ready(verifier.verify(&token.text)).is_ok_and(|again| again == accepted));
    for damaged in token.damaged() {
        assert!(ready(verifier.verify(&damaged)).is_err(), "{damaged}");
    }
}

fn check_claims(accepted: &AccessToken, token: &Signed) {
    assert_eq!(accepted.issuer.as_deref(), Some(ISSUER));
    assert!(accepted.claims == token.claims && accepted.expires_at == token.seconds("exp"));
    assert_eq!(accepted.subject.as_deref().unwrap_or_default(), token.claim("sub").as_str().unwrap_or_default());
    assert!(accepted.scopes.len() <= 500 && accepted.audiences.len() <= 500);
    let bound = token.claim("cnf").get("jkt").and_then(Value::as_str);
    assert_eq!(accepted.key_thumbprint.as_deref(), bound);
}

fn check_rejection(error: &VerifyError) {
    assert!(matches!(error, VerifyError::Invalid(_)), "{error}");
    assert_printable(&error.to_string());
}

/// Verifies a token with an arbitrary key set, which must contain the key.
fn key_set(set: &[u8], header: &[u8]) {
    let set: Value = serde_json::from_slice(&expand(set, &[])).unwrap_or_default();
    let claims = json!({ "iss": ISSUER, "exp": now() + 60 }).to_string();
    let verifier = JwtVerifier::new(ISSUER).jwks(set.clone());
    let token = Signed::new(header, claims.as_bytes(), &[]);
    if ready(verifier.verify(&token.text)).is_ok() {
        let keys = set["keys"].as_array().expect("a key set");
        let is_ours = |key: &&Value| key["x"] == public_key() && key["kty"] == "OKP" && key["crv"] == "Ed25519";
        let key = keys.iter().find(is_ours).expect("the key of the signature");
        assert!(key.get("use").is_none_or(|purpose| purpose == "sig") || keys.iter().filter(is_ours).count() > 1);
    }
    // Signatures of other algorithms reach the other types of keys.
    for (algorithm, length) in [("ES256", 64), ("ES384", 96), ("RS256", 256), ("PS512", 512)] {
        let header = json!({ "alg": algorithm }).to_string();
        let message = sign(header.as_bytes(), claims.as_bytes());
        let (message, _) = message.rsplit_once('.').expect("three parts");
        let text = format!("{message}.{}", "A".repeat(length * 4 / 3 + usize::from(length % 3 > 0)));
        if let Err(error) = ready(verifier.verify(&text)) {
            check_rejection(&error);
        }
    }
}

/// Sends a request with a token that is bound to the key, and a proof.
fn proof(header: &[u8], claims: &[u8], policy: DpopPolicy) {
    let mut token = AccessToken::new();
    token.subject = Some("ada".to_owned());
    token.audiences = vec![RESOURCE.to_owned()];
    token.key_thumbprint = Some(thumbprint());
    let tokens = StaticTokens::new(RESOURCE).access_token(BOUND, token);
    let server = ResourceServer::builder(RESOURCE, tokens).authorization_server(ISSUER).dpop(policy).build();
    let server = server.expect("valid options");
    let nonce = match authorize(&server, "DPoP", "") {
        Err(response) => auth::header(response.headers(), "dpop-nonce").to_owned(),
        Ok(()) => panic!("a request without a proof was accepted"),
    };
    let ath = sha256(BOUND.as_bytes());
    let proof = Signed::new(header, claims, &[("$ath", &ath), ("$nonce", &nonce)]);
    if let Err(response) = authorize(&server, "DPoP", &proof.text) {
        check_unauthorized(&response);
        return;
    }
    proof.check_accepted();
    assert_eq!(proof.header["jwk"]["x"], public_key());
    assert!(proof.header["jwk"].get("d").is_none(), "a private key was accepted");
    assert_eq!(proof.header["typ"].as_str().map(|typ| typ.to_ascii_lowercase().contains("dpop+jwt")), Some(true));
    assert!(proof.claim("htm") == "POST" && *proof.claim("ath") == *ath, "{:?}", proof.claims);
    assert!(proof.claim("jti").as_str().is_some_and(|id| (1..=512).contains(&id.len())));
    assert!(proof.seconds("iat").is_some_and(|at| at.abs_diff(now()) <= WINDOW));
    let url = url::Url::parse(proof.claim("htu").as_str().expect("a text")).expect("a URL");
    assert!(url.as_str().starts_with(RESOURCE), "{url}");
    assert!(nonce.is_empty() || *proof.claim("nonce") == *nonce);
    assert!(authorize(&server, "DPoP", &proof.text).is_err(), "a proof was accepted twice");
    assert!(authorize(&server, "Bearer", &proof.text).is_err(), "a bound token was accepted as a bearer token");
}

fn authorize(server: &impl HttpAuthorization, scheme: &str, proof: &str) -> Result<(), Response<Bytes>> {
    let mut request = Request::post(RESOURCE).header(AUTHORIZATION, format!("{scheme} {BOUND}"));
    if !proof.is_empty() {
        request = request.header(HeaderName::from_static("dpop"), proof);
    }
    let (mut parts, ()) = request.body(()).expect("a request").into_parts();
    ready(server.authorize(&mut parts))
}

fn check_unauthorized(response: &Response<Bytes>) {
    assert_json_error(response);
    assert!(response.status() == StatusCode::UNAUTHORIZED, "{response:?}");
    assert!(response.headers().contains_key("www-authenticate"), "{response:?}");
}

/// Sends a token that is signed, and bound to a key by its claims, as a bearer token.
fn bound_token(header: &[u8], claims: &[u8]) {
    let token = Signed::new(header, claims, &[("$resource", RESOURCE)]);
    let verifier = JwtVerifier::new(ISSUER).jwks(jwks());
    let server = ResourceServer::builder(RESOURCE, verifier).required_scopes(["read"]).dpop(DpopPolicy::optional());
    let server = server.build().expect("valid options");
    let request = Request::post(RESOURCE).header(AUTHORIZATION, format!("Bearer {}", token.text));
    let (mut parts, ()) = request.body(()).expect("a request").into_parts();
    match ready(server.authorize(&mut parts)) {
        Err(response) => drop(assert_json_error(&response)),
        Ok(()) => {
            assert!(token.claim("cnf").is_null(), "a bound token was accepted as a bearer token");
            let is_resource = |audience: &Value| {
                audience.as_str().is_some_and(|text| text.trim_end_matches('/').eq_ignore_ascii_case(RESOURCE))
            };
            let audience = token.claim("aud");
            assert!(audience.as_array().map_or_else(|| is_resource(audience), |all| all.iter().any(is_resource)));
            let scopes = ["scope", "scp", "permissions"].map(|name| token.claim(name).to_string()).concat();
            assert!(scopes.contains("read"), "{scopes}");
        }
    }
}

/// An authorization server with a client that has keys, a trusted identity provider and a trusted workload issuer.
fn authorization_server() -> AuthorizationServer {
    static SERVER: LazyLock<Mutex<(Option<AuthorizationServer>, u32)>> = LazyLock::new(Mutex::default);
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    server.1 += 1;
    if server.1 % MAX_INPUTS == 1 {
        server.0 = Some(create_authorization_server());
    }
    server.0.clone().expect("created with the first input")
}

fn create_authorization_server() -> AuthorizationServer {
    let mut client = RegisteredClient::new("agent", [""; 0]);
    client.grant_types = vec!["client_credentials".to_owned(), JWT_BEARER.to_owned()];
    client.auth_method = ClientAuthentication::PrivateKeyJwt;
    client.jwks = Some(jwks());
    let workloads = TrustedIssuer::workloads("https://platform.example.com", |claims| {
        (claims.get("sub")? == "deploy").then(|| AssertionGrant::new("workload:deploy").scopes(["read", "write"]))
    });
    let options = AuthorizationServerOptions::new(ISSUER)
        .resource(RESOURCE)
        .required_scopes(["read"])
        .valid_scopes(["read", "write"])
        .client_id_metadata_documents(false)
        .trusted_issuer(TrustedIssuer::identity_provider("https://idp.example.com").jwks(jwks()))
        .trusted_issuer(workloads.jwks(jwks()));
    AuthorizationServer::new(options, MemoryProvider::new().client(client)).expect("valid options")
}

/// Sends a token request. Returns the response.
fn token(server: &AuthorizationServer, fields: &[(&str, &str)]) -> Response<Bytes> {
    let form = Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = Request::post("/token").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = ready(server.respond(request.body(form.into()).expect("a request")));
    if response.status() == StatusCode::OK {
        assert_eq!(header(response.headers(), "cache-control"), "no-store");
        check_issued(server, &response);
    } else {
        assert_ne!(assert_json_error(&response), "server_error");
    }
    response
}

/// Asserts that the MCP endpoint accepts a token that was issued, and that its scopes are valid.
fn check_issued(server: &AuthorizationServer, response: &Response<Bytes>) {
    let document: Value = serde_json::from_slice(response.body()).expect("a token response is JSON");
    let token = document["access_token"].as_str().expect("a token response has an access token");
    let scopes = document["scope"].as_str().unwrap_or_default();
    assert!(scopes.split(' ').all(|scope| matches!(scope, "" | "read" | "write")), "{scopes}");
    let request = Request::post(RESOURCE)
        .header(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).expect("a header"));
    let (mut parts, ()) = request.body(()).expect("a request").into_parts();
    assert_eq!(ready(server.authorize(&mut parts)).is_ok(), scopes.contains("read"), "{document}");
}

fn client_assertion(header: &[u8], claims: &[u8]) {
    let assertion = Signed::new(header, claims, &[]);
    let server = authorization_server();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION_TYPE),
        ("client_assertion", &*assertion.text),
    ];
    if token(&server, &fields).status() != StatusCode::OK {
        return;
    }
    assertion.check_accepted();
    check_assertion(&assertion, &[ISSUER, TOKEN_ENDPOINT]);
    assert!(assertion.claim("iss") == "agent" && assertion.claim("sub") == "agent", "{:?}", assertion.claims);
    assert_eq!(token(&server, &fields).status(), StatusCode::UNAUTHORIZED, "an assertion was accepted twice");
}

fn check_assertion(assertion: &Signed, audiences: &[&str]) {
    assertion.check_times();
    assert!(assertion.has_audience(audiences), "{:?}", assertion.claims);
    assert!(assertion.seconds("exp").is_some_and(|at| at <= now() + MAX_ASSERTION + LEEWAY), "{:?}", assertion.claims);
}

fn assertion_grant(header: &[u8], claims: &[u8]) {
    let assertion = Signed::new(header, claims, &[]);
    let server = authorization_server();
    let authentication = json!({ "iss": "agent", "sub": "agent", "aud": ISSUER, "exp": now() + 60, "jti": "$new" });
    let authentication = || Signed::new(br#"{"alg":"EdDSA"}"#, authentication.to_string().as_bytes(), &[]).text;
    let exchange = || {
        let fields = [
            ("grant_type", JWT_BEARER),
            ("assertion", &*assertion.text),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", &*authentication()),
        ];
        token(&server, &fields).status()
    };
    if exchange() != StatusCode::OK {
        return;
    }
    assertion.check_accepted();
    assert!(assertion.claim("cnf").is_null(), "an assertion that is bound to a key was accepted without a proof");
    let typ = assertion.header.get("typ").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    if typ.contains("oauth-id-jag+jwt") {
        check_assertion(&assertion, &[ISSUER]);
        assert_eq!(assertion.claim("iss"), "https://idp.example.com");
        assert_eq!(assertion.claim("client_id"), "agent");
        assert!(assertion.claim("sub").as_str().is_some_and(|subject| !subject.is_empty()));
    } else {
        check_assertion(&assertion, &[ISSUER, TOKEN_ENDPOINT]);
        assert_eq!(assertion.claim("iss"), "https://platform.example.com");
        assert_eq!(assertion.claim("sub"), "deploy");
    }
    assert_eq!(exchange(), StatusCode::BAD_REQUEST, "an assertion was accepted twice");
}

/// Presents a text that is not signed everywhere.
fn raw(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let verifier = JwtVerifier::new(ISSUER).jwks(jwks());
    check_rejection(&ready(verifier.verify(&text)).expect_err("the text is not signed"));
    let server = authorization_server();
    for name in ["client_assertion", "assertion"] {
        let grant = if name == "assertion" { JWT_BEARER } else { "client_credentials" };
        let fields = [("grant_type", grant), ("client_assertion_type", ASSERTION_TYPE), (name, &*text)];
        assert_ne!(token(&server, &fields).status(), StatusCode::OK);
    }
    let Ok(value) = HeaderValue::from_bytes(input) else { return };
    let tokens = StaticTokens::new(RESOURCE);
    let server = ResourceServer::builder(RESOURCE, tokens).authorization_server(ISSUER).dpop(DpopPolicy::optional());
    let server = server.build().expect("valid options");
    for name in [AUTHORIZATION, HeaderName::from_static("dpop")] {
        let (mut parts, ()) = Request::post(RESOURCE).header(name, &value).body(()).expect("a request").into_parts();
        let response = ready(server.authorize(&mut parts)).expect_err("no token is known");
        assert_json_error(&response);
    }
}
