//! The terminal: messages on stderr, and lines that the user enters.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use ferromcp_core::text::escape;
use tokio::sync::oneshot;

/// Maximum length of an entered line, in bytes.
pub(crate) const MAX_LINE: u64 = 1 << 20;

/// Whether stderr ends with a progress bar, which is not a whole line.
static HAS_BAR: AtomicBool = AtomicBool::new(false);

/// Returns whether a user can answer questions: stdin and stderr are terminals.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Returns whether stderr is a terminal that supports control sequences.
pub(crate) fn has_bar_support() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}

/// Prints a message to stderr, as one or more lines. Control characters are escaped.
pub(crate) fn message(text: impl fmt::Display) {
    let text = text.to_string();
    let mut stderr = clear_bar();
    // Messages are lost if stderr is closed.
    let _ = writeln!(stderr, "{}", escape(text.trim_end()));
}

/// Returns a text whose lines after the first are indented, so that none of them looks like a message of this command.
pub(crate) fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n  ")
}

/// Prints a prompt to stderr, without a line end.
pub(crate) fn prompt(text: &str) {
    let mut stderr = clear_bar();
    let _ = write!(stderr, "{}", escape(text)).and_then(|()| stderr.flush());
}

/// Draws a progress bar in place of the previous one.
pub(crate) fn draw_bar(text: &str) {
    let mut stderr = clear_bar();
    HAS_BAR.store(true, Ordering::Relaxed);
    let _ = write!(stderr, "{}", escape(text)).and_then(|()| stderr.flush());
}

/// Removes the progress bar, if there is one, and returns stderr.
pub(crate) fn clear_bar() -> io::StderrLock<'static> {
    let mut stderr = io::stderr().lock();
    if HAS_BAR.swap(false, Ordering::Relaxed) {
        let _ = stderr.write_all(b"\r\x1b[K").and_then(|()| stderr.flush());
    }
    stderr
}

/// Asks for one line. Returns `None` at the end of the input (Ctrl-D).
///
/// # Cancellation
/// A line that is entered after the future was dropped is lost.
pub(crate) async fn ask(text: &str) -> Option<String> {
    prompt(text);
    let line = read_line().await.ok().and_then(Result::ok).flatten();
    if line.is_none() {
        message("");
    }
    line.map(|line| line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Starts to read one line, with its line end. The result is `None` at the end of the input.
pub(crate) fn read_line() -> oneshot::Receiver<io::Result<Option<String>>> {
    let (sender, receiver) = oneshot::channel();
    // A thread of the runtime would delay its shutdown until the user presses Enter.
    std::thread::spawn(move || {
        let mut line = String::new();
        let result = io::stdin().lock().take(MAX_LINE).read_line(&mut line);
        let _ = sender.send(result.map(|length| (length > 0).then_some(line)));
    });
    receiver
}

/// Writes logs to stderr.
#[derive(Debug)]
pub(crate) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        message(String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
