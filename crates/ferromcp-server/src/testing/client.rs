//! A client within the process of its server.

use std::fmt;
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
use super::everything::everything;
use super::listener::Listener;
use super::way::Way;
use crate::call::{Call, Reply};
use crate::outlet::Outlet;
use crate::peer::Peer;
use crate::server::Server;

/// How often a call is answered with questions before a test has seen enough.
const ROUNDS: usize = 1_000;

/// A client of one server in one [`Way`], with its answers at hand.
///
/// An answer is given to questions in whose words its own stand. Where several fit, they are used up in their order, and
/// the last is kept.
#[derive(Clone)]
pub struct Client {
    server: Server,
    way: Way,
    peer: Peer,
    listener: Arc<Listener>,
}

impl Client {
    /// A client of `server` that can be asked everything, for tests of one [`Way`] alone.
    pub fn with(server: Server, way: Way) -> Self {
        Self::new(server, way, everything())
    }

    pub(super) fn new(server: Server, way: Way, capabilities: ClientCapabilities) -> Self {
        let peer = Peer::new(way.revision()).with_capabilities(capabilities).with_log_level(Some(LogLevel::Debug));
        Self { server, way, peer, listener: Arc::new(Listener::new(Arc::new(Answers::default()))) }
    }

    /// The same client as an authenticated principal.
    pub fn identified(mut self, principal: &str) -> Self {
        self.peer = self.peer.with_identity(principal);
        self
    }

    /// How it speaks with the server.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Fills a form in with `content`.
    ///
    /// # Panics
    /// When that cannot be a JSON object; lists of pairs count as one.
    pub fn accept(&self, words: &str, content: &(impl Serialize + ?Sized)) {
        let mut result = ElicitResult::new(ElicitAction::Accept);
        result.content = Some(object(content));
        self.answer(Kind::Elicit, words, &result);
    }

    /// Agrees to visit a URL.
    pub fn agree(&self, words: &str) {
        self.answer(Kind::Elicit, words, &ElicitResult::new(ElicitAction::Accept));
    }

    /// Says no to a form or URL.
    pub fn decline(&self, words: &str) {
        self.answer(Kind::Elicit, words, &ElicitResult::new(ElicitAction::Decline));
    }

    /// Closes a form or URL without a choice.
    pub fn cancel(&self, words: &str) {
        self.answer(Kind::Elicit, words, &ElicitResult::new(ElicitAction::Cancel));
    }

    /// Lets the model say a text.
    pub fn say(&self, words: &str, text: &str) {
        self.say_all(words, &CreateMessageResult::new("test", SamplingContent::text(text)));
    }

    /// Lets the model say anything.
    pub fn say_all(&self, words: &str, said: &CreateMessageResult) {
        self.answer(Kind::Sample, words, said);
    }

