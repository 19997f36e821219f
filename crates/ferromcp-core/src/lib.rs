//! Types of the Model Context Protocol, and their encoding and decoding for each revision.
//!
//! This crate has no runtime and does no I/O. Frames are decoded from bytes and encoded to bytes.
//!
//! | module | contents |
//! |---|---|
//! | [`model`] | tools, resources, prompts, content blocks and other types, independent of the revision |
//! | [`header`] | the HTTP headers of Streamable HTTP that repeat parts of the body |
//! | [`meta`] | the keys of `_meta` |
//! | `wire` | serialization and deserialization of messages for each revision; used by servers and clients |
//!
//! The crate root has the types shared by all modules: [`Revision`], [`Error`], [`RequestId`], [`Identity`], [`Meta`],
//! [`RequestMeta`], [`RawJson`], and the enums of all methods with their parameters and results, for example
//! [`ClientRequest`] and [`ServerResult`].
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28>.

mod cow_key;
mod error;
pub mod header;
mod id;
mod identity;
mod json;
mod message;
pub mod meta;
mod meta_object;
mod methods;
pub mod model;
mod repair;
mod request_meta;
mod revision;
mod setters;
mod shared_str;
mod surrogates;
#[doc(hidden)]
pub mod text;
#[doc(hidden)]
pub mod wire;

pub use error::{Error, ErrorCode};
pub use id::{ProgressToken, RequestId};
pub use identity::Identity;
pub use json::{RawJson, RawMap};
pub use meta_object::Meta;
pub use methods::{
    ClientNotification, ClientRequest, ClientResult, Custom, Method, ServerNotification, ServerRequest, ServerResult,
};
pub use repair::{FieldError, Repair, RepairKind, Repairs};
pub use request_meta::RequestMeta;
pub use revision::{Era, Revision};
pub use shared_str::Str;

/// Runs the example of the README as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
