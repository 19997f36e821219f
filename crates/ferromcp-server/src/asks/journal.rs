//! What is known of a call from its earlier rounds: the answers, and the results of what was done once.
//!
//! It travels in the state of the request, sealed, so its names are short.

use ferromcp_core::{RawJson, RawMap, Str};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};

use super::question::{Asked, has_shape};
use ferromcp_core::model::InputRequest;

/// What is known of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Journal {
    /// How often the handler had been polled when it asked.
    #[serde(rename = "t", default)]
    pub(crate) tick: u32,
    /// The answers so far.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) answers: Vec<Answer>,
    /// What was done once.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) steps: Vec<Step>,
    /// What was asked in the last round.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) open: Vec<Open>,
    /// What a handler that drives its rounds by hand wants to find again.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none", deserialize_with = "even_null")]
    pub(crate) own: Option<RawJson>,
}

/// A question as it is known from one run to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Open {
    #[serde(rename = "k")]
    pub(crate) key: Str,
    #[serde(rename = "m")]
    pub(crate) asked: Asked,
    /// Of its rendered form.
    #[serde(rename = "d")]
    pub(crate) digest: Digest,
    /// Its beginning, for the error when it changes.
    #[serde(rename = "w")]
    pub(crate) words: String,
    /// It was another one in an earlier round.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) changed: bool,
}

/// An answered question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    #[serde(rename = "q")]
    pub(crate) question: Open,
    /// With which poll it came.
    #[serde(rename = "t")]
    pub(crate) tick: u32,
    #[serde(rename = "v")]
    pub(crate) value: RawJson,
}

/// Something that was done once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    #[serde(rename = "n")]
    pub(crate) name: Str,
    /// With which poll it was done; 0 if it took no waiting.
    #[serde(rename = "t", default)]
    pub(crate) tick: u32,
    #[serde(rename = "v")]
    pub(crate) value: RawJson,
}

/// A value that is there, be it `null`.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RawJson>, D::Error> {
    RawJson::deserialize(deserializer).map(Some)
}

/// The beginning of a SHA-256.
pub(crate) type Digest = u64;

/// The digest of a question's rendered form.
pub(crate) fn digest(request: &InputRequest) -> Digest {
    let rendered = serde_json::to_vec(request).unwrap_or_default();
    let hash = Sha256::digest(&rendered);
    hash.iter().take(size_of::<Digest>()).fold(0, |digest, byte| digest << 8 | Digest::from(*byte))
}

impl Journal {
    /// Reads what [`encode`](Self::encode) wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The journal as bytes.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Takes in the answers to the last round. What was not asked is left out, and what was not answered is asked again.
    ///
    /// # Errors
    /// In words, when an answer does not have the shape that its method wants.
    pub(crate) fn hear(&mut self, answers: &RawMap) -> Result<(), String> {
        self.tick = self.tick.saturating_add(1);
        for question in std::mem::take(&mut self.open) {
            let Some(value) = answers.get(&question.key) else { continue };
            has_shape(question.asked, value).map_err(|error| {
                format!("`inputResponses.{}` does not answer what was asked: {error}", question.key)
            })?;
            self.answers.push(Answer { question, tick: self.tick, value: value.clone() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ferromcp_core::model::{ElicitParams, FormParams, FormSchema};

    use super::*;

    fn open(key: &str) -> Open {
        Open { key: key.into(), asked: Asked::Elicit, digest: 7, words: "Name?".into(), changed: false }
    }

    fn answers(text: &str) -> RawMap {
        serde_json::from_str(text).unwrap()
    }

    // M26-260, M26-261, M26-262, M26-263
    #[test]
    fn only_what_was_asked_is_heard() {
        let asked = Journal { open: vec![open("name"), open("age")], ..Journal::default() };
        let mut journal = asked.clone();
        journal.hear(&answers(r#"{ "name": { "action": "decline" }, "other": 5 }"#)).unwrap();
        assert_eq!((journal.answers.len(), journal.tick), (1, 1));
        assert!(journal.open.is_empty(), "what is still open is asked again");
        let wrong = asked.clone().hear(&answers(r#"{ "name": { "action": "dunno" } }"#)).unwrap_err();
        assert!(wrong.starts_with("`inputResponses.name` does not answer"), "{wrong}");
        assert!(asked.clone().hear(&answers(r#"{ "name": 5 }"#)).is_err());
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        let mut journal = Journal { open: vec![open("name")], own: Some(RawJson::null()), ..Journal::default() };
        journal.hear(&answers(r#"{ "name": { "action": "cancel" } }"#)).unwrap();
        journal.steps.push(Step { name: "pay".into(), tick: 0, value: RawJson::new(&1.5).unwrap() });
        journal.open.push(Open { changed: true, ..open("again") });
        assert_eq!(Journal::decode(&journal.encode().unwrap()).unwrap(), journal);
    }

    #[test]
    fn questions_differ_by_all_that_is_seen_of_them() {
        let form =
            |message| InputRequest::Elicit(ElicitParams::Form(FormParams::new(message, FormSchema::new(vec![]))));
        assert_eq!(digest(&form("a")), digest(&form("a")));
        assert_ne!(digest(&form("a")), digest(&form("b")));
        assert_ne!(digest(&form("a")), digest(&InputRequest::ListRoots));
    }
}
