//! Strategies for strings, numbers, opaque JSON and objects.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// A strategy for JSON values.
pub(crate) type Json = BoxedStrategy<Value>;

/// A member of an object: name, whether it is required, value.
pub(crate) struct Field(&'static str, bool, Json);

/// A required member.
pub(crate) fn must(name: &'static str, value: Json) -> Field {
    Field(name, true, value)
}

/// An optional member.
pub(crate) fn may(name: &'static str, value: Json) -> Field {
    Field(name, false, value)
}

/// An object with these members.
pub(crate) fn object(fields: impl IntoIterator<Item = Field>) -> Json {
    let (names, values): (Vec<_>, Vec<_>) = fields
        .into_iter()
        .map(|Field(name, always, value)| {
            let maybe =
                if always { value.prop_map(Some).boxed() } else { proptest::option::weighted(0.6, value).boxed() };
            (name, maybe)
        })
        .unzip();
    values
        .prop_map(move |values| {
            names.iter().zip(values).filter_map(|(name, value)| Some(((*name).to_owned(), value?))).collect()
        })
        .boxed()
}

/// A constant.
pub(crate) fn constant(value: impl Into<Value>) -> Json {
    Just(value.into()).boxed()
}

/// One of these strings.
pub(crate) fn one_of(texts: &'static [&'static str]) -> Json {
    proptest::sample::select(texts).prop_map(Value::from).boxed()
}

/// One of these strategies.
pub(crate) fn either(arms: impl IntoIterator<Item = Json>) -> Json {
    proptest::strategy::Union::new(arms).boxed()
}

/// A list of up to two items.
pub(crate) fn list(of: Json) -> Json {
    vec(of, 0..3).prop_map(Value::from).boxed()
}

/// A list of one or two items. An empty list is serialized like an absent one.
pub(crate) fn some(of: Json) -> Json {
    vec(of, 1..3).prop_map(Value::from).boxed()
}

/// Any string: empty, with escapes, non-ASCII.
pub(crate) fn text() -> Json {
    prop_oneof!["[a-zA-Z0-9 ]{0,8}", "\\PC{0,4}", Just(String::new()), Just("\"\\\n\u{0}\u{7f}\u{2028}é😀".to_owned())]
        .prop_map(Value::from)
        .boxed()
}

/// A non-empty string.
pub(crate) fn non_empty_text() -> Json {
    "[a-z][a-z0-9_.-]{0,6}".prop_map(Value::from).boxed()
}

/// A URI.
pub(crate) fn uri() -> Json {
    "(https|file|custom)://[a-z]{1,4}/[a-z]{0,4}".prop_map(Value::from).boxed()
}

/// Base64 data.
pub(crate) fn base64() -> Json {
    one_of(&["", "QQ==", "QUJD", "/+8="])
}

/// A timestamp.
pub(crate) fn time() -> Json {
    one_of(&["2025-01-12T15:00:58Z", "2026-07-28T00:00:00.5+02:00"])
}

/// A boolean.
pub(crate) fn boolean() -> Json {
    any::<bool>().prop_map(Value::from).boxed()
}

/// An integer that every implementation can represent.
pub(crate) fn count() -> Json {
    prop_oneof![Just(0_u64), 0_u64..1000, Just((1 << 53) - 1)].prop_map(Value::from).boxed()
}

/// A number from 0 to 1 with an exact representation.
pub(crate) fn share() -> Json {
    (0_u8..=8).prop_map(|eighths| json!(f64::from(eighths) / 8.0)).boxed()
}

/// A number, with or without a fraction.
pub(crate) fn number() -> Json {
    any::<i16>().prop_map(|quarters| json!(f64::from(quarters) / 4.0)).boxed()
}

/// A request id or a progress token.
pub(crate) fn id() -> Json {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        Just(json!(0)),
        Just(json!("")),
        Just(json!("0")),
        "\\PC{0,6}".prop_map(Value::from),
    ]
    .boxed()
}

/// Any JSON value.
pub(crate) fn any_json() -> Json {
    let leaf = prop_oneof![Just(Value::Null), boolean(), text(), number(), any::<i64>().prop_map(Value::from)];
    nested(leaf.boxed())
}

/// Any JSON object.
pub(crate) fn open_object() -> Json {
    members(any_json())
}

/// A JSON object according to `JSONObject` in the generated schema of 2026-07-28, which lacks `null` and
/// fractions that the TypeScript type allows.
pub(crate) fn plain_object() -> Json {
    members(nested(prop_oneof![boolean(), text(), any::<i32>().prop_map(Value::from)].boxed()))
}

fn nested(leaf: Json) -> Json {
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::from), members(inner)].boxed()
    })
    .boxed()
}

/// An object with opaque keys.
pub(crate) fn members(of: Json) -> Json {
    vec(of, 0..3)
        .prop_map(|values| {
            let members: Map<String, Value> =
                values.into_iter().enumerate().map(|(index, value)| (format!("k{index}"), value)).collect();
            Value::Object(members)
        })
        .boxed()
}

/// A `_meta` with unknown keys.
pub(crate) fn meta() -> Json {
    object([must("com.example/foreign", any_json()), may("traceparent", non_empty_text()), may("plain", any_json())])
}
