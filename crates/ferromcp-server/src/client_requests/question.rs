//! A question to the client: its request, the parser of its answer, its key, timeout and fallback.

use std::fmt;
use std::time::Duration;

use ferromcp_core::model::{
    CreateMessageResult, ElicitAction, ElicitParams, ElicitResult, FormParams, FormSchema, InputRequest,
    ListRootsResult, UrlParams,
};
use ferromcp_core::wire::Repairable;
use ferromcp_core::{RawJson, RawMap};

use super::elicited::{Elicited, UrlConsent};
use super::roots::Roots;
use super::sample::Sample;
use crate::decode::decode_response;
use crate::form::{self, Form};
use crate::question_error::{Kind, QuestionError};
use crate::rounds::question_kind::{excerpt, truncate};

/// Parses the response to a question.
type ParseAnswer<T> = fn(&InputRequest, &RawJson) -> Result<T, QuestionError>;

/// A question to the client with an answer of type `T`. Send it with [`Ctx::ask`](crate::Ctx::ask), or declare it on a
/// parameter with `#[ask(..)]`.
///
/// ```
/// use ferromcp_server::Question;
///
/// let name = Question::<String>::form("What is your name?").key("name").or("stranger".to_owned());
/// ```
#[must_use = "a question does nothing until it is sent"]
pub struct Question<T> {
    pub(crate) request: InputRequest,
    pub(crate) key: Option<String>,
    pub(crate) timeout: Option<Duration>,
    fallback: Option<T>,
    parse_answer: ParseAnswer<T>,
    invalid: Option<String>,
}

impl<T: Form> Question<T> {
    /// Creates a form elicitation. Its answer is an error if the user declines or cancels.
    pub fn form(message: impl Into<String>) -> Self {
        Self::of(form_request(message.into(), T::schema()), |request, answer| {
            match decode_elicitation(request, answer)? {
                Elicited::Accepted(content) => parse_form(request, &content),
                Elicited::Declined => Err(Kind::Declined(excerpt(request)).into()),
                Elicited::Cancelled => Err(Kind::Cancelled(excerpt(request)).into()),
            }
        })
    }
}

impl<T: Form> Question<Elicited<T>> {
    /// Creates a form elicitation that returns decline and cancel as values.
    pub fn try_form(message: impl Into<String>) -> Self {
        Self::of(form_request(message.into(), T::schema()), |request, answer| {
            Ok(match decode_elicitation(request, answer)? {
                Elicited::Accepted(content) => Elicited::Accepted(parse_form(request, &content)?),
                Elicited::Declined => Elicited::Declined,
                Elicited::Cancelled => Elicited::Cancelled,
            })
        })
    }
}

impl Question<Elicited<RawMap>> {
    /// Creates a form elicitation from a schema built at run time. The answer is validated against the schema.
    pub fn dynamic(message: impl Into<String>, schema: FormSchema) -> Self {
        Self::of(form_request(message.into(), schema), |request, answer| {
            let answer = decode_elicitation(request, answer)?;
            if let (Elicited::Accepted(content), InputRequest::Elicit(ElicitParams::Form(form))) = (&answer, request) {
                form::check(&form.requested_schema, content)
                    .map_err(|problems| QuestionError::from(Kind::Invalid(excerpt(request), problems)))?;
            }
            Ok(answer)
        })
    }
}

impl Question<UrlConsent> {
    /// Creates a URL elicitation, for input that must not pass through the client: passwords, payments, OAuth consent.
    /// The answer means that the user agreed to open the URL, not that the user has completed the interaction.
    ///
    /// The URL must be absolute, should use `https` outside of development, and must not contain secrets or personal
    /// data.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        let url = url.into();
        let invalid = (!is_url(&url)).then(|| format!("`{}` is not an absolute URL; use https://…", truncate(&url)));
        let request = InputRequest::Elicit(ElicitParams::Url(UrlParams::new(message, url)));
        let mut question = Self::of(request, |request, answer| match decode::<ElicitResult>(request, answer)?.action {
            ElicitAction::Accept => Ok(UrlConsent { id: elicitation_id(request) }),
            ElicitAction::Decline => Err(Kind::Declined(excerpt(request)).into()),
            // Cancel, and actions of later revisions.
            _ => Err(Kind::Cancelled(excerpt(request)).into()),
        });
        question.invalid = invalid;
        question
    }

    /// Sets the elicitation id. It must be unique in this server and unguessable, such as `ctx.new_id()`. Generated if
    /// unset.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        if let InputRequest::Elicit(ElicitParams::Url(url)) = &mut self.request {
            url.elicitation_id = Some(id.into());
        }
        self
    }
}

