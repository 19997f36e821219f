//! A JSON Schema validator for untrusted schemas and values.
//!
//! A [`Validator`] is compiled from the text of a schema. Compilation and validation are bounded by [`SchemaLimits`]:
//! every subschema evaluation counts as a step, nesting is limited, and regular expressions match in linear time.
//! References are resolved within the schema and are never fetched.
//!
//! Supported dialects are [draft 2020-12](https://json-schema.org/draft/2020-12), which is the default, and
//! [draft-07](https://json-schema.org/draft-07). Schemas of other dialects are rejected. `format` and the `content…`
//! keywords are annotations and are not asserted.
//!
//! | module | content |
//! |---|---|
//! | `validator` | [`Validator`] and [`LazyValidator`] |
//! | `compile`, `keywords` | parses a schema into rules |
//! | `arena`, `uri` | subschemas of a schema, and resolution of references |
//! | `rule` | the compiled form of a schema |
//! | `evaluator`, `evaluated` | evaluates a value, and tracks evaluated items and properties |
//! | `explain` | collects the reasons of a failed validation |
//! | `value`, `pattern` | equality, numbers, regular expressions |
//! | `limits`, `error` | limits and errors |

mod arena;
mod compile;
mod error;
mod evaluated;
mod evaluator;
mod explain;
mod keywords;
mod limits;
mod pattern;
mod rule;
mod uri;
mod validator;
mod value;

pub use error::{SchemaError, SchemaErrorKind, ValidationError, ValidationErrorKind};
pub use limits::SchemaLimits;
pub use validator::{LazyValidator, Validator};

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
