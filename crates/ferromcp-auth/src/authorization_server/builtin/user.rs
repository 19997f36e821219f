//! [`User`]: a user who has logged in.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A user who has logged in. `Debug` shows only the subject.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The identifier, which must be unique and must never be given to another user.
    pub subject: String,
    /// The name that the consent page shows. `None`: the subject.
    pub name: Option<String>,
    /// Further claims, such as `email`. Handlers read them from the principal of a call; the client does not receive
    /// them.
    pub claims: Map<String, Value>,
    /// A reference of the login to its own data about this session, such as the tokens of an upstream server.
    pub reference: Option<String>,
}

impl User {
    /// Creates a user.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), name: None, claims: Map::new(), reference: None }
    }

    /// Sets the name that the consent page shows.
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Adds a claim.
    pub fn with_claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Sets the reference of the login to its own data.
    pub fn with_reference(mut self, reference: impl Into<String>) -> Self {
        self.reference = Some(reference.into());
        self
    }

    /// Returns the name for display.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.subject)
    }
}

impl From<String> for User {
    fn from(subject: String) -> Self {
        Self::new(subject)
    }
}

impl From<&str> for User {
    fn from(subject: &str) -> Self {
        Self::new(subject)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("subject", &self.subject).finish_non_exhaustive()
    }
}