    /// Names the roots.
    pub fn roots<'a>(&self, uris: impl IntoIterator<Item = &'a str>) {
        let roots = uris.into_iter().map(Root::new).collect();
        self.answer(Kind::Roots, "", &ListRootsResult::new(roots));
    }

    /// Answers with whatever a client might.
    ///
    /// # Panics
    /// When it cannot be JSON.
    pub fn answer_raw(&self, words: &str, result: &impl Serialize) {
        self.answer(Kind::Elicit, words, result);
    }

    /// Answers whatever no other answer is for, with the result of the question's method.
    pub fn answer_by(&self, answer: impl Fn(&InputRequest) -> RawJson + Send + Sync + 'static) {
        self.listener.answers.rest(Arc::new(answer));
    }

    fn answer(&self, kind: Kind, words: &str, result: &impl Serialize) {
        self.listener.answers.add(kind, words, RawJson::new(result).expect("an answer is JSON"));
    }

    /// Takes its time before it answers live, as people do.
    pub fn hesitate(&self, time: Duration) {
        self.listener.hesitate(time);
    }

    /// The words of what it was asked and answered, in order.
    pub fn asked(&self) -> Vec<String> {
        self.listener.answers.asked()
    }

    /// What it was told in the middle of its calls: progress and logs.
    pub fn heard(&self) -> Vec<ServerNotification> {
        self.listener.heard()
    }

    /// Calls a tool with an object of arguments.
    ///
    /// # Errors
    /// The protocol error it is answered with.
    ///
    /// # Panics
    /// When it is answered with something else.
    pub async fn call(&self, tool: &str, arguments: &(impl Serialize + ?Sized)) -> Result<CallToolResult, Error> {
        let arguments = RawJson::new(&object(arguments)).expect("arguments are JSON");
        let make = || ClientRequest::CallTool(CallToolParams::new(tool).arguments(arguments.clone()));
        match self.request(make).await? {
            ServerResult::CallTool(result) => Ok(result),
            other => panic!("a tool answered {other:?}"),
        }
    }

    /// The text that a tool answers with.
    ///
    /// # Panics
    /// When it fails, or answers with anything else.
    pub async fn text(&self, tool: &str, arguments: &(impl Serialize + ?Sized)) -> String {
        let result = self.call(tool, arguments).await.unwrap_or_else(|error| panic!("`{tool}` failed: {error}"));
        assert!(!result.is_error(), "`{tool}` failed: {:?}", result.content);
        text_of(tool, &result)
    }

    /// What a tool tells the model of its failure.
    ///
    /// # Panics
    /// When it does not fail, or fails by a protocol error.
    pub async fn complaint(&self, tool: &str, arguments: &(impl Serialize + ?Sized)) -> String {
        let result = self.call(tool, arguments).await.unwrap_or_else(|error| panic!("`{tool}` failed: {error}"));
        assert!(result.is_error(), "`{tool}` did not fail: {:?}", result.content);
        text_of(tool, &result)
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// The protocol error it is answered with.
    ///
    /// # Panics
    /// When it is answered with something else.
    pub async fn read(&self, uri: &str) -> Result<ReadResourceResult, Error> {
        match self.request(|| ClientRequest::ReadResource(ReadResourceParams::new(uri))).await? {
            ServerResult::ReadResource(result) => Ok(result),
            other => panic!("a resource answered {other:?}"),
        }
    }

    /// Gets a prompt with an object of arguments.
    ///
    /// # Errors
    /// The protocol error it is answered with.
    ///
    /// # Panics
    /// When it is answered with something else.
    pub async fn prompt(&self, name: &str, arguments: &(impl Serialize + ?Sized)) -> Result<GetPromptResult, Error> {
        let arguments = RawJson::new(&object(arguments)).expect("arguments are JSON");
        let make = || {
            let mut params = GetPromptParams::new(name);
            params.arguments = Some(arguments.clone());
            ClientRequest::GetPrompt(params)
        };
        match self.request(make).await? {
            ServerResult::GetPrompt(result) => Ok(result),
            other => panic!("a prompt answered {other:?}"),
        }
    }

    /// Makes a request, and makes it again with its answers for as long as there are questions.
    async fn request(&self, make: impl Fn() -> ClientRequest) -> Result<ServerResult, Error> {
        let mut request = make();
        for round in 0..ROUNDS {
            let id = RequestId::Number(i64::try_from(round).unwrap_or_default());
            let outlet = Outlet::new(Arc::clone(&self.listener) as _, 0);
            match self.server.call(Call::new(request, self.peer.clone()).id(id).outlet(outlet)).await {
                Reply::Done(result) => return Ok(result),
                Reply::Failed(error) => return Err(error),
                Reply::NeedsInput(required) => {
                    assert!(matches!(self.way, Way::Rounds | Way::OneByOne), "a session was answered with questions");
                    request = make();
                    let (answers, state) = self.answers(required);
                    go_on(&mut request, answers, state);
                }
            }
        }
        panic!("{ROUNDS} rounds, and still a question");
    }

    fn answers(&self, required: InputRequired) -> (RawMap, Option<Str>) {
        let few = if self.way == Way::OneByOne { 1 } else { usize::MAX };
        let mut answers = RawMap::new();
        for (key, question) in required.input_requests.unwrap_or_default().into_iter().take(few) {
            answers.insert(key, self.listener.answers.answer(&question));
        }
        (answers, required.request_state)
    }

    /// The revision that it speaks.
    pub fn revision(&self) -> Revision {
        self.peer.revision()
    }
}

/// The request as it is made again.
fn go_on(request: &mut ClientRequest, answers: RawMap, state: Option<Str>) {
    let (responses, kept) = match request {
        ClientRequest::CallTool(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::GetPrompt(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::ReadResource(params) => (&mut params.input_responses, &mut params.request_state),
        other => panic!("{} was answered with questions", other.method()),
    };
    (*responses, *kept) = (Some(answers), state);
}

/// An object, also out of a list of pairs and out of nothing.
fn object(value: &(impl Serialize + ?Sized)) -> RawMap {
    let json = RawJson::new(value).expect("it is JSON");
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
    json.decode().unwrap_or_else(|_| panic!("{json} is no object"))
}

fn text_of(tool: &str, result: &CallToolResult) -> String {
    let text = result.content.first().and_then(|block| block.as_text());
    text.unwrap_or_else(|| panic!("`{tool}` answered without text: {:?}", result.content)).to_owned()
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("way", &self.way).finish_non_exhaustive()
    }
}
