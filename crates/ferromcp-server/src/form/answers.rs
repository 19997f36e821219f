//! The answers of a form, by field name.

use std::fmt;

use ferromcp_core::{RawJson, RawMap};

/// The content of an accepted form, by field name.
#[derive(Clone, Copy)]
pub struct Answers<'a>(&'a RawMap);

impl<'a> Answers<'a> {
    /// Wraps the content of an accepted answer.
    pub fn new(content: &'a RawMap) -> Self {
        Self(content)
    }

    /// Returns the answer of one field. `null` counts as absent, because some clients send it for omitted fields.
    pub fn get(&self, field: &str) -> Option<&'a RawJson> {
        self.0.get(field).filter(|answer| !answer.is_null())
    }
}

/// Formats the field names only, because the values are user input.
impl fmt::Debug for Answers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
