//! [`TestClient`]: an in-process test client.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ferromcp_core::model::{
    CallToolParams, CallToolResult, ClientCapabilities, CreateMessageResult, ElicitAction, ElicitResult,
    GetPromptParams, GetPromptResult, InputRequest, InputRequired, ListRootsResult, LogLevel, ReadResourceParams,
    ReadResourceResult, Root, SamplingContent,
};
use ferromcp_core::{
    ClientRequest, Error, RawJson, RawMap, RequestId, Revision, ServerNotification, ServerResult, Str,
};
use serde::Serialize;

use super::answers::{Answers, Kind};
use super::checked::Checked;
use super::client_mode::{ClientMode, all_capabilities};
use super::listener::Listener;
use crate::call::{Call, Reply};
use crate::peer::Peer;
use crate::principal::Principal;
use crate::request_sink::RequestSink;
use crate::server::Server;

/// Maximum number of rounds of one call before the test fails.
const ROUNDS: usize = 1_000;

/// An in-process test client of one server, in one [`ClientMode`], with configured responses.
///
/// Each response is configured with a text and matches the questions whose message contains that text. If several
/// responses match, they are consumed in order and the last one is reused.
///
/// ```
/// use ferromcp_server::testing::{TestClient, ClientMode};
/// use ferromcp_server::{Arg, Server, Tool};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let add = Tool::sync("add", |a: i64, b: i64| a + b).args([Arg::new("a"), Arg::new("b")]);
/// let client = TestClient::with(Server::new("demo", "1.0.0").with_tool(add), ClientMode::Rounds);
/// assert_eq!(client.text("add", &[("a", 1), ("b", 2)]).await, "3");
/// # });
/// ```
#[derive(Clone)]
pub struct TestClient {
    server: Server,
    mode: ClientMode,
    peer: Peer,
    listener: Arc<Listener>,
}

impl TestClient {
    /// Creates a client of `server` that declares all capabilities, for tests of a single [`ClientMode`].
    pub fn with(server: Server, mode: ClientMode) -> Self {
        Self::new(server, mode, all_capabilities())
    }

    pub(super) fn new(server: Server, mode: ClientMode, capabilities: ClientCapabilities) -> Self {
        let peer = Peer::new(mode.revision()).with_capabilities(capabilities).with_log_level(Some(LogLevel::Debug));
        Self { server, mode, peer, listener: Arc::new(Listener::new(Arc::new(Answers::default()))) }
    }

    /// Returns the client with an authenticated principal.
    pub fn identified(mut self, principal: &str) -> Self {
        self.peer = self.peer.with_identity(principal);
        self
    }

    /// Returns the client with an authenticated principal, which may use only the items whose scopes it has.
    pub fn authorized(mut self, principal: Principal) -> Self {
        self.peer = self.peer.with_principal(principal);
        self
    }

    /// Returns the client's mode.
    pub fn mode(&self) -> ClientMode {
        self.mode
    }

    /// Accepts matching form elicitations with `content`.
    ///
    /// # Panics
    /// Panics if `content` does not serialize to a JSON object or a list of pairs.
    #[track_caller]
    pub fn accept(&self, text: &str, content: &(impl Serialize + ?Sized)) {
        self.answer(Kind::Elicit, text, &ElicitResult::new(ElicitAction::Accept).content(object(content)));
    }

    /// Accepts matching URL elicitations.
    #[track_caller]
    pub fn accept_url(&self, text: &str) {
        self.answer(Kind::Elicit, text, &ElicitResult::new(ElicitAction::Accept));
    }

    /// Declines matching elicitations.
    #[track_caller]
    pub fn decline(&self, text: &str) {
        self.answer(Kind::Elicit, text, &ElicitResult::new(ElicitAction::Decline));
    }

    /// Cancels matching elicitations.
    #[track_caller]
    pub fn cancel(&self, text: &str) {
        self.answer(Kind::Elicit, text, &ElicitResult::new(ElicitAction::Cancel));
    }

    /// Answers matching sampling requests with a text.
    #[track_caller]
    pub fn sample_text(&self, question: &str, text: &str) {
        self.sample(question, &CreateMessageResult::new("test", SamplingContent::text(text)));
    }

    /// Answers matching sampling requests with a result.
    #[track_caller]
    pub fn sample(&self, text: &str, result: &CreateMessageResult) {
        self.answer(Kind::Sample, text, result);
    }

