//! `mcp install`: adds a server to the files of hosts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::{Install, WriteOptions};
use crate::exit::{Exit, Failure};
use crate::hosts::check::{self, Report};
use crate::hosts::edit::{EditError, EditErrorKind};
use crate::hosts::entry::Server;
use crate::hosts::file::{self, Change, FileError};
use crate::hosts::host_command::{self, HostCommand, Outcome};
use crate::hosts::installation::Installation;
use crate::hosts::launch;
use crate::hosts::locate::Scope;
use crate::hosts::machine::Machine;
use crate::output::Output;
use crate::terminal;

use super::bridged;
use super::host_options::{installations, machine, scope};
use super::install_target;

/// Runs the verb.
///
/// # Errors
/// Fails if the target or a host is unknown, the server does not respond, or a file cannot be edited. Then no file is
/// written, unless writing the file of a later host fails.
pub(crate) async fn run(args: Install) -> Result<(), Failure> {
    let machine = machine()?;
    let (server, derived) = install_target::resolve(&args.words, &args.server, &machine).await?;
    let name = args.name.unwrap_or(derived);
    launch::validate_name(&name).map_err(Failure::usage)?;
    let installations = installations(&args.hosts, &machine)?;
    let entries = [(name, server)];
    if args.print {
        return print(&machine, &installations, &entries);
    }
    add(&machine, scope(&args.hosts), &installations, &entries, args.write, args.write.force).await
}

/// Adds entries to the files of hosts, after their servers responded. `replace` replaces entries with the same names.
pub(crate) async fn add(
    machine: &Machine,
    scope: Scope,
    installations: &[Installation],
    entries: &[(String, Server)],
    options: WriteOptions,
    replace: bool,
) -> Result<(), Failure> {
    let hosts = installations.iter().map(|it| Ok((it, bridged::entries(it, entries)?)));
    let hosts = hosts.collect::<Result<Vec<_>, Failure>>()?;
    let planned = hosts.iter().map(|(it, entries)| plan(it, entries, replace)).collect::<Result<Vec<_>, _>>()?;
    let commands = |installation: &Installation, change: &Change, entries: &[(String, Server)]| {
        let before = change.before.as_deref().unwrap_or_default();
        HostCommand::add(installation, machine, before, entries).filter(|_| change.is_change())
    };
    if options.dry_run {
        for ((installation, entries), change) in hosts.iter().zip(&planned) {
            announce(installation, &commands(installation, change, entries).unwrap_or_default());
        }
        return show(&planned);
    }
    let mut checked: Vec<(Server, PathBuf)> = Vec::new();
    for ((installation, entries), change) in hosts.iter().zip(&planned) {
        for (name, server) in entries.iter().filter(|_| change.is_change()) {
            let folder = check::folder(installation.host, machine, scope);
            let started = (server.clone(), folder);
            if !checked.contains(&started) {
                respond(installation, name, &started.0, &started.1, options.force).await?;
                checked.push(started);
            }
        }
    }
    let locks = machine.state_folder();
    let mut written = String::new();
    for (installation, entries) in &hosts {
        let result = add_to(installation, &locks, entries, replace, commands).await;
        match result {
            Ok(text) => written.push_str(&text),
            Err(failure) => {
                print_lines(&written)?;
                return Err(failure);
            }
        }
    }
    // A closed stdout does not prevent a file from being written.
    print_lines(&written)
}

/// Adds entries to the file of a host, with the program of the host if possible. Returns a description of the change.
async fn add_to(
    installation: &Installation,
    locks: &Path,
    entries: &[(String, Server)],
    replace: bool,
    commands: impl Fn(&Installation, &Change, &[(String, Server)]) -> Option<Vec<HostCommand>>,
) -> Result<String, Failure> {
    let mut replace = replace;
    if installation.command().is_some() {
        let _lock = file::lock(locks).map_err(|error| explain(installation, entries, &error))?;
        let planned = plan(installation, entries, replace)?;
        if let Some(commands) = commands(installation, &planned, entries) {
            let outcome = host_command::add(&commands, installation, &planned, entries, host_command::TIMEOUT).await;
            if let Some(change) = finish(installation, &commands[0], &planned, outcome)? {
                return Ok(describe_change(installation, entries, &change, Some(&commands[0])));
            }
            // The program may have added an entry in another form.
            replace = true;
        }
    }
    match file::update(&installation.path, locks, |text| edit(installation, text, entries, replace)) {
        Ok(change) => Ok(describe_change(installation, entries, &change, None)),
        Err(error) => Err(explain(installation, entries, &error)),
    }
}

/// Returns the change of the program of a host; `None` with a warning if the file has to be edited.
///
/// # Errors
/// Fails if other entries were lost.
pub(crate) fn finish(
    installation: &Installation,
    command: &HostCommand,
    planned: &Change,
    outcome: Outcome,
) -> Result<Option<Change>, Failure> {
    let (verb, path) = (command.verb(), &planned.path);
    match outcome {
        Outcome::Done(change) => Ok(Some(change)),
        Outcome::Failed(cause) => {
            let host = &installation.host.name;
            terminal::message(format_args!("warning: `{verb}` failed: {cause}; editing the file of {host} instead"));
            Ok(None)
        }
        Outcome::Lost(names) => {
            let (names, backup) = (names.join(", "), file::backup_path(path));
            let message = format!("`{verb}` removed other entries from `{}`: {names}", path.display());
            Err(Failure::usage(message).with_remedy(format!("restore them from `{}`", backup.display())))
        }
    }
}

