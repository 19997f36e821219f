//! Tests of the negotiation tables, row by row.

use ferromcp_core::{Era, Error, ErrorCode, RawJson, Revision};
use serde_json::json;

use super::{Classification, Context, ProbeResult, classify};
use crate::channel::{ChannelError, TransportKind};
use crate::error::ErrorKind;
use crate::settings::VersionPolicy;

fn rpc(code: i64, data: Option<serde_json::Value>, status: Option<u16>) -> ProbeResult {
    let mut error = Error::new(ErrorCode(code), "no");
    error.data = data.map(RawJson::from);
    ProbeResult::Failed(ChannelError::Rpc { error, status })
}

fn discover_result(versions: &[&str]) -> ProbeResult {
    ProbeResult::Response(json!({ "supportedVersions": versions, "capabilities": {} }).into())
}

fn io() -> std::io::Error {
    std::io::ErrorKind::UnexpectedEof.into()
}

const PIPE: Context =
    Context { transport_kind: TransportKind::Pipe, version_policy: VersionPolicy::Any, was_modern: false };

const POST: Context = Context { transport_kind: TransportKind::Post, ..PIPE };

fn negotiated(result: ProbeResult, context: Context) -> String {
    match classify(result, context) {
        Classification::Modern(_) => "modern".to_owned(),
        Classification::RetryModern(_) => "again".to_owned(),
        Classification::Legacy(legacy) if legacy.reconnect => "reconnect".to_owned(),
        Classification::Legacy(legacy) => {
            VersionPolicy::Any.newest(Era::Legacy, legacy.offered.as_deref()).map_or("?".to_owned(), |r| r.to_string())
        }
        Classification::Fail(error) => format!("{:?}", error.kind()),
    }
}

const MODERN: &str = Revision::LATEST.as_str();
const NEWEST: &str = Revision::LATEST_LEGACY.as_str();
const OLDER: &str = Revision::V2025_06_18.as_str();

#[test]
fn classifies_servers_over_stdio() {
    // M26-079, M26-138, M26-139, M26-140, M26-141, M26-142
    let lists = |versions: &[&str]| Some(json!({ "supported": versions, "requested": MODERN }));
    for (result, expected) in [
        (discover_result(&[MODERN]), "modern"),
        (discover_result(&["2099-01-01", MODERN, OLDER]), "modern"),
        (discover_result(&[OLDER]), OLDER),
        (discover_result(&["2099-01-01"]), "Negotiation"),
        (ProbeResult::Response(RawJson::empty_object()), NEWEST),
        (rpc(-32022, lists(&[MODERN]), None), "again"),
        (rpc(-32022, lists(&[OLDER]), None), OLDER),
        (rpc(-32022, lists(&["2099-01-01"]), None), "Negotiation"),
        (rpc(-32022, None, None), "Negotiation"),
        (rpc(-32020, None, None), "Server"),
        (rpc(-32021, None, None), "Server"),
        (rpc(-32601, None, None), NEWEST),
        (rpc(-32602, None, None), NEWEST),
        (rpc(-32000, None, None), NEWEST),
        (rpc(-32700, None, None), NEWEST),
        (rpc(12, None, None), NEWEST),
        (ProbeResult::Timeout, NEWEST),
        (ProbeResult::Failed(ChannelError::lost(io())), "reconnect"),
        (ProbeResult::Failed(ChannelError::unsent(io())), "reconnect"),
        (ProbeResult::Failed(ChannelError::Malformed("{".into())), NEWEST),
        (ProbeResult::Failed(ChannelError::TooLarge(1)), "Limit"),
    ] {
        assert_eq!(negotiated(result, PIPE), expected);
    }
}

#[test]
fn classifies_servers_over_http() {
    // M26-079
    let lists = |versions: &[&str]| Some(json!({ "supported": versions }));
    let status = |status| ProbeResult::Failed(ChannelError::Status { status, body: String::new() });
    for (result, expected) in [
        (discover_result(&[MODERN]), "modern"),
        (rpc(-32022, lists(&[MODERN]), Some(400)), "again"),
        (rpc(-32020, None, Some(400)), "Server"),
        (rpc(-32021, None, Some(400)), "Server"),
        (rpc(-32601, None, Some(404)), NEWEST),
        (rpc(-32601, None, Some(200)), NEWEST),
        (rpc(-32000, None, Some(400)), NEWEST),
        (rpc(-32600, None, Some(503)), "Server"),
        (status(400), NEWEST),
        (status(404), NEWEST),
        (status(405), NEWEST),
        (status(406), NEWEST),
        (status(415), NEWEST),
        (status(429), "Unavailable"),
        (status(500), NEWEST),
        (status(501), NEWEST),
        (status(502), "Unavailable"),
        (status(503), "Unavailable"),
        (status(304), NEWEST),
        (rpc(-32603, None, Some(500)), NEWEST),
        (ProbeResult::Failed(ChannelError::Malformed("HTTP status 202 without a body".into())), NEWEST),
        (ProbeResult::Failed(ChannelError::Unauthorized { status: 401, challenge: None }), "Unauthorized"),
        (ProbeResult::Failed(ChannelError::Unauthorized { status: 403, challenge: None }), "Unauthorized"),
        (ProbeResult::Failed(ChannelError::unsent(io())), "Connect"),
        (ProbeResult::Failed(ChannelError::lost(io())), NEWEST),
        (ProbeResult::Timeout, "Timeout"),
    ] {
        assert_eq!(negotiated(result, POST), expected);
    }
}

#[test]
fn does_not_fall_back_to_handshake_when_modern_server_has_an_outage() {
    // C4
    let was_modern = Context { was_modern: true, ..POST };
    let modern_only = Context { version_policy: VersionPolicy::Era(Era::Modern), ..POST };
    for context in [was_modern, modern_only] {
        let status = |status| ProbeResult::Failed(ChannelError::Status { status, body: String::new() });
        assert_eq!(negotiated(ProbeResult::Failed(ChannelError::lost(io())), context), "Connect");
        assert_eq!(negotiated(status(500), context), "Unavailable");
        assert_eq!(negotiated(rpc(-32603, None, Some(500)), context), "Server");
    }
    let malformed = || ProbeResult::Failed(ChannelError::Malformed("x".into()));
    assert_eq!(negotiated(malformed(), modern_only), "InvalidResponse");
    assert_eq!(negotiated(malformed(), was_modern), NEWEST);
    assert_eq!(negotiated(rpc(-32601, None, Some(404)), was_modern), NEWEST);
}

#[test]
fn error_does_not_warn_of_repeating_the_probe() {
    // C4
    let modern_only = Context { version_policy: VersionPolicy::Era(Era::Modern), ..POST };
    for failure in [ChannelError::lost(io()), ChannelError::unsent(io()), ChannelError::Malformed("x".into())] {
        let judged = classify(ProbeResult::Failed(failure), modern_only);
        let Classification::Fail(error) = judged else { panic!("{judged:?}") };
        assert!(!error.to_string().contains("run") && error.kind() != ErrorKind::ConnectionLost, "{error}");
    }
}

#[test]
fn error_includes_reason_when_only_modern_revisions_are_allowed() {
    // M26-083
    let judged = classify(rpc(-32601, None, None), Context { version_policy: VersionPolicy::Era(Era::Modern), ..PIPE });
    let Classification::Fail(error) = judged else { panic!("{judged:?}") };
    assert_eq!(error.kind(), ErrorKind::Negotiation);
    assert!(error.to_string().contains("-32601"), "{error}");
}
