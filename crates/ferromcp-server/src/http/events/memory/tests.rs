//! What is kept, what gives way, and that a replay is never wrong.

use std::collections::HashMap;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use proptest::prelude::*;

use super::MemoryEvents;
use crate::http::events::{EventStore, Replay, StoreFuture, StreamKey};

/// The answer of a store that never waits.
fn now<T>(mut future: StoreFuture<'_, T>) -> T {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome.unwrap(),
        Poll::Pending => panic!("a store in memory does not wait"),
    }
}

fn key(session: &str, stream: u64) -> StreamKey<'_> {
    StreamKey { session, stream }
}

#[test]
fn no_session_and_no_event_is_shown_when_debugging() {
    // S-176
    let store = MemoryEvents::new();
    now(store.append(key("secret", 0), 1, Bytes::from_static(b"private")));
    let shown = format!("{store:?} {:?}", key("secret", 0));
    assert!(shown.contains("MemoryEvents") && !shown.contains("secret") && !shown.contains("private"), "{shown}");
}

fn append(store: &MemoryEvents, session: &str, stream: u64, number: u64) {
    now(store.append(key(session, stream), number, datum(session, stream, number, 10)));
}

fn datum(session: &str, stream: u64, number: u64, length: usize) -> Bytes {
    Bytes::from(format!("{session}/{stream}/{number}:{}", "x".repeat(length)))
}

fn numbers(replay: Replay) -> Option<(Vec<u64>, bool)> {
    match replay {
        Replay::Events { events, ended } => Some((events.iter().map(|(number, _)| *number).collect(), ended)),
        Replay::Lost => None,
    }
}

#[test]
fn what_came_after_an_event_is_replayed_of_its_stream_alone() {
    // S-171, S-172
    let store = MemoryEvents::new();
    for number in 1..=3 {
        append(&store, "a", 7, number);
        append(&store, "a", 8, number);
        append(&store, "b", 7, number);
    }
    let Replay::Events { events, ended } = now(store.replay(key("a", 7), 1)) else { panic!("it is all there") };
    assert_eq!(events, [(2, datum("a", 7, 2, 10)), (3, datum("a", 7, 3, 10))]);
    assert!(!ended);
    now(store.end(key("a", 7)));
    assert_eq!(numbers(now(store.replay(key("a", 7), 3))), Some((vec![], true)));
    assert_eq!(numbers(now(store.replay(key("a", 7), 0))), Some((vec![1, 2, 3], true)), "once more");
    assert_eq!(numbers(now(store.replay(key("a", 8), 0))), Some((vec![1, 2, 3], false)));
}

#[test]
fn what_nobody_sent_is_lost() {
    let store = MemoryEvents::new();
    append(&store, "a", 1, 1);
    for (session, stream, after) in [("a", 1, 2), ("a", 1, u64::MAX), ("a", 2, 0), ("b", 1, 0), ("", 0, 0)] {
        assert_eq!(now(store.replay(key(session, stream), after)), Replay::Lost, "{session}/{stream} after {after}");
    }
    now(store.forget("a"));
    assert_eq!(now(store.replay(key("a", 1), 0)), Replay::Lost);
    assert_eq!(store.store().bytes, 0);
}

#[test]
fn an_event_that_did_not_arrive_loses_what_was_before_it() {
    let store = MemoryEvents::new();
    for number in [1, 2, 4, 3, 5] {
        append(&store, "a", 1, number);
    }
    assert_eq!(numbers(now(store.replay(key("a", 1), 2))), None);
    assert_eq!(numbers(now(store.replay(key("a", 1), 3))), Some((vec![4, 5], false)));
}

#[test]
fn a_long_stream_keeps_its_newest_events() {
    let store = MemoryEvents::new().events_per_stream(3);
    (1..=5).for_each(|number| append(&store, "a", 1, number));
    assert_eq!(numbers(now(store.replay(key("a", 1), 1))), None);
    assert_eq!(numbers(now(store.replay(key("a", 1), 2))), Some((vec![3, 4, 5], false)));
}

#[test]
fn a_full_session_loses_its_oldest_events_and_harms_no_other() {
    let store = MemoryEvents::new().session_bytes(2000);
    append(&store, "other", 1, 1);
    append(&store, "a", 1, 1);
    (1..=100).for_each(|number| append(&store, "a", 2, number));
    assert_eq!(now(store.replay(key("a", 1), 0)), Replay::Lost, "the oldest");
    assert_eq!(now(store.replay(key("a", 2), 50)), Replay::Lost);
    assert!(matches!(now(store.replay(key("a", 2), 90)), Replay::Events { events, .. } if events.len() == 10));
    assert_eq!(numbers(now(store.replay(key("other", 1), 0))), Some((vec![1], false)));
}

#[test]
fn a_full_store_loses_of_the_session_left_alone_for_longest() {
    let store = MemoryEvents::new().total_bytes(2000);
    for session in ["old", "asked", "new"] {
        append(&store, session, 1, 1);
    }
    now(store.replay(key("asked", 1), 0));
    let mut number = 1;
    while now(store.replay(key("old", 1), 0)) != Replay::Lost {
        // Asking for it was a use, so the others are used after it.
        now(store.replay(key("asked", 1), 0));
        number += 1;
        append(&store, "new", 1, number);
        assert!(number < 100);
    }
    assert_eq!(numbers(now(store.replay(key("asked", 1), 0))), Some((vec![1], false)));
    assert_eq!(numbers(now(store.replay(key("new", 1), number - 1))), Some((vec![number], false)));
}

