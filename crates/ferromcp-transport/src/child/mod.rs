//! A child process as a pipe: frames over its stdin and stdout, and a tidy end for all it started.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>. To be
//! stopped, a server first finds its stdin closed; only one that goes on is sent `SIGTERM`, and only
//! one that goes on after that is killed. On Unix this is done to the whole process group, as servers
//! are often started through a shell or a package runner that passes nothing on.
//!
//! | file | what |
//! |---|---|
//! | `pipe` | the two halves, as frames |
//! | `keeper` | the task that waits for the process, and ends it |
//! | `handle`, `exit` | what a caller sees of the process and of its end |
//! | `group` | signals, where there are any |
//! | `stderr`, `stdin` | these two streams of the process |

use std::{fmt, io, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{Transport, line::DEFAULT_MAX_LINE};

mod exit;
mod group;
mod handle;
mod keeper;
mod pipe;
mod stderr;
mod stdin;

use keeper::Process;

pub use exit::Exit;
pub use handle::ChildHandle;
pub use pipe::{ChildPipe, ChildRx, ChildTx};
pub use stderr::{MAX_STDERR_LINE, STDERR_TAIL, Stderr};

/// How long a process has to end by itself once its stdin is closed, unless told otherwise: 2 s.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(2);

/// How long it has after `SIGTERM`, unless told otherwise: 2 s.
pub const DEFAULT_TERM_GRACE: Duration = Duration::from_secs(2);

/// A process to start and to speak to over its stdin and stdout.
///
/// It starts at [`spawn`](Self::spawn), or at [`Transport::split`] for those who need no handle. It is
/// ended, by and by, when
///
/// - both halves of the pipe are dropped, or [`ChildHandle::shutdown`] is called: its stdin is closed,
///   what is still there after the [`grace`](Self::grace) is sent `SIGTERM`, and what is still there
///   after the [`term_grace`](Self::term_grace) is killed;
/// - it ends by itself and leaves others of its group behind: they are ended in the same way;
/// - the tokio runtime ends: it is killed at once.
///
/// On Unix the process gets a group of its own, and what is sent is sent to the group. So a `^C` in the
/// terminal reaches only the parent, which then decides. Elsewhere there is no `SIGTERM`: what outlasts
/// the first grace is killed, and processes that it started are not reached.
///
/// ```no_run
/// # use ferromcp_transport::child::{Child, Stderr};
/// # use tokio::process::Command;
/// # async fn example() -> std::io::Result<()> {
/// let mut command = Command::new("my-server");
/// command.arg("--stdio");
/// let (pipe, handle) = Child::new(command).stderr(Stderr::log()).spawn()?;
/// // … a client speaks through `pipe` …
/// # drop(pipe);
/// println!("{}", handle.shutdown().await);
/// # Ok(())
/// # }
/// ```
pub struct Child {
    command: Command,
    stderr: Stderr,
    max_line: usize,
    grace: Duration,
    term_grace: Duration,
}

impl Child {
    /// A process to be started by `command`; one of `std` will do too.
    ///
    /// What it says of stdin, stdout, stderr and the process group is overruled.
    pub fn new(command: impl Into<Command>) -> Self {
        Self {
            command: command.into(),
            stderr: Stderr::inherit(),
            max_line: DEFAULT_MAX_LINE,
            grace: DEFAULT_GRACE,
            term_grace: DEFAULT_TERM_GRACE,
        }
    }

    /// What becomes of its stderr ([`Stderr::inherit`] unless set).
    #[must_use]
    pub fn stderr(mut self, stderr: Stderr) -> Self {
        self.stderr = stderr;
        self
    }

    /// The longest line to take, in bytes ([`DEFAULT_MAX_LINE`] unless set).
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// How long it has to end by itself once its stdin is closed ([`DEFAULT_GRACE`] unless set).
    #[must_use]
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }

    /// How long it has after `SIGTERM` ([`DEFAULT_TERM_GRACE`] unless set).
    #[must_use]
    pub fn term_grace(mut self, time: Duration) -> Self {
        self.term_grace = time;
        self
    }

    /// Both graces at once, of all processes that are started from now on.
    pub fn set_graces(&mut self, grace: Duration, term_grace: Duration) {
        (self.grace, self.term_grace) = (grace, term_grace);
    }

    /// Starts the process.
    ///
    /// # Errors
    /// When it cannot be started; when there is no tokio runtime.
    pub fn spawn(mut self) -> io::Result<(ChildPipe, ChildHandle)> {
        self.start()
    }

    /// Starts a process, and another one each time; for those who start it again when it has ended.
    ///
    /// # Errors
    /// Those of [`spawn`](Self::spawn).
    pub fn start(&mut self) -> io::Result<(ChildPipe, ChildHandle)> {
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| io::Error::other("a child process needs a tokio runtime; start it from within one"))?;
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(self.stderr.stdio()).kill_on_drop(true);
        group::prepare(&mut self.command);
        let mut child = self.command.spawn().map_err(|error| self.explain(&error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child process has no pipes"));
        };
        let (id, stderr) = (child.id(), child.stderr.take());
        let tail = stderr.map(|stderr| self.stderr.read(&runtime, stderr, id));
        let process = Process::new(child, tail, [self.grace, self.term_grace]);
        let (shared, handle) = process.keep(&runtime, stdin);
        Ok((ChildPipe::new(shared, stdout, handle.clone(), self.max_line), handle))
    }

    /// The program, for logs and errors.
    pub fn program(&self) -> String {
        self.command.as_std().get_program().to_string_lossy().into_owned()
    }

    /// Why it did not start, and what may help.
    fn explain(&self, error: &io::Error) -> io::Error {
        let program = self.program();
        let remedy = match error.kind() {
            io::ErrorKind::NotFound => "; is it installed, is it on the PATH, and does its folder exist?",
            io::ErrorKind::PermissionDenied => "; is it a program, and may you run it?",
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

/// Without arguments and environment, which may hold secrets.
impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("program", &self.command.as_std().get_program()).finish_non_exhaustive()
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
