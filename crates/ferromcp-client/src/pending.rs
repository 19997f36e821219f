//! A call that requires input, in a form that can be stored and resumed by another process.

use std::fmt;

use ferromcp_core::model::{
    CallToolParams, CreateMessageResult, ElicitResult, GetPromptParams, InputRequest, InputRequired, ListRootsResult,
    ReadResourceParams, Root,
};
use ferromcp_core::{ClientRequest, RawJson, RawMap};
use serde::{Deserialize, Serialize};

use crate::error::{ClientError, ErrorKind};

/// A call that requires input from the client. Serializable, so that another process can resume it.
///
/// Its `requestState` may contain secrets of the server; store it like a credential.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingCall {
    method: String,
    params: RawJson,
    #[serde(rename = "asked")]
    input_required: InputRequired,
}

/// Outcome of one round of a [`ManualCall`](crate::ManualCall).
#[derive(Debug)]
pub enum CallOutcome<T> {
    /// The result of the call.
    Complete(T),
    /// An `input_required` response: requests for input, or only a request to call again later.
    InputRequired(PendingCall),
}

impl PendingCall {
    pub(crate) fn new(request: &ClientRequest, input_required: InputRequired) -> Result<Self, ClientError> {
        let params = RawJson::new(request).map_err(|error| {
            ClientError::new(ErrorKind::InvalidRequest, format!("cannot serialize the call: {error}"))
        })?;
        Ok(Self { method: request.method().to_owned(), params, input_required })
    }

    /// Returns the method of the call.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the input requests with their keys. If empty, the server only requests to be called again later.
    pub fn input_requests(&self) -> &[(String, InputRequest)] {
        self.input_required.input_requests.as_deref().unwrap_or_default()
    }

    /// Returns the original request, and the request of the next round.
    pub(crate) fn resume(self, answers: InputAnswers) -> Result<(ClientRequest, ClientRequest), ClientError> {
        let request = self.request()?;
        let answers = (!answers.0.is_empty()).then_some(answers.0);
        let next = crate::mrtr::next_round(&request, answers, self.input_required.request_state)?;
        Ok((request, next))
    }

    fn request(&self) -> Result<ClientRequest, ClientError> {
        let invalid = |error: serde_json::Error| {
            let message = format!("cannot deserialize the stored call of `{}`: {error}", self.method);
            ClientError::new(ErrorKind::InvalidRequest, message)
        };
        match self.method.as_str() {
            "tools/call" => self.params.decode::<CallToolParams>().map(ClientRequest::CallTool).map_err(invalid),
            "prompts/get" => self.params.decode::<GetPromptParams>().map(ClientRequest::GetPrompt).map_err(invalid),
            "resources/read" => {
                self.params.decode::<ReadResourceParams>().map(ClientRequest::ReadResource).map_err(invalid)
            }
            other => {
                let message = format!("cannot resume `{other}`: the method does not support input requests");
                Err(ClientError::new(ErrorKind::InvalidRequest, message))
            }
        }
    }
}

impl fmt::Debug for PendingCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.input_requests().iter().map(|(key, _)| key.as_str()).collect();
        f.debug_struct("PendingCall")
            .field("method", &self.method)
            .field("input_requests", &keys)
            .finish_non_exhaustive()
    }
}

/// Responses to the input requests of a [`PendingCall`], by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputAnswers(RawMap);

impl InputAnswers {
    /// Creates an empty set of responses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the response to an elicitation, by form or by URL.
    #[must_use]
    pub fn elicitation(self, key: impl Into<String>, result: &ElicitResult) -> Self {
        self.with(key, result)
    }

    /// Adds the response to a sampling request.
    #[must_use]
    pub fn sampling(self, key: impl Into<String>, result: &CreateMessageResult) -> Self {
        self.with(key, result)
    }

    /// Adds the response to a request for roots.
    #[must_use]
    pub fn roots(self, key: impl Into<String>, roots: Vec<Root>) -> Self {
        self.with(key, &ListRootsResult::new(roots))
    }

    fn with(mut self, key: impl Into<String>, result: &impl Serialize) -> Self {
        if let Ok(json) = RawJson::new(result) {
            self.0.insert(key.into(), json); // types of the model always serialize
        }
        self
    }
}
