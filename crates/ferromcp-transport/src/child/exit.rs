//! How a child process ended.

use std::{fmt, process::ExitStatus};

/// How a child process ended, and what it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exit {
    status: Option<ExitStatus>,
    stderr: String,
}

impl Exit {
    pub(super) fn new(status: Option<ExitStatus>, stderr: String) -> Self {
        Self { status, stderr }
    }

    /// Its status; `None` if that cannot be known, as after the runtime that waited for it has ended.
    pub fn status(&self) -> Option<ExitStatus> {
        self.status
    }

    /// The last it wrote to stderr, at most [`STDERR_TAIL`](super::STDERR_TAIL) bytes; empty unless stderr
    /// [is read](super::Stderr). That something is there does not mean that something failed.
    pub fn stderr(&self) -> &str {
        &self.stderr
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "the process ended ({status})")?,
            None => f.write_str("the process ended in an unknown way")?,
        }
        match self.stderr.trim() {
            "" => Ok(()),
            said => write!(f, "; its last words on stderr: {said}"),
        }
    }
}
