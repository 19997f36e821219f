//! Arguments of `mcp dev`.

use std::path::PathBuf;

use clap::Args;

use super::{Connection, Words};

/// Arguments of `mcp dev`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp dev [OPTIONS] TARGET\n       mcp dev [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
The server is built and started again when its sources change: those of the Cargo workspace, of the
folder of the Python file, or of the working folder for a command. Clients of the endpoint stay
connected. If a build fails, the previous server continues to run. With --url, the previous server
stops before the next one starts.")]
pub(crate) struct Dev {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Port of the inspector and the endpoint; 0 selects a free one
    #[arg(long, default_value_t = 6274)]
    pub(crate) port: u16,
    /// Also rebuild when this file, or any file of this folder, changes; can be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) watch: Vec<PathBuf>,
    /// The server listens at this URL, instead of using stdin and stdout
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<url::Url>,
    /// Do not open the inspector in a browser
    #[arg(long)]
    pub(crate) no_open: bool,
    /// Also serve a client on stdin and stdout, for a host that starts this command
    #[arg(long)]
    pub(crate) stdio: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
