//! Strategies for list items: tools, resources, templates, prompts.

use serde_json::json;

use super::Fill;
use super::basic::*;
use super::content::*;

/// A JSON Schema for the arguments or the output of a tool.
///
/// The older MCP schemas require objects as property schemas. `true` is valid JSON Schema and must be
/// rewritten for them.
fn schema(with_booleans: bool) -> Json {
    let property = object([
        must("type", one_of(&["string", "integer"])),
        may("k0", any_json()),
        may("$ref", constant("#/$defs/k1")),
    ]);
    let property = if with_booleans { either([property, constant(true), constant(false)]) } else { property };
    object([
        must("type", constant("object")),
        may("$schema", constant("https://json-schema.org/draft/2020-12/schema")),
        may("properties", members(property)),
        may("required", constant(json!(["k0"]))),
        may("additionalProperties", boolean()),
        may("$defs", open_object()),
    ])
}

/// A tool.
pub(crate) fn tool(fill: Fill) -> Json {
    let output = schema(fill.has_modern());
    let output = if fill.has_modern() {
        either([output, constant(json!({ "type": "array", "items": { "type": "integer" } })), constant(json!({}))])
    } else {
        output
    };
    let mut fields = vec![
        must("name", non_empty_text()),
        may("title", text()),
        may("description", text()),
        must("inputSchema", schema(fill.has_modern())),
        may("outputSchema", output),
        may(
            "annotations",
            object([
                may("title", text()),
                may("readOnlyHint", boolean()),
                may("destructiveHint", boolean()),
                may("idempotentHint", boolean()),
                may("openWorldHint", boolean()),
            ]),
        ),
        may("icons", icons()),
        may("_meta", meta()),
    ];
    if fill.has_legacy() {
        let support = one_of(&["forbidden", "optional", "required"]);
        fields.push(may("execution", object([may("taskSupport", support)])));
    }
    object(fields)
}

/// A resource.
pub(crate) fn resource() -> Json {
    object(described("uri", true))
}

/// A resource template.
pub(crate) fn template() -> Json {
    object(described("uriTemplate", false))
}

/// A prompt.
pub(crate) fn prompt() -> Json {
    let argument =
        object([must("name", text()), may("title", text()), may("description", text()), may("required", boolean())]);
    object([
        must("name", non_empty_text()),
        may("title", text()),
        may("description", text()),
        may("arguments", some(argument)),
        may("icons", icons()),
        may("_meta", meta()),
    ])
}
