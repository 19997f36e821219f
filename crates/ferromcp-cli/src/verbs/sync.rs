//! `mcp sync`: adds all servers of a configuration file to hosts.

use std::path::PathBuf;

use clap::Args;
use ferromcp_client::config::Config;

use super::host_options::{HostOptions, machine};
use super::install::{self, WriteOptions};
use super::install_target;
use crate::exit::Failure;
use crate::hosts::launch;

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

/// Runs the verb.
///
/// # Errors
/// Fails like `mcp install`. Then no file is written.
pub(crate) async fn run(args: Sync) -> Result<(), Failure> {
    let machine = machine()?;
    let config = Config::read(&args.path)?;
    let mut entries = Vec::new();
    for entry in config.entries().filter(|entry| !entry.is_disabled()) {
        launch::validate_name(entry.name()).map_err(Failure::usage)?;
        entries.push((entry.name().to_owned(), install_target::from_config(&entry.resolve()?, &machine)?));
    }
    if entries.is_empty() {
        let path = args.path.display();
        return Err(Failure::usage(format!("cannot use `{path}`: it has no servers; add one")));
    }
    let installations = args.hosts.installations(&machine)?;
    install::add(&machine, args.hosts.scope(), &installations, &entries, args.write, true).await
}
