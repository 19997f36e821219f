//! Fills a function's parameters from the call: one pass over the arguments, straight into their types.
//!
//! Only when that fails are the arguments looked at again, one by one: to read a value that a model
//! put into a string by mistake (where that is allowed), and to name every mistake at once.

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
use super::refusal::Refusal;
use super::signature::{Parameter, Signature};
use super::text_value::{TextValue, map_of};
use crate::schema;

/// The signature of a function that takes `L`, described by `args` in order.
///
/// # Errors
/// In words, when `args` do not fit.
pub(crate) fn signature<L: ParamList<M>, M>(args: &[Arg]) -> Result<Signature, String> {
    if args.len() > L::COUNT {
        return Err(format!("{} parameters are named, but the function has {}", args.len(), L::COUNT));
    }
    let unnamed = std::iter::repeat_with(|| Arg::new(""));
    let mut parameters: Vec<_> = args.iter().cloned().chain(unnamed).take(L::COUNT).map(Parameter::new).collect();
    L::declare(&mut parameters);
    Signature::new(parameters)
}

/// Fills the parameters, or says why not.
pub(crate) fn fill<L: ParamList<M>, M>(signature: &Signature, invocation: &Invocation<'_>) -> Result<L, Refusal> {
    let slots = match invocation.input() {
        Input::Json(json) => match from_json::<L, M>(signature, json) {
            Some(slots) => slots,
            None => again::<L, M>(signature, json, invocation.is_lenient())?,
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
) -> Result<L::Slots, Refusal> {
    let at = Cell::new(None);
    let visitor = Arguments::<L, M> { signature, at: &at, marker: PhantomData };
    visitor.visit_map(map_of(texts)).map_err(|mistake| match at.get() {
        Some(index) => Refusal::argument(format!("`{}`: {mistake}", signature.arg(index).name)),
        None => Refusal::argument(mistake.to_string()),
    })
}

/// Reads an object of arguments into a function's slots.
struct Arguments<'s, L, M> {
    signature: &'s Signature,
    /// The parameter being read, for the words on a mistake.
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
                Some(index) => L::feed(&mut slots, index, &mut map)?,
                None if self.signature.takes_all() => drop(map.next_value::<serde::de::IgnoredAny>()?),
                None => return Err(A::Error::custom("unknown argument")),
            }
        }
        Ok(slots)
    }
}

/// Reads an argument's name as the place of its parameter.
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

/// Reads the arguments one by one, naming every mistake.
fn again<L: ParamList<M>, M>(signature: &Signature, json: &str, lenient: bool) -> Result<L::Slots, Refusal> {
    let mut slots = L::Slots::default();
    let mut mistakes = Vec::new();
    let given: RawMap = match serde_json::from_str(json) {
        Ok(given) => given,
        Err(error) => return Err(Refusal::argument(format!("the arguments cannot be read: {error}"))),
    };
    for (name, value) in given.iter() {
        if mistakes.len() == MAX_MISTAKES {
            mistakes.push("and perhaps more, which were not looked at".to_owned());
            break;
        }
        let Some(index) = signature.position(name) else {
            if !signature.takes_all() {
                mistakes.push(unknown(signature, name));
            }
            continue;
        };
        let Err(words) = L::reread(&mut slots, index, value.as_str()) else { continue };
        if lenient && value.as_str() == "null" && signature.is_optional(index) {
            continue; // as if it were left out
        }
        let unpacked = if lenient { in_string(value) } else { None };
        if unpacked.is_none_or(|inner| L::reread(&mut slots, index, &inner).is_err()) {
            mistakes.push(wrong(signature, index, value, &words));
        }
    }
    for name in signature.required().filter(|name| given.get(name).is_none()) {
        mistakes.push(format!("`{name}` is missing"));
    }
    if mistakes.is_empty() { Ok(slots) } else { Err(Refusal::Arguments(mistakes)) }
}

/// The JSON that a string holds, where a model wrote `"5"` or `"{…}"` for `5` or `{…}`.
fn in_string(value: &RawJson) -> Option<String> {
    let text: String = value.decode().ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(&text).ok()?;
    Some(text)
}

fn wrong(signature: &Signature, index: usize, value: &RawJson, words: &str) -> String {
    let name = &signature.arg(index).name;
    if words.starts_with("at `") {
        return format!("`{name}` {words}");
    }
    let (expected, got) = (signature.in_words(index), excerpt(value.as_str()));
    // Only these mistakes are of the kind that the schema's words tell; a date that is none is still a string.
    let of_kind = ["invalid type", "invalid value", "unknown variant"].iter().any(|kind| words.starts_with(kind));
    if of_kind && expected != schema::OTHER {
        format!("`{name}` must be {expected}, got {got}")
    } else {
        format!("`{name}`: {words}, got {got}")
    }
}

/// The most mistakes that are told one by one.
const MAX_MISTAKES: usize = 20;

/// The most characters of a wrong value that its error repeats.
const EXCERPT: usize = 80;

fn excerpt(json: &str) -> String {
    match json.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &json[..end]),
        None => json.to_owned(),
    }
}

fn unknown(signature: &Signature, name: &str) -> String {
    let known: Vec<&str> = signature.argument_names().collect();
    if known.is_empty() {
        return format!("unknown argument `{}`; there are none to give", excerpt(name));
    }
    format!("unknown argument `{}`; known are `{}`", excerpt(name), known.join("`, `"))
}
