//! Verification of JSON Web Tokens (RFC 7515, RFC 7519): access tokens, client assertions and assertion grants.
//!
//! Best current practice: RFC 8725. Algorithms are asymmetric only, and chosen by the key, never by the token alone.

mod algorithm;
mod compact;
mod jwks;
mod key;
mod ring_provider;
#[cfg(test)]
pub(crate) mod test_keys;
mod verify;

pub(crate) use algorithm::{ALGORITHM_NAMES, Algorithm, DEFAULT_ALGORITHMS, parse_algorithm};
pub(crate) use compact::{CompactToken, MAX_TOKEN_BYTES};
pub(crate) use jwks::{DEFAULT_MAX_AGE, JwkSource};
pub(crate) use key::{VerificationKey, has_private_member};
pub(crate) use verify::{DEFAULT_LEEWAY_SECONDS, Expected, numeric_date, verify};
