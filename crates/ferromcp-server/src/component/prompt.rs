//! Prompts: messages a server offers to users.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ferromcp_core::model::{self, Icon, PromptArgument};
use ferromcp_core::{Error, RawJson, RawMap, ServerResult};

use crate::call::Reply;
use crate::function::arg::Arg;
use crate::function::invocation::Invocation;
use crate::function::refusal::Refusal;
use crate::function::signature::Signature;
use crate::function::start::{Async, Blocking, Function, Inline};
use crate::function::text_value::TextValue;
use crate::output::PromptOutput;
use crate::started::Started;

/// A prompt: a function that makes messages. Its arguments come as text and are read as what the parameters want.
///
/// ```
/// use ferromcp_server::{Arg, Prompt};
///
/// let review = Prompt::sync("review_code", |code: String| format!("Please review this code:\n\n{code}"))
///     .args([Arg::new("code").describe("The code to review")]);
/// ```
#[derive(Clone)]
pub struct Prompt {
    definition: model::Prompt,
    args: Vec<Arg>,
    function: Arc<dyn PromptFunction>,
}

/// A prompt's function, its parameters and output erased.
trait PromptFunction: Send + Sync {
    fn signature(&self, args: &[Arg]) -> Result<Signature, String>;
    fn start(
        &self,
        signature: &Signature,
        invocation: &Invocation<'_>,
        description: Option<String>,
    ) -> Result<Started, Refusal>;
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
    ) -> Result<Started, Refusal> {
        let finish = move |output: F::Output| match output.into_messages() {
            Ok(mut result) => {
                result.description = result.description.or(description);
                Reply::Done(ServerResult::GetPrompt(result))
            }
            Err(error) => error.into_reply(),
        };
        self.0.start(signature, invocation, finish).map(|begun| begun.0)
    }
}

impl Prompt {
    /// A prompt of an `async fn` or closure. Name its parameters with [`args`](Self::args).
    pub fn new<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Async<F>: Function<M, Output: PromptOutput>,
    {
        Self::of(name.into(), Typed(Async(function), PhantomData))
    }

    /// A prompt of a plain function, called where the request is read.
    pub fn sync<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Inline<F>: Function<M, Output: PromptOutput>,
    {
        Self::of(name.into(), Typed(Inline(function), PhantomData))
    }

    /// A prompt of a plain function that computes or blocks: called on the runtime's blocking pool.
    pub fn blocking<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Blocking<F>: Function<M, Output: PromptOutput>,
    {
        Self::of(name.into(), Typed(Blocking(Arc::new(function)), PhantomData))
    }

    fn of(name: String, function: impl PromptFunction + 'static) -> Self {
        Self { definition: model::Prompt::new(name), args: Vec::new(), function: Arc::new(function) }
    }

    /// The name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.definition.title = Some(title.into());
        self
    }

    /// What it is for.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.definition.description = Some(description.into());
        self
    }

    /// Names and describes every parameter of the function, in order, extractors included.
    pub fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a picture.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.definition.icons.push(icon);
        self
    }

    /// Adds to its `_meta`; a value that cannot be JSON is left out.
    pub fn meta<T: serde::Serialize>(mut self, key: &str, value: &T) -> Self {
        let _ = self.definition.meta.set(key, value);
        self
    }

    pub(super) fn under(mut self, namespace: &str) -> Self {
        self.definition.name = format!("{namespace}_{}", self.definition.name);
        self
    }

    /// Checks everything that can be checked before the first call.
    pub(crate) fn build(self) -> Result<ReadyPrompt, String> {
        let Self { mut definition, args, function } = self;
        if definition.name.is_empty() {
            return Err("a prompt's name is empty".into());
        }
        let signature =
            function.signature(&args).map_err(|problem| format!("prompt `{}`: {problem}", definition.name))?;
        definition.arguments = signature
            .arguments()
            .map(|parameter| {
                let mut argument = PromptArgument::new(&parameter.arg.name);
                argument.title.clone_from(&parameter.arg.title);
                argument.description.clone_from(&parameter.arg.description);
                argument.required = Some(parameter.is_required());
                argument
            })
            .collect();
        Ok(ReadyPrompt { definition, signature, function })
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({})", self.definition.name)
    }
}

/// A prompt as the registry holds it.
pub(crate) struct ReadyPrompt {
    pub(crate) definition: model::Prompt,
    pub(crate) signature: Signature,
    function: Arc<dyn PromptFunction>,
}

impl ReadyPrompt {
    /// Begins a call.
    pub(crate) fn start(&self, invocation: &Invocation<'_>) -> Started {
        match self.function.start(&self.signature, invocation, self.definition.description.clone()) {
            Ok(started) => started,
            Err(Refusal::Failed(error)) => Started::Ready(Reply::Failed(error)),
            Err(Refusal::Arguments(mistakes)) => {
                let of = format!("prompt `{}`", self.definition.name);
                Started::Ready(Reply::Failed(Error::invalid_params(Refusal::sentence(&mistakes, &of))))
            }
        }
    }
}

/// A prompt's arguments as named texts.
///
/// # Errors
/// -32602 when one is not a string.
pub(crate) fn texts(arguments: Option<&RawJson>) -> Result<Vec<(Cow<'static, str>, TextValue<'static>)>, Error> {
    let Some(arguments) = arguments else { return Ok(Vec::new()) };
    let map: RawMap =
        arguments.decode().map_err(|error| Error::invalid_params(format!("Invalid arguments: {error}")))?;
    let text = |(name, value): (&str, &RawJson)| match value.decode::<String>() {
        Ok(text) => Ok((Cow::Owned(name.to_owned()), TextValue::One(Cow::Owned(text)))),
        Err(_) => Err(Error::invalid_params(format!("Invalid arguments: `{name}` must be a string, got {value}"))),
    };
    map.iter().map(text).collect()
}
