//! The answers to a form, by field.

use std::fmt;

use ferromcp_core::{RawJson, RawMap};

/// What a person filled in.
#[derive(Clone, Copy)]
pub struct Answers<'a>(&'a RawMap);

impl<'a> Answers<'a> {
    /// The content of an accepted answer.
    pub fn new(content: &'a RawMap) -> Self {
        Self(content)
    }

    /// The answer in one field. A `null` is none: it is how some clients leave a field out.
    pub fn get(&self, field: &str) -> Option<&'a RawJson> {
        self.0.get(field).filter(|answer| !answer.is_null())
    }
}

/// Names only: what people write is theirs.
impl fmt::Debug for Answers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
