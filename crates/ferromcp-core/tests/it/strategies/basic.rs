//! Texts, numbers, opaque JSON, and objects of fields.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Some JSON.
pub(crate) type Json = BoxedStrategy<Value>;

/// A member of an object: its name, whether it is always there, its value.
pub(crate) struct Field(&'static str, bool, Json);

/// A member that is always there.
pub(crate) fn must(name: &'static str, value: Json) -> Field {
    Field(name, true, value)
}

/// A member that may be there.
pub(crate) fn may(name: &'static str, value: Json) -> Field {
    Field(name, false, value)
}

/// An object of these members.
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

/// Always this.
pub(crate) fn constant(value: impl Into<Value>) -> Json {
    Just(value.into()).boxed()
}

/// One of these texts.
pub(crate) fn one_of(texts: &'static [&'static str]) -> Json {
    proptest::sample::select(texts).prop_map(Value::from).boxed()
}

/// One of these.
pub(crate) fn either(arms: impl IntoIterator<Item = Json>) -> Json {
    proptest::strategy::Union::new(arms).boxed()
}

/// Up to two of these.
pub(crate) fn list(of: Json) -> Json {
    vec(of, 0..3).prop_map(Value::from).boxed()
}

/// One or two of these; an empty list is written like an absent one.
pub(crate) fn some(of: Json) -> Json {
    vec(of, 1..3).prop_map(Value::from).boxed()
}

/// Any text: empty, with escapes, beyond ASCII.
pub(crate) fn text() -> Json {
    prop_oneof!["[a-zA-Z0-9 ]{0,8}", "\\PC{0,4}", Just(String::new()), Just("\"\\\n\u{0}\u{7f}\u{2028}é😀".to_owned())]
        .prop_map(Value::from)
        .boxed()
}

/// A text of at least one character.
pub(crate) fn word() -> Json {
    "[a-z][a-z0-9_.-]{0,6}".prop_map(Value::from).boxed()
}

/// A URI.
pub(crate) fn uri() -> Json {
    "(https|file|custom)://[a-z]{1,4}/[a-z]{0,4}".prop_map(Value::from).boxed()
}

/// Bytes in base64.
pub(crate) fn base64() -> Json {
    one_of(&["", "QQ==", "QUJD", "/+8="])
}

/// A time.
pub(crate) fn time() -> Json {
    one_of(&["2025-01-12T15:00:58Z", "2026-07-28T00:00:00.5+02:00"])
}

/// Yes or no.
pub(crate) fn boolean() -> Json {
    any::<bool>().prop_map(Value::from).boxed()
}

/// A whole number that any peer can hold.
pub(crate) fn count() -> Json {
    prop_oneof![Just(0_u64), 0_u64..1000, Just((1 << 53) - 1)].prop_map(Value::from).boxed()
}

/// A number from 0 to 1, in steps that every reader reads alike.
pub(crate) fn share() -> Json {
    (0_u8..=8).prop_map(|eighths| json!(f64::from(eighths) / 8.0)).boxed()
}

/// A number, perhaps with a fraction.
pub(crate) fn number() -> Json {
    any::<i16>().prop_map(|quarters| json!(f64::from(quarters) / 4.0)).boxed()
}

/// A request's id, or a progress token.
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

/// Any JSON, opaque to the protocol.
pub(crate) fn any_json() -> Json {
    let leaf = prop_oneof![Just(Value::Null), boolean(), text(), number(), any::<i64>().prop_map(Value::from)];
    nested(leaf.boxed())
}

/// Any JSON object.
pub(crate) fn open_object() -> Json {
    members(any_json())
}

/// A JSON object as the generated schema of 2026-07-28 has `JSONObject`: it forgot `null` and
/// fractions, which TypeScript's type allows.
pub(crate) fn plain_object() -> Json {
    members(nested(prop_oneof![boolean(), text(), any::<i32>().prop_map(Value::from)].boxed()))
}

fn nested(leaf: Json) -> Json {
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![vec(inner.clone(), 0..3).prop_map(Value::from), members(inner)].boxed()
    })
    .boxed()
}

/// An object of opaque keys.
pub(crate) fn members(of: Json) -> Json {
    vec(of, 0..3)
        .prop_map(|values| {
            let members: Map<String, Value> =
                values.into_iter().enumerate().map(|(index, value)| (format!("k{index}"), value)).collect();
            Value::Object(members)
        })
        .boxed()
}

/// A `_meta` with keys that nobody here knows.
pub(crate) fn meta() -> Json {
    object([must("com.example/foreign", any_json()), may("traceparent", word()), may("plain", any_json())])
}
