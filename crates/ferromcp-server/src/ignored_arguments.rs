//! Extra arguments that hosts add to the calls of tools: removed before a tool validates its arguments.

use std::borrow::Cow;

use ferromcp_core::{RawJson, RawMap};

use crate::component::ReadyTool;

/// Returns the arguments of a call of `tool` without the `ignored` ones. An argument that the tool itself declares is kept.
pub(crate) fn without_ignored<'a>(arguments: &'a str, ignored: &[String], tool: &ReadyTool) -> Cow<'a, str> {
    if ignored.is_empty() {
        return Cow::Borrowed(arguments);
    }
    let Ok(mut given) = serde_json::from_str::<RawMap>(arguments) else { return Cow::Borrowed(arguments) };
    let is_removed = |name: &&String| given.get(name).is_some() && !declares(tool, name);
    let removed: Vec<&String> = ignored.iter().filter(is_removed).collect();
    if removed.is_empty() {
        return Cow::Borrowed(arguments);
    }
    for name in removed {
        while given.remove(name).is_some() {} // a name can be given twice
    }
    serde_json::to_string(&given).map_or(Cow::Borrowed(arguments), Cow::Owned)
}

/// Returns whether the input schema of the tool has the argument.
fn declares(tool: &ReadyTool, name: &str) -> bool {
    let schema: Option<RawMap> = tool.definition.input_schema.decode().ok();
    let properties: Option<RawMap> =
        schema.and_then(|schema| schema.get("properties").and_then(|properties: &RawJson| properties.decode().ok()));
    properties.is_some_and(|properties| properties.get(name).is_some())
}
