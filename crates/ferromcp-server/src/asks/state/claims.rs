//! What stands in a sealed state: until when, which round, what it is bound to, and the journal or where it is.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the second since 1970 at which it is over |
//! | 4 | the round |
//! | 5 × 32 | digests: principal, method, name, arguments, audience |
//! | 1 | bit 0: the journal is in the store; bit 1: to be used once |
//! | 16 | the id in the store, if one of the bits is set |
//! | the rest | the journal, unless it is in the store |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.

use ferromcp_core::RawJson;
use sha2::{Digest as _, Sha256};

use super::canonical::canonical;
use super::error::Refused;

/// What a state is bound to: it opens for nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// Who calls, as authorization knows them. Nobody in particular is somebody else than `""`.
    pub(crate) identity: Option<&'a str>,
    /// The method of the call.
    pub(crate) method: &'a str,
    /// The tool or prompt by name, or the resource by URI.
    pub(crate) name: &'a str,
    /// The arguments; none is like `{}`.
    pub(crate) arguments: Option<&'a RawJson>,
    /// What the state is for, see `StateOptions::audience_or`.
    pub(crate) audience: &'a str,
}

/// A random id in the store.
pub(super) type Id = [u8; 16];

/// The plain text of a state, without the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claims {
    /// When it is over, in seconds since 1970.
    pub(super) over: u64,
    pub(super) round: u32,
    pub(super) bound: Bound,
    pub(super) place: Place,
}

/// Where the journal is, and how often it can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the state itself.
    Here,
    /// In the state itself, and the store has a mark that is taken away with the first use.
    HereOnce(Id),
    /// In the store.
    Stored(Id),
    /// In the store, and taken from there with the first use.
    StoredOnce(Id),
}

/// Digests of what a state is bound to: principal, method, name, arguments, audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound([Hash; 5]);

type Hash = [u8; 32];

impl Claims {
    /// Writes the claims and the journal behind them.
    pub(super) fn write(&self, journal: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.place.claims_len() + journal.len());
        plain.extend_from_slice(&self.over.to_be_bytes());
        plain.extend_from_slice(&self.round.to_be_bytes());
        plain.extend_from_slice(self.bound.0.as_flattened());
        let (flags, id) = self.place.parts();
        plain.push(flags);
        plain.extend_from_slice(id.map_or(&[], |id| id.as_slice()));
        plain.extend_from_slice(journal);
        plain
    }

    /// Reads the claims, and the journal behind them. `None` if these are none.
    pub(super) fn read(plain: &[u8]) -> Option<(Self, &[u8])> {
        let (over, plain) = plain.split_first_chunk()?;
        let (round, plain) = plain.split_first_chunk()?;
        let (mut bound, mut plain) = ([Hash::default(); 5], plain);
        for hash in &mut bound {
            (*hash, plain) = plain.split_first_chunk().map(|(hash, rest)| (*hash, rest))?;
        }
        let (flags, plain) = plain.split_first()?;
        let (place, journal) = Place::read(*flags, plain)?;
        let (over, round) = (u64::from_be_bytes(*over), u32::from_be_bytes(*round));
        Some((Self { over, round, bound: Bound(bound), place }, journal))
    }
}

impl Place {
    /// The bytes of claims with this place.
    pub(super) fn claims_len(&self) -> usize {
        let fixed = size_of::<u64>() + size_of::<u32>() + size_of::<Bound>() + 1;
        fixed + self.id().map_or(0, |id| id.len())
    }

    /// The id in the store.
    pub(super) fn id(&self) -> Option<&Id> {
        self.parts().1
    }

    fn parts(&self) -> (u8, Option<&Id>) {
        match self {
            Self::Here => (0, None),
            Self::Stored(id) => (1, Some(id)),
            Self::HereOnce(id) => (2, Some(id)),
            Self::StoredOnce(id) => (3, Some(id)),
        }
    }

    fn read(flags: u8, rest: &[u8]) -> Option<(Self, &[u8])> {
        if flags == 0 {
            return Some((Self::Here, rest));
        }
        let (id, rest) = rest.split_first_chunk()?;
        match flags {
            1 if rest.is_empty() => Some((Self::Stored(*id), rest)),
            2 => Some((Self::HereOnce(*id), rest)),
            3 if rest.is_empty() => Some((Self::StoredOnce(*id), rest)),
            _ => None,
        }
    }
}

impl Bound {
    /// The digests of a binding.
    pub(super) fn to(binding: &Binding<'_>) -> Self {
        Self([
            hash("principal", binding.identity.map(str::as_bytes)),
            hash("method", Some(binding.method.as_bytes())),
            hash("name", Some(binding.name.as_bytes())),
            hash_of_arguments(binding.arguments),
            hash("audience", Some(binding.audience.as_bytes())),
        ])
    }

    /// Whether this is what a state was bound to, and if not, what was swapped.
    ///
    /// It may take as long as it takes: the seal was opened before, so these are digests of our making, and who sends
    /// a state does not choose what they are compared with.
    pub(super) fn check(&self, presented: &Self) -> Result<(), Refused> {
        let swapped = [
            Refused::OtherPrincipal,
            Refused::OtherMethod,
            Refused::OtherName,
            Refused::OtherArguments,
            Refused::OtherAudience,
        ];
        let differ = self.0.iter().zip(&presented.0).map(|(ours, theirs)| ours != theirs);
        differ.zip(swapped).find_map(|(differs, refused)| differs.then_some(refused)).map_or(Ok(()), Err)
    }
}

/// A digest of one thing: what is absent is not what is empty, and no two kinds of things share one.
fn hash(what: &str, value: Option<&[u8]>) -> Hash {
    let present = [0, u8::from(value.is_some())];
    Sha256::new().chain_update(what).chain_update(present).chain_update(value.unwrap_or_default()).finalize().into()
}

fn hash_of_arguments(arguments: Option<&RawJson>) -> Hash {
    let text = arguments.map_or("{}", RawJson::as_str);
    match canonical(text) {
        Some(canonical) => hash("arguments", Some(&canonical)),
        None => hash("arguments as they are written", Some(text.as_bytes())),
    }
}
