//! Unguessable ids.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Number of random bytes in an id.
const BYTES: usize = 32;

/// Generates a random id. Its characters are valid in HTTP headers and URL queries.
pub(crate) fn id() -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
