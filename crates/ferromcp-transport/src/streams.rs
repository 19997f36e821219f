//! A transport over any pair of byte streams, with the newline framing of stdio.
//!
//! The specification recommends this framing for custom transports over a byte stream.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports>.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::{Frame, FrameRx, FrameTx, LineBuffer, Outbound, Transport, line::DEFAULT_MAX_LINE};

/// Creates a transport over `reader` and `writer`, for example the halves of a TLS connection.
///
/// ```
/// # use ferromcp_transport::{Frame, FrameRx, FrameTx, Outbound, Transport, streams};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (mut sent, mut out) = (Vec::new(), Outbound::new());
/// let (reader, writer) = (&b"{\"id\":1}\n"[..], tokio::io::sink());
/// let (mut rx, mut tx) = streams(reader, writer).split()?;
/// while let Some(Frame::Complete(frame)) = rx.recv().await? {
///     sent.push(frame);
/// }
/// out.frame(|line| line.extend_from_slice(&sent[0]));
/// tx.write(&mut out).await?;
/// # assert!(out.is_empty());
/// # Ok(())
/// # }
/// ```
pub fn streams<R, W>(reader: R, writer: W) -> Streams<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    Streams { reader, writer, max_line: DEFAULT_MAX_LINE }
}

/// A transport over a reader and a writer, created by [`streams`].
#[derive(Debug)]
pub struct Streams<R, W> {
    reader: R,
    writer: W,
    max_line: usize,
}

impl<R, W> Streams<R, W> {
    /// Sets the maximum length of a line in bytes. Default: [`DEFAULT_MAX_LINE`].
    #[must_use]
    pub fn max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes;
        self
    }
}

impl<R, W> Transport for Streams<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Rx = LineRx<R>;
    type Tx = LineTx<W>;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        Ok((LineRx::new(self.reader, self.max_line), LineTx::new(self.writer)))
    }

    fn name(&self) -> &'static str {
        "streams"
    }
}

/// The receiving half of a byte stream with newline framing.
#[derive(Debug)]
pub struct LineRx<R> {
    reader: R,
    lines: LineBuffer,
    ended: bool,
}

impl<R> LineRx<R> {
    /// Creates a receiver for lines of at most `max_line` bytes.
    pub fn new(reader: R, max_line: usize) -> Self {
        Self { reader, lines: LineBuffer::new(max_line), ended: false }
    }
}

impl<R: AsyncRead + Send + Unpin + 'static> FrameRx for LineRx<R> {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.lines.pop() {
                return Ok(Some(frame));
            }
            if self.ended {
                return Ok(self.lines.finish());
            }
            match self.reader.read_buf(self.lines.read_buffer()).await {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
    }

    fn try_recv(&mut self) -> Option<Frame> {
        self.lines.pop()
    }
}

/// The sending half of a byte stream with newline framing. Writes all queued lines in one write.
#[derive(Debug)]
pub struct LineTx<W> {
    writer: W,
    /// Whether a flush is pending. Stored here because the caller can drop the future between write and flush.
    unflushed: bool,
}

impl<W> LineTx<W> {
    /// Creates a sender that flushes `writer` after each write.
    pub fn new(writer: W) -> Self {
        Self { writer, unflushed: false }
    }
}

impl<W: AsyncWrite + Send + Unpin + 'static> FrameTx for LineTx<W> {
    async fn write(&mut self, out: &mut Outbound) -> io::Result<()> {
        if !out.is_empty() {
            let written = self.writer.write(out.as_bytes()).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            out.advance(written);
            self.unflushed = true;
        }
        if self.unflushed {
            self.writer.flush().await?;
            self.unflushed = false;
        }
        Ok(())
    }

    async fn finish(&mut self) -> io::Result<()> {
        self.writer.shutdown().await
    }
}

#[cfg(test)]
mod tests;
