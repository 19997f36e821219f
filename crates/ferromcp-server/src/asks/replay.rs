//! One run of a handler against the journal of its call.
//!
//! What is known comes to the handler between the same two polls as it once did: so a handler with several branches
//! (`join!`) goes the same way each time, as far as that is ours to say. A question is known by its text, several of the
//! same text by their order, unless it has a key. Its place only tells that it has changed: where an answer is left over
//! for the place of a question that has none.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use ferromcp_core::model::InputRequest;
use ferromcp_core::{RawJson, RawMap, Str};

use super::error::{AskError, Kind};
use super::hand::Hand;
use super::journal::{Answer, Journal, Open, Step, digest};
use super::question::{Asked, excerpt, has_shape};

/// What the number of polls of a long wait is shortened by: a multiple of all small numbers of branches.
const TURN: u32 = 60;

/// One run of a handler.
pub(crate) struct Replay(Mutex<Run>);

#[derive(Default)]
struct Run {
    journal: Journal,
    /// Which round this is; the first is 1.
    round: u32,
    /// The answers to the last round as they came.
    latest: RawMap,
    /// Answers to what was not asked yet.
    forestalled: RawMap,
    /// How many questions without a key were asked.
    asked: u32,
    /// How often each name was used for a question, and for a step.
    names: HashMap<Str, u32>,
    steps: HashMap<Str, u32>,
    /// The answers of the journal that were given out.
    used: HashSet<usize>,
    seats: Vec<Seat>,
    /// How often the handler was polled.
    clock: u32,
    /// When something last came to it.
    last: u32,
    /// What is asked, once the run is over.
    open: Vec<(Open, Box<InputRequest>)>,
    /// Effects under way; nothing is asked before they are done.
    busy: usize,
    /// Whoever drives the handler, while it waits.
    driver: Option<Waker>,
    /// What is asked by hand.
    hand: Option<Hand>,
}

/// Where something waits for what comes to it from outside.
struct Seat {
    state: SeatState,
    waker: Option<Waker>,
}

enum SeatState {
    /// A question without an answer.
    Open(Open, Box<InputRequest>),
    /// Known, and to be given at its tick.
    Coming(u32, RawJson),
    /// There to be taken.
    Here(RawJson),
    /// Not to be had.
    Failed(AskError),
    /// Taken, or wanted no more.
    Gone,
}

/// What is known of an effect.
pub(crate) enum Recalled {
    /// It is still to be had: under this name, it is done now.
    New(Str),
    /// It took no waiting.
    Here(RawJson),
    /// It comes to this seat.
    Seat(usize),
}

/// What follows when a poll of the handler is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    /// Something came; the handler goes on.
    Again,
    /// It waits for something else.
    Wait,
    /// It waits for answers.
    Suspend,
}

impl Replay {
    /// The first run of a call.
    pub(crate) fn first() -> Self {
        Self(Mutex::new(Run { round: 1, ..Run::default() }))
    }

    /// The first run of a call whose client answers before it is asked: what it says counts for questions with a key, by
    /// which it can know them.
    pub(crate) fn forestalled(answers: RawMap) -> Self {
        Self(Mutex::new(Run { round: 1, latest: answers.clone(), forestalled: answers, ..Run::default() }))
    }

