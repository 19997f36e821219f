//! One run of a handler, which replays the journal of its call.
//!
//! Recorded values are delivered between the same two polls as in the original run, so that concurrent branches
//! (`join!`) proceed in the same order. A question without a key is identified by its text, and equal texts by their
//! order. Its position is used only to detect a change: a recorded answer at the position of a question without an
//! answer.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use ferromcp_core::model::InputRequest;
use ferromcp_core::{RawJson, RawMap, Str};

use super::journal::{Answer, Journal, OpenQuestion, Step, digest};
use super::question_kind::{QuestionKind, excerpt, validate_shape};
use crate::question_error::{Kind, QuestionError};

/// Long waits are shortened by multiples of this number of polls. It is divisible by all small numbers of branches.
const TURN: u32 = 60;

/// One run of a handler.
pub(crate) struct Replay(Mutex<Run>);

#[derive(Default)]
struct Run {
    journal: Journal,
    /// The number of this round, starting from 1.
    round: u32,
    /// The raw responses of the last round.
    round_answers: RawMap,
    /// Responses that the client sent before the question, by key.
    early_answers: RawMap,
    /// Number of questions without a key.
    unkeyed_questions: u32,
    /// Number of uses of each key of a question, and of each name of a step.
    key_counts: HashMap<Str, u32>,
    step_counts: HashMap<Str, u32>,
    /// Indices of the recorded answers that were delivered.
    used_answers: HashSet<usize>,
    slots: Vec<Slot>,
    /// Number of polls of the handler.
    poll_count: u32,
    /// The poll of the last delivery.
    last_event: u32,
    /// The open questions, after the run was suspended.
    open_questions: Vec<(OpenQuestion, Box<InputRequest>)>,
    /// Number of running effects. The run is not suspended before they complete.
    in_flight_effects: usize,
    /// The waker of the driver, while the handler waits.
    driver: Option<Waker>,
}

/// The state of one pending value: an answer or an effect result.
struct Slot {
    state: SlotState,
    waker: Option<Waker>,
}

enum SlotState {
    /// A question without an answer.
    Open(OpenQuestion, Box<InputRequest>),
    /// Recorded, and to be delivered at this poll.
    Scheduled(u32, RawJson),
    /// Delivered, and not yet read.
    Ready(RawJson),
    /// Failed with this error.
    Failed(QuestionError),
    /// Read, or its future was dropped.
    Released,
}

/// The recorded state of an effect.
pub(crate) enum Recalled {
    /// Not recorded: run it under this unique name.
    New(Str),
    /// Recorded, completed without waiting.
    Ready(RawJson),
    /// Recorded, to be delivered to this slot.
    Slot(usize),
}

/// The next action after a poll of the handler.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AfterPoll {
    /// A value was delivered: poll again.
    PollAgain,
    /// The handler waits for something else.
    Wait,
    /// The handler waits only for answers: suspend it.
    Suspend,
}

impl Replay {
    /// Creates the first run of a call.
    pub(crate) fn first() -> Self {
        Self(Mutex::new(Run { round: 1, ..Run::default() }))
    }

    /// Creates the first run of a call with responses that precede their questions. They apply only to questions with a
    /// key.
    pub(crate) fn with_early_answers(answers: RawMap) -> Self {
        Self(Mutex::new(Run { round: 1, round_answers: answers.clone(), early_answers: answers, ..Run::default() }))
    }

    /// Creates a run that replays the journal of `rounds` earlier rounds; `round_answers` are the responses to the
    /// last one.
    pub(crate) fn resumed(journal: Journal, rounds: u32, round_answers: RawMap) -> Self {
        Self(Mutex::new(Run { journal, round: rounds.saturating_add(1), round_answers, ..Run::default() }))
    }

    fn lock(&self) -> MutexGuard<'_, Run> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of this round, starting from 1.
    pub(crate) fn round(&self) -> u32 {
        self.lock().round
    }

    /// Returns the raw response of the last round with this `key`.
    pub(crate) fn round_answer(&self, key: &str) -> Option<RawJson> {
        self.lock().round_answers.get(key).cloned()
    }

    /// Returns the user state of the last manual round.
    pub(crate) fn user_state(&self) -> Option<RawJson> {
        self.lock().journal.user_state.clone()
    }

    /// Reserves a slot for the answer to a question, and returns its index.
    pub(crate) fn ask(&self, request: &InputRequest, key: Option<&str>) -> usize {
        let mut run = self.lock();
        let (slot, wakes) = (run.resolve_question(request, key), run.driver.take());
        let index = run.reserve(slot);
        drop(run);
        if let Some(driver) = wakes {
            driver.wake(); // the question may come from another task
        }
        index
    }

