//! Serialization and deserialization: the JSON-RPC envelope, and the differences between revisions.

mod apply;
mod decode;
mod downgrade;
pub mod encode;
mod envelope;
pub(crate) mod params;

mod v2025_03_26;
mod v2025_06_18;
mod v2025_11_25;
mod v2026_07_28;

#[cfg(test)]
mod tests;

pub use decode::{MAX_BATCH, decode, decode_with_repairs, method_of};

pub use crate::json::{MAX_DEPTH, MAX_RESPONSE_DEPTH, depth_within};
pub use crate::message::{DecodeError, DecodedParams, Direction, FromClient, FromServer, Incoming, Message};
pub use crate::repair::{Repairable, decode_result};
pub use crate::request_meta::meta_of_params;
pub use crate::surrogates::replace_lone_surrogates;
