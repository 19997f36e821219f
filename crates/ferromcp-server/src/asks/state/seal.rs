//! Making a state and taking it back.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;

use super::claims::{Binding, Bound, Claims, Id, Place};
use super::envelope::{self, Kind};
use super::error::{Refused, SealError};
use super::options::StateOptions;

/// What the store keeps for a state that is used once and carries its own journal.
const MARK: Bytes = Bytes::from_static(b"unused");

/// What a state brought back.
#[derive(PartialEq, Eq)]
pub(crate) struct Opened {
    /// The journal as it was sealed.
    pub(crate) journal: Vec<u8>,
    /// The round it was sealed in.
    pub(crate) round: u32,
}

impl fmt::Debug for Opened {
    /// Without the journal, which has what users answered.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("round", &self.round).finish_non_exhaustive()
    }
}

/// Makes the state of a call that asks its client in `round`, which counts from 1.
pub(crate) async fn seal(
    options: &StateOptions,
    binding: &Binding<'_>,
    journal: &[u8],
    round: u32,
) -> Result<String, SealError> {
    seal_at(options, binding, journal, round, SystemTime::now()).await
}

/// Takes a state back: the journal, if the state was made by these keys for this very call.
pub(crate) async fn open(options: &StateOptions, binding: &Binding<'_>, state: &str) -> Result<Opened, Refused> {
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
    let place = place(options, journal.len())?;
    let key = options.keys.sealing().map_err(SealError::Random)?;
    let inline = match place {
        Place::Here => journal,
        Place::HereOnce(id) => {
            let put = options.marks().put(&name(&id), MARK, options.ttl).await;
            put.map_err(SealError::Store)?;
            journal
        }
        Place::Stored(id) | Place::StoredOnce(id) => {
            let kept = envelope::seal(&key, Kind::Kept(&id), journal).map_err(SealError::Random)?;
            let put = options.marks().put(&name(&id), kept.into(), options.ttl).await;
            put.map_err(SealError::Store)?;
            &[]
        }
    };
    let claims = Claims { over: over(now, options.ttl), round, bound: Bound::to(binding), place };
    let sealed = envelope::seal(&key, Kind::Wire, &claims.write(inline)).map_err(SealError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

pub(super) async fn open_at(
    options: &StateOptions,
    binding: &Binding<'_>,
    state: &str,
    now: SystemTime,
) -> Result<Opened, Refused> {
    if state.len() > options.state_bytes {
        return Err(Refused::TooLong { bytes: state.len(), limit: options.state_bytes });
    }
    let sealed = URL_SAFE_NO_PAD.decode(state).map_err(|_| Refused::NotBase64)?;
    let plain = envelope::open(&options.keys, Kind::Wire, &sealed)?;
    let (claims, journal) = Claims::read(&plain).ok_or(Refused::Unreadable)?;
    check(options, binding, &claims, now)?;
    // The store comes last: who presents the state of another must not use it up.
    let journal = fetch(options, claims.place, journal).await?;
    Ok(Opened { journal, round: claims.round })
}

/// Where a journal goes.
fn place(options: &StateOptions, journal: usize) -> Result<Place, SealError> {
    let random = || -> Result<Id, SealError> {
        let mut id = Id::default();
        getrandom::fill(&mut id).map_err(|error| SealError::Random(error.into()))?;
        Ok(id)
    };
    let limit = options.state_bytes;
    let here = if options.single_use { Place::HereOnce(random()?) } else { Place::Here };
    let bytes = text_len(&here, journal);
    if bytes <= limit {
        return Ok(here);
    }
    if options.journals().is_none() {
        return Err(SealError::TooLarge { bytes, limit });
    }
    if journal > options.journal_bytes {
        return Err(SealError::JournalTooLarge { bytes: journal, limit: options.journal_bytes });
    }
    let stored = if options.single_use { Place::StoredOnce(random()?) } else { Place::Stored(random()?) };
    match text_len(&stored, 0) {
        bytes if bytes > limit => Err(SealError::TooLarge { bytes, limit }),
        _ => Ok(stored),
    }
}

/// The characters of a state with so many bytes of journal in it.
fn text_len(place: &Place, inline: usize) -> usize {
    let sealed = envelope::COST + place.claims_len() + inline;
    base64::encoded_len(sealed, false).unwrap_or(usize::MAX)
}

/// Whether the state is for this call, and in time.
fn check(options: &StateOptions, binding: &Binding<'_>, claims: &Claims, now: SystemTime) -> Result<(), Refused> {
    let now = since_1970(now).as_secs();
    if now >= claims.over {
        return Err(Refused::Expired(Duration::from_secs(now - claims.over)));
    }
    claims.bound.check(&Bound::to(binding))?;
    if claims.round > options.rounds {
        return Err(Refused::TooManyRounds { round: claims.round, limit: options.rounds });
    }
    if options.single_use && matches!(claims.place, Place::Here | Place::Stored(_)) {
        return Err(Refused::NotSingleUse);
    }
    Ok(())
}

/// The journal, from the state or the store. A state to be used once is used with that.
async fn fetch(options: &StateOptions, place: Place, inline: &[u8]) -> Result<Vec<u8>, Refused> {
    let journals = || options.journals().ok_or(Refused::NoStore);
    let (id, kept) = match place {
        Place::Here => return Ok(inline.to_vec()),
        Place::HereOnce(id) => {
            had(options.marks().take(&name(&id)).await)?;
            return Ok(inline.to_vec());
        }
        Place::Stored(id) => (id, had(journals()?.get(&name(&id)).await)?),
        Place::StoredOnce(id) => (id, had(journals()?.take(&name(&id)).await)?),
    };
    envelope::open(&options.keys, Kind::Kept(&id), &kept).map_err(|_| Refused::StoreAltered)
}

fn had(answer: std::io::Result<Option<Bytes>>) -> Result<Bytes, Refused> {
    answer.map_err(Refused::Store)?.ok_or(Refused::Gone)
}

/// The id as the store knows it.
fn name(id: &Id) -> String {
    URL_SAFE_NO_PAD.encode(id)
}

/// The first whole second at which a state made `now` is over.
fn over(now: SystemTime, ttl: Duration) -> u64 {
    let over = since_1970(now).saturating_add(ttl);
    over.as_secs().saturating_add(u64::from(over.subsec_nanos() > 0))
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
