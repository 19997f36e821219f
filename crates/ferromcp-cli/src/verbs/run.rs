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
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::run_process;
use crate::bridge::bearer::BearerToken;
use crate::bridge::first_message;
use crate::bridge::{Connections, Member, Members, all_requests, declare_extensions, requests_of};
use crate::cli::{Hidden, Run, ServedTransport};
use crate::connect::{CALL_TIMEOUT, add_variables, login_remedy, new_builder, open_with, until_terminated, with_roots};
use crate::exit::{Exit, Failure};
use crate::hosts::launch::read_env_file;
use crate::lock::{Guard, LockFile, server_key};
use crate::logs::start_logs_at;
use crate::secret;
use crate::target::{self, Kind, Source, Target};
use crate::terminal;

/// Grace period for the servers to start, after the client has closed the input.
const CLOSED_GRACE: Duration = Duration::from_secs(5);

/// Timeout of the start of one of several servers.
const START_TIMEOUT: Duration = Duration::from_secs(20);

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
        && args.lock.is_none()
        && let [Named { name: None, target, .. }] = servers.as_mut_slice()
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
    guard: Option<Guard>,
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
        vec![Named { name: None, target: target::resolve(source, &args.connection)?, guard: None }]
    } else {
        let named = |config: ServerConfig| {
            let name = Some(config.name().to_owned());
            let target = Target { kind: Kind::Config(config), connection: args.connection.clone() };
            Named { name, target, guard: None }
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
    if let Some(path) = &args.lock {
        let file = LockFile::read(path)?;
        for server in &mut servers {
            let key = server_key(source);
            let key = server.name.as_ref().map_or(key.clone(), |name| format!("{key}#{name}"));
            server.guard = Some(Guard::new(&file, &key)?);
        }
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
            "cannot apply `--env-file`: the target is a URL, which has no variables; remove it",
        ));
    };
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    Ok(())
}

/// Rejects options of HTTP if the transport is stdio.
fn reject_http_options(args: &Run) -> Result<(), Failure> {
    let options = [
        ("--host", args.host.is_some()),
        ("--port", args.port.is_some()),
        ("--path", args.path.is_some()),
        ("--token", args.token.is_some()),
        ("--allow-host", !args.allow_host.is_empty()),
        ("--allow-origin", !args.allow_origin.is_empty()),
    ];
    match options.iter().find(|(_, is_set)| *is_set) {
        Some((option, _)) if args.transport == ServedTransport::Stdio => {
            Err(Failure::usage(format!("cannot apply `{option}`: the transport is stdio; add `--transport http`")))
        }
        _ => Ok(()),
    }
}

/// Serves one client on stdio. The servers are connected when its first message declares its capabilities.
async fn serve_stdio(servers: Vec<Named>, source: Source<'_>, args: &Run) -> Result<(), Failure> {
    let mut stdin = BufReader::new(tokio::io::stdin());
    let first = until_terminated(async {
        let first =
            first_message::read(&mut stdin, async |id: &RawJson| write(json!({ "id": id, "result": {} })).await);
        first.await.map_err(|error| Failure::usage(format!("cannot read the first message: {error}")))
    });
    let Some(first) = first.await? else { return Ok(()) };
    // A client of 2026-07-28 declares its capabilities with each request, so a question without them is rejected later.
    let requests = if first.is_modern { all_requests() } else { requests_of(&first.capabilities) };
    let connect = connect(servers, source, args, true, |connections, builder, position| {
        declare_extensions(connections.prepare(builder, position, requests), &first.capabilities)
    });
    let connected = until_terminated(async {
        tokio::select! {
            connected = connect => connected.map(Some),
            () = closed(&mut stdin) => Ok(None),
        }
    });
    let (server, members) = match connected.await {
        Ok(Some(connected)) => connected,
        Ok(None) => return Ok(()),
        Err(failure) => {
            if let Some(id) = first.id {
                let error = json!({ "code": -32603, "message": failure.to_string() });
                write(json!({ "id": id, "error": error })).await;
            }
            return Err(failure);
        }
    };
    let transport = streams(Cursor::new(first.lines).chain(stdin), tokio::io::stdout());
    let result = until_terminated(async { server.serve(transport).await.map_err(Failure::from) }).await;
    members.close().await;
    result
}

/// Waits until the client closes the input, and for the end of a grace period. Never returns if the client has sent more.
async fn closed(input: &mut (impl AsyncBufRead + Unpin)) {
    if input.fill_buf().await.is_ok_and(|bytes| !bytes.is_empty()) {
        std::future::pending::<()>().await;
    }
    // The response to the only message of a script.
    tokio::time::sleep(CLOSED_GRACE).await;
}

