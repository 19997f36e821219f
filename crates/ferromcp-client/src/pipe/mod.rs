//! A [`Channel`] over a pair of byte streams. Responses are matched to requests by their IDs.
//!
//! One task reads and writes. The outbound queue is bounded; senders wait while it is full.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

mod read;
mod table;
mod write;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use ferromcp_core::model::CancelledParams;
use ferromcp_core::wire::encode;
use ferromcp_core::{ClientNotification, ClientRequest, RawJson, RequestId, Revision};
use ferromcp_transport::Transport;
use tokio::task::AbortHandle;

use crate::channel::{BoxFuture, Channel, ChannelError, Inbound, Outgoing};
use crate::limits::ClientLimits;
use table::Table;

/// Timeout of [`PeerProcess::exit_reason`].
const EXIT_REASON_TIMEOUT: Duration = Duration::from_millis(300);

/// A process or task at the other end of a pipe, which is shut down when the connection closes.
pub trait PeerProcess: Send + Sync + 'static {
    /// Shuts the peer down after its input was closed: waits for the grace period, then terminates it.
    fn shutdown(&self) -> BoxFuture<'static, ()>;

    /// Returns the exit status or the last lines of stderr, for error texts.
    ///
    /// Called after the pipe is closed, with a short timeout, because the exit of a process may be observed later than
    /// the end of its output.
    fn exit_reason(&self) -> BoxFuture<'static, Option<String>> {
        Box::pin(std::future::ready(None))
    }
}

/// Opens a channel over `transport`.
///
/// # Errors
/// Fails if the transport cannot be set up.
pub(crate) fn pipe<T: Transport>(
    transport: T,
    peer: Option<Arc<dyn PeerProcess>>,
    inbound: Arc<dyn Inbound>,
    limits: &ClientLimits,
) -> io::Result<Arc<dyn Channel>> {
    let (rx, tx) = transport.split()?;
    let table = Arc::new(Table::new());
    let task = tokio::spawn(run(Arc::clone(&table), peer.clone(), inbound, rx, tx)).abort_handle();
    Ok(Arc::new(Pipe { table, peer, task, shutdown_grace: limits.shutdown_grace }))
}

/// Reads and writes until the server closes the connection.
async fn run<R: ferromcp_transport::FrameRx, W: ferromcp_transport::FrameTx>(
    table: Arc<Table>,
    peer: Option<Arc<dyn PeerProcess>>,
    inbound: Arc<dyn Inbound>,
    mut rx: R,
    tx: W,
) {
    let guard = CloseGuard(Arc::clone(&table));
    let why = tokio::select! {
        why = read::all(&table, &inbound, &mut rx) => why,
        () = write::all(&table, tx) => io::Error::from(io::ErrorKind::BrokenPipe), // never returns
    };
    table.end(with_exit_reason(why, peer).await);
    drop(guard);
}

/// Adds the exit reason of the peer to an error.
async fn with_exit_reason(why: io::Error, peer: Option<Arc<dyn PeerProcess>>) -> io::Error {
    let Some(peer) = peer else { return why };
    match tokio::time::timeout(EXIT_REASON_TIMEOUT, peer.exit_reason()).await {
        Ok(Some(reason)) => io::Error::new(why.kind(), format!("{why}: {reason}")),
        _ => why,
    }
}

/// Fails pending requests when dropped, even if the task is aborted.
struct CloseGuard(Arc<Table>);

impl Drop for CloseGuard {
    fn drop(&mut self) {
        self.0.end(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was closed"));
    }
}

struct Pipe {
    table: Arc<Table>,
    peer: Option<Arc<dyn PeerProcess>>,
    task: AbortHandle,
    shutdown_grace: Duration,
}

impl Channel for Pipe {
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, ChannelError>> {
        let table = Arc::clone(&self.table);
        Box::pin(request(table, outgoing))
    }

    fn notify(
        &self,
        notification: ClientNotification,
        revision: Revision,
    ) -> BoxFuture<'static, Result<(), ChannelError>> {
        let table = Arc::clone(&self.table);
        Box::pin(async move {
            let mut line = BytesMut::new();
            encode::client_notification(&mut line, notification, revision).map_err(encode_error)?;
            table.wait_for_capacity().await?;
            table.enqueue(&line)
        })
    }

    fn set_revision(&self, revision: Revision) {
        self.table.set_revision(revision);
    }

    fn is_closed(&self) -> bool {
        self.table.is_closed()
    }

    fn closed(&self) -> BoxFuture<'static, ()> {
        let table = Arc::clone(&self.table);
        Box::pin(async move { table.closed().await })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let (table, peer, task) = (Arc::clone(&self.table), self.peer.clone(), self.task.clone());
        let grace = self.shutdown_grace;
        Box::pin(async move {
            table.close();
            if let Some(peer) = peer {
                let _ = tokio::time::timeout(grace, table.finished()).await;
                peer.shutdown().await;
            }
            let _ = tokio::time::timeout(grace, table.closed()).await;
            task.abort();
        })
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pipe(..)")
    }
}

async fn request(table: Arc<Table>, outgoing: Outgoing) -> Result<RawJson, ChannelError> {
    let method = outgoing.method();
    let Outgoing { id, request, revision, .. } = outgoing;
    // `initialize` must not be cancelled, and a legacy server must not receive a cancellation of the probe.
    let cancellable = !matches!(request, ClientRequest::Initialize(_) | ClientRequest::Discover(_));
    let mut line = BytesMut::new();
    encode::client_request(&mut line, &id, request, revision).map_err(encode_error)?;
    table.wait_for_capacity().await?;
    let response = table.enqueue_request(id.clone(), method, &line)?;
    drop(line);
    let _in_flight = InFlightRequest { table: &table, id: &id, revision, cancellable };
    response.await.unwrap_or_else(|_| Err(ChannelError::lost(io::ErrorKind::ConnectionAborted.into())))
}

/// Guard of an in-flight request. Dropping it before the response cancels the request.
struct InFlightRequest<'a> {
    table: &'a Table,
    id: &'a RequestId,
    revision: Revision,
    cancellable: bool,
}

impl Drop for InFlightRequest<'_> {
    fn drop(&mut self) {
        if !self.table.remove(self.id) || !self.cancellable {
            return;
        }
        let mut line = BytesMut::new();
        let params = CancelledParams::new(self.id.clone()).reason("The client stopped waiting");
        let cancelled = ClientNotification::Cancelled(params);
        if encode::client_notification(&mut line, cancelled, self.revision).is_ok() {
            let _ = self.table.enqueue(&line); // a closed pipe needs no cancellation
        }
    }
}

fn encode_error(error: serde_json::Error) -> ChannelError {
    ChannelError::unsent(io::Error::new(io::ErrorKind::InvalidInput, error))
}
