//! Request states open only for the call that they are bound to.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;
use ferromcp_core::{ErrorCode, RawJson};
use proptest::prelude::*;

use super::claims::{Binding, Bound, Claims, Location};
use super::envelope::Kind;
use super::error::OpenError;
use super::options::MAX_JOURNAL_BYTES;
use super::seal::OpenedState;
use super::seal::{open_at, seal_at};
use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// Returns the output of a future that is ready on the first poll.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("the future is not ready"),
    }
}

fn key(n: u8) -> Key {
    Key::new([n; 32])
}

fn options() -> StateOptions {
    StateOptions::new().keys(KeyRing::new(key(1)))
}

/// The default call of the tests.
fn call() -> Binding<'static> {
    Binding { identity: Some("ada"), method: "tools/call", name: "add", arguments: None, audience: "demo" }
}

fn sealed(options: &StateOptions, journal: &[u8]) -> String {
    ready(seal(options, &call(), journal, 1)).unwrap()
}

fn opened(options: &StateOptions, state: &str) -> Result<Vec<u8>, OpenError> {
    ready(open(options, &call(), state)).map(|opened| opened.journal)
}

macro_rules! assert_rejected {
    ($outcome:expr, $pattern:pat) => {
        let outcome = $outcome;
        assert!(matches!(outcome, Err($pattern)), "{} gave {outcome:?}", stringify!($outcome));
    };
}

#[test]
fn open_returns_the_sealed_journal() {
    // M26-242
    let options = options();
    for journal in [&b""[..], b"journal", &[0; 4000]] {
        let state = ready(seal(&options, &call(), journal, 7)).unwrap();
        assert!(state.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{state}");
        assert_eq!(
            ready(open(&options, &call(), &state)).unwrap(),
            OpenedState { journal: journal.to_vec(), round: 7 }
        );
    }
    assert_ne!(sealed(&options, b"same"), sealed(&options, b"same"), "nonces differ");
}

#[test]
fn state_is_rejected_when_any_bit_is_changed() {
    // M26-241, M26-242, M26-243
    let options = options();
    let bytes = URL_SAFE_NO_PAD.decode(sealed(&options, b"journal")).unwrap();
    for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << bit;
        let outcome = opened(&options, &URL_SAFE_NO_PAD.encode(altered));
        match at {
            0 => assert!(matches!(outcome, Err(OpenError::UnknownVersion(_))), "{outcome:?}"),
            1..=4 => assert!(matches!(outcome, Err(OpenError::UnknownKey(_))), "{outcome:?}"),
            _ => assert!(matches!(outcome, Err(OpenError::Altered)), "{outcome:?}"),
        }
    }
    for cut in 0..bytes.len() {
        assert_rejected!(opened(&options, &URL_SAFE_NO_PAD.encode(&bytes[..cut])), OpenError::Altered);
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_rejected!(opened(&options, &URL_SAFE_NO_PAD.encode(longer)), OpenError::Altered);
}

#[test]
fn state_is_rejected_when_its_encoding_is_not_canonical() {
    let options = options();
    let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
    for length in 0..3 {
        let state = sealed(&options, &b"abc"[..length]);
        for other in [format!("{state}="), format!(" {state}"), format!("{state}\n"), format!("{state}é")] {
            assert_rejected!(opened(&options, &other), OpenError::NotBase64);
        }
        let padded = URL_SAFE.encode(URL_SAFE_NO_PAD.decode(&state).unwrap());
        assert_eq!(opened(&options, &padded).is_ok(), padded == state, "{padded}");
        // The unused bits of the last character must be zero.
        for last in alphabet.clone() {
            let spelt = format!("{}{last}", &state[..state.len() - 1]);
            assert_eq!(opened(&options, &spelt).is_ok(), spelt == state, "{spelt}");
        }
    }
}

#[test]
fn state_is_rejected_when_expired() {
    // M26-246
    let options = options().ttl(HOUR);
    let begin = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_250);
    let state = ready(seal_at(&options, &call(), b"journal", 1, begin)).unwrap();
    let after = |time: Duration| ready(open_at(&options, &call(), &state, begin + time));
    assert!(after(Duration::ZERO).is_ok());
    assert!(after(HOUR).is_ok(), "the expiry is rounded up to whole seconds");
    assert_rejected!(after(HOUR + Duration::from_secs(1)), OpenError::Expired(Duration::ZERO));
    let late = after(HOUR + Duration::from_secs(61)).unwrap_err();
    assert_eq!(late.to_string(), "it expired 60 s ago");
    for ttl in [Duration::ZERO, Duration::MAX] {
        let options = options.clone().ttl(ttl);
        let state = ready(seal_at(&options, &call(), b"journal", 1, begin)).unwrap();
        let outcome = ready(open_at(&options, &call(), &state, begin + Duration::from_secs(1)));
        assert_eq!(outcome.is_ok(), ttl == Duration::MAX, "{ttl:?}");
    }
}

