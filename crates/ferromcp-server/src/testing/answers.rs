//! The configured responses of a test client.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ferromcp_core::RawJson;
use ferromcp_core::model::{ElicitParams, InputRequest, SamplingContent};

/// The responses of a client and a record of the questions it received.
#[derive(Default)]
pub(super) struct Answers(Mutex<Rules>);

#[derive(Default)]
struct Rules {
    known: Vec<Rule>,
    /// Used when no rule matches.
    fallback: Option<Fallback>,
    asked: Vec<String>,
    /// The first question without a response in live mode, where the call fails only after the handler returns.
    failure: Option<String>,
}

/// A fallback that responds to any question.
pub(super) type Fallback = Arc<dyn Fn(&InputRequest) -> RawJson + Send + Sync>;

struct Rule {
    /// A substring of the question's text.
    text: String,
    kind: Kind,
    answer: RawJson,
}

/// The kind of a question.
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

    /// Adds a response.
    pub(super) fn add(&self, kind: Kind, text: &str, answer: RawJson) {
        self.lock().known.push(Rule { text: text.to_owned(), kind, answer });
    }

    /// Sets the fallback for questions without a matching response.
    pub(super) fn set_fallback(&self, fallback: Fallback) {
        self.lock().fallback = Some(fallback);
    }

    /// Returns the text of each answered question, in order.
    pub(super) fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// Records a failure of the test, which is reported when the call returns.
    pub(super) fn fail(&self, message: String) {
        self.lock().failure.get_or_insert(message);
    }

    /// Returns the recorded failure.
    pub(super) fn take_failure(&self) -> Option<String> {
        self.lock().failure.take()
    }

    /// Returns the response to a question. Matching responses are consumed in order; the last one is reused.
    ///
    /// # Errors
    /// Returns a message if no response matches.
    pub(super) fn answer(&self, question: &InputRequest) -> Result<RawJson, String> {
        let (kind, text) = describe(question);
        let mut rules = self.lock();
        let fits = |rule: &Rule| rule.kind == kind && text.contains(&rule.text);
        let first = rules.known.iter().position(fits);
        let Some(first) = first else {
            if let Some(fallback) = rules.fallback.clone() {
                rules.asked.push(text);
                drop(rules);
                return Ok(fallback(question));
            }
            return Err(format!(
                "no response for \"{text}\" ({kind:?}): add one to the test client, for example with `TestClient::accept`"
            ));
        };
        let more = rules.known.iter().filter(|rule| fits(rule)).count() > 1;
        rules.asked.push(text);
        Ok(if more { rules.known.remove(first).answer } else { rules.known[first].answer.clone() })
    }
}

fn describe(question: &InputRequest) -> (Kind, String) {
    match question {
        InputRequest::Elicit(ElicitParams::Form(form)) => (Kind::Elicit, form.message.clone()),
        InputRequest::Elicit(ElicitParams::Url(url)) => (Kind::Elicit, url.message.clone()),
        InputRequest::CreateMessage(params) => {
            let last = params.messages.last().and_then(|message| message.content.last());
            let text = last.and_then(SamplingContent::as_text).map(str::to_owned);
            let text = text.unwrap_or_else(|| format!("{last:?}"));
            (Kind::Sample, text)
        }
        _ => (Kind::Roots, String::new()),
    }
}
