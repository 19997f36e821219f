//! Tests of the envelope, error classification and encoding.

use bytes::{Bytes, BytesMut};

use super::decode;
use super::encode::{self, EncodeContext};
use crate::error::ErrorCode;
use crate::json::RawJson;
use crate::message::{DecodeError, FromClient, Incoming, Message};
use crate::methods::{ClientNotification, ClientRequest, ServerResult};
use crate::model::*;
use crate::{Error, Meta, RequestId, Revision};

fn read(text: &str) -> Result<Incoming<FromClient>, DecodeError> {
    decode::<FromClient>(Bytes::copy_from_slice(text.as_bytes()))
}

fn request(text: &str) -> (RequestId, ClientRequest) {
    match read(text) {
        Ok(Incoming::One(Message::Request { id, request })) => (id, request),
        other => panic!("{text}: {other:?}"),
    }
}

fn decode_error(text: &str) -> (Option<RequestId>, i64, bool) {
    match read(text) {
        Err(error) => (error.id, error.error.code.0, error.suppress_response),
        Ok(other) => panic!("{text}: {other:?}"),
    }
}

#[test]
fn arguments_are_slices_of_the_frame() {
    let frame = Bytes::from_static(
        br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"add","arguments":{ "a": 1 }}}"#,
    );
    let Ok(Incoming::One(Message::Request { id, request: ClientRequest::CallTool(call) })) =
        decode::<FromClient>(frame.clone())
    else {
        panic!()
    };
    assert_eq!(id, RequestId::Number(7));
    let arguments = call.arguments.unwrap();
    assert_eq!(arguments.as_str(), r#"{ "a": 1 }"#);
    assert!(frame.as_ptr_range().contains(&arguments.as_str().as_ptr()), "not copied");
    assert!(frame.as_ptr_range().contains(&call.name.as_ptr()), "not copied");
}

