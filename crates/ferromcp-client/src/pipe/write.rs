//! The writing half: everything that waits leaves in one write.

use std::future::pending;

use ferromcp_transport::{FrameTx, Outbound};

use super::table::{Table, Work};

/// Writes for as long as it is polled; closes the writing side once the pipe is closing and nothing waits.
pub(super) async fn all<W: FrameTx>(table: &Table, mut tx: W) {
    let mut out = Outbound::new();
    loop {
        match table.take(&mut out) {
            Work::Nothing => table.filled().await,
            Work::Write => {
                if let Err(error) = tx.write(&mut out).await {
                    // A server that reads no more may still have answered.
                    tracing::debug!(%error, "the server reads no more");
                    table.broke(error);
                    break;
                }
                table.wrote(out.len());
            }
            Work::Finish => {
                let _ = tx.finish().await; // the server may have hung up first
                break;
            }
        }
    }
    drop(tx); // the input of a child is closed by that alone
    table.finish();
    pending::<()>().await;
}
