//! A question: what is asked, how its answer is read, and what happens where nobody can be asked.

use std::fmt;
use std::time::Duration;

use ferromcp_core::model::{
    CreateMessageResult, ElicitAction, ElicitParams, ElicitResult, FormParams, FormSchema, InputRequest,
    ListRootsResult, UrlParams,
};
use ferromcp_core::{RawJson, RawMap};

use super::elicited::Elicited;
use super::error::{AskError, Kind};
use super::roots::Roots;
use super::sample::Sample;
use super::visit::Visit;
use crate::form::{self, Form};

/// The most characters of a question that an error or the log repeats.
const EXCERPT: usize = 80;

/// Reads the answer to a question.
type Read<T> = fn(&InputRequest, &RawJson) -> Result<T, AskError>;

/// Something to ask the client, whose answer is a `T`. Ask it by [`Ctx::ask`](crate::Ctx::ask), or declare it on a
/// parameter with `#[ask(..)]`.
///
/// ```
/// use ferromcp_server::Question;
///
/// let name = Question::<String>::form("What is your name?").key("name").or("stranger".to_owned());
/// ```
#[must_use = "a question does nothing until it is asked"]
pub struct Question<T> {
    pub(crate) request: InputRequest,
    pub(crate) key: Option<String>,
    pub(crate) timeout: Option<Duration>,
    fallback: Option<T>,
    read: Read<T>,
    flaw: Option<String>,
}

impl<T: Form> Question<T> {
    /// A form for the client's user. Where they decline or close it there is no answer, but an error that says so.
    pub fn form(message: impl Into<String>) -> Self {
        Self::of(form_request(message.into(), T::schema()), |request, answer| match read_form(request, answer)? {
            Elicited::Accepted(content) => fill(request, &content),
            Elicited::Declined => Err(Kind::Declined(excerpt(request)).into()),
            Elicited::Cancelled => Err(Kind::Cancelled(excerpt(request)).into()),
        })
    }
}

impl<T: Form> Question<Elicited<T>> {
    /// A form whose answer may also be that the user declined or closed it.
    pub fn try_form(message: impl Into<String>) -> Self {
        Self::of(form_request(message.into(), T::schema()), |request, answer| {
            Ok(match read_form(request, answer)? {
                Elicited::Accepted(content) => Elicited::Accepted(fill(request, &content)?),
                Elicited::Declined => Elicited::Declined,
                Elicited::Cancelled => Elicited::Cancelled,
            })
        })
    }
}

impl Question<Elicited<RawMap>> {
    /// A form that is made at run time. The answer is checked against it.
    pub fn dynamic(message: impl Into<String>, schema: FormSchema) -> Self {
        Self::of(form_request(message.into(), schema), |request, answer| {
            let answer = read_form(request, answer)?;
            if let (Elicited::Accepted(content), InputRequest::Elicit(ElicitParams::Form(form))) = (&answer, request) {
                form::check(&form.requested_schema, content)
                    .map_err(|mistakes| AskError::from(Kind::Invalid(excerpt(request), mistakes)))?;
            }
            Ok(answer)
        })
    }
}

impl Question<Visit> {
    /// A URL for the client's user to visit, for whatever must not pass through the client: passwords, payments, the
    /// consent to another service. An answer means that they agreed to go, not that they have been there.
    ///
    /// The URL is an absolute one, `https` outside of development, and holds neither secrets nor personal data.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        let url = url.into();
        let flaw = (!is_url(&url)).then(|| format!("`{}` is no absolute URL; write one as https://…", cut(&url)));
        let request = InputRequest::Elicit(ElicitParams::Url(UrlParams::new(message, url)));
        let mut question = Self::of(request, |request, answer| match decode::<ElicitResult>(request, answer)?.action {
            ElicitAction::Accept => Ok(Visit { id: id_of(request) }),
            ElicitAction::Decline => Err(Kind::Declined(excerpt(request)).into()),
            ElicitAction::Cancel => Err(Kind::Cancelled(excerpt(request)).into()),
        });
        question.flaw = flaw;
        question
    }

    /// What the client is to know the visit by: unique in this server, and nothing that others could guess, such as
    /// `ctx.new_id()`. One is made where none is given.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        if let InputRequest::Elicit(ElicitParams::Url(url)) = &mut self.request {
            url.elicitation_id = Some(id.into());
        }
        self
    }
}

impl Question<CreateMessageResult> {
    /// Something for the client's model to say.
    pub fn sample(sample: impl Into<Sample>) -> Self {
        let (params, flaw) = sample.into().into_params();
        let mut question = Self::of(InputRequest::CreateMessage(Box::new(params)), decode);
        question.flaw = flaw;
        question
    }
}

