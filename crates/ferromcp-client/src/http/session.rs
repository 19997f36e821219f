//! The id of a legacy session, as the server gave it.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management>.

use std::fmt;

use http::HeaderValue;

use super::failure::Failure;

/// The id of a session. Whoever knows it can speak in the session, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionId(HeaderValue);

impl SessionId {
    /// Takes an id that is visible ASCII and at most `limit` bytes long.
    pub(super) fn read(value: &HeaderValue, limit: usize) -> Result<Self, Failure> {
        if value.len() > limit {
            return Err(Failure::TooLarge { what: "the session's id", name: "id_bytes", limit });
        }
        if value.is_empty() || !value.as_bytes().iter().all(u8::is_ascii_graphic) {
            return Err(Failure::malformed("the session's id is not visible ASCII"));
        }
        let mut value = value.clone();
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // S-176
    #[test]
    fn only_visible_ascii_is_a_session_and_it_is_never_shown() {
        let read = |id: &'static str| SessionId::read(&HeaderValue::from_static(id), 8);
        assert!(!format!("{:?}", read("1868a90c").expect("an id")).contains("1868"));
        assert!(!format!("{:?}", read("1868a90c").expect("an id").header()).contains("1868"));
        for bad in ["", "a b", "a\tb", "123456789"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(SessionId::read(&HeaderValue::from_bytes(b"\xc3\xa4").expect("a header"), 8).is_err());
    }
}
