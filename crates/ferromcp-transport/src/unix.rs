//! A Unix domain socket as a pipe, in the newline framing of stdio.
//!
//! For servers that outlive their clients on one machine: one accepted connection is one pipe.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>.

use std::io;

use tokio::net::{
    UnixStream,
    unix::{OwnedReadHalf, OwnedWriteHalf},
};

use crate::{LineRx, LineTx, Transport, line::DEFAULT_MAX_LINE};

/// A transport over a connected socket.
pub fn unix(stream: UnixStream) -> Unix {
    Unix { stream, max_line: DEFAULT_MAX_LINE }
}

/// A connected Unix socket; made by [`unix`].
#[derive(Debug)]
pub struct Unix {
    stream: UnixStream,
    max_line: usize,
}

impl Unix {
    /// The longest line to take, in bytes ([`DEFAULT_MAX_LINE`] unless set).
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
