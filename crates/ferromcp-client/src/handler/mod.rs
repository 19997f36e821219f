//! What the application answers when a server asks: forms, URLs, model runs, roots.
//!
//! One set of handlers serves the live requests of legacy servers and the questions in modern answers alike. What
//! there is a handler for is declared as a capability, and nothing else is.

pub(crate) mod answer;
mod defaults;
mod held;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use ferromcp_core::model::{
    ClientCapabilities, CreateMessageParams, CreateMessageResult, ElicitAction, ElicitResult, ElicitationCapability,
    FormParams, ListChanged, LogMessageParams, Root, SamplingCapability, UrlParams,
};
use ferromcp_core::{Error, RawJson, Revision};
use serde::Serialize;

use crate::channel::BoxFuture;

/// What a handler may return: the answer, or a `Result` with the protocol's error.
pub trait IntoAnswer<T> {
    /// As a result.
    fn into_answer(self) -> Result<T, Error>;
}

impl<T> IntoAnswer<T> for T {
    fn into_answer(self) -> Result<T, Error> {
        Ok(self)
    }
}

impl<T> IntoAnswer<T> for Result<T, Error> {
    fn into_answer(self) -> Self {
        self
    }
}

/// Answers what servers ask, as one value; single questions are answered by closures on the builder as well.
///
/// [`handles`](Self::handles) says which of the methods are real; the others are not called.
pub trait ClientHandler: Send + Sync + 'static {
    /// What is answered here.
    fn handles(&self) -> Handles;

    /// Shows the user a form. What the answer leaves out is filled with the form's defaults.
    fn form(&self, form: FormParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        drop(form);
        Box::pin(std::future::ready(Ok(decline())))
    }

    /// Asks the user whether to open a URL; it must be shown whole, and never be fetched before.
    fn url(&self, url: UrlParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        drop(url);
        Box::pin(std::future::ready(Ok(decline())))
    }

    /// Runs a model.
    fn sample(&self, params: CreateMessageParams) -> BoxFuture<'_, Result<CreateMessageResult, Error>> {
        drop(params);
        Box::pin(std::future::ready(Err(Error::method_not_found("sampling/createMessage"))))
    }

    /// Names the folders a server may look into.
    fn roots(&self) -> BoxFuture<'_, Result<Vec<Root>, Error>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// Which questions are answered.
///
/// ```
/// use ferromcp_client::Handles;
/// let mut handles = Handles::default();
/// handles.form = true;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // five independent questions, each yes or no
#[non_exhaustive]
pub struct Handles {
    /// Forms.
    pub form: bool,
    /// URLs.
    pub url: bool,
    /// Model runs.
    pub sampling: bool,
    /// Model runs in which the model may use tools.
    pub sampling_tools: bool,
    /// Roots.
    pub roots: bool,
}

/// The user agreed to a form, and filled in `content`: an object. What the form wants is looked at before it is sent.
///
/// # Errors
/// -32603 when `content` is no JSON object.
pub fn accept<T: Serialize + ?Sized>(content: &T) -> Result<ElicitResult, Error> {
    let bad = |error: serde_json::Error| Error::internal(format!("the content of a form is to be an object: {error}"));
    let mut result = accept_url();
    result.content = Some(RawJson::new(content).and_then(|json| json.decode()).map_err(bad)?);
    Ok(result)
}

/// The user agreed to a form and left its fields as they are, or agreed to visit a URL.
pub fn accept_url() -> ElicitResult {
    ElicitResult::new(ElicitAction::Accept)
}

/// The user said no.
pub fn decline() -> ElicitResult {
    ElicitResult::new(ElicitAction::Decline)
}

/// The user went away without a choice.
pub fn cancel() -> ElicitResult {
    ElicitResult::new(ElicitAction::Cancel)
}

type Handler<P, R> = Arc<dyn Fn(P) -> BoxFuture<'static, Result<R, Error>> + Send + Sync>;

