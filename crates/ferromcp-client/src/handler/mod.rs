//! Handlers for requests of servers: elicitation (forms, URLs), sampling, roots.
//!
//! The same handlers answer JSON-RPC requests of legacy servers and input requests in `input_required` responses
//! (2026-07-28). A capability is declared if and only if its handler is registered.

pub(crate) mod answer;
mod defaults;
mod form_content;

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
use crate::era::features::has_roots_notification;

/// Return types of handlers: the response, or a `Result` with a JSON-RPC error.
pub trait IntoAnswer<T> {
    /// Converts the value into a `Result`.
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

/// A handler for several kinds of requests. For single kinds, register closures on the builder.
///
/// [`handled_requests`](Self::handled_requests) determines which methods are called.
pub trait ClientHandler: Send + Sync + 'static {
    /// Returns the kinds of requests that this handler handles.
    fn handled_requests(&self) -> HandledRequests;

    /// Handles form elicitation. Fields missing from the response are filled with the defaults of the form.
    fn form(&self, form: FormParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        drop(form);
        Box::pin(std::future::ready(Ok(decline())))
    }

    /// Handles URL elicitation. Show the URL in full, and do not fetch it beforehand.
    fn url(&self, url: UrlParams) -> BoxFuture<'_, Result<ElicitResult, Error>> {
        drop(url);
        Box::pin(std::future::ready(Ok(decline())))
    }

    /// Handles sampling requests.
    fn sample(&self, params: CreateMessageParams) -> BoxFuture<'_, Result<CreateMessageResult, Error>> {
        drop(params);
        Box::pin(std::future::ready(Err(Error::method_not_found("sampling/createMessage"))))
    }

    /// Returns the folders that a server may access.
    fn roots(&self) -> BoxFuture<'_, Result<Vec<Root>, Error>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}

/// The kinds of requests that a client handles.
///
/// ```
/// use ferromcp_client::HandledRequests;
/// let mut handled = HandledRequests::default();
/// handled.form = true;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // five independent capabilities
#[non_exhaustive]
pub struct HandledRequests {
    /// Form elicitation.
    pub form: bool,
    /// URL elicitation.
    pub url: bool,
    /// Sampling.
    pub sampling: bool,
    /// Sampling with tools.
    pub sampling_tools: bool,
    /// Roots.
    pub roots: bool,
}

/// Accepts a form with `content`, which must serialize to a JSON object. The content is validated before it is sent.
///
/// # Errors
/// -32603 if `content` does not serialize to a JSON object.
pub fn accept<T: Serialize + ?Sized>(content: &T) -> Result<ElicitResult, Error> {
    let invalid =
        |error: serde_json::Error| Error::internal(format!("form content must serialize to a JSON object: {error}"));
    let mut result = accept_url();
    result.content = Some(RawJson::new(content).and_then(|json| json.decode()).map_err(invalid)?);
    Ok(result)
}

/// Accepts a URL, or a form with its defaults.
pub fn accept_url() -> ElicitResult {
    ElicitResult::new(ElicitAction::Accept)
}

/// Declines the request of the server.
pub fn decline() -> ElicitResult {
    ElicitResult::new(ElicitAction::Decline)
}

/// Cancels the request: the user dismissed it without a choice.
pub fn cancel() -> ElicitResult {
    ElicitResult::new(ElicitAction::Cancel)
}

type Handler<P, R> = Arc<dyn Fn(P) -> BoxFuture<'static, Result<R, Error>> + Send + Sync>;

/// The registered handlers.
#[derive(Clone, Default)]
pub(crate) struct Handlers {
    form: Option<Handler<FormParams, ElicitResult>>,
    url: Option<Handler<UrlParams, ElicitResult>>,
    sampling: Option<Handler<CreateMessageParams, CreateMessageResult>>,
    sampling_tools: bool,
    roots: Option<Handler<(), Vec<Root>>>,
    /// Capabilities declared without a handler, for manual calls.
    pub(crate) declared: HandledRequests,
    pub(crate) log: Option<Arc<dyn Fn(LogMessageParams) + Send + Sync>>,
    pub(crate) elicitation_complete: Option<Arc<dyn Fn(String) + Send + Sync>>,
}

/// Boxes a closure as a handler.
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

    /// Registers `handler` for the requests it handles.
    pub(crate) fn install(&mut self, handler: impl ClientHandler) {
        let requests = handler.handled_requests();
        let handler = Arc::new(handler);
        if requests.form {
            let handler = Arc::clone(&handler);
            self.on_form(move |form| {
                let handler = Arc::clone(&handler);
                async move { handler.form(form).await }
            });
        }
        if requests.url {
            let handler = Arc::clone(&handler);
            self.on_url(move |url| {
                let handler = Arc::clone(&handler);
                async move { handler.url(url).await }
            });
        }
        if requests.sampling {
            let handler = Arc::clone(&handler);
            let run = move |params| {
                let handler = Arc::clone(&handler);
                async move { handler.sample(params).await }
            };
            self.on_sampling(run, requests.sampling_tools);
        }
        if requests.roots {
            self.on_roots(move || {
                let handler = Arc::clone(&handler);
                async move { handler.roots().await }
            });
        }
    }

    /// Adds the declared capabilities for a server of `revision`.
    pub(crate) fn declare_capabilities(&self, capabilities: &mut ClientCapabilities, revision: Revision) {
        let capability = |enabled: bool| enabled.then(RawJson::empty_object);
        let declared = self.declared;
        let (form, url) = (self.form.is_some() || declared.form, self.url.is_some() || declared.url);
        if form || url {
            let mut elicitation = ElicitationCapability::default();
            (elicitation.form, elicitation.url) = (capability(form), capability(url));
            capabilities.elicitation = Some(elicitation);
        }
        if self.sampling.is_some() || declared.sampling {
            let mut sampling = SamplingCapability::default();
            sampling.tools = capability(self.sampling_tools || declared.sampling_tools);
            capabilities.sampling = Some(sampling);
        }
        if self.roots.is_some() || declared.roots {
            let mut roots = ListChanged::default();
            roots.list_changed = has_roots_notification(revision).then_some(true);
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
        self.declare_capabilities(&mut capabilities, Revision::LATEST);
        capabilities.fmt(f)
    }
}
