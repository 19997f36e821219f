//! The exit status and last stderr output of a child process.

use std::{fmt, process::ExitStatus};

use crate::text::escape;

/// The exit status of a child process and its last stderr output.
///
/// `Display` escapes control characters of the output; [`stderr`](Self::stderr) returns it unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    status: Option<ExitStatus>,
    stderr: String,
}

impl Exit {
    pub(super) fn new(status: Option<ExitStatus>, stderr: String) -> Self {
        Self { status, stderr }
    }

    /// Returns the exit status, or `None` if it is unknown, for example because the tokio runtime was shut down.
    pub fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// Returns the last stderr output, at most [`MAX_STDERR_TAIL`](super::MAX_STDERR_TAIL) bytes. Empty unless stderr
    /// [is captured](super::Stderr). Output on stderr does not imply a failure.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "the process exited ({status})")?,
            None => f.write_str("the process exited with an unknown status")?,
        }
        match self.stderr.trim() {
            "" => Ok(()),
            output => write!(f, "; last stderr output: {}", escape(output)),
        }
    }
}
