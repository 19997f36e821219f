//! The messages that the client of an HTTP+SSE session sends, each with its sender: a POST may have another access token
//! than the stream.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use ferromcp_transport::{DEFAULT_MEMORY_CAPACITY, Frame};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::peer::Caller;
use crate::serve::MessageSource;

/// The overhead counted per queued message in addition to its length, which bounds the number of small messages.
const MESSAGE_COST: usize = 64;

/// A queued message with its sender and its permits, which are released when it is received.
type QueuedMessage = (Bytes, Caller, OwnedSemaphorePermit);

/// Creates a queue of messages with the capacity of a memory transport.
pub(super) fn queue() -> (MessageTx, MessageRx) {
    let (sender, messages) = unbounded_channel(); // bounded by the semaphore `free`
    let free = Arc::new(Semaphore::new(DEFAULT_MEMORY_CAPACITY));
    (MessageTx { sender, free: Arc::clone(&free) }, MessageRx { messages, free })
}

/// Sends messages to a session.
#[derive(Clone)]
pub(super) struct MessageTx {
    sender: UnboundedSender<QueuedMessage>,
    free: Arc<Semaphore>,
}

/// Receives the messages of a session.
pub(super) struct MessageRx {
    messages: UnboundedReceiver<QueuedMessage>,
    free: Arc<Semaphore>,
}

impl MessageTx {
    /// Sends a message in the order of the calls. Waits while the queue is full. A blank message is ignored.
    ///
    /// # Errors
    /// If the session has ended.
    pub(super) async fn send(&self, message: &Bytes, caller: Caller) -> io::Result<()> {
        let ended = || io::Error::from(io::ErrorKind::BrokenPipe);
        if message.trim_ascii().is_empty() {
            return Ok(());
        }
        let cost = message.len().saturating_add(MESSAGE_COST).min(DEFAULT_MEMORY_CAPACITY);
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.free).acquire_many_owned(cost).await.map_err(|_| ended())?;
        // Copied, because it may be a slice of a larger buffer.
        self.sender.send((Bytes::copy_from_slice(message), caller, permit)).map_err(|_| ended())
    }
}

impl MessageSource for MessageRx {
    async fn recv(&mut self) -> io::Result<Option<(Frame, Caller)>> {
        Ok(self.messages.recv().await.map(|(message, caller, _)| (Frame::Complete(message), caller)))
    }

    fn try_recv(&mut self) -> Option<(Frame, Caller)> {
        self.messages.try_recv().ok().map(|(message, caller, _)| (Frame::Complete(message), caller))
    }
}

impl Drop for MessageRx {
    fn drop(&mut self) {
        self.free.close(); // fails messages that wait
    }
}
