//! A state opens for the call it was made for, once where that is wanted, and for nothing else.

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

use super::claims::{Bound, Claims, Place};
use super::envelope::Kind;
use super::error::Refused;
use super::seal::Opened;
use super::seal::{open_at, seal_at};
use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// The outcome of a future that never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn key(n: u8) -> Key {
    Key::new([n; 32])
}

fn options() -> StateOptions {
    StateOptions::new().keys(KeyRing::new(key(1)))
}

/// The call of most tests.
fn call() -> Binding<'static> {
    Binding { identity: Some("ada"), method: "tools/call", name: "add", arguments: None, audience: "demo" }
}

fn sealed(options: &StateOptions, journal: &[u8]) -> String {
    now(seal(options, &call(), journal, 1)).unwrap()
}

fn opened(options: &StateOptions, state: &str) -> Result<Vec<u8>, Refused> {
    now(open(options, &call(), state)).map(|opened| opened.journal)
}

macro_rules! assert_refused {
    ($outcome:expr, $pattern:pat) => {
        let outcome = $outcome;
        assert!(matches!(outcome, Err($pattern)), "{} gave {outcome:?}", stringify!($outcome));
    };
}

#[test]
fn what_was_sealed_comes_back() {
    // M26-242
    let options = options();
    for journal in [&b""[..], b"journal", &[0; 4000]] {
        let state = now(seal(&options, &call(), journal, 7)).unwrap();
        assert!(state.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'), "{state}");
        assert_eq!(now(open(&options, &call(), &state)).unwrap(), Opened { journal: journal.to_vec(), round: 7 });
    }
    assert_ne!(sealed(&options, b"same"), sealed(&options, b"same"), "each has a nonce of its own");
}

#[test]
fn a_state_with_any_bit_of_it_changed_is_refused() {
    // M26-241, M26-242, M26-243
    let options = options();
    let bytes = URL_SAFE_NO_PAD.decode(sealed(&options, b"journal")).unwrap();
    for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut altered = bytes.clone();
        altered[at] ^= 1 << bit;
        let outcome = opened(&options, &URL_SAFE_NO_PAD.encode(altered));
        match at {
            0 => assert!(matches!(outcome, Err(Refused::UnknownVersion(_))), "{outcome:?}"),
            1..=4 => assert!(matches!(outcome, Err(Refused::UnknownKey(_))), "{outcome:?}"),
            _ => assert!(matches!(outcome, Err(Refused::Altered)), "{outcome:?}"),
        }
    }
    for cut in 0..bytes.len() {
        assert_refused!(opened(&options, &URL_SAFE_NO_PAD.encode(&bytes[..cut])), Refused::Altered);
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_refused!(opened(&options, &URL_SAFE_NO_PAD.encode(longer)), Refused::Altered);
}

#[test]
fn one_state_has_one_spelling() {
    let options = options();
    let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']);
    for length in 0..3 {
        let state = sealed(&options, &b"abc"[..length]);
        for other in [format!("{state}="), format!(" {state}"), format!("{state}\n"), format!("{state}é")] {
            assert_refused!(opened(&options, &other), Refused::NotBase64);
        }
        let padded = URL_SAFE.encode(URL_SAFE_NO_PAD.decode(&state).unwrap());
        assert_eq!(opened(&options, &padded).is_ok(), padded == state, "{padded}");
        // The bits that the last character has to spare are not a second way to write the same state.
        for last in alphabet.clone() {
            let spelt = format!("{}{last}", &state[..state.len() - 1]);
            assert_eq!(opened(&options, &spelt).is_ok(), spelt == state, "{spelt}");
        }
    }
}

#[test]
fn a_state_is_over_after_its_time() {
    // M26-246
    let options = options().ttl(HOUR);
    let begin = SystemTime::UNIX_EPOCH + Duration::from_millis(1_800_000_000_250);
    let state = now(seal_at(&options, &call(), b"journal", 1, begin)).unwrap();
    let after = |time: Duration| now(open_at(&options, &call(), &state, begin + time));
    assert!(after(Duration::ZERO).is_ok());
    assert!(after(HOUR).is_ok(), "what was begun of a second counts whole");
    assert_refused!(after(HOUR + Duration::from_secs(1)), Refused::Expired(Duration::ZERO));
    let late = after(HOUR + Duration::from_secs(61)).unwrap_err();
    assert_eq!(late.to_string(), "it expired 60 s ago");
    for ttl in [Duration::ZERO, Duration::MAX] {
        let options = options.clone().ttl(ttl);
        let state = now(seal_at(&options, &call(), b"journal", 1, begin)).unwrap();
        let outcome = now(open_at(&options, &call(), &state, begin + Duration::from_secs(1)));
        assert_eq!(outcome.is_ok(), ttl == Duration::MAX, "{ttl:?}");
    }
}

#[test]
fn a_state_of_another_call_is_refused_and_the_log_says_what_is_other() {
    // M26-243, M26-245, M26-247, M26-494, M26-504, S-449
    let options = options();
    let arguments = RawJson::parse(r#"{"a":1}"#).unwrap();
    let call = Binding { arguments: Some(&arguments), ..call() };
    let state = now(seal(&options, &call, b"journal", 1)).unwrap();
    let other = RawJson::parse(r#"{"a":2}"#).unwrap();
    let with = |binding: Binding<'_>| now(open(&options, &binding, &state));
    assert!(with(call).is_ok());
    assert_refused!(with(Binding { identity: Some("eve"), ..call }), Refused::OtherPrincipal);
    assert_refused!(with(Binding { method: "prompts/get", ..call }), Refused::OtherMethod);
    assert_refused!(with(Binding { name: "adder", ..call }), Refused::OtherName);
    assert_refused!(with(Binding { arguments: Some(&other), ..call }), Refused::OtherArguments);
    assert_refused!(with(Binding { arguments: None, ..call }), Refused::OtherArguments);
    assert_refused!(with(Binding { audience: "other", ..call }), Refused::OtherAudience);
}

#[test]
fn nobody_somebody_and_an_empty_name_are_three() {
    // M26-245, M26-494
    let options = options();
    let callers = [None, Some(""), Some("ada")];
    for (made_for, presented_by) in callers.iter().flat_map(|a| callers.iter().map(move |b| (*a, *b))) {
        let state = now(seal(&options, &Binding { identity: made_for, ..call() }, b"journal", 1)).unwrap();
        let outcome = now(open(&options, &Binding { identity: presented_by, ..call() }, &state));
        match outcome {
            Ok(_) => assert_eq!(made_for, presented_by),
            Err(Refused::OtherPrincipal) => assert_ne!(made_for, presented_by),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn the_same_arguments_written_otherwise_are_taken() {
    // M26-247
    let options = options();
    let with = |text: Option<&str>, state: Option<&str>| {
        let arguments = text.map(|text| RawJson::parse(text).unwrap());
        let call = Binding { arguments: arguments.as_ref(), ..call() };
        match state {
            None => Ok(now(seal(&options, &call, b"journal", 1)).unwrap()),
            Some(state) => now(open(&options, &call, state)).map(|_| String::new()),
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
fn an_old_key_opens_until_it_is_dropped() {
    let ring = KeyRing::new(key(1));
    let options = options().keys(ring.clone());
    let old = sealed(&options, b"old");
    ring.rotate(key(2));
    let new = sealed(&options, b"new");
    assert_eq!(opened(&options, &old).unwrap(), b"old");
    let only_new = StateOptions::new().keys(KeyRing::new(key(2)));
    assert_eq!(opened(&only_new, &new).unwrap(), b"new", "the newest key seals");
    ring.keep(1);
    assert_refused!(opened(&options, &old), Refused::UnknownKey(_));
    assert_eq!(opened(&options, &new).unwrap(), b"new");
    ring.keep(0);
    assert_eq!(opened(&options, &new).unwrap(), b"new", "one key stays");
}

#[test]
fn a_ring_keeps_eight_keys_and_each_of_them_once() {
    let ring = KeyRing::new(key(0));
    let options = options().keys(ring.clone());
    let first = sealed(&options, b"first");
    for _ in 0..20 {
        ring.rotate(key(1));
    }
    assert!(opened(&options, &first).is_ok(), "the same key again takes no room");
    for n in 2..8 {
        ring.rotate(key(n));
    }
    assert!(opened(&options, &first).is_ok());
    ring.rotate(key(8));
    assert_refused!(opened(&options, &first), Refused::UnknownKey(_));
    let full = ring.clone().and(key(100));
    assert!(opened(&StateOptions::new().keys(full), &sealed(&options, b"")).is_ok());
    assert_eq!(format!("{ring:?}"), "KeyRing(8 keys)");
}

#[test]
fn servers_of_a_fleet_open_each_others_states_by_a_shared_key() {
    let one = StateOptions::new().keys(KeyRing::new(key(1)).and(key(2)));
    let two = StateOptions::new().keys(KeyRing::new(key(2)).and(key(1)));
    assert_eq!(opened(&two, &sealed(&one, b"one")).unwrap(), b"one");
    assert_eq!(opened(&one, &sealed(&two, b"two")).unwrap(), b"two");
    let stranger = StateOptions::new().keys(KeyRing::new(key(3)));
    assert_refused!(opened(&stranger, &sealed(&one, b"one")), Refused::UnknownKey(_));
}

#[test]
fn without_keys_each_set_of_options_has_its_own_and_clones_share_it() {
    let (one, other) = (StateOptions::new(), StateOptions::new());
    let clone = one.clone();
    let state = sealed(&one, b"journal");
    assert_eq!(opened(&clone, &state).unwrap(), b"journal");
    assert_refused!(opened(&other, &state), Refused::UnknownKey(_));
}

#[test]
fn no_key_and_no_journal_is_shown() {
    let key = Key::parse(&"61".repeat(32)).unwrap();
    let sealing = format!("{:?}", key.sealing());
    let options = StateOptions::new().keys(KeyRing::new(key)).store(MemoryStates::new()).single_use(true);
    let state = sealed(&options, b"private");
    let back = now(open(&options, &call(), &state)).unwrap();
    let shown = format!("{options:?} {:?} {back:?}", MemoryStates::new());
    let journal = format!("{:?}", back.journal);
    assert!(!shown.contains(&journal), "{shown}");
    assert!(!shown.contains(&sealing) && !shown.contains("aaaa") && !shown.contains("97"), "{shown}");
    assert!(!URL_SAFE_NO_PAD.decode(state).unwrap().windows(7).any(|part| part == b"private"));
}

/// A store that says what was put, and fails on demand.
#[derive(Default)]
struct Watched {
    inner: MemoryStates,
    put: Mutex<Vec<(String, Bytes, Duration)>>,
    fails: AtomicBool,
}

impl Watched {
    fn ready<T>(&self) -> io::Result<Option<T>> {
        if self.fails.load(Ordering::Relaxed) { Err(io::Error::other("the disk is full")) } else { Ok(None) }
    }
}

impl StateStore for &'static Watched {
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

fn watched() -> &'static Watched {
    Box::leak(Box::default())
}

#[test]
fn a_journal_too_long_for_the_wire_goes_to_the_store_sealed() {
    // M26-495, S-451
    let store = watched();
    let options = options().store(store).state_bytes(1000).ttl(HOUR);
    let journal = b"secret ".repeat(1000);
    let short = sealed(&options, b"secret");
    assert!(store.put.lock().unwrap().is_empty(), "what fits travels with the client");
    let state = sealed(&options, &journal);
    assert!(state.len() < 350 && short.len() < 350, "{}", state.len());
    let (id, kept, ttl) = store.put.lock().unwrap()[0].clone();
    assert_eq!(ttl, HOUR);
    assert!(kept.len() >= journal.len() && !kept.windows(6).any(|part| part == b"secret"));
    assert!(!state.contains(&id), "the client does not learn the id");
    for _ in 0..2 {
        assert_eq!(opened(&options, &state).unwrap(), journal, "as often as it is asked for");
    }
    // M26-494: the journal is had by its caller alone.
    let eve = Binding { identity: Some("eve"), ..call() };
    assert_refused!(now(open(&options, &eve, &state)), Refused::OtherPrincipal);
    // A store that gives back something else is noticed.
    let second = sealed(&options, &b"other ".repeat(1000));
    let other = store.put.lock().unwrap()[1].1.clone();
    now(store.inner.put(&id, other, HOUR)).unwrap();
    assert_refused!(opened(&options, &state), Refused::StoreAltered);
    now(store.inner.put(&id, Bytes::new(), HOUR)).unwrap();
    assert_refused!(opened(&options, &state), Refused::StoreAltered);
    assert!(opened(&options, &second).is_ok());
    now(store.inner.take(&id)).unwrap();
    assert_refused!(opened(&options, &state), Refused::Gone);
    let storeless = options.clone().store(watched());
    assert_refused!(opened(&storeless, &second), Refused::Gone);
    assert_refused!(opened(&StateOptions::new().keys(options.keys.clone()), &second), Refused::NoStore);
}

#[test]
fn a_journal_outlives_a_rotation_in_the_store() {
    let ring = KeyRing::new(key(1));
    let options = options().keys(ring.clone()).store(MemoryStates::new());
    let journal = vec![1; 100_000];
    let state = sealed(&options, &journal);
    ring.rotate(key(2));
    assert_eq!(opened(&options, &state).unwrap(), journal);
}

#[test]
fn what_fits_nowhere_is_an_error_that_names_the_limit() {
    let options = options().state_bytes(1000).journal_bytes(5000);
    let error = |options: &StateOptions, journal: usize| now(seal(options, &call(), &vec![0; journal], 1)).unwrap_err();
    let most = (0..1000).rev().find(|length| now(seal(&options, &call(), &vec![0; *length], 1)).is_ok()).unwrap();
    let full = sealed(&options, &vec![0; most]);
    assert!((997..=1000).contains(&full.len()) && opened(&options, &full).is_ok(), "{}", full.len());
    let large = error(&options, 1000);
    assert!(matches!(large, SealError::TooLarge { bytes, limit: 1000 } if bytes > 1500), "{large:?}");
    let text = large.to_string();
    assert!(text.contains("1000 of StateOptions::state_bytes") && text.contains("StateOptions::store"), "{text}");
    let stored = options.clone().store(MemoryStates::new());
    assert!(now(seal(&stored, &call(), &[0; 5000], 1)).is_ok());
    let larger = error(&stored, 5001);
    assert!(matches!(larger, SealError::JournalTooLarge { bytes: 5001, limit: 5000 }), "{larger:?}");
    assert!(larger.to_string().contains("5000 of StateOptions::journal_bytes"), "{larger}");
    let tiny = stored.state_bytes(300);
    assert!(matches!(error(&tiny, 100), SealError::TooLarge { bytes: 312, limit: 300 }));
    // M26-241: nor is anything read that is longer than what is made.
    assert_refused!(opened(&options, &"A".repeat(1001)), Refused::TooLong { bytes: 1001, limit: 1000 });
}

#[test]
fn a_state_to_be_used_once_is_taken_once() {
    // M26-248
    let with_store = options().single_use(true).store(MemoryStates::new());
    for options in [options().single_use(true), with_store.clone(), with_store.state_bytes(400)] {
        let (one, two) = (sealed(&options, &[1; 300]), sealed(&options, &[2; 30]));
        // Whoever may not have it does not use it up.
        assert_refused!(now(open(&options, &Binding { identity: None, ..call() }, &one)), Refused::OtherPrincipal);
        assert_eq!(opened(&options, &one).unwrap(), [1; 300]);
        assert_refused!(opened(&options, &one), Refused::Gone);
        assert_eq!(opened(&options.clone(), &two).unwrap(), [2; 30]);
        assert_refused!(opened(&options, &two), Refused::Gone);
    }
}

#[test]
fn once_means_once_in_a_fleet_that_shares_a_store() {
    // M26-248
    let store = watched();
    let (one, two) = (options().single_use(true).store(store), options().single_use(true).store(store));
    let state = sealed(&one, b"journal");
    assert_eq!(opened(&two, &state).unwrap(), b"journal");
    assert_refused!(opened(&one, &state), Refused::Gone);
}

#[test]
fn single_use_holds_for_states_made_before_and_after_it_was_set() {
    // M26-248
    let often = options().store(MemoryStates::new());
    let once = often.clone().single_use(true);
    assert_refused!(opened(&once, &sealed(&often, b"often")), Refused::NotSingleUse);
    assert_refused!(opened(&once, &sealed(&often, &vec![0; 50_000])), Refused::NotSingleUse);
    let state = sealed(&once, b"once");
    assert_eq!(opened(&often, &state).unwrap(), b"once");
    assert_refused!(opened(&often, &state), Refused::Gone);
}

#[test]
fn a_store_without_being_asked_for_takes_marks_and_no_journals() {
    let options = options().single_use(true);
    assert!(matches!(now(seal(&options, &call(), &vec![0; 50_000], 1)), Err(SealError::TooLarge { .. })));
}

#[test]
fn a_store_that_fails_is_told_apart_from_one_that_has_nothing() {
    let store = watched();
    let options = options().store(store).single_use(true);
    let states = [sealed(&options, b"journal"), sealed(&options, &vec![0; 50_000])];
    store.fails.store(true, Ordering::Relaxed);
    for state in &states {
        let refused = opened(&options, state).unwrap_err();
        assert_eq!(refused.to_string(), "the store failed: the disk is full");
    }
    let error = now(seal(&options, &call(), b"journal", 1)).unwrap_err();
    assert_eq!(error.to_string(), "the store of request states cannot keep one: the disk is full");
    store.fails.store(false, Ordering::Relaxed);
    assert!(states.iter().all(|state| opened(&options, state).is_ok()), "nothing was used up");
}

#[test]
fn rounds_are_bounded_where_a_state_is_made_and_where_it_is_taken() {
    let options = options().rounds(3);
    let state = now(seal(&options, &call(), b"", 3)).unwrap();
    assert_eq!(now(open(&options, &call(), &state)).unwrap().round, 3);
    assert!(matches!(now(seal(&options, &call(), b"", 4)), Err(SealError::TooManyRounds { limit: 3 })));
    let fewer = options.clone().rounds(2);
    assert_refused!(opened(&fewer, &state), Refused::TooManyRounds { round: 3, limit: 2 });
}

#[test]
fn the_peer_hears_one_sentence_whatever_was_wrong() {
    // M26-243
    for refused in [Refused::NotBase64, Refused::OtherPrincipal, Refused::Expired(HOUR), Refused::Gone] {
        let error = refused.answer();
        assert_eq!(error.code, ErrorCode::INVALID_PARAMS);
        assert_eq!(error.message, "Invalid params: `requestState` is not valid here; begin again without it");
        assert!(error.data.is_none());
    }
}

#[test]
fn a_sealed_journal_of_the_store_is_no_state() {
    let options = options();
    let key = options.keys.sealing().unwrap();
    let claims = Claims { over: u64::MAX, round: 1, bound: Bound::to(&call()), place: Place::Here };
    let forged = |kind| URL_SAFE_NO_PAD.encode(envelope::seal(&key, kind, &claims.write(b"journal")).unwrap());
    assert_eq!(opened(&options, &forged(Kind::Wire)).unwrap(), b"journal");
    assert_refused!(opened(&options, &forged(Kind::Kept(&[]))), Refused::Altered);
    let unreadable = envelope::seal(&key, Kind::Wire, b"too short").unwrap();
    assert_refused!(opened(&options, &URL_SAFE_NO_PAD.encode(unreadable)), Refused::Unreadable);
}

#[test]
fn a_call_may_be_sealed_on_any_thread() {
    fn sendable<T: Send>(_: &T) {}
    let (options, call) = (options(), call());
    sendable(&seal(&options, &call, b"", 1));
    sendable(&open(&options, &call, ""));
}

#[test]
fn the_audience_is_the_name_of_the_server_unless_set() {
    assert_eq!(StateOptions::new().audience_or("demo"), "demo");
    assert_eq!(StateOptions::new().audience("fleet").audience_or("demo"), "fleet");
}

proptest! {
    #[test]
    fn no_text_opens(text in any::<String>()) {
        // M26-241, M26-243
        prop_assert!(opened(&options(), &text).is_err());
    }

    #[test]
    fn no_bytes_behind_a_good_header_open(tail in prop::collection::vec(any::<u8>(), 0..400)) {
        // M26-241, M26-243
        let forged = [&[1][..], &key(1).id(), &tail].concat();
        prop_assert!(matches!(opened(&options(), &URL_SAFE_NO_PAD.encode(forged)), Err(Refused::Altered)));
    }

    #[test]
    fn claims_are_read_as_they_were_written_or_not_at_all(
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
    fn any_journal_comes_back(journal in prop::collection::vec(any::<u8>(), 0..600), store in any::<bool>(), once in any::<bool>()) {
        let options = options().single_use(once);
        let options = if store { options.store(MemoryStates::new()).state_bytes(500) } else { options };
        prop_assert_eq!(opened(&options, &sealed(&options, &journal)).unwrap(), journal);
    }

    #[test]
    fn the_fuzzer_finds_nothing_at_once(input in prop::collection::vec(any::<u8>(), 0..300), round in any::<u32>()) {
        prop_assert!(fuzz::arguments_have_a_form(&String::from_utf8_lossy(&input)));
        prop_assert!(fuzz::text_is_refused(&String::from_utf8_lossy(&input)));
        prop_assert!(fuzz::plain_is_read_or_refused(&input));
        prop_assert!(fuzz::journal_comes_back(&input, round));
    }
}
