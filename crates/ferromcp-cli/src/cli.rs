//! The command line: verbs, and the options that they share.

mod dev;
mod diagnose;
mod lint;
mod new;
mod pack;
mod repl;
mod request;
mod run;
mod surface;

use std::fmt;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use ferromcp_core::Era;

pub(crate) use dev::Dev;
pub(crate) use diagnose::Doctor;
pub(crate) use lint::{Lint, LintFormat, LintLevel};
pub(crate) use new::{New, TemplateName};
pub(crate) use pack::Pack;
pub(crate) use repl::{Command, Line, Repl};
pub(crate) use request::{
    Call, CallOptions, Complete, Discover, JsonOption, List, ListOptions, Ping, Prompt, Read, ReadOptions, Watch,
};

pub(crate) use run::{Run, ServedTransport};
pub(crate) use surface::{Diff, FailOn, Format, Inspect, Lock, Snapshot};

/// Runs, lists, calls, reads and watches Model Context Protocol servers
///
/// TARGET is a server: a URL; a Python file (server.py or server.py:object); an example, binary or package of the Cargo
/// workspace; a configuration file with the key mcpServers (file.json or file.json#name); an entry of a host (cursor:name); or a name
/// saved by `mcp add`.
/// Instead of TARGET, a command that starts a server on stdio can follow `--`.
#[derive(Debug, Parser)]
#[command(name = "mcp", version, arg_required_else_help = true, disable_help_subcommand = true)]
#[command(after_help = "\
Exit codes:
    0  success
    1  findings of `mcp lint`
    2  invalid command line, argument or file
    3  cannot start or reach the server
    4  the server requires a login
    5  error of the server or the protocol
    6  the tool reported an error
    7  timeout
    8  the tool surface has changed
  130  interrupted")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs. Each has its own module in `verbs`.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create the project of a server
    New(New),
    /// Package a server as an MCP bundle (.mcpb)
    Pack(Pack),
    /// Run a server, or serve it over another transport
    Run(Run),
    /// Run a server with hot reload and a web inspector
    Dev(Dev),
    /// List tools, resources, resource templates and prompts
    #[command(override_usage = "mcp list [OPTIONS] TARGET [tools|resources|templates|prompts]\n       \
                                mcp list [OPTIONS] [tools|resources|templates|prompts] -- COMMAND...")]
    List(List),
    /// Call a tool
    #[command(override_usage = "mcp call [OPTIONS] TARGET TOOL [NAME=VALUE]...\n       \
                                mcp call [OPTIONS] TOOL [NAME=VALUE]... -- COMMAND...")]
    #[command(after_help = request::ARGUMENTS)]
    Call(Call),
    /// Read a resource
    #[command(override_usage = "mcp read [OPTIONS] TARGET URI\n       mcp read [OPTIONS] URI -- COMMAND...")]
    Read(Read),
    /// Get a prompt
    #[command(override_usage = "mcp prompt [OPTIONS] TARGET PROMPT [NAME=VALUE]...\n       \
                                mcp prompt [OPTIONS] PROMPT [NAME=VALUE]... -- COMMAND...")]
    Prompt(Prompt),
    /// Complete an argument of a prompt or a resource template
    #[command(override_usage = "mcp complete [OPTIONS] TARGET PROMPT|TEMPLATE NAME=PREFIX [NAME=VALUE]...\n       \
                                mcp complete [OPTIONS] PROMPT|TEMPLATE NAME=PREFIX [NAME=VALUE]... -- COMMAND...")]
    #[command(after_help = request::COMPLETED)]
    Complete(Complete),
    /// Print changes of lists and resources until interrupted
    #[command(
        override_usage = "mcp watch [OPTIONS] TARGET [URI]...\n       mcp watch [OPTIONS] [URI]... -- COMMAND..."
    )]
    #[command(after_help = request::WATCHED)]
    Watch(Watch),
    /// Show the name, revision, capabilities and instructions of a server
    Discover(Discover),
    /// Describe all definitions of a server, as text, Markdown or JSON
    Inspect(Inspect),
    /// Write the definitions of a server to a file, or compare them with it
    Snapshot(Snapshot),
    /// Compare the definitions of two servers or snapshots, and classify the changes
    Diff(Diff),
    /// Record the definitions of a server in mcp.lock, or compare them with it
    Lock(Lock),
    /// Measure the round-trip time to a server
    Ping(Ping),
    /// Run several commands on one connection, from a terminal or a script
    Repl(Repl),
    /// Find problems of a server, or of the hosts on this machine, and print their fixes
    Doctor(Doctor),
    /// Find problems that models and hosts have with the definitions of a server
    Lint(Lint),
    /// Save a target under a name
    Add(Add),
    /// Remove a saved name
    Remove(Remove),
    /// List the saved names
    Names(Names),
    /// Add a server to the configuration of a host, such as Claude Desktop
    Install(Install),
    /// Remove a server from the configuration of a host
    Uninstall(Uninstall),
    /// List the hosts on this machine, and their servers
    Status(Status),
    /// Add all servers of a configuration file to hosts
    Sync(Sync),
    /// Log in to a server with OAuth
    Login(Login),
    /// Remove the stored login of a server
    Logout(Logout),
    /// Show the stored login of a server
    Whoami(Whoami),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the version, and the supported protocol revisions
    Version,
    /// List the supported protocol revisions, newest first, with the era of each
    Revisions,
}

