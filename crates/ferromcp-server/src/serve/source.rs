//! [`MessageSource`]: the frames of a peer, each with its sender.

use std::io;

use ferromcp_transport::{Frame, FrameRx};

use crate::peer::Caller;

/// Receives the frames of a peer. The access of the sender may differ from frame to frame.
pub(crate) trait MessageSource: Send + 'static {
    /// Receives the next frame and its sender. Returns `None` at the end of the input.
    ///
    /// # Cancellation safety
    /// If the future is dropped before it completes, no frame is lost.
    fn recv(&mut self) -> impl Future<Output = io::Result<Option<(Frame, Caller)>>> + Send;

    /// Returns a frame that is already buffered, and its sender, without waiting.
    fn try_recv(&mut self) -> Option<(Frame, Caller)>;
}

/// A transport whose frames all have the same sender.
pub(super) struct OneSender<R> {
    pub(super) rx: R,
    pub(super) caller: Caller,
}

impl<R: FrameRx> MessageSource for OneSender<R> {
    async fn recv(&mut self) -> io::Result<Option<(Frame, Caller)>> {
        Ok(self.rx.recv().await?.map(|frame| (frame, self.caller.clone())))
    }

    fn try_recv(&mut self) -> Option<(Frame, Caller)> {
        self.rx.try_recv().map(|frame| (frame, self.caller.clone()))
    }
}
