//! The client of one server.

use std::fmt;
use std::sync::Arc;

use ferromcp_core::model::{
    CallToolParams, CallToolResult, CompleteParams, CompletionArgument, CompletionContext, CompletionValues,
    EmptyParams, EmptyResult, GetPromptParams, GetPromptResult, Implementation, LogLevel, NotificationParams,
    PromptDefinition, ReadResourceParams, ReadResourceResult, Reference, ResourceDefinition, ResourceTemplate,
    ServerCapabilities, SetLevelParams, ToolAnnotations, ToolDefinition,
};
use ferromcp_core::{ClientNotification, ClientRequest, Custom, RawJson, Revision, ServerResult};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::call::ClientCall;
use crate::connection_state::ConnectionState;
use crate::engine::Engine;
use crate::era::features::has_roots_notification;
use crate::era::modern::with_meta;
use crate::error::{ClientError, ErrorKind};
use crate::list::ListCall;
use crate::negotiated::Negotiated;
use crate::pending::{InputAnswers, PendingCall};
use crate::subscription::change::ChangeFilter;
use crate::subscription::{Subscription, subscribe};
use crate::typed::{self, MethodResult};

/// A connection to one server, of any revision. Cheap to clone; clones share the connection.
///
/// If the connection is lost, the next call reconnects, or restarts the server process, if the target supports it. The
/// connection is closed when the last clone and the last subscription are dropped. [`close`](Self::close) closes it
/// gracefully.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::Client;
/// let client = Client::builder("demo", "1.0.0").connect(std::process::Command::new("weather-server")).await?;
/// let sunny: bool = client.call_as("is_sunny", serde_json::json!({ "city": "Oslo" })).await?;
/// client.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    engine: Arc<Engine>,
}

