//! What a test's client answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::RawJson;
use ferromcp_core::model::{ElicitParams, InputRequest, SamplingContent};

/// The answers a client has at hand, and what it was asked.
#[derive(Default)]
pub(super) struct Answers(Mutex<Rules>);

#[derive(Default)]
struct Rules {
    known: Vec<Rule>,
    /// What answers where no rule does.
    rest: Option<Rest>,
    asked: Vec<String>,
}

/// Answers any question.
pub(super) type Rest = Arc<dyn Fn(&InputRequest) -> RawJson + Send + Sync>;

struct Rule {
    /// What is in the words of the question.
    words: String,
    kind: Kind,
    answer: RawJson,
}

/// What a question asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Elicit,
    Sample,
    Roots,
}

impl Answers {
    fn lock(&self) -> MutexGuard<'_, Rules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has an answer at hand.
    pub(super) fn add(&self, kind: Kind, words: &str, answer: RawJson) {
        self.lock().known.push(Rule { words: words.to_owned(), kind, answer });
    }

    /// Answers what no other answer is for.
    pub(super) fn rest(&self, rest: Rest) {
        self.lock().rest = Some(rest);
    }

    /// What was asked and answered, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// The answer to a question. Of several that fit, the first is used up; the last is not.
    ///
    /// # Panics
    /// When there is none.
    pub(super) fn answer(&self, question: &InputRequest) -> RawJson {
        let (kind, words) = in_words(question);
        let mut rules = self.lock();
        let fits = |rule: &Rule| rule.kind == kind && words.contains(&rule.words);
        let first = rules.known.iter().position(fits);
        let Some(first) = first else {
            if let Some(rest) = rules.rest.clone() {
                rules.asked.push(words);
                drop(rules);
                return rest(question);
            }
            drop(rules);
            panic!("nobody answers \"{words}\" ({kind:?}): tell the client what to say");
        };
        let more = rules.known.iter().filter(|rule| fits(rule)).count() > 1;
        rules.asked.push(words);
        if more { rules.known.remove(first).answer } else { rules.known[first].answer.clone() }
    }
}

fn in_words(question: &InputRequest) -> (Kind, String) {
    match question {
        InputRequest::Elicit(ElicitParams::Form(form)) => (Kind::Elicit, form.message.clone()),
        InputRequest::Elicit(ElicitParams::Url(url)) => (Kind::Elicit, url.message.clone()),
        InputRequest::CreateMessage(params) => {
            let last = params.messages.last().and_then(|message| message.content.last());
            let words = match last {
                Some(SamplingContent::Text(text)) => text.text.clone(),
                other => format!("{other:?}"),
            };
            (Kind::Sample, words)
        }
        _ => (Kind::Roots, String::new()),
    }
}
