//! A process whose stdout is checked: a server must write nothing but JSON-RPC messages.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ferromcp_client::{Connector, reconnect_with};
use ferromcp_core::text::excerpt;
use ferromcp_transport::child::{Child, ChildHandle, ChildPipe, ChildRx, ChildTx, Exit};
use ferromcp_transport::{Frame, FrameRx, Transport};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Maximum number of lines that a finding shows.
const MAX_LINES: usize = 5;
/// Maximum time to wait for the status of a process that closed its stdout.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum time to wait for the end of a process that was asked to exit.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(6);

/// The observations of a process. Clones refer to the same process.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    count: usize,
    /// The process that was started last.
    process: Option<ChildHandle>,
}

impl Observed {
    /// Returns a connector that starts the process, again after it has exited, and checks its stdout.
    pub(super) fn connector(&self, process: Child) -> impl Connector + use<> {
        let (name, observed) = (process.program(), self.clone());
        let process = Mutex::new(process);
        reconnect_with(name, move || {
            let started = process.lock().unwrap_or_else(PoisonError::into_inner).start();
            let observed = observed.clone();
            async move {
                let (pipe, handle) = started?;
                observed.state().process = Some(handle);
                Ok(ObservedPipe { pipe, observed }.into())
            }
        })
    }

    /// Returns the first lines that are not messages, as excerpts, and the number of all of them.
    pub(super) fn stray_lines(&self) -> (Vec<String>, usize) {
        let state = self.state();
        (state.lines.clone(), state.count)
    }

    /// Returns the status of the process that was started last, if it has exited.
    pub(super) async fn exit(&self) -> Option<Exit> {
        let process = self.state().process.clone()?;
        tokio::time::timeout(EXIT_TIMEOUT, process.exited()).await.ok()
    }

    /// Waits until the process has exited.
    pub(super) async fn shut_down(&self) {
        let process = self.state().process.clone();
        if let Some(process) = process {
            let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, process.shutdown()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observe(&self, frame: Option<&Frame>) {
        let text = match frame {
            None => return,
            Some(Frame::Complete(line)) if is_message(line) => return,
            Some(Frame::Complete(line)) => excerpt(&String::from_utf8_lossy(line)).to_string(),
            Some(Frame::TooLong { limit }) => format!("(a line of more than {limit} bytes)"),
        };
        let mut state = self.state();
        state.count += 1;
        if state.lines.len() < MAX_LINES {
            state.lines.push(text);
        }
    }
}

/// Returns whether a line is a JSON-RPC message or a batch.
fn is_message(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(rename = "jsonrpc")]
        _jsonrpc: IgnoredAny,
    }
    serde_json::from_slice::<Envelope>(line).is_ok() || serde_json::from_slice::<Vec<Envelope>>(line).is_ok()
}

struct ObservedPipe {
    pipe: ChildPipe,
    observed: Observed,
}

impl Transport for ObservedPipe {
    type Rx = ObservedRx;
    type Tx = ChildTx;

    fn split(self) -> io::Result<(Self::Rx, Self::Tx)> {
        let (rx, tx) = self.pipe.split()?;
        Ok((ObservedRx { rx, observed: self.observed }, tx))
    }

    fn name(&self) -> &'static str {
        self.pipe.name()
    }
}

struct ObservedRx {
    rx: ChildRx,
    observed: Observed,
}

impl FrameRx for ObservedRx {
    async fn recv(&mut self) -> io::Result<Option<Frame>> {
        let frame = self.rx.recv().await?;
        self.observed.observe(frame.as_ref());
        Ok(frame)
    }

    fn try_recv(&mut self) -> Option<Frame> {
        let frame = self.rx.try_recv();
        self.observed.observe(frame.as_ref());
        frame
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stray_lines_are_counted_when_they_are_not_messages() {
        let observed = Observed::default();
        for line in [r#"{"jsonrpc":"2.0","method":"x"}"#, r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#] {
            observed.observe(Some(&Frame::Complete(line.into())));
        }
        assert_eq!(observed.stray_lines(), (Vec::new(), 0));
        for line in ["listening", "{}", "[]x", "\u{1b}[31mred", "a", "b", "c"] {
            observed.observe(Some(&Frame::Complete(line.into())));
        }
        let (lines, count) = observed.stray_lines();
        assert_eq!((lines.len(), count), (MAX_LINES, 7));
        assert!(lines[0] == "listening" && !lines[3].contains('\u{1b}'), "{lines:?}");
    }
}