#[test]
fn decodes_members_in_any_order() {
    let (id, late) =
        request(r#"{"params":{"name":"x","arguments":{}},"id":"","method":"tools/call","jsonrpc":"2.0","x":[]}"#);
    assert_eq!(id, RequestId::from(""));
    assert!(matches!(late, ClientRequest::CallTool(call) if &*call.name == "x"));
    for text in [
        r#"{"jsonrpc":"2.0","id":0,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":0,"method":"tools/list","params":null}"#,
        r#"{"jsonrpc":"2.0","id":0,"method":"tools/list","params":{"_meta":null}}"#,
    ] {
        assert_eq!(request(text), (RequestId::Number(0), ClientRequest::ListTools(ListParams::default())));
    }
}

#[test]
fn classifies_errors_when_message_is_invalid() {
    // M26-014, S-009, S-021, S-257, M26-339
    assert_eq!(decode_error("nonsense"), (None, -32700, false));
    assert_eq!(decode_error(r#"{"jsonrpc":"2.0","id":1,"method":"ping""#), (None, -32700, false));
    assert_eq!(decode_error("42"), (None, -32600, false));
    assert_eq!(decode_error("[]"), (None, -32600, false));
    assert_eq!(decode_error(r#"{"id":3,"method":"ping"}"#), (Some(3.into()), -32600, false));
    assert_eq!(decode_error(r#"{"jsonrpc":"1.0","id":3,"method":"ping"}"#), (Some(3.into()), -32600, false));
    assert_eq!(decode_error(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), (None, -32600, false));
    assert_eq!(decode_error(r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#), (None, -32600, false));
    assert_eq!(decode_error(r#"{"jsonrpc":"2.0","id":1}"#), (Some(1.into()), -32600, false));
    assert_eq!(decode_error(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#).1, -32600);
    assert_eq!(decode_error(r#"{"jsonrpc":"2.0","id":1,"method":7}"#), (Some(1.into()), -32600, false));
    for params in
        ["{}", "[]", r#"["add",{}]"#, r#"{"name":1}"#, r#"{"name":"x","arguments":[1]}"#, r#"{"name":"x","name":"y"}"#]
    {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"tools/call","params":{params},"id":"a"}}"#);
        assert_eq!(decode_error(&text), (Some("a".into()), -32602, false), "{params}");
    }
    let text = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#;
    assert_eq!(decode_error(text), (None, -32602, true), "no response to a malformed notification");
    for text in
        [r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, r#"{"jsonrpc":"2.0","id":1,"result":{},"error":7}"#]
    {
        assert_eq!(decode_error(text), (Some(1.into()), -32600, true), "no response to a malformed response");
    }
    for invalid in
        [r#""capabilities":[],"clientInfo":{"name":"c","version":"1"}"#, r#""capabilities":{},"clientInfo":["c","1"]"#]
    {
        let text = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25",{invalid}}}}}"#
        );
        assert_eq!(decode_error(&text), (Some(1.into()), -32602, false), "{invalid}");
    }
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(decode_error(&deep), (None, -32600, false));
}

#[test]
fn decodes_custom_message_when_method_is_unknown() {
    let (_, other) = request(r#"{"jsonrpc":"2.0","id":1,"method":"x/y","params":{"a":[1.10]}}"#);
    assert!(
        matches!(&other, ClientRequest::Custom(custom) if custom.method == "x/y" && custom.params.as_str() == r#"{"a":[1.10]}"#)
    );
    let (_, other) = request(r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}"#);
    assert!(matches!(other, ClientRequest::Custom(_)), "a notification method with an id is an unknown request");
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized","params":{"_meta":{"x":1}}}"#;
    assert!(
        matches!(request(text).1, ClientRequest::Custom(custom) if custom.params.as_str() == r#"{"_meta":{"x":1}}"#)
    );
    let Ok(Incoming::One(Message::Notification(note))) =
        read(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"x"}}"#)
    else {
        panic!()
    };
    assert!(matches!(note, ClientNotification::Custom(_)), "a request method without an id is not executed");
}

#[test]
fn decodes_batch_items_separately() {
    // S-023, S-026, S-027
    let Ok(Incoming::Batch(items)) = read(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},7]"#) else { panic!() };
    assert!(matches!(&items[0], Ok(Message::Request { .. })));
    assert_eq!(items[1].as_ref().unwrap_err().error.code, ErrorCode::INVALID_REQUEST);
    let many = format!("[{}1]", "1,".repeat(64));
    assert_eq!(decode_error(&many).1, -32600);
}

fn written(result: impl Into<ServerResult>, revision: Revision) -> String {
    let info = RawJson::parse(r#"{"name":"s","version":"1"}"#).unwrap();
    let mut out = BytesMut::new();
    encode::server_result(
        &mut out,
        &RequestId::Number(1),
        result.into(),
        EncodeContext::new(revision).server_info(&info),
    )
    .unwrap();
    String::from_utf8(out.to_vec()).unwrap()
}

#[test]
fn encodes_result_for_each_era() {
    // M26-006, M26-007, M26-008, M26-057, M26-332, M26-440, S-007, S-243
    let info = r#"{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}}"#;
    assert_eq!(
        written(EmptyResult::default(), Revision::V2026_07_28),
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"complete","_meta":{info}}}}}"#)
    );
    assert_eq!(written(EmptyResult::default(), Revision::V2025_11_25), r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    assert_eq!(
        written(CallToolResult::new(vec![]), Revision::V2026_07_28),
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":[],"resultType":"complete","_meta":{info}}}}}"#)
    );
    assert_eq!(
        written(ListToolsResult::new(vec![]), Revision::V2026_07_28),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[],"ttlMs":0,"cacheScope":"private","resultType":"complete","_meta":{info}}}}}"#
        )
    );
    let mut meta = Meta::new();
    meta.set("com.example/x", &1).unwrap();
    let mut result = CallToolResult::text("hi");
    result.meta = meta;
    let both =
        r#""_meta":{"com.example/x":1,"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},"resultType""#;
    assert!(written(result, Revision::V2026_07_28).contains(both));
}

#[test]
fn preserves_null_structured_content_and_downgrades_for_old_peers() {
    // M26-337, S-250, S-251
    let null = CallToolResult::structured(RawJson::null());
    assert!(written(null.clone(), Revision::V2026_07_28).contains(r#""structuredContent":null"#));
    assert!(!written(null, Revision::V2025_11_25).contains("structuredContent"));
    let object = CallToolResult::structured(RawJson::parse(r#"{"a":1}"#).unwrap());
    assert!(written(object.clone(), Revision::V2025_06_18).contains(r#""structuredContent":{"a":1}"#));
    let old = written(object, Revision::V2025_03_26);
    assert!(!old.contains("structuredContent") && old.contains(r#""text":"{\"a\":1}""#));
}

#[test]
fn translates_resource_not_found_code_for_each_era() {
    // M26-029, M26-366, S-280
    let write = |revision| {
        let mut out = BytesMut::new();
        encode::error(&mut out, Some(&"q".into()), Error::resource_not_found("x:y"), revision);
        String::from_utf8(out.to_vec()).unwrap()
    };
    assert!(write(Revision::V2026_07_28).contains(r#""code":-32602"#));
    assert!(write(Revision::V2025_11_25).contains(r#""code":-32002"#));
    assert!(write(Revision::V2025_11_25).contains(r#""data":{"uri":"x:y"}"#));
}

#[test]
fn caches_shared_page_per_revision() {
    let mut tool = ToolDefinition::new("t", RawJson::parse(r#"{"type":"object"}"#).unwrap());
    tool.title = Some("T".into());
    tool.icons = vec![Icon::new("https://example.com/i.png")];
    let mut list = ListToolsResult::new(Items::shared(vec![tool]));
    list.next_cursor = Some("c".into());
    for _ in 0..2 {
        assert!(written(list.clone(), Revision::V2026_07_28).contains(r#""icons":[{"src""#));
        let old = written(list.clone(), Revision::V2025_03_26);
        assert!(
            !old.contains("icons")
                && old.contains(r#""annotations":{"title":"T"}"#)
                && old.contains(r#""nextCursor":"c""#)
        );
    }
    list.tools.to_mut().clear();
    assert!(written(list, Revision::V2025_03_26).contains(r#""tools":[]"#));
}
