//! Exit codes of the command, and [`Failure`], an error with its exit code.

use std::fmt;
use std::process::ExitCode;

use ferromcp_client::config::ConfigError;
use ferromcp_client::{ClientError, ErrorKind};

use crate::terminal;

/// Exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command succeeded.
    Ok = 0,
    /// The checks of `mcp lint` found problems.
    Findings = 1,
    /// The command line, an argument of a tool, or a file is invalid.
    Usage = 2,
    /// The server cannot be started or reached, or no common revision exists.
    Connect = 3,
    /// The server requires a login.
    Login = 4,
    /// The server returned a JSON-RPC error, or violated the protocol.
    Protocol = 5,
    /// The tool returned a result with `isError`.
    Tool = 6,
    /// A timeout expired.
    Timeout = 7,
    /// The tool surface differs from a snapshot, a lock or another server.
    Changed = 8,
    /// The command was interrupted with Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends the command, with its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    message: String,
    /// The error of the client, for verbs that explain it.
    pub(crate) cause: Option<ClientError>,
}

impl Failure {
    /// Creates a failure with this exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), cause: None }
    }

    /// Creates a failure of the command line or of a local file.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Creates a failure without a message: the cause is on stdout or stderr already.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }

    /// Adds a remedy to the message if the server requires a login.
    pub(crate) fn with_login_remedy(self, remedy: impl fmt::Display) -> Self {
        if self.exit == Exit::Login { self.with_remedy(remedy) } else { self }
    }

    /// Adds a remedy to the message.
    pub(crate) fn with_remedy(mut self, remedy: impl fmt::Display) -> Self {
        self.message = format!("{}; {remedy}", self.message);
        self
    }

    /// Prints the message to stderr, unless it is empty.
    pub(crate) fn report(&self) {
        if !self.message.is_empty() {
            terminal::message(format_args!("error: {}", terminal::indented(&self.message)));
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match error.kind() {
            ErrorKind::InvalidRequest => Exit::Usage,
            ErrorKind::Connect | ErrorKind::Negotiation | ErrorKind::Unavailable | ErrorKind::Closed => Exit::Connect,
            ErrorKind::Unauthorized => Exit::Login,
            ErrorKind::Tool => Exit::Tool,
            ErrorKind::Timeout => Exit::Timeout,
            _ => Exit::Protocol,
        };
        let message = error.to_string();
        // The remedies in the errors of the library name its settings.
        let message = match exit {
            Exit::Timeout => format!("{}; raise `--timeout`", before(&message, "; raise ")),
            Exit::Login => before(&message, "; set `ClientBuilder").to_owned(),
            _ => message,
        };
        Self { exit, message, cause: Some(error) }
    }
}

fn before<'a>(text: &'a str, end: &str) -> &'a str {
    text.split(end).next().unwrap_or_default()
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

/// Failures of stdout.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // The reader has closed the pipe, for example `head`.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::silent(Exit::Ok);
        }
        Self::usage(format!("cannot write the output: {error}"))
    }
}
