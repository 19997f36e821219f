//! Subscriptions: who lists_wanted of which changes, in both eras.
//!
//! Whatever changes is told once, to the server's [`Broadcaster`]. Each listener has a [`Mailbox`] there: a
//! legacy session one from its `initialize` on, the modern era one for every `subscriptions/listen`.
//! A mailbox holds each change at most once, however often it happens and however slowly its reader
//! reads, so it is bounded by what is listened to.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

mod change;
mod broadcaster;
mod uri_ancestors;
pub(crate) mod listen;
mod mailbox;
mod change_notifier;
mod subscriber;
#[cfg(test)]
mod tests;

pub(crate) use change::{Change, ListKinds};
pub(crate) use broadcaster::Broadcaster;
pub(crate) use mailbox::Mailbox;
pub use change_notifier::ChangeNotifier;