/// The handlers there are.
#[derive(Clone, Default)]
pub(crate) struct Handlers {
    form: Option<Handler<FormParams, ElicitResult>>,
    url: Option<Handler<UrlParams, ElicitResult>>,
    sampling: Option<Handler<CreateMessageParams, CreateMessageResult>>,
    sampling_tools: bool,
    roots: Option<Handler<(), Vec<Root>>>,
    /// What is declared without a handler, for calls whose questions somebody else answers.
    pub(crate) declared: Handles,
    pub(crate) log: Option<Arc<dyn Fn(LogMessageParams) + Send + Sync>>,
    pub(crate) elicitation_complete: Option<Arc<dyn Fn(String) + Send + Sync>>,
}

/// A closure as a handler.
fn boxed<P, R, F, Fut>(handler: F) -> Handler<P, R>
where
    P: Send + 'static,
    R: 'static,
    F: Fn(P) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoAnswer<R>,
{
    Arc::new(move |params| {
        let answer = handler(params);
        Box::pin(async move { answer.await.into_answer() })
    })
}

impl Handlers {
    pub(crate) fn on_form<F, Fut>(&mut self, handler: F)
    where
        F: Fn(FormParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<ElicitResult>,
    {
        self.form = Some(boxed(handler));
    }

    pub(crate) fn on_url<F, Fut>(&mut self, handler: F)
    where
        F: Fn(UrlParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<ElicitResult>,
    {
        self.url = Some(boxed(handler));
    }

    pub(crate) fn on_sampling<F, Fut>(&mut self, handler: F, with_tools: bool)
    where
        F: Fn(CreateMessageParams) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<CreateMessageResult>,
    {
        self.sampling = Some(boxed(handler));
        self.sampling_tools = with_tools;
    }

    pub(crate) fn on_roots<F, Fut>(&mut self, handler: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoAnswer<Vec<Root>>,
    {
        self.roots = Some(boxed(move |()| handler()));
    }

    /// Takes over what `handler` handles.
    pub(crate) fn install(&mut self, handler: impl ClientHandler) {
        let answered = handler.handles();
        let handler = Arc::new(handler);
        if answered.form {
            let handler = Arc::clone(&handler);
            self.on_form(move |form| {
                let handler = Arc::clone(&handler);
                async move { handler.form(form).await }
            });
        }
        if answered.url {
            let handler = Arc::clone(&handler);
            self.on_url(move |url| {
                let handler = Arc::clone(&handler);
                async move { handler.url(url).await }
            });
        }
        if answered.sampling {
            let handler = Arc::clone(&handler);
            let run = move |params| {
                let handler = Arc::clone(&handler);
                async move { handler.sample(params).await }
            };
            self.on_sampling(run, answered.sampling_tools);
        }
        if answered.roots {
            self.on_roots(move || {
                let handler = Arc::clone(&handler);
                async move { handler.roots().await }
            });
        }
    }

    /// What is declared to a server of `revision`.
    pub(crate) fn declare(&self, capabilities: &mut ClientCapabilities, revision: Revision) {
        let on = |yes: bool| yes.then(RawJson::empty_object);
        let said = self.declared;
        let (form, url) = (self.form.is_some() || said.form, self.url.is_some() || said.url);
        if form || url {
            let mut elicitation = ElicitationCapability::default();
            (elicitation.form, elicitation.url) = (on(form), on(url));
            capabilities.elicitation = Some(elicitation);
        }
        if self.sampling.is_some() || said.sampling {
            let mut sampling = SamplingCapability::default();
            sampling.tools = on(self.sampling_tools || said.sampling_tools);
            capabilities.sampling = Some(sampling);
        }
        if self.roots.is_some() || said.roots {
            let mut roots = ListChanged::default();
            roots.list_changed = (!revision.is_modern()).then_some(true);
            capabilities.roots = Some(roots);
        }
    }

    pub(crate) fn has_url(&self) -> bool {
        self.url.is_some()
    }

    pub(crate) fn has_roots(&self) -> bool {
        self.roots.is_some()
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut capabilities = ClientCapabilities::default();
        self.declare(&mut capabilities, Revision::LATEST);
        capabilities.fmt(f)
    }
}
