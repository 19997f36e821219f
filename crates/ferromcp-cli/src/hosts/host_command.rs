//! Changes of the file of a host by the program of the host.
//!
//! A host that writes its file while it runs could overwrite an edit, so its program is preferred. Entries with secrets are
//! not added in this way, because other processes can read the arguments of a program.

use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use ferromcp_core::text::excerpt;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::entry::Server;
use super::file::{self, Change};
use super::installation::{Installation, Installed};
use super::launch;
use super::machine::Machine;
use super::table::CommandTemplate;

/// Time after which the program is killed.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum size of the output that is read for an error, in bytes.
const MAX_OUTPUT: u64 = 8 << 10;
/// Characters of arguments that need no quotes in a shell.
const PLAIN: &str = "-_./:=@+,%";

/// A command line of the program of a host. Its display form can be pasted into a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostCommand {
    program: String,
    args: Vec<String>,
    /// The first arguments, for messages.
    verb: String,
}

impl fmt::Display for HostCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain =
            |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c));
        for (index, word) in std::iter::once(&self.program).chain(&self.args).enumerate() {
            f.write_str(if index == 0 { "" } else { " " })?;
            if is_plain(word) { f.write_str(word)? } else { write!(f, "'{}'", word.replace('\'', r"'\''"))? }
        }
        Ok(())
    }
}

/// The result of a change by the program of a host.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The file has the change.
    Done(Change),
    /// The file does not have the change, for this reason. It may have a part of it.
    Failed(String),
    /// Other entries are missing from the file. The backup contains them.
    Lost(Vec<String>),
}

impl HostCommand {
    /// Returns the program and the first arguments, for example `claude mcp add-json`.
    pub(crate) fn verb(&self) -> &str {
        &self.verb
    }

    /// Returns the commands that add entries to the file. `None` if the file has to be edited: the program is not installed,
    /// or an entry exists already or contains secrets.
    pub(crate) fn add(
        installation: &Installation,
        machine: &Machine,
        text: &str,
        entries: &[(String, Server)],
    ) -> Option<Vec<Self>> {
        let template = installation.command()?;
        let existing = installation.entries(text).ok()?;
        let is_new = |name: &str| existing.iter().all(|entry| entry.name != name);
        if !entries.iter().all(|(name, server)| is_new(name) && !has_secrets(server)) {
            return None;
        }
        let add = |(name, server): &(String, Server)| {
            let entry = installation.entry(text, name, server).ok()?.to_string();
            Self::new(template, &template.add, machine, name, &entry)
        };
        entries.iter().map(add).collect()
    }

    /// Returns the command that removes an entry. `None` if the file has to be edited.
    pub(crate) fn remove(installation: &Installation, machine: &Machine, name: &str) -> Option<Self> {
        let template = installation.command()?;
        Self::new(template, &template.remove, machine, name, "")
    }

    fn new(template: &CommandTemplate, args: &[String], machine: &Machine, name: &str, entry: &str) -> Option<Self> {
        // The program would read the name as an option.
        if name.starts_with('-') {
            return None;
        }
        let program = launch::absolute_program(&template.program, machine).ok()?;
        let fixed = args.iter().take_while(|arg| !arg.starts_with('$'));
        let verb = std::iter::once(&template.program).chain(fixed).map(String::as_str).collect::<Vec<_>>().join(" ");
        let replace = |arg: &String| match arg.as_str() {
            "$name" => name.to_owned(),
            "$entry" => entry.to_owned(),
            _ => arg.clone(),
        };
        Some(Self { program, args: args.iter().map(replace).collect(), verb })
    }

