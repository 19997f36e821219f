//! Connects to a target, and runs a verb until it is done or interrupted.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_auth::client::OAuth;
use ferromcp_client::config::TransportConfig;
use ferromcp_client::{Client, ClientBuilder, ClientLimits, Target as ConnectTarget, child};
use ferromcp_core::model::Root;
use ferromcp_core::text::excerpt;
use ferromcp_transport::child::{Child, Stderr};
use url::Url;

use crate::cli::Connection;
use crate::credentials::stored_credentials;
use crate::exit::{Exit, Failure};
use crate::logs::{show_log_messages, start_logs};
use crate::questions::answer_questions;
use crate::record::{RecordedCredentials, Recorder, connect_recorded};
use crate::secret::{header, variable};
use crate::target::{self, Kind, Source, Target};
use crate::terminal::{clear_bar, message};

/// How long a server may take to exit, before and after it is terminated.
const GRACE: Duration = Duration::from_secs(2);

/// Default timeout of a call that is forwarded. The clients have separate timeouts.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Default limit of `initialize` and of the first request, which is shorter than that of a call.
const PROBE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connects to a target, and calls `run` with the client. Ctrl-C cancels the request in flight and closes the connection;
/// a second Ctrl-C does not wait for the server.
///
/// # Errors
/// Fails if the target cannot be found or reached, with the error of `run`, and with [`Exit::Interrupted`].
pub(crate) async fn with_client<T>(
    source: Source<'_>,
    connection: &Connection,
    run: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    with_session(source, connection, async |client| until_interrupted(run(client)).await).await
}

/// Connects to a target, and calls `run` with the client. Once connected, `run` handles Ctrl-C.
///
/// # Errors
/// Fails like [`with_client`].
pub(crate) async fn with_session<T>(
    source: Source<'_>,
    connection: &Connection,
    run: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    start_logs(connection.verbose);
    let target = target::resolve(source, connection)?;
    let remedy = login_remedy(source, &target);
    let result = until_interrupted(open(target)).await;
    let result = match result {
        Ok(client) => {
            let result = run(&client).await;
            drop(clear_bar());
            let _ = until_interrupted(async {
                client.close().await;
                Ok(())
            })
            .await;
            result
        }
        Err(failure) => Err(failure),
    };
    result.map_err(|failure| failure.with_login_remedy(remedy))
}

/// Runs a future until it is done, or the user presses Ctrl-C.
pub(crate) async fn until_interrupted<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        signal = tokio::signal::ctrl_c() => match signal {
            Ok(()) => Err(Failure::silent(Exit::Interrupted)),
            Err(error) => Err(Failure::new(Exit::Interrupted, format!("cannot wait for Ctrl-C: {error}"))),
        },
    }
}

/// Runs a future until it is done, or the process is asked to exit by Ctrl-C, SIGTERM, or the end of the terminal (SIGHUP).
pub(crate) async fn until_terminated<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
            (Ok(mut terminate), Ok(mut hangup)) => tokio::select! {
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            },
            _ => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        result = until_interrupted(work) => result,
        () = terminated => Err(Failure::silent(Exit::Interrupted)),
    }
}

/// Returns the remedy for a server that requires a login.
pub(crate) fn login_remedy(source: Source<'_>, target: &Target) -> String {
    match source {
        Source::Word(_) if has_authorization(&target.connection) => "check the header `Authorization`".to_owned(),
        Source::Word(word) => format!("run `mcp login {}`", excerpt(word)),
        Source::Command(_) => "check the credentials of the command".to_owned(),
    }
}

fn has_authorization(connection: &Connection) -> bool {
    let is_authorization =
        |written: &str| written.get(..14).is_some_and(|it| it.eq_ignore_ascii_case("authorization:"));
    connection.headers.iter().any(|header| is_authorization(&header.0))
}

/// Connects to a target for a user of the terminal.
///
/// # Errors
/// Fails like [`open_with`].
pub(crate) async fn open(target: Target) -> Result<Client, Failure> {
    let builder = builder(&target.connection)?;
    open_with(target, builder).await
}

/// Connects to a target, with the credentials and the process that its connection options describe.
///
/// # Errors
/// Fails if the server cannot be started or reached, or requires a login.
pub(crate) async fn open_with(target: Target, builder: ClientBuilder) -> Result<Client, Failure> {
    open_observed(target, builder, &Observer::default()).await
}

/// Receives the lines that a server writes to stderr.
pub(crate) type LineListener = Arc<dyn Fn(&str) + Send + Sync>;

/// Observes a connection. The default observes nothing.
#[derive(Clone, Default)]
pub(crate) struct Observer {
    /// Records the messages.
    pub(crate) recorder: Option<Recorder>,
    /// Receives the lines that the server writes to stderr.
    pub(crate) stderr: Option<LineListener>,
}

impl Observer {
    async fn connect<M>(&self, builder: ClientBuilder, target: impl ConnectTarget<M>) -> Result<Client, Failure> {
        Ok(match &self.recorder {
            Some(recorder) => connect_recorded(recorder, builder, target).await?,
            None => builder.connect(target).await?,
        })
    }

    /// Sets the credentials. An observed connection has some even without a login, because they record the headers.
    fn credentials(&self, builder: ClientBuilder, oauth: Option<OAuth>) -> ClientBuilder {
        match (&self.recorder, oauth) {
            (Some(_), oauth) => builder.credentials(RecordedCredentials(oauth)),
            (None, Some(oauth)) => builder.credentials(oauth),
            (None, None) => builder,
        }
    }
}

