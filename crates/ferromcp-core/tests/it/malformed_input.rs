//! Malformed and malicious frames: decoding never panics and returns a suitable error.

use bytes::Bytes;
use ferromcp_core::wire::{Direction, FromClient, FromServer, Incoming, MAX_DEPTH, Message, decode};
use ferromcp_core::{ErrorCode, RawJson, RequestId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::schema_validity::try_many;
use crate::strategies::{Fill, basic, client, server};

/// Decodes a frame and validates the error to respond with.
fn decodes_safely<S: Direction + std::fmt::Debug>(frame: &[u8]) -> Result<(), TestCaseError> {
    match decode::<S>(Bytes::copy_from_slice(frame)) {
        Ok(incoming) => assert!(!format!("{incoming:?}").is_empty()),
        Err(rejection) => {
            let code = rejection.error.code;
            let expected =
                [ErrorCode::PARSE_ERROR, ErrorCode::INVALID_REQUEST, ErrorCode::INVALID_PARAMS].contains(&code);
            prop_assert!(expected, "{code:?}");
            let is_response = |message: Value| message.get("method").is_none_or(Value::is_null);
            let is_response = serde_json::from_slice(frame).is_ok_and(is_response);
            prop_assert!(
                !rejection.suppress_response || rejection.id.is_none() || is_response,
                "a request is answered"
            );
            let text = std::str::from_utf8(frame);
            let is_json = text.is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok());
            let is_shallow = ferromcp_core::wire::depth_within(frame, MAX_DEPTH);
            if is_shallow {
                prop_assert_eq!(code == ErrorCode::PARSE_ERROR, !is_json, "{:?}", rejection.error.message);
            }
        }
    }
    Ok(())
}

fn decodes_both_directions(frame: &[u8]) -> Result<(), TestCaseError> {
    decodes_safely::<FromClient>(frame)?;
    decodes_safely::<FromServer>(frame)
}

#[test]
fn returns_error_when_frame_is_random_bytes() {
    // M26-014, S-021
    try_many(2000, &proptest::collection::vec(any::<u8>(), 0..64), |frame| decodes_both_directions(&frame));
    let tokens = proptest::sample::select(
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "null",
            "0",
            "-",
            "1e999",
            "\"",
            "\\u",
            "\"id\":",
            "\"method\":",
            "\"params\":",
            "\"jsonrpc\":\"2.0\"",
            "\"tools/call\"",
            "\"ping\"",
            "\"_meta\":",
            "\"result\":",
            "\"error\":",
            " ",
            "\u{feff}",
        ][..],
    );
    try_many(4000, &proptest::collection::vec(tokens, 0..12), |tokens| {
        decodes_both_directions(tokens.concat().as_bytes())
    });
}

#[test]
fn returns_error_when_frame_is_random_json() {
    // M26-014, S-021, S-027
    try_many(1000, &basic::any_json(), |json| decodes_both_directions(json.to_string().as_bytes()));
    // Almost valid messages: one member of a valid message is replaced by random JSON.
    let good = prop_oneof![
        client::request(Fill::Both).prop_map(|(method, params)| json!({ "method": method, "params": params })),
        client::notification().prop_map(|(method, params)| json!({ "method": method, "params": params })),
        server::notification().prop_map(|(method, params)| json!({ "method": method, "params": params })),
        server::result(Fill::Both).prop_map(|(_, result)| json!({ "result": result })),
        server::error().prop_map(|error| json!({ "error": error })),
    ];
    let member = proptest::sample::select(&["jsonrpc", "id", "method", "params", "result", "error", "x"][..]);
    let corrupted = (good, member, basic::any_json(), any::<prop::sample::Index>(), basic::any_json());
    try_many(1500, &corrupted, |(mut message, member, anything, inner, instead)| {
        message["jsonrpc"] = json!("2.0");
        message["id"] = json!(1);
        if let Some(Value::Object(params)) = message.get_mut("params") {
            if !params.is_empty() {
                let inner = inner.index(params.len());
                *params.values_mut().nth(inner).unwrap() = instead;
            }
        }
        decodes_both_directions(message.to_string().as_bytes())?;
        message[member] = anything;
        decodes_both_directions(message.to_string().as_bytes())?;
        decodes_both_directions(json!([message, message]).to_string().as_bytes())
    });
}

#[test]
fn returns_error_when_message_is_truncated_or_corrupted() {
    let message = client::request(Fill::Both).prop_map(|(method, params)| {
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string().into_bytes()
    });
    let corrupted = (message, any::<prop::sample::Index>(), any::<u8>());
    try_many(1000, &corrupted, |(mut frame, at, byte)| {
        let at = at.index(frame.len());
        decodes_both_directions(&frame[..at])?;
        frame[at] = byte;
        decodes_both_directions(&frame)
    });
}

#[test]
fn preserves_json_type_of_ids_and_progress_tokens() {
    // M26-003, M26-006, M26-280, S-004, S-007
    try_many(1000, &(basic::id(), basic::id()), |(id, token)| {
        let frame = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/list",
            "params": { "_meta": { "progressToken": token } } });
        let decoded = decode::<FromClient>(Bytes::from(frame.to_string()));
        let Ok(Incoming::One(Message::Request { id: ours, request })) = decoded else {
            return Err(TestCaseError::fail("not a request"));
        };
        prop_assert_eq!(matches!(ours, RequestId::Number(_)), id.is_number());
        prop_assert_eq!(serde_json::to_value(&ours).unwrap(), id);
        let ours = request.meta().and_then(|meta| meta.progress_token.clone()).unwrap();
        prop_assert_eq!(matches!(ours, RequestId::Number(_)), token.is_number());
        prop_assert_eq!(serde_json::to_value(&ours).unwrap(), token);
        Ok(())
    });
}

#[test]
fn batch_decodes_to_its_messages() {
    // S-023, S-026
    let messages = proptest::collection::vec((basic::id(), client::request(Fill::Legacy)), 1..4);
    try_many(200, &messages, |messages| {
        let frames: Vec<Value> = messages
            .iter()
            .map(|(id, (method, params))| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .collect();
        let whole = decode::<FromClient>(Bytes::from(json!(frames).to_string()));
        let Ok(Incoming::Batch(items)) = whole else { return Err(TestCaseError::fail("not a batch")) };
        prop_assert_eq!(items.len(), frames.len());
        for (item, frame) in items.into_iter().zip(frames) {
            let Ok(Message::Request { id, request }) = item else { return Err(TestCaseError::fail("not a request")) };
            prop_assert_eq!((id, request), crate::wire::client_request(&frame));
        }
        Ok(())
    });
}

#[test]
fn buffer_is_unchanged_when_encoding_fails() {
    // M26-007: a result must be an object; any other value is rejected without writing to the buffer.
    use ferromcp_core::wire::encode::{self, EncodeContext};
    use ferromcp_core::{Revision, ServerResult};
    for revision in Revision::ALL {
        for text in ["null", "[]", "7", "\"}\"", r#"{"a":1,"a":2}"#] {
            let mut out = bytes::BytesMut::from(&b"before"[..]);
            let result = ServerResult::Custom(RawJson::parse(text).unwrap());
            assert!(
                encode::server_result(&mut out, &1.into(), result, EncodeContext::new(revision)).is_err(),
                "{text}"
            );
            assert_eq!(&out[..], b"before");
        }
    }
}
