//! Standard input and output as a pipe, kept private to the protocol.
//!
//! While the pipe is open, the process's own stdin is `/dev/null` and its stdout is stderr, so a
//! stray `println!` or a child process cannot break a message. Spec:
//! <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.
//!
//! | file | what |
//! |---|---|
//! | `claim` | takes the descriptors, and puts them back |
//! | `stream` | the descriptors as byte streams: on the reactor if it can poll them |
//! | `blocking` | a thread per direction for what it cannot: files, terminals, `/dev/null` |
//! | `portable` | all of this where there are no Unix descriptors |

use std::io::{self, IsTerminal};

use crate::{Frame, FrameRx, FrameTx, LineRx, LineTx, Outbound, Transport, line::DEFAULT_MAX_LINE};

#[cfg(unix)]
mod blocking;
#[cfg(unix)]
mod claim;
#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod stream;

#[cfg(not(unix))]
use portable::{Claim, Sink, Source};
#[cfg(unix)]
use {
    claim::Claim,
    stream::{Sink, Source},
};

/// The process's standard input and output as a transport.
///
/// Nothing is touched before [`Transport::split`]. On Unix, from then until both halves are
/// dropped:
///
/// - stdin reads as empty and stdout writes to stderr, for this process and its children; text
///   that `std` still buffers for stdout goes to stderr as well;
/// - pipes and sockets are non-blocking, which is seen by every process that shares them, unless
///   stderr is the same pipe or socket; afterwards they are as they were. A process that ends by
///   [`std::process::exit`] or a signal leaves them non-blocking.
///
/// Elsewhere the streams of tokio are used as they are, and stray output does reach the wire.
///
/// `split` needs a tokio runtime with I/O enabled. It fails with
/// [`ResourceBusy`](io::ErrorKind::ResourceBusy) while another pipe over stdio is open in this
/// process, and panics, as all of tokio does, in a runtime that was built without I/O.
pub fn stdio() -> Stdio {
    Stdio { max_line: DEFAULT_MAX_LINE }
}

/// The process's standard input and output; made by [`stdio`].
#[derive(Debug)]
pub struct Stdio {
    max_line: usize,
}

impl Stdio {
    /// The longest line to take, in bytes ([`DEFAULT_MAX_LINE`] unless set).
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }

    /// Whether stdin is a terminal: then most likely a person started the program by hand.
    pub fn is_terminal(&self) -> bool {
        io::stdin().is_terminal()
    }
}

impl Transport for Stdio {
    type Rx = StdioRx;
    type Tx = StdioTx;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        let claim = Claim::new()?;
        let rx = LineRx::new(Source::open(&claim)?, self.max_line);
        let tx = LineTx::new(Sink::open(&claim)?);
        Ok((StdioRx { lines: rx, _claim: claim.clone() }, StdioTx { lines: tx, _claim: claim }))
    }

    fn name(&self) -> &'static str {
        "stdio"
    }

    fn owns_process(&self) -> bool {
        true
    }

    fn faces_person(&self) -> bool {
        self.is_terminal()
    }
}

/// The reading half of [`Stdio`].
#[derive(Debug)]
pub struct StdioRx {
    lines: LineRx<Source>,
    /// After `lines`, so that the descriptors are given back when nobody uses them any more.
    _claim: Claim,
}

impl FrameRx for StdioRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        self.lines.recv().await
    }

    fn try_recv(&mut self) -> Option<Frame> {
        self.lines.try_recv()
    }
}

/// The writing half of [`Stdio`].
///
/// [`finish`](FrameTx::finish) sees all bytes out but leaves the descriptor open: it is the
/// process's own, and becomes its stdout again.
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
