//! The way in for a fuzzer. Not for anybody else.

use std::future::Future;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ferromcp_core::RawJson;
use ferromcp_core::json::{DEFAULT_MAX_DEPTH, depth_within};

use super::canonical::canonical;
use super::claims::{Binding, Claims};
use super::envelope::{self, Kind};
use super::key::Key;
use super::memory::MemoryStates;
use super::options::StateOptions;
use super::ring::KeyRing;
use super::seal::{open, seal};

static OPTIONS: LazyLock<StateOptions> =
    LazyLock::new(|| StateOptions::new().keys(KeyRing::new(Key::new([7; 32]))).store(MemoryStates::new()));

const BINDING: Binding<'_> =
    Binding { identity: Some("ada"), method: "tools/call", name: "add", arguments: None, audience: "fuzz" };

/// Presents `text` as a state. True if it is refused, as it should be.
pub fn text_is_refused(text: &str) -> bool {
    now(open(&OPTIONS, &BINDING, text)).is_some_and(|outcome| outcome.is_err())
}

/// Presents `plain` under a good seal. True if it is refused or what is read in it is all there is.
pub fn plain_is_read_or_refused(plain: &[u8]) -> bool {
    let Ok(sealed) = OPTIONS.keys.sealing().and_then(|key| envelope::seal(&key, Kind::Wire, plain)) else {
        return true;
    };
    let read = Claims::read(plain);
    let whole = read.is_none_or(|(claims, journal)| claims.write(journal) == plain);
    let opened = now(open(&OPTIONS, &BINDING, &URL_SAFE_NO_PAD.encode(sealed)));
    whole && opened.is_some_and(|outcome| outcome.is_err() || read.is_some())
}

/// Seals a journal and opens it again. True if it is the same.
pub fn journal_comes_back(journal: &[u8], round: u32) -> bool {
    let Some(sealed) = now(seal(&OPTIONS, &BINDING, journal, round)) else { return false };
    let Ok(state) = sealed else { return true };
    let opened = now(open(&OPTIONS, &BINDING, &state));
    opened.is_some_and(|outcome| outcome.is_ok_and(|opened| opened.journal == journal && opened.round == round))
}

/// Brings `text` into the form that arguments are compared in. True if that is done with all JSON that a server reads.
pub fn arguments_have_a_form(text: &str) -> bool {
    let canonical = canonical(text);
    let read = RawJson::parse(text).is_ok() && depth_within(text.as_bytes(), DEFAULT_MAX_DEPTH);
    !read || canonical.is_some()
}

/// The outcome of a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}
