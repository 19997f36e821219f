//! The client requests of [`Ctx`]: elicitation, sampling, roots, and effects that run once.

use std::time::SystemTime;

use ferromcp_core::model::{
    CreateMessageParams, CreateMessageResult, ElicitParams, FormParams, FormSchema, InputRequest, UrlParams,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::elicited::{Elicited, UrlConsent};
use super::mrtr::once::{self, Outcome};
use super::pending_question::{PendingQuestion, missing_capabilities};
use super::question::Question;
use super::roots::Roots;
use super::sample::Sample;
use super::url_elicitation;
use crate::ctx::Ctx;
use crate::form::Form;
use crate::question_error::QuestionError;
use crate::tool_error::ToolError;

/// Elicitation, sampling and roots. Each request can be awaited on every revision. On 2026-07-28 the handler runs again
/// for each round, so wrap side effects that precede a request in [`once`](Ctx::once).
impl Ctx {
    /// Requests form input from the user (elicitation): `ctx.elicit::<bool>("Sure?").await?`.
    ///
    /// Resolves to an error if the user declines or cancels; [`try_elicit`](Self::try_elicit) returns these outcomes as
    /// values. Do not request passwords or keys in a form; use [`elicit_url`](Self::elicit_url).
    pub fn elicit<T: Form>(&self, message: impl Into<String>) -> PendingQuestion<T> {
        self.ask(Question::form(message))
    }

    /// Requests form input from the user, and returns decline and cancel as values.
    pub fn try_elicit<T: Form>(&self, message: impl Into<String>) -> PendingQuestion<Elicited<T>> {
        self.ask(Question::try_form(message))
    }

    /// Requests the user's consent to open a URL (URL elicitation). Consent does not mean that the user has completed
    /// anything at the URL.
    pub fn elicit_url(&self, message: impl Into<String>, url: impl Into<String>) -> PendingQuestion<UrlConsent> {
        self.ask(Question::url(message, url))
    }

    /// Requests a completion from the client's model (sampling): `ctx.sample("Say hello").await?`.
    pub fn sample(&self, sample: impl Into<Sample>) -> PendingQuestion<CreateMessageResult> {
        self.ask(Question::sample(sample))
    }

    /// Requests the client's roots: the directories that the server may access.
    pub fn roots(&self) -> PendingQuestion<Roots> {
        self.ask(Question::roots())
    }

    /// Sends a [`Question`] to the client.
    pub fn ask<T>(&self, question: Question<T>) -> PendingQuestion<T> {
        PendingQuestion::new(self.clone(), question)
    }

    /// Returns whether the client supports form elicitation.
    pub fn can_elicit(&self) -> bool {
        self.can(&InputRequest::Elicit(ElicitParams::Form(FormParams::new("", FormSchema::new(Vec::new())))))
    }

    /// Returns whether the client supports URL elicitation.
    pub fn can_elicit_url(&self) -> bool {
        self.can(&InputRequest::Elicit(ElicitParams::Url(UrlParams::new("", ""))))
    }

    /// Returns whether the client supports sampling.
    pub fn can_sample(&self) -> bool {
        self.can(&InputRequest::CreateMessage(Box::new(CreateMessageParams::new(Vec::new(), 1))))
    }

    /// Returns whether the client supports sampling with tools.
    pub fn can_sample_with_tools(&self) -> bool {
        let params = CreateMessageParams::new(Vec::new(), 1).tools([]);
        self.can(&InputRequest::CreateMessage(Box::new(params)))
    }

    /// Returns whether the client supports roots.
    pub fn can_list_roots(&self) -> bool {
        self.can(&InputRequest::ListRoots)
    }

    fn can(&self, request: &InputRequest) -> bool {
        self.may_ask().is_ok() && missing_capabilities(request, self).is_none()
    }

    /// Requires that the user visits these URLs before the call continues, for example to sign in. Call it while the
    /// result of the visits is missing.
    ///
    /// - **On 2025-11-25**, it returns the protocol error -32042 (URL elicitation required). The client opens the URLs and
    ///   sends the call again.
    /// - **On 2026-07-28**, it requests consent to open the URLs, all in one round. It returns `Ok` when the user has
    ///   agreed to all of them. The handler runs again from the top.
    ///
    /// Consent does not mean that the user has completed anything at the URL, so check again after it. Do not record the
    /// check with [`once`](Self::once), because each run needs its current result.
    ///
    /// Without a URL, nothing is required. A question without a [key](Question::key) gets the key `url1`, `url2` and so on.
    /// Fallbacks and timeouts of the questions do not apply.
    ///
    /// # Errors
    /// Returns the error -32042 on 2025-11-25. Fails if a URL is invalid, the client does not support URL elicitation, or
    /// the user declines.
    ///
    /// ```
    /// use ferromcp_server::{Ctx, Question, State, ToolError};
    ///
    /// # #[derive(Clone)]
    /// # struct Accounts;
    /// # impl Accounts { fn is_connected(&self, _: Option<&str>) -> bool { true } }
    /// async fn calendar(State(accounts): State<Accounts>, ctx: Ctx) -> Result<String, ToolError> {
    ///     while !accounts.is_connected(ctx.identity()) {
    ///         ctx.require_urls([Question::url("Connect your calendar", "https://example.com/connect")]).await?;
    ///     }
    ///     Ok("no events today".into())
    /// }
    /// ```
    pub async fn require_urls(
        &self,
        questions: impl IntoIterator<Item = Question<UrlConsent>>,
    ) -> Result<(), ToolError> {
        url_elicitation::require_urls(self, questions.into_iter().collect()).await
    }

    /// Runs an effect once per call, even if the handler runs several times, and returns its recorded result.
    ///
    /// On 2026-07-28 a question ends the current run: the client calls again with the answer, and the handler runs
    /// again from the top. **Code before a question may therefore run twice.** Wrap side effects before a question in
    /// `once`; later runs return the recorded result. Control flow between questions must be deterministic: take the
    /// time from [`now`](Self::now), ids from [`new_id`](Self::new_id), and other nondeterministic values from `once`.
    ///
    /// A step is identified by its name. A name that is reused, for example in a loop, gets a counter. Steps that run
    /// concurrently (`join!`) need different names, because their order may change. The effect cannot send questions.
    ///
    /// # Errors
    /// Fails if the result cannot be serialized to JSON, or the recorded value cannot be deserialized as `T`.
    ///
    /// ```
    /// use ferromcp_server::{Ctx, ToolError};
    ///
    /// async fn book(ctx: Ctx) -> Result<String, ToolError> {
    ///     let seat = ctx.once("reserve", || async { "12A".to_owned() }).await?; // reserves once
    ///     if ctx.elicit::<bool>(format!("Take seat {seat}?")).await? {
    ///         return Ok(format!("{seat} is yours"));
    ///     }
    ///     Ok("Nothing booked".into())
    /// }
    /// ```
    pub async fn once<T, Fut>(&self, step: &str, effect: impl FnOnce() -> Fut) -> Result<T, QuestionError>
    where
        T: Serialize + DeserializeOwned,
        Fut: Future<Output = T>,
    {
        once::once(self, step, effect).await
    }

    /// Runs a fallible effect once per call. A failure is recorded too, so this call does not retry the effect.
    ///
    /// # Errors
    /// Returns the error of the effect, or an error of [`once`](Self::once).
    pub async fn try_once<T, E, Fut>(&self, step: &str, effect: impl FnOnce() -> Fut) -> Result<T, ToolError>
    where
        T: Serialize + DeserializeOwned,
        E: Into<ToolError>,
        Fut: Future<Output = Result<T, E>>,
    {
        let recorded = async move || match effect().await {
            Ok(value) => Outcome::Done(value),
            Err(error) => Outcome::Failed(error.into().to_string()),
        };
        match once::once(self, step, recorded).await? {
            Outcome::Done(value) => Ok(value),
            Outcome::Failed(message) => Err(ToolError::new(message)),
        }
    }

    /// Returns the current time, with millisecond precision. Each run of the handler gets the value of the first run.
    pub fn now(&self) -> SystemTime {
        once::now(self)
    }

    /// Returns an unguessable random id. Each run of the handler gets the value of the first run.
    ///
    /// # Panics
    /// Panics if the system's random number generator fails. A panic in a handler becomes an error of its call.
    pub fn new_id(&self) -> String {
        once::new_id(self)
    }
}