/// A target, and the words after it. With a command after `--`, all words belong to the verb.
#[derive(Debug, Args)]
pub(crate) struct Words {
    /// Server, followed by the arguments of the verb (see `mcp --help`)
    #[arg(value_name = "TARGET")]
    pub(crate) words: Vec<String>,
    /// Command that starts a server on stdio, instead of TARGET
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// Options of verbs that connect to a server.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection options")]
pub(crate) struct Connection {
    /// Use only the revisions of one era: legacy is 2025-11-25 and older, modern is 2026-07-28
    #[arg(long)]
    pub(crate) era: Option<EraArg>,
    /// Send a header with each HTTP request: `Name: value`, `Name: env:VARIABLE` or `Name: Bearer file:PATH`
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<Hidden>,
    /// Set an environment variable of the started server: NAME=value, NAME=env:VARIABLE or NAME=file:PATH
    #[arg(short = 'e', long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<Hidden>,
    /// Give up when the server has not responded or reported progress for this time [default: 60; a day for `run` and `dev`]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<std::time::Duration>,
    /// Start Python files with this interpreter
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
    /// Let the server know this folder (a root); can be repeated
    #[arg(long = "root", value_name = "FOLDER")]
    pub(crate) roots: Vec<PathBuf>,
    /// Print log messages and stderr of the server to stderr; twice: also those of the client
    #[arg(short, long, action = ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// Eras, as values of `--era`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EraArg {
    Legacy,
    Modern,
}

impl From<EraArg> for Era {
    fn from(era: EraArg) -> Self {
        match era {
            EraArg::Legacy => Self::Legacy,
            EraArg::Modern => Self::Modern,
        }
    }
}

/// A value of the command line that may contain a secret. `Debug` omits it.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) String);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Parses a positive number of seconds.
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let time = std::time::Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())?;
    if time.is_zero() { Err("must be greater than 0".to_owned()) } else { Ok(time) }
}

