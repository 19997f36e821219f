//! Sends sequences of arbitrary requests to the embedded authorization server and to the MCP endpoint that it protects.
//!
//! Checks that no status is 5xx, errors are JSON with a code, only metadata is cached, the browser is redirected to
//! registered URIs only, no response contains a secret of its request, pages contain no markup of a request, and tokens are
//! accepted only if they were issued. `cargo +nightly fuzz run auth_server`. The first byte selects the options. Requests are
//! separated by NUL: a line with method and path, header lines, a blank line, the body. [`Session::variables`] lists the
//! variables, such as the last code. A path that does not belong to the authorization server is that of the MCP endpoint.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>, RFC 6749, RFC 7009, RFC 7591.
#![no_main]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ferromcp_auth::authorization_server::{
    AuthorizationServer, AuthorizationServerOptions, ClientAuthentication, ClientRegistrationOptions,
    ClientSecretDigest, MemoryProvider, PasswordLogin, RateLimits, RegisteredClient, StoredProvider, User,
};
use ferromcp_auth::resource_server::DpopPolicy;
use ferromcp_fuzz::auth::{assert_json_error, assert_safe_page, expand, header, jwk, now, sha256, sign};
use ferromcp_fuzz::exchange::{Sent, header_text, hidden, is_below, parse};
use ferromcp_fuzz::ready;
use ferromcp_server::http::{ClientAddr, HttpAuthorization};
use http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use http::{Method, Request, Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use url::Url;

const MAX_REQUESTS: usize = 8;
/// The number of inputs after which a server is replaced, so that its records remain small.
const MAX_INPUTS: u32 = 64;

/// Users log in with a password; otherwise, there is one user.
const PASSWORDS: u8 = 1;
/// Consents are remembered; without passwords, they are not requested.
const WITHOUT_CONSENT: u8 = 2;
/// Tokens are bound to a key.
const DPOP: u8 = 4;
/// Proofs contain a nonce.
const NONCES: u8 = 8;
/// Requests have an address, and are limited.
const ADDRESS: u8 = 16;
/// The address is that of a proxy.
const PROXY: u8 = 32;

const PROXY_ADDRESS: [u8; 4] = [10, 0, 0, 7];
const HOUR: Duration = Duration::from_secs(3600);

const LOCAL_ISSUER: &str = "http://127.0.0.1:8000";
const ISSUER: &str = "https://as.example.com/tenant";

const CLIENT_SECRET: &str = "canary-client-s3cret";
const PASSWORD: &str = "canary-passw0rd";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The redirect URIs of the clients that the operator registered.
const REDIRECT_URIS: [&str; 3] = ["https://app.example.com/cb?x=1", "http://127.0.0.1/cb", "com.example.app:/cb"];

fuzz_target!(|input: &[u8]| {
    let Some((&flags, input)) = input.split_first() else { return };
    let mut session = Session::new(flags);
    // Each input has another address, so that the limits of one do not affect the others.
    static INPUTS: AtomicU32 = AtomicU32::new(0x0b00_0000);
    let address = if flags & PROXY != 0 { PROXY_ADDRESS } else { INPUTS.fetch_add(1, Ordering::Relaxed).to_be_bytes() };
    for request in input.split(|byte| *byte == 0).take(MAX_REQUESTS) {
        let request = expand(request, &session.variables(request));
        let Some(mut request) = parse(&request).filter(|request| !is_fetched(request.body())) else { continue };
        if flags & ADDRESS != 0 {
            request.extensions_mut().insert(ClientAddr(SocketAddr::from((address, 80))));
        }
        session.send(request);
    }
});

/// Returns a server for flags. It is shared by a number of inputs, because its creation takes longer than an input.
fn server(flags: u8) -> (AuthorizationServer, &'static str) {
    type Servers = BTreeMap<u8, (u32, AuthorizationServer, &'static str)>;
    static SERVERS: Mutex<Servers> = Mutex::new(BTreeMap::new());
    let mut servers = SERVERS.lock().unwrap_or_else(PoisonError::into_inner);
    let flags = flags & (PASSWORDS | WITHOUT_CONSENT | DPOP | NONCES);
    let entry = servers.entry(flags).or_insert_with(|| {
        let (server, issuer) = create_server(flags);
        (0, server, issuer)
    });
    entry.0 += 1;
    let (inputs, server, issuer) = entry.clone();
    if inputs == MAX_INPUTS {
        servers.remove(&flags);
    }
    (server, issuer)
}

fn create_server(flags: u8) -> (AuthorizationServer, &'static str) {
    let issuer = if flags & PASSWORDS != 0 { ISSUER } else { LOCAL_ISSUER };
    let limits = RateLimits::new().trust_proxy(PROXY_ADDRESS.into()).authorize(4, HOUR).register(4, HOUR);
    let mut options = AuthorizationServerOptions::new(issuer)
        .resource(format!("{issuer}/mcp"))
        .required_scopes(["read"])
        .valid_scopes(["read", "write"])
        .client_registration(ClientRegistrationOptions::new())
        .client_id_metadata_documents(false)
        .rate_limits(limits);
    if flags & DPOP != 0 {
        let policy = DpopPolicy::required();
        options = options.dpop(if flags & NONCES != 0 { policy.with_nonces() } else { policy });
    }
    let clients = clients();
    if flags & PASSWORDS == 0 {
        let provider = clients.into_iter().fold(MemoryProvider::new(), MemoryProvider::client);
        let provider = if flags & WITHOUT_CONSENT != 0 { provider.auto_approve() } else { provider };
        return (AuthorizationServer::new(options, provider).expect("valid options"), issuer);
    }
    let login = PasswordLogin::new(|name, password| async move {
        (password.expose() == PASSWORD).then(|| User::new(name.clone()).with_name(name))
    });
    let provider = clients.into_iter().fold(StoredProvider::new(login), StoredProvider::client);
    let provider = if flags & WITHOUT_CONSENT != 0 { provider.remember_consent(HOUR) } else { provider };
    (AuthorizationServer::new(options, provider).expect("valid options"), issuer)
}

/// Returns a public client and two clients with a secret.
fn clients() -> Vec<RegisteredClient> {
    let methods = [
        ("app", ClientAuthentication::None),
        ("post", ClientAuthentication::ClientSecretPost),
        ("basic", ClientAuthentication::ClientSecretBasic),
    ];
    let client = |(id, method)| {
        let mut client = RegisteredClient::new(id, REDIRECT_URIS);
        client.auth_method = method;
        if method != ClientAuthentication::None {
            client.client_secret = Some(ClientSecretDigest::of(CLIENT_SECRET));
            client.grant_types.push("client_credentials".to_owned());
        }
        client
    };
    methods.into_iter().map(client).collect()
}

/// Returns whether a registration has keys at a URL, which the server would fetch.
fn is_fetched(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|document| document.get("jwks_uri").is_some())
}

/// A server, and what its clients know.
struct Session {
    server: AuthorizationServer,
    issuer: &'static str,
    requires_dpop: bool,
    /// The last values of variables.
    values: BTreeMap<&'static str, String>,
    cookies: BTreeMap<String, String>,
    /// The access tokens that were issued.
    issued: Vec<String>,
    /// The codes that were exchanged.
    redeemed: Vec<String>,
    /// The tokens of forms that were shown.
    shown_forms: Vec<String>,
    /// The PKCE challenges of authorization requests.
    challenges: Vec<String>,
    /// The redirect URIs and names of the clients that were registered.
    redirect_uris: Vec<String>,
    names: Vec<String>,
}

impl Session {
    fn new(flags: u8) -> Self {
        let (server, issuer) = server(flags);
        let mut values = BTreeMap::from([
            ("$issuer", issuer.to_owned()),
            ("$resource", format!("{issuer}/mcp")),
            ("$basic", STANDARD.encode(format!("basic:{CLIENT_SECRET}"))),
            ("$static", CLIENT_SECRET.to_owned()),
            ("$password", PASSWORD.to_owned()),
            ("$verifier", VERIFIER.to_owned()),
            ("$challenge", sha256(VERIFIER.as_bytes())),
        ]);
        let learned = ["$id", "$secret", "$code", "$access", "$refresh", "$page", "$csrf", "$nonce"];
        values.extend(learned.map(|name| (name, String::new())));
        Self {
            server,
            issuer,
            requires_dpop: flags & DPOP != 0,
            values,
            cookies: BTreeMap::new(),
            issued: Vec::new(),
            redeemed: Vec::new(),
            shown_forms: Vec::new(),
            challenges: Vec::new(),
            redirect_uris: Vec::new(),
            names: Vec::new(),
        }
    }

    /// Returns the variables of a request with their values.
    fn variables(&mut self, request: &[u8]) -> Vec<(&'static str, &str)> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.values.insert("$cookie", cookies.join("; "));
        if request.windows(5).any(|window| window == b"proof") {
            let (resource, token_endpoint) = (format!("{}/mcp", self.issuer), format!("{}/token", self.issuer));
            let ath = sha256(self.values["$access"].as_bytes());
            let proofs = [self.proof(&token_endpoint, &json!({})), self.proof(&resource, &json!({ "ath": ath }))];
            self.values.extend(["$tokenproof", "$proof"].into_iter().zip(proofs));
        }
        self.values
            .insert("$registered", STANDARD.encode(format!("{}:{}", self.values["$id"], self.values["$secret"])));
        if request.windows(10).any(|window| window == b"$assertion") {
            self.values.insert("$assertion", self.assertion());
        }
        self.values.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn learn_nonce(&mut self, response: &Response<Bytes>) {
        let nonce = header(response.headers(), "dpop-nonce");
        if !nonce.is_empty() {
            self.values.insert("$nonce", nonce.to_owned());
        }
    }

    /// Returns an assertion of the client that registered last.
    fn assertion(&self) -> String {
        let id = &self.values["$id"];
        let claims = json!({ "iss": id, "sub": id, "aud": self.issuer, "exp": now() + 60, "jti": "$new" });
        sign(br#"{"alg":"EdDSA"}"#, &expand(claims.to_string().as_bytes(), &[]))
    }

    /// Returns a DPoP proof for a URL.
    fn proof(&self, url: &str, further: &Value) -> String {
        let mut claims = json!({ "htm": "POST", "htu": url, "iat": now(), "jti": "$new" });
        claims.as_object_mut().expect("an object").extend(further.as_object().expect("an object").clone());
        if let Some(nonce) = self.values.get("$nonce").filter(|nonce| !nonce.is_empty()) {
            claims["nonce"] = json!(nonce);
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk() });
        sign(header.to_string().as_bytes(), &expand(claims.to_string().as_bytes(), &[]))
    }

    fn send(&mut self, request: Request<Bytes>) {
        if !self.server.is_route(request.uri().path()) {
            return self.call(request);
        }
        let sent = Sent::new(&request);
        self.challenges.extend(sent.parameter("code_challenge").map(str::to_owned));
        let response = ready(self.server.respond(request));
        assert!(response.status().as_u16() < 500, "{response:?}");
        check_format(&sent, &response);
        self.check_secrets(&sent, &response);
        if let Some(location) = response.headers().get(LOCATION) {
            self.check_location(&sent, location.to_str().expect("a URL is ASCII"));
        }
        if sent.path.ends_with("/token") && response.status() == StatusCode::OK {
            self.check_tokens(&sent, &response);
        }
        self.learn(&sent, &response);
    }

    /// Sends a request to the MCP endpoint, which accepts only tokens that were issued.
    fn call(&mut self, request: Request<Bytes>) {
        let (mut parts, _) = request.into_parts();
        let authorization = header_text(&parts.headers, &AUTHORIZATION);
        match ready(self.server.authorize(&mut parts)) {
            Ok(()) => {
                let (scheme, token) = authorization.split_once(' ').expect("a scheme and a token");
                assert!(self.issued.iter().any(|issued| issued == token.trim()), "{authorization}");
                assert!(!self.requires_dpop || scheme.eq_ignore_ascii_case("dpop"), "{authorization}");
            }
            Err(response) => {
                assert!(response.status().is_client_error(), "{response:?}");
                assert_json_error(&response);
                self.learn_nonce(&response);
            }
        }
    }

    /// Asserts that no secret is in the response unless the request has it in a part that is not secret.
    fn check_secrets(&self, sent: &Sent, response: &Response<Bytes>) {
        let shown = format!("{:?} {}", response.headers(), String::from_utf8_lossy(response.body()));
        let issued = ["$secret", "$access", "$refresh", "$code"].iter().filter_map(|name| self.values.get(name));
        for secret in issued.map(String::as_str).chain([CLIENT_SECRET, PASSWORD, VERIFIER]) {
            if !secret.is_empty() && !sent.public.contains(secret) {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
        }
    }

    /// Asserts that the browser is sent to a page of the server or to a redirect URI, and to that of a client that described
    /// itself only by the user.
    fn check_location(&self, sent: &Sent, location: &str) {
        if location.strip_prefix(self.issuer).is_some_and(|rest| rest.starts_with("/consent?id=")) {
            return;
        }
        let url = Url::parse(location).expect("a URL");
        let parameters: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        let has = |name: &str| parameters.iter().any(|other| other == name);
        assert!(has("iss") && (has("code") || has("error")), "{location}");
        let is_start = sent.path.ends_with("/authorize");
        if let Some((_, state)) = url.query_pairs().find(|(name, _)| is_start && name == "state") {
            assert!(sent.parameters.iter().any(|(name, value)| name == "state" && *value == state), "{location}");
        }
        let is_static = REDIRECT_URIS.iter().any(|uri| is_below(uri, location));
        assert!(is_static || self.redirect_uris.iter().any(|uri| is_below(uri, location)), "{location}");
        let is_web = url.scheme() == "https"
            && !url
                .host_str()
                .is_some_and(|host| host.contains("localhost") || host.starts_with("127.") || host.starts_with('['));
        assert!(!(is_start && has("error") && is_web && !is_static), "an open redirect to {location}");
        if sent.path.ends_with("/consent") && sent.method == Method::POST {
            let token = sent.parameter("csrf").unwrap_or_default();
            assert!(self.shown_forms.iter().any(|shown| shown == token) && sent.has_cookie, "{location}");
            assert!(sent.is_same_origin(self.issuer), "{location}");
        }
    }

    fn check_tokens(&mut self, sent: &Sent, response: &Response<Bytes>) {
        let document: Value = serde_json::from_slice(response.body()).expect("a token response is JSON");
        if sent.parameter("grant_type") == Some("authorization_code") {
            let verifier = sent.parameter("code_verifier").expect("a verifier");
            assert!(self.challenges.contains(&sha256(verifier.as_bytes())), "{verifier}");
            let code = sent.parameter("code").expect("a code").to_owned();
            assert!(!self.redeemed.contains(&code), "a code was exchanged twice");
            self.redeemed.push(code);
        }
        let scopes = document["scope"].as_str().unwrap_or_default();
        assert!(scopes.split(' ').all(|scope| matches!(scope, "read" | "write")), "{document}");
        assert!(!self.requires_dpop || document["token_type"] == "DPoP", "{document}");
        self.issued.push(document["access_token"].as_str().expect("an access token").to_owned());
    }

    /// Remembers what a client or a browser learns from a response.
    fn learn(&mut self, sent: &Sent, response: &Response<Bytes>) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("a cookie is ASCII");
            assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
            assert!(self.issuer == LOCAL_ISSUER || (cookie.starts_with("__Host-") && cookie.contains("; Secure")));
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let text = String::from_utf8_lossy(response.body()).into_owned();
        if let Some(token) = hidden(&text, "csrf") {
            self.shown_forms.push(token.clone());
            self.values.insert("$csrf", token);
            assert!(!self.names.iter().any(|name| name.contains('<') && name.len() > 8 && text.contains(name)));
        }
        let location = Url::parse(header(response.headers(), LOCATION.as_str())).ok();
        for (name, value) in location.iter().flat_map(Url::query_pairs) {
            let name = if name == "code" {
                "$code"
            } else if name == "id" {
                "$page"
            } else {
                continue;
            };
            self.values.insert(name, value.into_owned());
        }
        self.learn_nonce(response);
        let Ok(document) = serde_json::from_str::<Value>(&text) else { return };
        let names = [
            ("client_id", "$id"),
            ("client_secret", "$secret"),
            ("access_token", "$access"),
            ("refresh_token", "$refresh"),
        ];
        for (field, name) in names {
            if let Some(value) = document[field].as_str() {
                self.values.insert(name, value.to_owned());
            }
        }
        if response.status() == StatusCode::CREATED && sent.path.ends_with("/register") {
            let uris = document["redirect_uris"].as_array().into_iter().flatten();
            self.redirect_uris.extend(uris.filter_map(Value::as_str).map(str::to_owned));
            let keys = document["jwks"]["keys"].as_array().into_iter().flatten();
            assert!(keys.into_iter().all(|key| key.get("d").is_none() && key.get("k").is_none()), "{document}");
            self.names.extend(document["client_name"].as_str().map(str::to_owned));
        }
    }
}

/// Asserts that errors have a code, and only metadata is cached.
fn check_format(sent: &Sent, response: &Response<Bytes>) {
    let headers = response.headers();
    if sent.path.contains("/.well-known/") || sent.method == Method::OPTIONS {
        return;
    }
    assert_eq!(header(headers, CACHE_CONTROL.as_str()), "no-store", "{response:?}");
    match header(headers, CONTENT_TYPE.as_str()) {
        "application/json" if response.status().is_success() => {
            serde_json::from_slice::<Value>(response.body()).expect("a response is JSON");
        }
        "application/json" => drop(assert_json_error(response)),
        "" => assert!(response.body().is_empty() && !response.status().is_client_error(), "{response:?}"),
        _ => assert_safe_page(response),
    }
}
