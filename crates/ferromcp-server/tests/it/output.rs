//! What tools return: content of every kind, structured values, and the schemas they keep to.

use std::collections::BTreeMap;

use ferromcp_core::model::{
    Annotations, CallToolResult, ContentBlock, EmbeddedResource, ResourceContents, ResourceLink, Role, TextContent,
};
use ferromcp_core::{RawJson, Revision};
use ferromcp_server::{Audio, File, Image, Json, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::client::{Case, Client};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n____";
const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt ____";

#[derive(Serialize, JsonSchema)]
struct Weather {
    /// In degrees Celsius
    temperature: f64,
    wind: Option<Wind>,
    days: Vec<Day>,
}

#[derive(Serialize, JsonSchema)]
struct Wind {
    speed: u8,
}

#[derive(Serialize, JsonSchema)]
enum Day {
    Dry,
    Wet { millimetres: u16 },
}

#[derive(Serialize, JsonSchema)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Serialize, JsonSchema)]
struct Unit;

fn weather() -> Weather {
    Weather { temperature: -3.5, wind: Some(Wind { speed: 4 }), days: vec![Day::Dry, Day::Wet { millimetres: 9 }] }
}

fn structured() -> Server {
    Server::new("structured", "0")
        .with_tool(Tool::sync("weather", || Json(weather())))
        .with_tool(Tool::sync("beside", || (Json(weather()), "It is cold.")))
        .with_tool(Tool::sync("fallible", || Ok::<_, ToolError>(Json(weather()))))
        .with_tool(Tool::sync("number", || 42_i64))
        .with_tool(Tool::sync("small", || 200_u8))
        .with_tool(Tool::sync("float", || 1.5_f64))
        .with_tool(Tool::sync("flag", || true))
        .with_tool(Tool::sync("list", || Json(vec![1, 2, 3])))
        .with_tool(Tool::sync("map", || Json(BTreeMap::from([("a", 1), ("b", 2)]))))
        .with_tool(Tool::sync("nothing", || Json(None::<Wind>)))
        .with_tool(Tool::sync("some", || Json(Some(Wind { speed: 1 }))))
        .with_tool(Tool::sync("unit", || Json(Unit)))
        .with_tool(Tool::sync("either", || Json(Day::Wet { millimetres: 1 })))
        .with_tool(Tool::sync("text", || Json("words")))
        .with_tool(Tool::sync("tree", || {
            Json(Tree { name: "a".into(), children: vec![Tree { name: "b".into(), children: vec![] }] })
        }))
}

#[tokio::test]
async fn structured_content_matches_output_schema_when_tool_returns_structured_value() {
    // M26-096, M26-321, M26-332, M26-336, M26-337, S-043, S-045, S-243, S-250, S-251, S-252
    for case in Case::all() {
        let mut client = Client::connect(structured(), case).await;
        let tools = client.result("tools/list", Value::Null).await["tools"].clone();
        for tool in tools.as_array().unwrap() {
            let name = tool["name"].as_str().unwrap();
            let result = client.call(name, json!({})).await;
            let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{name}: {result}"));
            if case.revision < Revision::V2025_06_18 {
                assert!(tool.get("outputSchema").is_none() && result.get("structuredContent").is_none(), "{name}");
                continue;
            }
            let schema = &tool["outputSchema"];
            assert_eq!(schema["type"], "object", "{name}: {schema}");
            jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
            let structured = &result["structuredContent"];
            let validator = jsonschema::draft202012::new(schema).unwrap();
            let complaints: Vec<String> = validator.iter_errors(structured).map(|error| error.to_string()).collect();
            assert!(complaints.is_empty(), "{name}: {structured} against {schema}: {complaints:?}");
            let text: Value = serde_json::from_str(text).unwrap();
            assert!(text == *structured || text == structured["result"], "{name}: {text} beside {structured}");
            assert_ne!(result["isError"], true);
        }
    }
}

#[tokio::test]
async fn structured_content_is_wrapped_when_value_is_not_an_object() {
    // S-251, M26-336
    for case in Case::all().filter(|case| case.revision >= Revision::V2025_06_18) {
        let mut client = Client::connect(structured(), case).await;
        for (tool, expected) in [
            ("number", json!({ "result": 42 })),
            ("flag", json!({ "result": true })),
            ("list", json!({ "result": [1, 2, 3] })),
            ("map", json!({ "a": 1, "b": 2 })),
            ("text", json!({ "result": "words" })),
            ("nothing", json!({ "result": null })),
            ("weather", serde_json::to_value(weather()).unwrap()),
        ] {
            assert_eq!(client.call(tool, json!({})).await["structuredContent"], expected, "{tool}");
        }
        let beside = client.call("beside", json!({})).await;
        assert_eq!(beside["content"][1]["text"], "It is cold.");
        assert_eq!(beside["content"].as_array().unwrap().len(), 2);
    }
}

#[tokio::test]
async fn error_result_is_returned_when_value_cannot_be_serialized() {
    // M26-337, S-252
    for case in Case::all() {
        let server = Server::new("nan", "0")
            .with_tool(Tool::sync("nan", || f64::NAN))
            .with_tool(Tool::sync("endless", || f32::INFINITY))
            .with_tool(Tool::sync("keys", || Json(BTreeMap::from([((1, 2), 3)]).into_iter().collect::<Pairs>())));
        let mut client = Client::connect(server, case).await;
        for tool in ["nan", "endless", "keys"] {
            client.tool_error(tool, json!({})).await;
        }
    }
}

/// A map with keys that are not strings.
struct Pairs(BTreeMap<(u8, u8), u8>);

impl FromIterator<((u8, u8), u8)> for Pairs {
    fn from_iter<I: IntoIterator<Item = ((u8, u8), u8)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl Serialize for Pairs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Pairs {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pairs".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object" })
    }
}

