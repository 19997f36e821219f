//! The command line: verbs, and the options that they share.

use clap::{Args, Parser, Subcommand};

/// Command-line tool for Model Context Protocol servers
#[derive(Debug, Parser)]
#[command(name = "mcp", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs. Each has its own module in `verbs`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Measure the round-trip time to a server
    Ping(Ping),
    /// List the supported protocol revisions, newest first, with the era of each
    Revisions,
}

/// A target, and the words after it. With a command after `--`, all words belong to the verb.
#[derive(Debug, Args)]
pub(crate) struct Words {
    /// URL, Python file, Cargo target, configuration file or saved name; then the arguments of the verb
    #[arg(value_name = "TARGET")]
    pub(crate) words: Vec<String>,
    /// Command that starts a server on stdio, instead of TARGET
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Arguments of `mcp ping`.
#[derive(Debug, Args)]
pub(crate) struct Ping {
    #[command(flatten)]
    pub(crate) words: Words,
}
