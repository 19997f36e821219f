//! Completions: suggested values for an argument while the user types.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ferromcp_core::model::{CompleteParams, Reference};
use ferromcp_core::text::excerpt;
use ferromcp_core::{Error, ServerResult};

use crate::call::Reply;
use crate::client_requests::RoundOutcome;
use crate::function::arg::Arg;
use crate::function::invocation::Invocation;
use crate::function::rejection::Rejection;
use crate::function::signature::Signature;
use crate::function::start::{Async, Function, Inline};
use crate::function::text_value::TextValue;
use crate::maybe_ready::MaybeReady;
use crate::namespace::{name_under, uri_under};
use crate::output::CompletionOutput;
use crate::tool_error::ToolError;
use crate::uri_key::template_key;

/// Completes one argument of a prompt or one variable of a resource template.
///
/// The first argument of the function receives the text typed so far. Further arguments receive the values of other
/// arguments by name; make them `Option`, because clients may omit them.
///
/// ```
/// use ferromcp_server::{Arg, Completion};
///
/// let language = Completion::prompt_sync("review_code", "language", |typed: String| {
///     ["rust", "ruby", "python"].into_iter().filter(|name| name.starts_with(&typed)).collect::<Vec<_>>()
/// })
/// .args([Arg::new("typed")]);
/// ```
#[derive(Clone)]
pub struct Completion {
    key: CompletionKey,
    args: Vec<Arg>,
    function: Arc<dyn CompletionFunction>,
}

/// The argument that is completed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CompletionKey {
    pub(crate) of: Owner,
    pub(crate) argument: String,
}

/// The prompt or template that the argument belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Prompt(String),
    Template(String),
}

impl CompletionKey {
    pub(crate) fn of(params: &CompleteParams) -> Option<Self> {
        let of = match &params.r#ref {
            Reference::Prompt { name, .. } => Owner::Prompt(name.clone()),
            Reference::Resource { uri } => Owner::Template(template_key(uri)),
            _ => return None,
        };
        Some(Self { of, argument: params.argument.name.clone() })
    }
}

impl Owner {
    /// Returns the prompt or template under namespaces, the innermost first.
    ///
    /// `templates` are the templates as they were registered. A namespace moves the host of a URI to the path, where the
    /// case matters, so the key of a template cannot be moved.
    pub(crate) fn under<'a>(
        &self,
        namespaces: impl IntoIterator<Item = &'a str>,
        templates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let namespaces = namespaces.into_iter();
        match self {
            Self::Prompt(name) => {
                Self::Prompt(namespaces.fold(name.clone(), |name, namespace| name_under(namespace, &name)))
            }
            Self::Template(uri) => {
                let key = template_key(uri);
                let registered = templates.into_iter().find(|template| template_key(template) == key);
                let uri = registered.unwrap_or(uri).to_owned();
                Self::Template(namespaces.fold(uri, |uri, namespace| uri_under(namespace, &uri)))
            }
        }
    }

    /// Returns the key of the owner in a registry.
    pub(crate) fn into_key(self) -> Self {
        match self {
            Self::Template(uri) => Self::Template(template_key(&uri)),
            prompt @ Self::Prompt(_) => prompt,
        }
    }
}

impl fmt::Display for CompletionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let argument = excerpt(&self.argument);
        match &self.of {
            Owner::Prompt(name) => write!(f, "argument `{argument}` of prompt `{}`", excerpt(name)),
            Owner::Template(uri) => write!(f, "variable `{argument}` of `{}`", excerpt(uri)),
        }
    }
}

/// A completion's function, with its parameter and output types erased.
trait CompletionFunction: Send + Sync {
    fn signature(&self, args: &[Arg]) -> Result<Signature, String>;
    fn start(&self, signature: &Signature, invocation: &Invocation<'_>) -> Result<MaybeReady, Rejection>;
}

struct Typed<F, M>(F, PhantomData<fn() -> M>);

impl<M: 'static, F: Function<M>> CompletionFunction for Typed<F, M>
where
    F::Output: CompletionOutput,
{
    fn signature(&self, args: &[Arg]) -> Result<Signature, String> {
        F::signature(args)
    }

    fn start(&self, signature: &Signature, invocation: &Invocation<'_>) -> Result<MaybeReady, Rejection> {
        let finish = |output: Result<F::Output, ToolError>| {
            RoundOutcome::Complete(match output.and_then(CompletionOutput::into_values) {
                Ok(result) => Reply::Done(ServerResult::Complete(result)),
                Err(error) => error.into_reply(),
            })
        };
        self.0.start(signature, invocation, finish).map(|started| started.0)
    }
}

impl Completion {
    /// Completes an argument of a prompt, with an `async fn` or closure.
    pub fn prompt<F, M: 'static>(prompt: impl Into<String>, argument: impl Into<String>, function: F) -> Self
    where
        Async<F>: Function<M, Output: CompletionOutput>,
    {
        Self::of(Owner::Prompt(prompt.into()), argument.into(), Typed(Async(Arc::new(function)), PhantomData))
    }

