//! `mcp run`: runs a server, or serves it over another transport.

use std::io::Cursor;
use std::process::Command;
use std::time::Duration;

use ferromcp_client::config::{ServerConfig, TransportConfig};
use ferromcp_client::{ClientBuilder, ClientLimits};
use ferromcp_core::RawJson;
use ferromcp_core::text::excerpt;
use ferromcp_server::http::{HttpServerOptions, http};
use ferromcp_server::{ServeError, Server};
use ferromcp_transport::streams;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};

use super::run_process;
use crate::bridge::bearer::BearerToken;
use crate::bridge::first_message;
use crate::bridge::{Connections, Member, Members, all_requests, declare_extensions, requests_of};
use crate::cli::{Hidden, Run, ServedTransport};
use crate::connect::{add_variables, login_remedy, new_builder, open_with, until_terminated, with_roots};
use crate::exit::{Exit, Failure};
use crate::hosts::launch::read_env_file;
use crate::logs::start_logs_at;
use crate::secret;
use crate::target::{self, Kind, Source, Target};
use crate::terminal;

/// How long a call may take without `--timeout`. The timeouts of the clients apply.
const CALL_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Runs the server of a target.
pub(crate) async fn run(mut args: Run) -> Result<(), Failure> {
    start_logs_at(args.log.into());
    // stderr of the server is part of the output of this command.
    args.connection.verbose = args.connection.verbose.max(1);
    let (source, extra) = target::split(&args.words)?;
    target::reject_extra(extra)?;
    reject_http_options(&args)?;
    let mut servers = find(source, &args)?;
    if args.transport != ServedTransport::Stdio {
        return serve_http(servers, source, &args).await;
    }
    if !args.bridge
        && let [Named { target, .. }] = servers.as_mut_slice()
    {
        let connection = target.connection.clone();
        if let Some(command) = command(target) {
            add_variables(command, &connection)?;
            return run_process::run(command);
        }
    }
    serve_stdio(servers, source, &args).await
}

/// A server, and its name if there are several.
struct Named {
    name: Option<String>,
    target: Target,
}

/// Returns the command of a server that is started; `None` for a server with a URL.
fn command(target: &mut Target) -> Option<&mut Command> {
    if let Kind::Config(config) = &target.kind
        && let TransportConfig::Stdio(stdio) = config.transport()
    {
        target.kind = Kind::Command(stdio.command());
    }
    match &mut target.kind {
        Kind::Command(command) => Some(command),
        _ => None,
    }
}

/// Finds the servers of a target.
fn find(source: Source<'_>, args: &Run) -> Result<Vec<Named>, Failure> {
    let several = target::several(source)?;
    let mut servers = if several.is_empty() {
        vec![Named { name: None, target: target::resolve(source, &args.connection)? }]
    } else {
        let named = |config: ServerConfig| {
            let name = Some(config.name().to_owned());
            Named { name, target: Target { kind: Kind::Config(config), connection: args.connection.clone() } }
        };
        several.into_iter().map(named).collect()
    };
    let mut variables = Vec::new();
    for file in &args.env_file {
        variables.extend(read_env_file(file).map_err(Failure::usage)?);
    }
    for server in &mut servers {
        add_file_variables(&mut server.target, &variables)?;
    }
    Ok(servers)
}

/// Adds variables to a server that is started. Those of the command line override them.
fn add_file_variables(target: &mut Target, variables: &[(String, String)]) -> Result<(), Failure> {
    if variables.is_empty() {
        return Ok(());
    }
    let Some(command) = command(target) else {
        return Err(Failure::usage(
            "variables (`--env-file`) apply to servers that are started, not to URLs; remove them",
        ));
    };
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    Ok(())
}

/// Rejects options of HTTP without HTTP.
fn reject_http_options(args: &Run) -> Result<(), Failure> {
    let has_options = args.token.is_some() || !args.allow_host.is_empty() || !args.allow_origin.is_empty();
    if args.transport == ServedTransport::Stdio && has_options {
        let message = "`--token`, `--allow-host` and `--allow-origin` apply to HTTP; add `--transport http`";
        return Err(Failure::usage(message));
    }
    Ok(())
}

/// Serves one client on stdio. The servers are connected when its first message declares its capabilities.
async fn serve_stdio(servers: Vec<Named>, source: Source<'_>, args: &Run) -> Result<(), Failure> {
    let mut stdin = BufReader::new(tokio::io::stdin());
    let first = until_terminated(async { Ok(first_message::read(&mut stdin).await?) }).await?;
    let Some(first) = first else { return Ok(()) };
    let requests = requests_of(&first.capabilities);
    let connected = until_terminated(connect(servers, source, args, |connections, builder, position| {
        declare_extensions(connections.prepare(builder, position, requests), &first.capabilities)
    }));
    let (server, members) = match connected.await {
        Ok(connected) => connected,
        Err(failure) => {
            respond(first.id, &failure).await;
            return Err(failure);
        }
    };
    let transport = streams(Cursor::new(first.line).chain(stdin), tokio::io::stdout());
    let result = until_terminated(async { server.serve(transport).await.map_err(Failure::from) }).await;
    members.close().await;
    result
}

