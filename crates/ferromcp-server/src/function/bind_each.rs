//! Deserializes arguments one by one, after they failed to deserialize in one pass.
//!
//! In lenient mode, the mistakes that models make often are repaired: a JSON value that is encoded as a string, and a
//! blank string for an optional argument. All errors are collected, so that the model can correct them in one retry.

use std::borrow::Cow;
use std::slice;

use ferromcp_core::{RawJson, RawMap};
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess};
use serde_json::{Map, Value};

use super::blanks::{is_blank, remove_blank_at, remove_blanks};
use super::expectation::resolve;
use super::integral_floats;
use super::invocation::{Input, Invocation};
use super::mismatch::Mismatch;
use super::param::ParamList;
use super::rejection::Rejection;
use super::signature::Signature;
use super::text_value::{TextValue, map_of};
use super::violations::{conforms, excerpt, is_required, unknown_argument, violations};

/// The maximum number of errors in one rejection.
const MAX_ERRORS: usize = 20;

/// The maximum number of blank values that a type rejects although its schema allows them. Each costs an attempt.
const MAX_BLANKS: usize = 32;

/// The errors of one call, at most [`MAX_ERRORS`].
#[derive(Default)]
struct Errors(Vec<String>);

impl Errors {
    fn push(&mut self, error: String) {
        if !self.0.contains(&error) {
            self.0.push(error);
        }
    }

    fn extend(&mut self, errors: impl IntoIterator<Item = String>) {
        errors.into_iter().for_each(|error| self.push(error));
    }

    fn is_full(&self) -> bool {
        self.0.len() >= MAX_ERRORS
    }

    /// Returns the rejection, or `slots` if there are no errors.
    fn finish<S>(mut self, slots: S) -> Result<S, Rejection> {
        if self.0.is_empty() {
            return Ok(slots);
        }
        if self.0.len() > MAX_ERRORS || self.is_full() {
            self.0.truncate(MAX_ERRORS);
            self.0.push("more errors may follow; validation stopped here".to_owned());
        }
        Err(Rejection::Arguments(self.0))
    }
}

/// Deserializes the arguments from JSON.
///
/// # Errors
/// Returns all errors of the arguments.
pub(super) fn from_json<L: ParamList<M>, M>(
    signature: &Signature,
    json: &str,
    invocation: &Invocation<'_>,
) -> Result<L::Slots, Rejection> {
    let given: RawMap = match serde_json::from_str(json) {
        Ok(given) => given,
        Err(error) => return Err(Rejection::argument(format!("cannot parse the arguments: {error}"))),
    };
    let mut slots = L::Slots::default();
    let mut errors = Errors::default();
    for (name, value) in given.iter() {
        if errors.is_full() {
            break;
        }
        match signature.position(name) {
            Some(index) => {
                errors.extend(one_from_json::<L, M>(&mut slots, signature, index, value, invocation.is_lenient()));
            }
            None if signature.takes_all() => {}
            None => errors.push(unknown_name(signature, name)),
        }
    }
    let is_given = |name: &str| given.get(name).is_some();
    errors.extend(signature.required().filter(|name| !is_given(name)).map(|name| format!("`{name}` is missing")));
    errors.extend(L::check(&slots, signature, invocation));
    if !errors.0.is_empty() && signature.takes_all() {
        if let Ok(all) = serde_json::from_str::<Value>(json) {
            errors.extend(violations(signature.error_schema(), signature.error_schema(), "", &all, MAX_ERRORS));
        }
    }
    errors.finish(slots)
}

/// Deserializes one argument into its slot. Returns its errors.
fn one_from_json<L: ParamList<M>, M>(
    slots: &mut L::Slots,
    signature: &Signature,
    index: usize,
    given: &RawJson,
    lenient: bool,
) -> Vec<String> {
    let Err(mut mismatch) = L::deserialize_json(slots, index, given.as_str()) else { return Vec::new() };
    let mut value: Value = given.decode().unwrap_or_default();
    let schema = argument_schema(signature, index);
    if lenient {
        if is_blank(&value) && signature.is_optional(index) {
            return Vec::new(); // same as a missing argument
        }
        if let Some((text, inner)) = json_in_string(&value) {
            match L::deserialize_json(slots, index, &text) {
                Ok(()) => return Vec::new(),
                // An encoded object or list was meant as such, so its errors are reported.
                Err(_) if inner.is_object() || inner.is_array() => value = inner,
                Err(_) => {}
            }
        }
        let deserialize = |value: &Value| L::deserialize_json(slots, index, &value.to_string());
        match without_blanks_until(signature.error_schema(), schema, &mut value, deserialize) {
            Ok(()) => return Vec::new(),
            Err(remaining) => mismatch = remaining,
        }
    }
    let name = &signature.arg(index).name;
    errors_of(signature, schema, name, &value, &mismatch)
}

