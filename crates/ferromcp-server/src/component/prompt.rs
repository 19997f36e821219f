//! Prompts: message templates that users select.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ferromcp_core::model::{self, GetPromptResult, Icon, PromptArgument};
use ferromcp_core::text::{excerpt, reason};
use ferromcp_core::{Error, RawJson, RawMap, ServerResult};

use crate::call::Reply;
use crate::client_requests::RoundOutcome;
use crate::function::arg::Arg;
use crate::function::invocation::Invocation;
use crate::function::rejection::Rejection;
use crate::function::signature::{Parameter, Signature};
use crate::function::start::{Async, Blocking, Function, Inline};
use crate::function::text_value::TextValue;
use crate::maybe_ready::MaybeReady;
use crate::mount::{Mount, MountedItem};
use crate::namespace::name_under;
use crate::output::PromptOutput;
use crate::scopes::check_scopes;
use crate::tool_error::ToolError;

/// A prompt: a function that returns messages. Its arguments are strings, and are parsed into the types of the
/// parameters.
///
/// ```
/// use ferromcp_server::{Arg, Prompt};
///
/// let review = Prompt::sync("review_code", |code: String| format!("Please review this code:\n\n{code}"))
///     .args([Arg::new("code").describe("The code to review")]);
/// ```
#[derive(Clone)]
pub struct Prompt {
    definition: model::PromptDefinition,
    args: Vec<Arg>,
    scopes: Vec<String>,
    function: Arc<dyn PromptFunction>,
}

/// A prompt's function, with its parameter and output types erased.
trait PromptFunction: Send + Sync {
    fn signature(&self, args: &[Arg]) -> Result<Signature, String>;
    fn start(
        &self,
        signature: &Signature,
        invocation: &Invocation<'_>,
        description: Option<String>,
    ) -> Result<MaybeReady, Rejection>;
}

struct Typed<F, M>(F, PhantomData<fn() -> M>);

impl<M: 'static, F: Function<M>> PromptFunction for Typed<F, M>
where
    F::Output: PromptOutput,
{
    fn signature(&self, args: &[Arg]) -> Result<Signature, String> {
        F::signature(args)
    }

    fn start(
        &self,
        signature: &Signature,
        invocation: &Invocation<'_>,
        description: Option<String>,
    ) -> Result<MaybeReady, Rejection> {
        let complete = move |mut result: GetPromptResult| {
            result.description = result.description.or(description);
            Reply::Done(ServerResult::GetPrompt(result))
        };
        let finish = move |output: Result<F::Output, ToolError>| {
            RoundOutcome::finish(output.and_then(PromptOutput::into_outcome), complete, ToolError::into_reply)
        };
        self.0.start(signature, invocation, finish).map(|started| started.0)
    }
}

impl Prompt {
    /// Creates a prompt from an `async fn` or closure. Name its parameters with [`args`](Self::args).
    pub fn new<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Async<F>: Function<M, Output: PromptOutput>,
    {
        Self::of(name.into(), Typed(Async(Arc::new(function)), PhantomData))
    }

    /// Creates a prompt from a non-async function, which runs inline on the task that reads requests.
    pub fn sync<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Inline<F>: Function<M, Output: PromptOutput>,
    {
        Self::of(name.into(), Typed(Inline(Arc::new(function)), PhantomData))
    }

    /// Creates a prompt from a non-async function that computes or blocks. Runs on the blocking thread pool of the
    /// runtime.
    pub fn blocking<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Blocking<F>: Function<M, Output: PromptOutput>,
    {
        Self::of(name.into(), Typed(Blocking(Arc::new(function)), PhantomData))
    }

    fn of(name: String, function: impl PromptFunction + 'static) -> Self {
        Self {
            definition: model::PromptDefinition::new(name),
            args: Vec::new(),
            scopes: Vec::new(),
            function: Arc::new(function),
        }
    }

