//! Write half of a pipe. All queued messages are written at once.

use std::future::pending;

use ferromcp_transport::{FrameTx, Outbound};

use super::table::{Table, WriterAction};

/// Writes queued messages. Closes the write side once the pipe is closing and the queue is empty. Never returns.
pub(super) async fn all<W: FrameTx>(table: &Table, mut tx: W) {
    let mut out = Outbound::new();
    loop {
        match table.take(&mut out) {
            WriterAction::Wait => table.filled().await,
            WriterAction::Write => {
                if let Err(error) = tx.write(&mut out).await {
                    // The server may still have sent responses.
                    tracing::debug!(%error, "cannot write to the server");
                    table.write_failed(error);
                    break;
                }
                table.record_write(out.len());
            }
            WriterAction::Finish => {
                let _ = tx.finish().await; // the server may have closed the connection first
                break;
            }
        }
    }
    drop(tx); // closes the stdin of a child process
    table.finish();
    pending::<()>().await;
}
