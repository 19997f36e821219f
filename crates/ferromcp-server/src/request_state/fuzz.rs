//! Entry points for fuzzing. Not part of the public API.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferromcp_core::RawJson;
use ferromcp_core::wire::{MAX_DEPTH, depth_within};

use super::canonical::canonical;
use super::claims::{Binding, Claims};
use super::envelope::{self, Kind};
use super::key::Key;
use super::key_ring::KeyRing;
use super::memory_state_store::MemoryStateStore;
use super::options::StateOptions;
use super::seal::{open, seal};

static OPTIONS: LazyLock<StateOptions> =
    LazyLock::new(|| StateOptions::new().keys(KeyRing::new(Key::new([7; 32]))).store(MemoryStateStore::new()));

const BINDING: Binding<'_> =
    Binding { identity: Some("ada"), method: "tools/call", name: "add", arguments: None, audience: "fuzz" };

/// Returns whether opening `text` as a state fails, as required.
pub fn rejects_arbitrary_text(text: &str) -> bool {
    ready(open(&OPTIONS, &BINDING, text)).is_some_and(|outcome| outcome.is_err())
}

/// Returns whether a sealed `plain` is rejected, or parsed without loss.
pub fn parses_or_rejects_plaintext(plain: &[u8]) -> bool {
    let Ok(sealed) = OPTIONS.keys.sealing().and_then(|key| envelope::seal(&key, Kind::Wire, plain)) else {
        return true;
    };
    let read = Claims::read(plain);
    let whole = read.is_none_or(|(claims, journal)| claims.write(journal) == plain);
    let opened = ready(open(&OPTIONS, &BINDING, &URL_SAFE_NO_PAD.encode(sealed)));
    whole && opened.is_some_and(|outcome| outcome.is_err() || read.is_some())
}

/// Returns whether a journal is unchanged after sealing and opening.
pub fn journal_round_trips(journal: &[u8], round: u32) -> bool {
    let Some(sealed) = ready(seal(&OPTIONS, &BINDING, journal, round)) else { return false };
    let Ok(state) = sealed else { return true };
    let opened = ready(open(&OPTIONS, &BINDING, &state));
    opened.is_some_and(|outcome| outcome.is_ok_and(|opened| opened.journal == journal && opened.round == round))
}

/// Returns whether `text` has a canonical form if a server would accept it as JSON.
pub fn canonicalizes_arguments(text: &str) -> bool {
    let canonical = canonical(text);
    let read = RawJson::parse(text).is_ok() && depth_within(text.as_bytes(), MAX_DEPTH);
    !read || canonical.is_some()
}

/// Returns the output of a future that is ready on the first poll.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}
