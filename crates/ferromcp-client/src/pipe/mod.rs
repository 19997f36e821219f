//! A pipe as a channel: requests of many callers on one stream, answers matched by their ids.
//!
//! One task reads and writes. What waits to be written is bounded; who has more to say waits for room.
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

/// How long is waited for word of how the far end ended.
const EXIT_REASON_TIMEOUT: Duration = Duration::from_millis(300);

/// What lives at the far end of a pipe and has to be ended with it: a child process, most often.
pub trait PeerProcess: Send + Sync + 'static {
    /// Ends it after its input was closed: waits for it, then presses, then forces.
    fn shutdown(&self) -> BoxFuture<'static, ()>;

    /// What is known of its end, for error texts: an exit status, the last lines of stderr.
    ///
    /// Asked once the pipe is over, and waited for a moment only: the end of a process may be seen a little later than
    /// that of its output.
    fn exit_reason(&self) -> BoxFuture<'static, Option<String>> {
        Box::pin(std::future::ready(None))
    }
}

/// Opens a pipe.
///
/// # Errors
/// When the transport cannot be set up.
pub fn pipe<T: Transport>(
    transport: T,
    peer: Option<Arc<dyn PeerProcess>>,
    inbound: Arc<dyn Inbound>,
    limits: &ClientLimits,
) -> io::Result<Arc<dyn Channel>> {
    let (rx, tx) = transport.split()?;
    let table = Arc::new(Table::new(limits));
    let task = tokio::spawn(run(Arc::clone(&table), peer.clone(), inbound, rx, tx, *limits)).abort_handle();
    Ok(Arc::new(Pipe { table, peer, task, limits: *limits }))
}

/// Reads and writes until the server hangs up.
async fn run<R: ferromcp_transport::FrameRx, W: ferromcp_transport::FrameTx>(
    table: Arc<Table>,
    peer: Option<Arc<dyn PeerProcess>>,
    inbound: Arc<dyn Inbound>,
    mut rx: R,
    tx: W,
    limits: ClientLimits,
) {
    let end = End(Arc::clone(&table));
    let why = tokio::select! {
        why = read::all(&table, &inbound, &mut rx, &limits) => why,
        () = write::all(&table, tx) => io::Error::from(io::ErrorKind::BrokenPipe), // it never ends by itself
    };
    table.end(with_exit_reason(why, peer).await);
    drop(end);
}

/// The end, with what its keeper knows of it.
async fn with_exit_reason(why: io::Error, peer: Option<Arc<dyn PeerProcess>>) -> io::Error {
    let Some(peer) = peer else { return why };
    match tokio::time::timeout(EXIT_REASON_TIMEOUT, peer.exit_reason()).await {
        Ok(Some(words)) => io::Error::new(why.kind(), format!("{why}: {words}")),
        _ => why,
    }
}

/// Tells all who wait that the pipe is over, even if its task is aborted.
struct End(Arc<Table>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was closed"));
    }
}

struct Pipe {
    table: Arc<Table>,
    peer: Option<Arc<dyn PeerProcess>>,
    task: AbortHandle,
    limits: ClientLimits,
}

impl Channel for Pipe {
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, ChannelError>> {
        let table = Arc::clone(&self.table);
        Box::pin(request(table, outgoing))
    }

    fn notify(&self, notification: ClientNotification, revision: Revision) -> BoxFuture<'static, Result<(), ChannelError>> {
        let table = Arc::clone(&self.table);
        Box::pin(async move {
            let mut line = BytesMut::new();
            encode::client_notification(&mut line, notification, revision).map_err(encode_error)?;
            table.room().await?;
            table.say(&line)
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
        let grace = self.limits.shutdown_grace;
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
    let Outgoing { id, request, revision, .. } = outgoing;
    // `initialize` may not be cancelled, and a legacy server is not to hear of the probe's end.
    let cancellable = !matches!(request, ClientRequest::Initialize(_) | ClientRequest::Discover(_));
    let mut line = BytesMut::new();
    encode::client_request(&mut line, &id, request, revision).map_err(encode_error)?;
    table.room().await?;
    let answer = table.ask(id.clone(), &line)?;
    drop(line);
    let _asked = Asked { table: &table, id: &id, revision, cancellable };
    answer.await.unwrap_or_else(|_| Err(ChannelError::lost(io::ErrorKind::ConnectionAborted.into())))
}

/// A request that is under way; dropped before its answer, it is cancelled.
struct Asked<'a> {
    table: &'a Table,
    id: &'a RequestId,
    revision: Revision,
    cancellable: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.table.forget(self.id) || !self.cancellable {
            return;
        }
        let mut line = BytesMut::new();
        let mut params = CancelledParams::new(self.id.clone());
        params.reason = Some("The client does not wait any longer".to_owned());
        let cancelled = ClientNotification::Cancelled(params);
        if encode::client_notification(&mut line, cancelled, self.revision).is_ok() {
            let _ = self.table.say(&line); // a pipe that is over needs no cancellation
        }
    }
}

fn encode_error(error: serde_json::Error) -> ChannelError {
    ChannelError::unsent(io::Error::new(io::ErrorKind::InvalidInput, error))
}
