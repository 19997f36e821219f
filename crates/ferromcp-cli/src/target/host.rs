//! Entries of installed hosts: `HOST:NAME`.

use ferromcp_client::config::{Config, ServerConfig};
use ferromcp_core::text::excerpt;
use serde_json::{Map, Value, json};

use crate::exit::Failure;
use crate::hosts::entry::Server;
use crate::hosts::installation::{Installation, Installed};
use crate::hosts::locate::Scope;
use crate::hosts::machine::Machine;
use crate::hosts::table::{self, Host};

/// Returns the host and the name of the entry, if the word begins with the name of a host.
pub(crate) fn parse(word: &str) -> Option<(&'static Host, &str)> {
    let (host, name) = word.split_once(':').filter(|(_, name)| !name.is_empty() && !name.starts_with("//"))?;
    Some((table::find(host)?, name))
}

/// Returns an entry of a host. Variables such as `${NAME}` are replaced.
///
/// # Errors
/// Fails if the host has no such entry, or a file of it cannot be read.
pub(super) fn server(host: &'static Host, name: &str) -> Result<ServerConfig, Failure> {
    let machine = Machine::current().map_err(Failure::usage)?;
    let (_, entry) = find(host, name, &machine)?;
    convert(&entry, host)
}

/// Finds an entry of a host, and its file.
///
/// # Errors
/// Fails if the host has no such entry, or a file of it cannot be read.
pub(crate) fn find(host: &'static Host, name: &str, machine: &Machine) -> Result<(Installation, Installed), Failure> {
    let mut names = Vec::new();
    for scope in [Scope::Local, Scope::Project, Scope::User] {
        let Ok(installation) = Installation::new(host, machine, scope, None) else { continue };
        let entries = installation.read_entries().map_err(|error| Failure::usage(error.to_string()))?;
        if let Some(entry) = entries.iter().find(|entry| entry.name == name) {
            return Ok((installation, entry.clone()));
        }
        names.extend(entries.into_iter().map(|entry| entry.name));
    }
    let (name, known) = (excerpt(name), if names.is_empty() { "no servers".to_owned() } else { names.join(", ") });
    Err(Failure::usage(format!("cannot find the server `{name}` of {}; it has {known}", host.name)))
}

/// Replaces the variables of an entry.
///
/// # Errors
/// Fails if the entry is neither a command nor a URL, or a variable is not set.
pub(crate) fn convert(entry: &Installed, host: &Host) -> Result<ServerConfig, Failure> {
    let name = &entry.name;
    let pairs = |pairs: &[(String, String)]| -> Map<String, Value> {
        pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect()
    };
    let value = match &entry.server {
        Some(Server::Stdio { command, args, env }) => json!({"command": command, "args": args, "env": pairs(env)}),
        Some(Server::Http { url, headers }) => json!({"url": url, "headers": pairs(headers)}),
        None => {
            let cause = format!("cannot use `{}:{}`: it is neither a command nor a URL", host.id, excerpt(name));
            return Err(Failure::usage(cause).with_remedy("fix its entry"));
        }
    };
    let servers: Map<String, Value> = std::iter::once((name.clone(), value)).collect();
    Ok(Config::parse(&json!({"mcpServers": servers}).to_string())?.server(name)?)
}
