//! Tests of the negotiation tables, row by row.

use ferromcp_core::{Era, Error, ErrorCode, RawJson, Revision};
use serde_json::json;

use super::{Classification, ProbeResult, classify};
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

fn negotiated(result: ProbeResult, transport_kind: TransportKind) -> String {
    match classify(result, transport_kind, VersionPolicy::Any) {
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
        assert_eq!(negotiated(result, TransportKind::Pipe), expected);
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
        (status(500), "Unavailable"),
        (status(503), "Unavailable"),
        (ProbeResult::Failed(ChannelError::Unauthorized { status: 401, challenge: None }), "Unauthorized"),
        (ProbeResult::Failed(ChannelError::Unauthorized { status: 403, challenge: None }), "Unauthorized"),
        (ProbeResult::Failed(ChannelError::unsent(io())), "Connect"),
        (ProbeResult::Failed(ChannelError::lost(io())), "ConnectionLost"),
        (ProbeResult::Timeout, "Timeout"),
    ] {
        assert_eq!(negotiated(result, TransportKind::Post), expected);
    }
}

#[test]
fn error_includes_reason_when_only_modern_revisions_are_allowed() {
    // M26-083
    let judged = classify(rpc(-32601, None, None), TransportKind::Pipe, VersionPolicy::Era(Era::Modern));
    let Classification::Fail(error) = judged else { panic!("{judged:?}") };
    assert_eq!(error.kind(), ErrorKind::Negotiation);
    assert!(error.to_string().contains("-32601"), "{error}");
}
