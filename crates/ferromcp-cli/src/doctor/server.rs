//! Starts or reaches a server, and checks its responses.

use std::time::Instant;

use ferromcp_client::{Client, ClientError};
use ferromcp_core::Revision;
use ferromcp_core::text::excerpt;
use ferromcp_transport::child::Exit as ProcessExit;
use serde_json::Value;

use super::definitions;
use super::explain::{explain, lost_session};
use super::finding::{Finding, Level};
use super::observed::Observed;
use crate::cli::Connection;
use crate::connect::{login_remedy, open, until_interrupted};
use crate::exit::{Exit, Failure};
use crate::logs::Warnings;
use crate::target::{self, Kind, Source};

/// Maximum number of lines of stderr in a finding.
const MAX_LINES: usize = 10;
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
    let observed = Observed::default();
    let is_process = match &target.kind {
        Kind::Command(_) => true,
        Kind::Url(_) => false,
        Kind::Config(_) => target.url().is_none(),
    };
    let start = Instant::now();
    let result = until_interrupted(open(target, |process| observed.connector(process))).await;
    let mut findings = Vec::new();
    match result {
        Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
        Err(failure) => findings.push(explain_start(&failure, &login, &observed).await),
        Ok(client) => {
            let millis = start.elapsed().as_millis();
            findings.push(Finding::ok("connect", format!("{} responds in {millis} ms", name(&client))));
            findings.push(revision(&client));
            let checks = until_interrupted(async { Ok(requests(&client, &login, is_process).await) }).await;
            client.close().await;
            findings.extend(checks?);
        }
    }
    observed.shut_down().await;
    if is_process {
        findings.extend(stray_output(&observed, findings.first()));
    }
    findings.extend(deviations(&warnings.take()));
    Ok(findings)
}

/// Explains why a server did not start.
async fn explain_start(failure: &Failure, login: &str, observed: &Observed) -> Finding {
    let is_timeout = failure.cause.as_ref().is_some_and(ClientError::is_timeout);
    // A process that did not respond is terminated, so its status is not the cause.
    let exit = if is_timeout { None } else { observed.exit().await };
    match exit.filter(|_| failure.exit == Exit::Connect) {
        Some(exit) => exited(&exit),
        None => explain("connect", failure, login),
    }
}

/// Creates the finding of a process that exited before it responded.
fn exited(exit: &ProcessExit) -> Finding {
    let status = exit.status().map_or_else(|| "unknown status".to_owned(), |status| status.to_string());
    let lines: Vec<&str> = exit.stderr().lines().filter(|line| !line.trim().is_empty()).collect();
    let lines = lines[lines.len().saturating_sub(MAX_LINES)..].iter().map(|line| excerpt(line).to_string()).collect();
    Finding::problem(
        Exit::Connect,
        "connect",
        format!("the server exited before it responded ({status})"),
        "run the command in a terminal: the server must start without input, and run until its stdin is closed; check its \
         arguments and the variables that it needs (`-e NAME=VALUE`)",
    )
    .with_output(lines)
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

/// Reports lines on stdout that are not messages. `connect` is the result of the connection.
fn stray_output(observed: &Observed, connect: Option<&Finding>) -> Option<Finding> {
    let (lines, count) = observed.stray_lines();
    let text = match count {
        0 => {
            let is_ok = connect.is_some_and(|finding| finding.level == Level::Ok);
            return is_ok.then(|| Finding::ok("stdout", "all lines are JSON-RPC messages"));
        }
        1 => "1 line is not a JSON-RPC message",
        count => &format!("{count} lines are not JSON-RPC messages"),
    };
    Some(stray(text).with_output(lines))
}

/// Creates the finding of a server that writes other lines than messages to stdout.
fn stray(text: &str) -> Finding {
    let fix = "write logs and other output to stderr (Python: `print(…, file=sys.stderr)`; Node: `console.error`)";
    Finding::problem(Exit::Protocol, "stdout", format!("{text}; some clients disconnect"), fix)
}

/// Returns whether a warning of the client is about a line that is not a message.
fn is_stray(warning: &str) -> bool {
    warning.starts_with("ignored output of the server that is not a message")
}

/// Reports the warnings of the client, except stray lines on stdout.
fn deviations(warnings: &[String]) -> impl Iterator<Item = Finding> {
    let fix = "report it to the author of the server; this client tolerates it, others may not";
    let others = warnings.iter().filter(|warning| !is_stray(warning));
    others.map(move |warning| Finding::warning("protocol", excerpt(warning).to_string(), fix))
}

/// Reports the warnings of the client about a process whose stdout is not observed.
pub(super) fn protocol(warnings: &Warnings) -> Vec<Finding> {
    let warnings = warnings.take();
    let stray_line = warnings.iter().find(|warning| is_stray(warning));
    let stray_line = stray_line.map(|_| stray("lines are not JSON-RPC messages"));
    stray_line.into_iter().chain(deviations(&warnings)).collect()
}