impl Question<CreateMessageResult> {
    /// Creates a sampling request for the client's model.
    pub fn sample(sample: impl Into<Sample>) -> Self {
        let (params, invalid) = sample.into().into_params();
        let mut question = Self::of(InputRequest::CreateMessage(Box::new(params)), decode);
        question.invalid = invalid;
        question
    }
}

impl Question<Roots> {
    /// Creates a request for the client's roots.
    pub fn roots() -> Self {
        Self::of(InputRequest::ListRoots, |request, answer| {
            decode::<ListRootsResult>(request, answer).map(|result| result.roots.into())
        })
    }
}

impl<T> Question<T> {
    fn of(request: InputRequest, parse_answer: ParseAnswer<T>) -> Self {
        Self { request, key: None, timeout: None, fallback: None, parse_answer, invalid: None }
    }

    /// Identifies the question by this key across rounds, even if its text changes. A key that is reused, for example
    /// in a loop, gets a counter: `name`, `name-2`. Without a key, the question is identified by its text.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Sets the fallback that is used when the client lacks the capability. Not used if the user declines.
    pub fn or(mut self, fallback: T) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// Sets the timeout for the response on handshake revisions, instead of
    /// [`ServerLimits::answer_timeout`](crate::ServerLimits::answer_timeout). On 2026-07-28 the handler does not wait; the
    /// request state expires instead.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Returns the reason why the question cannot be sent, if it is invalid.
    pub(crate) fn invalid_reason(&self) -> Option<&str> {
        self.invalid.as_deref()
    }

    pub(crate) fn take_fallback(&mut self) -> Option<T> {
        self.fallback.take()
    }

    /// Parses the client's response.
    pub(crate) fn parse(&self, answer: &RawJson) -> Result<T, QuestionError> {
        (self.parse_answer)(&self.request, answer)
    }
}

impl<T> fmt::Debug for Question<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question").field("request", &self.request).field("key", &self.key).finish_non_exhaustive()
    }
}

fn elicitation_id(request: &InputRequest) -> Option<String> {
    match request {
        InputRequest::Elicit(ElicitParams::Url(url)) => url.elicitation_id.clone(),
        _ => None,
    }
}

fn form_request(message: String, schema: FormSchema) -> InputRequest {
    InputRequest::Elicit(ElicitParams::Form(FormParams::new(message, schema)))
}

/// Deserializes the result of a form elicitation.
fn decode_elicitation(request: &InputRequest, answer: &RawJson) -> Result<Elicited<RawMap>, QuestionError> {
    let result: ElicitResult = decode(request, answer)?;
    Ok(match result.action {
        ElicitAction::Accept => Elicited::Accepted(result.content.unwrap_or_default()),
        ElicitAction::Decline => Elicited::Declined,
        // Cancel, and actions of later revisions.
        _ => Elicited::Cancelled,
    })
}

fn parse_form<T: Form>(request: &InputRequest, content: &RawMap) -> Result<T, QuestionError> {
    form::read(content).map_err(|problems| Kind::Invalid(excerpt(request), problems).into())
}

fn decode<T: Repairable>(request: &InputRequest, answer: &RawJson) -> Result<T, QuestionError> {
    decode_response(answer).map_err(|error| Kind::Invalid(excerpt(request), vec![error.to_string()]).into())
}

/// Returns whether a text is an absolute URL: a scheme, and a nonempty rest without characters that require escaping.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut chars = scheme.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
        && rest.trim_start_matches('/').chars().next().is_some()
        && rest.chars().all(|char| char.is_ascii_graphic() && !"<>\"{}|\\^`".contains(char))
}
