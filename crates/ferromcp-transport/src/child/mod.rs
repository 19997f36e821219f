//! A transport over the stdin and stdout of a child process, with graceful shutdown of its process group.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>. Shutdown
//! first closes the stdin of the server. A server that does not exit is sent `SIGTERM`, and is then
//! killed. On Unix, signals are sent to the whole process group, because servers are often started
//! through a shell or a package runner that does not forward signals.
//!
//! | module | contents |
//! |---|---|
//! | `pipe` | the transport and its two halves |
//! | `supervisor` | the task that waits for the process, and shuts it down |
//! | `handle`, `exit` | the handle of the process, and its exit status |
//! | `group` | signals to the process group |
//! | `env` | the inherited environment |
//! | `stderr`, `stdin` | these two streams of the process |

use std::{fmt, io, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{Transport, line::DEFAULT_MAX_LINE};

mod env;
mod exit;
mod group;
mod handle;
mod pipe;
mod stderr;
mod stdin;
mod supervisor;

use supervisor::Process;

pub use env::default_env;
pub use exit::Exit;
pub use handle::ChildHandle;
pub use pipe::{ChildPipe, ChildRx, ChildTx};
pub use stderr::{MAX_STDERR_LINE, MAX_STDERR_TAIL, Stderr};

/// The default grace period for exit after stdin is closed: 2 s.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(2);

/// The default grace period for exit after `SIGTERM`: 2 s.
pub const DEFAULT_TERM_GRACE: Duration = Duration::from_secs(2);

/// A builder for a child process with a transport over its stdin and stdout.
///
/// The process is started by [`spawn`](Self::spawn), or by [`Transport::split`] if no handle is
/// required. It is shut down when
///
/// - both halves of the transport are dropped, or [`ChildHandle::shutdown`] is called: its stdin is
///   closed, `SIGTERM` is sent after the [`grace`](Self::grace) period, and `SIGKILL` after the
///   [`term_grace`](Self::term_grace) period;
/// - the process exits but other processes of its group remain: they are shut down in the same way;
/// - the tokio runtime is shut down: the process is killed immediately.
///
/// On Unix the process gets a new process group, and signals are sent to the group. A Ctrl-C in the
/// terminal therefore reaches only the parent process. On other systems there is no `SIGTERM`: the
/// process is killed after the first grace period, and its child processes are not affected.
///
/// # Environment
///
/// The process inherits only the variables of [`default_env`], because every server would otherwise read the API keys in
/// the environment of its host. Variables that the command sets are passed on, and variables that it removes are not. A
/// command with a cleared environment (`env_clear`) inherits nothing.
/// [`inherit_env`](Self::inherit_env) passes on the whole environment.
///
/// ```no_run
/// # use ferromcp_transport::child::{Child, Stderr};
/// # use tokio::process::Command;
/// # async fn example() -> std::io::Result<()> {
/// let mut command = Command::new("my-server");
/// command.arg("--stdio");
/// let (pipe, handle) = Child::new(command).stderr(Stderr::log()).spawn()?;
/// // … a client uses `pipe` as its transport …
/// # drop(pipe);
/// println!("{}", handle.shutdown().await);
/// # Ok(())
/// # }
/// ```
pub struct Child {
    command: Command,
    /// Whether the environment of the command is still the one of this process.
    restricts_env: bool,
    name: Option<String>,
    stderr: Stderr,
    max_line: usize,
    grace: Duration,
    term_grace: Duration,
}

impl Child {
    /// Creates a child process from a tokio or `std` command.
    ///
    /// The settings of the command for stdin, stdout, stderr and the process group are overridden.
    pub fn new(command: impl Into<Command>) -> Self {
        Self {
            command: command.into(),
            restricts_env: true,
            name: None,
            stderr: Stderr::inherit(),
            max_line: DEFAULT_MAX_LINE,
            grace: DEFAULT_GRACE,
            term_grace: DEFAULT_TERM_GRACE,
        }
    }

    /// Passes on the whole environment of this process, as the command describes it, instead of [`default_env`].
    #[must_use]
    pub fn inherit_env(mut self) -> Self {
        self.restricts_env = false;
        self
    }

    /// Sets the name for logs and errors. Default: the program of the command.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the handling of stderr. Default: [`Stderr::inherit`].
    #[must_use]
    pub fn stderr(mut self, stderr: Stderr) -> Self {
        self.stderr = stderr;
        self
    }

    /// Sets the maximum length of a line in bytes. Default: [`DEFAULT_MAX_LINE`].
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Sets the grace period for exit after stdin is closed. Default: [`DEFAULT_GRACE`].
    #[must_use]
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// Sets the grace period for exit after `SIGTERM`. Default: [`DEFAULT_TERM_GRACE`].
    #[must_use]
    pub fn term_grace(mut self, time: Duration) -> Self {
        self.term_grace = time;
        self
    }

    /// Sets both grace periods for processes that are started from now on.
    pub fn set_grace_periods(&mut self, grace: Duration, term_grace: Duration) {
        (self.grace, self.term_grace) = (grace, term_grace);
    }

    /// Starts the process.
    ///
    /// # Errors
    /// Returns an error if the process cannot be started, or if called outside of a tokio runtime.
    pub fn spawn(mut self) -> io::Result<(ChildPipe, ChildHandle)> {
        self.start()
    }

    /// Starts a new process with each call, for example to restart a process after it has exited.
    ///
    /// # Errors
    /// Returns the errors of [`spawn`](Self::spawn).
    pub fn start(&mut self) -> io::Result<(ChildPipe, ChildHandle)> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| io::Error::other("cannot start a child process outside of a tokio runtime"))?;
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(self.stderr.stdio()).kill_on_drop(true);
        group::prepare(&mut self.command);
        if std::mem::take(&mut self.restricts_env) {
            env::restrict(&mut self.command);
        }
        let mut child = self.command.spawn().map_err(|error| self.spawn_error(&error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("cannot access stdin and stdout of the child process"));
        };
        let (id, stderr) = (child.id(), child.stderr.take());
        let tail = stderr.map(|stderr| self.stderr.read(&runtime, stderr, id));
        let process = Process::new(child, tail, [self.grace, self.term_grace]);
        let (lease, handle) = process.spawn_supervisor(&runtime, stdin);
        Ok((ChildPipe::new(lease, stdout, handle.clone(), self.max_line), handle))
    }

    /// Returns the name for logs and errors: the program, unless [`name`](Self::name) sets another one.
    pub fn program(&self) -> String {
        let program = || self.command.as_std().get_program().to_string_lossy().into_owned();
        self.name.clone().unwrap_or_else(program)
    }

    /// Adds the program name and a remedy to an error of `spawn`.
    fn spawn_error(&self, error: &io::Error) -> io::Error {
        let program = self.program();
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => {
                "; check that it is installed, that it is on the PATH, and that the directory exists"
            }
            io::ErrorKind::PermissionDenied => "; check that it is executable",
            _ => "",
        };
        io::Error::new(error.kind(), format!("cannot start `{program}`: {error}{remedy}"))
    }
}

impl From<Command> for Child {
    fn from(command: Command) -> Self {
        Self::new(command)
    }
}

impl From<std::process::Command> for Child {
    fn from(command: std::process::Command) -> Self {
        Self::new(command)
    }
}

/// Omits arguments and environment variables, which can contain secrets.
impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("program", &self.program()).finish_non_exhaustive()
    }
}

impl Transport for Child {
    type Rx = ChildRx;
    type Tx = ChildTx;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        self.spawn()?.0.split()
    }

    fn name(&self) -> &'static str {
        pipe::NAME
    }
}
