//! Functions of any parameters, called by name with text.
//!
//! | file | what |
//! |---|---|
//! | `param` | what a parameter may be: an argument or an extractor |
//! | `arg` | what is said of one parameter: name, default, bounds |
//! | `extract` | the extractors everybody has: state, context, all arguments |
//! | `signature` | a function's parameters together, and the schema they make |
//! | `invocation` | the context in which a function is about to be called |
//! | `fill` | the parameters' values, out of JSON or named texts |
//! | `text_value` | values out of text |
//! | `whole` | values out of JSON in which `5.0` is an integer |
//! | `refusal` | why a function was not called |
//! | `start` | async, inline and blocking functions, begun |

pub(crate) mod arg;
pub(crate) mod extract;
pub(crate) mod fill;
pub(crate) mod invocation;
pub(crate) mod param;
pub(crate) mod refusal;
pub(crate) mod signature;
pub(crate) mod start;
pub(crate) mod text_value;
mod whole;

pub use arg::Arg;
pub use extract::{Args, Extension, State};
pub use invocation::Invocation;
pub use param::{Argument, Extractor, FromCtx, Needs, Param, ParamList};
pub use refusal::Refusal;
pub use signature::{Parameter, Signature};
pub use start::{Async, Begun, Blocking, Function, Inline};