/// Responds to the first request with an error, because the servers cannot be reached.
async fn respond(id: Option<RawJson>, failure: &Failure) {
    let Some(id) = id else { return };
    let error = serde_json::json!({ "code": -32603, "message": failure.to_string() });
    let response = serde_json::json!({ "jsonrpc": "2.0", "id": id, "error": error });
    let mut stdout = tokio::io::stdout();
    // The client may be gone; the error is printed in any case.
    let _ = stdout.write_all(format!("{response}\n").as_bytes()).await;
    let _ = stdout.flush().await;
}

/// Serves HTTP until the process is asked to shut down.
async fn serve_http(servers: Vec<Named>, source: Source<'_>, args: &Run) -> Result<(), Failure> {
    let token = args.token.as_ref().map(token).transpose()?;
    let requests = all_requests();
    let connected = connect(servers, source, args, |connections, builder, position| {
        connections.prepare(builder, position, requests)
    });
    let (server, members) = until_terminated(connected).await?;
    let is_bare_ipv6 = args.host.contains(':') && !args.host.starts_with('[');
    let host = if is_bare_ipv6 { format!("[{}]", args.host) } else { args.host.clone() };
    let address = format!("{host}:{}", args.port);
    let mut options = HttpServerOptions::new().http_sse(args.transport == ServedTransport::Sse);
    options = args.allow_host.iter().fold(options, HttpServerOptions::allow_host);
    options = args.allow_origin.iter().fold(options, HttpServerOptions::allow_origin);
    let is_local = matches!(args.host.as_str(), "localhost" | "::1" | "[::1]") || args.host.starts_with("127.");
    if !is_local {
        if args.allow_host.is_empty() {
            options = options.any_host();
        }
        if token.is_none() {
            terminal::message("warning: every program in the network can use the server; set `--token`");
        }
    }
    let path = args.path.clone();
    let is_sse = args.transport == ServedTransport::Sse;
    let mut endpoint = http(address).path(&args.path).options(options).on_bound(move |address| {
        let path = if is_sse { sse_path(&path) } else { path };
        terminal::message(format_args!("serving at http://{address}{path}; Ctrl-C exits"));
    });
    if let Some(token) = token {
        endpoint = endpoint.authorization(BearerToken::new(token));
    }
    let result = server.serve(endpoint).await.map_err(Failure::from);
    members.close().await;
    result
}

/// Returns the path of the HTTP+SSE stream, which is next to the path of the endpoint.
fn sse_path(path: &str) -> String {
    format!("{}/sse", path.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent))
}

fn token(written: &Hidden) -> Result<String, Failure> {
    let token = secret::value(&written.0)?;
    if token.trim().is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::usage(
            "cannot use the token (`--token`): it must be ASCII text without spaces; change it",
        ));
    }
    Ok(token)
}

/// Connects to all servers, and returns the server of the bridge. Of several servers, those that fail are skipped with a
/// warning.
async fn connect(
    servers: Vec<Named>,
    source: Source<'_>,
    args: &Run,
    prepare: impl Fn(&Connections, ClientBuilder, usize) -> ClientBuilder,
) -> Result<(Server, Members), Failure> {
    let connections = Connections::default();
    let timeout = args.connection.timeout.unwrap_or(CALL_TIMEOUT);
    let limits = ClientLimits::new().request_timeout(timeout).request_time_limit(CALL_TIMEOUT.max(timeout));
    let mut connecting = Vec::new();
    for (number, Named { name, target }) in servers.into_iter().enumerate() {
        let builder = prepare(&connections, new_builder(&target.connection).limits(limits), number);
        let builder = with_roots(builder, &target.connection)?;
        let remedy = login_remedy(source, &target);
        let client = tokio::spawn(open_with(target, builder));
        connecting.push((number, name, remedy, client));
    }
    let mut members = Vec::new();
    for (number, name, remedy, client) in connecting {
        let client = client.await.map_err(|error| Failure::new(Exit::Connect, format!("cannot connect: {error}")))?;
        let failed = |failure: Failure| if failure.exit == Exit::Login { failure.with_remedy(remedy) } else { failure };
        match (client.map_err(failed), name) {
            (Ok(client), None) => members.push(Member::only(client)),
            (Ok(client), Some(name)) => members.push(Member::named(number, &name, client)),
            (Err(failure), None) => return Err(failure),
            (Err(failure), Some(name)) => {
                terminal::message(format_args!("warning: skipped the server `{}`: {failure}", excerpt(&name)));
            }
        }
    }
    if members.is_empty() {
        return Err(Failure::new(Exit::Connect, "cannot connect to any server of the file; fix one of them"));
    }
    let members = Members::new(members);
    Ok((connections.server(members.clone()), members))
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let exit = if error.is_configuration() { Exit::Usage } else { Exit::Connect };
        Self::new(exit, error.to_string())
    }
}
