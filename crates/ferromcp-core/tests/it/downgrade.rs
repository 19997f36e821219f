//! Finds features in a message that the revision of the peer does not support.
//!
//! Every schema allows unknown members, so schema validation alone does not test downgrades.

use ferromcp_core::Revision;
use serde_json::{Map, Value};

/// Members with application-defined content.
const OPAQUE: &[&str] =
    &["_meta", "arguments", "structuredContent", "metadata", "experimental", "inputSchema", "outputSchema", "data"];

const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Returns the features of `message` that are unsupported in `revision`.
pub(crate) fn unsupported_features(revision: Revision, message: &Value) -> Vec<String> {
    let mut search = Search { revision, found: Vec::new() };
    for part in ["params", "result"] {
        if let Some(part) = message.get(part) {
            search.top(message["method"].as_str().unwrap_or_default(), part);
            search.value(part, "", 0);
        }
    }
    if let Some(error) = message.get("error") {
        search.error(error);
    }
    search.found
}

struct Search {
    revision: Revision,
    found: Vec<String>,
}

impl Search {
    fn older_than(&self, revision: Revision) -> bool {
        self.revision < revision
    }

    fn forbid(&mut self, object: &Map<String, Value>, names: &[&str]) {
        for name in names {
            if object.contains_key(*name) {
                self.found.push(format!("`{name}` for a peer of {}", self.revision));
            }
        }
    }

    /// Rules for complete parameters and results.
    fn top(&mut self, method: &str, part: &Value) {
        let Value::Object(top) = part else { return self.found.push("not an object".into()) };
        if self.revision.is_modern() {
            if let Some(Value::Object(declared)) = top.get("_meta").and_then(|meta| meta.get(CLIENT_CAPABILITIES)) {
                self.forbid(declared, &["tasks"]);
            }
        } else {
            self.forbid(top, &["resultType", "ttlMs", "cacheScope", "inputResponses", "requestState", "inputRequests"]);
            for key in top.get("_meta").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
                if key.starts_with("io.modelcontextprotocol/") && !key.ends_with("/subscriptionId") {
                    self.found.push(format!("`{key}` for a peer of {}", self.revision));
                }
            }
        }
        if self.older_than(Revision::V2025_11_25) && method == "elicitation/create" {
            self.forbid(top, &["mode", "url", "elicitationId", "task"]);
            for field in top["requestedSchema"]["properties"].as_object().into_iter().flat_map(Map::values) {
                let Value::Object(field) = field else { continue };
                self.forbid(field, &["oneOf", "items", "minItems", "maxItems"]);
                if field["type"] != "boolean" {
                    self.forbid(field, &["default"]);
                }
                if field["type"] == "array" {
                    self.found.push("a field of several choices".into());
                }
            }
        }
        if self.older_than(Revision::V2025_11_25) && top.get("action").is_some_and(|action| action != "accept") {
            self.forbid(top, &["content"]);
        }
        if self.older_than(Revision::V2025_03_26) && method == "notifications/progress" {
            self.forbid(top, &["message"]);
        }
    }

    fn value(&mut self, value: &Value, name: &str, depth: usize) {
        match value {
            Value::Object(object) => {
                self.object(object, name, depth);
                for (name, value) in object.iter().filter(|(name, _)| !OPAQUE.contains(&name.as_str())) {
                    self.value(value, name, depth + 1);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.value(item, name, depth + 1)),
            _ => {}
        }
    }

    /// Rules for any object, with its member name.
    fn object(&mut self, object: &Map<String, Value>, name: &str, depth: usize) {
        let is_program = object.contains_key("name") && object.contains_key("version");
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
        if self.revision.is_modern() {
            self.forbid(object, &["execution", "task", "elicitationId"]);
            if depth > 0 {
                self.forbid(object, &["tasks"]);
            }
        } else {
            self.forbid(object, &["extensions"]);
            if object.get("structuredContent").is_some_and(|content| !content.is_object()) {
                self.found.push("structured content that is not an object".into());
            }
            if object.get("outputSchema").is_some_and(|schema| schema["type"] != "object") {
                self.found.push("an output schema with a type other than object".into());
            }
        }
        if self.older_than(Revision::V2025_11_25) {
            self.forbid(object, &["icons", "websiteUrl", "execution", "tasks", "task", "toolChoice"]);
            if is_program {
                self.forbid(object, &["description"]);
            }
            if object.contains_key("maxTokens") {
                self.forbid(object, &["tools"]);
            }
            if matches!(kind, "tool_use" | "tool_result") {
                self.found.push(format!("content of type `{kind}`"));
            }
            if object.contains_key("role") && object["content"].is_array() {
                self.found.push("several blocks in one message".into());
            }
            if object.contains_key("role") && depth > 0 {
                self.forbid(object, &["_meta"]);
            }
            if matches!(name, "sampling" | "elicitation") && !object.is_empty() {
                self.found.push(format!("sub-capabilities of `{name}`"));
            }
        }
        if self.older_than(Revision::V2025_06_18) {
            self.forbid(object, &["structuredContent", "outputSchema", "lastModified", "context", "elicitation"]);
            if kind == "resource_link" {
                self.found.push("content of type `resource_link`".into());
            }
            if name != "annotations" {
                self.forbid(object, &["title"]); // tool annotations have a title since 2025-03-26
            }
            if depth > 0 {
                self.forbid(object, &["_meta"]);
            }
        }
        if self.older_than(Revision::V2025_03_26) {
            self.forbid(object, &["completions"]);
            if object.contains_key("inputSchema") {
                self.forbid(object, &["annotations"]);
            }
            if kind == "audio" {
                self.found.push("content of type `audio`".into());
            }
        }
    }

    fn error(&mut self, error: &Value) {
        let code = error["code"].as_i64().unwrap_or_default();
        let theirs = match code {
            -32019..=-32001 => !self.revision.is_modern(),
            -32022..=-32020 => self.revision.is_modern(),
            -32042 => self.revision == Revision::V2025_11_25,
            -32099..=-32023 => false,
            _ => true,
        };
        if !theirs {
            self.found.push(format!("the code {code} for a peer of {}", self.revision));
        }
    }
}

#[test]
fn finds_unsupported_features_when_message_is_too_new() {
    // The other tests are meaningful only if this search detects unsupported features.
    use serde_json::json;
    let result = |result: Value| json!({ "jsonrpc": "2.0", "id": 1, "result": result });
    let audio = result(json!({ "content": [{ "type": "audio", "data": "", "mimeType": "audio/wav" }] }));
    let titled = result(json!({ "tools": [{ "name": "t", "title": "T", "inputSchema": { "type": "object" } }] }));
    let hinted = result(json!({ "tools": [], "ttlMs": 1 }));
    let tasks = result(json!({ "capabilities": { "tasks": {} } }));
    for (revision, message, found) in [
        (Revision::V2024_11_05, &audio, 1),
        (Revision::V2025_03_26, &audio, 0),
        (Revision::V2025_03_26, &titled, 1),
        (Revision::V2025_06_18, &titled, 0),
        (Revision::V2025_11_25, &hinted, 1),
        (Revision::V2026_07_28, &hinted, 0),
        (Revision::V2025_06_18, &tasks, 1),
        (Revision::V2025_11_25, &tasks, 0),
        (Revision::V2026_07_28, &tasks, 1),
        (Revision::V2026_07_28, &json!({ "error": { "code": -32002 } }), 1),
    ] {
        assert_eq!(unsupported_features(revision, message).len(), found, "{revision} {message}");
    }
}
