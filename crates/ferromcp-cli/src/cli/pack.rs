//! Arguments of the verb that packages a server.

use std::path::PathBuf;

use clap::Args;

use super::Connection;

/// Arguments of `mcp pack`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp pack [OPTIONS] TARGET")]
#[command(after_help = "\
TARGET is built in release mode and started, and its tools and prompts are listed in the
manifest. The server gets the variables of -e when it is started here; hosts set those of
--config and --secret.

With --registry-name and --url, the file server.json for the MCP Registry is written next to
the bundle.")]
pub(crate) struct Pack {
    /// Example, binary or package of the Cargo workspace of the current folder
    pub(crate) target: String,
    /// File to write [default: NAME.mcpb]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Name of the bundle [default: name of the program]
    #[arg(short, long)]
    pub(crate) name: Option<String>,
    /// Description [default: that of the server or the package]
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Author, for example `Ada <ada@example.com>` [default: that of the package]
    #[arg(long)]
    pub(crate) author: Option<String>,
    /// Icon, a PNG file
    #[arg(long, value_name = "FILE")]
    pub(crate) icon: Option<PathBuf>,
    /// Argument of the program; can be repeated
    #[arg(long = "arg", value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
    /// Variable that the user sets: `NAME[:TYPE][=DEFAULT]`; TYPE is string, number, boolean, directory or file
    #[arg(long = "config", value_name = "VARIABLE")]
    pub(crate) config: Vec<String>,
    /// Variable that the user sets, and that hosts store as a secret
    #[arg(long = "secret", value_name = "NAME")]
    pub(crate) secrets: Vec<String>,
    /// Use this program for a platform, which is linux, darwin or win32: PLATFORM=FILE
    #[arg(long = "binary", value_name = "PLATFORM=FILE")]
    pub(crate) binaries: Vec<String>,
    /// Name in the MCP Registry, for example io.github.user/server
    #[arg(long, value_name = "NAME", requires = "url")]
    pub(crate) registry_name: Option<String>,
    /// URL from which the bundle will be downloaded
    #[arg(long, requires = "registry_name")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
