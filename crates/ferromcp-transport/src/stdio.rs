//! A transport over standard input and output, isolated from the rest of the process.
//!
//! While the transport is open, the process's stdin is `/dev/null` and its stdout is redirected to
//! stderr, so that a stray `println!` or a child process cannot corrupt a message. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.
//!
//! | module | contents |
//! |---|---|
//! | `claim` | replaces the standard descriptors, and restores them |
//! | `stream` | the descriptors as byte streams, registered with the reactor if they are pollable |
//! | `hangup` | detects that no process reads stdout |
//! | `blocking` | a thread per direction for descriptors that are not pollable: files, terminals, `/dev/null` |
//! | `portable` | the implementation for systems other than Unix |

use std::io::{self, IsTerminal};

use crate::{Frame, FrameRx, FrameTx, LineRx, LineTx, Outbound, Transport, line::DEFAULT_MAX_LINE};

#[cfg(unix)]
mod blocking;
#[cfg(unix)]
mod claim;
#[cfg(unix)]
mod hangup;
#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod stream;

#[cfg(not(unix))]
use portable::{Claim, Sink, Source};
#[cfg(unix)]
use {
    claim::Claim,
    hangup::Hangup,
    stream::{Sink, Source},
};

/// Creates a transport over the standard input and output of the process.
///
/// The descriptors are unchanged until [`Transport::split`] is called. On Unix, from then until both
/// halves are dropped:
///
/// - stdin is empty and stdout is redirected to stderr, for this process and its child processes.
///   Text that `std` has buffered for stdout is written to stderr as well.
/// - Pipes and sockets are set to non-blocking mode, unless stderr is the same pipe or socket. The
///   mode is visible to all processes that share them, and is restored afterwards. It is not
///   restored if the process exits with [`std::process::exit`] or is terminated by a signal.
///
/// On other systems the tokio streams are used directly, and stray output is sent to the peer.
///
/// `split` requires a tokio runtime with I/O enabled. It returns
/// [`ResourceBusy`](io::ErrorKind::ResourceBusy) while another stdio transport is open in this
/// process, and [`BrokenPipe`](io::ErrorKind::BrokenPipe) if stdout is closed (on Unix). It panics in a tokio runtime
/// without I/O.
///
/// On Unix, the input ends when the reader of a stdout pipe closes it, even if stdin stays open.
pub fn stdio() -> Stdio {
    Stdio { max_line: DEFAULT_MAX_LINE }
}

/// A transport over the standard input and output of the process, created by [`stdio`].
#[derive(Debug)]
pub struct Stdio {
    max_line: usize,
}

impl Stdio {
    /// Sets the maximum length of a line in bytes. Default: [`DEFAULT_MAX_LINE`].
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Returns `true` if stdin is a terminal, so that the program was probably started manually.
    pub fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }
}

impl Transport for Stdio {
    type Rx = StdioRx;
    type Tx = StdioTx;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        let claim = Claim::new()?;
        #[cfg(unix)]
        hangup::check(claim.output())?;
        let rx = LineRx::new(Source::open(&claim)?, self.max_line);
        let tx = LineTx::new(Sink::open(&claim)?);
        let rx = StdioRx {
            lines: rx,
            #[cfg(unix)]
            hangup: Hangup::watch(&claim),
            _claim: claim.clone(),
        };
        Ok((rx, StdioTx { lines: tx, _claim: claim }))
    }

    fn name(&self) -> &'static str {
        "stdio"
    }

    fn handles_signals(&self) -> bool {
        true
    }

    fn is_terminal(&self) -> bool {
        Self::is_terminal(self)
    }
}

/// The receiving half of a [`Stdio`] transport.
#[derive(Debug)]
pub struct StdioRx {
    lines: LineRx<Source>,
    #[cfg(unix)]
    hangup: Hangup,
    /// Declared after `lines`, so that the descriptors are restored when they are no longer in use.
    _claim: Claim,
}

impl FrameRx for StdioRx {
    #[cfg(unix)]
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        tokio::select! {
            biased;
            frame = self.lines.recv() => frame,
            () = &mut self.hangup => Ok(None),
        }
    }

    #[cfg(not(unix))]
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        self.lines.recv().await
    }

    fn try_recv(&mut self) -> Option<Frame> {
        self.lines.try_recv()
    }
}

/// The sending half of a [`Stdio`] transport.
///
/// [`finish`](FrameTx::finish) flushes all bytes but does not close the descriptor, because it
/// becomes the stdout of the process again.
#[derive(Debug)]
pub struct StdioTx {
    lines: LineTx<Sink>,
    _claim: Claim,
}

impl FrameTx for StdioTx {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        self.lines.write(out).await
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.lines.finish().await
    }
}
