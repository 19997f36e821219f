//! SHA-256 digests of call identities, keys and questions.

use orion::hazardous::hash::sha2::sha256::Sha256;

/// Returns the SHA-256 digest of the concatenated parts.
///
/// # Panics
/// Panics if the input exceeds 2^64 bits, which cannot occur in memory.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let digest = parts.iter().try_for_each(|part| hash.update(part)).and_then(|()| hash.finalize());
    // The hash fails only after 2^64 bits of input, or if it is used after `finalize`.
    let digest = digest.expect("the input is shorter than 2^64 bits");
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