    /// Returns the recorded state of the effect `name`. Repeated names get a counter.
    pub(crate) fn recall(&self, name: &str) -> Recalled {
        let mut run = self.lock();
        let name = unique_name(&mut run.step_counts, name);
        let Some(step) = run.journal.steps.iter().find(|step| step.name == name) else { return Recalled::New(name) };
        let (poll, value) = (step.poll, step.value.clone());
        if poll == 0 { Recalled::Ready(value) } else { Recalled::Slot(run.reserve(SlotState::Scheduled(poll, value))) }
    }

    /// Records the start of an effect. Questions are not sent while an effect is in flight.
    pub(crate) fn begin_effect(&self) {
        self.lock().in_flight_effects += 1;
    }

    /// Records the end of an effect, and wakes the driver.
    pub(crate) fn end_effect(&self) {
        let mut run = self.lock();
        run.in_flight_effects = run.in_flight_effects.saturating_sub(1);
        let driver = run.driver.take();
        drop(run);
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Records the result of an effect, and whether it had to wait.
    pub(crate) fn record_step(&self, name: Str, value: RawJson, waited: bool) {
        let mut run = self.lock();
        let poll = if waited { run.record_event() } else { 0 };
        run.journal.steps.push(Step { name, poll, value });
    }

    /// Polls a slot for its value.
    ///
    /// # Errors
    /// Fails if the question changes on each run.
    pub(crate) fn poll_slot(&self, index: usize, cx: &mut Context<'_>) -> Poll<Result<RawJson, QuestionError>> {
        let mut run = self.lock();
        let Some(slot) = run.slots.get_mut(index) else { return Poll::Pending };
        match std::mem::replace(&mut slot.state, SlotState::Released) {
            SlotState::Ready(value) => return Poll::Ready(Ok(value)),
            SlotState::Failed(error) => return Poll::Ready(Err(error)),
            waiting => slot.state = waiting,
        }
        slot.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Releases a slot whose future was dropped.
    pub(crate) fn release(&self, index: usize) {
        if let Some(slot) = self.lock().slots.get_mut(index) {
            slot.state = SlotState::Released;
        }
    }

    /// Delivers the next recorded values after a poll that returned `Pending`, and returns the next action.
    pub(crate) fn after_poll(&self, cx: &Context<'_>) -> AfterPoll {
        let mut run = self.lock();
        run.poll_count = run.poll_count.saturating_add(1);
        if let Some(wakers) = run.deliver() {
            drop(run);
            wakers.into_iter().flatten().for_each(Waker::wake);
            return AfterPoll::PollAgain;
        }
        if run.in_flight_effects == 0 {
            let wakers = run.fail_changed();
            if !wakers.is_empty() {
                drop(run);
                wakers.into_iter().flatten().for_each(Waker::wake);
                return AfterPoll::PollAgain;
            }
            run.open_questions = run.take_open_questions();
            if !run.open_questions.is_empty() {
                return AfterPoll::Suspend;
            }
        }
        run.driver = Some(cx.waker().clone());
        AfterPoll::Wait
    }

    /// Stores the journal for the next run in this process.
    pub(crate) fn store_journal(&self, journal: Journal) {
        self.lock().journal = journal;
    }

    /// Takes the stored journal.
    pub(crate) fn take_journal(&self) -> Journal {
        std::mem::take(&mut self.lock().journal)
    }

    /// Returns the open questions, and the journal for the next round.
    pub(crate) fn suspend(&self) -> (Vec<(String, InputRequest)>, Journal) {
        let mut run = self.lock();
        let mut journal = std::mem::take(&mut run.journal);
        journal.poll_count = run.poll_count;
        let open = std::mem::take(&mut run.open_questions);
        let mut questions = Vec::with_capacity(open.len());
        for (question, request) in open {
            questions.push((question.key.to_string(), *request));
            journal.open.push(question);
        }
        (questions, journal)
    }
}

impl Run {
    fn reserve(&mut self, state: SlotState) -> usize {
        self.slots.push(Slot { state, waker: None });
        self.slots.len() - 1
    }

    /// Returns the recorded answer to a question, or opens the question.
    fn resolve_question(&mut self, request: &InputRequest, key: Option<&str>) -> SlotState {
        let keyed = key.is_some();
        let key = if let Some(key) = key {
            unique_name(&mut self.key_counts, key)
        } else {
            self.unkeyed_questions += 1;
            let position = format!("q{}", self.unkeyed_questions);
            unique_name(&mut self.key_counts, &position)
        };
        let (digest, kind) = (digest(request), QuestionKind::of(request));
        let matches = |(index, answer): &(usize, &Answer)| {
            let same = if keyed { answer.question.key == key } else { answer.question.digest == digest };
            same && answer.question.kind == kind && !self.used_answers.contains(index)
        };
        if let Some((index, answer)) = self.journal.answers.iter().enumerate().find(matches) {
            self.used_answers.insert(index);
            return SlotState::Scheduled(answer.poll, answer.value.clone());
        }
        let open = OpenQuestion { key, kind, digest, excerpt: excerpt(request), changed: false };
        if let Some(value) =
            self.early_answers.remove(&open.key).filter(|value| keyed && validate_shape(kind, value).is_ok())
        {
            let poll = self.poll_count + 2; // delivered with the next poll
            let answer = Answer { question: open, poll, value: value.clone() };
            self.used_answers.insert(self.journal.answers.len());
            self.journal.answers.push(answer);
            return SlotState::Scheduled(poll, value);
        }
        SlotState::Open(open, Box::new(request.clone()))
    }

    /// Marks open questions whose text changed since the last run: an unused answer has the same key and another
    /// digest. Fails questions that had already changed before.
    fn fail_changed(&mut self) -> Vec<Option<Waker>> {
        let unused = |(index, _): &(usize, &Answer)| !self.used_answers.contains(index);
        let unused: Vec<&OpenQuestion> =
            self.journal.answers.iter().enumerate().filter(unused).map(|(_, answer)| &answer.question).collect();
        let mut wakers = Vec::new();
        for slot in &mut self.slots {
            let SlotState::Open(open, _) = &mut slot.state else { continue };
            let mut before = unused.iter().filter(|before| before.key == open.key && before.digest != open.digest);
            let Some(first) = before.next() else { continue };
            open.changed = true;
            if let Some(before) = std::iter::once(first).chain(before).find(|before| before.changed) {
                let changed = Kind::Changed { before: before.excerpt.clone(), now: open.excerpt.clone() };
                slot.state = SlotState::Failed(changed.into());
                wakers.push(slot.waker.take());
            }
        }
        wakers
    }

    /// Takes the open questions. Must be called before their futures are dropped.
    fn take_open_questions(&mut self) -> Vec<(OpenQuestion, Box<InputRequest>)> {
        let mut open = Vec::new();
        for slot in self.slots.iter_mut().filter(|slot| matches!(slot.state, SlotState::Open(..))) {
            if let SlotState::Open(question, request) = std::mem::replace(&mut slot.state, SlotState::Released) {
                open.push((question, request));
            }
        }
        open
    }

    /// Returns the poll number for an event in the current poll. Long waits are shortened by multiples of [`TURN`], so
    /// that the next run needs fewer polls. The rotation of `join!` branches stays the same.
    fn record_event(&mut self) -> u32 {
        let waited = (self.poll_count + 1).saturating_sub(self.last_event);
        if waited > 2 * TURN {
            self.poll_count = self.last_event + TURN + waited % TURN - 1;
        }
        self.last_event = self.poll_count + 1;
        self.last_event
    }

    /// Delivers the values of the next poll, and returns the wakers; `None` if no value is scheduled.
    fn deliver(&mut self) -> Option<Vec<Option<Waker>>> {
        let poll_of = |slot: &Slot| match slot.state {
            SlotState::Scheduled(poll, _) => Some(poll),
            _ => None,
        };
        let earliest = self.slots.iter().filter_map(poll_of).min()?;
        let mut wakers = Vec::new();
        if earliest > self.poll_count + 1 {
            return Some(wakers); // no value is scheduled for the next poll
        }
        self.last_event = self.poll_count + 1;
        for slot in self.slots.iter_mut().filter(|slot| poll_of(slot) == Some(earliest)) {
            if let SlotState::Scheduled(_, value) = std::mem::replace(&mut slot.state, SlotState::Released) {
                slot.state = SlotState::Ready(value);
                wakers.push(slot.waker.take());
            }
        }
        Some(wakers)
    }
}

/// Returns a unique name: `name` on first use, then `name-2` and so on.
fn unique_name(names: &mut HashMap<Str, u32>, name: &str) -> Str {
    loop {
        let count = names.entry(name.into()).or_insert(0);
        *count += 1;
        if *count == 1 {
            return name.into();
        }
        let counted = Str::from(format!("{name}-{count}"));
        // The numbered name may already be in use as a plain name.
        if !names.contains_key(&counted) {
            names.insert(counted.clone(), 1);
            return counted;
        }
    }
}