#[tokio::test]
async fn content_blocks_match_revision_when_tool_returns_every_kind() {
    // M26-332, M26-333, M26-334, S-243, S-244, S-245, S-246, S-247, S-249, M26-371
    let server = Server::new("content", "0")
        .with_tool(Tool::sync("image", || Image::new(PNG)))
        .with_tool(Tool::sync("audio", || Audio::new(WAV)))
        .with_tool(Tool::sync("file", || File::new("file:///notes.txt", "text")))
        .with_tool(Tool::sync("bytes", || File::new("file:///x.png", PNG)))
        .with_tool(Tool::sync("link", || ResourceLink::new("notes://1", "one")))
        .with_tool(Tool::sync("embedded", || EmbeddedResource::new(ResourceContents::text("notes://1", "1"))))
        .with_tool(Tool::sync("nothing", || ()))
        .with_tool(Tool::sync("several", || ("a", Some("b"), None::<String>, vec!["c", "d"], 'e')))
        .with_tool(Tool::sync("whole", || {
            let mut text = TextContent::new("t");
            text.annotations = Some(Annotations::default().priority(7.0).audience([Role::User]));
            let mut result = CallToolResult::new(vec![ContentBlock::Text(text)]);
            result.structured_content = RawJson::new(&json!([1])).ok();
            result
        }));
    for case in Case::all() {
        let mut client = Client::connect(server.clone(), case).await;
        let image = client.call("image", json!({})).await;
        assert_eq!(image["content"], json!([{ "type": "image", "data": "iVBORw0KGgpfX19f", "mimeType": "image/png" }]));
        let audio = client.call("audio", json!({})).await["content"][0].clone();
        if case.revision >= Revision::V2025_03_26 {
            assert!(audio["mimeType"].as_str().unwrap().starts_with("audio/"), "{audio}");
            assert_eq!(audio["type"], "audio");
        } else {
            assert_eq!(audio["type"], "text", "{audio}");
        }
        let file = client.call("file", json!({})).await["content"][0].clone();
        assert_eq!(
            file,
            json!({ "type": "resource", "resource": { "uri": "file:///notes.txt", "mimeType": "text/plain", "text": "text" } })
        );
        let bytes = client.call("bytes", json!({})).await["content"][0]["resource"].clone();
        assert_eq!(bytes, json!({ "uri": "file:///x.png", "mimeType": "image/png", "blob": "iVBORw0KGgpfX19f" }));
        let link = client.call("link", json!({})).await["content"][0].clone();
        let linked = case.revision >= Revision::V2025_06_18;
        assert_eq!(link["type"], if linked { "resource_link" } else { "text" });
        assert!(link.to_string().contains("notes://1"), "{link}");
        assert_eq!(client.call("embedded", json!({})).await["content"][0]["resource"]["text"], "1");
        assert_eq!(client.call("nothing", json!({})).await["content"], json!([]));
        let several = client.call("several", json!({})).await;
        let texts: Vec<&str> =
            several["content"].as_array().unwrap().iter().map(|block| block["text"].as_str().unwrap()).collect();
        assert_eq!(texts, ["a", "b", "c", "d", "e"]);
        let whole = client.call("whole", json!({})).await;
        assert_eq!(whole["content"][0]["annotations"], json!({ "audience": ["user"], "priority": 1.0 }));
        let structured = if case.is_modern() { json!([1]) } else { Value::Null };
        assert_eq!(whole["structuredContent"], structured, "only the newest revision knows lists there");
    }
}

#[tokio::test]
async fn tool_error_is_returned_when_bytes_are_not_an_image() {
    // M26-371, S-284
    for case in Case::eras() {
        let server = Server::new("media", "0").with_tool(Tool::sync("image", || Image::new(*b"plain words")));
        let mut client = Client::connect(server, case).await;
        assert!(client.tool_error("image", json!({})).await.contains("image"));
    }
}

#[tokio::test]
async fn output_schema_is_overridden_when_set_explicitly() {
    // M26-091, M26-321, S-040, S-251
    let schema = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "items": true });
    for case in Case::all() {
        let own = schema.clone();
        let tool = Tool::sync("own", move || {
            let mut result = CallToolResult::text("[]");
            result.structured_content = RawJson::new(&json!([])).ok();
            result
        })
        .output_schema(own.into());
        let mut client = Client::connect(Server::new("own", "0").with_tool(tool), case).await;
        let listed = client.result("tools/list", Value::Null).await["tools"][0].clone();
        assert_eq!(listed["outputSchema"], if case.is_modern() { schema.clone() } else { Value::Null });
    }
}