#[test]
fn state_is_rejected_with_reason_when_call_differs() {
    // M26-243, M26-245, M26-247, M26-494, M26-504, S-449, A-207, A-213
    let options = options();
    let arguments = RawJson::parse(r#"{"a":1}"#).unwrap();
    let call = Binding { arguments: Some(&arguments), ..call() };
    let state = ready(seal(&options, &call, b"journal", 1)).unwrap();
    let other = RawJson::parse(r#"{"a":2}"#).unwrap();
    let with = |binding: Binding<'_>| ready(open(&options, &binding, &state));
    assert!(with(call).is_ok());
    assert_rejected!(with(Binding { identity: Some("eve"), ..call }), OpenError::OtherPrincipal);
    assert_rejected!(with(Binding { method: "prompts/get", ..call }), OpenError::OtherMethod);
    assert_rejected!(with(Binding { name: "adder", ..call }), OpenError::OtherName);
    assert_rejected!(with(Binding { arguments: Some(&other), ..call }), OpenError::OtherArguments);
    assert_rejected!(with(Binding { arguments: None, ..call }), OpenError::OtherArguments);
    assert_rejected!(with(Binding { audience: "other", ..call }), OpenError::OtherAudience);
}

#[test]
fn missing_empty_and_named_principals_differ() {
    // M26-245, M26-494
    let options = options();
    let callers = [None, Some(""), Some("ada")];
    for (made_for, presented_by) in callers.iter().flat_map(|a| callers.iter().map(move |b| (*a, *b))) {
        let state = ready(seal(&options, &Binding { identity: made_for, ..call() }, b"journal", 1)).unwrap();
        let outcome = ready(open(&options, &Binding { identity: presented_by, ..call() }, &state));
        match outcome {
            Ok(_) => assert_eq!(made_for, presented_by),
            Err(OpenError::OtherPrincipal) => assert_ne!(made_for, presented_by),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn state_is_accepted_when_only_argument_formatting_differs() {
    // M26-247
    let options = options();
    let with = |text: Option<&str>, state: Option<&str>| {
        let arguments = text.map(|text| RawJson::parse(text).unwrap());
        let call = Binding { arguments: arguments.as_ref(), ..call() };
        match state {
            None => Ok(ready(seal(&options, &call, b"journal", 1)).unwrap()),
            Some(state) => ready(open(&options, &call, state)).map(|_| String::new()),
        }
    };
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(300), "]".repeat(300));
    for (a, b, same) in [
        (None, Some("{}"), true),
        (Some("{ }"), None, true),
        (None, Some("null"), false),
        (Some(r#"{"a":1,"b":[2,{"c":3,"d":"x"}]}"#), Some(r#"{"b":[2.0,{"d":"\u0078","c":3e0}],"a":1}"#), true),
        (Some(r#"{"b":[1,2]}"#), Some(r#"{"b":[2,1]}"#), false),
        (Some(&deep), Some(&deep), true),
        (Some(&deep), Some(&*deep.replace('1', "2")), false),
    ] {
        let state = with(a, None).unwrap();
        assert_eq!(with(b, Some(&state)).is_ok(), same, "{a:?} {b:?}");
    }
}

#[test]
fn old_key_decrypts_until_it_is_removed() {
    let ring = KeyRing::new(key(1));
    let options = options().keys(ring.clone());
    let old = sealed(&options, b"old");
    ring.rotate(key(2));
    let new = sealed(&options, b"new");
    assert_eq!(opened(&options, &old).unwrap(), b"old");
    let only_new = StateOptions::new().keys(KeyRing::new(key(2)));
    assert_eq!(opened(&only_new, &new).unwrap(), b"new", "the newest key encrypts");
    ring.retain_newest(1);
    assert_rejected!(opened(&options, &old), OpenError::UnknownKey(_));
    assert_eq!(opened(&options, &new).unwrap(), b"new");
    ring.retain_newest(0);
    assert_eq!(opened(&options, &new).unwrap(), b"new", "the last key is retained");
}

#[test]
fn key_ring_holds_eight_distinct_keys() {
    let ring = KeyRing::new(key(0));
    let options = options().keys(ring.clone());
    let first = sealed(&options, b"first");
    for _ in 0..20 {
        ring.rotate(key(1));
    }
    assert!(opened(&options, &first).is_ok(), "a duplicate key is not added");
    for n in 2..8 {
        ring.rotate(key(n));
    }
    assert!(opened(&options, &first).is_ok());
    ring.rotate(key(8));
    assert_rejected!(opened(&options, &first), OpenError::UnknownKey(_));
    let full = ring.clone().with_decrypt_key(key(100));
    assert!(opened(&StateOptions::new().keys(full), &sealed(&options, b"")).is_ok());
    assert_eq!(format!("{ring:?}"), "KeyRing(8 keys)");
}

#[test]
fn servers_with_a_shared_key_open_each_others_states() {
    let one = StateOptions::new().keys(KeyRing::new(key(1)).with_decrypt_key(key(2)));
    let two = StateOptions::new().keys(KeyRing::new(key(2)).with_decrypt_key(key(1)));
    assert_eq!(opened(&two, &sealed(&one, b"one")).unwrap(), b"one");
    assert_eq!(opened(&one, &sealed(&two, b"two")).unwrap(), b"two");
    let stranger = StateOptions::new().keys(KeyRing::new(key(3)));
    assert_rejected!(opened(&stranger, &sealed(&one, b"one")), OpenError::UnknownKey(_));
}

#[test]
fn default_options_have_a_random_key_shared_by_clones() {
    let (one, other) = (StateOptions::new(), StateOptions::new());
    let clone = one.clone();
    let state = sealed(&one, b"journal");
    assert_eq!(opened(&clone, &state).unwrap(), b"journal");
    assert_rejected!(opened(&other, &state), OpenError::UnknownKey(_));
}

#[test]
fn debug_output_contains_no_secrets() {
    let key = Key::parse(&"61".repeat(32)).unwrap();
    let sealing = format!("{:?}", key.sealing());
    let options = StateOptions::new().keys(KeyRing::new(key)).store(MemoryStateStore::new()).single_use(true);
    let state = sealed(&options, b"private");
    let back = ready(open(&options, &call(), &state)).unwrap();
    let shown = format!("{options:?} {:?} {back:?}", MemoryStateStore::new());
    let journal = format!("{:?}", back.journal);
    assert!(!shown.contains(&journal), "{shown}");
    assert!(!shown.contains(&sealing) && !shown.contains("aaaa") && !shown.contains("97"), "{shown}");
    assert!(!URL_SAFE_NO_PAD.decode(state).unwrap().windows(7).any(|part| part == b"private"));
}

/// A store that records its entries, and fails on demand.
#[derive(Default)]
struct RecordingStore {
    inner: MemoryStateStore,
    put: Mutex<Vec<(String, Bytes, Duration)>>,
    fails: AtomicBool,
}

impl RecordingStore {
    fn ready<T>(&self) -> io::Result<Option<T>> {
        if self.fails.load(Ordering::Relaxed) { Err(io::Error::other("the disk is full")) } else { Ok(None) }
    }
}

impl StateStore for &'static RecordingStore {
    fn put<'a>(&'a self, id: &'a str, state: Bytes, ttl: Duration) -> StoreFuture<'a, ()> {
        if let Err(error) = self.ready::<()>() {
            return Box::pin(std::future::ready(Err(error)));
        }
        self.put.lock().unwrap().push((id.to_owned(), state.clone(), ttl));
        self.inner.put(id, state, ttl)
    }

    fn get<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>> {
        self.ready::<()>().map_or_else(|error| Box::pin(std::future::ready(Err(error))) as _, |_| self.inner.get(id))
    }

    fn take<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Bytes>> {
        self.ready::<()>().map_or_else(|error| Box::pin(std::future::ready(Err(error))) as _, |_| self.inner.take(id))
    }
}

fn recording_store() -> &'static RecordingStore {
    Box::leak(Box::default())
}

#[test]
fn large_journal_is_stored_encrypted() {
    // M26-495, S-451
    let store = recording_store();
    let options = options().store(store).state_bytes(1000).ttl(HOUR);
    let journal = b"secret ".repeat(1000);
    let short = sealed(&options, b"secret");
    assert!(store.put.lock().unwrap().is_empty(), "a small journal is inline");
    let state = sealed(&options, &journal);
    assert!(state.len() < 350 && short.len() < 350, "{}", state.len());
    let (id, kept, ttl) = store.put.lock().unwrap()[0].clone();
    assert_eq!(ttl, HOUR);
    assert!(kept.len() >= journal.len() && !kept.windows(6).any(|part| part == b"secret"));
    assert!(!state.contains(&id), "the id is encrypted");
    for _ in 0..2 {
        assert_eq!(opened(&options, &state).unwrap(), journal, "the state can be opened repeatedly");
    }
    // M26-494: only the caller of the state gets the journal.
    let eve = Binding { identity: Some("eve"), ..call() };
    assert_rejected!(ready(open(&options, &eve, &state)), OpenError::OtherPrincipal);
    // A modified store entry is detected.
    let second = sealed(&options, &b"other ".repeat(1000));
    let other = store.put.lock().unwrap()[1].1.clone();
    ready(store.inner.put(&id, other, HOUR)).unwrap();
    assert_rejected!(opened(&options, &state), OpenError::StoreAltered);
    ready(store.inner.put(&id, Bytes::new(), HOUR)).unwrap();
    assert_rejected!(opened(&options, &state), OpenError::StoreAltered);
    assert!(opened(&options, &second).is_ok());
    ready(store.inner.take(&id)).unwrap();
    assert_rejected!(opened(&options, &state), OpenError::Gone);
    let storeless = options.clone().store(recording_store());
    assert_rejected!(opened(&storeless, &second), OpenError::Gone);
    assert_rejected!(opened(&StateOptions::new().keys(options.keys.clone()), &second), OpenError::NoStore);
}

#[test]
fn stored_journal_survives_key_rotation() {
    let ring = KeyRing::new(key(1));
    let options = options().keys(ring.clone()).store(MemoryStateStore::new());
    let journal = vec![1; 100_000];
    let state = sealed(&options, &journal);
    ring.rotate(key(2));
    assert_eq!(opened(&options, &state).unwrap(), journal);
}

#[test]
fn seal_fails_with_the_limit_when_journal_is_too_large() {
    let options = options().state_bytes(1000);
    let error =
        |options: &StateOptions, journal: usize| ready(seal(options, &call(), &vec![0; journal], 1)).unwrap_err();
    let most = (0..1000).rev().find(|length| ready(seal(&options, &call(), &vec![0; *length], 1)).is_ok()).unwrap();
    let full = sealed(&options, &vec![0; most]);
    assert!((997..=1000).contains(&full.len()) && opened(&options, &full).is_ok(), "{}", full.len());
    let large = error(&options, 1000);
    assert!(matches!(large, SealError::TooLarge { bytes, limit: 1000 } if bytes > 1500), "{large:?}");
    let text = large.to_string();
    assert!(text.contains("StateOptions::state_bytes (1000)") && text.contains("StateOptions::store"), "{text}");
    let stored = options.clone().store(MemoryStateStore::new());
    assert!(ready(seal(&stored, &call(), &vec![0; MAX_JOURNAL_BYTES], 1)).is_ok());
    let larger = error(&stored, MAX_JOURNAL_BYTES + 1);
    assert!(matches!(larger, SealError::JournalTooLarge { bytes: 1_048_577 }), "{larger:?}");
    assert!(larger.to_string().contains("more than the limit of 1048576"), "{larger}");
    let tiny = stored.state_bytes(300);
    assert!(matches!(error(&tiny, 100), SealError::TooLarge { bytes: 312, limit: 300 }));
    // M26-241: longer states are rejected too.
    assert_rejected!(opened(&options, &"A".repeat(1001)), OpenError::TooLong { bytes: 1001, limit: 1000 });
}

#[test]
fn single_use_state_is_accepted_once() {
    // M26-248
    let with_store = options().single_use(true).store(MemoryStateStore::new());
    for options in [options().single_use(true), with_store.clone(), with_store.state_bytes(400)] {
        let (one, two) = (sealed(&options, &[1; 300]), sealed(&options, &[2; 30]));
        // A rejected caller does not consume the state.
        assert_rejected!(ready(open(&options, &Binding { identity: None, ..call() }, &one)), OpenError::OtherPrincipal);
        assert_eq!(opened(&options, &one).unwrap(), [1; 300]);
        assert_rejected!(opened(&options, &one), OpenError::Gone);
        assert_eq!(opened(&options.clone(), &two).unwrap(), [2; 30]);
        assert_rejected!(opened(&options, &two), OpenError::Gone);
    }
}

#[test]
fn single_use_state_is_accepted_once_when_servers_share_a_store() {
    // M26-248
    let store = recording_store();
    let (one, two) = (options().single_use(true).store(store), options().single_use(true).store(store));
    let state = sealed(&one, b"journal");
    assert_eq!(opened(&two, &state).unwrap(), b"journal");
    assert_rejected!(opened(&one, &state), OpenError::Gone);
}

#[test]
fn single_use_rejects_states_sealed_without_it() {
    // M26-248
    let often = options().store(MemoryStateStore::new());
    let once = often.clone().single_use(true);
    assert_rejected!(opened(&once, &sealed(&often, b"often")), OpenError::NotSingleUse);
    assert_rejected!(opened(&once, &sealed(&often, &vec![0; 50_000])), OpenError::NotSingleUse);
    let state = sealed(&once, b"once");
    assert_eq!(opened(&often, &state).unwrap(), b"once");
    assert_rejected!(opened(&often, &state), OpenError::Gone);
}

#[test]
fn default_store_holds_tokens_but_no_journals() {
    let options = options().single_use(true);
    assert!(matches!(ready(seal(&options, &call(), &vec![0; 50_000], 1)), Err(SealError::TooLarge { .. })));
}

#[test]
fn store_failure_differs_from_missing_entry() {
    let store = recording_store();
    let options = options().store(store).single_use(true);
    let states = [sealed(&options, b"journal"), sealed(&options, &vec![0; 50_000])];
    store.fails.store(true, Ordering::Relaxed);
    for state in &states {
        let refused = opened(&options, state).unwrap_err();
        assert_eq!(refused.to_string(), "the store failed: the disk is full");
    }
    let error = ready(seal(&options, &call(), b"journal", 1)).unwrap_err();
    assert_eq!(error.to_string(), "cannot write to the store of request states: the disk is full");
    store.fails.store(false, Ordering::Relaxed);
    assert!(states.iter().all(|state| opened(&options, state).is_ok()), "no state was consumed");
}

#[test]
fn round_limit_is_enforced_on_seal_and_open() {
    let options = options().rounds(3);
    let state = ready(seal(&options, &call(), b"", 3)).unwrap();
    assert_eq!(ready(open(&options, &call(), &state)).unwrap().round, 3);
    assert!(matches!(ready(seal(&options, &call(), b"", 4)), Err(SealError::TooManyRounds { limit: 3 })));
    let fewer = options.clone().rounds(2);
    assert_rejected!(opened(&fewer, &state), OpenError::TooManyRounds { round: 3, limit: 2 });
}

#[test]
fn client_error_is_equal_for_every_reason() {
    // M26-243
    for refused in [OpenError::NotBase64, OpenError::OtherPrincipal, OpenError::Expired(HOUR), OpenError::Gone] {
        let error = refused.to_client_error();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert_eq!(error.message, "Invalid params: `requestState` is invalid or expired; retry without it");
        assert!(error.data.is_none());
    }
}

#[test]
fn stored_journal_is_rejected_as_a_state() {
    let options = options();
    let key = options.keys.sealing().unwrap();
    let claims = Claims { expires_at: u64::MAX, round: 1, bound: Bound::to(&call()), location: Location::Inline };
    let forged = |kind| URL_SAFE_NO_PAD.encode(envelope::seal(&key, kind, &claims.write(b"journal")).unwrap());
    assert_eq!(opened(&options, &forged(Kind::Wire)).unwrap(), b"journal");
    assert_rejected!(opened(&options, &forged(Kind::Stored(&[]))), OpenError::Altered);
    let unreadable = envelope::seal(&key, Kind::Wire, b"too short").unwrap();
    assert_rejected!(opened(&options, &URL_SAFE_NO_PAD.encode(unreadable)), OpenError::Unreadable);
}

#[test]
fn futures_are_send() {
    fn sendable<T: Send>(_: &T) {}
    let (options, call) = (options(), call());
    sendable(&seal(&options, &call, b"", 1));
    sendable(&open(&options, &call, ""));
}

#[test]
fn audience_defaults_to_the_server_name() {
    assert_eq!(StateOptions::new().audience_or("demo"), "demo");
    assert_eq!(StateOptions::new().audience("fleet").audience_or("demo"), "fleet");
}

proptest! {
    #[test]
    fn arbitrary_text_is_rejected(text in any::<String>()) {
        // M26-241, M26-243
        prop_assert!(opened(&options(), &text).is_err());
    }

    #[test]
    fn arbitrary_bytes_after_a_valid_header_are_rejected(tail in prop::collection::vec(any::<u8>(), 0..400)) {
        // M26-241, M26-243
        let forged = [&[1][..], &key(1).id(), &tail].concat();
        prop_assert!(matches!(opened(&options(), &URL_SAFE_NO_PAD.encode(forged)), Err(OpenError::Altered)));
    }

    #[test]
    fn claims_round_trip_or_are_rejected(
        plain in prop::collection::vec(any::<u8>(), 0..220),
        flags in 0..5_u8,
    ) {
        let mut plain = plain;
        if let Some(place) = plain.get_mut(172) {
            *place = flags;
        }
        if let Some((claims, journal)) = Claims::read(&plain) {
            prop_assert_eq!(claims.write(journal), plain);
        }
    }

    #[test]
    fn arbitrary_journal_round_trips(journal in prop::collection::vec(any::<u8>(), 0..600), store in any::<bool>(), once in any::<bool>()) {
        let options = options().single_use(once);
        let options = if store { options.store(MemoryStateStore::new()).state_bytes(500) } else { options };
        prop_assert_eq!(opened(&options, &sealed(&options, &journal)).unwrap(), journal);
    }

    #[test]
    fn fuzz_targets_pass_on_arbitrary_input(input in prop::collection::vec(any::<u8>(), 0..300), round in any::<u32>()) {
        prop_assert!(fuzz::canonicalizes_arguments(&String::from_utf8_lossy(&input)));
        prop_assert!(fuzz::rejects_arbitrary_text(&String::from_utf8_lossy(&input)));
        prop_assert!(fuzz::parses_or_rejects_plaintext(&input));
        prop_assert!(fuzz::journal_round_trips(&input, round));
    }
}
