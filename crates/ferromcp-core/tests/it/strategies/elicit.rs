//! Strategies for elicitation: forms, URLs, results.

use serde_json::json;

use super::basic::*;
use super::task::wish;

/// The peer of an elicitation, which determines its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ElicitPeer {
    /// A peer of 2025-06-18, which supports forms only.
    FormOnly,
    /// A peer of 2025-11-25.
    Legacy,
    /// A modern peer, in an `input_required` result.
    Modern,
    /// Any peer, with the members of both eras.
    Both,
}

fn field(kind: &str, fields: impl IntoIterator<Item = Field>) -> Json {
    object([must("type", constant(kind)), may("title", text()), may("description", text())].into_iter().chain(fields))
}

fn primitive() -> Json {
    let choice = || object([must("const", non_empty_text()), must("title", text())]);
    let whole = || (0_i32..9).prop_map_json();
    either([
        field(
            "string",
            [
                may("minLength", whole()),
                may("maxLength", whole()),
                may("format", one_of(&["email", "uri", "date", "date-time"])),
                may("default", text()),
            ],
        ),
        // The generated schemas up to 2025-11-25 have `integer` for these fields, the TypeScript types `number`.
        field("number", [may("minimum", whole()), may("maximum", whole()), may("default", whole())]),
        field("integer", [may("minimum", whole()), may("maximum", whole()), may("default", whole())]),
        field("boolean", [may("default", boolean())]),
        field(
            "string",
            [must("enum", list(non_empty_text())), may("enumNames", list(text())), may("default", non_empty_text())],
        ),
        field("string", [must("oneOf", list(choice())), may("default", non_empty_text())]),
        field(
            "array",
            [
                must("items", object([must("type", constant("string")), must("enum", list(non_empty_text()))])),
                may("minItems", whole()),
                may("maxItems", whole()),
                may("default", list(non_empty_text())),
            ],
        ),
        field(
            "array",
            [must("items", object([must("anyOf", list(choice()))])), may("default", list(non_empty_text()))],
        ),
    ])
}

trait IntoJson {
    fn prop_map_json(self) -> Json;
}

impl<S: proptest::strategy::Strategy<Value = i32> + 'static> IntoJson for S {
    fn prop_map_json(self) -> Json {
        use proptest::strategy::Strategy;
        self.prop_map(serde_json::Value::from).boxed()
    }
}

/// The parameters of `elicitation/create`.
pub(crate) fn params(peer: ElicitPeer) -> Json {
    let extra = || {
        let legacy =
            [may("task", wish()), may("_meta", object([must("progressToken", id()), may("plain", any_json())]))];
        legacy.into_iter().filter(move |_| peer != ElicitPeer::Modern)
    };
    let schema = object([
        must("type", constant("object")),
        may("$schema", constant("https://json-schema.org/draft/2020-12/schema")),
        must("properties", members(primitive())),
        may("required", constant(json!(["k0", "k1"]))),
    ]);
    let form = [must("message", text()), must("requestedSchema", schema), may("mode", constant("form"))];
    let form = object(form.into_iter().chain(extra()));
    let mut url = vec![must("message", text()), must("url", uri()), must("mode", constant("url"))];
    if peer != ElicitPeer::Modern {
        url.push(must("elicitationId", non_empty_text())); // required in the legacy era
    }
    match peer {
        ElicitPeer::FormOnly => form,
        _ => either([form, object(url.into_iter().chain(extra()))]),
    }
}

/// The result. `several` enables multiple choices (since 2025-11-25).
///
/// The generated schemas allow only integers for numbers.
pub(crate) fn result(several: bool, with_meta: bool) -> Json {
    let whole = (0_i32..9).prop_map_json();
    let mut value = vec![text(), whole, boolean()];
    if several {
        value.push(list(text()));
    }
    let mut fields =
        vec![must("action", one_of(&["accept", "decline", "cancel"])), may("content", members(either(value)))];
    if with_meta {
        fields.push(may("_meta", meta()));
    }
    object(fields)
}
