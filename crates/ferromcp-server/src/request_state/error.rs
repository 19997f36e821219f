//! Errors of sealing and opening request states. The log gets the reason; the peer gets one generic message.

use std::fmt;
use std::io;
use std::time::Duration;

use ferromcp_core::Error;

use super::key::KeyId;
use super::options::MAX_JOURNAL_BYTES;

/// The error message for any rejected state. It must not depend on the reason, which would help to forge states.
const REFUSED: &str = "Invalid params: `requestState` is invalid or expired; retry without it";

/// Returns the JSON-RPC error for any rejected state.
pub(crate) fn invalid_state_error() -> Error {
    Error::invalid_params(REFUSED)
}

/// An error of sealing a state. It is a server error, not caused by the client.
#[derive(Debug)]
pub(crate) enum SealError {
    /// The state exceeds `state_bytes`, and no store is set.
    TooLarge {
        /// Length of the state in characters.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The journal exceeds [`MAX_JOURNAL_BYTES`].
    JournalTooLarge {
        /// Size of the journal in bytes.
        bytes: usize,
    },
    /// The call exceeds the maximum number of rounds.
    TooManyRounds {
        /// The limit.
        limit: u32,
    },
    /// The store failed.
    Store(io::Error),
    /// The system's random number generator failed.
    Random(io::Error),
    /// The journal cannot be serialized.
    Unserializable(serde_json::Error),
}

/// An error of opening a state. For the log only; it contains no secrets.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// Longer than `state_bytes`.
    TooLong {
        /// Length in characters.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not base64url.
    NotBase64,
    /// Unknown format version.
    UnknownVersion(u8),
    /// Sealed with a key that is not in the key ring.
    UnknownKey(KeyId),
    /// Authentication failed: the state was modified.
    Altered,
    /// Authentic, but the claims cannot be parsed.
    Unreadable,
    /// Expired this long ago.
    Expired(Duration),
    /// Bound to another principal.
    OtherPrincipal,
    /// Bound to another method.
    OtherMethod,
    /// Bound to another tool, prompt or URI.
    OtherName,
    /// Bound to other arguments.
    OtherArguments,
    /// Bound to another audience.
    OtherAudience,
    /// Exceeds the maximum number of rounds.
    TooManyRounds {
        /// The round of the state.
        round: u32,
        /// The limit.
        limit: u32,
    },
    /// Not single-use, although `single_use` is set.
    NotSingleUse,
    /// Already used, or no longer in the store.
    Gone,
    /// The journal is in a store, but no store is set.
    NoStore,
    /// The stored journal was modified.
    StoreAltered,
    /// The store failed.
    Store(io::Error),
}

impl OpenError {
    /// Logs the reason, and returns the generic error for the peer.
    pub(crate) fn to_client_error(&self) -> Error {
        tracing::warn!(reason = %self, "rejected a request state");
        invalid_state_error()
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(
                f,
                "`requestState` would have {bytes} characters, more than StateOptions::state_bytes ({limit}); set \
                 StateOptions::store, raise the limit, or record less data"
            ),
            Self::JournalTooLarge { bytes } => write!(
                f,
                "the journal of the call has {bytes} bytes, more than the limit of {MAX_JOURNAL_BYTES}; record less data"
            ),
            Self::TooManyRounds { limit } => write!(
                f,
                "the call exceeds StateOptions::rounds ({limit}); raise the limit, or ask several questions per round"
            ),
            Self::Store(error) => write!(f, "cannot write to the store of request states: {error}"),
            Self::Random(error) => write!(f, "cannot generate random bytes for the request state: {error}"),
            Self::Unserializable(error) => write!(f, "cannot serialize the journal of the call: {error}"),
        }
    }
}

impl std::error::Error for SealError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) | Self::Random(error) => Some(error),
            Self::Unserializable(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => {
                write!(f, "it has {bytes} characters, more than StateOptions::state_bytes ({limit})")
            }
            Self::NotBase64 => f.write_str("it is not base64url"),
            Self::UnknownVersion(version) => write!(f, "unknown format version {version}"),
            Self::UnknownKey(id) => {
                write!(f, "it was sealed with the unknown key {:08x}", u32::from_be_bytes(*id))
            }
            Self::Altered => f.write_str("authentication failed"),
            Self::Unreadable => f.write_str("cannot parse the sealed claims"),
            Self::Expired(ago) => write!(f, "it expired {} s ago", ago.as_secs()),
            Self::OtherPrincipal => f.write_str("it is bound to another principal"),
            Self::OtherMethod => f.write_str("it is bound to another method"),
            Self::OtherName => f.write_str("it is bound to another tool, prompt or URI"),
            Self::OtherArguments => f.write_str("it is bound to other arguments"),
            Self::OtherAudience => f.write_str("it is bound to another audience"),
            Self::TooManyRounds { round, limit } => {
                write!(f, "round {round} exceeds StateOptions::rounds ({limit})")
            }
            Self::NotSingleUse => f.write_str("it is not single-use, which StateOptions::single_use requires"),
            Self::Gone => f.write_str("it was already used, or it expired in the store"),
            Self::NoStore => f.write_str("its journal is in a store, but StateOptions::store is not set"),
            Self::StoreAltered => f.write_str("authentication of the stored journal failed"),
            Self::Store(error) => write!(f, "the store failed: {error}"),
        }
    }
}
