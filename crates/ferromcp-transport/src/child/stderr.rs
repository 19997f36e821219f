//! The stderr of a child process: inherited, discarded, or read line by line.
//!
//! Reading never stops, because a full pipe would block the child process. Only one line and the tail for
//! [`Exit`](super::Exit) are buffered.

use std::{
    collections::VecDeque,
    fmt,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use memchr::memchr;
use tokio::{io::AsyncReadExt, process::ChildStderr, runtime::Handle, task::JoinHandle};

use crate::text::escape;

/// The maximum length of a stderr line in bytes: 8 KiB. Longer lines are truncated.
pub const MAX_STDERR_LINE: usize = 8 << 10;

/// The number of bytes of stderr stored for [`Exit::stderr`](super::Exit::stderr): 4 KiB.
pub const MAX_STDERR_TAIL: usize = 4 << 10;

/// The handling of the stderr of a child process. Output on stderr is free-form text and does not imply a failure.
#[derive(Debug, Default)]
pub struct Stderr(Policy);

/// A function that is called with each line.
type LineHandler = dyn FnMut(&str) + Send;

#[derive(Default)]
enum Policy {
    #[default]
    Inherit,
    Discard,
    Log,
    Lines(Arc<Mutex<LineHandler>>),
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inherit => "inherit",
            Self::Discard => "discard",
            Self::Log => "log",
            Self::Lines(_) => "lines",
        })
    }
}

impl Stderr {
    /// Inherits the stderr of this process.
    pub fn inherit() -> Self {
        Self(Policy::Inherit)
    }

    /// Discards stderr.
    pub fn discard() -> Self {
        Self(Policy::Discard)
    }

    /// Logs each line as a `tracing` event with level info and the process id of the child. Control characters are
    /// escaped, such as the colors of a terminal.
    pub fn log() -> Self {
        Self(Policy::Log)
    }

    /// Calls `handler` with each line, without its line ending and truncated to [`MAX_STDERR_LINE`] bytes. Invalid UTF-8 is
    /// replaced; control characters are not. `handler` should not block.
    pub fn lines(handler: impl FnMut(&str) + Send + 'static) -> Self {
        Self(Policy::Lines(Arc::new(Mutex::new(handler))))
    }

    pub(super) fn stdio(&self) -> Stdio {
        match self.0 {
            Policy::Inherit => Stdio::inherit(),
            Policy::Discard => Stdio::null(),
            Policy::Log | Policy::Lines(_) => Stdio::piped(),
        }
    }

    /// Starts to read the stderr of a process.
    pub(super) fn read(&self, runtime: &Handle, stderr: ChildStderr, id: Option<u32>) -> Tail {
        let handler: Box<LineHandler> = match &self.0 {
            Policy::Lines(handler) => {
                let handler = Arc::clone(handler);
                Box::new(move |line| handler.lock().unwrap_or_else(PoisonError::into_inner)(line))
            }
            _ => Box::new(move |line| tracing::info!(target: "ferromcp::child", pid = id, "{}", escape(line))),
        };
        let tail = Arc::default();
        let task = runtime.spawn(read(stderr, LineSplitter::new(handler), Arc::clone(&tail)));
        Tail { tail, task }
    }
}

/// The last bytes of a stderr stream.
#[derive(Debug)]
pub(super) struct Tail {
    tail: Arc<Mutex<VecDeque<u8>>>,
    task: JoinHandle<()>,
}

impl Tail {
    /// Returns the buffered text. Waits up to `time` for the end of the stream, which a grandchild process can keep open.
    pub(super) async fn text(&mut self, time: Duration) -> String {
        if !self.task.is_finished() {
            let _ = tokio::time::timeout(time, &mut self.task).await;
        }
        let bytes: Vec<u8> = lock(&self.tail).iter().copied().collect();
        // The front can be truncated inside a character.
        let partial = bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
        String::from_utf8_lossy(&bytes[partial..]).into_owned()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(tail: &Mutex<VecDeque<u8>>) -> std::sync::MutexGuard<'_, VecDeque<u8>> {
    tail.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(mut stderr: ChildStderr, mut lines: LineSplitter, tail: Arc<Mutex<VecDeque<u8>>>) {
    let mut bytes = [0; MAX_STDERR_LINE];
    while let Ok(count) = stderr.read(&mut bytes).await {
        let Some(read) = bytes.get(..count).filter(|read| !read.is_empty()) else { break };
        {
            let mut tail = lock(&tail);
            tail.extend(&read[count.saturating_sub(MAX_STDERR_TAIL)..]);
            let over = tail.len().saturating_sub(MAX_STDERR_TAIL);
            tail.drain(..over);
        }
        lines.push(read);
    }
    lines.finish();
}

/// Splits text into lines of bounded length. Unlike [`LineBuffer`](crate::LineBuffer), a line that is too long is
/// truncated and not discarded.
struct LineSplitter {
    handler: Box<LineHandler>,
    line: Vec<u8>,
    truncated: bool,
}

impl LineSplitter {
    fn new(handler: Box<LineHandler>) -> Self {
        Self { handler, line: Vec::new(), truncated: false }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.append(&bytes[..end]);
            self.emit();
            bytes = &bytes[end + 1..];
        }
        self.append(bytes);
    }

    fn append(&mut self, bytes: &[u8]) {
        let capacity = MAX_STDERR_LINE - self.line.len();
        self.truncated |= bytes.len() > capacity;
        self.line.extend_from_slice(&bytes[..bytes.len().min(capacity)]);
    }

    fn emit(&mut self) {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let mut text = String::from_utf8_lossy(&self.line);
        if std::mem::take(&mut self.truncated) {
            text.to_mut().push('…');
        }
        (self.handler)(&text);
        self.line.clear();
    }

    fn finish(mut self) {
        if !self.line.is_empty() {
            self.emit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truncated(pieces: &[&[u8]]) -> Vec<String> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        let mut lines = LineSplitter::new(Box::new(move |line: &str| into.lock().unwrap().push(line.to_owned())));
        for piece in pieces {
            lines.push(piece);
        }
        lines.finish();
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    }

    #[test]
    fn assembles_lines_when_input_is_split_anywhere() {
        assert_eq!(truncated(&[b"on", b"e\r\n\ntw", b"o\nthree"]), ["one", "", "two", "three"]);
        assert_eq!(truncated(&[b"\xE4\xBD", b"\xA0\n\xFF"]), ["你", "\u{FFFD}"]);
        assert!(truncated(&[]).is_empty());
    }

    #[test]
    fn truncates_line_when_it_exceeds_limit() {
        let long = vec![b'x'; MAX_STDERR_LINE - 1];
        let lines = truncated(&[&long, b"y", b"z", b"z\nnext\n"]);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with("xy…"), "{}", &lines[0][lines[0].len() - 10..]);
        assert_eq!(lines[0].len(), MAX_STDERR_LINE + '…'.len_utf8());
        assert_eq!(lines[1], "next");
    }
}
