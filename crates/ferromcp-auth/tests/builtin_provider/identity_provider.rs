//! An OpenID provider on the loopback interface.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::Url;
use url::form_urlencoded::parse;

use crate::browser::parameters;

pub(crate) const CLIENT_ID: &str = "upstream client";
pub(crate) const SECRET: &str = "upstream:s3cret";

/// What the provider does and has seen.
#[derive(Default)]
pub(crate) struct State {
    /// Claims that replace those of a correct ID token.
    pub(crate) claims: Value,
    /// The response of the userinfo endpoint.
    pub(crate) userinfo: Value,
    /// The status of the token endpoint, instead of a response.
    pub(crate) token_status: Option<u16>,
    /// Whether the login of the user is revoked.
    pub(crate) is_revoked: bool,
    /// The lifetime of access tokens, in seconds.
    pub(crate) expires_in: u64,
    /// Whether the response is sent without ID token.
    pub(crate) omits_id_token: bool,
    /// Whether the client sends its secret in the form.
    pub(crate) expects_form: bool,
    codes: HashMap<String, HashMap<String, String>>,
    counter: usize,
    pub(crate) refreshes: usize,
    /// All tokens that were issued.
    pub(crate) tokens: Vec<String>,
}

/// The provider.
#[derive(Clone)]
pub(crate) struct IdentityProvider {
    pub(crate) issuer: String,
    key: Arc<EcdsaKeyPair>,
    state: Arc<Mutex<State>>,
}

impl IdentityProvider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        let state = State { expires_in: 3600, claims: json!({}), ..State::default() };
        let provider = Self {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            key: Arc::new(key),
            state: Arc::new(Mutex::new(state)),
        };
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                let service = service_fn(move |request| {
                    let serving = serving.clone();
                    async move { Ok::<_, Infallible>(serving.respond(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        provider
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Logs the user in, and returns the URL to which the browser is redirected.
    pub(crate) fn log_in(&self, authorization_url: &str) -> String {
        let request = parameters(authorization_url);
        assert!(authorization_url.starts_with(&format!("{}/authorize?", self.issuer)), "{authorization_url}");
        assert_eq!((request["response_type"].as_str(), request["client_id"].as_str()), ("code", CLIENT_ID));
        assert_eq!(request["code_challenge_method"], "S256");
        let mut state = self.state();
        state.counter += 1;
        let code = format!("code{}", state.counter);
        let mut url = Url::parse(&request["redirect_uri"]).unwrap();
        url.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &request["state"])
            .append_pair("iss", &self.issuer);
        state.codes.insert(code, request);
        url.into()
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let authorization = parts.headers.get(AUTHORIZATION).map_or("", |value| value.to_str().unwrap()).to_owned();
        let issuer = &self.issuer;
        let (status, document) = match parts.uri.path() {
            "/.well-known/openid-configuration" => (
                200,
                json!({
                    "issuer": issuer,
                    "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"),
                    "jwks_uri": format!("{issuer}/keys"),
                    "authorization_response_iss_parameter_supported": true,
                }),
            ),
            "/keys" => (200, json!({ "keys": [self.jwk()] })),
            "/token" => self.token(&authorization, &body),
            "/userinfo" => {
                let state = self.state();
                let is_valid = state.tokens.iter().any(|token| authorization == format!("Bearer {token}"));
                (if is_valid { 200 } else { 401 }, state.userinfo.clone())
            }
            _ => (404, json!({})),
        };
        let mut response = Response::new(Full::from(document.to_string()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response
    }

    fn token(&self, authorization: &str, body: &[u8]) -> (u16, Value) {
        let form: HashMap<String, String> = parse(body).into_owned().collect();
        let mut state = self.state();
        if let Some(status) = state.token_status {
            return (status, json!({ "error": "server_error" }));
        }
        let is_authenticated = if state.expects_form {
            form.get("client_id").is_some_and(|id| id == CLIENT_ID) && form["client_secret"] == SECRET
        } else {
            authorization == format!("Basic {}", STANDARD.encode("upstream+client:upstream%3As3cret"))
        };
        if !is_authenticated {
            return (401, json!({ "error": "invalid_client" }));
        }
        let mut id_token = None;
        match form["grant_type"].as_str() {
            "authorization_code" => {
                let Some(request) = state.codes.remove(&form["code"]) else {
                    return (400, json!({ "error": "invalid_grant" }));
                };
                let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, form["code_verifier"].as_bytes()));
                assert_eq!(challenge, request["code_challenge"]);
                assert_eq!(form["redirect_uri"], request["redirect_uri"]);
                id_token = (!state.omits_id_token).then(|| self.id_token(&request, &state.claims));
            }
            "refresh_token" if state.is_revoked || !state.tokens.contains(&form["refresh_token"]) => {
                return (400, json!({ "error": "invalid_grant" }));
            }
            _ => state.refreshes += 1,
        }
        state.counter += 1;
        let (access, refresh) = (format!("upstream-a{}", state.counter), format!("upstream-r{}", state.counter));
        state.tokens.extend([access.clone(), refresh.clone()]);
        let expires_in = state.expires_in;
        let tokens = json!({ "access_token": access, "refresh_token": refresh, "token_type": "Bearer",
            "expires_in": expires_in, "id_token": id_token });
        (200, tokens)
    }

    fn id_token(&self, request: &HashMap<String, String>, claims: &Value) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut all = json!({ "iss": self.issuer, "aud": CLIENT_ID, "sub": "user-1", "name": "Ada Lovelace",
            "email": "ada@example.com", "nonce": request.get("nonce"), "iat": now, "exp": now + 300 });
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&json!({ "alg": "ES256", "kid": "k", "typ": "JWT" })), encode(&all));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn jwk(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        json!({ "kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256", "use": "sig", "x": x, "y": y })
    }
}
