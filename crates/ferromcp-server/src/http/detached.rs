//! Requests that continue without a connection: in handshake revisions, a disconnect is not a cancellation.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server>.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::endpoint::Endpoint;
use super::legacy::HttpSession;
use super::sink::HttpSink;
use crate::box_future::BoxFuture;

/// What a request needs to continue when its client disconnects.
pub(crate) struct Detachment {
    endpoint: Arc<Endpoint>,
    sink: Arc<HttpSink>,
    session: Option<Arc<HttpSession>>,
}

impl Detachment {
    /// Creates the detachment of a request that sends its messages to `sink`.
    pub(crate) fn new(endpoint: &Arc<Endpoint>, sink: &Arc<HttpSink>, session: Option<&Arc<HttpSession>>) -> Self {
        Self { endpoint: Arc::clone(endpoint), sink: Arc::clone(sink), session: session.cloned() }
    }

    /// Runs the driver of the request in a task until it finishes or the endpoint shuts down. Drops it if there is no
    /// runtime.
    ///
    /// The questions of the request end if the client does not return, because no client would answer them.
    pub(crate) fn spawn(self, driver: BoxFuture<()>) {
        let Ok(runtime) = Handle::try_current() else { return };
        runtime.spawn(async move {
            let _detached = self.session.as_ref().map(HttpSession::detach_request);
            tokio::select! {
                biased;
                () = self.endpoint.aborted.wait() => {}
                () = driver => {}
                () = self.end_questions_when_client_is_gone() => {}
            }
        });
    }

    /// Waits until the client is gone: its session has had no connection for the stall timeout. Then ends the questions
    /// of the request. Never returns.
    async fn end_questions_when_client_is_gone(&self) {
        let timeout = self.endpoint.options.limits.stall_timeout.max(Duration::from_millis(1));
        loop {
            sleep(timeout).await;
            if self.session.as_ref().is_none_or(|session| session.is_absent(timeout)) {
                self.sink.end_questions();
                pending::<()>().await;
            }
        }
    }
}
