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

/// Arguments of `mcp list`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp list [OPTIONS] TARGET [tools|resources|templates|prompts]\n       \
                            mcp list [OPTIONS] [tools|resources|templates|prompts] -- COMMAND...")]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) options: ListOptions,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp call`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp call [OPTIONS] TARGET TOOL [NAME=VALUE]...\n       \
                            mcp call [OPTIONS] TOOL [NAME=VALUE]... -- COMMAND...")]
#[command(after_help = ARGUMENTS)]
pub(crate) struct Call {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) options: CallOptions,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp read`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp read [OPTIONS] TARGET URI\n       mcp read [OPTIONS] URI -- COMMAND...")]
pub(crate) struct Read {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) options: ReadOptions,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp prompt`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp prompt [OPTIONS] TARGET PROMPT [NAME=VALUE]...\n       \
                            mcp prompt [OPTIONS] PROMPT [NAME=VALUE]... -- COMMAND...")]
pub(crate) struct Prompt {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) options: JsonOption,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp complete`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp complete [OPTIONS] TARGET PROMPT|TEMPLATE NAME=PREFIX [NAME=VALUE]...\n       \
                            mcp complete [OPTIONS] PROMPT|TEMPLATE NAME=PREFIX [NAME=VALUE]... -- COMMAND...")]
#[command(after_help = COMPLETED)]
pub(crate) struct Complete {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) options: JsonOption,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Arguments of `mcp watch`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp watch [OPTIONS] TARGET [URI]...\n       mcp watch [OPTIONS] [URI]... -- COMMAND...")]
#[command(after_help = WATCHED)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) options: WatchOptions,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

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

/// Options of `mcp call`.
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
