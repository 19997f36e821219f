//! Compile-time checks of the types in handler functions, for the macros.
//!
//! The compiler reports an unimplemented trait for the whole parameter or return type: "`State<Db>` is not an
//! extractor". For the types below, the check is made for the type inside, so that the error names the trait that is
//! missing: "`Db: Clone`".
//!
//! An inherent function takes precedence over the function of the same name in [`FallbackTypeCheck`], which applies to
//! all other types. The functions are never called.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::async_extractor::{AnyExtractor, ExtractorWithArgs};
use super::extract::{Args, Extension, State};
use super::param::Param;
use crate::output::Json;

/// Checks of the type `T`.
#[derive(Debug, Clone, Copy)]
pub struct TypeCheck<T>(PhantomData<T>);

/// Checks of the types without a precise check.
pub trait FallbackTypeCheck {
    /// The checked type.
    type Of;

    /// Requires an argument or an extractor.
    fn parameter<M>()
    where
        Self::Of: Param<M>,
    {
    }

    /// Requires an extractor.
    fn extractor<M>()
    where
        Self::Of: AnyExtractor<M>,
    {
    }

    /// Requires an extractor, for a parameter of a function that takes `Args`.
    fn with_args<M>()
    where
        Self::Of: ExtractorWithArgs<M>,
    {
    }

    /// Requires nothing.
    fn tool_output() {}

    /// Requires nothing.
    fn resource_output() {}
}

impl<T> FallbackTypeCheck for TypeCheck<T> {
    type Of = T;
}

macro_rules! shared_value {
    ($($extractor:ident),*) => {
        $(impl<T> TypeCheck<$extractor<T>> {
            /// Requires a value that can be shared by calls.
            pub fn parameter()
            where
                T: Clone + Send + Sync + 'static,
            {
            }

            /// Requires a value that can be shared by calls.
            pub fn extractor()
            where
                T: Clone + Send + Sync + 'static,
            {
            }

            /// Requires a value that can be shared by calls.
            pub fn with_args()
            where
                T: Clone + Send + Sync + 'static,
            {
            }
        })*
    };
}

shared_value!(State, Extension);

/// A type that deserializes. Unlike the error of [`DeserializeOwned`], its error names the derive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `serde::Deserialize`",
    label = "the type in `Args` cannot be deserialized",
    note = "add `#[derive(serde::Deserialize)]` to `{Self}`"
)]
pub trait DeserializesArgs {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> DeserializesArgs for T {}

/// A type with a schema. Unlike the error of [`JsonSchema`], its error names the derive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `schemars::JsonSchema`",
    label = "the type in `Args` has no schema",
    note = "add `#[derive(schemars::JsonSchema)]` to `{Self}`",
    note = "if it is derived, check the version of schemars: 1 is required"
)]
pub trait DescribesArgs {}

#[diagnostic::do_not_recommend]
impl<T: JsonSchema> DescribesArgs for T {}

impl<T> TypeCheck<Args<T>> {
    /// Requires a type that deserializes from arguments.
    pub fn parameter()
    where
        T: DeserializesArgs + DescribesArgs + Send + 'static,
    {
    }

    /// Requires a type that deserializes from arguments.
    pub fn extractor()
    where
        T: DeserializesArgs + DescribesArgs + Send + 'static,
    {
    }
}

impl<T> TypeCheck<Json<T>> {
    /// Requires a type with a schema.
    pub fn tool_output()
    where
        T: Serialize + JsonSchema + Send + 'static,
    {
    }

    /// Requires a type that serializes.
    pub fn resource_output()
    where
        T: Serialize + Send + 'static,
    {
    }
}