/// Prints the commands that a change would run.
pub(crate) fn announce(installation: &Installation, commands: &[HostCommand]) {
    for command in commands {
        terminal::message(format_args!("{}: `{command}` changes the file, about like this:", installation.host.name));
    }
}

/// Starts the server, and prints its response.
async fn respond(
    installation: &Installation,
    name: &str,
    server: &Server,
    folder: &Path,
    force: bool,
) -> Result<(), Failure> {
    match check::check(server, folder, installation.host).await {
        Ok(report) => {
            terminal::message(describe(name, &report));
            Ok(())
        }
        Err(error) => {
            let mut message = format!("cannot start `{name}` as {} does: {}", installation.host.name, error.cause);
            let lines: Vec<&String> = error.stderr.iter().filter(|line| !message.contains(line.as_str())).collect();
            if !lines.is_empty() {
                message.push_str("; its last output is:\n");
                for line in lines {
                    let _ = writeln!(message, "  {line}");
                }
                message.truncate(message.trim_end().len());
            }
            if force {
                terminal::message(format_args!("warning: {message}; {}", error.remedy));
                return Ok(());
            }
            let remedy = format!("{}; nothing was written, `--force` writes the entry anyway", error.remedy);
            Err(Failure::new(Exit::Connect, message).with_remedy(remedy))
        }
    }
}

fn describe(name: &str, report: &Report) -> String {
    if report.needs_login {
        return format!("{name}: the server responds and requires a login; the host logs in when it connects");
    }
    let tools = match report.tools.len() {
        0 => "no tools".to_owned(),
        1 => format!("1 tool: {}", report.tools[0]),
        count => format!("{count} tools: {}", report.tools.iter().take(20).cloned().collect::<Vec<_>>().join(", ")),
    };
    let more = if report.tools.len() > 20 { ", …" } else { "" };
    let millis = report.elapsed.as_millis();
    format!("{name}: {} responds in {millis} ms, revision {}, {tools}{more}", report.server, report.revision)
}

fn describe_change(
    installation: &Installation,
    entries: &[(String, Server)],
    change: &Change,
    command: Option<&HostCommand>,
) -> String {
    let (host, path) = (installation.host, change.path.display());
    let names = entries.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if !change.is_change() {
        return format!("{}: {names} is installed already in {path}\n", host.name);
    }
    let by = command.map(|command| format!(" by `{}`", command.verb())).unwrap_or_default();
    let mut text = format!("{}: {names} installed in {path}{by}\n", host.name);
    if change.before.is_some() {
        let _ = writeln!(text, "  backup: {}", file::backup_path(&change.path).display());
    }
    let _ = writeln!(text, "  restart {} if it runs", host.name);
    if let Some(remark) = &host.remark {
        let _ = writeln!(text, "  note: {remark}");
    }
    text
}

fn plan(installation: &Installation, entries: &[(String, Server)], replace: bool) -> Result<Change, Failure> {
    file::plan(&installation.path, |text| edit(installation, text, entries, replace))
        .map_err(|error| explain(installation, entries, &error))
}

fn edit(
    installation: &Installation,
    text: &str,
    entries: &[(String, Server)],
    replace: bool,
) -> Result<String, EditError> {
    entries.iter().try_fold(text.to_owned(), |text, (name, server)| installation.add(&text, name, server, replace))
}

/// Adds the entry to the error if the user has to write it.
fn explain(installation: &Installation, entries: &[(String, Server)], error: &FileError) -> Failure {
    let failure = Failure::usage(error.to_string());
    if error.edit != Some(EditErrorKind::Structure) {
        return failure;
    }
    let snippets: Vec<String> =
        entries.iter().map(|(name, server)| installation.snippet("", name, &redacted(server))).collect();
    failure.with_remedy(format!(
        "or write the entry (without the values of variables and headers):\n{}",
        snippets.concat()
    ))
}

/// Removes the values of variables and headers.
fn redacted(server: &Server) -> Server {
    let hide = |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| (name.clone(), "…".to_owned())).collect();
    match server {
        Server::Stdio { command, args, env } => {
            Server::Stdio { command: command.clone(), args: args.clone(), env: hide(env) }
        }
        Server::Http { url, headers } => Server::Http { url: url.clone(), headers: hide(headers) },
    }
}

fn print(machine: &Machine, installations: &[Installation], entries: &[(String, Server)]) -> Result<(), Failure> {
    for installation in installations {
        let entries = &bridged::entries(installation, entries)?;
        let text = file::read(&installation.path).ok().flatten().unwrap_or_default();
        terminal::message(format_args!("{}: {}", installation.host.name, installation.path.display()));
        for command in HostCommand::add(installation, machine, &text, entries).into_iter().flatten() {
            terminal::message(format_args!("added by `{command}`"));
        }
        for (name, server) in entries {
            print_lines(&installation.snippet(&text, name, server))?;
        }
    }
    Ok(())
}

/// Prints the change of each file.
pub(crate) fn show(changes: &[Change]) -> Result<(), Failure> {
    for change in changes {
        if change.is_change() {
            print_lines(&change.diff())?;
        } else {
            terminal::message(format_args!("`{}` does not change", change.path.display()));
        }
    }
    Ok(())
}

/// Prints text to stdout.
pub(crate) fn print_lines(text: &str) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let mut out = Output::stdout();
    out.line(text)?;
    out.flush()
}
