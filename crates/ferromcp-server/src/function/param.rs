//! Parameters of functions: arguments read from the call, and extractors taken from its context.
//!
//! A type that implements `Deserialize` and `JsonSchema` is an *argument*. A type that implements [`FromCtx`] is an
//! *extractor*. The inferred marker `M` distinguishes the two.

use std::any::{TypeId, type_name};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};

use super::arg::{Arg, DefaultValue};
use super::extracted::Extracted;
use super::integral_floats;
use super::invocation::Invocation;
use super::mismatch::Mismatch;
use super::rejection::Rejection;
use super::signature::{Kind, Parameter, Signature};

/// A parameter of a tool, resource, prompt or completion function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a tool argument nor an extractor",
    label = "not an argument, not an extractor",
    note = "for an argument, add `#[derive(serde::Deserialize, schemars::JsonSchema)]` to an owned type",
    note = "for an extractor, implement `ferromcp::server::FromCtx`; for shared state, take `State<{Self}>`"
)]
pub trait Param<M>: Sized + Send + 'static {
    /// The deserialized value, before limits and defaults apply.
    #[doc(hidden)]
    type Slot: Default;

    /// Classifies the parameter.
    #[doc(hidden)]
    fn declare(parameter: &mut Parameter);

    /// Deserializes the next map value into the slot.
    #[doc(hidden)]
    fn deserialize_arg<'de, A: MapAccess<'de>>(slot: &mut Self::Slot, map: &mut A) -> Result<(), A::Error>;

    /// Deserializes JSON text into the slot, and returns a precise error.
    #[doc(hidden)]
    fn deserialize_json(slot: &mut Self::Slot, json: &str) -> Result<(), Mismatch>;

    /// Returns the error if the deserialized value violates a limit.
    #[doc(hidden)]
    fn check(slot: &Self::Slot, arg: &Arg, invocation: &Invocation<'_>) -> Option<String>;

    /// Returns the value, after defaults and limits are applied.
    #[doc(hidden)]
    fn finish(slot: Self::Slot, arg: &Arg, invocation: &Invocation<'_>) -> Result<Extracted<Self>, Rejection>;
}

/// Marker of parameters that are arguments.
#[derive(Debug, Clone, Copy)]
pub enum Argument {}

/// Marker of parameters that are extractors.
#[derive(Debug, Clone, Copy)]
pub enum Extractor {}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Param<Argument> for T {
    type Slot = Option<T>;

    fn declare(parameter: &mut Parameter) {
        let optional = absent::<T>().is_some();
        parameter.kind =
            Kind::Argument { optional, schema: schema_of::<T>, id: TypeId::of::<T>(), type_name: type_name::<T>() };
        parameter.problem = parameter.arg.check_default::<T>(type_name::<T>());
    }

    fn deserialize_arg<'de, A: MapAccess<'de>>(slot: &mut Option<T>, map: &mut A) -> Result<(), A::Error> {
        if slot.is_some() {
            return Err(A::Error::custom("given twice"));
        }
        *slot = Some(map.next_value()?);
        Ok(())
    }

    fn deserialize_json(slot: &mut Option<T>, json: &str) -> Result<(), Mismatch> {
        *slot = Some(integral_floats::deserialize(json)?);
        Ok(())
    }

    fn check(slot: &Option<T>, arg: &Arg, invocation: &Invocation<'_>) -> Option<String> {
        let value = slot.as_ref()?;
        arg.check(value).or_else(|| arg.check_length(value, invocation.input()))
    }

    fn finish(slot: Option<T>, arg: &Arg, invocation: &Invocation<'_>) -> Result<Extracted<Self>, Rejection> {
        let Some(value) = slot else {
            let default = arg.default.as_ref().and_then(DefaultValue::make::<T>).or_else(absent).map(Extracted::Ready);
            return default.ok_or_else(|| Rejection::argument(format!("`{}` is missing", arg.name)));
        };
        match arg.check(&value).or_else(|| arg.check_length(&value, invocation.input())) {
            None => Ok(Extracted::Ready(value)),
            Some(error) => Err(Rejection::argument(error)),
        }
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Returns the value of a missing `T`: `Some(None)` for an `Option`, `None` for other types.
fn absent<T: DeserializeOwned>() -> Option<T> {
    struct Absent;
    impl<'de> Deserializer<'de> for Absent {
        type Error = serde::de::value::Error;
        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(Self::Error::custom("absent"))
        }
        fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            visitor.visit_none()
        }
        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
            newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }
    T::deserialize(Absent).ok()
}

/// An extractor: a parameter taken from the context of a call instead of its arguments.
///
/// An extractor that awaits something implements [`AsyncFromCtx`](crate::AsyncFromCtx).
///
/// ```
/// use ferromcp_core::Revision;
/// use ferromcp_server::{FromCtx, Invocation, Rejection};
///
/// /// The protocol revision of the client.
/// struct ClientRevision(Revision);
///
/// impl FromCtx for ClientRevision {
///     fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection> {
///         Ok(Self(invocation.peer().revision()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extractor",
    note = "an extractor implements `ferromcp::server::FromCtx`"
)]
pub trait FromCtx: Sized + Send + 'static {
    /// Extracts the value.
    ///
    /// # Errors
    /// Returns a [`Rejection`] if the value is unavailable. The function is then not called.
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Rejection>;

    /// Declares the requirements of the extractor. A server that does not meet them fails to build.
    fn requirements(requirements: &mut Requirements<'_>) {
        let _ = requirements;
    }
}

