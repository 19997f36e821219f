//! Why a state cannot be made, and why one is not taken: precisely for the log, in one sentence for the peer.

use std::fmt;
use std::io;
use std::time::Duration;

use ferromcp_core::Error;

use super::key::KeyId;

/// What a peer hears whose state is not taken. Never more, or it would tell a forger how near they came.
const REFUSED: &str = "Invalid params: `requestState` is not valid here; begin again without it";

/// The error on the wire for any state that is not taken.
pub(crate) fn refused() -> Error {
    Error::invalid_params(REFUSED)
}

/// Why a state cannot be made. The client has done nothing wrong.
#[derive(Debug)]
pub(crate) enum SealError {
    /// The state does not fit on the wire, and there is no store to put the journal in.
    TooLarge {
        /// The characters that the state would have.
        bytes: usize,
        /// The most there may be.
        limit: usize,
    },
    /// The journal is too much for the store.
    JournalTooLarge {
        /// The bytes of the journal.
        bytes: usize,
        /// The most there may be.
        limit: usize,
    },
    /// The call has asked too often.
    TooManyRounds {
        /// The most rounds there may be.
        limit: u32,
    },
    /// The store cannot keep it.
    Store(io::Error),
    /// The system has no randomness to give.
    Random(io::Error),
    /// The journal cannot be JSON.
    Unwritable(serde_json::Error),
}

/// Why a state is not taken. For the log alone; it holds nothing that is secret.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Longer than a state may be.
    TooLong {
        /// The characters it has.
        bytes: usize,
        /// The most there may be.
        limit: usize,
    },
    /// Not in base64url.
    NotBase64,
    /// Of a format that is not known.
    UnknownVersion(u8),
    /// Sealed with a key that is not in the ring.
    UnknownKey(KeyId),
    /// Not what was sealed.
    Altered,
    /// Sealed by us, and still not readable.
    Unreadable,
    /// Its time was over so long ago.
    Expired(Duration),
    /// Made for someone else.
    OtherPrincipal,
    /// Made for another method.
    OtherMethod,
    /// Made for another tool, prompt or URI.
    OtherName,
    /// Made for other arguments.
    OtherArguments,
    /// Made for another server.
    OtherAudience,
    /// Of a round that is too many.
    TooManyRounds {
        /// Its round.
        round: u32,
        /// The most there may be.
        limit: u32,
    },
    /// Made to be used often, where now states are used once.
    NotSingleUse,
    /// Used before, or the store has it no more.
    Gone,
    /// Its journal is in a store, and there is none.
    NoStore,
    /// The store gave back something that was not put there.
    StoreAltered,
    /// The store failed.
    Store(io::Error),
}

impl Refused {
    /// Tells the log why, and gives what the peer hears.
    pub(crate) fn answer(&self) -> Error {
        tracing::warn!(reason = %self, "a request state is refused");
        refused()
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(
                f,
                "what this call has to remember takes {bytes} characters of `requestState`, more than the {limit} of \
                 StateOptions::state_bytes: set StateOptions::store, raise the limit, or remember less"
            ),
            Self::JournalTooLarge { bytes, limit } => write!(
                f,
                "what this call has to remember takes {bytes} bytes of the store, more than the {limit} of \
                 StateOptions::journal_bytes: raise the limit, or remember less"
            ),
            Self::TooManyRounds { limit } => write!(
                f,
                "this call asks its client more than the {limit} times of StateOptions::rounds: raise the limit, or \
                 ask for more at once"
            ),
            Self::Store(error) => write!(f, "the store of request states cannot keep one: {error}"),
            Self::Random(error) => write!(f, "no randomness to seal a request state with: {error}"),
            Self::Unwritable(error) => write!(f, "what this call has to remember cannot be JSON: {error}"),
        }
    }
}

impl std::error::Error for SealError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) | Self::Random(error) => Some(error),
            Self::Unwritable(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => {
                write!(f, "it has {bytes} characters, more than the {limit} of StateOptions::state_bytes")
            }
            Self::NotBase64 => f.write_str("it is not base64url"),
            Self::UnknownVersion(version) => write!(f, "it is of format {version}, which is not known here"),
            Self::UnknownKey(id) => {
                write!(f, "it is sealed with the key {:08x}, which is not in the ring", u32::from_be_bytes(*id))
            }
            Self::Altered => f.write_str("it was altered since it was sealed"),
            Self::Unreadable => f.write_str("what is sealed in it cannot be read"),
            Self::Expired(ago) => write!(f, "it expired {} s ago", ago.as_secs()),
            Self::OtherPrincipal => f.write_str("it was made for another principal"),
            Self::OtherMethod => f.write_str("it was made for another method"),
            Self::OtherName => f.write_str("it was made for another tool, prompt or URI"),
            Self::OtherArguments => f.write_str("it was made for other arguments"),
            Self::OtherAudience => f.write_str("it was made for another audience"),
            Self::TooManyRounds { round, limit } => {
                write!(f, "it is of round {round}, beyond the {limit} of StateOptions::rounds")
            }
            Self::NotSingleUse => f.write_str("it was made before states were used once only"),
            Self::Gone => f.write_str("it was used before, or is gone from the store"),
            Self::NoStore => f.write_str("its journal is in a store, and StateOptions has none"),
            Self::StoreAltered => f.write_str("what the store has for it is not what was put there"),
            Self::Store(error) => write!(f, "the store failed: {error}"),
        }
    }
}
