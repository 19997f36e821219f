//! The kind of a question, independent of the type of its answer.

use ferromcp_core::model::{CreateMessageResult, ElicitParams, ElicitResult, InputRequest, ListRootsResult};
use ferromcp_core::wire::decode_result;
use ferromcp_core::{FieldError, RawJson, Repairs};

/// Maximum number of characters of a question in errors and logs.
const EXCERPT: usize = 80;

/// The method of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum QuestionKind {
    #[serde(rename = "e")]
    Elicit,
    #[serde(rename = "s")]
    Sample,
    #[serde(rename = "r")]
    Roots,
}

impl QuestionKind {
    pub(crate) fn of(request: &InputRequest) -> Self {
        match request {
            InputRequest::CreateMessage(_) => Self::Sample,
            InputRequest::ListRoots => Self::Roots,
            _ => Self::Elicit,
        }
    }
}

/// Validates that a response has the result type of its method.
pub(crate) fn validate_shape(request: QuestionKind, answer: &RawJson) -> Result<(), FieldError> {
    let repairs = &mut Repairs::new(); // logged when the response is deserialized
    match request {
        QuestionKind::Elicit => decode_result::<ElicitResult>(answer, "result", repairs).map(drop),
        QuestionKind::Sample => decode_result::<CreateMessageResult>(answer, "result", repairs).map(drop),
        QuestionKind::Roots => decode_result::<ListRootsResult>(answer, "result", repairs).map(drop),
    }
}

/// Returns a short excerpt of the question, for errors and logs.
pub(crate) fn excerpt(request: &InputRequest) -> String {
    match request {
        InputRequest::Elicit(ElicitParams::Form(form)) => truncate(&form.message),
        InputRequest::Elicit(ElicitParams::Url(url)) => truncate(&url.message),
        InputRequest::CreateMessage(params) => {
            let last = params.messages.last().and_then(|message| message.content.first()?.as_text());
            last.map_or_else(|| "a message of the model".into(), truncate)
        }
        InputRequest::ListRoots => "the roots".into(),
        _ => "a question".into(),
    }
}

/// Truncates a text for errors and logs.
pub(crate) fn truncate(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
