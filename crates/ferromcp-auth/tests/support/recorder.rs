//! Records the secrets of requests and responses.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ferromcp_server::http::{AuthorizationFuture, HttpAuthorization};
use http::header::{AUTHORIZATION, COOKIE, LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, Request, Response};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::parse;

/// The parameters of requests, redirects and JSON documents that are secret.
const SECRET_FIELDS: [&str; 17] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "csrf",
    "id",
    "id_token",
    "nonce",
    "password",
    "refresh_token",
    "state",
    "subject_token",
    "token",
    "actor_token",
    "registration_access_token",
];

/// An authorization server whose secrets are recorded. Clones record together.
#[derive(Clone)]
pub(crate) struct Recorder<H> {
    server: H,
    secrets: Arc<Mutex<BTreeSet<String>>>,
}

impl<H> Recorder<H> {
    pub(crate) fn new(server: H) -> Self {
        Self { server, secrets: Arc::default() }
    }

    pub(crate) fn server(&self) -> &H {
        &self.server
    }

    /// Adds a secret that is not a parameter.
    pub(crate) fn add(&self, secret: &str) {
        assert!(secret.len() >= 3, "`{secret}` may be a part of any text");
        self.secrets.lock().unwrap().insert(secret.to_owned());
    }

    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.lock().unwrap().iter().cloned().collect()
    }

    /// Asserts that a text contains no secret.
    pub(crate) fn assert_none_in(&self, text: &str) {
        for secret in self.secrets() {
            assert!(!text.contains(&secret), "`{secret}` is shown in: {text}");
        }
    }

    fn add_fields(&self, encoded: &[u8]) {
        for (name, value) in parse(encoded) {
            self.add_field(&name, &value);
        }
    }

    fn add_field(&self, name: &str, value: &str) {
        if SECRET_FIELDS.contains(&name) && !value.is_empty() {
            self.add(value);
        }
    }

    fn add_request_headers(&self, headers: &HeaderMap) {
        let values = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        for value in values(AUTHORIZATION) {
            let Some((scheme, credentials)) = value.split_once(' ') else { continue };
            self.add(credentials);
            if let Ok(pair) = STANDARD.decode(credentials)
                && scheme.eq_ignore_ascii_case("basic")
            {
                let pair = String::from_utf8(pair).unwrap();
                self.add(pair.split_once(':').unwrap().1);
            }
        }
        for cookie in values(COOKIE).flat_map(|value| value.split("; ")) {
            self.add(cookie.split_once('=').unwrap().1);
        }
        for proof in headers.get_all("dpop") {
            self.add(proof.to_str().unwrap());
        }
    }

    fn add_response(&self, response: &Response<Bytes>) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (_, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            if !value.is_empty() {
                self.add(value);
            }
        }
        if let Some(url) = response.headers().get(LOCATION).and_then(|url| Url::parse(url.to_str().unwrap()).ok()) {
            self.add_fields(url.query().unwrap_or_default().as_bytes());
        }
        if let Ok(Value::Object(document)) = serde_json::from_slice(response.body()) {
            for (name, value) in &document {
                self.add_field(name, value.as_str().unwrap_or_default());
            }
        }
    }
}

impl<H: HttpAuthorization> HttpAuthorization for Recorder<H> {
    fn authorize<'a>(&'a self, request: &'a mut Parts) -> AuthorizationFuture<'a, Result<(), Response<Bytes>>> {
        Box::pin(async move {
            self.add_request_headers(&request.headers);
            let result = self.server.authorize(request).await;
            if let Err(response) = &result {
                self.assert_none_in(&format!("{response:?}"));
            }
            result
        })
    }

    fn is_route(&self, path: &str) -> bool {
        self.server.is_route(path)
    }

    fn respond(&self, request: Request<Bytes>) -> AuthorizationFuture<'_, Response<Bytes>> {
        Box::pin(async move {
            self.add_request_headers(request.headers());
            self.add_fields(request.uri().query().unwrap_or_default().as_bytes());
            self.add_fields(request.body());
            let response = self.server.respond(request).await;
            let body = String::from_utf8_lossy(response.body());
            // A form contains its own secrets.
            if (response.status().is_client_error() || response.status().is_server_error()) && !body.contains("<form") {
                self.assert_none_in(&body);
            }
            self.add_response(&response);
            response
        })
    }
}
