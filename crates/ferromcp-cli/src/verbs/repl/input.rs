//! The lines of a session, from a terminal or a script.

use std::io::{self, IsTerminal};

use tokio::sync::oneshot;

use crate::exit::{Exit, Failure};
use crate::terminal::{MAX_LINE, message, prompt, read_line};

/// The prompt in a terminal.
const PROMPT: &str = "mcp> ";

/// A line, or the reason why no line was read.
pub(super) enum Input {
    Line(String),
    /// Ctrl-C at the prompt.
    Interrupted,
    End,
}

/// The lines of stdin.
pub(super) struct Lines {
    is_terminal: bool,
    /// The read that Ctrl-C did not end.
    pending: Option<oneshot::Receiver<io::Result<Option<String>>>>,
}

impl Lines {
    /// Creates the lines of stdin. Nothing is read yet, because calls can ask questions.
    pub(super) fn stdin() -> Self {
        Self { is_terminal: io::stdin().is_terminal(), pending: None }
    }

    /// Returns whether a user enters the lines.
    pub(super) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Waits for the next line. Prints the prompt in a terminal.
    ///
    /// # Errors
    /// Fails if stdin cannot be read, or a line is too long.
    pub(super) async fn next(&mut self) -> Result<Input, Failure> {
        if self.is_terminal {
            prompt(PROMPT);
        }
        let line = tokio::select! {
            line = self.pending.get_or_insert_with(read_line) => line,
            signal = tokio::signal::ctrl_c() => {
                signal.map_err(|error| Failure::new(Exit::Interrupted, format!("cannot wait for Ctrl-C: {error}")))?;
                return Ok(Input::Interrupted);
            }
        };
        self.pending = None;
        let failed = |cause: &str| Failure::usage(format!("cannot read stdin: {cause}"));
        let line = line.unwrap_or(Ok(None)).map_err(|error| failed(&error.to_string()))?;
        match line {
            Some(line) if line.len() as u64 >= MAX_LINE => Err(failed(&format!("a line exceeds {MAX_LINE} bytes"))),
            Some(line) => Ok(Input::Line(line)),
            None => {
                if self.is_terminal {
                    message("");
                }
                Ok(Input::End)
            }
        }
    }
}
