//! The official schema of a revision, and what it says of one line of a server.

use std::collections::HashMap;
use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::peer::skipped;

/// The schema of one revision.
pub(crate) struct Official {
    revision: &'static str,
    document: Value,
    keyword: &'static str,
    validators: HashMap<String, Validator>,
}

impl Official {
    /// The schema of `revision`, or `None` after saying so.
    pub(crate) fn of(revision: &'static str) -> Option<Self> {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/spec");
        let folder = std::env::var_os("FERROMCP_SPEC").map_or_else(|| PathBuf::from(beside), PathBuf::from);
        let path = folder.join("schema").join(revision).join("schema.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            let required = std::env::var_os("FERROMCP_REQUIRE_SPEC").is_some();
            assert!(!required, "FERROMCP_REQUIRE_SPEC is set, but there is no {}; set FERROMCP_SPEC", path.display());
            skipped(&format!("what is said in {revision} is not held to its schema: no {}", path.display()));
            return None;
        };
        let document: Value = serde_json::from_str(&text).unwrap();
        let keyword = if document.get("$defs").is_some() { "$defs" } else { "definitions" };
        Some(Self { revision, document, keyword, validators: HashMap::new() })
    }

    /// Insists that `message` from a server is valid. `method` is that of the request it answers, if it answers one.
    pub(crate) fn hold(&mut self, message: &Value, method: Option<&str>) {
        if let Value::Array(answers) = message {
            self.validate("JSONRPCBatchResponse", message);
            return answers.iter().for_each(|answer| self.hold(answer, None));
        }
        self.validate("JSONRPCMessage", message);
        if message.get("method").is_some() {
            self.validate("ServerNotification", message);
        } else if message.get("error").is_some() {
            let names = ["JSONRPCErrorResponse", "JSONRPCError"];
            let name = names.into_iter().find(|name| self.document[self.keyword][name].is_object());
            self.validate(name.expect("errors have a definition"), message);
        } else if let Some(method) = method {
            self.validate(result_of(method), &message["result"]);
        }
    }

    fn validate(&mut self, name: &str, instance: &Value) {
        let make = || {
            assert!(self.document[self.keyword][name].is_object(), "{} has no `{name}`", self.revision);
            let schema = json!({
                "$schema": self.document["$schema"],
                "$ref": format!("#/{}/{name}", self.keyword),
                self.keyword: self.document[self.keyword],
            });
            jsonschema::validator_for(&schema).unwrap()
        };
        let validator = self.validators.entry(name.to_owned()).or_insert_with(make);
        let found: Vec<String> =
            validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(found.is_empty(), "{} {name}: {}\nin {instance}", self.revision, found.join("; "));
    }
}

/// The definition of what answers `method`.
fn result_of(method: &str) -> &'static str {
    match method {
        "initialize" => "InitializeResult",
        "server/discover" => "DiscoverResult",
        "ping" | "logging/setLevel" => "EmptyResult",
        "tools/list" => "ListToolsResult",
        "tools/call" => "CallToolResult",
        "resources/list" => "ListResourcesResult",
        "resources/templates/list" => "ListResourceTemplatesResult",
        "resources/read" => "ReadResourceResult",
        "prompts/list" => "ListPromptsResult",
        "prompts/get" => "GetPromptResult",
        "completion/complete" => "CompleteResult",
        other => panic!("no definition is known for the result of {other}"),
    }
}
