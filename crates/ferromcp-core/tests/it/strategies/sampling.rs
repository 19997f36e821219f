//! Strategies for sampling requests and results.

use proptest::prelude::*;
use serde_json::Value;

use super::Fill;
use super::basic::*;
use super::content::{content_block, simple_block, structured};
use super::listed::tool;
use super::task::wish;

fn block(fill: Fill) -> Json {
    let tool_use = object([
        must("type", constant("tool_use")),
        must("id", non_empty_text()),
        must("name", non_empty_text()),
        must("input", open_object()),
        may("_meta", meta()),
    ]);
    let tool_result = object([
        must("type", constant("tool_result")),
        must("toolUseId", non_empty_text()),
        must("content", list(content_block())),
        may("structuredContent", structured(fill.has_modern())),
        may("isError", boolean()),
        may("_meta", meta()),
    ]);
    either([simple_block(), tool_use, tool_result])
}

/// One block as an object, or none or several in an array. An array of one is serialized as an object.
fn blocks(fill: Fill) -> Json {
    let several = list(block(fill)).prop_map(|blocks| match blocks {
        Value::Array(blocks) if blocks.len() == 1 => blocks[0].clone(),
        blocks => blocks,
    });
    either([block(fill), several.boxed()])
}

fn role() -> Json {
    one_of(&["user", "assistant"])
}

/// The parameters of `sampling/createMessage`.
pub(crate) fn params(fill: Fill) -> Json {
    let message = object([must("role", role()), must("content", blocks(fill)), may("_meta", meta())]);
    let preferences = object([
        may("hints", list(object([may("name", non_empty_text())]))),
        may("costPriority", share()),
        may("speedPriority", share()),
        may("intelligencePriority", share()),
    ]);
    let mut fields = vec![
        must("messages", list(message)),
        must("maxTokens", count()),
        may("modelPreferences", preferences),
        may("systemPrompt", text()),
        may("includeContext", one_of(&["none", "thisServer", "allServers"])),
        may("temperature", number()),
        may("stopSequences", list(text())),
        may("metadata", plain_object()),
        may("tools", list(tool(fill))),
        may("toolChoice", object([may("mode", one_of(&["auto", "none", "required"]))])),
    ];
    if fill.has_legacy() {
        fields.push(may("task", wish()));
        fields.push(may("_meta", object([must("progressToken", id()), may("plain", any_json())])));
    }
    object(fields)
}

/// The result of `sampling/createMessage`.
pub(crate) fn result(fill: Fill) -> Json {
    object([
        must("role", role()),
        must("content", blocks(fill)),
        must("model", text()),
        may("stopReason", one_of(&["endTurn", "stopSequence", "maxTokens", "toolUse", "of my own"])),
        may("_meta", meta()),
    ])
}
