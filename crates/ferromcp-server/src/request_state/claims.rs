//! The claims of a sealed state: expiry, round, binding, and the journal or its location.
//!
//! | bytes | contents |
//! |---|---|
//! | 8 | expiry, in seconds since the Unix epoch |
//! | 4 | round |
//! | 5 × 32 | digests: principal, method, name, arguments, audience |
//! | 1 | bit 0: the journal is in the store; bit 1: single use |
//! | 16 | id in the store, if any bit is set |
//! | rest | the journal, unless it is in the store |
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#server-requirements>.

use ferromcp_core::RawJson;

use super::canonical::canonical;
use super::digest::sha256;
use super::error::OpenError;

/// The call that a state is bound to. Opening the state for any other call fails.
#[derive(Clone, Copy)]
pub(crate) struct Binding<'a> {
    /// The authenticated principal. `None` differs from `""`.
    pub(crate) identity: Option<&'a str>,
    /// The method of the call.
    pub(crate) method: &'a str,
    /// The name of the tool or prompt, or the URI of the resource.
    pub(crate) name: &'a str,
    /// The arguments; `None` equals `{}`.
    pub(crate) arguments: Option<&'a RawJson>,
    /// The audience. See `StateOptions::audience_or`.
    pub(crate) audience: &'a str,
}

/// A random id of a store entry.
pub(super) type Id = [u8; 16];

/// The plaintext of a state, without the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claims {
    /// Expiry, in seconds since the Unix epoch.
    pub(super) expires_at: u64,
    pub(super) round: u32,
    pub(super) bound: Bound,
    pub(super) location: Location,
}

/// The location of the journal, and whether the state is single-use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Location {
    /// In the state.
    Inline,
    /// In the state. The store has a token, which the first use removes.
    InlineSingleUse(Id),
    /// In the store.
    Stored(Id),
    /// In the store. The first use removes it.
    StoredSingleUse(Id),
}

/// Digests of what a state is bound to: principal, method, name, arguments, audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound([Hash; 5]);

type Hash = [u8; 32];

impl Claims {
    /// Encodes the claims, followed by the journal.
    pub(super) fn write(&self, journal: &[u8]) -> Vec<u8> {
        let mut plain = Vec::with_capacity(self.location.claims_len() + journal.len());
        plain.extend_from_slice(&self.expires_at.to_be_bytes());
        plain.extend_from_slice(&self.round.to_be_bytes());
        plain.extend_from_slice(self.bound.0.as_flattened());
        let (flags, id) = self.location.parts();
        plain.push(flags);
        plain.extend_from_slice(id.map_or(&[], |id| id.as_slice()));
        plain.extend_from_slice(journal);
        plain
    }

    /// Decodes the claims and the journal after them; `None` if the encoding is invalid.
    pub(super) fn read(plain: &[u8]) -> Option<(Self, &[u8])> {
        let (expires_at, plain) = plain.split_first_chunk()?;
        let (round, plain) = plain.split_first_chunk()?;
        let (mut bound, mut plain) = ([Hash::default(); 5], plain);
        for hash in &mut bound {
            (*hash, plain) = plain.split_first_chunk().map(|(hash, rest)| (*hash, rest))?;
        }
        let (flags, plain) = plain.split_first()?;
        let (location, journal) = Location::read(*flags, plain)?;
        let (expires_at, round) = (u64::from_be_bytes(*expires_at), u32::from_be_bytes(*round));
        Some((Self { expires_at, round, bound: Bound(bound), location }, journal))
    }
}

impl Location {
    /// Returns the encoded length of claims with this location, in bytes.
    pub(super) fn claims_len(&self) -> usize {
        let fixed = size_of::<u64>() + size_of::<u32>() + size_of::<Bound>() + 1;
        fixed + self.id().map_or(0, |id| id.len())
    }

    /// Returns the id of the store entry, if any.
    pub(super) fn id(&self) -> Option<&Id> {
        self.parts().1
    }

    fn parts(&self) -> (u8, Option<&Id>) {
        match self {
            Self::Inline => (0, None),
            Self::Stored(id) => (1, Some(id)),
            Self::InlineSingleUse(id) => (2, Some(id)),
            Self::StoredSingleUse(id) => (3, Some(id)),
        }
    }

    fn read(flags: u8, rest: &[u8]) -> Option<(Self, &[u8])> {
        if flags == 0 {
            return Some((Self::Inline, rest));
        }
        let (id, rest) = rest.split_first_chunk()?;
        match flags {
            1 if rest.is_empty() => Some((Self::Stored(*id), rest)),
            2 => Some((Self::InlineSingleUse(*id), rest)),
            3 if rest.is_empty() => Some((Self::StoredSingleUse(*id), rest)),
            _ => None,
        }
    }
}

impl Bound {
    /// Computes the digests of a binding.
    pub(super) fn to(binding: &Binding<'_>) -> Self {
        Self([
            hash("principal", binding.identity.map(str::as_bytes)),
            hash("method", Some(binding.method.as_bytes())),
            hash("name", Some(binding.name.as_bytes())),
            hash_of_arguments(binding.arguments),
            hash("audience", Some(binding.audience.as_bytes())),
        ])
    }

    /// Compares the digests of a state with those of the presented call, and returns the first difference as an error.
    ///
    /// Need not be constant time: both digests were computed by this server, and the state was authenticated before.
    pub(super) fn check(&self, presented: &Self) -> Result<(), OpenError> {
        let swapped = [
            OpenError::OtherPrincipal,
            OpenError::OtherMethod,
            OpenError::OtherName,
            OpenError::OtherArguments,
            OpenError::OtherAudience,
        ];
        let differ = self.0.iter().zip(&presented.0).map(|(ours, theirs)| ours != theirs);
        differ.zip(swapped).find_map(|(differs, refused)| differs.then_some(refused)).map_or(Ok(()), Err)
    }
}

/// Computes the digest of one part of a binding. Absent differs from empty, and `what` separates the parts.
fn hash(what: &str, value: Option<&[u8]>) -> Hash {
    let present = [0, u8::from(value.is_some())];
    sha256(&[what.as_bytes(), &present, value.unwrap_or_default()])
}

fn hash_of_arguments(arguments: Option<&RawJson>) -> Hash {
    let text = arguments.map_or("{}", RawJson::as_str);
    match canonical(text) {
        Some(canonical) => hash("arguments", Some(&canonical)),
        None => hash("arguments as they are written", Some(text.as_bytes())),
    }
}