impl Client {
    pub(crate) fn from_engine(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// Returns the negotiated protocol revision.
    pub fn revision(&self) -> Revision {
        self.negotiated().revision
    }

    /// Returns the result of version negotiation, which can be saved and passed to the next client.
    pub fn negotiated(&self) -> Negotiated {
        self.engine.latest().map_or(Negotiated::new(Revision::LATEST), |connection| connection.negotiated)
    }

    /// Returns the name and version of the server. They are self-reported; do not base decisions on them.
    pub fn server_info(&self) -> Option<Implementation> {
        self.engine.latest()?.server_info.server.clone()
    }

    /// Returns the capabilities of the server.
    pub fn capabilities(&self) -> ServerCapabilities {
        self.engine.latest().map(|connection| connection.server_info.capabilities.clone()).unwrap_or_default()
    }

    /// Returns the usage instructions of the server, which are meant for the model.
    pub fn instructions(&self) -> Option<String> {
        self.engine.latest()?.server_info.instructions.clone()
    }

    /// Returns the state of the connection.
    pub fn state(&self) -> ConnectionState {
        match self.engine.state.get() {
            // The task that observes the connection may not have run yet.
            ConnectionState::Connected if self.engine.current().is_none() => ConnectionState::Disconnected,
            state => state,
        }
    }

    /// Returns a channel with the state of the connection. Intermediate states may be skipped.
    pub fn watch_state(&self) -> watch::Receiver<ConnectionState> {
        self.engine.state.subscribe()
    }

    /// Returns the error of the last attempt to connect, if it failed.
    pub fn last_connect_error(&self) -> Option<Arc<ClientError>> {
        self.engine.state.last_error()
    }

    /// Closes the current connection, if there is one, and connects again with one attempt. In-flight calls fail, unless
    /// they can be retried.
    ///
    /// # Errors
    /// When the client was closed, the target cannot be connected to again, or the server cannot be reached.
    pub async fn reconnect(&self) -> Result<(), ClientError> {
        self.engine.reconnect().await
    }

    /// Makes the first attempt to connect.
    pub(crate) async fn open(&self) -> Result<(), ClientError> {
        self.engine.open().await.map(drop)
    }

    /// Returns whether the target can be connected to again.
    pub(crate) fn can_reconnect(&self) -> bool {
        self.engine.can_reopen()
    }

    /// Returns whether the server has answered at least once.
    pub(crate) fn has_connected(&self) -> bool {
        self.engine.latest().is_some()
    }

    /// Lists tools, fetching pages on demand.
    pub fn tools(&self) -> ListCall<ToolDefinition> {
        ListCall::new(Arc::clone(&self.engine))
    }

    /// Lists resources, fetching pages on demand.
    pub fn resources(&self) -> ListCall<ResourceDefinition> {
        ListCall::new(Arc::clone(&self.engine))
    }

    /// Lists resource templates, fetching pages on demand.
    pub fn resource_templates(&self) -> ListCall<ResourceTemplate> {
        ListCall::new(Arc::clone(&self.engine))
    }

    /// Lists prompts, fetching pages on demand.
    pub fn prompts(&self) -> ListCall<PromptDefinition> {
        ListCall::new(Arc::clone(&self.engine))
    }

    /// Returns the annotations of a tool that was listed by this client. Trust them only as far as the server.
    pub fn annotations(&self, tool: &str) -> Option<ToolAnnotations> {
        self.engine.tool_cache.get(tool)?.annotations.clone()
    }

    /// Calls a tool. `args` must serialize to a JSON object; `()` means no arguments.
    ///
    /// A failed tool returns a result too; see [`CallToolResult::is_error`].
    pub fn call(&self, tool: &str, args: impl Serialize) -> ClientCall<CallToolResult> {
        ClientCall::new(Arc::clone(&self.engine), tool_call(tool, &args), CallToolResult::read)
    }

    /// Calls a tool and deserializes its structured output, or its text, into a `T`.
    ///
    /// A failed tool is an error of kind [`ErrorKind::Tool`] with the text of the tool.
    pub fn call_as<T: DeserializeOwned>(&self, tool: &str, args: impl Serialize) -> ClientCall<T> {
        ClientCall::new(Arc::clone(&self.engine), tool_call(tool, &args), typed::tool_value)
    }

    /// Reads a resource.
    pub fn read(&self, uri: &str) -> ClientCall<ReadResourceResult> {
        let request = ClientRequest::ReadResource(ReadResourceParams::new(uri));
        ClientCall::new(Arc::clone(&self.engine), Ok(request), ReadResourceResult::read)
    }

    /// Reads a resource and returns its text.
    ///
    /// Binary contents, and a result without contents, are an error of kind [`ErrorKind::InvalidResponse`].
    pub fn read_text(&self, uri: &str) -> ClientCall<String> {
        let request = ClientRequest::ReadResource(ReadResourceParams::new(uri));
        ClientCall::new(Arc::clone(&self.engine), Ok(request), typed::resource_text)
    }

    /// Gets a prompt. `args` must serialize to a JSON object of strings; `()` means no arguments.
    pub fn prompt(&self, name: &str, args: impl Serialize) -> ClientCall<GetPromptResult> {
        let request = arguments(&args).map(|arguments| {
            let mut params = GetPromptParams::new(name);
            params.arguments = arguments;
            ClientRequest::GetPrompt(params)
        });
        ClientCall::new(Arc::clone(&self.engine), request, GetPromptResult::read)
    }

    /// Completes an argument of a prompt or a resource template. `resolved` are the arguments known so far.
    pub fn complete<K: Into<String>, V: Into<String>>(
        &self,
        of: Reference,
        argument: &str,
        value: &str,
        resolved: impl IntoIterator<Item = (K, V)>,
    ) -> ClientCall<CompletionValues> {
        let mut params = CompleteParams::new(of, CompletionArgument::new(argument, value));
        let context = CompletionContext::new(resolved);
        params.context = (!context.arguments.is_empty()).then_some(context);
        ClientCall::new(Arc::clone(&self.engine), Ok(ClientRequest::Complete(params)), typed::completion)
    }

    /// Sends a request for a custom method of the server.
    pub fn request<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> ClientCall<T> {
        let request = arguments(&params)
            .map(|params| ClientRequest::Custom(Custom::new(method, params.unwrap_or_else(RawJson::empty_object))));
        ClientCall::new(Arc::clone(&self.engine), request, typed::other)
    }

    /// Forwards a request of another client, for a proxy. Returns the result of the server unchanged.
    ///
    /// The protocol keys in `_meta` of the request are replaced by those of this client; other keys are sent unchanged. A
    /// request state and input responses are removed: input requests of the server are answered by the handlers, or returned
    /// by [`ClientCall::manual`].
    pub fn forward(&self, mut request: ClientRequest) -> ClientCall<ServerResult> {
        let request = remove_protocol_keys(&mut request).map(|()| request);
        ClientCall::new(Arc::clone(&self.engine), request, Ok)
    }

    /// Resumes a call that requires input, started by this or by another process.
    pub fn resume<T: MethodResult>(&self, pending: PendingCall, answers: InputAnswers) -> ClientCall<T> {
        ClientCall::resumed(Arc::clone(&self.engine), pending.resume(answers), T::read)
    }

    /// Sends a `ping` to a server of a legacy revision.
    pub fn ping(&self) -> ClientCall<EmptyResult> {
        let request = ClientRequest::Ping(EmptyParams::default());
        ClientCall::new(Arc::clone(&self.engine), Ok(request), EmptyResult::read)
    }

    /// Sets the log level of a legacy session. On 2026-07-28, the level is part of each request instead; see
    /// [`ClientCall::log_level`].
    pub fn set_log_level(&self, level: LogLevel) -> ClientCall<EmptyResult> {
        let request = ClientRequest::SetLevel(SetLevelParams::new(level));
        ClientCall::new(Arc::clone(&self.engine), Ok(request), EmptyResult::read)
    }

    /// Subscribes to changes. Returns once the server has acknowledged the subscription.
    pub async fn subscribe(&self, interest: ChangeFilter) -> Result<Subscription, ClientError> {
        subscribe(Arc::clone(&self.engine), interest).await
    }

    /// Notifies a legacy server that the roots have changed. Does nothing on 2026-07-28, where servers request roots
    /// when they need them.
    pub async fn roots_changed(&self) -> Result<(), ClientError> {
        let connection = self.engine.connection().await?;
        let revision = connection.revision();
        if !has_roots_notification(revision) || !self.engine.router.handlers.has_roots() {
            return Ok(());
        }
        let changed = ClientNotification::RootsListChanged(NotificationParams::default());
        let sent = connection.channel.notify(changed, revision).await;
        sent.map_err(|failure| ClientError::of("notifications/roots/list_changed", failure))
    }

    /// Closes the connection for all clones. In-flight calls fail. A child process gets a grace period
    /// ([`ClientLimits::shutdown_grace`](crate::ClientLimits::shutdown_grace)), then is terminated.
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let server = self.server_info().map(|info| info.name);
        f.debug_struct("Client").field("server", &server).field("revision", &self.revision()).finish_non_exhaustive()
    }
}

