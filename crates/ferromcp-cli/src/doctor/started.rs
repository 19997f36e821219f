//! Starts the server of an entry as its host does.

use ferromcp_client::config::{ServerConfig, TransportConfig};
use ferromcp_core::text::excerpt;

use super::finding::Finding;
use super::host_entry;
use super::server::protocol;
use crate::exit::{Exit, Failure};
use crate::hosts::check::{self, Report};
use crate::hosts::entry::Server;
use crate::hosts::file;
use crate::hosts::machine::Machine;
use crate::hosts::table::Host;
use crate::logs::Warnings;
use crate::target::host::{convert, find};

/// Checks one entry, and starts its server.
///
/// # Errors
/// Fails if the host has no such entry, or its file cannot be read.
pub(crate) async fn check(
    host: &'static Host,
    name: &str,
    machine: &Machine,
    warnings: &Warnings,
) -> Result<Vec<Finding>, Failure> {
    let (installation, entry) = find(host, name, machine)?;
    let text = file::read(&installation.path).ok().flatten().unwrap_or_default();
    let mut findings = Vec::new();
    if let Ok((shape, values)) = installation.values(&text)
        && let Some(value) = values.get(name)
    {
        findings = host_entry::check(host, machine, installation.scope, shape, name, value);
    }
    let label = format!("{}:{}", host.id, excerpt(name));
    let config = match convert(&entry, host) {
        Ok(config) => config,
        // The fields of the entry have a finding.
        Err(_) if entry.server.is_none() => return Ok(findings),
        Err(failure) => {
            findings.push(Finding::of_text(failure.exit, label, &failure.to_string()));
            return Ok(findings);
        }
    };
    let Some(server) = to_server(&config) else { return Ok(findings) };
    let folder = check::folder(host, machine, installation.scope);
    findings.push(match check::check(&server, &folder, host).await {
        Ok(report) => responds(label, &report),
        Err(error) => {
            let text = format!("cannot start as {} does: {}", host.name, error.cause);
            Finding::problem(Exit::Connect, label, text, error.remedy).with_output(error.stderr)
        }
    });
    findings.extend(protocol(warnings));
    Ok(findings)
}

fn responds(label: String, report: &Report) -> Finding {
    if report.needs_login {
        return Finding::ok(label, "responds and requires a login").with_note("log in with the host when it connects");
    }
    let (server, millis, tools) = (&report.server, report.elapsed.as_millis(), report.tools.len());
    let tools = if tools == 1 { "1 tool".to_owned() } else { format!("{tools} tools") };
    Finding::ok(label, format!("{server} responds in {millis} ms, revision {}, {tools}", report.revision))
}

/// Returns the server of an entry with replaced variables. `None` if its transport is unknown.
fn to_server(config: &ServerConfig) -> Option<Server> {
    match config.transport() {
        TransportConfig::Stdio(stdio) => {
            let env = stdio.env().filter_map(|(name, value)| Some((name.to_owned(), value?.reveal().to_owned())));
            let args = stdio.args().map(str::to_owned).collect();
            Some(Server::Stdio { command: stdio.program().to_owned(), args, env: env.collect() })
        }
        TransportConfig::Http(http) => {
            let headers = http.headers().map(|(name, value)| (name.to_owned(), value.reveal().to_owned())).collect();
            Some(Server::Http { url: http.url().to_owned(), headers })
        }
        _ => None,
    }
}
