//! Deserializes the parameters of a function from the arguments of a call, in one pass.
//!
//! If that fails, the arguments are deserialized again one by one, to parse JSON values that a model encoded as strings
//! (in lenient mode), and to report all errors together.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};

use ferromcp_core::{RawJson, RawMap};

use super::arg::Arg;
use super::invocation::{Input, Invocation};
use super::param::ParamList;
use super::rejection::Rejection;
use super::signature::{Parameter, Signature};
use super::text_value::{TextValue, map_of};
use crate::schema;

/// Returns the signature of a function with parameters `L`, described by `args` in order.
///
/// # Errors
/// Returns a message if `args` do not match the parameters.
pub(crate) fn signature<L: ParamList<M>, M>(args: &[Arg]) -> Result<Signature, String> {
    if args.len() > L::COUNT {
        return Err(format!("{} parameters are named, but the function has {}", args.len(), L::COUNT));
    }
    let unnamed = std::iter::repeat_with(|| Arg::new(""));
    let mut parameters: Vec<_> = args.iter().cloned().chain(unnamed).take(L::COUNT).map(Parameter::new).collect();
    L::declare(&mut parameters);
    Signature::new(parameters)
}

/// Deserializes and validates the parameters of a call.
///
/// # Errors
/// Returns a [`Rejection`] if an argument is invalid or an extractor fails.
pub(crate) fn bind<L: ParamList<M>, M>(signature: &Signature, invocation: &Invocation<'_>) -> Result<L, Rejection> {
    let slots = match invocation.input() {
        Input::Json(json) => match from_json::<L, M>(signature, json) {
            Some(slots) => slots,
            None => deserialize_each::<L, M>(signature, json, invocation.is_lenient())?,
        },
        Input::Texts(texts) => from_texts::<L, M>(signature, texts)?,
    };
    L::finish(slots, signature, invocation)
}

fn from_json<L: ParamList<M>, M>(signature: &Signature, json: &str) -> Option<L::Slots> {
    let at = Cell::new(None);
    let visitor = Arguments::<L, M> { signature, at: &at, marker: PhantomData };
    serde_json::Deserializer::from_str(json).deserialize_map(visitor).ok()
}

fn from_texts<L: ParamList<M>, M>(
    signature: &Signature,
    texts: &[(Cow<'_, str>, TextValue<'_>)],
) -> Result<L::Slots, Rejection> {
    let at = Cell::new(None);
    let visitor = Arguments::<L, M> { signature, at: &at, marker: PhantomData };
    visitor.visit_map(map_of(texts)).map_err(|error| match at.get() {
        Some(index) => Rejection::argument(format!("`{}`: {error}", signature.arg(index).name)),
        None => Rejection::argument(error.to_string()),
    })
}

/// Deserializes an object of arguments into the slots of a function.
struct Arguments<'s, L, M> {
    signature: &'s Signature,
    /// The current parameter, for error messages.
    at: &'s Cell<Option<usize>>,
    marker: PhantomData<fn() -> (L, M)>,
}

impl<'de, L: ParamList<M>, M> Visitor<'de> for Arguments<'_, L, M> {
    type Value = L::Slots;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of arguments")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<L::Slots, A::Error> {
        let mut slots = L::Slots::default();
        while let Some(index) = map.next_key_seed(Name(self.signature))? {
            self.at.set(index);
            match index {
                Some(index) => L::deserialize_arg(&mut slots, index, &mut map)?,
                None if self.signature.takes_all() => drop(map.next_value::<serde::de::IgnoredAny>()?),
                None => return Err(A::Error::custom("unknown argument")),
            }
        }
        Ok(slots)
    }
}

/// Deserializes the name of an argument into the index of its parameter.
struct Name<'s>(&'s Signature);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an argument's name")
    }
    fn visit_str<E>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.0.position(name))
    }
}

/// Deserializes the arguments one by one, and collects all errors.
fn deserialize_each<L: ParamList<M>, M>(
    signature: &Signature,
    json: &str,
    lenient: bool,
) -> Result<L::Slots, Rejection> {
    let mut slots = L::Slots::default();
    let mut errors = Vec::new();
    let given: RawMap = match serde_json::from_str(json) {
        Ok(given) => given,
        Err(error) => return Err(Rejection::argument(format!("cannot parse the arguments: {error}"))),
    };
    for (name, value) in given.iter() {
        if errors.len() == MAX_ERRORS {
            errors.push("more errors may follow; validation stopped here".to_owned());
            break;
        }
        let Some(index) = signature.position(name) else {
            if !signature.takes_all() {
                errors.push(unknown_argument(signature, name));
            }
            continue;
        };
        let Err(words) = L::deserialize_lenient(&mut slots, index, value.as_str()) else { continue };
        if lenient && value.as_str() == "null" && signature.is_optional(index) {
            continue; // same as a missing argument
        }
        let unpacked = if lenient { json_in_string(value) } else { None };
        if unpacked.is_none_or(|inner| L::deserialize_lenient(&mut slots, index, &inner).is_err()) {
            errors.push(invalid_argument(signature, index, value, &words));
        }
    }
    for name in signature.required().filter(|name| given.get(name).is_none()) {
        errors.push(format!("`{name}` is missing"));
    }
    if errors.is_empty() { Ok(slots) } else { Err(Rejection::Arguments(errors)) }
}

/// Returns the JSON inside a string, for models that send `"5"` or `"{…}"` instead of `5` or `{…}`.
fn json_in_string(value: &RawJson) -> Option<String> {
    let text: String = value.decode().ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).ok()?;
    Some(text)
}

fn invalid_argument(signature: &Signature, index: usize, value: &RawJson, words: &str) -> String {
    let name = &signature.arg(index).name;
    if words.starts_with("at `") {
        return format!("`{name}` {words}");
    }
    let (expected, got) = (signature.describe(index), excerpt(value.as_str()));
    // Only these errors are type errors, which the schema describes; an invalid date is still a string.
    let of_kind = ["invalid type", "invalid value", "unknown variant"].iter().any(|kind| words.starts_with(kind));
    if of_kind && expected != schema::OTHER {
        format!("`{name}` must be {expected}, got {got}")
    } else {
        format!("`{name}`: {words}, got {got}")
    }
}

/// The maximum number of errors in one rejection.
const MAX_ERRORS: usize = 20;

/// The maximum length of the excerpt of an invalid value, in characters.
const MAX_EXCERPT_CHARS: usize = 80;

fn excerpt(json: &str) -> String {
    match json.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json.to_owned(),
    }
}

fn unknown_argument(signature: &Signature, name: &str) -> String {
    let known: Vec<&str> = signature.argument_names().collect();
    if known.is_empty() {
        return format!("unknown argument `{}`; this tool takes no arguments", excerpt(name));
    }
    format!("unknown argument `{}`; known are `{}`", excerpt(name), known.join("`, `"))
}
