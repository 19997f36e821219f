//! Sealing and opening of request states.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use super::claims::{Binding, Bound, Claims, Id, Location};
use super::envelope::{self, Kind};
use super::error::{OpenError, SealError};
use super::options::{MAX_JOURNAL_BYTES, StateOptions};

/// The stored token of a single-use state whose journal is inline.
const UNUSED_TOKEN: Bytes = Bytes::from_static(b"unused");

/// The contents of an opened state.
#[derive(PartialEq, Eq)]
pub(crate) struct OpenedState {
    /// The journal.
    pub(crate) journal: Vec<u8>,
    /// The round in which the state was sealed.
    pub(crate) round: u32,
}

impl fmt::Debug for OpenedState {
    /// Omits the journal, which contains user input.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedState").field("round", &self.round).finish_non_exhaustive()
    }
}

/// Seals the state of a call in `round`, starting from 1.
pub(crate) async fn seal(
    options: &StateOptions,
    binding: &Binding<'_>,
    journal: &[u8],
    round: u32,
) -> Result<String, SealError> {
    seal_at(options, binding, journal, round, SystemTime::now()).await
}

/// Opens a state that was sealed with one of these keys for the same call.
///
/// # Errors
/// Fails if the state is invalid, expired, already used, or bound to another call.
pub(crate) async fn open(options: &StateOptions, binding: &Binding<'_>, state: &str) -> Result<OpenedState, OpenError> {
    open_at(options, binding, state, SystemTime::now()).await
}

pub(super) async fn seal_at(
    options: &StateOptions,
    binding: &Binding<'_>,
    journal: &[u8],
    round: u32,
    now: SystemTime,
) -> Result<String, SealError> {
    if round > options.rounds {
        return Err(SealError::TooManyRounds { limit: options.rounds });
    }
    let location = choose_location(options, journal.len())?;
    let key = options.keys.sealing().map_err(SealError::Random)?;
    let inline = match location {
        Location::Inline => journal,
        Location::InlineSingleUse(id) => {
            let put = options.used_tokens().put(&store_key(&id), UNUSED_TOKEN, options.ttl).await;
            put.map_err(SealError::Store)?;
            journal
        }
        Location::Stored(id) | Location::StoredSingleUse(id) => {
            let sealed = envelope::seal(&key, Kind::Stored(&id), journal).map_err(SealError::Random)?;
            let put = options.used_tokens().put(&store_key(&id), sealed.into(), options.ttl).await;
            put.map_err(SealError::Store)?;
            &[]
        }
    };
    let claims = Claims { expires_at: expires_at(now, options.ttl), round, bound: Bound::to(binding), location };
    let sealed = envelope::seal(&key, Kind::Wire, &claims.write(inline)).map_err(SealError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

pub(super) async fn open_at(
    options: &StateOptions,
    binding: &Binding<'_>,
    state: &str,
    now: SystemTime,
) -> Result<OpenedState, OpenError> {
    if state.len() > options.state_bytes {
        return Err(OpenError::TooLong { bytes: state.len(), limit: options.state_bytes });
    }
    let sealed = URL_SAFE_NO_PAD.decode(state).map_err(|_| OpenError::NotBase64)?;
    let plain = envelope::open(&options.keys, Kind::Wire, &sealed)?;
    let (claims, journal) = Claims::read(&plain).ok_or(OpenError::Unreadable)?;
    check(options, binding, &claims, now)?;
    // Access the store last: a caller that presents the state of another caller must not consume it.
    let journal = fetch(options, claims.location, journal).await?;
    Ok(OpenedState { journal, round: claims.round })
}

/// Chooses the location of a journal by its size.
fn choose_location(options: &StateOptions, journal: usize) -> Result<Location, SealError> {
    let random = || -> Result<Id, SealError> {
        let mut id = Id::default();
        getrandom::fill(&mut id).map_err(|error| SealError::Random(error.into()))?;
        Ok(id)
    };
    let limit = options.state_bytes;
    let here = if options.single_use { Location::InlineSingleUse(random()?) } else { Location::Inline };
    let bytes = text_len(&here, journal);
    if bytes <= limit {
        return Ok(here);
    }
    if options.journals().is_none() {
        return Err(SealError::TooLarge { bytes, limit });
    }
    if journal > MAX_JOURNAL_BYTES {
        return Err(SealError::JournalTooLarge { bytes: journal });
    }
    let stored = if options.single_use { Location::StoredSingleUse(random()?) } else { Location::Stored(random()?) };
    match text_len(&stored, 0) {
        bytes if bytes > limit => Err(SealError::TooLarge { bytes, limit }),
        _ => Ok(stored),
    }
}

/// Returns the length in characters of a state with this many inline journal bytes.
fn text_len(location: &Location, inline: usize) -> usize {
    let sealed = envelope::OVERHEAD + location.claims_len() + inline;
    base64::encoded_len(sealed, false).unwrap_or(usize::MAX)
}

/// Validates expiry, binding, round and single use.
fn check(options: &StateOptions, binding: &Binding<'_>, claims: &Claims, now: SystemTime) -> Result<(), OpenError> {
    let now = unix_time(now).as_secs();
    if now >= claims.expires_at {
        return Err(OpenError::Expired(Duration::from_secs(now - claims.expires_at)));
    }
    claims.bound.check(&Bound::to(binding))?;
    if claims.round > options.rounds {
        return Err(OpenError::TooManyRounds { round: claims.round, limit: options.rounds });
    }
    if options.single_use && matches!(claims.location, Location::Inline | Location::Stored(_)) {
        return Err(OpenError::NotSingleUse);
    }
    Ok(())
}

/// Returns the journal from the state or the store. Consumes a single-use state.
async fn fetch(options: &StateOptions, location: Location, inline: &[u8]) -> Result<Vec<u8>, OpenError> {
    let journals = || options.journals().ok_or(OpenError::NoStore);
    let (id, stored) = match location {
        Location::Inline => return Ok(inline.to_vec()),
        Location::InlineSingleUse(id) => {
            require(options.used_tokens().take(&store_key(&id)).await)?;
            return Ok(inline.to_vec());
        }
        Location::Stored(id) => (id, require(journals()?.get(&store_key(&id)).await)?),
        Location::StoredSingleUse(id) => (id, require(journals()?.take(&store_key(&id)).await)?),
    };
    envelope::open(&options.keys, Kind::Stored(&id), &stored).map_err(|_| OpenError::StoreAltered)
}

fn require(answer: std::io::Result<Option<Bytes>>) -> Result<Bytes, OpenError> {
    answer.map_err(OpenError::Store)?.ok_or(OpenError::Gone)
}

/// Returns the key of an id in the store.
fn store_key(id: &Id) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// Returns the expiry of a state sealed at `now`, rounded up to whole seconds.
fn expires_at(now: SystemTime, ttl: Duration) -> u64 {
    let expiry = unix_time(now).saturating_add(ttl);
    expiry.as_secs().saturating_add(u64::from(expiry.subsec_nanos() > 0))
}

fn unix_time(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
