//! The configuration of one server: a command to start, or a URL.

use std::{fmt, path::Path, path::PathBuf, process::Command};

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
    pub(super) command: String,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, Option<Secret>)>,
    pub(super) cwd: Option<PathBuf>,
}

impl StdioConfig {
    /// Returns the program.
    pub fn program(&self) -> &str {
        &self.command
    }

    /// Returns the arguments.
    pub fn args(&self) -> impl ExactSizeIterator<Item = &str> {
        self.args.iter().map(String::as_str)
    }

    /// Returns the changes to the inherited environment; `None` removes a variable.
    pub fn env(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Secret>)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// Returns the working directory, if it differs from that of this process.
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// Builds the [`Command`]. The program inherits the environment of this process.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.command);
        command.args(&self.args);
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value.reveal()),
                None => command.env_remove(name),
            };
        }
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command
    }
}

/// Omits the arguments, because they may contain secrets.
impl fmt::Debug for StdioConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StdioConfig")
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &self.env)
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// A server that is reached over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpConfig {
    pub(super) url: String,
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
        &self.url
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

/// Omits the parts of a URL that may be secret: user, password, query and fragment.
impl fmt::Debug for HttpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.url.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = shown.split_once("://").unwrap_or(("", shown));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.rsplit('@').next().unwrap_or_default();
        f.debug_struct("HttpConfig")
            .field("url", &format_args!("{scheme}://{host}{path}"))
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