impl Question<Roots> {
    /// The folders that the client lets the server look into.
    pub fn roots() -> Self {
        Self::of(InputRequest::ListRoots, |request, answer| {
            decode::<ListRootsResult>(request, answer).map(|result| result.roots.into())
        })
    }
}

impl<T> Question<T> {
    fn of(request: InputRequest, read: Read<T>) -> Self {
        Self { request, key: None, timeout: None, fallback: None, read, flaw: None }
    }

    /// Knows the question by this name from one round to the next, whatever its text says then. A name that is used
    /// again, in a loop, is counted: `name`, `name-2`. Without a key it is known by its text.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The answer where the client cannot be asked. That its user declines is an answer, for which this does not stand.
    pub fn or(mut self, fallback: T) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// How long to wait for an answer of a client that is asked live, instead of
    /// [`Limits::answer_time`](crate::Limits::answer_time). On 2026-07-28 nothing waits; there a state expires.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// What is wrong with the question itself.
    pub(crate) fn flaw(&self) -> Option<&str> {
        self.flaw.as_deref()
    }

    pub(crate) fn take_fallback(&mut self) -> Option<T> {
        self.fallback.take()
    }

    /// Reads the answer.
    pub(crate) fn read(&self, answer: &RawJson) -> Result<T, AskError> {
        (self.read)(&self.request, answer)
    }
}

impl<T> fmt::Debug for Question<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("request", &self.request).field("key", &self.key).finish_non_exhaustive()
    }
}

fn id_of(request: &InputRequest) -> Option<String> {
    match request {
        InputRequest::Elicit(ElicitParams::Url(url)) => url.elicitation_id.clone(),
        _ => None,
    }
}

fn form_request(message: String, schema: FormSchema) -> InputRequest {
    InputRequest::Elicit(ElicitParams::Form(FormParams::new(message, schema)))
}

/// What was done with a form, with what was filled in.
fn read_form(request: &InputRequest, answer: &RawJson) -> Result<Elicited<RawMap>, AskError> {
    let result: ElicitResult = decode(request, answer)?;
    Ok(match result.action {
        ElicitAction::Accept => Elicited::Accepted(result.content.unwrap_or_default()),
        ElicitAction::Decline => Elicited::Declined,
        ElicitAction::Cancel => Elicited::Cancelled,
    })
}

fn fill<T: Form>(request: &InputRequest, content: &RawMap) -> Result<T, AskError> {
    form::read(content).map_err(|mistakes| Kind::Invalid(excerpt(request), mistakes).into())
}

fn decode<T: serde::de::DeserializeOwned>(request: &InputRequest, answer: &RawJson) -> Result<T, AskError> {
    answer.decode().map_err(|error| Kind::Invalid(excerpt(request), vec![error.to_string()]).into())
}

/// Whether an answer has the shape that the method of its question wants.
pub(crate) fn has_shape(request: Asked, answer: &RawJson) -> Result<(), serde_json::Error> {
    match request {
        Asked::Elicit => answer.decode::<ElicitResult>().map(drop),
        Asked::Sample => answer.decode::<CreateMessageResult>().map(drop),
        Asked::Roots => answer.decode::<ListRootsResult>().map(drop),
    }
}

/// Which method a question is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Asked {
    #[serde(rename = "e")]
    Elicit,
    #[serde(rename = "s")]
    Sample,
    #[serde(rename = "r")]
    Roots,
}

impl Asked {
    pub(crate) fn of(request: &InputRequest) -> Self {
        match request {
            InputRequest::CreateMessage(_) => Self::Sample,
            InputRequest::ListRoots => Self::Roots,
            _ => Self::Elicit,
        }
    }
}

/// The question in few words, for errors and the log.
pub(crate) fn excerpt(request: &InputRequest) -> String {
    match request {
        InputRequest::Elicit(ElicitParams::Form(form)) => cut(&form.message),
        InputRequest::Elicit(ElicitParams::Url(url)) => cut(&url.message),
        InputRequest::CreateMessage(params) => {
            let last = params.messages.last().and_then(|message| message.content.first());
            match last {
                Some(ferromcp_core::model::SamplingContent::Text(text)) => cut(&text.text),
                _ => "a message of the model".into(),
            }
        }
        InputRequest::ListRoots => "the roots".into(),
        _ => "a question".into(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Whether a text is an absolute URL: a scheme, and something that is in no need of escaping.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut letters = scheme.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
        && rest.trim_start_matches('/').chars().next().is_some()
        && rest.chars().all(|letter| letter.is_ascii_graphic() && !"<>\"{}|\\^`".contains(letter))
}