#[test]
fn an_event_greater_than_the_bounds_is_not_kept() {
    let store = MemoryEvents::new().session_bytes(1000);
    now(store.append(key("a", 1), 1, datum("a", 1, 1, 2000)));
    assert_eq!(now(store.replay(key("a", 1), 0)), Replay::Lost);
    let inner = store.store();
    assert!(inner.sessions.is_empty() && inner.by_use.is_empty() && inner.bytes == 0);
}

#[derive(Debug, Clone)]
enum Deed {
    Append { session: usize, stream: u64, length: usize },
    Miss { session: usize, stream: u64 },
    End { session: usize, stream: u64 },
    Replay { session: usize, stream: u64, back: u64 },
    Forget { session: usize },
}

fn deed() -> impl Strategy<Value = Deed> {
    let (session, stream) = (0..4_usize, 0..3_u64);
    prop_oneof![
        20 => (session.clone(), stream.clone(), 0..300_usize)
            .prop_map(|(session, stream, length)| Deed::Append { session, stream, length }),
        1 => (session.clone(), stream.clone()).prop_map(|(session, stream)| Deed::Miss { session, stream }),
        1 => (session.clone(), stream.clone()).prop_map(|(session, stream)| Deed::End { session, stream }),
        10 => (session.clone(), stream, 0..12_u64)
            .prop_map(|(session, stream, back)| Deed::Replay { session, stream, back }),
        1 => session.prop_map(|session| Deed::Forget { session }),
    ]
}

proptest! {
    #[test]
    fn a_replay_is_exactly_the_rest_or_lost(
        deeds in prop::collection::vec(deed(), 1..200),
        total in 500..6000_usize,
        session_bytes in 300..3000_usize,
        per_stream in 1..8_usize,
    ) {
        // S-171, S-172
        let names = ["a", "b", "c", "d"];
        let store = MemoryEvents::new().total_bytes(total).session_bytes(session_bytes).events_per_stream(per_stream);
        // What was sent of each stream; `None` is an event that never reached the store.
        let mut sent: HashMap<(usize, u64), Vec<Option<Bytes>>> = HashMap::new();
        let mut ended: HashMap<(usize, u64), bool> = HashMap::new();
        for deed in deeds {
            match deed {
                Deed::Append { session, stream, length } => {
                    let all = sent.entry((session, stream)).or_default();
                    let number = all.len() as u64 + 1;
                    let data = datum(names[session], stream, number, length);
                    all.push(Some(data.clone()));
                    ended.remove(&(session, stream));
                    now(store.append(key(names[session], stream), number, data));
                }
                Deed::Miss { session, stream } => sent.entry((session, stream)).or_default().push(None),
                Deed::End { session, stream } => {
                    now(store.end(key(names[session], stream)));
                    ended.insert((session, stream), true);
                }
                Deed::Replay { session, stream, back } => {
                    let all = sent.get(&(session, stream)).cloned().unwrap_or_default();
                    let after = (all.len() as u64).saturating_sub(back);
                    if let Replay::Events { events, ended: over } = now(store.replay(key(names[session], stream), after)) {
                        // An event that was missed at the very end is not known of yet.
                        let known = all.len() - all.iter().rev().take_while(|event| event.is_none()).count();
                        let rest: Vec<_> = (after + 1..)
                            .zip(all[..known].iter().skip(usize::try_from(after).unwrap()))
                            .map(|(number, data)| (number, data.clone().expect("a gap is not replayed over")))
                            .collect();
                        prop_assert_eq!(events, rest);
                        prop_assert!(!over || ended.contains_key(&(session, stream)));
                    }
                }
                Deed::Forget { session } => {
                    now(store.forget(names[session]));
                    prop_assert!((0..3).all(|stream| now(store.replay(key(names[session], stream), 0)) == Replay::Lost));
                }
            }
            let inner = store.store();
            prop_assert!(inner.bytes <= total);
            prop_assert_eq!(inner.bytes, inner.sessions.values().map(|session| session.kept.bytes()).sum::<usize>());
            prop_assert!(inner.sessions.values().all(|session| (1..=session_bytes).contains(&session.kept.bytes())));
            prop_assert_eq!(inner.sessions.len(), inner.by_use.len());
        }
    }

    #[test]
    fn within_the_bounds_nothing_is_lost(counts in prop::collection::vec(1..40_u64, 1..5), after in 0..40_u64) {
        // S-171
        let store = MemoryEvents::new();
        for (stream, &count) in (0..).zip(&counts) {
            (1..=count).for_each(|number| append(&store, "a", stream, number));
        }
        for (stream, &count) in (0..).zip(&counts) {
            let after = after.min(count);
            prop_assert_eq!(
                numbers(now(store.replay(key("a", stream), after))),
                Some(((after + 1..=count).collect(), false))
            );
        }
    }
}
