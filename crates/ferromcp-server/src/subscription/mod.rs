//! Subscriptions: deliver list and resource changes to clients, on every revision.
//!
//! Every change is sent once to the server's [`Broadcaster`]. Each subscriber has a [`Mailbox`]: a legacy session has
//! one from `initialize` on; a modern client has one per `subscriptions/listen`. A mailbox holds each change at most
//! once, so its size is bounded by the number of subscriptions, even if the client reads slowly.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions>.

mod broadcaster;
mod change;
mod change_notifier;
pub(crate) mod listen;
mod mailbox;
mod subscriber;
#[cfg(test)]
mod tests;
mod uri_ancestors;

pub(crate) use broadcaster::Broadcaster;
pub(crate) use change::{Change, ListKinds};
pub use change_notifier::ChangeNotifier;
pub(crate) use mailbox::{Mailbox, UriFilter};
