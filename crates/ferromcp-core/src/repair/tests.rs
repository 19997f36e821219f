//! Tests of the repair of imperfect messages.

use bytes::Bytes;

use super::Repairs;
use crate::json::RawJson;
use crate::message::{FromClient, FromServer, Incoming, Message};
use crate::methods::{
    ClientNotification, ClientRequest, ClientResult, ServerNotification, ServerRequest, ServerResult,
};
use crate::model::{ContentBlock, InputRequest, InputRequired};
use crate::wire::{decode_result, decode_with_repairs};

/// Decodes a result, and returns the repairs as text.
fn result(method: &str, json: &str) -> (ServerResult, Vec<String>) {
    let mut repairs = Repairs::new();
    let raw = RawJson::parse(json).unwrap();
    let result =
        ServerResult::decode_with_repairs(method, &raw, &mut repairs).unwrap_or_else(|e| panic!("{json}: {e}"));
    (result, texts(&repairs))
}

fn texts(repairs: &Repairs) -> Vec<String> {
    repairs.iter().map(ToString::to_string).collect()
}

fn error(method: &str, json: &str) -> String {
    ServerResult::decode(method, &RawJson::parse(json).unwrap()).unwrap_err().to_string()
}

fn from_server(json: &str) -> (Message<FromServer>, Vec<String>) {
    let mut repairs = Repairs::new();
    match decode_with_repairs::<FromServer>(Bytes::copy_from_slice(json.as_bytes()), &mut repairs) {
        Ok(Incoming::One(message)) => (message, texts(&repairs)),
        other => panic!("{json}: {other:?}"),
    }
}

fn from_client(json: &str) -> Result<(Message<FromClient>, Vec<String>), String> {
    let mut repairs = Repairs::new();
    match decode_with_repairs::<FromClient>(Bytes::copy_from_slice(json.as_bytes()), &mut repairs) {
        Ok(Incoming::One(message)) => Ok((message, texts(&repairs))),
        Ok(Incoming::Batch(_)) => panic!("{json}"),
        Err(rejection) => Err(rejection.error.message),
    }
}