    /// Sets the display name.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.definition.title = Some(title.into());
        self
    }

    /// Sets the description.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.definition.description = Some(description.into());
        self
    }

    /// Sets the name and description of every parameter, in order, including extractors.
    pub fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Adds an icon.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.definition.icons.push(icon);
        self
    }

    /// Adds an entry to `_meta`. A value that does not serialize is ignored.
    pub fn meta<T: serde::Serialize>(mut self, key: &str, value: &T) -> Self {
        let _ = self.definition.meta.set(key, value);
        self
    }

    /// Sets the scopes that a caller needs over HTTP; see [`Principal`](crate::Principal). Without them, the prompt is hidden
    /// from lists, and a request for it fails with status 403 and a challenge that names the scopes. All callers on stdio may use it.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.scopes = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        self
    }

    pub(super) fn under(mut self, namespace: &str) -> Self {
        self.definition.name = name_under(namespace, &self.definition.name);
        self
    }

    /// Validates the definition.
    ///
    /// # Errors
    /// Returns a message that names the prompt and the problem.
    pub(crate) fn build(self) -> Result<ReadyPrompt, String> {
        let Self { mut definition, args, scopes, function } = self;
        if definition.name.is_empty() {
            return Err("the name of a prompt is empty".into());
        }
        let context = |problem: String| format!("prompt `{}`: {problem}", excerpt(&definition.name));
        check_scopes(&scopes).map_err(context)?;
        let signature = function.signature(&args).map_err(context)?;
        signature.check_texts().map_err(context)?;
        definition.arguments = arguments(&signature);
        Ok(ReadyPrompt { definition, signature: Arc::new(signature), scopes, mounted: None, function })
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({})", self.definition.name)
    }
}

/// Returns the list entries of the arguments: the parameters, or the fields of the type that takes all arguments.
fn arguments(signature: &Signature) -> Vec<PromptArgument> {
    let parameter = |parameter: &Parameter| {
        let mut argument = PromptArgument::new(&parameter.arg.name);
        argument.title.clone_from(&parameter.arg.title);
        argument.description.clone_from(&parameter.arg.description);
        argument.required = Some(parameter.is_required());
        argument
    };
    let fields = signature.fields();
    let field = |(name, schema, required): (&str, &serde_json::Value, bool)| {
        let text = |keyword: &str| schema.get(keyword).and_then(serde_json::Value::as_str).map(str::to_owned);
        let mut argument = PromptArgument::new(name);
        (argument.title, argument.description) = (text("title"), text("description"));
        argument.required = Some(required);
        argument
    };
    signature.arguments().map(parameter).chain(fields.into_iter().map(field)).collect()
}

/// A validated prompt, as stored in the registry.
pub(crate) struct ReadyPrompt {
    pub(crate) definition: model::PromptDefinition,
    pub(crate) signature: Arc<Signature>,
    /// The scopes that a caller needs.
    pub(crate) scopes: Vec<String>,
    /// The origin of a prompt of a mounted server.
    pub(crate) mounted: Option<MountedItem>,
    function: Arc<dyn PromptFunction>,
}

impl ReadyPrompt {
    /// Returns the prompt as an item of the server that `mount` is part of.
    pub(crate) fn under(&self, mount: &Arc<Mount>) -> Self {
        let mut definition = self.definition.clone();
        definition.name = name_under(&mount.namespace, &definition.name);
        let mounted = MountedItem { mount: Arc::clone(mount), name: self.definition.name.clone() };
        let (signature, function) = (Arc::clone(&self.signature), Arc::clone(&self.function));
        Self { definition, signature, scopes: self.scopes.clone(), mounted: Some(mounted), function }
    }

    /// Returns the names of the arguments.
    pub(crate) fn argument_names(&self) -> impl Iterator<Item = &str> {
        self.definition.arguments.iter().map(|argument| argument.name.as_str())
    }

    /// Starts a call.
    pub(crate) fn start(&self, invocation: &Invocation<'_>) -> MaybeReady {
        match self.function.start(&self.signature, invocation, self.definition.description.clone()) {
            Ok(started) => started,
            Err(Rejection::Failed(error)) => MaybeReady::Ready(Reply::Failed(error)),
            Err(Rejection::Arguments(errors)) => {
                let of = format!("prompt `{}`", self.definition.name);
                MaybeReady::Ready(Reply::Failed(Error::invalid_params(Rejection::message(&errors, &of))))
            }
        }
    }
}

/// Returns the arguments of a prompt as named texts. `null` is a missing argument.
///
/// # Errors
/// Returns -32602 if the arguments are not an object.
pub(crate) fn texts(arguments: Option<&RawJson>) -> Result<Vec<(Cow<'static, str>, TextValue<'static>)>, Error> {
    let Some(arguments) = arguments else { return Ok(Vec::new()) };
    let map: RawMap = arguments
        .decode()
        .map_err(|error| Error::invalid_params(format!("Invalid arguments: {}", reason(&error.to_string()))))?;
    let text = |(name, value): (&str, &RawJson)| {
        let text = match value.decode::<String>() {
            Ok(text) => TextValue::One(Cow::Owned(text)),
            Err(_) => TextValue::Invalid(Cow::Owned(value.as_str().to_owned())),
        };
        (Cow::Owned(name.to_owned()), text)
    };
    Ok(map.iter().filter(|(_, value)| !value.is_null()).map(text).collect())
}
