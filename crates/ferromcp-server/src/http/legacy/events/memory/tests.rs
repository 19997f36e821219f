//! Retention, eviction, and the correctness of replay.

use std::collections::HashMap;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use proptest::prelude::*;

use super::MemoryEventStore;
use crate::http::legacy::events::{EventReplay, EventStore, StreamKey};
use crate::request_state::StoreFuture;

/// Returns the result of a future that is ready at once.
fn now<T>(mut future: StoreFuture<'_, T>) -> T {
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome.unwrap(),
        Poll::Pending => panic!("the future is pending"),
    }
}

fn key(session: &str, stream: u64) -> StreamKey<'_> {
    StreamKey { session, stream }
}

#[test]
fn debug_omits_session_ids_and_events() {
    // S-176
    let store = MemoryEventStore::new();
    now(store.append(key("secret", 0), 1, Bytes::from_static(b"private")));
    let shown = format!("{store:?} {:?}", key("secret", 0));
    assert!(shown.contains("MemoryEventStore") && !shown.contains("secret") && !shown.contains("private"), "{shown}");
}

fn append(store: &MemoryEventStore, session: &str, stream: u64, number: u64) {
    now(store.append(key(session, stream), number, datum(session, stream, number, 10)));
}

fn datum(session: &str, stream: u64, number: u64, length: usize) -> Bytes {
    Bytes::from(format!("{session}/{stream}/{number}:{}", "x".repeat(length)))
}

fn numbers(replay: EventReplay) -> Option<(Vec<u64>, bool)> {
    match replay {
        EventReplay::Events { events, ended } => Some((events.iter().map(|(number, _)| *number).collect(), ended)),
        EventReplay::Lost => None,
    }
}

#[test]
fn replay_returns_later_events_of_the_same_stream_only() {
    // S-171, S-172
    let store = MemoryEventStore::new();
    for number in 1..=3 {
        append(&store, "a", 7, number);
        append(&store, "a", 8, number);
        append(&store, "b", 7, number);
    }
    let EventReplay::Events { events, ended } = now(store.replay(key("a", 7), 1)) else {
        panic!("no event was evicted")
    };
    assert_eq!(events, [(2, datum("a", 7, 2, 10)), (3, datum("a", 7, 3, 10))]);
    assert!(!ended);
    now(store.end(key("a", 7)));
    assert_eq!(numbers(now(store.replay(key("a", 7), 3))), Some((vec![], true)));
    assert_eq!(numbers(now(store.replay(key("a", 7), 0))), Some((vec![1, 2, 3], true)), "repeated");
    assert_eq!(numbers(now(store.replay(key("a", 8), 0))), Some((vec![1, 2, 3], false)));
}

#[test]
fn replay_is_lost_when_the_stream_or_event_is_unknown() {
    let store = MemoryEventStore::new();
    append(&store, "a", 1, 1);
    for (session, stream, after) in [("a", 1, 2), ("a", 1, u64::MAX), ("a", 2, 0), ("b", 1, 0), ("", 0, 0)] {
        assert_eq!(
            now(store.replay(key(session, stream), after)),
            EventReplay::Lost,
            "{session}/{stream} after {after}"
        );
    }
    now(store.forget("a"));
    assert_eq!(now(store.replay(key("a", 1), 0)), EventReplay::Lost);
    assert_eq!(store.store().bytes, 0);
}

#[test]
fn replay_is_lost_when_an_event_is_missing() {
    let store = MemoryEventStore::new();
    for number in [1, 2, 4, 3, 5] {
        append(&store, "a", 1, number);
    }
    assert_eq!(numbers(now(store.replay(key("a", 1), 2))), None);
    assert_eq!(numbers(now(store.replay(key("a", 1), 3))), Some((vec![4, 5], false)));
}

#[test]
fn evicts_the_oldest_events_when_events_per_stream_is_exceeded() {
    let store = MemoryEventStore::new().events_per_stream(3);
    (1..=5).for_each(|number| append(&store, "a", 1, number));
    assert_eq!(numbers(now(store.replay(key("a", 1), 1))), None);
    assert_eq!(numbers(now(store.replay(key("a", 1), 2))), Some((vec![3, 4, 5], false)));
}

#[test]
fn evicts_the_oldest_events_of_the_session_when_session_bytes_is_exceeded() {
    let store = MemoryEventStore::new().session_bytes(3500);
    append(&store, "other", 1, 1);
    append(&store, "a", 1, 1);
    (1..=100).for_each(|number| append(&store, "a", 2, number));
    assert_eq!(now(store.replay(key("a", 1), 0)), EventReplay::Lost, "the oldest");
    assert_eq!(now(store.replay(key("a", 2), 50)), EventReplay::Lost);
    assert!(matches!(now(store.replay(key("a", 2), 90)), EventReplay::Events { events, .. } if events.len() == 10));
    assert_eq!(numbers(now(store.replay(key("other", 1), 0))), Some((vec![1], false)));
}

