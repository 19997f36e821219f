//! Parameters of functions: arguments read from the call, and extractors taken from its context.
//!
//! The type decides. What serde can read and schemars can describe is an *argument*; what
//! implements [`FromCtx`] is an *extractor*. The marker `M` keeps the two apart, so nobody writes it.

use std::any::{TypeId, type_name};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};

use super::arg::{Arg, DefaultValue};
use super::invocation::Invocation;
use super::refusal::Refusal;
use super::signature::{Kind, Parameter, Signature};
use super::whole;

/// A parameter of a tool, resource, prompt or completion function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a tool argument nor an extractor",
    label = "not an argument, not an extractor",
    note = "an argument implements `serde::Deserialize` and `schemars::JsonSchema`, and owns what it holds",
    note = "an extractor implements `ferromcp::server::FromCtx`, like `Ctx` and `State<T>`"
)]
pub trait Param<M>: Sized + Send + 'static {
    /// What is read of it while the arguments go by.
    #[doc(hidden)]
    type Slot: Default;

    /// Says what it is.
    #[doc(hidden)]
    fn declare(parameter: &mut Parameter);

    /// Reads its value where it stands.
    #[doc(hidden)]
    fn feed<'de, A: MapAccess<'de>>(slot: &mut Self::Slot, map: &mut A) -> Result<(), A::Error>;

    /// Reads its value from a text of JSON, saying precisely what is wrong.
    #[doc(hidden)]
    fn reread(slot: &mut Self::Slot, json: &str) -> Result<(), String>;

    /// The value, or why there is none.
    #[doc(hidden)]
    fn finish(slot: Self::Slot, arg: &Arg, invocation: &Invocation<'_>) -> Result<Self, Refusal>;
}

/// Marks parameters that are arguments.
#[derive(Debug, Clone, Copy)]
pub enum Argument {}

/// Marks parameters that are extractors.
#[derive(Debug, Clone, Copy)]
pub enum Extractor {}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Param<Argument> for T {
    type Slot = Option<T>;

    fn declare(parameter: &mut Parameter) {
        let optional = absent::<T>().is_some();
        parameter.kind =
            Kind::Argument { optional, schema: schema_of::<T>, id: TypeId::of::<T>(), type_name: type_name::<T>() };
        parameter.problem = parameter.arg.bad_default::<T>(type_name::<T>());
    }

    fn feed<'de, A: MapAccess<'de>>(slot: &mut Option<T>, map: &mut A) -> Result<(), A::Error> {
        if slot.is_some() {
            return Err(A::Error::custom("given twice"));
        }
        *slot = Some(map.next_value()?);
        Ok(())
    }

    fn reread(slot: &mut Option<T>, json: &str) -> Result<(), String> {
        match whole::read(json) {
            Ok(value) => {
                *slot = Some(value);
                Ok(())
            }
            Err((path, words)) => Err(if path == "." { words } else { format!("at `{path}`: {words}") }),
        }
    }

    fn finish(slot: Option<T>, arg: &Arg, _: &Invocation<'_>) -> Result<Self, Refusal> {
        let Some(value) = slot else {
            let default = arg.default.as_ref().and_then(DefaultValue::make::<T>);
            return default.or_else(absent).ok_or_else(|| Refusal::argument(format!("`{}` is missing", arg.name)));
        };
        match arg.mistake(&value) {
            None => Ok(value),
            Some(mistake) => Err(Refusal::argument(mistake)),
        }
    }
}

fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The value of a `T` that is not there: `None` for options, and nothing for others.
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

/// Something taken from the context of a call instead of its arguments.
///
/// ```
/// use ferromcp_server::{FromCtx, Invocation, Refusal, Revision};
///
/// /// The revision the client speaks.
/// struct Speaks(Revision);
///
/// impl FromCtx for Speaks {
///     fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal> {
///         Ok(Self(invocation.peer().revision()))
///     }
/// }
/// ```
pub trait FromCtx: Sized + Send + 'static {
    /// Takes it.
    ///
    /// # Errors
    /// When it is not there; the function is not called then.
    fn from_ctx(invocation: &Invocation<'_>) -> Result<Self, Refusal>;

    /// Says what it will need, so that a server lacking it refuses to start.
    fn needs(needs: &mut Needs<'_>) {
        let _ = needs;
    }
}

