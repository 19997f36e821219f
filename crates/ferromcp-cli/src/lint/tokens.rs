//! The estimate of the tokens that a tool costs in each request to a model.

use ferromcp_core::model::ToolDefinition;
use serde_json::Value;

/// Bytes of a definition for each token.
const BYTES_PER_TOKEN: usize = 4;

/// Returns the estimated tokens of a tool as hosts send it: the name, the description and the input schema without white
/// space.
pub(super) fn of_tool(tool: &ToolDefinition, schema: Option<&Value>) -> usize {
    let schema = schema.map_or(tool.input_schema.as_str().len(), |schema| schema.to_string().len());
    let description = tool.description.as_deref().unwrap_or_default();
    // The keys of the members, and quotation marks.
    let frame = r#"{"name":"","description":"","parameters":}"#.len();
    let bytes = frame + tool.name.len() + json_length(description) + schema;
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// Returns the length of a text in JSON, without quotation marks.
fn json_length(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '"' | '\\' | '\n' | '\r' | '\t') { 2 } else { c.len_utf8() }).sum()
}
