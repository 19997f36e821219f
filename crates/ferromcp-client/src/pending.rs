//! A call that waits for answers, as something that can be stored: another process can finish it.

use std::fmt;

use ferromcp_core::model::{
    CallToolParams, CreateMessageResult, ElicitResult, GetPromptParams, InputRequest, InputRequired, ListRootsResult,
    ReadResourceParams, Root,
};
use ferromcp_core::{ClientRequest, RawJson, RawMap};
use serde::{Deserialize, Serialize};

use crate::error::{ClientError, ErrorKind};

/// A call with questions that are still open.
///
/// Its `requestState` may hold secrets of the server: store it as carefully as a credential.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    method: String,
    params: RawJson,
    asked: InputRequired,
}

/// What a call led to that is driven by hand.
#[derive(Debug)]
pub enum Settled<T> {
    /// Its result.
    Done(T),
    /// Questions, or only the wish to be called again later.
    Pending(Pending),
}

impl Pending {
    pub(crate) fn new(request: &ClientRequest, asked: InputRequired) -> Result<Self, ClientError> {
        let params = RawJson::new(request)
            .map_err(|error| ClientError::new(ErrorKind::Invalid, format!("the call cannot be stored: {error}")))?;
        Ok(Self { method: request.method().to_owned(), params, asked })
    }

    /// The method that was called.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The questions, each under the key its answer will have. None at all: the server wants to be called later.
    pub fn questions(&self) -> &[(String, InputRequest)] {
        self.asked.input_requests.as_deref().unwrap_or_default()
    }

    /// The call as it was made at first, and the one to make now.
    pub(crate) fn resume(self, answers: Answers) -> Result<(ClientRequest, ClientRequest), ClientError> {
        let request = self.request()?;
        let answers = (!answers.0.is_empty()).then_some(answers.0);
        let next = crate::round::again(&request, answers, self.asked.request_state)?;
        Ok((request, next))
    }

    fn request(&self) -> Result<ClientRequest, ClientError> {
        let bad = |error: serde_json::Error| {
            let message = format!("what was stored of `{}` cannot be read: {error}", self.method);
            ClientError::new(ErrorKind::Invalid, message)
        };
        match self.method.as_str() {
            "tools/call" => self.params.decode::<CallToolParams>().map(ClientRequest::CallTool).map_err(bad),
            "prompts/get" => self.params.decode::<GetPromptParams>().map(ClientRequest::GetPrompt).map_err(bad),
            "resources/read" => {
                self.params.decode::<ReadResourceParams>().map(ClientRequest::ReadResource).map_err(bad)
            }
            other => {
                let message = format!("`{other}` is no method that can wait for answers");
                Err(ClientError::new(ErrorKind::Invalid, message))
            }
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.questions().iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("Pending").field("method", &self.method).field("questions", &keys).finish_non_exhaustive()
    }
}

/// Answers to the questions of a [`Pending`] call, by their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers(RawMap);

impl Answers {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the user did with a form or a URL.
    #[must_use]
    pub fn elicited(self, key: impl Into<String>, result: &ElicitResult) -> Self {
        self.with(key, result)
    }

    /// What the model said.
    #[must_use]
    pub fn sampled(self, key: impl Into<String>, result: &CreateMessageResult) -> Self {
        self.with(key, result)
    }

    /// The roots.
    #[must_use]
    pub fn roots(self, key: impl Into<String>, roots: Vec<Root>) -> Self {
        self.with(key, &ListRootsResult::new(roots))
    }

    fn with(mut self, key: impl Into<String>, result: &impl Serialize) -> Self {
        if let Ok(json) = RawJson::new(result) {
            self.0.insert(key.into(), json); // the model's own types are JSON
        }
        self
    }
}
