//! Collects the responses of a batch into one array (2025-03-26 only).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/basic#batching>.

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use ferromcp_core::RequestId;
use ferromcp_transport::Outbound;

/// The batches with pending responses.
#[derive(Default)]
pub(crate) struct Batches {
    open: HashMap<u64, PendingBatch>,
    batch_of: HashMap<RequestId, u64>,
    serial: u64,
}

/// The responses of one batch received so far.
struct PendingBatch {
    missing: usize,
    responses: BytesMut,
}

impl Batches {
    /// Opens a batch of requests. A batch that contains only notifications gets no response.
    pub(crate) fn open<'a>(&mut self, requests: impl Iterator<Item = &'a RequestId>) {
        self.serial += 1;
        let mut missing = 0;
        for id in requests {
            // A duplicate id gets a separate response, so that the batch does not wait for it.
            if !self.batch_of.contains_key(id) {
                self.batch_of.insert(id.clone(), self.serial);
                missing += 1;
            }
        }
        if missing > 0 {
            self.open.insert(self.serial, PendingBatch { missing, responses: BytesMut::new() });
        }
    }

    /// Writes the response to `id` into its batch, or directly to `out` if it is in no batch.
    pub(crate) fn write(&mut self, id: &RequestId, out: &mut Outbound, write: impl FnOnce(&mut BytesMut)) {
        if self.batch_of.is_empty() {
            return out.frame(write);
        }
        let Some(serial) = self.batch_of.remove(id) else { return out.frame(write) };
        let Some(batch) = self.open.get_mut(&serial) else { return out.frame(write) };
        batch.responses.put_u8(if batch.responses.is_empty() { b'[' } else { b',' });
        write(&mut batch.responses);
        self.count_down(serial, out);
    }

    /// Removes `id` from its batch, because it will get no response.
    pub(crate) fn remove(&mut self, id: &RequestId, out: &mut Outbound) {
        if let Some(serial) = self.batch_of.remove(id) {
            self.count_down(serial, out);
        }
    }

    fn count_down(&mut self, serial: u64, out: &mut Outbound) {
        let Some(batch) = self.open.get_mut(&serial) else { return };
        batch.missing -= 1;
        if batch.missing > 0 {
            return;
        }
        let Some(batch) = self.open.remove(&serial) else { return };
        if !batch.responses.is_empty() {
            out.frame(|out| {
                out.extend_from_slice(&batch.responses);
                out.put_u8(b']');
            });
        }
    }
}
