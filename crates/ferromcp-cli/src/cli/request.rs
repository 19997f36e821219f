//! Arguments of the verbs that send requests.

use std::path::PathBuf;

use clap::Args;

use super::{Connection, Words};

/// The notation of arguments of tools.
pub(super) const ARGUMENTS: &str = "\
Arguments of the tool:
  NAME=VALUE      converted by the schema of the tool; an array is a,b,c or NAME repeated
  NAME:=JSON      any JSON value
  NAME=@FILE      the text of a file (@- is stdin); NAME:=@FILE reads JSON
  OUTER.INNER=…   a member of an object";

/// The notation of arguments of `mcp complete`.
pub(super) const COMPLETED: &str = "The first NAME is completed; the others are arguments that are known already.";

/// What `mcp watch` prints.
pub(super) const WATCHED: &str = "Without a URI, changes of the lists of tools, resources and prompts are printed.";

/// Arguments of a verb that sends requests. The variants of `Verb` have their usage.
#[derive(Debug, Args)]
pub(crate) struct RequestOf<O: Args> {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) options: O,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp list`.
pub(crate) type List = RequestOf<ListOptions>;

/// Arguments of `mcp call`.
pub(crate) type Call = RequestOf<LockedCallOptions>;

/// Arguments of `mcp read`.
pub(crate) type Read = RequestOf<ReadOptions>;

/// Arguments of `mcp prompt`.
pub(crate) type Prompt = RequestOf<JsonOption>;

/// Arguments of `mcp complete`.
pub(crate) type Complete = RequestOf<JsonOption>;

/// Arguments of `mcp watch`.
pub(crate) type Watch = RequestOf<WatchOptions>;

/// Arguments of `mcp discover`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp discover [OPTIONS] TARGET\n       mcp discover [OPTIONS] -- COMMAND...")]
pub(crate) struct Discover {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp ping`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp ping [OPTIONS] TARGET\n       mcp ping [OPTIONS] -- COMMAND...")]
pub(crate) struct Ping {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Options of `mcp list`.
#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Print descriptions in full instead of their first line
    #[arg(short, long)]
    pub(crate) long: bool,
    /// Print the definitions as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of a call.
#[derive(Debug, Args)]
pub(crate) struct CallOptions {
    /// Pass all arguments as one JSON object, or as @FILE
    #[arg(long, value_name = "JSON")]
    pub(crate) args: Option<String>,
    /// Save the images, audio or other binary content, or else the text, to this file (- is stdout)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print the whole result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `mcp call`, which checks the tool if a lock file contains the server.
#[derive(Debug, Args)]
pub(crate) struct LockedCallOptions {
    #[command(flatten)]
    pub(crate) call: CallOptions,
    /// Reject the tool if it differs from this lock file [default: mcp.lock, if it contains the server]
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
}

/// Options of `mcp read`.
#[derive(Debug, Args)]
pub(crate) struct ReadOptions {
    /// Save the binary content, or else the text, to this file (- is stdout)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Print the whole result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// The option of verbs whose result can be printed as JSON.
#[derive(Debug, Args)]
pub(crate) struct JsonOption {
    /// Print the whole result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `mcp watch`.
#[derive(Debug, Args)]
pub(crate) struct WatchOptions {
    /// Print each change as one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}
