//! The events of one session in memory: its streams, ordered by their oldest event.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use super::EventReplay;

/// The size of an event in bytes, in addition to its data: its place in a queue that may be half empty, and the reference
/// count of its data.
const EVENT_COST: usize = 128;

/// The size of a stream in bytes, in addition to its events.
const STREAM_COST: usize = 320;

/// The size of a session in bytes, in addition to its streams: its id, and its place in the maps.
const SESSION_COST: usize = 1024;

/// Queues of this length or more are shrunk when they are mostly empty.
const MIN_SHRUNK: usize = 64;

/// The stored streams of a session. Every stream has at least one event.
#[derive(Debug, Default)]
pub(super) struct SessionLog {
    streams: HashMap<u64, Stream>,
    /// The streams by the age of their first event. The first entry has the oldest event of the session.
    by_age: BTreeMap<u64, u64>,
    /// The age of the newest event.
    age: u64,
    bytes: usize,
}

/// The newest events of a stream, without gaps.
#[derive(Debug)]
struct Stream {
    /// The number of the first stored event.
    first: u64,
    events: VecDeque<Event>,
    ended: bool,
}

#[derive(Debug)]
struct Event {
    age: u64,
    data: Bytes,
}

impl SessionLog {
    /// Returns the size in bytes, as counted against the limits. A session without events has no size.
    pub(super) fn bytes(&self) -> usize {
        if self.streams.is_empty() { 0 } else { SESSION_COST + self.bytes }
    }

    /// Appends an event, and keeps at most `max` events of its stream.
    pub(super) fn append(&mut self, number: u64, stream: u64, data: &[u8], max: usize) {
        if let Some(known) = self.streams.get(&stream) {
            let expected = known.expected();
            if number < expected {
                return; // a duplicate
            }
            if number > expected {
                // The event before it is missing, so the earlier ones cannot be replayed.
                self.remove(stream);
            }
        }
        self.age += 1;
        self.bytes += EVENT_COST + data.len();
        let data = Bytes::copy_from_slice(data); // the buffer of the message may be larger
        let known = self.streams.entry(stream).or_insert_with(|| {
            self.bytes += STREAM_COST;
            self.by_age.insert(self.age, stream);
            Stream { first: number, events: VecDeque::new(), ended: false }
        });
        known.ended = false;
        known.events.push_back(Event { age: self.age, data });
        if known.events.len() > max.max(1) {
            self.evict_from(stream);
        }
    }

    /// Marks a stream as ended.
    pub(super) fn end(&mut self, stream: u64) {
        if let Some(known) = self.streams.get_mut(&stream) {
            known.ended = true;
        }
    }

    /// Returns the events after number `after`.
    pub(super) fn replay(&self, stream: u64, after: u64) -> EventReplay {
        let Some(known) = self.streams.get(&stream) else { return EventReplay::Lost };
        let Some(from) = after.checked_add(1).filter(|from| (known.first..=known.expected()).contains(from)) else {
            return EventReplay::Lost;
        };
        let skip = usize::try_from(from - known.first).unwrap_or(usize::MAX);
        let events = (from..).zip(known.events.iter().skip(skip).map(|event| event.data.clone())).collect();
        EventReplay::Events { events, ended: known.ended }
    }

    /// Evicts the oldest event. Returns false if there are no events.
    pub(super) fn evict(&mut self) -> bool {
        let Some((_, &stream)) = self.by_age.first_key_value() else { return false };
        self.evict_from(stream);
        true
    }

    /// Evicts the oldest event of a stream, and removes a stream without events.
    fn evict_from(&mut self, stream: u64) {
        let Some(known) = self.streams.get_mut(&stream) else { return };
        let Some(oldest) = known.events.pop_front() else { return };
        known.first += 1;
        self.bytes -= EVENT_COST + oldest.data.len();
        self.by_age.remove(&oldest.age);
        if known.events.capacity() >= MIN_SHRUNK && known.events.capacity() / 4 > known.events.len() {
            known.events.shrink_to(known.events.len() * 2);
        }
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
    /// Returns the number of the next event.
    fn expected(&self) -> u64 {
        self.first.saturating_add(self.events.len() as u64)
    }
}
