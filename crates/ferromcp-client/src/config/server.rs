//! The configuration of one server: a command to start, or a URL.

use std::{fmt, path::Path, process::Command};

use ferromcp_transport::child::default_env;

use crate::redacted_url::redacted_url;

/// The configuration of one server, with variables expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    name: String,
    transport: TransportConfig,
}

/// Transport of a configured server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportConfig {
    /// A child process that uses stdio.
    Stdio(StdioConfig),
    /// HTTP.
    Http(HttpConfig),
}

impl ServerConfig {
    pub(super) fn new(name: &str, transport: TransportConfig) -> Self {
        Self { name: name.to_owned(), transport }
    }

    /// Returns the name of the server in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the transport.
    pub fn transport(&self) -> &TransportConfig {
        &self.transport
    }
}

/// A program that uses stdin and stdout as its transport.
#[derive(Clone, PartialEq, Eq)]
pub struct StdioConfig {
    pub(super) command: Expanded,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, Option<Secret>)>,
    pub(super) inherits_env: bool,
    pub(super) cwd: Option<Expanded>,
}

/// A string whose variables are expanded. `Debug` shows it as written in the file, because variables may contain secrets.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Expanded {
    pub(super) value: String,
    pub(super) written: String,
}

impl fmt::Debug for Expanded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

impl StdioConfig {
    /// Returns the program.
    pub fn program(&self) -> &str {
        &self.command.value
    }

    /// Returns the program as written in the file, for logs and errors: its variables may contain secrets.
    pub(crate) fn written_program(&self) -> &str {
        &self.command.written
    }

    /// Returns the arguments.
    pub fn args(&self) -> impl ExactSizeIterator<Item = &str> {
        self.args.iter().map(String::as_str)
    }

    /// Returns whether the program inherits the whole environment of this process (`"inheritEnv": true`), instead of
    /// [`default_env`].
    pub fn inherits_env(&self) -> bool {
        self.inherits_env
    }

    /// Returns the changes to the inherited environment; `None` removes a variable.
    pub fn env(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Secret>)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// Returns the working directory, if it differs from that of this process.
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.as_ref().map(|cwd| Path::new(&cwd.value))
    }

    /// Builds the [`Command`] with its environment. A [`Child`](ferromcp_transport::child::Child) preserves it if
    /// [`inherit_env`](ferromcp_transport::child::Child::inherit_env) is called.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.program());
        command.args(&self.args);
        if !self.inherits_env {
            command.env_clear().envs(default_env());
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value.reveal()),
                None => command.env_remove(name),
            };
        }
        if let Some(cwd) = self.cwd() {
            command.current_dir(cwd);
        }
        command
    }
}

/// Omits the arguments and the values of variables, because they may contain secrets.
impl fmt::Debug for StdioConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdioConfig")
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &self.env)
            .field("inherits_env", &self.inherits_env)
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// A server that is reached over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpConfig {
    pub(super) url: Expanded,
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) kind: HttpKind,
}

/// HTTP transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpKind {
    /// Not specified: Streamable HTTP first, then HTTP+SSE.
    Auto,
    /// Streamable HTTP.
    Streamable,
    /// HTTP+SSE (2024-11-05).
    Sse,
}

impl HttpConfig {
    /// Returns the URL, with scheme `http` or `https`.
    pub fn url(&self) -> &str {
        &self.url.value
    }

    /// Returns the URL as written in the file, without the parts that may be secret: user, password, query, fragment, and
    /// the values of variables.
    pub(crate) fn shown_url(&self) -> String {
        redacted_url(&self.url.written)
    }

    /// Returns the headers to send with each request. Names and values are valid in HTTP.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &Secret)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the HTTP transport.
    pub fn kind(&self) -> HttpKind {
        self.kind
    }
}

/// Omits the parts that may be secret: user, password, query and fragment of the URL, and the values of variables.
impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpConfig")
            .field("url", &format_args!("{}", self.shown_url()))
            .field("headers", &self.headers)
            .field("kind", &self.kind)
            .finish()
    }
}

/// A string that `Debug` redacts.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the string.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