/// Connects to a target like [`open_with`], and observes the connection.
///
/// # Errors
/// Fails like [`open_with`].
pub(crate) async fn open_observed(
    target: Target,
    mut builder: ClientBuilder,
    observer: &Observer,
) -> Result<Client, Failure> {
    let Target { kind, connection } = target;
    match kind {
        Kind::Url(url) => {
            builder = authorized(builder, &url, &connection, observer).await?;
            observer.connect(builder, url.as_str()).await
        }
        Kind::Command(command) => {
            observer.connect(builder, child(process(command, None, &connection, observer)?)).await
        }
        Kind::Config(config) => match config.transport() {
            TransportConfig::Stdio(stdio) => {
                let process = process(stdio.command(), Some(config.name()), &connection, observer)?;
                observer.connect(builder, child(process)).await
            }
            TransportConfig::Http(http) => {
                let has_own = http.headers().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
                builder = if has_own {
                    observer.credentials(builder, None)
                } else {
                    authorized(builder, http.url(), &connection, observer).await?
                };
                observer.connect(builder, config).await
            }
            _ => Err(Failure::usage("the transport of this entry is not supported")),
        },
    }
}

/// Adds the headers, and the stored login of a URL.
async fn authorized(
    mut builder: ClientBuilder,
    url: &str,
    connection: &Connection,
    observer: &Observer,
) -> Result<ClientBuilder, Failure> {
    if !connection.env.is_empty() {
        return Err(Failure::usage("variables (`-e`) apply to servers that are started, not to URLs; remove them"));
    }
    for written in &connection.headers {
        let header = header(&written.0)?;
        builder = builder.header(header.name, header.value);
    }
    let oauth = if has_authorization(connection) { None } else { stored_credentials(url).await? };
    Ok(observer.credentials(builder, oauth))
}

/// Adds the variables of the command line to the command of a server.
///
/// # Errors
/// Fails if a variable is invalid, or a header is given, which applies to URLs only.
pub(crate) fn add_variables(command: &mut Command, connection: &Connection) -> Result<(), Failure> {
    if !connection.headers.is_empty() {
        return Err(Failure::usage("headers (`-H`) apply to URLs, not to servers that are started; remove them"));
    }
    for written in &connection.env {
        let variable = variable(&written.0)?;
        command.env(variable.name, variable.value);
    }
    Ok(())
}

/// Creates the process of a server. `name` is used in errors instead of the program.
///
/// # Errors
/// Fails if the connection has headers, or a variable is invalid.
pub(crate) fn process(
    mut command: Command,
    name: Option<&str>,
    connection: &Connection,
    observer: &Observer,
) -> Result<Child, Failure> {
    add_variables(&mut command, connection)?;
    let shows_stderr = connection.verbose > 0;
    let observe = observer.stderr.clone();
    // The last lines are part of errors even if they are not shown.
    let stderr = Stderr::lines(move |line| {
        if let Some(observe) = &observe {
            observe(line);
        }
        if shows_stderr {
            message(format_args!("[stderr] {line}"));
        }
    });
    let mut child = Child::new(command).inherit_env().stderr(stderr).grace(GRACE).term_grace(GRACE);
    if let Some(name) = name {
        child = child.name(name);
    }
    Ok(child)
}

/// Returns the builder of a client for a user of the terminal.
fn builder(connection: &Connection) -> Result<ClientBuilder, Failure> {
    let mut builder = new_builder(connection);
    if let Some(timeout) = connection.timeout {
        let limits = ClientLimits::new().request_timeout(timeout).connect_timeout(timeout);
        builder = builder.limits(limits.probe_timeout(timeout.min(PROBE_TIMEOUT)));
    }
    if connection.verbose > 0 {
        builder = show_log_messages(builder);
    }
    Ok(answer_questions(with_roots(builder, connection)?))
}

/// Returns the builder of a client of this command, without handlers.
pub(crate) fn new_builder(connection: &Connection) -> ClientBuilder {
    let builder = Client::builder("mcp", env!("CARGO_PKG_VERSION")).no_cache();
    match connection.era {
        Some(era) => builder.only_era(era.into()),
        None => builder,
    }
}

/// Adds the roots of the command line.
///
/// # Errors
/// Fails if a folder does not exist.
pub(crate) fn with_roots(builder: ClientBuilder, connection: &Connection) -> Result<ClientBuilder, Failure> {
    let roots = roots(connection)?;
    Ok(if roots.is_empty() { builder } else { builder.on_roots(move || std::future::ready(roots.clone())) })
}

/// Returns the roots of the command line.
///
/// # Errors
/// Fails if a folder does not exist.
pub(crate) fn roots(connection: &Connection) -> Result<Vec<Root>, Failure> {
    connection.roots.iter().map(|folder| root(folder)).collect()
}

fn root(folder: &Path) -> Result<Root, Failure> {
    let failed = |cause: &str| Failure::usage(format!("cannot use the root `{}`: {cause}", folder.display()));
    let path = std::fs::canonicalize(folder).map_err(|error| failed(&error.to_string()))?;
    let url = Url::from_directory_path(&path).map_err(|()| failed("its path is not a valid URL"))?;
    let mut root = Root::new(url.as_str().trim_end_matches('/'));
    root.name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(root)
}
