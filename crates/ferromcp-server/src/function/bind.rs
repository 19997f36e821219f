//! Deserializes the parameters of a function from the arguments of a call, in one pass.
//!
//! If that fails, [`bind_each`](super::bind_each) deserializes the arguments again one by one.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};

use super::arg::Arg;
use super::bind_each;
use super::extracted::Extracted;
use super::invocation::{Input, Invocation};
use super::param::ParamList;
use super::rejection::Rejection;
use super::signature::{Parameter, Signature};
use super::text_value::{TextValue, map_of};

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
pub(crate) fn bind<L: ParamList<M>, M>(
    signature: &Signature,
    invocation: &Invocation<'_>,
) -> Result<Extracted<L>, Rejection> {
    let slots = match invocation.input() {
        Input::Json(json) => match from_json::<L, M>(signature, json) {
            Some(slots) => slots,
            None => bind_each::from_json::<L, M>(signature, json, invocation)?,
        },
        Input::Texts(texts) => match from_texts::<L, M>(signature, texts) {
            Some(slots) => slots,
            None => bind_each::from_texts::<L, M>(signature, texts, invocation)?,
        },
    };
    L::finish(slots, signature, invocation)
}

fn from_json<L: ParamList<M>, M>(signature: &Signature, json: &str) -> Option<L::Slots> {
    let visitor = Arguments::<L, M> { signature, marker: PhantomData };
    serde_json::Deserializer::from_str(json).deserialize_map(visitor).ok()
}

fn from_texts<L: ParamList<M>, M>(signature: &Signature, texts: &[(Cow<'_, str>, TextValue<'_>)]) -> Option<L::Slots> {
    Arguments::<L, M> { signature, marker: PhantomData }.visit_map(map_of(texts)).ok()
}

/// Deserializes an object of arguments into the slots of a function.
struct Arguments<'s, L, M> {
    signature: &'s Signature,
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
