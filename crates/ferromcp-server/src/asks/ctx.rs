//! What a handler's context has for asking.

use std::time::SystemTime;

use ferromcp_core::model::Tool;
use ferromcp_core::model::{
    CreateMessageParams, CreateMessageResult, ElicitParams, FormParams, FormSchema, InputRequest, UrlParams,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::asking::{Asking, missing};
use super::elicited::Elicited;
use super::error::AskError;
use super::question::Question;
use super::roots::Roots;
use super::sample::Sample;
use super::step::{self, Outcome};
use super::visit::Visit;
use super::visits;
use crate::ctx::Ctx;
use crate::form::Form;
use crate::tool_error::ToolError;

/// Asking the client. Each of these may be awaited where it stands, on every revision; what that means for the code
/// before it is said at [`once`](Ctx::once).
impl Ctx {
    /// Asks the client's user to fill in a form, or one field: `ctx.elicit::<bool>("Sure?").await?`.
    ///
    /// Where they decline or close it there is an error that says so; [`try_elicit`](Self::try_elicit) tells these
    /// apart as values. Never ask for passwords, keys or the like in a form: that is what
    /// [`elicit_url`](Self::elicit_url) is for.
    pub fn elicit<T: Form>(&self, message: impl Into<String>) -> Asking<T> {
        self.ask(Question::form(message))
    }

    /// Asks the client's user to fill in a form, which they may decline.
    pub fn try_elicit<T: Form>(&self, message: impl Into<String>) -> Asking<Elicited<T>> {
        self.ask(Question::try_form(message))
    }

    /// Sends the client's user to a URL, if they agree. That they do says nothing of what they do there.
    pub fn elicit_url(&self, message: impl Into<String>, url: impl Into<String>) -> Asking<Visit> {
        self.ask(Question::url(message, url))
    }

    /// Asks the client's model to go on with a conversation: `ctx.sample("Say hello").await?`.
    pub fn sample(&self, sample: impl Into<Sample>) -> Asking<CreateMessageResult> {
        self.ask(Question::sample(sample))
    }

    /// Asks the client into which folders the server may look.
    pub fn roots(&self) -> Asking<Roots> {
        self.ask(Question::roots())
    }

    /// Asks the client something.
    pub fn ask<T>(&self, question: Question<T>) -> Asking<T> {
        Asking::new(self.clone(), question)
    }

    /// Whether the client's user can be asked to fill in a form.
    pub fn can_elicit(&self) -> bool {
        self.can(&InputRequest::Elicit(ElicitParams::Form(FormParams::new("", FormSchema::new(Vec::new())))))
    }

    /// Whether the client's user can be sent to a URL.
    pub fn can_elicit_url(&self) -> bool {
        self.can(&InputRequest::Elicit(ElicitParams::Url(UrlParams::new("", ""))))
    }

    /// Whether the client's model can be asked.
    pub fn can_sample(&self) -> bool {
        self.can(&InputRequest::CreateMessage(Box::new(CreateMessageParams::new(Vec::new(), 1))))
    }

    /// Whether tools can be offered to the client's model.
    pub fn can_sample_with_tools(&self) -> bool {
        let mut params = CreateMessageParams::new(Vec::new(), 1);
        params.tools = Some(Vec::<Tool>::new());
        self.can(&InputRequest::CreateMessage(Box::new(params)))
    }

    /// Whether the client names its roots.
    pub fn can_list_roots(&self) -> bool {
        self.can(&InputRequest::ListRoots)
    }

    fn can(&self, request: &InputRequest) -> bool {
        self.may_ask().is_ok() && missing(request, self).is_none()
    }

    /// The failure of a call that cannot go on before its user has visited these URLs: the client sends them there, and
    /// calls again. Return it as the error. On 2025-11-25 it is -32042, on 2026-07-28 the questions themselves.
    pub fn url_required(&self, questions: impl IntoIterator<Item = Question<Visit>>) -> ToolError {
        visits::required(self, questions)
    }

    /// Does something once, however often this handler runs for one call.
    ///
    /// A client of 2026-07-28 is asked by answering its call with the question; it calls again, and the handler runs
    /// again from its top, this time with the answer. So **what stands before a question may run twice**: put effects
    /// before a question into `once`, whose result is kept from one run to the next. Between questions a handler is to
    /// go the same way each time, so take the time from [`now`](Self::now), ids from [`new_id`](Self::new_id), and
    /// what else may change from `once`.
    ///
    /// A step is known by its name; one that is done again in a loop is counted. Those that are done side by side
    /// (`join!`) have names of their own, since which of them comes first may differ. Nothing can be asked within.
    ///
    /// # Errors
    /// When the result cannot be JSON, or what was kept is none of its type.
    ///
    /// ```
    /// use ferromcp_server::{Ctx, ToolError};
    ///
    /// async fn book(ctx: Ctx) -> Result<String, ToolError> {
    ///     let seat = ctx.once("reserve", || async { "12A".to_owned() }).await?; // not reserved twice
    ///     if ctx.elicit::<bool>(format!("Take seat {seat}?")).await? {
    ///         return Ok(format!("{seat} is yours"));
    ///     }
    ///     Ok("Nothing booked".into())
    /// }
    /// ```
    pub async fn once<T, Fut>(&self, step: &str, effect: impl FnOnce() -> Fut) -> Result<T, AskError>
    where
        T: Serialize + DeserializeOwned,
        Fut: Future<Output = T>,
    {
        step::once(self, step, effect).await
    }

    /// Does something once that may fail. That it failed is kept too: it is not tried again by this call.
    ///
    /// # Errors
    /// Those of the effect, and of [`once`](Self::once).
    pub async fn try_once<T, E, Fut>(&self, step: &str, effect: impl FnOnce() -> Fut) -> Result<T, ToolError>
    where
        T: Serialize + DeserializeOwned,
        E: Into<ToolError>,
        Fut: Future<Output = Result<T, E>>,
    {
        let told = async move || match effect().await {
            Ok(value) => Outcome::Done(value),
            Err(error) => Outcome::Failed(error.into().to_string()),
        };
        match step::once(self, step, told).await? {
            Outcome::Done(value) => Ok(value),
            Outcome::Failed(words) => Err(ToolError::new(words)),
        }
    }

    /// The time at which this was first reached: the same in each run of the handler, to the millisecond.
    pub fn now(&self) -> SystemTime {
        step::now(self)
    }

    /// An id that nobody can guess: the same in each run of the handler.
    ///
    /// # Panics
    /// When the system has no random numbers; a panic in a handler becomes an error of its call.
    pub fn new_id(&self) -> String {
        step::new_id(self)
    }
}