/// Removes the keys and parameters that belong to one connection or round.
fn remove_protocol_keys(request: &mut ClientRequest) -> Result<(), ClientError> {
    let (responses, state) = match request {
        ClientRequest::CallTool(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::GetPrompt(params) => (&mut params.input_responses, &mut params.request_state),
        ClientRequest::ReadResource(params) => (&mut params.input_responses, &mut params.request_state),
        _ => (&mut None, &mut None),
    };
    (*responses, *state) = (None, None);
    with_meta(request, |meta| {
        meta.protocol_version = None;
        meta.client_capabilities = None;
        meta.client_info = None;
        meta.log_level = None;
        meta.progress_token = None;
    })
}

fn tool_call(tool: &str, args: &impl Serialize) -> Result<ClientRequest, ClientError> {
    let mut params = CallToolParams::new(tool);
    params.arguments = arguments(args)?;
    Ok(ClientRequest::CallTool(params))
}

/// Serializes arguments to a JSON object; `None` for `null`.
fn arguments(args: &impl Serialize) -> Result<Option<RawJson>, ClientError> {
    let invalid = |message: String| ClientError::new(ErrorKind::InvalidRequest, message);
    let json = RawJson::new(args).map_err(|error| invalid(format!("cannot serialize arguments: {error}")))?;
    if json.is_null() {
        return Ok(None);
    }
    if json.is_object() { Ok(Some(json)) } else { Err(invalid("arguments must serialize to a JSON object".to_owned())) }
}
