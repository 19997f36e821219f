//! Validates messages of a server against the official JSON Schema of a revision.

use std::collections::HashMap;
use std::path::PathBuf;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::server_process::report_skipped;

/// The schema of a revision, with cached validators.
pub(crate) struct SchemaValidator {
    revision: &'static str,
    document: Value,
    keyword: &'static str,
    validators: HashMap<String, Validator>,
}

impl SchemaValidator {
    /// Loads the schema of `revision`; reports a skipped validation and returns `None` when it is missing.
    pub(crate) fn for_revision(revision: &'static str) -> Option<Self> {
        let default_folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/spec");
        let folder = std::env::var_os("FERROMCP_SPEC").map_or_else(|| PathBuf::from(default_folder), PathBuf::from);
        let path = folder.join("schema").join(revision).join("schema.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            let required = std::env::var_os("FERROMCP_REQUIRE_SPEC").is_some();
            assert!(
                !required,
                "cannot find {}, which FERROMCP_REQUIRE_SPEC requires; set FERROMCP_SPEC",
                path.display()
            );
            report_skipped(&format!("validation against the schema of {revision}: cannot find {}", path.display()));
            return None;
        };
        let document: Value = serde_json::from_str(&text).unwrap();
        let keyword = if document.get("$defs").is_some() { "$defs" } else { "definitions" };
        Some(Self { revision, document, keyword, validators: HashMap::new() })
    }

    /// Asserts that a message of a server is valid. `method` is the method of the request, for a response.
    pub(crate) fn validate(&mut self, message: &Value, method: Option<&str>) {
        if let Value::Array(answers) = message {
            self.validate_as("JSONRPCBatchResponse", message);
            return answers.iter().for_each(|answer| self.validate(answer, None));
        }
        self.validate_as("JSONRPCMessage", message);
        if message.get("method").is_some() {
            self.validate_as("ServerNotification", message);
        } else if message.get("error").is_some() {
            let names = ["JSONRPCErrorResponse", "JSONRPCError"];
            let name = names.into_iter().find(|name| self.document[self.keyword][name].is_object());
            self.validate_as(name.expect("the schema defines error responses"), message);
        } else if let Some(method) = method {
            self.validate_as(result_definition(method), &message["result"]);
        }
    }

    fn validate_as(&mut self, name: &str, instance: &Value) {
        let make = || {
            assert!(
                self.document[self.keyword][name].is_object(),
                "the schema of {} does not define `{name}`",
                self.revision
            );
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

/// Returns the definition of the result of `method`.
fn result_definition(method: &str) -> &'static str {
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
        other => panic!("unknown result definition for method {other}"),
    }
}
