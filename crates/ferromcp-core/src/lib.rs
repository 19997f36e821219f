//! Types of the Model Context Protocol, and their encoding and decoding for each revision.
//!
//! This crate has no runtime and does no I/O. Frames are decoded from bytes and encoded to bytes.
//!
//! | module | contents |
//! |---|---|
//! | [`model`] | tools, resources, prompts, content blocks and other types, independent of the revision |
//! | [`methods`] | the table of methods, with the parameters and result of each |
//! | [`message`] | JSON-RPC requests, notifications and responses |
//! | [`wire`] | serialization and deserialization of messages; one file per revision |
//! | [`header`] | the HTTP headers of Streamable HTTP that repeat parts of the body |
//! | [`meta`], [`request_meta`] | `_meta` and its keys |
//! | [`revision`], [`id`], [`identity`], [`error`], [`json`] | types shared by all modules |
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
pub use message::{DecodeError, FromClient, FromServer, Incoming, Message};
pub use meta::Meta;
pub use methods::{ClientNotification, ClientRequest, ClientResult, ServerNotification, ServerRequest, ServerResult};
pub use request_meta::RequestMeta;
pub use revision::{Era, Revision};
