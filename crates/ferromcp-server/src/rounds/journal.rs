//! The journal of a call: the answers and the effect results of its earlier rounds.
//!
//! It is serialized into the request state, so the field names are short.

use ferromcp_core::model::InputRequest;
use ferromcp_core::{RawJson, RawMap, Str};
use serde::{Deserialize, Deserializer, Serialize};

use super::question_kind::{QuestionKind, excerpt, validate_shape};
use crate::request_state::sha256;

/// The recorded history of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// Number of polls of the handler before it was suspended.
    #[serde(rename = "t", default)]
    pub(crate) poll_count: u32,
    /// The recorded answers.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) answers: Vec<Answer>,
    /// The recorded results of effects.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) steps: Vec<Step>,
    /// The questions of the last round.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) open: Vec<OpenQuestion>,
    /// The user state of a manual round.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none", deserialize_with = "deserialize_present")]
    pub(crate) user_state: Option<RawJson>,
}

/// A question as it is identified across runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenQuestion {
    #[serde(rename = "k")]
    pub(crate) key: Str,
    #[serde(rename = "m")]
    pub(crate) kind: QuestionKind,
    /// Digest of the serialized request.
    #[serde(rename = "d")]
    pub(crate) digest: Digest,
    /// Excerpt of the question, for the error if it changes.
    #[serde(rename = "w")]
    pub(crate) excerpt: String,
    /// Whether the question changed since an earlier round.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) changed: bool,
}

/// An answered question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    #[serde(rename = "q")]
    pub(crate) question: OpenQuestion,
    /// The poll in which the answer was delivered.
    #[serde(rename = "t")]
    pub(crate) poll: u32,
    #[serde(rename = "v")]
    pub(crate) value: RawJson,
}

/// The recorded result of an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    #[serde(rename = "n")]
    pub(crate) name: Str,
    /// The poll in which the effect completed; 0 if it completed without waiting.
    #[serde(rename = "t", default)]
    pub(crate) poll: u32,
    #[serde(rename = "v")]
    pub(crate) value: RawJson,
}

/// Deserializes a present value as `Some`, including `null`.
fn deserialize_present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RawJson>, D::Error> {
    RawJson::deserialize(deserializer).map(Some)
}

/// The first bytes of a SHA-256 digest.
pub(crate) type Digest = u64;

/// Computes the digest of a serialized question.
pub(crate) fn digest(request: &InputRequest) -> Digest {
    let rendered = serde_json::to_vec(request).unwrap_or_default();
    let hash = sha256(&[&rendered]);
    hash.iter().take(size_of::<Digest>()).fold(0, |digest, byte| digest << 8 | Digest::from(*byte))
}

impl Journal {
    /// Deserializes a journal from [`encode`](Self::encode).
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Serializes the journal to JSON.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Records the responses to the last round. Ignores unknown keys. Questions without a response are sent again.
    ///
    /// # Errors
    /// Returns a message if a response does not match the result type of its method.
    pub(crate) fn record_responses(&mut self, answers: &RawMap) -> Result<(), String> {
        self.poll_count = self.poll_count.saturating_add(1);
        for question in std::mem::take(&mut self.open) {
            let Some(value) = answers.get(&question.key) else { continue };
            validate_shape(question.kind, value).map_err(|error| {
                format!("`inputResponses.{}` is not a valid result of its request: {error}", question.key)
            })?;
            self.answers.push(Answer { question, poll: self.poll_count, value: value.clone() });
        }
        Ok(())
    }
}

/// The questions and the user state of a manual round.
#[derive(Debug, Default)]
pub(crate) struct ManualRound {
    pub(crate) questions: Vec<(String, InputRequest)>,
    pub(crate) state: Option<RawJson>,
}

impl ManualRound {
    /// Records the questions and the user state in the journal, and returns the questions.
    pub(crate) fn open(self, journal: &mut Journal) -> Vec<(String, InputRequest)> {
        for (key, request) in &self.questions {
            let key = key.as_str().into();
            let (kind, excerpt) = (QuestionKind::of(request), excerpt(request));
            journal.open.push(OpenQuestion { key, kind, digest: digest(request), excerpt, changed: false });
        }
        journal.user_state = self.state;
        self.questions
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::{ElicitParams, FormParams, FormSchema};

    use super::*;

    fn open(key: &str) -> OpenQuestion {
        OpenQuestion { key: key.into(), kind: QuestionKind::Elicit, digest: 7, excerpt: "Name?".into(), changed: false }
    }

    fn answers(text: &str) -> RawMap {
        serde_json::from_str(text).unwrap()
    }

    // M26-260, M26-261, M26-262, M26-263
    #[test]
    fn record_responses_ignores_unknown_keys_and_rejects_invalid_results() {
        let journal_with_questions = Journal { open: vec![open("name"), open("age")], ..Journal::default() };
        let mut journal = journal_with_questions.clone();
        journal.record_responses(&answers(r#"{ "name": { "action": "decline" }, "other": 5 }"#)).unwrap();
        assert_eq!((journal.answers.len(), journal.poll_count), (1, 1));
        assert!(journal.open.is_empty(), "unanswered questions are sent again");
        let error = journal_with_questions
            .clone()
            .record_responses(&answers(r#"{ "name": { "action": "dunno" } }"#))
            .unwrap_err();
        assert!(error.starts_with("`inputResponses.name` is not a valid result"), "{error}");
        assert!(journal_with_questions.clone().record_responses(&answers(r#"{ "name": 5 }"#)).is_err());
    }

    #[test]
    fn journal_round_trips_when_encoded_and_decoded() {
        let mut journal = Journal { open: vec![open("name")], user_state: Some(RawJson::null()), ..Journal::default() };
        journal.record_responses(&answers(r#"{ "name": { "action": "cancel" } }"#)).unwrap();
        journal.steps.push(Step { name: "pay".into(), poll: 0, value: RawJson::new(&1.5).unwrap() });
        journal.open.push(OpenQuestion { changed: true, ..open("again") });
        assert_eq!(Journal::decode(&journal.encode().unwrap()).unwrap(), journal);
    }

    #[test]
    fn digests_differ_when_questions_differ() {
        let form =
            |message| InputRequest::Elicit(ElicitParams::Form(FormParams::new(message, FormSchema::new(vec![]))));
        assert_eq!(digest(&form("a")), digest(&form("a")));
        assert_ne!(digest(&form("a")), digest(&form("b")));
        assert_ne!(digest(&form("a")), digest(&InputRequest::ListRoots));
    }
}
