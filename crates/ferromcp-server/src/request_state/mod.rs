//! The request state (`requestState`) of multi-round-trip requests.
//!
//! A 2026-07-28 server that needs input returns an `input_required` result with an opaque `requestState`, which the
//! client sends back with its responses. This module encrypts and authenticates the journal of the call in that
//! string. It can be opened only for the same caller, call and server, until it expires. Any invalid state gets the
//! same generic error; the reason is logged.
//!
//! | type | purpose |
//! |---|---|
//! | [`StateOptions`] | configuration: keys, expiry, limits, store |
//! | [`KeyRing`], [`Key`] | encryption keys and their rotation |
//! | [`StateStore`], [`MemoryStateStore`] | storage for large journals and single-use tokens |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.

mod call_identity;
mod canonical;
mod claims;
mod digest;
mod envelope;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod key;
mod key_ring;
mod memory_state_store;
mod options;
mod seal;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use call_identity::CallIdentity;
pub(crate) use digest::sha256;
pub(crate) use error::{SealError, invalid_state_error};
pub use key::{Key, KeyError};
pub use key_ring::KeyRing;
pub use memory_state_store::MemoryStateStore;
pub use options::StateOptions;
pub(crate) use seal::{open, seal};
pub use store::{StateStore, StoreFuture};
