//! The request state: what a call remembers while its client looks for answers.
//!
//! A 2026-07-28 server that needs input ends the call with a text which the client gives back with its answers. Here
//! that text carries the journal of the call, sealed: nobody reads it, nobody changes it, and it opens only for the
//! caller, the call and the server that it was made for, for a while. What the client sends instead is refused with
//! one sentence that says nothing; the log says why.
//!
//! | | |
//! |---|---|
//! | [`StateOptions`] | how states are kept |
//! | [`KeyRing`], [`Key`] | what seals and opens them |
//! | [`StateStore`], [`MemoryStates`] | where journals too long for the wire are, and which states were used |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.

mod canonical;
mod claims;
mod envelope;
mod error;
#[doc(hidden)]
pub mod fuzz;
mod key;
mod memory;
mod options;
mod ring;
mod seal;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use claims::Binding;
pub(crate) use error::{SealError, refused};
pub use key::{Key, KeyError};
pub use memory::MemoryStates;
pub use options::StateOptions;
pub use ring::KeyRing;
pub(crate) use seal::{open, seal};
pub use store::{StateStore, StoreFuture};
