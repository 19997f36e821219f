//! A pipe as a channel: requests of many callers on one stream, answers matched by their ids.
//!
//! One task reads and writes. What waits to be written is bounded; who has more to say waits for room.
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

mod keeper;
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

use crate::channel::{BoxFuture, Channel, Failure, Inbound, Outgoing};
use crate::limits::ClientLimits;
use table::Table;

pub use keeper::Keeper;

/// How long is waited for word of how the far end ended.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Opens a pipe.
///
/// # Errors
/// When the transport cannot be set up.
pub fn pipe<T: Transport>(
    transport: T,
    keeper: Option<Arc<dyn Keeper>>,
    inbound: Arc<dyn Inbound>,
    limits: &ClientLimits,
) -> io::Result<Arc<dyn Channel>> {
    let (rx, tx) = transport.split()?;
    let table = Arc::new(Table::new(limits));
    let task = tokio::spawn(run(Arc::clone(&table), keeper.clone(), inbound, rx, tx, *limits)).abort_handle();
    Ok(Arc::new(Pipe { table, keeper, task, limits: *limits }))
}

/// Reads and writes until the server hangs up.
async fn run<R: ferromcp_transport::FrameRx, W: ferromcp_transport::FrameTx>(
    table: Arc<Table>,
    keeper: Option<Arc<dyn Keeper>>,
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
    table.end(with_last_words(why, keeper).await);
    drop(end);
}

/// The end, with what its keeper knows of it.
async fn with_last_words(why: io::Error, keeper: Option<Arc<dyn Keeper>>) -> io::Error {
    let Some(keeper) = keeper else { return why };
    match tokio::time::timeout(LAST_WORDS, keeper.last_words()).await {
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
    keeper: Option<Arc<dyn Keeper>>,
    task: AbortHandle,
    limits: ClientLimits,
}

impl Channel for Pipe {
    fn request(&self, outgoing: Outgoing) -> BoxFuture<'static, Result<RawJson, Failure>> {
        let table = Arc::clone(&self.table);
        Box::pin(request(table, outgoing))
    }

    fn notify(&self, notification: ClientNotification, revision: Revision) -> BoxFuture<'static, Result<(), Failure>> {
        let table = Arc::clone(&self.table);
        Box::pin(async move {
            let mut line = BytesMut::new();
            encode::client_notification(&mut line, notification, revision).map_err(unwritable)?;
            table.room().await?;
            table.say(&line)
        })
    }

    fn agreed(&self, revision: Revision) {
        self.table.agreed(revision);
    }

    fn is_over(&self) -> bool {
        self.table.is_over()
    }

    fn over(&self) -> BoxFuture<'static, ()> {
        let table = Arc::clone(&self.table);
        Box::pin(async move { table.over().await })
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let (table, keeper, task) = (Arc::clone(&self.table), self.keeper.clone(), self.task.clone());
        let grace = self.limits.shutdown_grace;
        Box::pin(async move {
            table.close();
            if let Some(keeper) = keeper {
                let _ = tokio::time::timeout(grace, table.finished()).await;
                keeper.shutdown().await;
            }
            let _ = tokio::time::timeout(grace, table.over()).await;
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

async fn request(table: Arc<Table>, outgoing: Outgoing) -> Result<RawJson, Failure> {
    let Outgoing { id, request, revision, .. } = outgoing;
    // `initialize` may not be cancelled, and a legacy server is not to hear of the probe's end.
    let cancellable = !matches!(request, ClientRequest::Initialize(_) | ClientRequest::Discover(_));
    let mut line = BytesMut::new();
    encode::client_request(&mut line, &id, request, revision).map_err(unwritable)?;
    table.room().await?;
    let answer = table.ask(id.clone(), &line)?;
    drop(line);
    let _asked = Asked { table: &table, id: &id, revision, cancellable };
    answer.await.unwrap_or_else(|_| Err(Failure::lost(io::ErrorKind::ConnectionAborted.into())))
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

fn unwritable(error: serde_json::Error) -> Failure {
    Failure::unsent(io::Error::new(io::ErrorKind::InvalidInput, error))
}