/// Writes a response to stdout. The client may be gone; errors are ignored.
async fn write(mut response: Value) {
    response["jsonrpc"] = "2.0".into();
    let mut stdout = tokio::io::stdout();
    let _ = stdout.write_all(format!("{response}\n").as_bytes()).await;
    let _ = stdout.flush().await;
}

/// Serves HTTP until the process is asked to shut down.
async fn serve_http(servers: Vec<Named>, source: Source<'_>, args: &Run) -> Result<(), Failure> {
    let token = args.token.as_ref().map(token).transpose()?;
    let requests = all_requests();
    let connected = connect(servers, source, args, false, |connections, builder, position| {
        connections.prepare(builder, position, requests)
    });
    let (server, members) = until_terminated(connected).await?;
    let host = args.host.as_deref().unwrap_or("127.0.0.1");
    let is_bare_ipv6 = host.contains(':') && !host.starts_with('[');
    let authority = if is_bare_ipv6 { format!("[{host}]") } else { host.to_owned() };
    let address = format!("{authority}:{}", args.port.unwrap_or(8000));
    let mut options = HttpServerOptions::new().http_sse(args.transport == ServedTransport::Sse);
    options = args.allow_host.iter().fold(options, HttpServerOptions::allow_host);
    options = args.allow_origin.iter().fold(options, HttpServerOptions::allow_origin);
    let is_local = matches!(host, "localhost" | "::1" | "[::1]") || host.starts_with("127.");
    if !is_local {
        if args.allow_host.is_empty() {
            options = options.any_host();
        }
        if token.is_none() {
            terminal::message(
                "warning: every machine on the network can use the server, with any `Host`; set `--token` and `--allow-host`",
            );
        }
    }
    let path = path(args)?.to_owned();
    let is_sse = args.transport == ServedTransport::Sse;
    let mut endpoint = http(address).path(&path).options(options).on_bound(move |address| {
        let path = if is_sse { sse_path(&path) } else { path };
        terminal::message(format_args!("serving at http://{address}{path}; Ctrl-C exits"));
    });
    if let Some(token) = token {
        endpoint = endpoint.authorization(BearerToken::new(token));
    }
    let result = server.serve(endpoint).await.map_err(|error| match Failure::from(error) {
        failure if failure.exit == Exit::Connect => {
            failure.with_remedy("change `--host` or `--port`; port 0 selects a free one")
        }
        failure => failure,
    });
    members.close().await;
    result
}

/// Returns the path of the endpoint.
fn path(args: &Run) -> Result<&str, Failure> {
    let path = args.path.as_deref().unwrap_or("/mcp");
    if path.starts_with('/') && !path.contains(['?', '#', ' ']) {
        return Ok(path);
    }
    let path = excerpt(path);
    Err(Failure::usage(format!(
        "cannot use the path `{path}` (`--path`): it is not a path of a URL; write one such as `/mcp`"
    )))
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

/// Connects to all servers, and returns the server of the bridge. If there are several servers, one that fails is skipped
/// with a warning.
async fn connect(
    servers: Vec<Named>,
    source: Source<'_>,
    args: &Run,
    has_one_client: bool,
    prepare: impl Fn(&Connections, ClientBuilder, usize) -> ClientBuilder,
) -> Result<(Server, Members), Failure> {
    let connections = Connections::new(has_one_client);
    let timeout = args.connection.timeout.unwrap_or(CALL_TIMEOUT);
    let limits = ClientLimits::new().request_timeout(timeout).request_time_limit(CALL_TIMEOUT.max(timeout));
    let limits = if servers.len() > 1 { limits.connect_timeout(START_TIMEOUT) } else { limits };
    let mut connecting = Vec::new();
    for (number, Named { name, target, guard }) in servers.into_iter().enumerate() {
        let builder = prepare(&connections, new_builder(&target.connection).limits(limits), number);
        let builder = with_roots(builder, &target.connection)?;
        let remedy = login_remedy(source, &target);
        let client = tokio::spawn(open_with(target, builder));
        connecting.push((number, name, remedy, client, guard));
    }
    let mut members = Vec::new();
    for (number, name, remedy, client, guard) in connecting {
        let client = client.await.map_err(|error| Failure::new(Exit::Connect, format!("cannot connect: {error}")))?;
        match (client.map_err(|failure| failure.with_login_remedy(remedy)), name) {
            (Ok(client), None) => members.push(Member::only(client).guarded(guard)),
            (Ok(client), Some(name)) => members.push(Member::named(number, &name, client).guarded(guard)),
            (Err(failure), None) => return Err(failure),
            (Err(failure), Some(name)) => {
                terminal::message(format_args!("warning: skipped the server `{}`: {failure}", excerpt(&name)));
            }
        }
    }
    if members.is_empty() {
        return Err(Failure::new(
            Exit::Connect,
            "cannot connect to any server of the file; `mcp doctor FILE#NAME` finds the cause",
        ));
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
