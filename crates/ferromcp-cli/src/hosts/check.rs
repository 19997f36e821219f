//! Starts a server as a host does: with the variables that hosts pass on, in their working directory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ferromcp_client::{Client, ClientBuilder, ClientError, ClientLimits, child};
use ferromcp_core::text::excerpt;
use ferromcp_transport::child::{Child, Stderr};
use tokio::process::Command;

use super::entry::Server;
use super::locate::Scope;
use super::machine::{Machine, System};
use super::table::Host;

/// Time that a server gets to start, unless the host gives it less.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum number of lines of stderr in an error.
const MAX_LINES: usize = 10;

/// The response of a server.
#[derive(Debug)]
pub(crate) struct Report {
    /// The name and version of the server.
    pub(crate) server: String,
    pub(crate) revision: &'static str,
    pub(crate) tools: Vec<String>,
    pub(crate) elapsed: Duration,
    /// Whether the server rejected the request, because the host must log in first.
    pub(crate) needs_login: bool,
}

/// The reason why a server does not respond.
#[derive(Debug)]
pub(crate) struct CheckError {
    pub(crate) cause: String,
    pub(crate) remedy: String,
    /// The last lines that the server wrote to stderr.
    pub(crate) stderr: Vec<String>,
}

/// Returns the working directory of servers of a host.
pub(crate) fn folder(host: &Host, machine: &Machine, scope: Scope) -> PathBuf {
    match (scope, machine.system) {
        (Scope::User, System::Windows) if host.gui => machine.home.clone(),
        (Scope::User, _) if host.gui => PathBuf::from("/"),
        _ => machine.project.clone(),
    }
}

/// Starts a server and lists its tools.
///
/// If it does not respond, it is started again with the environment of this process, to find the cause.
pub(crate) async fn check(server: &Server, folder: &Path, host: &Host) -> Result<Report, CheckError> {
    let timeout = host.start_timeout.map_or(START_TIMEOUT, Duration::from_secs);
    let (program, args, env) = match server {
        Server::Http { url, headers } => return connect_url(url, headers, timeout).await,
        Server::Stdio { command, args, env } => (command, args, env),
    };
    let command = |folder: &Path| {
        let mut command = Command::new(program);
        command.args(args).envs(env.iter().map(|(name, value)| (name, value))).current_dir(folder);
        command
    };
    let (error, stderr) = match start(Child::new(command(folder)), timeout).await {
        Ok(report) => return Ok(report),
        Err(failure) => failure,
    };
    let works_here = match std::env::current_dir() {
        Ok(here) if !error.is_timeout() => start(Child::new(command(&here)).inherit_env(), timeout).await.is_ok(),
        _ => false,
    };
    let remedy = if works_here {
        format!(
            "it starts with the variables and the working directory of this terminal, but {} starts servers in `{}` and \
             passes only a few variables; add the variables with `-v NAME=VALUE`, and write absolute paths",
            host.name,
            folder.display()
        )
    } else if error.is_timeout() {
        format!("{} waits for {} s; move slow work after the start of the server", host.name, timeout.as_secs())
    } else {
        format!(
            "run `{}` in a terminal to see its errors, and add missing variables with `-v NAME=VALUE`",
            excerpt(program)
        )
    };
    Err(CheckError { cause: error.to_string(), remedy, stderr })
}

async fn start(process: Child, timeout: Duration) -> Result<Report, (ClientError, Vec<String>)> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let stderr = Stderr::lines({
        let lines = Arc::clone(&lines);
        move |line| {
            let mut lines = lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if lines.len() == MAX_LINES {
                lines.remove(0);
            }
            lines.push(excerpt(line).to_string());
        }
    });
    let result = connect(builder(timeout), child(process.stderr(stderr))).await;
    result.map_err(|error| {
        let lines = std::mem::take(&mut *lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        (error, lines)
    })
}

async fn connect_url(url: &str, headers: &[(String, String)], timeout: Duration) -> Result<Report, CheckError> {
    let start = Instant::now();
    let builder = headers.iter().fold(builder(timeout), |builder, (name, value)| builder.header(name, value));
    match connect(builder, url).await {
        Ok(report) => Ok(report),
        Err(error) if error.is_unauthorized() && headers.is_empty() => Ok(Report {
            server: "the server".to_owned(),
            revision: "",
            tools: Vec::new(),
            elapsed: start.elapsed(),
            needs_login: true,
        }),
        Err(error) => {
            let remedy =
                if error.is_unauthorized() { "check the headers" } else { "check the URL, and that the server runs" };
            Err(CheckError { cause: error.to_string(), remedy: remedy.to_owned(), stderr: Vec::new() })
        }
    }
}

fn builder(timeout: Duration) -> ClientBuilder {
    let limits = ClientLimits::new().connect_timeout(timeout).list_time_limit(timeout);
    Client::builder("mcp", env!("CARGO_PKG_VERSION")).no_cache().limits(limits)
}

async fn connect<M>(builder: ClientBuilder, target: impl ferromcp_client::Target<M>) -> Result<Report, ClientError> {
    let start = Instant::now();
    let client = builder.connect(target).await?;
    let tools = client.tools().await;
    let elapsed = start.elapsed();
    let info = client.server_info();
    let server =
        info.map_or("the server".to_owned(), |info| format!("{} {}", excerpt(&info.name), excerpt(&info.version)));
    let revision = client.revision().as_str();
    client.close().await;
    let tools = tools?.iter().map(|tool| excerpt(&tool.name).to_string()).collect();
    Ok(Report { server, revision, tools, elapsed, needs_login: false })
}
