//! Functions that list the resources of a template: `Resource::list`.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources#listing-resources>.

use std::any::type_name;
use std::marker::PhantomData;
use std::sync::Arc;

use ferromcp_core::ServerResult;
use ferromcp_core::model::{ListResourcesResult, ResourceDefinition};

use crate::call::Reply;
use crate::client_requests::RoundOutcome;
use crate::function::invocation::Invocation;
use crate::function::rejection::Rejection;
use crate::function::signature::Signature;
use crate::function::start::{Async, Function, Inline};
use crate::limits::MAX_LISTED_RESOURCES;
use crate::maybe_ready::MaybeReady;
use crate::namespace::{name_under, uri_under};
use crate::tool_error::ToolError;

/// A type that a function for [`Resource::list`](crate::Resource::list) can return. The marker `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of resources",
    note = "return a `Vec<ResourceDefinition>`, another iterator of them, or a `Result` of these"
)]
pub trait ResourceListOutput<M>: Send + 'static {
    /// Converts the value to definitions.
    ///
    /// # Errors
    /// Returns the error of the function.
    fn into_definitions(self) -> Result<Vec<ResourceDefinition>, ToolError>;
}

/// Marker of iterators.
#[derive(Debug, Clone, Copy)]
pub enum Definitions {}

/// Marker of results.
#[derive(Debug, Clone, Copy)]
pub enum Fallible {}

impl<I: IntoIterator<Item = ResourceDefinition> + Send + 'static> ResourceListOutput<Definitions> for I {
    fn into_definitions(self) -> Result<Vec<ResourceDefinition>, ToolError> {
        let mut definitions: Vec<_> = self.into_iter().take(MAX_LISTED_RESOURCES + 1).collect();
        if definitions.len() > MAX_LISTED_RESOURCES {
            tracing::warn!(
                "a `list` function returned more than {MAX_LISTED_RESOURCES} resources; the rest is skipped"
            );
            definitions.truncate(MAX_LISTED_RESOURCES);
        }
        Ok(definitions)
    }
}

impl<I, E> ResourceListOutput<Fallible> for Result<I, E>
where
    I: ResourceListOutput<Definitions>,
    E: Into<ToolError> + Send + 'static,
{
    fn into_definitions(self) -> Result<Vec<ResourceDefinition>, ToolError> {
        self.map_err(Into::into)?.into_definitions()
    }
}

/// A function that lists the resources of a template: an `async fn` or a non-async function that returns within
/// microseconds, with extractors as parameters. The marker `M` is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot list resources",
    note = "write `async fn all(..) -> Vec<ResourceDefinition>` with extractors such as `State<T>` as parameters"
)]
pub trait ListFunction<M>: Send + Sync + 'static {
    #[doc(hidden)]
    fn signature(&self) -> Result<Signature, String>;
    #[doc(hidden)]
    fn start(&self, signature: &Signature, invocation: &Invocation<'_>) -> Result<StartedList, Rejection>;
}

/// A started call; opaque outside the crate.
#[doc(hidden)]
#[allow(missing_debug_implementations, reason = "holds a future")]
pub struct StartedList(MaybeReady);

impl<F, M, O: 'static> ListFunction<(Async<()>, M, O)> for F
where
    F: Clone + Send + Sync + 'static,
    Async<F>: Function<M, Output: ResourceListOutput<O>>,
{
    fn signature(&self) -> Result<Signature, String> {
        <Async<F> as Function<M>>::signature(&[])
    }

    fn start(&self, signature: &Signature, invocation: &Invocation<'_>) -> Result<StartedList, Rejection> {
        Async(Arc::new(self.clone())).start(signature, invocation, finish).map(|started| StartedList(started.0))
    }
}

