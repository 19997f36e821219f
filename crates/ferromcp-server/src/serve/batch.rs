//! Answers to batches, which go out together as one array (2025-03-26 only).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-03-26/basic#batching>.

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use ferromcp_core::RequestId;
use ferromcp_transport::Outbound;

/// The batches whose answers are not complete.
#[derive(Default)]
pub(crate) struct Batches {
    open: HashMap<u64, Gathering>,
    of: HashMap<RequestId, u64>,
    serial: u64,
}

/// The answers to one batch so far.
struct Gathering {
    missing: usize,
    answers: BytesMut,
}

impl Batches {
    /// Opens a batch of requests. A batch of notifications alone is answered with nothing.
    pub(crate) fn open<'a>(&mut self, requests: impl Iterator<Item = &'a RequestId>) {
        self.serial += 1;
        let mut missing = 0;
        for id in requests {
            // A twin id is answered on its own, so that the batch does not wait for it.
            if !self.of.contains_key(id) {
                self.of.insert(id.clone(), self.serial);
                missing += 1;
            }
        }
        if missing > 0 {
            self.open.insert(self.serial, Gathering { missing, answers: BytesMut::new() });
        }
    }

    /// Writes the answer to `id`: into its batch, or straight out if it is in none.
    pub(crate) fn write(&mut self, id: &RequestId, out: &mut Outbound, write: impl FnOnce(&mut BytesMut)) {
        if self.of.is_empty() {
            return out.frame(write);
        }
        let Some(serial) = self.of.remove(id) else { return out.frame(write) };
        let Some(gathering) = self.open.get_mut(&serial) else { return out.frame(write) };
        gathering.answers.put_u8(if gathering.answers.is_empty() { b'[' } else { b',' });
        write(&mut gathering.answers);
        self.count_down(serial, out);
    }

    /// No answer to `id` will come.
    pub(crate) fn forget(&mut self, id: &RequestId, out: &mut Outbound) {
        if let Some(serial) = self.of.remove(id) {
            self.count_down(serial, out);
        }
    }

    fn count_down(&mut self, serial: u64, out: &mut Outbound) {
        let Some(gathering) = self.open.get_mut(&serial) else { return };
        gathering.missing -= 1;
        if gathering.missing > 0 {
            return;
        }
        let Some(gathering) = self.open.remove(&serial) else { return };
        if !gathering.answers.is_empty() {
            out.frame(|out| {
                out.extend_from_slice(&gathering.answers);
                out.put_u8(b']');
            });
        }
    }
}
