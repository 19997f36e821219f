//! Arguments of the verbs about the definitions of a server.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Connection, Words};

/// Arguments of `mcp inspect`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp inspect [OPTIONS] TARGET\n       mcp inspect [OPTIONS] -- COMMAND...")]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Formats, as values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for a terminal
    Text,
    /// Markdown, with the text of the server escaped
    Markdown,
    /// JSON
    Json,
}

/// Arguments of `mcp snapshot`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp snapshot [OPTIONS] TARGET\n       mcp snapshot [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
The output is deterministic JSON, without the protocol revision and the version of the server.
With --check, the exit code is 8 if the definitions differ.")]
pub(crate) struct Snapshot {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Write to this file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Compare with this file, and print the changes
    #[arg(long, value_name = "FILE", conflicts_with = "output")]
    pub(crate) check: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp diff`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp diff [OPTIONS] OLD NEW\n       mcp diff [OPTIONS] OLD -- COMMAND...")]
#[command(after_help = "\
OLD and NEW are each a file written by `mcp snapshot`, or a TARGET. A change is breaking if calls of
a client written for OLD can fail or have another effect, or if it cannot read the results. The exit
code is 8 if a change is at least as severe as --fail-on.")]
pub(crate) struct Diff {
    /// Snapshots or targets
    #[arg(value_name = "OLD NEW")]
    pub(crate) words: Vec<String>,
    /// Command that starts a server on stdio, instead of NEW
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Least severe change that fails
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = FailOn::Breaking)]
    pub(crate) fail_on: FailOn,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Levels, as values of `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    /// Breaking changes
    Breaking,
    /// Compatible and breaking changes
    Compatible,
    /// All changes, including those of descriptions
    Any,
}

/// Arguments of `mcp lock`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp lock [OPTIONS] TARGET\n       mcp lock [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
The first run records the definitions as they are. Later runs fail with exit code 8 if the
definitions differ, unless --update is set. `mcp call` and `mcp repl` reject tools that differ from
the lock, and `mcp run --lock` also rejects prompts. A server is identified by TARGET as written.")]
pub(crate) struct Lock {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Lock file
    #[arg(long, value_name = "FILE", default_value = "mcp.lock")]
    pub(crate) file: PathBuf,
    /// Compare only: fail if the server is not in the file
    #[arg(long)]
    pub(crate) check: bool,
    /// Record the definitions even if they differ
    #[arg(long, conflicts_with = "check")]
    pub(crate) update: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