/// What an extractor will need.
#[derive(Debug)]
pub struct Needs<'a>(pub(crate) &'a mut Parameter);

impl Needs<'_> {
    /// State of type `T`.
    pub fn state<T: Send + Sync + 'static>(&mut self) {
        self.0.states.push(crate::state::StateNeed::of::<T>());
    }

    /// The rounds of the call, which the function drives by hand.
    pub(crate) fn rounds(&mut self) {
        self.0.manual_rounds = true;
    }

    /// All arguments together, as a `T`.
    pub fn arguments<T: JsonSchema>(&mut self) {
        self.0.kind = Kind::Whole { schema: crate::schema::root_of::<T> };
    }
}

impl<T: FromCtx> Param<Extractor> for T {
    type Slot = ();

    fn declare(parameter: &mut Parameter) {
        T::needs(&mut Needs(parameter));
    }

    fn feed<'de, A: MapAccess<'de>>((): &mut (), map: &mut A) -> Result<(), A::Error> {
        map.next_value::<serde::de::IgnoredAny>().map(drop)
    }

    fn reread((): &mut (), _: &str) -> Result<(), String> {
        Ok(())
    }

    fn finish((): (), _: &Arg, invocation: &Invocation<'_>) -> Result<Self, Refusal> {
        T::from_ctx(invocation)
    }
}

/// All parameters of a function.
pub trait ParamList<M>: Sized + Send + 'static {
    /// What is read of them while the arguments go by.
    #[doc(hidden)]
    type Slots: Default;
    /// How many there are.
    #[doc(hidden)]
    const COUNT: usize;
    #[doc(hidden)]
    fn declare(parameters: &mut [Parameter]);
    #[doc(hidden)]
    fn feed<'de, A: MapAccess<'de>>(slots: &mut Self::Slots, index: usize, map: &mut A) -> Result<(), A::Error>;
    #[doc(hidden)]
    fn reread(slots: &mut Self::Slots, index: usize, json: &str) -> Result<(), String>;
    #[doc(hidden)]
    fn finish(slots: Self::Slots, signature: &Signature, invocation: &Invocation<'_>) -> Result<Self, Refusal>;
}

/// The value, or its mistakes put to those of the others, so that all are told at once.
fn noted<T>(value: Result<T, Refusal>, mistakes: &mut Vec<String>) -> Result<Option<T>, Refusal> {
    match value {
        Ok(value) => Ok(Some(value)),
        Err(Refusal::Arguments(more)) => {
            mistakes.extend(more);
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

            #[allow(unused_variables, reason = "the empty list has nothing to declare")]
            fn declare(parameters: &mut [Parameter]) {
                $($P::declare(&mut parameters[$index]);)*
            }

            #[allow(unused_variables, reason = "the empty list has no slots")]
            fn feed<'de, Z: MapAccess<'de>>(slots: &mut Self::Slots, index: usize, map: &mut Z) -> Result<(), Z::Error> {
                match index {
                    $($index => $P::feed(&mut slots.$index, map),)*
                    _ => map.next_value::<serde::de::IgnoredAny>().map(drop),
                }
            }

            #[allow(unused_variables, reason = "the empty list has no slots")]
            fn reread(slots: &mut Self::Slots, index: usize, json: &str) -> Result<(), String> {
                match index {
                    $($index => $P::reread(&mut slots.$index, json),)*
                    _ => Ok(()),
                }
            }

            #[allow(unused_variables, unused_mut, unreachable_patterns, non_snake_case, reason = "one macro for every number of parameters")]
            fn finish(slots: Self::Slots, signature: &Signature, invocation: &Invocation<'_>) -> Result<Self, Refusal> {
                let mut mistakes = Vec::new();
                match ($(noted($P::finish(slots.$index, signature.arg($index), invocation), &mut mistakes)?,)*) {
                    ($(Some($P),)*) => Ok(($($P,)*)),
                    _ => Err(Refusal::Arguments(mistakes)),
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
