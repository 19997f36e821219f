//! Questions that are out: requests of the server's own, until their answers come (handshake revisions).
//!
//! Spec: <https://modelcontextprotocol.io/specification/2025-11-25/basic#requests>.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::{Error, Identity, RawJson, RequestId};
use tokio::sync::oneshot;

use crate::random;

/// Why a question that was put live has no answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Unanswered {
    /// There is no way to ask.
    Nobody,
    /// The client left, or the call is over.
    Gone,
    /// As many questions are out as may be.
    TooMany(usize),
    /// The client answered with an error.
    Refused(Error),
}

/// What is heard of a question.
type Outcome = Result<RawJson, Unanswered>;

/// The questions that one peer, or all peers of a stateless endpoint, have not answered yet.
pub(crate) struct Questions {
    waiting: Mutex<Waiting>,
    last: AtomicI64,
    naming: Naming,
    /// The most that are out at a time.
    limit: usize,
}

/// How questions are named.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Naming {
    /// One after the other: the pipe or session says whose they are.
    Counted,
    /// By ids nobody can guess: the id alone says whose question is answered.
    Unguessable,
}

#[derive(Default)]
struct Waiting {
    out: HashMap<RequestId, Out>,
    /// The peer is gone: nothing more is answered.
    closed: bool,
}

/// One question that is out.
struct Out {
    answer: oneshot::Sender<Outcome>,
    asked: Asked,
}

/// Who was asked, and alone may answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) identity: Option<Identity>,
    /// The session of a peer that shares its place with others.
    pub(crate) session: Option<Arc<str>>,
}

/// The asker's end of a question. Dropped, the question is forgotten.
pub(crate) struct Pending {
    questions: Arc<Questions>,
    pub(crate) id: RequestId,
    answer: oneshot::Receiver<Outcome>,
}

impl Questions {
    /// Room for `limit` questions at a time.
    pub(crate) fn new(naming: Naming, limit: usize) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), last: AtomicI64::new(0), naming, limit })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a place for the answer to a new question.
    ///
    /// # Errors
    /// When there are too many, or the peer is gone.
    pub(crate) fn begin(self: &Arc<Self>, asked: Asked) -> Result<Pending, Unanswered> {
        let id = match self.naming {
            Naming::Counted => RequestId::Number(self.last.fetch_add(1, Ordering::Relaxed) + 1),
            Naming::Unguessable => RequestId::String(random::id().map_err(|_| Unanswered::Nobody)?.into()),
        };
        let (sender, answer) = oneshot::channel();
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Unanswered::Gone);
        }
        if waiting.out.len() >= self.limit {
            return Err(Unanswered::TooMany(self.limit));
        }
        waiting.out.insert(id.clone(), Out { answer: sender, asked });
        drop(waiting);
        Ok(Pending { questions: Arc::clone(self), id, answer })
    }

    /// Takes the answer to question `id` of `from`; says whether that was asked it.
    pub(crate) fn answer(&self, id: Option<&RequestId>, outcome: Result<RawJson, Error>, from: &Asked) -> bool {
        let mut waiting = self.lock();
        let Some(id) = id.filter(|id| waiting.out.get(id).is_some_and(|out| out.asked == *from)) else {
            drop(waiting);
            tracing::debug!(?id, "a response to nothing that was asked; ignored");
            return false;
        };
        let out = waiting.out.remove(id);
        drop(waiting);
        out.is_some_and(|out| out.answer.send(outcome.map_err(Unanswered::Refused)).is_ok())
    }

    /// The peer is gone: what is out is answered no more, and nothing more is asked.
    pub(crate) fn close(&self) {
        let mut waiting = self.lock();
        waiting.closed = true;
        waiting.out.clear(); // whoever waits hears that its sender is gone
    }
}

impl Pending {
    /// Waits for the answer.
    pub(crate) async fn wait(&mut self) -> Outcome {
        (&mut self.answer).await.unwrap_or(Err(Unanswered::Gone))
    }

    /// Whether the peer still owes the answer.
    pub(crate) fn is_out(&self) -> bool {
        self.questions.lock().out.contains_key(&self.id)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.questions.lock().out.remove(&self.id);
    }
}

impl fmt::Debug for Questions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Questions({} out)", self.lock().out.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(name: &str, session: Option<&str>) -> Asked {
        Asked { identity: Some(Identity::new(name)), session: session.map(Into::into) }
    }

    // M26-504, S-457
    #[tokio::test]
    async fn an_answer_reaches_who_asked_and_nobody_else_may_give_it() {
        let questions = Questions::new(Naming::Unguessable, 2);
        let ada = by("ada", Some("s"));
        let mut pending = questions.begin(ada.clone()).unwrap();
        let id = pending.id.clone();
        for other in [by("eve", Some("s")), by("ada", Some("t")), by("ada", None), Asked::default()] {
            assert!(!questions.answer(Some(&id), Ok(RawJson::null()), &other), "{other:?}");
        }
        assert!(!questions.answer(None, Ok(RawJson::null()), &ada), "to nothing");
        assert!(questions.answer(Some(&id), Ok(RawJson::null()), &ada));
        assert!(!questions.answer(Some(&id), Ok(RawJson::null()), &ada), "once");
        assert_eq!(pending.wait().await, Ok(RawJson::null()));
    }

    #[tokio::test]
    async fn there_are_only_so_many_and_none_after_the_end() {
        let questions = Questions::new(Naming::Counted, 1);
        let mut first = questions.begin(Asked::default()).unwrap();
        assert_eq!(questions.begin(Asked::default()).err(), Some(Unanswered::TooMany(1)));
        questions.close();
        assert_eq!(first.wait().await, Err(Unanswered::Gone));
        drop(first);
        assert_eq!(questions.begin(Asked::default()).err(), Some(Unanswered::Gone));
    }

    #[tokio::test]
    async fn who_asks_no_longer_is_forgotten() {
        let questions = Questions::new(Naming::Counted, 1);
        let pending = questions.begin(Asked::default()).unwrap();
        assert!(pending.is_out());
        drop(pending);
        assert!(questions.begin(Asked::default()).is_ok());
    }
}
