//! Servers that try to break the terminal, or to make the client wait or store data forever.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

/// Escape sequences: colors, the title of the window, C1 controls, a bell, text direction, a line of a log.
const ESCAPES: &str = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\r\nerror: forged";

/// Is replaced by a schema of many levels.
const DEEP: &str = "a schema of many levels";

/// Markup of Markdown and HTML.
const MARKUP: &str = "x` | <img src=a>\n# heading\n\n| a | [b](https://evil.example) |\n|---|---|\n```";

/// Serves requests of 2025-11-25 until stdin is closed. `kind` is `escapes`, `text`, `pages`, `repeat`, `tools`, `schemas`, `deep`,
/// `broken` or `mute`.
pub(crate) fn serve(kind: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let Ok(request) = serde_json::from_str::<Value>(&line?) else { continue };
        let (Some(id), Some(method)) = (request.get("id"), request["method"].as_str()) else { continue };
        let response = match method {
            _ if kind == "mute" => continue,
            "initialize" => json!({ "id": id, "result": initialize(kind) }),
            "server/discover" => json!({ "id": id, "error": { "code": -32601, "message": "Method not found" } }),
            _ => respond(kind, method, &request).map_or_else(
                |error| json!({ "id": id, "error": error }),
                |result| json!({ "id": id, "result": result }),
            ),
        };
        let mut response = response;
        response["jsonrpc"] = "2.0".into();
        // A value of this depth cannot be created without recursion.
        let levels = if kind == "deep" { 10_000 } else { 500 };
        let deep = || format!("{}1{}", "{\"properties\":".repeat(levels), "}".repeat(levels));
        let mut response = response.to_string();
        if response.contains(DEEP) {
            response = response.replace(&format!("\"{DEEP}\""), &deep());
        }
        writeln!(stdout, "{response}")?;
        stdout.flush()?;
    }
    Ok(())
}

fn initialize(kind: &str) -> Value {
    let name = if kind == "escapes" { ESCAPES } else { kind };
    if kind == "escapes" {
        eprintln!("{ESCAPES}");
    }
    json!({
        "protocolVersion": "2025-11-25",
        "capabilities": { "tools": {}, "resources": {}, "prompts": {}, "completions": {}, "logging": {},
            "experimental": { name: {} } },
        "serverInfo": { "name": name, "version": name, "title": name, "description": name },
        "instructions": name,
    })
}

fn respond(kind: &str, method: &str, request: &Value) -> Result<Value, Value> {
    match (kind, method) {
        (_, "ping") => Ok(json!({})),
        ("escapes", _) => escapes(method, request),
        ("text", "tools/call" | "resources/read") => Ok(large(method)),
        ("pages", "tools/list") => Ok(pages(request, true)),
        ("repeat", "tools/list") => Ok(pages(request, false)),
        ("tools", "tools/list") => Ok(many(request)),
        ("schemas" | "deep", "tools/list") => Ok(schemas()),
        ("broken", "tools/list") => Ok(broken_tools()),
        (_, "tools/list") => Ok(json!({ "tools": [tool("t")] })),
        (_, "resources/list") => Ok(json!({ "resources": [] })),
        (_, "resources/templates/list") => Ok(json!({ "resourceTemplates": [] })),
        (_, "prompts/list") => Ok(json!({ "prompts": [] })),
        _ => Ok(json!({ "content": [] })),
    }
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "inputSchema": { "type": "object" } })
}

