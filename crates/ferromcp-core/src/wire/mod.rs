//! Serialization and deserialization: the JSON-RPC envelope, and the differences between revisions.

mod apply;
pub mod decode;
mod downgrade;
pub mod encode;
mod envelope;
pub(crate) mod params;

mod v2024_11_05;
mod v2025_03_26;
mod v2025_06_18;
mod v2025_11_25;
mod v2026_07_28;

#[cfg(test)]
mod tests;

pub use decode::{DecodeLimits, decode, method_of};
pub use encode::EncodeContext;
