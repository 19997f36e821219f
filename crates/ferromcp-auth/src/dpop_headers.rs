//! The headers of proofs of possession: RFC 9449, sections 4.1 and 8.

use http::HeaderName;

/// The header of a proof.
pub(crate) const PROOF_HEADER: HeaderName = HeaderName::from_static("dpop");
/// The header of a nonce.
pub(crate) const NONCE_HEADER: HeaderName = HeaderName::from_static("dpop-nonce");