/// Deserializes the arguments from texts.
///
/// # Errors
/// Returns all errors of the arguments.
pub(super) fn from_texts<L: ParamList<M>, M>(
    signature: &Signature,
    texts: &[(Cow<'_, str>, TextValue<'_>)],
    invocation: &Invocation<'_>,
) -> Result<L::Slots, Rejection> {
    let mut slots = L::Slots::default();
    let mut errors = Errors::default();
    for entry @ (name, text) in texts {
        if errors.is_full() {
            break;
        }
        let Some(index) = signature.position(name) else {
            if !signature.takes_all() {
                errors.push(unknown_name(signature, name));
            }
            continue;
        };
        if let TextValue::Invalid(json) = text {
            errors.push(format!("`{name}` must be a string, got {}", excerpt(json)));
            continue;
        }
        let mut map = map_of(slice::from_ref(entry));
        let read = map.next_key::<IgnoredAny>().and_then(|_| L::deserialize_arg(&mut slots, index, &mut map));
        let is_blank = matches!(text, TextValue::One(text) if text.trim().is_empty());
        match read {
            Err(_) if invocation.is_lenient() && is_blank && signature.is_optional(index) => {}
            Err(error) => {
                let schema = argument_schema(signature, index);
                let value = value_of_text(signature.error_schema(), schema, text);
                let mismatch = Mismatch::new(String::new(), &error.to_string());
                errors.extend(errors_of(signature, schema, name, &value, &mismatch));
            }
            Ok(()) => {}
        }
    }
    let is_given = |name: &str| texts.iter().any(|(given, _)| given == name);
    errors.extend(signature.required().filter(|name| !is_given(name)).map(|name| format!("`{name}` is missing")));
    errors.extend(L::check(&slots, signature, invocation));
    errors.finish(slots)
}

/// Deserializes all arguments as one `T`.
///
/// # Errors
/// Returns all errors of the arguments.
pub(super) fn all<T: DeserializeOwned>(signature: &Signature, input: Input<'_>, lenient: bool) -> Result<T, Rejection> {
    let schema = || signature.error_schema();
    let (mut value, mut mismatch) = match input {
        Input::Json(json) => match integral_floats::deserialize(json) {
            Ok(all) => return Ok(all),
            Err(mismatch) => (serde_json::from_str(json).unwrap_or_default(), mismatch),
        },
        Input::Texts(texts) => match T::deserialize(serde::de::value::MapAccessDeserializer::new(map_of(texts))) {
            Ok(all) => return Ok(all),
            Err(error) => {
                let text = |(name, text): &(Cow<'_, str>, TextValue<'_>)| {
                    let schema = resolve(schema(), schema()).and_then(|root| root.get("properties")?.get(&**name));
                    (name.to_string(), value_of_text(signature.error_schema(), schema.unwrap_or(&Value::Null), text))
                };
                let value: Value = texts.iter().map(text).collect::<Map<_, _>>().into();
                if let Ok(all) = integral_floats::deserialize(&value.to_string()) {
                    return Ok(all);
                }
                (value, Mismatch::new(String::new(), &error.to_string()))
            }
        },
    };
    if lenient {
        decode_strings(schema(), &mut value);
        let deserialize = |value: &Value| integral_floats::deserialize(&value.to_string());
        match without_blanks_until(schema(), schema(), &mut value, deserialize) {
            Ok(all) => return Ok(all),
            Err(remaining) => mismatch = remaining,
        }
    }
    let mut errors = Errors::default();
    errors.extend(errors_of(signature, schema(), "", &value, &mismatch));
    errors.finish(()).and_then(|()| Err(Rejection::argument(mismatch.describe("", &value))))
}

