//! Handler functions with typed parameters, called with named JSON or text arguments.
//!
//! | module | content |
//! |---|---|
//! | `param` | parameter types: arguments and extractors |
//! | `arg` | description of one parameter: name, default, limits |
//! | `length` | limits of the length of strings, lists, sets and maps |
//! | `async_extractor` | extractors that await something |
//! | `extracted` | a parameter that is available, or awaits its extraction |
//! | `extract` | built-in extractors: state, context, all arguments, extensions |
//! | `signature` | the parameters of a function, and their input schema |
//! | `input` | the arguments of one call, before they are deserialized |
//! | `invocation` | the context of one call, borrowed by extractors |
//! | `bind` | deserializes the parameters from JSON or named texts |
//! | `bind_each` | deserializes arguments leniently, and collects all errors |
//! | `violations`, `expectation` | finds the violations of a schema in a value, and describes them |
//! | `mismatch` | describes the errors of serde with the types of JSON Schema |
//! | `suggestion` | finds the known name that is closest to an unknown one |
//! | `text_value` | deserializes values from text |
//! | `integral_floats` | deserializes JSON in which `5.0` is an integer |
//! | `type_check` | compile-time checks, for the macros |
//! | `rejection` | reasons why a function is not called |
//! | `start` | starts async, inline and blocking functions |

pub(crate) mod arg;
mod async_extractor;
pub(crate) mod bind;
mod bind_each;
mod blanks;
mod expectation;
pub(crate) mod extract;
mod extracted;
mod input;
mod integral_floats;
pub(crate) mod invocation;
mod length;
mod mismatch;
pub(crate) mod param;
pub(crate) mod rejection;
pub(crate) mod signature;
pub(crate) mod start;
pub(crate) mod suggestion;
pub(crate) mod text_value;
pub(crate) mod type_check;
mod violations;

pub use arg::Arg;
pub use async_extractor::AsyncFromCtx;
pub use extract::{Args, Extension, State};
pub use invocation::Invocation;
pub use param::{FromCtx, Param, Requirements};
pub use rejection::Rejection;