    /// A run against what is known from `rounds` earlier ones; `latest` are the answers to the last one.
    pub(crate) fn again(journal: Journal, rounds: u32, latest: RawMap) -> Self {
        Self(Mutex::new(Run { journal, round: rounds.saturating_add(1), latest, ..Run::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which round this is; the first is 1.
    pub(crate) fn round(&self) -> u32 {
        self.lock().round
    }

    /// The answer of the last round under `key`, as it came.
    pub(crate) fn latest(&self, key: &str) -> Option<RawJson> {
        self.lock().latest.get(key).cloned()
    }

    /// What the handler left by hand.
    pub(crate) fn own(&self) -> Option<RawJson> {
        self.lock().journal.own.clone()
    }

    /// Asks by hand when the handler is over.
    pub(crate) fn ask_by_hand(&self, hand: Hand) {
        self.lock().hand = Some(hand);
    }

    /// What is asked by hand.
    pub(crate) fn take_hand(&self) -> Option<Hand> {
        self.lock().hand.take()
    }

    /// Takes a seat for the answer to a question.
    pub(crate) fn ask(&self, request: &InputRequest, key: Option<&str>) -> usize {
        let mut run = self.lock();
        let (seat, wakes) = (run.find(request, key), run.driver.take());
        let place = run.sit(seat);
        drop(run);
        if let Some(driver) = wakes {
            driver.wake(); // it was asked outside of the handler's own poll
        }
        place
    }

    /// What is known of the effect `name`. Ones that are done again and again are counted.
    pub(crate) fn recall(&self, name: &str) -> Recalled {
        let mut run = self.lock();
        let name = nth(&mut run.steps, name);
        let Some(step) = run.journal.steps.iter().find(|step| step.name == name) else { return Recalled::New(name) };
        let (tick, value) = (step.tick, step.value.clone());
        if tick == 0 { Recalled::Here(value) } else { Recalled::Seat(run.sit(SeatState::Coming(tick, value))) }
    }

    /// An effect begins, or is `over`.
    pub(crate) fn busy(&self, over: bool) {
        let mut run = self.lock();
        run.busy = if over { run.busy.saturating_sub(1) } else { run.busy + 1 };
        let driver = if over { run.driver.take() } else { None };
        drop(run);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Notes the result of an effect, and whether it had to wait for it.
    pub(crate) fn note(&self, name: Str, value: RawJson, waited: bool) {
        let mut run = self.lock();
        let tick = if waited { run.happened() } else { 0 };
        run.journal.steps.push(Step { name, tick, value });
    }

    /// What came to a seat.
    ///
    /// # Errors
    /// When the question changes with each run.
    pub(crate) fn poll_seat(&self, place: usize, cx: &mut Context<'_>) -> Poll<Result<RawJson, AskError>> {
        let mut run = self.lock();
        let Some(seat) = run.seats.get_mut(place) else { return Poll::Pending };
        match std::mem::replace(&mut seat.state, SeatState::Gone) {
            SeatState::Here(value) => return Poll::Ready(Ok(value)),
            SeatState::Failed(error) => return Poll::Ready(Err(error)),
            waiting => seat.state = waiting,
        }
        seat.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Nobody waits at a seat any more.
    pub(crate) fn leave(&self, place: usize) {
        if let Some(seat) = self.lock().seats.get_mut(place) {
            seat.state = SeatState::Gone;
        }
    }

    /// The handler waits: gives it what is known next, or says what follows.
    pub(crate) fn settle(&self, cx: &Context<'_>) -> Settled {
        let mut run = self.lock();
        run.clock = run.clock.saturating_add(1);
        if let Some(wakers) = run.deliver() {
            drop(run);
            wakers.into_iter().flatten().for_each(Waker::wake);
            return Settled::Again;
        }
        if run.busy == 0 {
            let wakers = run.fail_changed();
            if !wakers.is_empty() {
                drop(run);
                wakers.into_iter().flatten().for_each(Waker::wake);
                return Settled::Again;
            }
            run.open = run.take_open();
            if !run.open.is_empty() {
                return Settled::Suspend;
            }
        }
        run.driver = Some(cx.waker().clone());
        Settled::Wait
    }

    /// Keeps the journal for the next run in this process.
    pub(crate) fn keep(&self, journal: Journal) {
        self.lock().journal = journal;
    }

    /// The journal that was kept.
    pub(crate) fn kept(&self) -> Journal {
        std::mem::take(&mut self.lock().journal)
    }

    /// The questions that are open, and the journal to come back with.
    pub(crate) fn suspend(&self) -> (Vec<(String, InputRequest)>, Journal) {
        let mut run = self.lock();
        let mut journal = std::mem::take(&mut run.journal);
        journal.tick = run.clock;
        let open = std::mem::take(&mut run.open);
        let mut questions = Vec::with_capacity(open.len());
        for (question, request) in open {
            questions.push((question.key.to_string(), *request));
            journal.open.push(question);
        }
        (questions, journal)
    }
}

impl Run {
    fn sit(&mut self, state: SeatState) -> usize {
        self.seats.push(Seat { state, waker: None });
        self.seats.len() - 1
    }

    /// Finds the answer to a question, or opens it.
    fn find(&mut self, request: &InputRequest, key: Option<&str>) -> SeatState {
        let keyed = key.is_some();
        let key = if let Some(key) = key {
            nth(&mut self.names, key)
        } else {
            self.asked += 1;
            let place = format!("q{}", self.asked);
            nth(&mut self.names, &place)
        };
        let (digest, asked) = (digest(request), Asked::of(request));
        let is_it = |(place, answer): &(usize, &Answer)| {
            let same = if keyed { answer.question.key == key } else { answer.question.digest == digest };
            same && answer.question.asked == asked && !self.used.contains(place)
        };
        if let Some((place, answer)) = self.journal.answers.iter().enumerate().find(is_it) {
            self.used.insert(place);
            return SeatState::Coming(answer.tick, answer.value.clone());
        }
        let open = Open { key, asked, digest, words: excerpt(request), changed: false };
        if let Some(value) = self.forestalled.remove(&open.key).filter(|value| keyed && has_shape(asked, value).is_ok())
        {
            let tick = self.clock + 2; // with the next poll
            let answer = Answer { question: open, tick, value: value.clone() };
            self.used.insert(self.journal.answers.len());
            self.journal.answers.push(answer);
            return SeatState::Coming(tick, value);
        }
        SeatState::Open(open, Box::new(request.clone()))
    }

    /// Looks for open questions in whose place there was another, whose answer nobody wanted. That may be so once; a
    /// question that was another one before already changes with each run, and fails.
    fn fail_changed(&mut self) -> Vec<Option<Waker>> {
        let left = |(place, _): &(usize, &Answer)| !self.used.contains(place);
        let left: Vec<&Open> =
            self.journal.answers.iter().enumerate().filter(left).map(|(_, answer)| &answer.question).collect();
        let mut wakers = Vec::new();
        for seat in &mut self.seats {
            let SeatState::Open(open, _) = &mut seat.state else { continue };
            let mut before = left.iter().filter(|before| before.key == open.key && before.digest != open.digest);
            let Some(first) = before.next() else { continue };
            open.changed = true;
            if let Some(before) = std::iter::once(first).chain(before).find(|before| before.changed) {
                let changed = Kind::Changed { before: before.words.clone(), now: open.words.clone() };
                seat.state = SeatState::Failed(changed.into());
                wakers.push(seat.waker.take());
            }
        }
        wakers
    }

    /// The questions that are open: to be taken before whoever waits for them is dropped.
    fn take_open(&mut self) -> Vec<(Open, Box<InputRequest>)> {
        let mut open = Vec::new();
        for seat in self.seats.iter_mut().filter(|seat| matches!(seat.state, SeatState::Open(..))) {
            if let SeatState::Open(question, request) = std::mem::replace(&mut seat.state, SeatState::Gone) {
                open.push((question, request));
            }
        }
        open
    }

    /// The tick of something that happens in the poll under way. Long waits are shortened by whole turns, so that the next
    /// run need not poll as often; whoever takes turns at being polled first, as the branches of `join!` do, comes out
    /// the same.
    fn happened(&mut self) -> u32 {
        let waited = (self.clock + 1).saturating_sub(self.last);
        if waited > 2 * TURN {
            self.clock = self.last + TURN + waited % TURN - 1;
        }
        self.last = self.clock + 1;
        self.last
    }

    /// Gives out what comes with the next poll, and returns whom to wake; `None` if nothing comes, then or later.
    fn deliver(&mut self) -> Option<Vec<Option<Waker>>> {
        let tick = |seat: &Seat| match seat.state {
            SeatState::Coming(tick, _) => Some(tick),
            _ => None,
        };
        let earliest = self.seats.iter().filter_map(tick).min()?;
        let mut wakers = Vec::new();
        if earliest > self.clock + 1 {
            return Some(wakers); // nothing came with the next poll
        }
        self.last = self.clock + 1;
        for seat in self.seats.iter_mut().filter(|seat| tick(seat) == Some(earliest)) {
            if let SeatState::Coming(_, value) = std::mem::replace(&mut seat.state, SeatState::Gone) {
                seat.state = SeatState::Here(value);
                wakers.push(seat.waker.take());
            }
        }
        Some(wakers)
    }
}

/// The name as it is used for the first time, and `name-2` and so on after that.
fn nth(names: &mut HashMap<Str, u32>, name: &str) -> Str {
    loop {
        let count = names.entry(name.into()).or_insert(0);
        *count += 1;
        if *count == 1 {
            return name.into();
        }
        let counted = Str::from(format!("{name}-{count}"));
        // Somebody may have used that very name for something else.
        if !names.contains_key(&counted) {
            names.insert(counted.clone(), 1);
            return counted;
        }
    }
}