    /// Completes an argument of a prompt, with a non-async function, which runs inline.
    pub fn prompt_sync<F, M: 'static>(prompt: impl Into<String>, argument: impl Into<String>, function: F) -> Self
    where
        Inline<F>: Function<M, Output: CompletionOutput>,
    {
        Self::of(Owner::Prompt(prompt.into()), argument.into(), Typed(Inline(Arc::new(function)), PhantomData))
    }

    /// Completes a variable of a resource template, with an `async fn` or closure.
    pub fn resource<F, M: 'static>(template: impl Into<String>, variable: impl Into<String>, function: F) -> Self
    where
        Async<F>: Function<M, Output: CompletionOutput>,
    {
        Self::of(Owner::Template(template.into()), variable.into(), Typed(Async(Arc::new(function)), PhantomData))
    }

    /// Completes a variable of a resource template, with a non-async function, which runs inline.
    pub fn resource_sync<F, M: 'static>(template: impl Into<String>, variable: impl Into<String>, function: F) -> Self
    where
        Inline<F>: Function<M, Output: CompletionOutput>,
    {
        Self::of(Owner::Template(template.into()), variable.into(), Typed(Inline(Arc::new(function)), PhantomData))
    }

    fn of(of: Owner, argument: String, function: impl CompletionFunction + 'static) -> Self {
        Self { key: CompletionKey { of, argument }, args: Vec::new(), function: Arc::new(function) }
    }

    /// Sets the name and description of every parameter, in order, including extractors.
    pub fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Returns the completion under a namespace. `templates` are those of the same component, without the namespace.
    pub(super) fn under(mut self, namespace: &str, templates: &[String]) -> Self {
        self.key.of = self.key.of.under([namespace], templates.iter().map(String::as_str));
        self
    }

    /// Validates the definition.
    ///
    /// # Errors
    /// Returns a message that names the completion and the problem.
    pub(crate) fn build(self) -> Result<(CompletionKey, ReadyCompletion), String> {
        let context = |problem: String| format!("completion of {}: {problem}", self.key);
        let signature = self.function.signature(&self.args).map_err(context)?;
        signature.check_texts().map_err(context)?;
        if signature.argument_names().next().is_none() {
            return Err(context("the function has no argument; its first argument receives the typed text".into()));
        }
        let key = CompletionKey { of: self.key.of.into_key(), argument: self.key.argument };
        Ok((key, ReadyCompletion { signature, function: self.function }))
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Completion({})", self.key)
    }
}

/// A validated completion, as stored in the registry.
pub(crate) struct ReadyCompletion {
    pub(crate) signature: Signature,
    function: Arc<dyn CompletionFunction>,
}

impl ReadyCompletion {
    /// Returns the arguments of the function: the typed text, and the known values of its other arguments.
    pub(crate) fn texts<'a>(&'a self, params: &'a CompleteParams) -> Vec<(Cow<'a, str>, TextValue<'a>)> {
        let mut names = self.signature.argument_names();
        let typed = names.next().map(|name| (name, params.argument.value.as_str()));
        let settled = params.context.iter().flat_map(|context| &context.arguments);
        let known = names.filter_map(|name| {
            settled.clone().find(|(settled, _)| *settled == name).map(|(_, value)| (name, value.as_str()))
        });
        typed.into_iter().chain(known).map(|(name, value)| (name.into(), TextValue::One(value.into()))).collect()
    }

    /// Starts a call.
    pub(crate) fn start(&self, invocation: &Invocation<'_>) -> MaybeReady {
        match self.function.start(&self.signature, invocation) {
            Ok(started) => started,
            Err(Rejection::Failed(error)) => MaybeReady::Ready(Reply::Failed(error)),
            Err(Rejection::Arguments(errors)) => {
                MaybeReady::Ready(Reply::Failed(Error::invalid_params(Rejection::message(&errors, "this completion"))))
            }
        }
    }
}
