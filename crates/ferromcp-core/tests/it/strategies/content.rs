//! Strategies for content blocks, resource contents, annotations and icons.

use serde_json::{Value, json};

use super::basic::*;
use proptest::prelude::*;

/// Annotations.
pub(crate) fn annotations() -> Json {
    object([
        may("audience", list(one_of(&["user", "assistant"]))),
        may("priority", share()),
        may("lastModified", time()),
    ])
}

/// Icons.
pub(crate) fn icons() -> Json {
    some(object([
        must("src", one_of(&["https://example.com/i.png", "data:image/png;base64,QQ=="])),
        may("mimeType", one_of(&["image/png", "image/svg+xml"])),
        may("sizes", some(one_of(&["48x48", "any"]))),
        may("theme", one_of(&["light", "dark"])),
    ]))
}

/// An implementation.
pub(crate) fn implementation() -> Json {
    object([
        must("name", text()),
        must("version", text()),
        may("title", text()),
        may("description", text()),
        may("icons", icons()),
        may("websiteUrl", uri()),
    ])
}

/// The members of a resource, a resource link or a resource template.
pub(crate) fn described(at: &'static str, with_size: bool) -> Vec<Field> {
    let mut fields = vec![
        must(at, if at == "uri" { uri() } else { one_of(&["file:///{path}", "x:{a}{?b,c}"]) }),
        must("name", text()),
        may("title", text()),
        may("description", text()),
        may("mimeType", one_of(&["text/plain", "image/png"])),
        may("icons", icons()),
        may("annotations", annotations()),
        may("_meta", meta()),
    ];
    if with_size {
        fields.push(may("size", count()));
    }
    fields
}

/// Resource contents.
pub(crate) fn contents() -> Json {
    let with = |body| object([must("uri", uri()), may("mimeType", non_empty_text()), may("_meta", meta()), body]);
    either([with(must("text", text())), with(must("blob", base64()))])
}

fn block(kind: &str, fields: impl IntoIterator<Item = Field>) -> Json {
    object(
        [must("type", constant(kind)), may("annotations", annotations()), may("_meta", meta())]
            .into_iter()
            .chain(fields),
    )
}

/// Text, image or audio, which are also valid in sampling.
pub(crate) fn simple_block() -> Json {
    let media = || [must("data", base64()), must("mimeType", non_empty_text())];
    either([block("text", [must("text", text())]), block("image", media()), block("audio", media())])
}

/// Any content block.
pub(crate) fn content_block() -> Json {
    let link = object(described("uri", true)).prop_map(|mut link| {
        link["type"] = json!("resource_link");
        link
    });
    either([simple_block(), link.boxed(), block("resource", [must("resource", contents())])])
}

/// A prompt message.
pub(crate) fn prompt_message() -> Json {
    object([must("role", one_of(&["user", "assistant"])), must("content", content_block())])
}

/// Structured content: an object, or any JSON value since 2026-07-28.
pub(crate) fn structured(any: bool) -> Json {
    if any { either([open_object(), any_json(), constant(Value::Null)]) } else { open_object() }
}
