//! Signatures of tools and prompts, such as `add(a: integer, b: integer = 1)`.

use ferromcp_core::model::{PromptDefinition, ToolDefinition};
use ferromcp_core::text::{excerpt, reason};
use serde_json::Value;

use crate::schema::Schema;

/// Maximum number of arguments that are shown.
const MAX_ARGUMENTS: usize = 40;

/// Maximum number of values of an enum that are shown.
const MAX_VALUES: usize = 8;

/// Maximum nesting of array types that is shown.
const MAX_NESTING: usize = 3;

/// Returns the signature of a tool. An optional argument without a default is marked with `?`.
pub(crate) fn tool_signature(tool: &ToolDefinition) -> String {
    let document: Value = tool.input_schema.decode().unwrap_or_default();
    let schema = Schema::new(&document);
    let required = schema.required();
    let argument = |(name, schema): (&str, Schema<'_>)| {
        let kind = type_name(schema, MAX_NESTING);
        let kind = if kind.is_empty() { String::new() } else { format!(": {kind}") };
        let default = schema.alternatives().iter().find_map(|it| it.default());
        match default {
            Some(default) => format!("{}{kind} = {}", excerpt(name), excerpt(&default.to_string())),
            None if required.contains(&name) => format!("{}{kind}", excerpt(name)),
            None => format!("{}?{kind}", excerpt(name)),
        }
    };
    signature(&tool.name, schema.properties().into_iter().map(argument))
}

/// Returns the signature of a prompt. Its arguments are strings.
pub(crate) fn prompt_signature(prompt: &PromptDefinition) -> String {
    let arguments = prompt.arguments.iter().map(|argument| {
        let mark = if argument.required == Some(true) { "" } else { "?" };
        format!("{}{mark}", excerpt(&argument.name))
    });
    signature(&prompt.name, arguments)
}

fn signature(name: &str, arguments: impl Iterator<Item = String>) -> String {
    let mut arguments: Vec<String> = arguments.take(MAX_ARGUMENTS + 1).collect();
    if arguments.len() > MAX_ARGUMENTS {
        arguments.truncate(MAX_ARGUMENTS);
        arguments.push("…".to_owned());
    }
    format!("{}({})", excerpt(name), arguments.join(", "))
}

/// Returns the type of a value, such as `integer`, `string[]` or `"a" | "b"`. Empty if it is not restricted.
pub(crate) fn type_name(schema: Schema<'_>, nesting: usize) -> String {
    let mut names: Vec<String> = Vec::new();
    for alternative in schema.alternatives() {
        let values = alternative.own_values();
        let parts: Vec<String> = if values.is_empty() {
            let shown = |name: &str| match name {
                "array" if nesting > 0 => array_name(alternative, nesting),
                other => reason(other).to_string(),
            };
            alternative.own_types().into_iter().map(shown).collect()
        } else {
            let mut shown: Vec<String> =
                values.iter().take(MAX_VALUES).map(|value| excerpt(&value.to_string()).to_string()).collect();
            if values.len() > MAX_VALUES {
                shown.push("…".to_owned());
            }
            shown
        };
        for part in parts {
            if !names.contains(&part) {
                names.push(part);
            }
        }
    }
    names.join(" | ")
}

fn array_name(schema: Schema<'_>, nesting: usize) -> String {
    match schema.items().map(|items| type_name(items, nesting - 1)) {
        Some(item) if item.contains(" | ") => format!("({item})[]"),
        Some(item) if !item.is_empty() => format!("{item}[]"),
        _ => "array".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::RawJson;
    use ferromcp_core::model::PromptArgument;
    use serde_json::json;

    use super::*;

    fn tool(schema: Value) -> String {
        tool_signature(&ToolDefinition::new("t", RawJson::from(schema)))
    }

    #[test]
    fn signature_shows_types_and_defaults() {
        let schema = json!({
            "properties": {
                "a": { "type": "integer" },
                "b": { "type": "integer", "default": 1 },
                "unit": { "$ref": "#/$defs/Unit" },
                "tags": { "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "null" }] },
                "any": {},
            },
            "required": ["a", "unit"],
            "$defs": { "Unit": { "type": "string", "enum": ["c", "f"] } },
        });
        let expected = r#"t(a: integer, b: integer = 1, unit: "c" | "f", tags?: string[] | null, any?)"#;
        assert_eq!(tool(schema), expected);
        assert_eq!(tool(json!({ "type": "object" })), "t()");
        assert_eq!(tool(json!("nonsense")), "t()");
    }

    #[test]
    fn signature_is_bounded_and_escaped_when_schema_is_hostile() {
        let properties: serde_json::Map<String, Value> =
            (0..500).map(|index| (format!("\u{1b}[31m{index}"), json!({ "default": "x".repeat(5000) }))).collect();
        let shown = tool(json!({ "properties": properties }));
        assert!(shown.len() < 20_000 && !shown.contains('\u{1b}') && shown.ends_with(", …)"), "{}", shown.len());
    }

    #[test]
    fn signature_of_prompt_marks_optional_arguments() {
        let mut code = PromptArgument::new("code");
        code.required = Some(true);
        let mut prompt = PromptDefinition::new("review");
        prompt.arguments = vec![code, PromptArgument::new("style")];
        assert_eq!(prompt_signature(&prompt), "review(code, style?)");
    }
}