/// Returns the errors of a value that does not deserialize: the violations of its schema, or else the error of serde.
fn errors_of(signature: &Signature, schema: &Value, name: &str, value: &Value, mismatch: &Mismatch) -> Vec<String> {
    let found = violations(signature.error_schema(), schema, name, value, MAX_ERRORS);
    if found.is_empty() { vec![mismatch.describe(name, value)] } else { found }
}

/// Returns the schema of an argument; `null` if it is unknown.
fn argument_schema(signature: &Signature, index: usize) -> &Value {
    &signature.error_schema()["properties"][&signature.arg(index).name]
}

/// Deserializes a value after `null` and blank strings are removed from its optional properties: those that the schema
/// does not allow, and then each that the type rejects.
///
/// # Errors
/// Returns the first error of the value without the removed properties.
fn without_blanks_until<T>(
    root: &Value,
    schema: &Value,
    value: &mut Value,
    mut deserialize: impl FnMut(&Value) -> Result<T, Mismatch>,
) -> Result<T, Mismatch> {
    remove_blanks(root, schema, value);
    let mut attempts = 0;
    loop {
        let mismatch = match deserialize(value) {
            Ok(deserialized) => return Ok(deserialized),
            Err(mismatch) => mismatch,
        };
        attempts += 1;
        if attempts > MAX_BLANKS || !remove_blank_at(root, schema, value, mismatch.path()) {
            return Err(mismatch);
        }
    }
}

/// Returns the JSON inside a string, for models that send `"5"` or `"{…}"` instead of `5` or `{…}`.
fn json_in_string(value: &Value) -> Option<(String, Value)> {
    let text = value.as_str()?;
    serde_json::from_str(text).ok().map(|inner| (text.to_owned(), inner))
}

/// Decodes the arguments that are JSON in a string, if their schema does not allow the string.
fn decode_strings(root: &Value, value: &mut Value) {
    let Some(all) = resolve(root, root) else { return };
    let properties = all.get("properties").and_then(Value::as_object);
    let (Some(properties), Some(members)) = (properties, value.as_object_mut()) else { return };
    for (name, member) in members {
        let Some(schema) = properties.get(name) else { continue };
        let inner = json_in_string(member).filter(|_| !conforms(root, schema, member));
        // `"null"` stands for an optional argument that is missing.
        let is_absent = |inner: &Value| inner.is_null() && !is_required(all, name);
        let is_meant = |inner: &Value| inner.is_object() || is_absent(inner) || conforms(root, schema, inner);
        if let Some((_, inner)) = inner.filter(|(_, inner)| is_meant(inner)) {
            *member = inner;
        }
    }
}

/// Returns a text as the JSON value that its schema describes, for errors.
fn value_of_text(root: &Value, schema: &Value, text: &TextValue<'_>) -> Value {
    let allows = |schema: &Value, name: &str| {
        let types = resolve(root, schema).and_then(|schema| schema.get("type"));
        types.is_some_and(|types| {
            types == name || types.as_array().is_some_and(|types| types.iter().any(|it| it == name))
        })
    };
    let scalar = |schema: &Value, text: &str| {
        let is_literal =
            !allows(schema, "string") && resolve(root, schema).is_some_and(|schema| schema.contains_key("type"));
        let literal = serde_json::from_str::<Value>(text.trim()).ok();
        literal.filter(|value| is_literal && !value.is_string()).unwrap_or_else(|| text.into())
    };
    let item = resolve(root, schema).and_then(|schema| schema.get("items")).unwrap_or(&Value::Null);
    match text {
        TextValue::One(text) if allows(schema, "array") => Value::Array(vec![scalar(item, text)]),
        TextValue::One(text) => scalar(schema, text),
        TextValue::Many(list) => list.iter().map(|text| scalar(item, text)).collect(),
        TextValue::Invalid(json) => serde_json::from_str(json).unwrap_or_default(),
    }
}

fn unknown_name(signature: &Signature, name: &str) -> String {
    let known: Vec<&str> = signature.argument_names().collect();
    unknown_argument(name, &known)
}
