//! A transport over a Unix domain socket, with the newline framing of stdio.
//!
//! For long-running servers on the same machine. Each accepted connection is one transport.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>.

use std::io;

use tokio::net::{
    UnixStream,
    unix::{OwnedReadHalf, OwnedWriteHalf},
};

use crate::{LineRx, LineTx, Transport, line::DEFAULT_MAX_LINE};

/// Creates a transport over a connected socket.
pub fn unix(stream: UnixStream) -> Unix {
    Unix { stream, max_line: DEFAULT_MAX_LINE }
}

/// A transport over a connected Unix domain socket, created by [`unix`].
#[derive(Debug)]
pub struct Unix {
    stream: UnixStream,
    max_line: usize,
}

impl Unix {
    /// Sets the maximum length of a line in bytes. Default: [`DEFAULT_MAX_LINE`].
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }
}

impl Transport for Unix {
    type Rx = LineRx<OwnedReadHalf>;
    type Tx = LineTx<OwnedWriteHalf>;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        let (reader, writer) = self.stream.into_split();
        Ok((LineRx::new(reader, self.max_line), LineTx::new(writer)))
    }

    fn name(&self) -> &'static str {
        "unix"
    }
}
