//! What is wrong with a configuration file, where, and what to do.

use std::fmt;

/// A configuration file, or an entry of one, that cannot be used.
///
/// It never quotes a value, as values may be secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    place: Box<Place>,
    kind: ConfigErrorKind,
    what: String,
    remedy: String,
}

/// The kinds of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// The file cannot be read.
    Unreadable,
    /// It is not JSON, or too large.
    Syntax,
    /// Something is missing, or of the wrong kind.
    Shape,
    /// It has no server of that name.
    Missing,
    /// A variable is not set, or `${…}` is written wrongly.
    Variable,
}

impl ConfigError {
    /// What kind of error it is.
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }

    /// The file; `None` if a text was read.
    pub fn file(&self) -> Option<&str> {
        self.place.file.as_deref()
    }

    /// The name of the server, if it is about one.
    pub fn server(&self) -> Option<&str> {
        self.place.server.as_deref()
    }

    /// The key, with dots to inner ones: `env.TOKEN`, `args[1]`.
    pub fn key(&self) -> Option<&str> {
        self.place.key.as_deref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.place.file.as_deref().unwrap_or("the configuration"))?;
        if let Some(server) = &self.place.server {
            write!(f, ": server `{server}`")?;
        }
        if let Some(key) = &self.place.key {
            write!(f, ": `{key}`")?;
        }
        write!(f, " {}; {}", self.what, self.remedy)
    }
}

impl std::error::Error for ConfigError {}

/// Where something is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    file: Option<String>,
    server: Option<String>,
    key: Option<String>,
}

impl Place {
    pub(super) fn file(name: String) -> Self {
        Self { file: Some(name), ..Self::default() }
    }

    pub(super) fn at_server(&self, name: &str) -> Self {
        Self { server: Some(name.to_owned()), ..self.clone() }
    }

    pub(super) fn at_key(&self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }

    pub(super) fn error(&self, kind: ConfigErrorKind, what: String, remedy: impl Into<String>) -> ConfigError {
        ConfigError { place: Box::new(self.clone()), kind, what, remedy: remedy.into() }
    }

    pub(super) fn shape(&self, what: &str, remedy: impl Into<String>) -> ConfigError {
        self.error(ConfigErrorKind::Shape, what.to_owned(), remedy)
    }
}