fn escapes(method: &str, request: &Value) -> Result<Value, Value> {
    let schema = json!({ "type": "object", "properties": { ESCAPES: { "type": ESCAPES, "default": ESCAPES } } });
    let contents = json!({ "uri": ESCAPES, "mimeType": ESCAPES, "text": ESCAPES });
    let content = json!([
        { "type": "text", "text": ESCAPES },
        { "type": "image", "data": "AAAA", "mimeType": ESCAPES },
        { "type": "resource_link", "uri": ESCAPES, "name": ESCAPES },
        { "type": "resource", "resource": contents },
    ]);
    Ok(match method {
        "tools/list" => json!({ "tools": [
            { "name": ESCAPES, "description": ESCAPES, "inputSchema": schema }, tool("t"), tool("fail"), tool("rpc"),
        ] }),
        "resources/list" => json!({ "resources": [{ "uri": ESCAPES, "name": ESCAPES, "description": ESCAPES,
            "mimeType": ESCAPES }] }),
        "resources/templates/list" => json!({ "resourceTemplates": [{ "uriTemplate": ESCAPES, "name": ESCAPES }] }),
        "prompts/list" => json!({ "prompts": [
            { "name": ESCAPES, "arguments": [{ "name": ESCAPES }] }, { "name": "p" },
        ] }),
        "resources/read" => json!({ "contents": [contents] }),
        "prompts/get" => json!({ "messages": [{ "role": "user", "content": content[0] }] }),
        "completion/complete" => json!({ "completion": { "values": [ESCAPES] } }),
        "tools/call" => match request["params"]["name"].as_str() {
            Some("rpc") => return Err(json!({ "code": -32000, "message": ESCAPES, "data": ESCAPES })),
            name => json!({ "content": content, "isError": name == Some("fail") }),
        },
        _ => json!({}),
    })
}

/// A text of 10 MB, with an escape sequence at its end.
fn large(method: &str) -> Value {
    let text = format!("{}\u{1b}[2J", "0123456789".repeat(1 << 20));
    if method == "tools/call" {
        json!({ "content": [{ "type": "text", "text": text }] })
    } else {
        json!({ "contents": [{ "uri": "x:y", "text": text }] })
    }
}

/// A page with a new cursor each time, with a new tool or the same one.
fn pages(request: &Value, is_new: bool) -> Value {
    let page: u64 = request["params"]["cursor"].as_str().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let name = if is_new { format!("tool{page}") } else { "tool".to_owned() };
    json!({ "tools": [tool(&name)], "nextCursor": (page + 1).to_string() })
}

/// Tools whose schemas are invalid, recursive or nested too deeply, and a valid one.
fn schemas() -> Value {
    let with_schema = |name: &str, schema: Value| json!({ "name": name, "description": name, "inputSchema": schema });
    let recursive = json!({ "properties": { "next": { "$ref": "#" } }, "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] });
    let invalid = json!({ "type": 5, "properties": [], "required": {}, "enum": "x", "anyOf": 1, "$ref": "#/nowhere" });
    let markup = json!({ "type": "object", "properties": { MARKUP: { "type": MARKUP, "description": MARKUP } } });
    json!({ "tools": [
        with_schema("deep", json!({ "properties": { "a": DEEP } })),
        with_schema("recursive", recursive),
        with_schema("invalid", invalid),
        with_schema(MARKUP, markup),
        tool("valid"),
    ] })
}

/// 10,000 tools in pages of 1,000.
fn many(request: &Value) -> Value {
    let start: u64 = request["params"]["cursor"].as_str().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let tools: Vec<Value> = (start..start + 1000).map(|number| tool(&format!("tool_{number:05}"))).collect();
    let mut page = json!({ "tools": tools });
    if start + 1000 < 10_000 {
        page["nextCursor"] = (start + 1000).to_string().into();
    }
    page
}

/// Tools with broken schemas, an item that is not a tool, and a good tool.
fn broken_tools() -> Value {
    let broken = |name: &str, schema: Value| json!({ "name": name, "inputSchema": schema });
    let reference = json!({ "$ref": "#/properties/a" });
    json!({ "tools": [
        broken("types", json!({ "type": { "x": 1 }, "properties": [], "required": "a", "enum": {}, "items": 3 })),
        broken("cycle", json!({ "type": "object", "properties": { "a": reference }, "$ref": "#" })),
        broken("pattern", json!({ "type": "object", "properties": { "a": { "pattern": "((a{1000}){1000}){1000}" } } })),
        { "name": "no schema" },
        7,
        tool("good"),
    ] })
}
