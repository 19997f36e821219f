//! What becomes of a child's stderr: handed on, dropped, or read line by line.
//!
//! Reading never stops, as a full pipe would stop the child. What is kept is bounded: one line, and the
//! tail that [`Exit`](super::Exit) shows.

use std::{
    collections::VecDeque,
    fmt,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use memchr::memchr;
use tokio::{io::AsyncReadExt, process::ChildStderr, runtime::Handle, task::JoinHandle};

/// The longest line of stderr that is handed on, in bytes; the rest of a longer one is left out: 8 KiB.
pub const MAX_STDERR_LINE: usize = 8 << 10;

/// How much of stderr is kept for [`Exit::stderr`](super::Exit::stderr), in bytes: 4 KiB.
pub const STDERR_TAIL: usize = 4 << 10;

/// What becomes of a child's stderr. It is free-form text, and not a sign of failure.
#[derive(Debug, Default)]
pub struct Stderr(Policy);

/// Takes one line.
type Each = dyn FnMut(&str) + Send;

#[derive(Default)]
enum Policy {
    #[default]
    Inherit,
    Discard,
    Log,
    Lines(Arc<Mutex<Each>>),
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
    /// It goes where this process's stderr goes.
    pub fn inherit() -> Self {
        Self(Policy::Inherit)
    }

    /// It is dropped.
    pub fn discard() -> Self {
        Self(Policy::Discard)
    }

    /// Each line becomes a `tracing` event of level info, with the child's process id.
    pub fn log() -> Self {
        Self(Policy::Log)
    }

    /// Each line, without its end and at most [`MAX_STDERR_LINE`] bytes of it, is handed to `each`, which
    /// should not block. What is not UTF-8 is replaced.
    pub fn lines(each: impl FnMut(&str) + Send + 'static) -> Self {
        Self(Policy::Lines(Arc::new(Mutex::new(each))))
    }

    pub(super) fn stdio(&self) -> Stdio {
        match self.0 {
            Policy::Inherit => Stdio::inherit(),
            Policy::Discard => Stdio::null(),
            Policy::Log | Policy::Lines(_) => Stdio::piped(),
        }
    }

    /// Begins to read that of one process.
    pub(super) fn read(&self, runtime: &Handle, stderr: ChildStderr, id: Option<u32>) -> Tail {
        let each: Box<Each> = match &self.0 {
            Policy::Lines(each) => {
                let each = Arc::clone(each);
                Box::new(move |line| each.lock().unwrap_or_else(PoisonError::into_inner)(line))
            }
            _ => Box::new(move |line| tracing::info!(target: "ferromcp::child", pid = id, "{line}")),
        };
        let kept = Arc::default();
        let reading = runtime.spawn(read(stderr, Lines::new(each), Arc::clone(&kept)));
        Tail { kept, reading }
    }
}

/// The last bytes of a stderr that is being read.
#[derive(Debug)]
pub(super) struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    reading: JoinHandle<()>,
}

impl Tail {
    /// The text so far; waits up to `time` for the end of it, which a grandchild may hold back.
    pub(super) async fn text(&mut self, time: Duration) -> String {
        if !self.reading.is_finished() {
            let _ = tokio::time::timeout(time, &mut self.reading).await;
        }
        let bytes: Vec<u8> = lock(&self.kept).iter().copied().collect();
        // The front may have been cut within a character.
        let torn = bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
        String::from_utf8_lossy(&bytes[torn..]).into_owned()
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

fn lock(kept: &Mutex<VecDeque<u8>>) -> std::sync::MutexGuard<'_, VecDeque<u8>> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(mut stderr: ChildStderr, mut lines: Lines, kept: Arc<Mutex<VecDeque<u8>>>) {
    let mut bytes = [0; MAX_STDERR_LINE];
    while let Ok(count) = stderr.read(&mut bytes).await {
        let Some(read) = bytes.get(..count).filter(|read| !read.is_empty()) else { break };
        {
            let mut kept = lock(&kept);
            kept.extend(&read[count.saturating_sub(STDERR_TAIL)..]);
            let over = kept.len().saturating_sub(STDERR_TAIL);
            kept.drain(..over);
        }
        lines.push(read);
    }
    lines.finish();
}

/// Cuts text into lines of bounded length. Unlike [`LineBuffer`](crate::LineBuffer) it shows the beginning
/// of a line that is too long, as some text is better than none.
struct Lines {
    each: Box<Each>,
    line: Vec<u8>,
    cut: bool,
}

impl Lines {
    fn new(each: Box<Each>) -> Self {
        Self { each, line: Vec::new(), cut: false }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.keep(&bytes[..end]);
            self.emit();
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_STDERR_LINE - self.line.len();
        self.cut |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn emit(&mut self) {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let mut text = String::from_utf8_lossy(&self.line);
        if std::mem::take(&mut self.cut) {
            text.to_mut().push('…');
        }
        (self.each)(&text);
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

    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&seen);
        let mut lines = Lines::new(Box::new(move |line: &str| into.lock().unwrap().push(line.to_owned())));
        for piece in pieces {
            lines.push(piece);
        }
        lines.finish();
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    }

    #[test]
    fn lines_are_put_together_from_any_pieces() {
        assert_eq!(cut(&[b"on", b"e\r\n\ntw", b"o\nthree"]), ["one", "", "two", "three"]);
        assert_eq!(cut(&[b"\xE4\xBD", b"\xA0\n\xFF"]), ["你", "\u{FFFD}"]);
        assert!(cut(&[]).is_empty());
    }

    #[test]
    fn a_long_line_is_cut_once() {
        let long = vec![b'x'; MAX_STDERR_LINE - 1];
        let lines = cut(&[&long, b"y", b"z", b"z\nnext\n"]);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].ends_with("xy…"), "{}", &lines[0][lines[0].len() - 10..]);
        assert_eq!(lines[0].len(), MAX_STDERR_LINE + '…'.len_utf8());
        assert_eq!(lines[1], "next");
    }
}
