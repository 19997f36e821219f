//! Responses of a server with values that are nested too deep: those values are removed, and the others are kept.

use bytes::Bytes;
use ferromcp_core::wire::{
    DecodeError, FromClient, FromServer, Incoming, MAX_DEPTH, MAX_RESPONSE_DEPTH, Message, decode_with_repairs,
};
use ferromcp_core::{Repairs, RequestId};
use serde_json::{Value, json};

/// Returns an object with this number of levels.
fn nested(levels: usize) -> String {
    format!("{}{{}}{}", r#"{"a":"#.repeat(levels - 1), "}".repeat(levels - 1))
}

/// Decodes a frame of a server. `DEEP` stands for a value with one level too many, and `FIT` for one at the limit.
fn decode(frame: &str) -> (Result<Incoming<FromServer>, DecodeError>, Vec<String>) {
    let frame = frame.replace("DEEP", &nested(MAX_DEPTH + 1)).replace("FIT", &nested(MAX_DEPTH));
    let mut repairs = Repairs::new();
    let decoded = decode_with_repairs(Bytes::from(frame), &mut repairs);
    (decoded, repairs.iter().map(ToString::to_string).collect())
}

/// Decodes a response with this result, and returns the result and the repairs.
fn result(result: &str) -> (Value, Vec<String>) {
    let (decoded, repairs) = decode(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#));
    let Ok(Incoming::One(Message::Response { outcome: Ok(result), .. })) = decoded else { panic!("{decoded:?}") };
    (result.decode().unwrap(), repairs)
}

fn error(frame: &str) -> DecodeError {
    match decode(frame).0 {
        Ok(incoming) => panic!("{incoming:?}"),
        Err(error) => error,
    }
}

#[test]
fn other_items_are_kept_when_one_is_nested_too_deep() {
    let (list, repairs) = result(
        r#"{"tools":[{"name":"a","inputSchema":FIT},{"name":"b","inputSchema":DEEP},{"name":"c","inputSchema":{},
        "outputSchema":DEEP,"_meta":DEEP},{"x":DEEP},7],"nextCursor":"n"}"#,
    );
    let names: Vec<&Value> = list["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(names, [&json!("a"), &json!("c"), &Value::Null]);
    assert_eq!((&list["nextCursor"], &list["tools"][1]), (&json!("n"), &json!({ "name": "c", "inputSchema": {} })));
    assert_eq!(
        repairs,
        [
            "skipped `result.tools[1]` (`b`): `result.tools[1].inputSchema`: nested deeper than 64 levels",
            "ignored `result.tools[2].outputSchema` (`c`): nested deeper than 64 levels",
            "ignored `result.tools[2]._meta` (`c`): nested deeper than 64 levels",
            "skipped `result.tools[3]`: `result.tools[3].x`: nested deeper than 64 levels",
        ]
    );
    for list in ["resources", "resourceTemplates", "prompts", "contents", "messages", "tasks"] {
        let (decoded, repairs) = result(&format!(r#"{{"{list}":[{{"name":"a","_meta":DEEP}},{{"x":DEEP}},{{}}]}}"#));
        assert_eq!(decoded[list], json!([{ "name": "a" }, {}]));
        assert_eq!(repairs.len(), 2, "{repairs:?}");
    }
}

#[test]
fn content_is_kept_when_other_members_are_nested_too_deep() {
    let (call, repairs) = result(
        r#"{"content":[{"type":"text","text":"a"},{"type":"x","y":DEEP}],"structuredContent":DEEP,"_meta":DEEP}"#,
    );
    assert_eq!(call, json!({ "content": [{ "type": "text", "text": "a" }] }));
    assert!(repairs.contains(&"ignored `result.structuredContent`: nested deeper than 64 levels".to_owned()));
    assert_eq!(repairs.len(), 3, "{repairs:?}");
    // The output is the whole result.
    let output = error(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":DEEP}}"#);
    assert!(output.error.message.contains("`result.structuredContent`: nested deeper than 64 levels"), "{output}");
    let (decoded, _) = decode(r#"{"jsonrpc":"2.0","id":1,"error":{"code":5,"message":"m","data":DEEP}}"#);
    let Ok(Incoming::One(Message::Response { outcome: Err(error), .. })) = decoded else { panic!("{decoded:?}") };
    assert_eq!((error.code.0, error.message.as_str(), error.data), (5, "m", None));
}

#[test]
fn error_names_the_request_when_a_response_is_nested_too_deep() {
    let too_deep = nested(MAX_RESPONSE_DEPTH);
    for (frame, text) in [
        (r#"{"jsonrpc":"2.0","id":1,"result":{"a":DEEP}}"#, "`result.a`: nested deeper than 64 levels"),
        (r#"{"jsonrpc":"2.0","id":1.0,"result":{"inputRequests":DEEP}}"#, "`result.inputRequests`: nested"),
        (r#"{"jsonrpc":"2.0","id":1,"result":[DEEP]}"#, "`result`: nested deeper than 64 levels"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"x":DEEP}"#, "`x`: nested deeper than 64 levels"),
        (r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[TOO_DEEP]}}"#, "nested deeper than 1000 levels"),
    ] {
        let rejection = error(&frame.replace("TOO_DEEP", &too_deep));
        assert!(rejection.error.message.contains(text), "{frame}: {rejection}");
        assert_eq!((rejection.id, rejection.suppress_response), (Some(RequestId::from(1)), true), "{frame}");
    }
    // A request is answered with the error, and a notification is not.
    let request = error(r#"{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":DEEP}"#);
    assert_eq!((request.id, request.suppress_response), (Some(RequestId::from("q")), false));
    let notification = error(r#"{"jsonrpc":"2.0","method":"notifications/message","params":DEEP}"#);
    assert_eq!((notification.id, notification.suppress_response), (None, true));
}

#[test]
fn other_messages_of_a_batch_are_kept_when_one_is_nested_too_deep() {
    let (decoded, _) =
        decode(r#"[{"jsonrpc":"2.0","id":1,"result":{"a":DEEP}},{"jsonrpc":"2.0","id":2,"result":{"a":FIT}}]"#);
    let Ok(Incoming::Batch(messages)) = decoded else { panic!("{decoded:?}") };
    assert!(matches!(&messages[..], [Err(_), Ok(Message::Response { outcome: Ok(_), .. })]), "{messages:?}");
}

#[test]
fn limit_stays_strict_when_message_is_from_a_client() {
    let frame = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"roots":[{}]}}}}"#, nested(MAX_DEPTH));
    let decoded = decode_with_repairs::<FromClient>(Bytes::from(frame), &mut Repairs::new());
    assert_eq!(decoded.unwrap_err().error.message, "Invalid request: nested deeper than 64 levels");
}

#[test]
fn response_is_decoded_without_recursion_when_brackets_never_end() {
    for depth in [2_000, 1_000_000] {
        let (decoded, _) = decode(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{}"#, "[".repeat(depth)));
        assert!(decoded.unwrap_err().error.message.starts_with("Parse error"));
        let closed = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(error(&closed).id, Some(RequestId::from(1)));
    }
}