#[test]
fn keeps_other_tools_when_one_is_imperfect() {
    // C2
    let json = r#"{"tools":[
        {"name":"good","inputSchema":{"type":"object","x":1.10}},
        {"name":"noschema"},
        {"name":"hints","inputSchema":{},"annotations":{"readOnlyHint":"yes","title":"T"},"icons":[{"src":"a:"},7,{}]},
        {"title":"nameless","inputSchema":{}},
        {"name":7,"inputSchema":{}},
        null,
        {"name":"schemas","inputSchema":"x","outputSchema":[1],"description":["d"],"execution":3,"_meta":[]}
    ],"nextCursor":"n","ttlMs":5}"#;
    let (ServerResult::ListTools(list), repairs) = result("tools/list", json) else { panic!() };
    let names: Vec<&str> = list.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["good", "noschema", "hints", "schemas"]);
    assert_eq!(list.tools[0].input_schema.as_str(), r#"{"type":"object","x":1.10}"#);
    assert_eq!(list.tools[1].input_schema.as_str(), r#"{"type":"object"}"#);
    let annotations = list.tools[2].annotations.as_ref().unwrap();
    assert_eq!((annotations.read_only_hint, annotations.title.as_deref()), (None, Some("T")));
    assert_eq!(list.tools[2].icons.len(), 1);
    assert_eq!(list.tools[3].input_schema.as_str(), r#"{"type":"object"}"#);
    assert_eq!((list.next_cursor.as_deref(), list.ttl_ms), (Some("n"), Some(5)));
    let expected = [
        "used a default for `result.tools[1].inputSchema` (`noschema`): `result.tools[1]`: missing field `inputSchema`",
        "ignored `result.tools[2].annotations.readOnlyHint` (`hints`): invalid type: string \"yes\", expected a boolean",
        "skipped `result.tools[2].icons[1]` (`hints`): invalid type: integer `7`, expected struct Icon",
        "skipped `result.tools[2].icons[2]` (`hints`): missing field `src`",
        "skipped `result.tools[3]`: missing field `name`",
        "skipped `result.tools[4]`: `result.tools[4].name`: invalid type: integer `7`, expected a string",
    ];
    assert_eq!(repairs[..expected.len()], expected);
    assert_eq!(repairs.len(), 12, "{repairs:#?}");
}

#[test]
fn keeps_other_items_of_every_list_when_one_is_imperfect() {
    // C2
    let skipped = |method: &str, json: &str, expected: &str| {
        let (result, repairs) = result(method, json);
        assert!(repairs.iter().any(|repair| repair.contains(expected)), "{method}: {repairs:?}");
        serde_json::to_value(&result).unwrap()
    };
    let list = skipped(
        "resources/list",
        r#"{"resources":[{"uri":"a:b","annotations":{"priority":"high","audience":["user"]}},{"name":"x"}]}"#,
        "skipped `result.resources[1]` (`x`): missing field `uri`",
    );
    assert_eq!(list["resources"], serde_json::json!([{"uri":"a:b","name":"a:b","annotations":{"audience":["user"]}}]));
    let list = skipped(
        "resources/templates/list",
        r#"{"resourceTemplates":[{"uriTemplate":"a:{b}","name":"t","mimeType":1},{"uriTemplate":2,"name":"u"}]}"#,
        "ignored `result.resourceTemplates[0].mimeType` (`t`): invalid type",
    );
    assert_eq!(list["resourceTemplates"], serde_json::json!([{"uriTemplate":"a:{b}","name":"t"}]));
    let list = skipped(
        "prompts/list",
        r#"{"prompts":[{"name":"p","arguments":[{"name":"a","required":"yes"},{"required":true}]},"q"]}"#,
        "ignored `result.prompts[0].arguments[0].required` (`p`)",
    );
    assert_eq!(list["prompts"], serde_json::json!([{"name":"p","arguments":[{"name":"a"}]}]));
    let got = skipped(
        "prompts/get",
        r#"{"messages":[{"role":"system","content":{"type":"text","text":"a"}},
            {"role":"user","content":{"type":"hologram"}},{"role":"user","content":{"type":"text","text":"b"}}]}"#,
        "skipped `result.messages[1]`: `result.messages[1].content`: unknown content type `hologram`",
    );
    assert_eq!(got["messages"], serde_json::json!([{"role":"user","content":{"type":"text","text":"b"}}]));
    let read = skipped(
        "resources/read",
        r#"{"contents":[{"uri":"a:b"},{"uri":"a:c","text":"t","mimeType":[]}]}"#,
        "skipped `result.contents[0]` (`a:b`): missing field `text` or `blob` in resource contents",
    );
    assert_eq!(read["contents"], serde_json::json!([{"uri":"a:c","text":"t"}]));
    let complete = skipped(
        "completion/complete",
        r#"{"completion":{"values":["a",1,null,"b"],"total":"many","hasMore":1}}"#,
        "skipped `result.completion.values[1]`: invalid type",
    );
    assert_eq!(complete["completion"], serde_json::json!({"values":["a","b"]}));
}

#[test]
fn keeps_other_blocks_when_one_is_unknown_or_imperfect() {
    // C2
    let json = r#"{"content":[{"type":"hologram","x":1},{"type":"text","text":"t","annotations":7},{"type":"text"},
        {"type":"image","data":"AA==","mimeType":null},{"type":"resource_link","uri":"a:b","size":"big"},
        {"type":"resource","resource":{"uri":"a:b","text":"t","_meta":null}}],
        "structuredContent":{"n":1.10},"isError":"no"}"#;
    let (ServerResult::CallTool(call), repairs) = result("tools/call", json) else { panic!() };
    assert_eq!(call.content.len(), 3);
    assert_eq!(call.content[0].as_text(), Some("t"));
    assert!(matches!(&call.content[1], ContentBlock::ResourceLink(link) if link.name == "a:b" && link.size.is_none()));
    assert!(matches!(call.content[2], ContentBlock::Resource(_)));
    assert_eq!(call.structured_content.unwrap().as_str(), r#"{"n":1.10}"#);
    assert_eq!(call.is_error, None);
    assert!(
        repairs.contains(&"skipped `result.content[0]` (`hologram`): unknown content type `hologram`".into()),
        "{repairs:?}"
    );
}

