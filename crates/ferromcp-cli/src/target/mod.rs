//! Targets: a URL, or a command that starts a server on stdio.

use std::process::Command;

use crate::cli::Words;
use crate::exit::Failure;

/// A server to connect to.
#[derive(Debug)]
pub(crate) enum Target {
    /// A server over HTTP.
    Url(String),
    /// A command that starts a server on stdio.
    Command(Command),
}

/// Resolves the target of a command line. Returns it with the remaining words.
pub(crate) fn resolve(words: &Words) -> Result<(Target, &[String]), Failure> {
    if let Some((program, args)) = words.command.split_first() {
        let mut command = Command::new(program);
        command.args(args);
        return Ok((Target::Command(command), &words.words));
    }
    let Some((target, rest)) = words.words.split_first() else {
        return Err(Failure::usage("the target is missing; name a URL, or a command after `--`"));
    };
    Ok((Target::Url(target.clone()), rest))
}