    /// Answers roots requests with these URIs.
    #[track_caller]
    pub fn roots<'a>(&self, uris: impl IntoIterator<Item = &'a str>) {
        let roots = uris.into_iter().map(Root::new).collect();
        self.answer(Kind::Roots, "", &ListRootsResult::new(roots));
    }

    /// Answers matching elicitations with an arbitrary result, for tests of invalid responses.
    ///
    /// # Panics
    /// Panics if `result` does not serialize to JSON.
    #[track_caller]
    pub fn answer_raw(&self, text: &str, result: &impl Serialize) {
        self.answer(Kind::Elicit, text, result);
    }

    /// Sets a fallback for questions without a matching response. It returns the result of the question's method.
    pub fn answer_with(&self, answer: impl Fn(&InputRequest) -> RawJson + Send + Sync + 'static) {
        self.listener.answers.set_fallback(Arc::new(answer));
    }

    #[track_caller]
    fn answer(&self, kind: Kind, text: &str, result: &impl Serialize) {
        self.listener.answers.add(kind, text, json(result));
    }

    /// Sets the delay before each response in live mode, to simulate a slow user.
    pub fn set_response_delay(&self, time: Duration) {
        self.listener.set_response_delay(time);
    }

    /// Returns the messages of the answered questions, in order.
    pub fn asked(&self) -> Vec<String> {
        self.listener.answers.asked()
    }

    /// Returns the notifications received during calls (progress and logs), in order.
    pub fn notifications(&self) -> Vec<ServerNotification> {
        self.listener.notifications()
    }

    /// Calls a tool with an object of arguments and returns its result.
    ///
    /// # Errors
    /// Returns the protocol error of the reply.
    ///
    /// # Panics
    /// Panics if the arguments are not an object, a question of the tool has no response, or the reply has another
    /// type.
    #[track_caller]
    pub fn call(
        &self,
        tool: &str,
        arguments: &(impl Serialize + ?Sized),
    ) -> impl Future<Output = Result<CallToolResult, Error>> {
        Checked::new(self.try_call(tool, object(arguments)))
    }

    /// Calls a tool and returns the text of its result.
    ///
    /// # Panics
    /// Panics if the call fails or the result has no text.
    #[track_caller]
    pub fn text(&self, tool: &str, arguments: &(impl Serialize + ?Sized)) -> impl Future<Output = String> {
        let call = self.try_call(tool, object(arguments));
        Checked::new(async move {
            let result = call.await?.map_err(|error| format!("`{tool}` failed: {error}"))?;
            if result.is_error() {
                return Err(format!("`{tool}` failed: {}", text_of(tool, &result)?));
            }
            text_of(tool, &result)
        })
    }

    /// Calls a tool that must fail and returns the error text for the model.
    ///
    /// # Panics
    /// Panics if the call succeeds or fails with a protocol error.
    #[track_caller]
    pub fn error_text(&self, tool: &str, arguments: &(impl Serialize + ?Sized)) -> impl Future<Output = String> {
        let call = self.try_call(tool, object(arguments));
        Checked::new(async move {
            let result = call.await?.map_err(|error| format!("`{tool}` failed: {error}"))?;
            if !result.is_error() {
                return Err(format!("`{tool}` did not fail: {:?}", result.content));
            }
            text_of(tool, &result)
        })
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// Returns the protocol error of the reply.
    ///
    /// # Panics
    /// Panics if a question of the resource has no response, or the reply has another type.
    #[track_caller]
    pub fn read(&self, uri: &str) -> impl Future<Output = Result<ReadResourceResult, Error>> {
        Checked::new(async move {
            match self.request(|| ClientRequest::ReadResource(ReadResourceParams::new(uri))).await? {
                Ok(ServerResult::ReadResource(result)) => Ok(Ok(result)),
                Ok(other) => Err(format!("a resource read returned {other:?}")),
                Err(error) => Ok(Err(error)),
            }
        })
    }

    /// Gets a prompt with an object of arguments.
    ///
    /// # Errors
    /// Returns the protocol error of the reply.
    ///
    /// # Panics
    /// Panics if the arguments are not an object, a question of the prompt has no response, or the reply has another
    /// type.
    #[track_caller]
    pub fn prompt(
        &self,
        name: &str,
        arguments: &(impl Serialize + ?Sized),
    ) -> impl Future<Output = Result<GetPromptResult, Error>> {
        let arguments = json(&object(arguments));
        let make = move || {
            let mut params = GetPromptParams::new(name);
            params.arguments = Some(arguments.clone());
            ClientRequest::GetPrompt(params)
        };
        Checked::new(async move {
            match self.request(make).await? {
                Ok(ServerResult::GetPrompt(result)) => Ok(Ok(result)),
                Ok(other) => Err(format!("a prompt returned {other:?}")),
                Err(error) => Ok(Err(error)),
            }
        })
    }

    /// Calls a tool. The outer error is a failure of the test.
    async fn try_call(&self, tool: &str, arguments: RawMap) -> Result<Result<CallToolResult, Error>, String> {
        let arguments = json(&arguments);
        let make = || ClientRequest::CallTool(CallToolParams::new(tool).arguments(arguments.clone()));
        match self.request(make).await? {
            Ok(ServerResult::CallTool(result)) => Ok(Ok(result)),
            Ok(other) => Err(format!("a tool call returned {other:?}")),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Sends a request, and retries it with the responses while the server requires input. The outer error is a failure
    /// of the test.
    async fn request(&self, make: impl Fn() -> ClientRequest) -> Result<Result<ServerResult, Error>, String> {
        let mut request = make();
        for round in 0..ROUNDS {
            let id = RequestId::Number(i64::try_from(round).unwrap_or_default());
            let sink = RequestSink::new(Arc::clone(&self.listener) as _, 0);
            let reply = self.server.call(Call::new(request, self.peer.clone()).id(id).sink(sink)).await;
            if let Some(failure) = self.listener.answers.take_failure() {
                return Err(failure);
            }
            match reply {
                Reply::Done(result) => return Ok(Ok(result)),
                Reply::Failed(error) => return Ok(Err(error)),
                Reply::NeedsInput(required) => {
                    if !matches!(self.mode, ClientMode::Rounds | ClientMode::OneByOne) {
                        return Err("a handshake revision returned input_required".to_owned());
                    }
                    request = make();
                    let (answers, state) = self.answers(required)?;
                    add_responses(&mut request, answers, state)?;
                }
            }
        }
        Err(format!("the call still requires input after {ROUNDS} rounds"))
    }

    fn answers(&self, required: InputRequired) -> Result<(RawMap, Option<Str>), String> {
        let few = if self.mode == ClientMode::OneByOne { 1 } else { usize::MAX };
        let mut answers = RawMap::new();
        for (key, question) in required.input_requests.unwrap_or_default().into_iter().take(few) {
            answers.insert(key, self.listener.answers.answer(&question)?);
        }
        Ok((answers, required.request_state))
    }

    /// Returns the protocol revision.
    pub fn revision(&self) -> Revision {
        self.peer.revision()
    }
}

/// Adds the responses and the request state to a retried request.
fn add_responses(request: &mut ClientRequest, answers: RawMap, state: Option<Str>) -> Result<(), String> {
    let (responses, request_state) = match request {
        ClientRequest::CallTool(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::GetPrompt(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::ReadResource(params) => (&mut params.input_responses, &mut params.request_state),
        other => return Err(format!("{} returned input_required", other.method())),
    };
    (*responses, *request_state) = (Some(answers), state);
    Ok(())
}

/// Serializes a value of the test.
#[track_caller]
fn json(value: &(impl Serialize + ?Sized)) -> RawJson {
    match RawJson::new(value) {
        Ok(json) => json,
        Err(error) => panic!("the value does not serialize to JSON: {error}"),
    }
}

/// Converts an object, a list of pairs or `()` into a JSON object.
#[track_caller]
fn object(value: &(impl Serialize + ?Sized)) -> RawMap {
    let json = json(value);
    if json.is_null() {
        return RawMap::new();
    }
    if let Ok(pairs) = json.decode::<Vec<(String, RawJson)>>() {
        let mut object = RawMap::new();
        for (name, value) in pairs {
            object.insert(name, value);
        }
        return object;
    }
    let Ok(object) = json.decode() else { panic!("{json} is not a JSON object") };
    object
}

fn text_of(tool: &str, result: &CallToolResult) -> Result<String, String> {
    let text = result.content.first().and_then(|block| block.as_text()).map(ToOwned::to_owned);
    text.ok_or_else(|| format!("the result of `{tool}` has no text: {:?}", result.content))
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("mode", &self.mode).finish_non_exhaustive()
    }
}
