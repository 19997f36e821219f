//! `mcp sync`: adds all servers of a configuration file to hosts.

use ferromcp_client::config::Config;

use super::host_options::{installations, machine, scope};
use super::install;
use super::install_target;
use crate::cli::Sync;
use crate::exit::Failure;
use crate::hosts::launch;

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
    let installations = installations(&args.hosts, &machine)?;
    install::add(&machine, scope(&args.hosts), &installations, &entries, args.write, true).await
}