/// The requirements of an extractor, collected when the server is built.
#[derive(Debug)]
pub struct Requirements<'a>(pub(crate) &'a mut Parameter);

impl Requirements<'_> {
    /// Requires state of type `T`.
    pub fn state<T: Send + Sync + 'static>(&mut self) {
        self.0.states.push(crate::state::StateNeed::of::<T>());
    }

    /// Declares that the function drives the input rounds manually.
    pub(crate) fn rounds(&mut self) {
        self.0.manual_rounds = true;
    }

    /// Declares that the extractor takes all arguments, with the schema of `T`.
    pub fn arguments<T: JsonSchema>(&mut self) {
        let exact = crate::schema::root_of::<T>;
        self.0.kind = Kind::Whole { schema: crate::schema::arguments_of::<T>, exact, type_name: type_name::<T>() };
    }
}

impl<T: FromCtx> Param<Extractor> for T {
    type Slot = ();

    fn declare(parameter: &mut Parameter) {
        T::requirements(&mut Requirements(parameter));
    }

    fn deserialize_arg<'de, A: MapAccess<'de>>((): &mut (), map: &mut A) -> Result<(), A::Error> {
        map.next_value::<serde::de::IgnoredAny>().map(drop)
    }

    fn deserialize_json((): &mut (), _: &str) -> Result<(), Mismatch> {
        Ok(())
    }

    fn check((): &(), _: &Arg, _: &Invocation<'_>) -> Option<String> {
        None
    }

    fn finish((): (), _: &Arg, invocation: &Invocation<'_>) -> Result<Extracted<Self>, Rejection> {
        T::from_ctx(invocation).map(Extracted::Ready)
    }
}

/// The parameters of a function, as a tuple.
pub trait ParamList<M>: Sized + Send + 'static {
    /// The deserialized values, before limits and defaults apply.
    #[doc(hidden)]
    type Slots: Default;
    /// The number of parameters.
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn declare(parameters: &mut [Parameter]);
    #[doc(hidden)]
    fn deserialize_arg<'de, A: MapAccess<'de>>(
        slots: &mut Self::Slots,
        index: usize,
        map: &mut A,
    ) -> Result<(), A::Error>;
    #[doc(hidden)]
    fn deserialize_json(slots: &mut Self::Slots, index: usize, json: &str) -> Result<(), Mismatch>;
    /// Returns the errors of the deserialized values that violate a limit.
    #[doc(hidden)]
    fn check(slots: &Self::Slots, signature: &Signature, invocation: &Invocation<'_>) -> Vec<String>;
    #[doc(hidden)]
    fn finish(
        slots: Self::Slots,
        signature: &Signature,
        invocation: &Invocation<'_>,
    ) -> Result<Extracted<Self>, Rejection>;
}

