//! Arguments of `mcp repl`, and the commands of a session.

use clap::{Args, Parser, Subcommand};

use super::request::{ARGUMENTS, COMPLETED, CallOptions, JsonOption, ListOptions, ReadOptions, WATCHED, WatchOptions};
use super::{Connection, Words};

/// Arguments of `mcp repl`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp repl [OPTIONS] TARGET\n       mcp repl [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
Each line is a command without a target, such as `call add a=1`; `help` lists the commands.
Words can be quoted as in a shell, and lines that start with # are skipped. Errors do not end
the session. Ctrl-C cancels the command, Ctrl-D ends the session.

If stdin is not a terminal, the lines are a script: no prompt is printed, Ctrl-C ends the
session, and the exit code is that of the first line that failed.")]
pub(crate) struct Repl {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// A line of a session.
#[derive(Debug, Parser)]
#[command(name = "repl", multicall = true, subcommand_help_heading = "Commands", help_template = "{all-args}")]
pub(crate) struct Line {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands of a session. They have the options of the verbs with the same names.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List tools, resources, resource templates and prompts
    #[command(override_usage = "list [OPTIONS] [tools|resources|templates|prompts]")]
    List(LineOf<ListOptions>),
    /// Call a tool
    #[command(override_usage = "call [OPTIONS] TOOL [NAME=VALUE]...", after_help = ARGUMENTS)]
    Call(LineOf<CallOptions>),
    /// Read a resource
    #[command(override_usage = "read [OPTIONS] URI")]
    Read(LineOf<ReadOptions>),
    /// Get a prompt
    #[command(override_usage = "prompt [OPTIONS] PROMPT [NAME=VALUE]...")]
    Prompt(LineOf<JsonOption>),
    /// Complete an argument of a prompt or a resource template
    #[command(
        override_usage = "complete [OPTIONS] PROMPT|TEMPLATE NAME=PREFIX [NAME=VALUE]...",
        after_help = COMPLETED
    )]
    Complete(LineOf<JsonOption>),
    /// Print changes of lists and resources until interrupted
    #[command(override_usage = "watch [OPTIONS] [URI]...", after_help = WATCHED)]
    Watch(LineOf<WatchOptions>),
    /// Show the name, revision, capabilities and instructions of the server
    Discover(LineOf<JsonOption>),
    /// Measure the round-trip time to the server
    Ping,
    /// End the session
    #[command(visible_alias = "quit")]
    Exit,
}

/// The arguments and options of a command.
#[derive(Debug, Args)]
pub(crate) struct LineOf<O: Args> {
    /// Arguments of the command
    #[arg(value_name = "ARGUMENT")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) options: O,
}
