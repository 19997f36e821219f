//! The events of one session in memory: its streams, and which of their events is the oldest.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use super::Replay;

/// What an event counts beside its data.
const EVENT_COST: usize = 64;

/// What a stream counts beside its events.
const STREAM_COST: usize = 256;

/// The kept streams of a session. A stream is here exactly as long as an event of it is.
#[derive(Debug, Default)]
pub(super) struct Kept {
    streams: HashMap<u64, Stream>,
    /// The stream at the age of its first event; the first entry has the session's oldest.
    by_age: BTreeMap<u64, u64>,
    /// The age that the next event gets.
    age: u64,
    bytes: usize,
}

/// The newest events of a stream, without gaps.
#[derive(Debug)]
struct Stream {
    /// The number of the first event that is kept.
    first: u64,
    events: VecDeque<Event>,
    ended: bool,
}

#[derive(Debug)]
struct Event {
    age: u64,
    data: Bytes,
}

impl Kept {
    /// What all of it counts against the bounds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps an event, and at most `most` of its stream.
    pub(super) fn append(&mut self, number: u64, stream: u64, data: Bytes, most: usize) {
        if let Some(known) = self.streams.get(&stream) {
            let expected = known.expected();
            if number < expected {
                return; // it is here, or was
            }
            if number > expected {
                // One is missing before it, so nothing up to it can be replayed.
                self.remove(stream);
            }
        }
        self.age += 1;
        self.bytes += EVENT_COST + data.len();
        let known = self.streams.entry(stream).or_insert_with(|| {
            self.bytes += STREAM_COST;
            self.by_age.insert(self.age, stream);
            Stream { first: number, events: VecDeque::new(), ended: false }
        });
        known.ended = false;
        known.events.push_back(Event { age: self.age, data });
        if known.events.len() > most.max(1) {
            self.evict_of(stream);
        }
    }

    /// Notes that the stream has no more events.
    pub(super) fn end(&mut self, stream: u64) {
        if let Some(known) = self.streams.get_mut(&stream) {
            known.ended = true;
        }
    }

    /// What came after `after`.
    pub(super) fn replay(&self, stream: u64, after: u64) -> Replay {
        let Some(known) = self.streams.get(&stream) else { return Replay::Lost };
        let Some(from) = after.checked_add(1).filter(|from| (known.first..=known.expected()).contains(from)) else {
            return Replay::Lost;
        };
        let skip = usize::try_from(from - known.first).unwrap_or(usize::MAX);
        let events = (from..).zip(known.events.iter().skip(skip).map(|event| event.data.clone())).collect();
        Replay::Events { events, ended: known.ended }
    }

    /// Drops the oldest event of all. False if there is none.
    pub(super) fn evict(&mut self) -> bool {
        let Some((_, &stream)) = self.by_age.first_key_value() else { return false };
        self.evict_of(stream);
        true
    }

    /// Drops the oldest event of a stream, and the stream with its last.
    fn evict_of(&mut self, stream: u64) {
        let Some(known) = self.streams.get_mut(&stream) else { return };
        let Some(oldest) = known.events.pop_front() else { return };
        known.first += 1;
        self.bytes -= EVENT_COST + oldest.data.len();
        self.by_age.remove(&oldest.age);
        if let Some(next) = known.events.front() {
            self.by_age.insert(next.age, stream);
        } else {
            self.streams.remove(&stream);
            self.bytes -= STREAM_COST;
        }
    }

    fn remove(&mut self, stream: u64) {
        let Some(known) = self.streams.remove(&stream) else { return };
        if let Some(oldest) = known.events.front() {
            self.by_age.remove(&oldest.age);
        }
        self.bytes -= STREAM_COST + known.events.iter().map(|event| EVENT_COST + event.data.len()).sum::<usize>();
    }
}

impl Stream {
    /// The number of the event that comes next.
    fn expected(&self) -> u64 {
        self.first.saturating_add(self.events.len() as u64)
    }
}