#[test]
fn decodes_task_when_call_has_no_content() {
    let task =
        r#"{"task":{"taskId":"t","status":"working","createdAt":"","lastUpdatedAt":"","ttl":null,"statusMessage":7}}"#;
    let (ServerResult::CreateTask(created), repairs) = result("tools/call", task) else { panic!() };
    assert_eq!((created.task.task_id.as_str(), repairs.len()), ("t", 1));
    assert_eq!(error("tools/call", r#"{"task":{}}"#), "`result.task`: missing field `taskId`");
    let output = r#"{"structuredContent":{},"task":1}"#;
    assert!(matches!(result("tools/call", output).0, ServerResult::CallTool(_)));
}

#[test]
fn treats_null_like_absence() {
    // C3
    for (method, json) in [
        (
            "tools/list",
            r#"{"tools":[{"name":"a","inputSchema":{},"icons":null,"_meta":null,"title":null,
            "annotations":null,"outputSchema":null,"execution":{"taskSupport":null}}],"_meta":null,"nextCursor":null,
            "ttlMs":null,"cacheScope":null}"#,
        ),
        ("tools/call", r#"{"content":null,"isError":null,"_meta":null}"#),
        ("prompts/list", r#"{"prompts":[{"name":"a","arguments":null,"icons":null}]}"#),
        ("resources/read", r#"{"contents":[{"uri":"a:","text":"t","blob":null,"mimeType":null,"_meta":null}]}"#),
        (
            "initialize",
            r#"{"protocolVersion":"2025-11-25","capabilities":{"experimental":null,"extensions":null,
            "tools":null,"tasks":{"requests":{"tools":null},"list":null}},
            "serverInfo":{"name":"s","version":"1","icons":null,"title":null},"instructions":null,"_meta":null}"#,
        ),
        ("completion/complete", r#"{"completion":{"values":[],"total":null,"hasMore":null},"_meta":null}"#),
        ("ping", r#"{"_meta":null}"#),
    ] {
        assert_eq!(result(method, json).1, Vec::<String>::new(), "{json}");
    }
    let null = r#"{"structuredContent":null}"#;
    let (ServerResult::CallTool(call), _) = result("tools/call", null) else { panic!() };
    assert!(call.structured_content.is_some_and(|json| json.is_null()), "null is a value of structured content");
}

#[test]
fn names_the_path_when_a_required_member_is_invalid() {
    // C3
    for (method, json, expected) in [
        ("tools/list", r#"{"tools":"x"}"#, "`result.tools`: invalid type: string \"x\", expected a sequence"),
        ("tools/list", r#"{"icons":[]}"#, "`result`: missing field `tools`"),
        ("tools/list", r#"{"tools":{},"nextCursor":7}"#, "`result.tools`: invalid type: map, expected a sequence"),
        ("tools/call", r#"{"content":"done"}"#, "`result.content`: invalid type: string \"done\", expected a sequence"),
        (
            "completion/complete",
            r#"{"completion":{"values":{}}}"#,
            "`result.completion.values`: invalid type: map, expected a sequence",
        ),
        (
            "initialize",
            r#"{"protocolVersion":1,"capabilities":{},"serverInfo":{"name":"","version":""}}"#,
            "`result.protocolVersion`: invalid type: integer `1`, expected a string",
        ),
        ("initialize", r#"{"protocolVersion":"2025-11-25"}"#, "`result`: missing field `capabilities`"),
        ("tools/list", "[]", "`result`: invalid length 0, expected struct ListToolsResult with 5 elements"),
    ] {
        assert_eq!(error(method, json), expected);
    }
}

#[test]
fn repairs_server_info_and_capabilities() {
    // C2, C3
    let json = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":true,"prompts":[],"resources":false,
        "logging":{},"completions":{},"experimental":[],"tasks":{"requests":7}},
        "serverInfo":{"name":"s","icons":[{"src":1}],"websiteUrl":{}}}"#;
    let (ServerResult::Initialize(init), repairs) = result("initialize", json) else { panic!() };
    let capabilities = &init.capabilities;
    assert!(capabilities.tools.is_some() && capabilities.prompts.is_some() && capabilities.logging.is_some());
    assert!(capabilities.resources.is_none());
    assert_eq!((init.server_info.name.as_str(), init.server_info.version.as_str()), ("s", ""));
    assert!(init.server_info.icons.is_empty());
    assert!(repairs.iter().any(|repair| repair.contains("`result.serverInfo.icons[0]`")), "{repairs:?}");
    let json = r#"{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":"s"}"#;
    let (ServerResult::Initialize(init), _) = result("initialize", json) else { panic!() };
    assert_eq!(init.server_info.name, "");
}

#[test]
fn reads_half_surrogates_as_replacement_characters() {
    // C10
    let json = r#"{"content":[{"type":"text","text":"ab\ud83d"}],"structuredContent":{"\udc00":"\ud83d\ude00\ud83d"}}"#;
    let (ServerResult::CallTool(call), repairs) = result("tools/call", json) else { panic!() };
    assert_eq!(call.content[0].as_text(), Some("ab\u{fffd}"));
    assert_eq!(repairs, Vec::<String>::new());
    let structured: serde_json::Value = call.structured_content.unwrap().decode().unwrap();
    assert_eq!(structured, serde_json::json!({"\u{fffd}": "😀\u{fffd}"}));

    let raw = RawJson::parse(r#"{"a":"\udead"}"#).unwrap();
    assert_eq!(raw.decode::<serde_json::Value>().unwrap()["a"], "\u{fffd}");

    let request = r#"{"jsonrpc":"2.0","id":"\ud800","method":"tools/call","params":{"name":"\ud800x","arguments":{"a":"\ud800"}}}"#;
    let (Message::Request { id, request: ClientRequest::CallTool(call) }, _) = from_client(request).unwrap() else {
        panic!()
    };
    assert_eq!((id.to_string().as_str(), &*call.name), ("\u{fffd}", "\u{fffd}x"));
    assert_eq!(call.arguments.unwrap().as_str(), r#"{"a":"\ufffd"}"#);
    let log = r#"{"jsonrpc":"2.0","\udfff":1,"method":"notifications/message","params":{"level":"info","data":1,"logger":"\udfff"}}"#;
    let (Message::Notification(ServerNotification::Message(log)), _) = from_server(log) else { panic!() };
    assert_eq!(log.logger.as_deref(), Some("\u{fffd}"));
}

#[test]
fn accepts_envelopes_with_null_members() {
    // C3
    let (Message::Response { outcome, .. }, _) = from_server(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#)
    else {
        panic!()
    };
    assert_eq!(outcome.unwrap().as_str(), "{}");
    let (Message::Response { outcome, .. }, _) = from_server(
        r#"{"error":{"code":-1,"message":"m","data":null},"result":null,"method":null,"id":1,"jsonrpc":"2.0"}"#,
    ) else {
        panic!()
    };
    assert_eq!(outcome.unwrap_err().message, "m");
    let (message, _) =
        from_client(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null,"result":null,"error":null}"#).unwrap();
    assert!(matches!(message, Message::Request { request: ClientRequest::Ping(_), .. }));
    let (message, _) =
        from_client(r#"{"jsonrpc":"2.0","id":null,"method":"notifications/initialized","params":null}"#).unwrap();
    assert!(matches!(message, Message::Notification(ClientNotification::Initialized(_))));
    assert!(from_client(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#).is_err(), "a request needs an id");
}

#[test]
fn reads_a_list_that_is_null_as_empty() {
    // C3
    for (method, json, path) in [
        ("tools/list", r#"{"tools":null,"nextCursor":"n"}"#, "tools"),
        ("resources/list", r#"{"resources":null}"#, "resources"),
        ("resources/templates/list", r#"{"resourceTemplates":null}"#, "resourceTemplates"),
        ("prompts/list", r#"{"prompts":null}"#, "prompts"),
        ("prompts/get", r#"{"messages":null}"#, "messages"),
        ("resources/read", r#"{"contents":null}"#, "contents"),
        ("completion/complete", r#"{"completion":{"values":null}}"#, "completion.values"),
    ] {
        let (_, repairs) = result(method, json);
        let expected = format!("used a default for `result.{path}`: invalid type: null, expected a sequence");
        assert_eq!(repairs, [expected], "{json}");
    }
}

#[test]
fn keeps_the_last_list_when_it_is_duplicate() {
    // C2
    let json = r#"{"content":[{"type":"text","text":"a"}],"content":[{"type":"text","text":"b"},7]}"#;
    let (ServerResult::CallTool(call), repairs) = result("tools/call", json) else { panic!() };
    assert_eq!((call.content.len(), call.content[0].as_text()), (1, Some("b")));
    assert_eq!(repairs[0], "used a default for `result`: duplicate field `content`");
}

#[test]
fn reads_a_failure_as_such_when_is_error_has_another_type() {
    // C2
    for (value, expected) in [
        (r#""true""#, Some(true)),
        ("1", Some(true)),
        (r#""no such file""#, Some(true)),
        (r#"{"code":1}"#, Some(true)),
        (r#""false""#, None),
        ("0", None),
        ("[]", None),
        ("null", None),
    ] {
        let (ServerResult::CallTool(call), _) = result("tools/call", &format!(r#"{{"content":[],"isError":{value}}}"#))
        else {
            panic!()
        };
        assert_eq!(call.is_error, expected, "{value}");
    }
}

#[test]
fn rejects_capabilities_that_are_a_list() {
    // C3
    let json = r#"{"protocolVersion":"2025-11-25","capabilities":["tools"],"serverInfo":{"name":"","version":""}}"#;
    assert_eq!(error("initialize", json), "`result.capabilities`: invalid type: sequence, expected an object");
    let (ServerResult::Initialize(init), _) = result("initialize", &json.replace(r#"["tools"]"#, "[]")) else {
        panic!()
    };
    assert!(init.capabilities.tools.is_none());
}

#[test]
fn reads_a_response_without_version() {
    // C12
    for version in ["", r#""jsonrpc":"1.0","#, r#""jsonrpc":2.0,"#, r#""jsonrpc":null,"#] {
        let (message, repairs) = from_server(&format!(r#"{{{version}"id":1,"result":{{"a":1}}}}"#));
        let Message::Response { id, outcome } = message else { panic!() };
        assert_eq!((id, outcome.unwrap().as_str()), (Some(1.into()), r#"{"a":1}"#));
        assert_eq!(repairs, [r#"used a default for `jsonrpc`: must be "2.0""#]);
    }
    let (message, _) = from_server(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":false}"#);
    assert!(matches!(message, Message::Response { outcome: Ok(_), .. }));
    for invalid in
        [r#"{"id":1}"#, r#"{"error":"x","level":"warn"}"#, r#"{"id":null,"result":{}}"#, r#"{"id":1,"method":"ping"}"#]
    {
        assert!(crate::wire::decode::<FromServer>(Bytes::from(invalid)).is_err(), "{invalid}");
    }
    let empty = crate::wire::decode::<FromServer>(Bytes::from(r#"{"jsonrpc":"2.0","id":1,"x":1}"#)).unwrap_err();
    assert!(empty.suppress_response && empty.id == Some(1.into()), "{empty}");
    assert!(from_client(r#"{"id":1,"result":{}}"#).is_err());
}

#[test]
fn repairs_errors_of_the_server() {
    for (error, code, message) in [
        (r#""boom""#, -32603, "boom"),
        (r#"{"code":-32000}"#, -32000, "no message"),
        (r#"{"code":"-32000","message":"m"}"#, -32000, "m"),
        (r#"{"code":-32601.0,"message":"m"}"#, -32601, "m"),
        (r#"{"code":"E_FAIL","message":"m"}"#, -32603, "m"),
        (r#"{"code":1,"message":{"en":"m"}}"#, 1, r#"{"en":"m"}"#),
        (r#"["boom"]"#, -32603, r#"["boom"]"#),
        ("true", -32603, "true"),
        (r#"{"code":5,"message":null,"data":{"x":1}}"#, 5, "no message"),
    ] {
        let (Message::Response { outcome, .. }, _) =
            from_server(&format!(r#"{{"jsonrpc":"2.0","id":1,"error":{error}}}"#))
        else {
            panic!()
        };
        let error = outcome.unwrap_err();
        assert_eq!((error.code.0, error.message.as_str()), (code, message));
    }
}

#[test]
fn repairs_requests_and_notifications_of_the_server() {
    // C2, C3
    let sampling = r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"maxTokens":10,"temperature":"hot",
        "messages":[{"role":"user","content":[{"type":"x"},{"type":"text","text":"hi","_meta":null}]}],
        "tools":[{"name":"t"},{}],"modelPreferences":{"hints":["claude",{"name":"c"}],"costPriority":null}}}"#;
    let (Message::Request { request: ServerRequest::CreateMessage(params), .. }, repairs) = from_server(sampling)
    else {
        panic!()
    };
    assert_eq!((params.messages[0].content.len(), params.temperature), (1, None));
    assert_eq!(params.tools.unwrap().len(), 1);
    assert_eq!(params.model_preferences.unwrap().hints.unwrap().len(), 1);
    assert!(
        repairs.iter().any(|repair| repair.starts_with("skipped `params.modelPreferences.hints[0]`")),
        "{repairs:?}"
    );

    let progress = r#"{"method":"notifications/progress","params":{"progressToken":1,"progress":1,"total":"x","message":7},"jsonrpc":"2.0"}"#;
    let (Message::Notification(ServerNotification::Progress(progress)), _) = from_server(progress) else { panic!() };
    assert_eq!((progress.total, progress.message), (None, None));
    let log = r#"{"jsonrpc":"2.0","params":{"level":"trace","data":1},"method":"notifications/message"}"#;
    assert!(matches!(from_server(log).0, Message::Notification(ServerNotification::Message(_))));

    // What the user is asked is not changed.
    let form = |field: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{{"message":"m","task":7,
            "requestedSchema":{{"type":"object","properties":{{"a":{field}}},"required":null}}}}}}"#
        )
    };
    let (Message::Request { request: ServerRequest::Elicit(_), .. }, _) =
        from_server(&form(r#"{"type":"string","title":7,"minLength":null}"#))
    else {
        panic!()
    };
    let invalid = form(r#"{"type":"object"}"#);
    let rejection = crate::wire::decode::<FromServer>(Bytes::from(invalid)).unwrap_err();
    let path = "`params.requestedSchema.properties.a.type`: unknown variant `object`";
    assert!(rejection.error.message.contains(path), "{rejection}");
}

#[test]
fn repairs_only_descriptions_and_notifications_of_the_client() {
    // C3
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",
        "capabilities":{"experimental":null,"roots":{"listChanged":"yes"},"sampling":7,"elicitation":true},
        "clientInfo":{"name":"c","icons":[7],"title":[]},"_meta":{"progressToken":null}}}"#;
    let (Message::Request { request: ClientRequest::Initialize(init), .. }, repairs) = from_client(initialize).unwrap()
    else {
        panic!()
    };
    assert_eq!((init.client_info.name.as_str(), init.client_info.version.as_str()), ("c", ""));
    assert!(init.capabilities.roots.is_some() && init.capabilities.elicitation.is_some());
    assert_eq!(repairs.len(), 6, "{repairs:#?}");

    let call =
        |params: &str| from_client(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#));
    let meta = r#"{"name":"t","arguments":null,"task":null,"inputResponses":null,"requestState":null,
        "_meta":{"io.modelcontextprotocol/protocolVersion":null,"io.modelcontextprotocol/clientCapabilities":null,
        "io.modelcontextprotocol/clientInfo":null,"io.modelcontextprotocol/logLevel":null,"progressToken":null}}"#;
    let (Message::Request { request: ClientRequest::CallTool(call_with_nulls), .. }, repairs) = call(meta).unwrap()
    else {
        panic!()
    };
    assert!(call_with_nulls.meta.is_empty() && repairs.is_empty(), "{repairs:?}");
    let listen = r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p"},
        "argument":{"name":"a","value":""},"context":{"arguments":null},
        "_meta":{"io.modelcontextprotocol/logLevel":null,"x":null}}}"#;
    let (Message::Request { request: ClientRequest::Complete(complete), .. }, _) = from_client(listen).unwrap() else {
        panic!()
    };
    assert!(complete.meta.log_level.is_none() && complete.meta.other.get("x").is_some());

    for (params, expected) in [
        (r#"{"name":7}"#, "Invalid params: `params.name`: invalid type: integer `7`, expected a string"),
        (r#"{"name":null}"#, "Invalid params: `params`: missing field `name`"),
        (
            r#"{"name":"t","requestState":7}"#,
            "Invalid params: `params.requestState`: invalid type: integer `7`, expected a string",
        ),
        (
            r#"{"name":"t","_meta":{"progressToken":1.5}}"#,
            "Invalid params: `params._meta.progressToken`: invalid type: floating point `1.5`, expected a string or a 64-bit integer",
        ),
        (
            r#"{"name":"t","_meta":[]}"#,
            "Invalid params: `params._meta`: invalid type: sequence, expected an object as `_meta`",
        ),
        (r#"{"name":"t","arguments":[]}"#, "Invalid params: `params`: `arguments` must be an object"),
    ] {
        assert_eq!(call(params).unwrap_err(), expected);
    }
    let cursor = r#"{"params":{"cursor":7},"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let expected = "Invalid params: `params.cursor`: invalid type: integer `7`, expected a string";
    assert_eq!(from_client(cursor).unwrap_err(), expected);
    let cancelled =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":7,"_meta":null}}"#;
    let (Message::Notification(ClientNotification::Cancelled(params)), _) = from_client(cancelled).unwrap() else {
        panic!()
    };
    assert_eq!((params.request_id, params.reason), (Some(1.into()), None));
}

#[test]
fn repairs_results_of_the_client() {
    // C2
    let decode = |method: &str, json: &str| ClientResult::decode(method, &RawJson::parse(json).unwrap());
    let Ok(ClientResult::ListRoots(list)) = decode(
        "roots/list",
        r#"{"roots":[{"uri":"file:///a","name":7},{"name":"b"},{"uri":"file:///c"}],"_meta":null}"#,
    ) else {
        panic!()
    };
    assert_eq!((list.roots.len(), &list.roots[0].name), (2, &None));
    let Ok(ClientResult::CreateMessage(sampled)) = decode(
        "sampling/createMessage",
        r#"{"role":"assistant","model":"m","stopReason":1,"content":[{"type":"x"},{"type":"tool_use","id":"1","name":"t"},
            {"type":"tool_result","toolUseId":"1"},{"type":"text","text":"hi"}]}"#,
    ) else {
        panic!()
    };
    assert_eq!((sampled.content.len(), sampled.text().as_str()), (3, "hi"));
    let elicit = decode("elicitation/create", r#"{"action":"accept","content":[]}"#).unwrap_err();
    assert_eq!(elicit.path(), "result.content", "the values of the user are not ignored");
    let Ok(ClientResult::Elicit(declined)) =
        decode("elicitation/create", r#"{"action":"decline","content":null,"_meta":7}"#)
    else {
        panic!()
    };
    assert!(declined.content.is_none());
}

#[test]
fn repairs_input_requests_and_keeps_their_state() {
    let decode = |json: &str| {
        let mut repairs = Repairs::new();
        decode_result::<InputRequired>(&RawJson::parse(json).unwrap(), "result", &mut repairs)
    };
    let required = decode(
        r#"{"requestState":"s","_meta":null,"inputRequests":{"a":{"method":"roots/list","params":null},
        "b":{"method":"elicitation/create","params":{"message":"m","url":"https://x","mode":"url","task":1}},
        "c":{"method":"sampling/createMessage","params":{"maxTokens":1,"messages":[],"tools":[{"name":"t"}]}}}}"#,
    )
    .unwrap();
    let requests = required.input_requests.unwrap();
    assert_eq!(requests.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert!(matches!(requests[2].1, InputRequest::CreateMessage(_)));
    assert_eq!(decode(r#"{"requestState":"s","inputRequests":null}"#).unwrap().request_state.as_deref(), Some("s"));
    for (json, path) in [
        (r#"{"requestState":7,"inputRequests":{}}"#, "result.requestState"),
        (r#"{"inputRequests":{"a":{"method":"x"}}}"#, "result.inputRequests.a"),
        (
            r#"{"inputRequests":{"a":{"method":"elicitation/create","params":{"message":"m","requestedSchema":[]}}}}"#,
            "result.inputRequests.a.params.requestedSchema",
        ),
        (r#"{"inputRequests":{"a":7}}"#, "result.inputRequests.a"),
        (r#"{"inputRequests":[]}"#, "result.inputRequests"),
    ] {
        assert_eq!(decode(json).unwrap_err().path(), path, "{json}");
    }
}

#[test]
fn limits_recorded_repairs_and_time_when_all_items_are_imperfect() {
    let tool = r#"{"name":"t","icons":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20],"title":1,"_meta":1}"#;
    let json = format!(r#"{{"tools":[{}]}}"#, vec![tool; 300].join(","));
    let mut repairs = Repairs::new();
    let start = std::time::Instant::now();
    let result = ServerResult::decode_with_repairs("tools/list", &RawJson::parse(json).unwrap(), &mut repairs).unwrap();
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    let ServerResult::ListTools(list) = result else { panic!() };
    assert_eq!(list.tools.len(), 300, "too many repairs of one tool cost its members, not the tool");
    assert_eq!(repairs.iter().count(), Repairs::MAX);
    assert!(repairs.omitted() > 300);
}

#[test]
fn escapes_names_of_the_peer_in_texts() {
    let json = r#"{"tools":[{"name":"a\u001b[31m","title":{"b\n":1}},{"na\nme":1}]}"#;
    let (_, repairs) = result("tools/list", json);
    assert!(repairs.iter().all(|repair| !repair.contains(char::is_control)), "{repairs:?}");
}
