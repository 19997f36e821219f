//! Arguments of `mcp run`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Connection, Hidden, Words};

/// Arguments of `mcp run`.
#[derive(Debug, Args)]
#[command(override_usage = "mcp run [OPTIONS] TARGET\n       mcp run [OPTIONS] -- COMMAND...")]
#[command(after_help = "\
A server that is started replaces this process, unless another transport is selected. A URL is served on stdio or HTTP.
The servers of a configuration file become one server, whose tools and prompts have the prefix NAME_.
Clients and servers of all revisions can be combined.")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) words: Words,
    /// Transport for the clients
    #[arg(long, value_enum, default_value_t = ServedTransport::Stdio)]
    pub(crate) transport: ServedTransport,
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<String>,
    /// Port to listen on; 0 selects a free one [default: 8000]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Path of the endpoint [default: /mcp]
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// Require a bearer token from the clients: env:VARIABLE or file:PATH
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<Hidden>,
    /// Accept requests for this host name, in addition to those of this machine; can be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) allow_host: Vec<String>,
    /// Accept requests of web pages of this origin; can be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Forward the messages of a server that is started on stdio, instead of replacing this process with it
    #[arg(long)]
    pub(crate) bridge: bool,
    /// Omit tools and prompts that differ from this lock file (see `mcp lock`), and reject calls of them
    #[arg(long, value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
    /// Set the variables of this file, with lines NAME=value
    #[arg(long, value_name = "FILE")]
    pub(crate) env_file: Vec<PathBuf>,
    /// Level of the logs on stderr
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = LogArg::Warn)]
    pub(crate) log: LogArg,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// Transports, as values of `--transport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServedTransport {
    /// Standard input and output
    Stdio,
    /// Streamable HTTP
    Http,
    /// HTTP+SSE of 2024-11-05, and Streamable HTTP
    Sse,
}

/// Log levels, as values of `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub(crate) enum LogArg {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl From<LogArg> for tracing::Level {
    fn from(level: LogArg) -> Self {
        match level {
            LogArg::Error => Self::ERROR,
            LogArg::Warn => Self::WARN,
            LogArg::Info => Self::INFO,
            LogArg::Debug => Self::DEBUG,
            LogArg::Trace => Self::TRACE,
        }
    }
}
