//! `mcp uninstall`: removes a server from the files of hosts.

use std::fmt::Write as _;
use std::path::Path;

use super::host_options::{installations, machine};
use super::install::{announce, finish, print_lines, show};
use crate::cli::Uninstall;
use crate::exit::Failure;
use crate::hosts::edit::EditErrorKind;
use crate::hosts::file::{self, Change, FileError};
use crate::hosts::host_command::{self, HostCommand};
use crate::hosts::installation::Installation;
use crate::hosts::locate::Scope;
use crate::hosts::machine::Machine;
use crate::hosts::table;

/// Runs the verb.
///
/// # Errors
/// Fails if a host is unknown, or its file has no such entry or cannot be edited. Then no file is written.
pub(crate) async fn run(args: &Uninstall) -> Result<(), Failure> {
    let machine = machine()?;
    let installations = installations(&args.hosts, &machine)?;
    let mut planned = Vec::new();
    for installation in &installations {
        let backup = backup(installation);
        let change = file::plan(&installation.path, |text| installation.remove(text, backup.as_deref(), &args.name));
        planned.push(change.map_err(|error| explain(&args.name, &machine, &error))?);
    }
    if args.dry_run {
        for installation in &installations {
            announce(installation, HostCommand::remove(installation, &machine, &args.name).as_slice());
        }
        return show(&planned);
    }
    let locks = machine.state_folder();
    let mut written = String::new();
    for installation in &installations {
        let (change, by) = remove_from(installation, &locks, &machine, &args.name).await?;
        let (host, path) = (&installation.host.name, change.path.display());
        let backup = file::backup_path(&change.path);
        let backup = backup.display();
        let _ = writeln!(
            written,
            "{host}: `{}` removed from {path}{by}\n  backup: {backup}\n  restart {host} if it runs",
            args.name
        );
    }
    print_lines(&written)
}

/// Removes an entry from the file of a host, with the program of the host if possible. Returns the change, and the program
/// for messages.
async fn remove_from(
    installation: &Installation,
    locks: &Path,
    machine: &Machine,
    name: &str,
) -> Result<(Change, String), Failure> {
    let explain = |error: FileError| explain(name, machine, &error);
    // The program replaces the backup.
    let backup = backup(installation);
    let remove = |text: &str| installation.remove(text, backup.as_deref(), name);
    if let Some(command) = HostCommand::remove(installation, machine, name) {
        let _lock = file::lock(locks).map_err(explain)?;
        let planned = file::plan(&installation.path, remove).map_err(explain)?;
        let outcome = host_command::remove(&command, installation, &planned, name, host_command::TIMEOUT).await;
        if let Some(change) = finish(installation, &command, &planned, outcome)? {
            return Ok((change, format!(" by `{}`", command.verb())));
        }
    }
    Ok((file::update(&installation.path, locks, remove).map_err(explain)?, String::new()))
}

/// Returns the content of the file before the last change.
fn backup(installation: &Installation) -> Option<String> {
    let target = std::fs::canonicalize(&installation.path).ok()?;
    file::read(&file::backup_path(&target)).ok().flatten()
}

/// Adds the hosts that have the entry to the error.
fn explain(name: &str, machine: &Machine, error: &FileError) -> Failure {
    let failure = Failure::usage(error.to_string());
    if error.edit != Some(EditErrorKind::Missing) {
        return failure;
    }
    let has_entry = |installation: &Installation| {
        installation.read_entries().is_ok_and(|entries| entries.iter().any(|entry| entry.name == name))
    };
    let hosts = table::all().iter();
    let found = hosts.filter_map(|host| Installation::new(host, machine, Scope::User, None).ok()).filter(has_entry);
    let options: Vec<String> = found.map(|installation| format!("`--host {}`", installation.host.id)).collect();
    if options.is_empty() { failure } else { failure.with_remedy(format!("it is in {}", options.join(", "))) }
}
