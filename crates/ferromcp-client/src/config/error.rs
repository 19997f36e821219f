//! Errors of configuration files.

use std::fmt;

/// An invalid configuration file or entry.
///
/// The text names the file, the server, the key and the remedy. It never quotes values, because they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    location: Box<Location>,
    kind: ConfigErrorKind,
    problem: String,
    remedy: String,
}

/// Categories of [`ConfigError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// The file could not be read.
    Unreadable,
    /// The file is not valid JSON, or too large.
    Syntax,
    /// A value is missing or has the wrong type.
    Invalid,
    /// The file has no server with the requested name.
    NotFound,
    /// A variable is not set, or a `${…}` is malformed.
    Variable,
}

impl ConfigError {
    /// Returns the category of the error.
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }

    /// Returns the path of the file; `None` for [`Config::parse`](super::Config::parse).
    pub fn file(&self) -> Option<&str> {
        self.location.file.as_deref()
    }

    /// Returns the name of the server, if the error concerns one.
    pub fn server(&self) -> Option<&str> {
        self.location.server.as_deref()
    }

    /// Returns the path of the key, such as `env.TOKEN` or `args[1]`.
    pub fn key(&self) -> Option<&str> {
        self.location.key.as_deref()
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.location.file.as_deref().unwrap_or("the configuration"))?;
        if let Some(server) = &self.location.server {
            write!(f, ": server `{server}`")?;
        }
        if let Some(key) = &self.location.key {
            write!(f, ": `{key}`")?;
        }
        write!(f, " {}; {}", self.problem, self.remedy)
    }
}

impl std::error::Error for ConfigError {}

/// A location in a configuration file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Location {
    file: Option<String>,
    server: Option<String>,
    key: Option<String>,
}

impl Location {
    pub(super) fn file(name: String) -> Self {
        Self { file: Some(name), ..Self::default() }
    }

    pub(super) fn at_server(&self, name: &str) -> Self {
        Self { server: Some(name.to_owned()), ..self.clone() }
    }

    pub(super) fn at_key(&self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self.clone() }
    }

    pub(super) fn error(&self, kind: ConfigErrorKind, problem: String, remedy: impl Into<String>) -> ConfigError {
        ConfigError { location: Box::new(self.clone()), kind, problem, remedy: remedy.into() }
    }

    pub(super) fn invalid(&self, problem: &str, remedy: impl Into<String>) -> ConfigError {
        self.error(ConfigErrorKind::Invalid, problem.to_owned(), remedy)
    }
}