    /// Runs the program. The error is the reason why it failed.
    async fn run(&self, timeout: Duration) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let stderr = child.stderr.take();
        let mut output = Vec::new();
        let read = async {
            if let Some(stderr) = stderr {
                let mut limited = stderr.take(MAX_OUTPUT);
                let _ = limited.read_to_end(&mut output).await;
                // A program whose output is not read would wait or fail.
                let _ = tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await;
            }
            // The output can end before the program, and a process in the background can keep it open.
            std::future::pending::<std::io::Result<ExitStatus>>().await
        };
        let exit = async {
            tokio::select! { biased; status = read => status, status = child.wait() => status }
        };
        match tokio::time::timeout(timeout, exit).await {
            Err(_) => Err(format!("it did not exit within {} s", timeout.as_secs_f32())),
            Ok(Err(error)) => Err(error.to_string()),
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => {
                if output.len() as u64 == MAX_OUTPUT {
                    let end = output.iter().rposition(|byte| *byte == b'\n').unwrap_or(output.len());
                    output.truncate(end); // the last line is incomplete
                }
                let output = String::from_utf8_lossy(&output).into_owned();
                let line = output.lines().rfind(|line| !line.trim().is_empty());
                Err(line.map_or_else(|| status.to_string(), |line| excerpt(line.trim()).to_string()))
            }
        }
    }
}

/// Adds entries. `planned` is the change that an edit of the file would make.
pub(crate) async fn add(
    commands: &[HostCommand],
    installation: &Installation,
    planned: &Change,
    entries: &[(String, Server)],
    timeout: Duration,
) -> Outcome {
    let is_done = |found: &[Installed]| {
        let has = |(name, server): &(String, Server)| {
            found.iter().any(|entry| entry.name == *name && entry.server.as_ref() == Some(server))
        };
        entries.iter().all(has)
    };
    change(commands, installation, planned, timeout, is_done).await
}

/// Removes an entry. `planned` is the change that an edit of the file would make.
pub(crate) async fn remove(
    command: &HostCommand,
    installation: &Installation,
    planned: &Change,
    name: &str,
    timeout: Duration,
) -> Outcome {
    let is_done = |found: &[Installed]| found.iter().all(|entry| entry.name != name);
    change(std::slice::from_ref(command), installation, planned, timeout, is_done).await
}

/// Copies the file to its backup, runs the commands, and checks the entries in the file.
///
/// The exit status does not determine the outcome: a program can fail after it has written the file.
async fn change(
    commands: &[HostCommand],
    installation: &Installation,
    planned: &Change,
    timeout: Duration,
    is_done: impl Fn(&[Installed]) -> bool,
) -> Outcome {
    if let Err(error) = file::back_up(planned) {
        return Outcome::Failed(error.to_string());
    }
    let mut cause = None;
    for command in commands {
        if let Err(error) = command.run(timeout).await {
            cause.get_or_insert(error);
        }
    }
    let after = match file::read(&planned.path) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let found = match installation.entries(&after) {
        Ok(found) => found,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    // Entries that the planned edit keeps.
    let kept = installation.entries(&planned.after).unwrap_or_default();
    let before = installation.entries(planned.before.as_deref().unwrap_or_default()).unwrap_or_default();
    let has = |entries: &[Installed], name: &str| entries.iter().any(|entry| entry.name == name);
    let lost = before.into_iter().map(|entry| entry.name).filter(|name| has(&kept, name) && !has(&found, name));
    let lost: Vec<String> = lost.collect();
    if !lost.is_empty() {
        Outcome::Lost(lost)
    } else if is_done(&found) {
        Outcome::Done(Change { path: planned.path.clone(), before: planned.before.clone(), after })
    } else {
        Outcome::Failed(cause.unwrap_or_else(|| "it did not change the file".to_owned()))
    }
}

/// Whether the entry contains values that other processes must not see. Arguments of a server are visible anyway.
fn has_secrets(server: &Server) -> bool {
    match server {
        Server::Stdio { env, .. } => !env.is_empty(),
        Server::Http { url, headers } => {
            let authority = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
            let authority = authority.split('/').next().unwrap_or_default();
            !headers.is_empty() || url.contains(['?', '#']) || authority.contains('@')
        }
    }
}

#[cfg(all(test, unix))]
mod tests;
