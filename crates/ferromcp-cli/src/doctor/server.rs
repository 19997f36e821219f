//! Starts or reaches a server, and checks its responses.

use std::time::Instant;

use ferromcp_client::{Client, ClientError};
use ferromcp_core::Revision;
use ferromcp_core::text::excerpt;
use serde_json::Value;

use super::definitions;
use super::explain::{explain, lost_session};
use super::finding::{Finding, Level};
use crate::cli::Connection;
use crate::connect::{login_remedy, open, until_interrupted};
use crate::exit::{Exit, Failure};
use crate::logs::Warnings;
use crate::target::{self, Kind, Source};

/// Maximum number of lines of stderr in a finding.
const MAX_LINES: usize = 10;
/// Maximum number of lines of stdout in a finding.
const MAX_STRAY: usize = 5;
/// Requests that show whether the server keeps its session.
const SESSION_REQUESTS: usize = 3;

/// Checks a server.
///
/// # Errors
/// Fails if the target does not exist, and with [`Exit::Interrupted`].
pub(crate) async fn check(
    source: Source<'_>,
    connection: &Connection,
    warnings: &Warnings,
) -> Result<Vec<Finding>, Failure> {
    let target = target::resolve(source, connection)?;
    let login = login_remedy(source, &target);
    let is_process = match &target.kind {
        Kind::Command(_) => true,
        Kind::Url(_) => false,
        Kind::Config(_) => target.url().is_none(),
    };
    let start = Instant::now();
    let result = until_interrupted(open(target)).await;
    let mut findings = Vec::new();
    match result {
        Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
        Err(failure) => findings.push(exited(&failure).unwrap_or_else(|| explain("connect", &failure, &login))),
        Ok(client) => {
            let millis = start.elapsed().as_millis();
            findings.push(Finding::ok("connect", format!("{} responds in {millis} ms", name(&client))));
            findings.push(revision(&client));
            let checks = until_interrupted(async { Ok(requests(&client, &login, is_process).await) }).await;
            client.close().await;
            findings.extend(checks?);
        }
    }
    let warnings = warnings.take();
    let is_ok = is_process && findings.first().is_some_and(|finding| finding.level == Level::Ok);
    match stray_output(&warnings) {
        None if is_ok => findings.push(Finding::ok("stdout", "all lines are JSON-RPC messages")),
        found => findings.extend(found),
    }
    findings.extend(deviations(&warnings));
    Ok(findings)
}

/// Creates the finding of a process that exited before it responded. `None` for another cause.
fn exited(failure: &Failure) -> Option<Finding> {
    let text = failure.to_string();
    let (_, exit) = text.split_once("the process exited ")?;
    let (status, stderr) = exit.split_once("; last stderr output: ").unwrap_or((exit, ""));
    let status = status.split("; ").next().unwrap_or_default();
    // Other causes are on the last line.
    let stderr = stderr.split("; before that, ").next().unwrap_or_default();
    let lines: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let lines = lines[lines.len().saturating_sub(MAX_LINES)..].iter().map(|line| excerpt(line).to_string()).collect();
    let finding = Finding::problem(
        Exit::Connect,
        "connect",
        format!("the server exited before it responded {status}"),
        "run the command in a terminal: the server must start without input, and run until its stdin is closed; check its \
         arguments and the variables that it needs (`-e NAME=VALUE`)",
    );
    Some(finding.with_output(lines))
}

fn name(client: &Client) -> String {
    let info = client.server_info();
    info.map_or("the server".to_owned(), |info| format!("{} {}", excerpt(&info.name), excerpt(&info.version)))
}

/// Compares the revision with the newest one.
fn revision(client: &Client) -> Finding {
    let (used, newest) = (client.revision(), Revision::LATEST);
    if used == newest {
        return Finding::ok("revision", used.as_str());
    }
    let text = format!("{used}; the newest revision is {newest}");
    Finding::ok("revision", text)
        .with_note("clients support older revisions too; a newer SDK of the server supports the newest one")
}

/// Sends requests that change nothing.
async fn requests(client: &Client, login: &str, is_process: bool) -> Vec<Finding> {
    let mut state = client.watch_state();
    state.mark_unchanged();
    let mut findings = Vec::new();
    let capabilities = client.capabilities();
    if capabilities.tools.is_some() {
        match client.tools().await {
            Ok(tools) => findings.extend(definitions::check(&tools)),
            Err(error) => findings.push(explain("tools", &error.into(), login)),
        }
    }
    if capabilities.resources.is_some() {
        findings.extend(failed("resources", client.resources().await.err(), login));
        findings.extend(failed("resource templates", client.resource_templates().await.err(), login));
    }
    if capabilities.prompts.is_some() {
        findings.extend(failed("prompts", client.prompts().await.err(), login));
    }
    findings.extend(failed("ping", ping(client).await.err(), login));
    let has_problem = findings.iter().any(|finding| finding.level != Level::Ok);
    if !is_process && !has_problem {
        let is_new = state.has_changed().unwrap_or(false);
        findings.push(if is_new {
            lost_session("the session ended between two requests, and a new one was started")
        } else {
            Finding::ok("session", format!("valid for {SESSION_REQUESTS} requests in a row"))
        });
    }
    findings
}

fn failed(check: &str, error: Option<ClientError>, login: &str) -> Option<Finding> {
    error.map(|error| explain(check, &error.into(), login))
}

/// Sends several requests one after the other.
async fn ping(client: &Client) -> Result<(), ClientError> {
    for _ in 0..SESSION_REQUESTS {
        if client.revision().is_modern() {
            client.request::<Value>("server/discover", ()).await?;
        } else {
            client.ping().await?;
        }
    }
    Ok(())
}

/// Reports lines on stdout that are not messages, by the warnings of the client.
fn stray_output(warnings: &[String]) -> Option<Finding> {
    let lines: Vec<&str> = warnings.iter().filter_map(|warning| stray_line(warning)).collect();
    let text = match lines.len() {
        0 => return None,
        1 => "1 line is not a JSON-RPC message; some clients disconnect".to_owned(),
        count => format!("{count} lines are not JSON-RPC messages; some clients disconnect"),
    };
    let shown = lines.iter().take(MAX_STRAY).map(|line| excerpt(line).to_string()).collect();
    let fix = "write logs and other output to stderr (Python: `print(…, file=sys.stderr)`; Node: `console.error`)";
    Some(Finding::problem(Exit::Protocol, "stdout", text, fix).with_output(shown))
}

/// Returns the line on stdout that a warning of the client is about.
fn stray_line(warning: &str) -> Option<&str> {
    let fields = warning.strip_prefix("ignored output of the server that is not a message line=")?;
    Some(fields.rsplit_once(" error=").map_or(fields, |(line, _)| line))
}

/// Reports the warnings of the client, except stray lines on stdout.
fn deviations(warnings: &[String]) -> impl Iterator<Item = Finding> {
    let fix = "report it to the author of the server; this client tolerates it, others may not";
    let others = warnings.iter().filter(|warning| stray_line(warning).is_none());
    others.map(move |warning| Finding::warning("protocol", excerpt(warning).to_string(), fix))
}

/// Reports the warnings of the client.
pub(super) fn protocol(warnings: &Warnings) -> Vec<Finding> {
    let warnings = warnings.take();
    stray_output(&warnings).into_iter().chain(deviations(&warnings)).collect()
}