/// Arguments of `mcp add`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp add [OPTIONS] NAME TARGET\n       mcp add [OPTIONS] NAME -- COMMAND...")]
#[command(after_help = "\
The options are saved with the target. Secrets written as env:VARIABLE or file:PATH are read when the name is used.")]
pub(crate) struct Add {
    /// Name to save, and the target
    #[arg(value_name = "NAME")]
    pub(crate) words: Vec<String>,
    /// Command that starts a server on stdio, instead of TARGET
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Replace the name if it exists
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp remove`.
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Saved name
    pub(crate) name: String,
}

/// Arguments of `mcp names`.
#[derive(Debug, Args)]
pub(crate) struct Names {
    /// Print JSON, without the values of headers and variables
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `mcp login`.
#[derive(Debug, Args)]
pub(crate) struct Login {
    /// URL of the server, or a saved name or configuration entry with a URL
    pub(crate) target: String,
    /// Print the URL of the login page instead of opening a browser, and read the resulting URL from stdin
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Log in with a code that is entered on another device
    #[arg(long, conflicts_with = "no_browser")]
    pub(crate) device: bool,
    /// Request this scope; can be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(crate) scopes: Vec<String>,
    /// Give up when the login is not complete after this time [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<std::time::Duration>,
}

/// Arguments of `mcp logout`.
#[derive(Debug, Args)]
pub(crate) struct Logout {
    /// URL of the server, or a saved name or configuration entry with a URL
    pub(crate) target: String,
}

/// Arguments of `mcp whoami`.
#[derive(Debug, Args)]
pub(crate) struct Whoami {
    /// URL of the server, or a saved name or configuration entry with a URL
    pub(crate) target: String,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `mcp completions`.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Shell that reads the script
    pub(crate) shell: Shell,
}

/// Options that select hosts and their files.
#[derive(Debug, Default, Args)]
pub(crate) struct HostOptions {
    /// Host, for example claude-desktop, claude-code, cursor, vscode or codex; can be repeated [default: claude-desktop]
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    /// Use the file of the project in the working directory
    #[arg(long)]
    pub(crate) project: bool,
    /// Use the entries of the working directory in the file of the user (Claude Code)
    #[arg(long, conflicts_with = "project")]
    pub(crate) local: bool,
    /// Use this file of the host
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// Arguments of `mcp install`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp install [OPTIONS] TARGET\n       mcp install [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
Before the file is replaced, the server is started as the host starts it. If it does not respond, nothing is written.
Relative paths become absolute. Values of variables and headers are stored in the file.")]
pub(crate) struct Install {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) hosts: HostOptions,
    /// Name of the entry [default: derived from the target]
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerOptions,
    #[command(flatten)]
    pub(crate) write: WriteOptions,
    /// Print the entry instead of writing it
    #[arg(long, conflicts_with_all = ["dry_run", "force"])]
    pub(crate) print: bool,
}

/// Options of the server of an entry.
#[derive(Debug, Default, Args)]
pub(crate) struct ServerOptions {
    /// Set a variable of the server: NAME=value, NAME=env:VARIABLE or NAME=file:PATH
    #[arg(short = 'v', long = "env", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<Hidden>,
    /// Set the variables of this file, with lines NAME=value
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Send a header with each HTTP request: `Name: value`
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<Hidden>,
    /// Install a package for a Python server, by uv
    #[arg(long, value_name = "PACKAGE")]
    pub(crate) with: Vec<String>,
    /// Start Python files with this interpreter
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) python: Option<PathBuf>,
}

/// Options of verbs that write files of hosts.
#[derive(Debug, Default, Clone, Copy, Args)]
pub(crate) struct WriteOptions {
    /// Print the change of each file, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace an entry with the same name, and write the entry even if the server does not respond
    #[arg(long)]
    pub(crate) force: bool,
}

/// Arguments of `mcp uninstall`.
#[derive(Debug, Args)]
#[command(after_help = "\
If nothing else changed since the server was installed, the file gets its previous content from the backup.")]
pub(crate) struct Uninstall {
    /// Name of the entry
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) hosts: HostOptions,
    /// Print the change of each file, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Arguments of `mcp status`.
#[derive(Debug, Args)]
#[command(after_help = "Values of variables and headers are not printed.")]
pub(crate) struct Status {
    /// Host; can be repeated [default: all hosts with a file or a folder]
    #[arg(long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `mcp sync`.
#[derive(Debug, Args)]
#[command(after_help = "\
Entries with the same names are replaced, and other entries are kept. Entries with \"disabled\": true are skipped. Variables
such as ${NAME} in FILE are replaced by their values, because few hosts support them.")]
pub(crate) struct Sync {
    /// File with the key mcpServers or servers
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) hosts: HostOptions,
    #[command(flatten)]
    pub(crate) write: WriteOptions,
}
