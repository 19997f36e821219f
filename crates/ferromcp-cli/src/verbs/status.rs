//! `mcp status`: lists the hosts on this machine, and their servers.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::host_options::{find, machine};
use super::install::print_lines;
use crate::cli::Status;
use crate::exit::{Exit, Failure};
use crate::hosts::entry::Server;
use crate::hosts::installation::{Installation, Installed};
use crate::hosts::locate::{self, Scope};
use crate::hosts::machine::Machine;
use crate::hosts::table::{self, Host};
use crate::output::Output;

/// A file of a host.
struct Row {
    host: &'static Host,
    scope: &'static str,
    file: String,
    exists: bool,
    entries: Result<Vec<Installed>, String>,
    /// Files that exist, but are not read by the host.
    unread: Vec<String>,
}

/// Runs the verb.
///
/// # Errors
/// Fails if a host is unknown. Exits with an error after printing if a file cannot be read.
pub(crate) fn run(args: &Status) -> Result<(), Failure> {
    let machine = machine()?;
    let named = args.hosts.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    let selected: Vec<&'static Host> = if named.is_empty() { table::all().iter().collect() } else { named };
    let lists_all = !args.hosts.is_empty();
    let rows: Vec<Row> = selected.iter().flat_map(|host| rows(host, &machine, lists_all)).collect();
    if args.json {
        let mut out = Output::stdout();
        out.json(&rows.iter().map(to_json).collect::<Vec<Value>>())?;
        out.flush()?;
    } else {
        let text: String = rows.iter().map(to_text).collect();
        print_lines(if text.is_empty() { "no host has a file or a folder on this machine" } else { &text })?;
    }
    if rows.iter().any(|row| row.entries.is_err()) { Err(Failure::silent(Exit::Usage)) } else { Ok(()) }
}

/// Returns the files of a host that exist, or whose folder exists.
fn rows(host: &'static Host, machine: &Machine, lists_all: bool) -> Vec<Row> {
    let scopes = [(Scope::User, "user"), (Scope::Local, "local"), (Scope::Project, "project")];
    let found = scopes.into_iter().filter_map(|(scope, name)| {
        let row = |file: String, exists, entries| Row { host, scope: name, file, exists, entries, unread: Vec::new() };
        let installation = match Installation::new(host, machine, scope, None) {
            Ok(installation) => installation,
            Err(locate::LocateError::NoFile { .. }) => return None,
            Err(error) => return Some(row(String::new(), true, Err(error.to_string()))),
        };
        let exists = installation.path.is_file();
        let folder = installation.path.parent().filter(|folder| *folder != machine.home && *folder != machine.project);
        let has_folder = scope == Scope::User && folder.is_some_and(std::path::Path::is_dir);
        let is_selected = lists_all && scope == Scope::User;
        if !(exists || has_folder || is_selected) {
            return None;
        }
        let entries = installation.read_entries().map_err(|error| error.to_string());
        if scope == Scope::Local && entries.as_ref().is_ok_and(Vec::is_empty) {
            return None;
        }
        let mut row = row(installation.path.display().to_string(), exists, entries);
        if scope == Scope::User {
            row.unread = locate::unread(host, machine).iter().map(|path| path.display().to_string()).collect();
        }
        Some(row)
    });
    found.collect()
}

fn to_text(row: &Row) -> String {
    let scope = if row.scope == "user" { String::new() } else { format!(" ({})", row.scope) };
    let mut text = format!("{}{scope}: {}\n", row.host.name, row.file);
    match &row.entries {
        Err(error) => {
            let _ = writeln!(text, "  error: {error}");
        }
        Ok(_) if !row.exists => text.push_str("  the file does not exist yet\n"),
        Ok(entries) if entries.is_empty() => text.push_str("  no servers\n"),
        Ok(entries) => {
            let width = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or_default();
            for entry in entries {
                let _ = writeln!(text, "  {:width$}  {}", entry.name, summary(entry));
            }
        }
    }
    for path in &row.unread {
        let _ = writeln!(text, "  {} does not read {path}; move its servers to the file above", row.host.name);
    }
    text
}

fn summary(entry: &Installed) -> String {
    match &entry.server {
        None => "neither a command nor a URL".to_owned(),
        Some(Server::Http { url, .. }) => without_secrets(url).to_owned(),
        Some(Server::Stdio { command, args, .. }) => {
            let words = std::iter::once(command).chain(args).map(|word| {
                let is_plain = !word.is_empty() && !word.contains([' ', '"', '\n', '\t']);
                if is_plain { word.clone() } else { format!("{word:?}") }
            });
            let line = words.collect::<Vec<_>>().join(" ");
            ferromcp_core::text::excerpt(&line).to_string()
        }
    }
}

/// Removes the query of a URL, which may contain a key.
fn without_secrets(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn to_json(row: &Row) -> Value {
    let names = |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let server = |entry: &Installed| match &entry.server {
        None => Value::Null,
        Some(Server::Stdio { command, args, env }) => json!({"command": command, "args": args, "env": names(env)}),
        Some(Server::Http { url, headers }) => json!({"url": without_secrets(url), "headers": names(headers)}),
    };
    let mut value = json!({
        "host": row.host.id, "scope": row.scope, "file": row.file, "exists": row.exists, "unreadFiles": row.unread,
    });
    match &row.entries {
        Ok(entries) => {
            let servers: Map<_, _> = entries.iter().map(|entry| (entry.name.clone(), server(entry))).collect();
            value["servers"] = Value::Object(servers);
        }
        Err(error) => value["error"] = error.as_str().into(),
    }
    value
}
