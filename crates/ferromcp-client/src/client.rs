//! The client as applications hold it.

use std::fmt;
use std::sync::Arc;

use ferromcp_core::methods::Other;
use ferromcp_core::model::{
    CallToolParams, CallToolResult, CompleteParams, Completion, CompletionArgument, CompletionContext, EmptyParams,
    EmptyResult, GetPromptParams, GetPromptResult, Implementation, LogLevel, NotificationParams, Prompt,
    ReadResourceParams, ReadResourceResult, Reference, Resource, ResourceTemplate, ServerCapabilities, SetLevelParams,
    Tool, ToolAnnotations,
};
use ferromcp_core::{ClientNotification, ClientRequest, RawJson, Revision};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::call::Call;
use crate::engine::Engine;
use crate::error::{ClientError, ErrorKind};
use crate::list::List;
use crate::pending::{Answers, Pending};
use crate::subscription::change::Interest;
use crate::subscription::{Subscription, subscribe};
use crate::typed::{self, MethodResult};
use crate::verdict::Verdict;

/// A connection to one server, whatever it speaks. Cheap to clone; all clones share it.
///
/// A server that ends is started or reached again at the next call, where its target allows that. When the last
/// clone and the last subscription are dropped the connection is closed; [`close`](Self::close) does it tidily.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::Client;
/// let client = Client::new("demo", "1.0.0").connect(std::process::Command::new("weather-server")).await?;
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
    pub(crate) fn of(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    /// The revision spoken with the server.
    pub fn revision(&self) -> Revision {
        self.verdict().revision
    }

    /// What negotiation found out, to be saved for the next time.
    pub fn verdict(&self) -> Verdict {
        self.engine.latest().map_or(Verdict::new(Revision::LATEST), |connection| connection.verdict)
    }

    /// Who the server says it is; unverified, so never a basis for decisions.
    pub fn server_info(&self) -> Option<Implementation> {
        self.engine.latest()?.about.server.clone()
    }

    /// What the server can do.
    pub fn capabilities(&self) -> ServerCapabilities {
        self.engine.latest().map(|connection| connection.about.capabilities.clone()).unwrap_or_default()
    }

    /// How to use the server well, for the model.
    pub fn instructions(&self) -> Option<String> {
        self.engine.latest()?.about.instructions.clone()
    }

    /// The tools.
    pub fn tools(&self) -> List<Tool> {
        List::new(Arc::clone(&self.engine))
    }

    /// The resources.
    pub fn resources(&self) -> List<Resource> {
        List::new(Arc::clone(&self.engine))
    }

    /// The templates of resources.
    pub fn resource_templates(&self) -> List<ResourceTemplate> {
        List::new(Arc::clone(&self.engine))
    }

    /// The prompts.
    pub fn prompts(&self) -> List<Prompt> {
        List::new(Arc::clone(&self.engine))
    }

    /// How a tool that was listed says it behaves; not to be trusted unless the server is.
    pub fn annotations(&self, tool: &str) -> Option<ToolAnnotations> {
        self.engine.toolbox.get(tool)?.annotations.clone()
    }

    /// Calls a tool. `args` is anything that serialises to an object, or `()` for none.
    ///
    /// A tool that failed is a result too; see [`CallToolResult::is_error`].
    pub fn call(&self, tool: &str, args: impl Serialize) -> Call<CallToolResult> {
        Call::new(Arc::clone(&self.engine), tool_call(tool, &args), CallToolResult::read)
    }

    /// Calls a tool and reads what it answered as a `T`. A tool that failed is an error here, whose text is the
    /// tool's.
    pub fn call_as<T: DeserializeOwned>(&self, tool: &str, args: impl Serialize) -> Call<T> {
        Call::new(Arc::clone(&self.engine), tool_call(tool, &args), typed::tool_value)
    }

    /// Reads a resource.
    pub fn read(&self, uri: &str) -> Call<ReadResourceResult> {
        let request = ClientRequest::ReadResource(ReadResourceParams::new(uri));
        Call::new(Arc::clone(&self.engine), Ok(request), ReadResourceResult::read)
    }

    /// Gets a prompt. `args` is anything that serialises to an object of strings, or `()` for none.
    pub fn prompt(&self, name: &str, args: impl Serialize) -> Call<GetPromptResult> {
        let request = arguments(&args).map(|arguments| {
            let mut params = GetPromptParams::new(name);
            params.arguments = arguments;
            ClientRequest::GetPrompt(params)
        });
        Call::new(Arc::clone(&self.engine), request, GetPromptResult::read)
    }

    /// Completes an argument of a prompt or a template, given what is settled already.
    pub fn complete<K: Into<String>, V: Into<String>>(
        &self,
        of: Reference,
        argument: &str,
        value: &str,
        settled: impl IntoIterator<Item = (K, V)>,
    ) -> Call<Completion> {
        let mut params = CompleteParams::new(of, CompletionArgument::new(argument, value));
        let mut context = CompletionContext::default();
        context.arguments = settled.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        params.context = (!context.arguments.is_empty()).then_some(context);
        Call::new(Arc::clone(&self.engine), Ok(ClientRequest::Complete(params)), typed::completion)
    }

    /// Calls a method of the server's own.
    pub fn request<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Call<T> {
        let request = arguments(&params)
            .map(|params| ClientRequest::Other(Other::new(method, params.unwrap_or_else(RawJson::empty_object))));
        Call::new(Arc::clone(&self.engine), request, typed::other)
    }

    /// Goes on with a call that waits for answers, begun here or in another process.
    pub fn resume<T: MethodResult>(&self, pending: Pending, answers: Answers) -> Call<T> {
        Call::resumed(Arc::clone(&self.engine), pending.resume(answers), T::read)
    }

    /// Asks a legacy server whether it is there.
    pub fn ping(&self) -> Call<EmptyResult> {
        let request = ClientRequest::Ping(EmptyParams::default());
        Call::new(Arc::clone(&self.engine), Ok(request), EmptyResult::read)
    }

    /// Sets the level of logs for the rest of a legacy session; a modern server is told it with each call.
    pub fn set_log_level(&self, level: LogLevel) -> Call<EmptyResult> {
        let request = ClientRequest::SetLevel(SetLevelParams::new(level));
        Call::new(Arc::clone(&self.engine), Ok(request), EmptyResult::read)
    }

    /// Hears of changes, once the server has said that it will tell of them.
    pub async fn subscribe(&self, interest: Interest) -> Result<Subscription, ClientError> {
        subscribe(Arc::clone(&self.engine), interest).await
    }

    /// Tells a legacy server that the roots have changed. Modern ones ask whenever they need them.
    pub async fn roots_changed(&self) -> Result<(), ClientError> {
        let connection = self.engine.live().await?;
        let revision = connection.revision();
        if revision.is_modern() || !self.engine.board.handlers.has_roots() {
            return Ok(());
        }
        let changed = ClientNotification::RootsListChanged(NotificationParams::default());
        let told = connection.channel.notify(changed, revision).await;
        told.map_err(|failure| ClientError::of("notifications/roots/list_changed", failure))
    }

    /// Ends the connection tidily, for all clones: what is under way fails, a child is waited for, then pressed.
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

fn tool_call(tool: &str, args: &impl Serialize) -> Result<ClientRequest, ClientError> {
    let mut params = CallToolParams::new(tool);
    params.arguments = arguments(args)?;
    Ok(ClientRequest::CallTool(params))
}

/// Arguments as the protocol wants them: an object, or nothing.
fn arguments(args: &impl Serialize) -> Result<Option<RawJson>, ClientError> {
    let invalid = |what: String| ClientError::new(ErrorKind::Invalid, format!("arguments are to be an object: {what}"));
    let json = RawJson::new(args).map_err(|error| invalid(error.to_string()))?;
    if json.is_null() {
        return Ok(None);
    }
    if json.is_object() { Ok(Some(json)) } else { Err(invalid("these are something else".to_owned())) }
}