/// Collects argument errors, so that all of them are reported together; other rejections are returned at once.
fn collect_errors<T>(value: Result<T, Rejection>, errors: &mut Vec<String>) -> Result<Option<T>, Rejection> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Rejection::Arguments(more)) => {
            errors.extend(more);
            Ok(None)
        }
        Err(failed) => Err(failed),
    }
}

macro_rules! param_list {
    ($count:literal $(, $P:ident $M:ident $index:tt)*) => {
        impl<$($P, $M,)*> ParamList<($($M,)*)> for ($($P,)*)
        where
            $($P: Param<$M>,)*
        {
            type Slots = ($($P::Slot,)*);
            const COUNT: usize = $count;

            #[allow(unused_variables, reason = "the empty list declares nothing")]
            fn declare(parameters: &mut [Parameter]) {
                $($P::declare(&mut parameters[$index]);)*
            }

            #[allow(unused_variables, reason = "the empty list has no slots")]
            fn deserialize_arg<'de, Z: MapAccess<'de>>(slots: &mut Self::Slots, index: usize, map: &mut Z) -> Result<(), Z::Error> {
                match index {
                    $($index => $P::deserialize_arg(&mut slots.$index, map),)*
                    _ => map.next_value::<serde::de::IgnoredAny>().map(drop),
                }
            }

            #[allow(unused_variables, reason = "the empty list has no slots")]
            fn deserialize_json(slots: &mut Self::Slots, index: usize, json: &str) -> Result<(), Mismatch> {
                match index {
                    $($index => $P::deserialize_json(&mut slots.$index, json),)*
                    _ => Ok(()),
                }
            }

            #[allow(unused_variables, reason = "the empty list has no limits")]
            fn check(slots: &Self::Slots, signature: &Signature, invocation: &Invocation<'_>) -> Vec<String> {
                let errors: [Option<String>; $count] = [$($P::check(&slots.$index, signature.arg($index), invocation),)*];
                errors.into_iter().flatten().collect()
            }

            #[allow(unused_variables, unused_mut, unreachable_patterns, non_snake_case, reason = "one macro for every number of parameters")]
            fn finish(slots: Self::Slots, signature: &Signature, invocation: &Invocation<'_>) -> Result<Extracted<Self>, Rejection> {
                let mut errors = Vec::new();
                match ($(collect_errors($P::finish(slots.$index, signature.arg($index), invocation), &mut errors)?,)*) {
                    ($(Some(Extracted::Ready($P)),)*) => Ok(Extracted::Ready(($($P,)*))),
                    ($(Some($P),)*) => Ok(Extracted::Pending(Box::pin(async move { Ok(($($P.value().await?,)*)) }))),
                    _ => Err(Rejection::Arguments(errors)),
                }
            }
        }
    };
}

param_list!(0);
param_list!(1, A MA 0);
param_list!(2, A MA 0, B MB 1);
param_list!(3, A MA 0, B MB 1, C MC 2);
param_list!(4, A MA 0, B MB 1, C MC 2, D MD 3);
param_list!(5, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4);
param_list!(6, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5);
param_list!(7, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6);
param_list!(8, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7);
param_list!(9, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8);
param_list!(10, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9);
param_list!(11, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10);
param_list!(12, A MA 0, B MB 1, C MC 2, D MD 3, E ME 4, F MF 5, G MG 6, H MH 7, I MI 8, J MJ 9, K MK 10, L ML 11);
