//! The words of the Model Context Protocol: its nouns, its methods, and how each revision writes them.
//!
//! No runtime and no I/O: a frame comes in as bytes and leaves as bytes.
//!
//! | module | what |
//! |---|---|
//! | [`model`] | the nouns: tools, resources, prompts, content, … neutral of revision |
//! | [`methods`] | the protocol on one page: every method, its parameters, its result |
//! | [`message`] | requests, notifications and responses |
//! | [`wire`] | between messages and bytes; one file a revision |
//! | [`header`] | what HTTP says a second time in headers, encoded and compared |
//! | [`meta`], [`request_meta`] | `_meta` and its keys |
//! | [`revision`], [`id`], [`identity`], [`error`], [`json`] | the small words everything uses |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28>.

pub mod error;
pub mod header;
pub mod id;
pub mod identity;
pub mod json;
pub mod message;
pub mod meta;
pub mod methods;
pub mod model;
pub mod request_meta;
pub mod revision;
pub mod wire;

pub use error::{Error, ErrorCode};
pub use id::{ProgressToken, RequestId};
pub use identity::Identity;
pub use json::{RawJson, RawMap, Str};
pub use message::{FromClient, FromServer, Incoming, Message, Rejection};
pub use meta::Meta;
pub use methods::{ClientNotification, ClientRequest, ClientResult, ServerNotification, ServerRequest, ServerResult};
pub use request_meta::RequestMeta;
pub use revision::{Era, Revision};
