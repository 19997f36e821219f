//! The arguments of a call, before they are deserialized.

use std::borrow::Cow;

use super::text_value::TextValue;

/// The arguments of the call.
#[derive(Clone, Copy)]
pub(crate) enum Input<'a> {
    /// A JSON object, as text.
    Json(&'a str),
    /// Named texts.
    Texts(&'a [(Cow<'a, str>, TextValue<'a>)]),
}
