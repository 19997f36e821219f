//! Runs a server on the stdin and stdout of this process.

use std::process::Command;

use ferromcp_core::text::excerpt;

use crate::exit::{Exit, Failure};

/// Replaces this process by the server.
#[cfg(unix)]
pub(super) fn run(command: &mut Command) -> Result<(), Failure> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(cannot_start(command, &error))
}

/// Runs the server, and exits with its exit code.
#[cfg(not(unix))]
pub(super) fn run(command: &mut Command) -> Result<(), Failure> {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => Err(cannot_start(command, &error)),
    }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    Failure::new(Exit::Connect, format!("cannot start `{}`: {error}; check the command", excerpt(&program)))
}
