//! Generates the builder expression of a function, by kind.

use proc_macro2::TokenStream;
use syn::{Path, Result};

use crate::{
    completion,
    function::Function,
    kind::Kind,
    options::{Options, Rules},
    prompt, resource, tool,
};

/// Returns the options of the attribute.
pub(crate) fn rules(kind: Kind) -> &'static Rules {
    match kind {
        Kind::Tool => &tool::RULES,
        Kind::Resource => &resource::RULES,
        Kind::Prompt => &prompt::RULES,
        Kind::Completion => &completion::RULES,
    }
}

/// Returns the builder expression; `handler` is the function to call.
pub(crate) fn build(
    kind: Kind,
    krate: &Path,
    options: Options,
    function: &Function,
    handler: &TokenStream,
) -> Result<TokenStream> {
    match kind {
        Kind::Tool => tool::build(krate, options, function, handler),
        Kind::Resource => resource::build(krate, options, function, handler),
        Kind::Prompt => prompt::build(krate, options, function, handler),
        Kind::Completion => completion::build(krate, options, function, handler),
    }
}