impl<F, M, O: 'static> ListFunction<(Inline<()>, M, O)> for F
where
    F: Clone + Send + Sync + 'static,
    Inline<F>: Function<M, Output: ResourceListOutput<O>>,
{
    fn signature(&self) -> Result<Signature, String> {
        <Inline<F> as Function<M>>::signature(&[])
    }

    fn start(&self, signature: &Signature, invocation: &Invocation<'_>) -> Result<StartedList, Rejection> {
        Inline(Arc::new(self.clone())).start(signature, invocation, finish).map(|started| StartedList(started.0))
    }
}

fn finish<O: ResourceListOutput<M>, M>(output: Result<O, ToolError>) -> RoundOutcome<Reply> {
    RoundOutcome::Complete(match output.and_then(ResourceListOutput::into_definitions) {
        Ok(definitions) => Reply::Done(ServerResult::ListResources(ListResourcesResult::new(definitions))),
        Err(error) => error.into_reply(),
    })
}

/// The function of a template, with its types erased.
#[derive(Clone)]
pub(crate) struct Lister {
    function: Arc<dyn ErasedFunction>,
    /// The namespaces of the template, the innermost first.
    namespaces: Vec<String>,
}

trait ErasedFunction: Send + Sync {
    /// Returns the name of the function's type, for logs.
    fn name(&self) -> &'static str;
    fn signature(&self) -> Result<Signature, String>;
    fn start(&self, signature: &Signature, invocation: &Invocation<'_>) -> Result<MaybeReady, Rejection>;
}

struct Typed<F, M>(F, PhantomData<fn() -> M>);

impl<M: 'static, F: ListFunction<M>> ErasedFunction for Typed<F, M> {
    fn name(&self) -> &'static str {
        type_name::<F>()
    }

    fn signature(&self) -> Result<Signature, String> {
        self.0.signature()
    }

    fn start(&self, signature: &Signature, invocation: &Invocation<'_>) -> Result<MaybeReady, Rejection> {
        self.0.start(signature, invocation).map(|started| started.0)
    }
}

impl Lister {
    pub(crate) fn new<M: 'static>(function: impl ListFunction<M>) -> Self {
        Self { function: Arc::new(Typed(function, PhantomData)), namespaces: Vec::new() }
    }

    pub(super) fn under(mut self, namespace: &str) -> Self {
        self.namespaces.push(namespace.to_owned());
        self
    }

    /// Validates the function.
    ///
    /// # Errors
    /// Returns a message if the function takes arguments.
    pub(super) fn build(self) -> Result<ReadyLister, String> {
        let signature = self.function.signature().map_err(|problem| {
            format!("the `list` function: {problem}; it takes extractors only, such as `State<T>` and `Ctx`")
        })?;
        if signature.takes_all() {
            return Err("the `list` function takes `Args<T>`; it takes extractors only, such as `State<T>`".into());
        }
        Ok(ReadyLister { signature, lister: self })
    }
}

/// A validated function, as stored in the registry.
pub(crate) struct ReadyLister {
    pub(crate) signature: Signature,
    lister: Lister,
}

impl ReadyLister {
    /// Returns the name of the function's type, for logs.
    pub(crate) fn function_name(&self) -> &'static str {
        self.lister.function.name()
    }

    /// Starts a call. The reply contains all resources of the template.
    pub(crate) fn start(&self, invocation: &Invocation<'_>) -> MaybeReady {
        match self.lister.function.start(&self.signature, invocation) {
            Ok(started) => started,
            Err(Rejection::Failed(error)) => MaybeReady::Ready(Reply::Failed(error)),
            Err(Rejection::Arguments(errors)) => {
                let message = Rejection::message(&errors, "the list of resources");
                MaybeReady::Ready(Reply::Failed(ferromcp_core::Error::internal(message)))
            }
        }
    }

    /// Returns a listed resource under the namespaces of the template.
    pub(crate) fn mounted(&self, mut definition: ResourceDefinition) -> ResourceDefinition {
        for namespace in &self.lister.namespaces {
            definition.uri = uri_under(namespace, &definition.uri);
            definition.name = name_under(namespace, &definition.name);
        }
        definition
    }
}
