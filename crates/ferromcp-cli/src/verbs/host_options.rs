//! Options that select hosts and their files.

use ferromcp_core::text::excerpt;

use crate::cli::HostOptions;
use crate::exit::Failure;
use crate::hosts::installation::Installation;
use crate::hosts::locate::Scope;
use crate::hosts::machine::Machine;
use crate::hosts::table::{self, Host};

/// The host without `--host`.
const DEFAULT_HOST: &str = "claude-desktop";

/// Returns the selected scope.
pub(crate) fn scope(options: &HostOptions) -> Scope {
    if options.project {
        Scope::Project
    } else if options.local {
        Scope::Local
    } else {
        Scope::User
    }
}

/// Returns the selected hosts; Claude Desktop without a selection.
///
/// # Errors
/// Fails if a host is unknown.
fn hosts(options: &HostOptions) -> Result<Vec<&'static Host>, Failure> {
    let default = [DEFAULT_HOST.to_owned()];
    let names: &[String] = if options.hosts.is_empty() { &default } else { &options.hosts };
    let mut found: Vec<&'static Host> = Vec::new();
    for name in names {
        let host = find(name)?;
        if !found.iter().any(|other| other.id == host.id) {
            found.push(host);
        }
    }
    if options.file.is_some() && found.len() > 1 {
        return Err(Failure::usage("`--file` selects the file of one host; use one `--host`"));
    }
    Ok(found)
}

/// Returns the files of the selected hosts.
///
/// # Errors
/// Fails if a host is unknown, or has no file for the scope.
pub(crate) fn installations(options: &HostOptions, machine: &Machine) -> Result<Vec<Installation>, Failure> {
    let file = options.file.as_deref();
    let hosts = hosts(options)?.into_iter();
    let found = hosts.map(|host| Installation::new(host, machine, scope(options), file));
    found.collect::<Result<_, _>>().map_err(|error| Failure::usage(error.to_string()))
}

/// Returns the host with this name.
pub(crate) fn find(name: &str) -> Result<&'static Host, Failure> {
    table::find(name).ok_or_else(|| {
        let ids: Vec<&str> = table::all().iter().map(|host| host.id.as_str()).collect();
        Failure::usage(format!("unknown host `{}`; use one of {}", excerpt(name), ids.join(", ")))
    })
}

/// Returns the machine of this process.
pub(crate) fn machine() -> Result<Machine, Failure> {
    Machine::current().map_err(Failure::usage)
}
