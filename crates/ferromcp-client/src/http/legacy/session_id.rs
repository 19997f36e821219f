//! [`SessionId`]: the ID of an HTTP session.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use ferromcp_core::Revision;
use std::fmt;

use http::HeaderValue;

use crate::http::failure::Failure;

/// Session ID assigned by the server. It is a secret, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::http) struct SessionId(HeaderValue);

impl SessionId {
    /// Parses a session ID.
    ///
    /// # Errors
    /// Fails if the ID is empty, longer than `limit` bytes, or not visible ASCII.
    pub(in crate::http) fn parse(value: &HeaderValue, limit: usize) -> Result<Self, Failure> {
        if value.len() > limit {
            return Err(Failure::malformed(format!("the session ID exceeds {limit} bytes")));
        }
        if value.is_empty() || !value.as_bytes().iter().all(u8::is_ascii_graphic) {
            return Err(Failure::malformed("the session ID is not visible ASCII"));
        }
        let mut value = value.clone();
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(in crate::http) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

/// Returns whether each request of a session names the revision in a header.
pub(in crate::http) fn has_version_header(revision: Revision) -> bool {
    revision >= Revision::V2025_06_18
}

#[cfg(test)]
mod tests {
    use super::*;

    // S-176
    #[test]
    fn session_id_is_rejected_when_not_visible_ascii_and_is_not_shown_in_debug() {
        let parse = |id: &'static str| SessionId::parse(&HeaderValue::from_static(id), 8);
        assert!(!format!("{:?}", parse("1868a90c").expect("an id")).contains("1868"));
        assert!(!format!("{:?}", parse("1868a90c").expect("an id").header()).contains("1868"));
        for invalid in ["", "a b", "a\tb", "123456789"] {
            assert!(parse(invalid).is_err(), "{invalid:?}");
        }
        assert!(SessionId::parse(&HeaderValue::from_bytes(b"\xc3\xa4").expect("a header"), 8).is_err());
    }
}
