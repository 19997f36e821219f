//! What a configured server is: a command to start, or a URL to speak to.

use std::{fmt, path::Path, path::PathBuf, process::Command};

use super::secret::Secret;

/// A server of a configuration file, ready for use: its variables are put in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    name: String,
    endpoint: Endpoint,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// As a child process.
    Stdio(Stdio),
    /// Over HTTP.
    Http(Http),
}

impl Server {
    pub(super) fn new(name: &str, endpoint: Endpoint) -> Self {
        Self { name: name.to_owned(), endpoint }
    }

    /// Its name in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is reached.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

/// A program that speaks over its stdin and stdout.
#[derive(Clone, PartialEq, Eq)]
pub struct Stdio {
    pub(super) command: String,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, Option<Secret>)>,
    pub(super) cwd: Option<PathBuf>,
}

impl Stdio {
    /// The program.
    pub fn program(&self) -> &str {
        &self.command
    }

    /// Its arguments.
    pub fn args(&self) -> impl ExactSizeIterator<Item = &str> {
        self.args.iter().map(String::as_str)
    }

    /// What differs in its environment; `None` is a variable that is taken out.
    pub fn env(&self) -> impl ExactSizeIterator<Item = (&str, Option<&Secret>)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// The folder it runs in, if not this process's own.
    pub fn cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// All of it as a command. The program inherits the environment of this process.
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

/// Without the arguments, which hold secrets more often than they should.
impl fmt::Debug for Stdio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stdio")
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &self.env)
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// A server that is spoken to over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Http {
    pub(super) url: String,
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) kind: HttpKind,
}

/// How it is spoken to over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpKind {
    /// The file does not say: streamable HTTP first, then HTTP+SSE.
    Any,
    /// Streamable HTTP.
    Streamable,
    /// HTTP+SSE, the way of 2024.
    Sse,
}

impl Http {
    /// Its URL, `http` or `https`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Headers to send with each request, names and values as HTTP allows them.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&str, &Secret)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// How it is spoken to.
    pub fn kind(&self) -> HttpKind {
        self.kind
    }
}

/// Without what in a URL may be a secret: user, password, query and fragment.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.url.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = shown.split_once("://").unwrap_or(("", shown));
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = host.rsplit('@').next().unwrap_or_default();
        f.debug_struct("Http")
            .field("url", &format_args!("{scheme}://{host}{path}"))
            .field("headers", &self.headers)
            .field("kind", &self.kind)
            .finish()
    }
}
