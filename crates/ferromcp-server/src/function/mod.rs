//! Handler functions with typed parameters, called with named JSON or text arguments.
//!
//! | module | content |
//! |---|---|
//! | `param` | parameter types: arguments and extractors |
//! | `arg` | description of one parameter: name, default, limits |
//! | `extract` | built-in extractors: state, context, all arguments, extensions |
//! | `signature` | the parameters of a function, and their input schema |
//! | `invocation` | the context of one call, borrowed by extractors |
//! | `bind` | deserializes the parameters from JSON or named texts |
//! | `text_value` | deserializes values from text |
//! | `integral_floats` | deserializes JSON in which `5.0` is an integer |
//! | `rejection` | reasons why a function is not called |
//! | `start` | starts async, inline and blocking functions |

pub(crate) mod arg;
pub(crate) mod bind;
pub(crate) mod extract;
mod integral_floats;
pub(crate) mod invocation;
pub(crate) mod param;
pub(crate) mod rejection;
pub(crate) mod signature;
pub(crate) mod start;
pub(crate) mod text_value;

pub use arg::Arg;
pub use extract::{Args, Extension, State};
pub use invocation::Invocation;
pub use param::{FromCtx, Param, Requirements};
pub use rejection::Rejection;
