//! Arguments of the verb that finds problems.

use clap::Args;

use super::{Connection, Words};

/// Arguments of `mcp doctor`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp doctor [OPTIONS] [TARGET]\n       mcp doctor [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
With TARGET, the server is started or reached, and its responses are checked. An entry of a
host (HOST:NAME) is started as the host starts it. Without TARGET, the files of all hosts on
this machine, the saved names and the logins are checked. Nothing is changed. The exit code is
0 without problems, else that of the first problem.")]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Print the checks as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