#[test]
fn evicts_from_the_least_recently_used_session_when_total_bytes_is_exceeded() {
    let store = MemoryEventStore::new().total_bytes(6000);
    for session in ["old", "asked", "new"] {
        append(&store, session, 1, 1);
    }
    now(store.replay(key("asked", 1), 0));
    let mut number = 1;
    while now(store.replay(key("old", 1), 0)) != EventReplay::Lost {
        // The replay of `old` counts as a use, so the others are used after it.
        now(store.replay(key("asked", 1), 0));
        number += 1;
        append(&store, "new", 1, number);
        assert!(number < 100);
    }
    assert_eq!(numbers(now(store.replay(key("asked", 1), 0))), Some((vec![1], false)));
    assert_eq!(numbers(now(store.replay(key("new", 1), number - 1))), Some((vec![number], false)));
}

#[test]
fn event_is_not_stored_when_it_exceeds_the_limit() {
    let store = MemoryEventStore::new().session_bytes(1000);
    now(store.append(key("a", 1), 1, datum("a", 1, 1, 2000)));
    assert_eq!(now(store.replay(key("a", 1), 0)), EventReplay::Lost);
    let inner = store.store();
    assert!(inner.sessions.is_empty() && inner.by_use.is_empty() && inner.bytes == 0);
}

#[derive(Debug, Clone)]
enum Operation {
    Append { session: usize, stream: u64, length: usize },
    Miss { session: usize, stream: u64 },
    End { session: usize, stream: u64 },
    Replay { session: usize, stream: u64, back: u64 },
    Forget { session: usize },
}

fn operation() -> impl Strategy<Value = Operation> {
    let (session, stream) = (0..4_usize, 0..3_u64);
    prop_oneof![
        20 => (session.clone(), stream.clone(), 0..300_usize)
            .prop_map(|(session, stream, length)| Operation::Append { session, stream, length }),
        1 => (session.clone(), stream.clone()).prop_map(|(session, stream)| Operation::Miss { session, stream }),
        1 => (session.clone(), stream.clone()).prop_map(|(session, stream)| Operation::End { session, stream }),
        10 => (session.clone(), stream, 0..12_u64)
            .prop_map(|(session, stream, back)| Operation::Replay { session, stream, back }),
        1 => session.prop_map(|session| Operation::Forget { session }),
    ]
}

proptest! {
    #[test]
    fn replay_returns_all_later_events_or_lost(
        operations in prop::collection::vec(operation(), 1..200),
        total in 500..6000_usize,
        session_bytes in 300..3000_usize,
        per_stream in 1..8_usize,
    ) {
        // S-171, S-172
        let names = ["a", "b", "c", "d"];
        let store = MemoryEventStore::new().total_bytes(total).session_bytes(session_bytes).events_per_stream(per_stream);
        // The events of each stream. `None` is an event that was never appended.
        let mut sent: HashMap<(usize, u64), Vec<Option<Bytes>>> = HashMap::new();
        let mut ended: HashMap<(usize, u64), bool> = HashMap::new();
        for operation in operations {
            match operation {
                Operation::Append { session, stream, length } => {
                    let all = sent.entry((session, stream)).or_default();
                    let number = all.len() as u64 + 1;
                    let data = datum(names[session], stream, number, length);
                    all.push(Some(data.clone()));
                    ended.remove(&(session, stream));
                    now(store.append(key(names[session], stream), number, data));
                }
                Operation::Miss { session, stream } => sent.entry((session, stream)).or_default().push(None),
                Operation::End { session, stream } => {
                    now(store.end(key(names[session], stream)));
                    ended.insert((session, stream), true);
                }
                Operation::Replay { session, stream, back } => {
                    let all = sent.get(&(session, stream)).cloned().unwrap_or_default();
                    let after = (all.len() as u64).saturating_sub(back);
                    if let EventReplay::Events { events, ended: is_ended } = now(store.replay(key(names[session], stream), after)) {
                        // The store cannot detect a missing event at the end.
                        let known = all.len() - all.iter().rev().take_while(|event| event.is_none()).count();
                        let rest: Vec<_> = (after + 1..)
                            .zip(all[..known].iter().skip(usize::try_from(after).unwrap()))
                            .map(|(number, data)| (number, data.clone().expect("the replay has a gap")))
                            .collect();
                        prop_assert_eq!(events, rest);
                        prop_assert!(!is_ended || ended.contains_key(&(session, stream)));
                    }
                }
                Operation::Forget { session } => {
                    now(store.forget(names[session]));
                    prop_assert!((0..3).all(|stream| now(store.replay(key(names[session], stream), 0)) == EventReplay::Lost));
                }
            }
            let inner = store.store();
            prop_assert!(inner.bytes <= total);
            prop_assert_eq!(inner.bytes, inner.sessions.values().map(|session| session.log.bytes()).sum::<usize>());
            prop_assert!(inner.sessions.values().all(|session| (1..=session_bytes).contains(&session.log.bytes())));
            prop_assert_eq!(inner.sessions.len(), inner.by_use.len());
        }
    }

    #[test]
    fn replay_is_complete_when_no_limit_is_exceeded(counts in prop::collection::vec(1..40_u64, 1..5), after in 0..40_u64) {
        // S-171
        let store = MemoryEventStore::new();
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
