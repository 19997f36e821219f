//! Cost of authorization: `bench-authorization MODE CALLS` calls a tool through the tower service.
//!
//! MODE is `none` (no authorization), `seen` (the same signed token in each call) or `fresh` (another token in each call). It
//! prints the time per call. For instructions and allocations per call, run it under Valgrind with two numbers of calls, and
//! divide the difference.

#![allow(clippy::print_stdout, reason = "the figures are printed to stdout")]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use ferromcp::auth::resource_server::{JwtVerifier, ResourceServer};
use ferromcp::core::Revision;
use ferromcp::core::meta::key;
use ferromcp::server::http::{HttpServerOptions, HttpService};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;
use tower_service::Service;

const USAGE: &str = "usage: bench-authorization none | seen | fresh CALLS";
const ISSUER: &str = "https://login.example.com";
const RESOURCE: &str = "https://mcp.example.com/mcp";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [mode, calls] = &args[..] else { bail!(USAGE) };
    let calls: usize = calls.parse().context(USAGE)?;
    let issuer = Issuer::new()?;
    let mut options = HttpServerOptions::new();
    let tokens = match mode.as_str() {
        "none" => vec![None],
        "seen" => vec![Some(issuer.token(0)?)],
        "fresh" => (0..calls).map(|id| issuer.token(id).map(Some)).collect::<Result<_>>()?,
        _ => bail!(USAGE),
    };
    if mode != "none" {
        let verifier = JwtVerifier::new(ISSUER).jwks(issuer.keys());
        options = options.authorization(ResourceServer::builder(RESOURCE, verifier).required_scopes(["read"]).build()?);
    }
    let meta = json!({ key::PROTOCOL_VERSION: Revision::LATEST.as_str(), key::CLIENT_CAPABILITIES: {} });
    let params = json!({ "name": "add", "arguments": { "a": 2, "b": 3 }, "_meta": meta });
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    let message = Bytes::from(message.to_string());
    let mut service = ferromcp_bench::server(0).http_with(options)?;
    call(&mut service, &message, tokens[0].as_ref()).await?; // the first call prepares the keys
    let started = Instant::now();
    for turn in 0..calls {
        call(&mut service, &message, tokens[turn % tokens.len()].as_ref()).await?;
    }
    let per_call = started.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(calls.max(1))?);
    println!("{mode}: {per_call:.2} µs per call");
    Ok(())
}

async fn call(service: &mut HttpService, message: &Bytes, token: Option<&HeaderValue>) -> Result<()> {
    let mut headers = HeaderMap::with_capacity(8);
    for (name, value) in [
        ("host", "127.0.0.1:8000"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", Revision::LATEST.as_str()),
        ("mcp-method", "tools/call"),
        ("mcp-name", "add"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(token) = token {
        headers.insert("authorization", token.clone());
    }
    let mut request = Request::post("/mcp").body(Full::<Bytes>::from(message.clone()))?;
    *request.headers_mut() = headers;
    let Ok(response) = service.call(request).await;
    ensure!(response.status() == StatusCode::OK, "the call failed with status {}", response.status());
    Ok(())
}

/// Signs tokens.
struct Issuer(EcdsaKeyPair);

impl Issuer {
    fn new() -> Result<Self> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let key = key.and_then(|key| {
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random)
                .map_err(|_| ring::error::Unspecified)
        });
        key.map(Self).map_err(|_| anyhow::anyhow!("cannot generate a key"))
    }

    fn keys(&self) -> serde_json::Value {
        let point = self.0.public_key().as_ref();
        let [x, y] = [1..33, 33..65].map(|range| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default()));
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "k", "alg": "ES256", "use": "sig", "x": x, "y": y }] })
    }

    fn token(&self, id: usize) -> Result<HeaderValue> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({ "typ": "at+jwt", "alg": "ES256", "kid": "k" });
        let claims = json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "user-17", "client_id": "client-4", "scope": "read write",
            "iat": now, "exp": now + 3600, "jti": id.to_string(),
        });
        let [header, claims] = [header, claims].map(|json| URL_SAFE_NO_PAD.encode(json.to_string()));
        let input = format!("{header}.{claims}");
        let signature = self.0.sign(&SystemRandom::new(), input.as_bytes());
        let signature = signature.map_err(|_| anyhow::anyhow!("cannot sign a token"))?;
        Ok(HeaderValue::try_from(format!("Bearer {input}.{}", URL_SAFE_NO_PAD.encode(signature)))?)
    }
}
