//! Tools: functions that a model can call.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use ferromcp_core::header::{self, Annotation};
use ferromcp_core::model::{self, CallToolResult, Icon, ToolAnnotations};
use ferromcp_core::text::{excerpt, reason};
use ferromcp_core::wire::replace_lone_surrogates;
use ferromcp_core::{RawJson, ServerResult};
use schemars::Schema;

use crate::call::Reply;
use crate::client_requests::RoundOutcome;
use crate::ctx::Ctx;
use crate::function::arg::Arg;
use crate::function::invocation::{Input, Invocation};
use crate::function::rejection::Rejection;
use crate::function::signature::Signature;
use crate::function::start::{Async, Blocking, Function, Inline, spawn_driver};
use crate::limits::MAX_SCHEMA_BYTES;
use crate::maybe_ready::MaybeReady;
use crate::mount::{Mount, MountedItem};
use crate::namespace::name_under;
use crate::output::{OutputShape, ToolOutput};
use crate::schema;
use crate::scopes::check_scopes;
use crate::tool_error::{ErrorAudience, ToolError};

/// A tool: a handler function with a name and a description.
///
/// ```
/// use ferromcp_server::{Arg, Tool};
///
/// let add = Tool::new("add", |a: i64, b: i64| async move { a + b })
///     .describe("Add two numbers")
///     .args([Arg::new("a"), Arg::new("b").describe("The second one")]);
/// ```
#[derive(Clone)]
pub struct Tool {
    definition: model::ToolDefinition,
    args: Vec<Arg>,
    scopes: Vec<String>,
    function: Arc<dyn ToolFunction>,
}

/// A tool's function, with its parameter and output types erased.
trait ToolFunction: Send + Sync {
    fn signature(&self, args: &[Arg]) -> Result<Signature, String>;
    fn output(&self) -> (OutputShape, Option<Schema>);
    fn start(
        &self,
        signature: &Signature,
        invocation: &Invocation<'_>,
        shape: OutputShape,
    ) -> Result<MaybeReady, Rejection>;
}

struct Typed<F, M>(F, PhantomData<fn() -> M>);

impl<M: 'static, F: Function<M>> ToolFunction for Typed<F, M>
where
    F::Output: ToolOutput,
{
    fn signature(&self, args: &[Arg]) -> Result<Signature, String> {
        F::signature(args)
    }

    fn output(&self) -> (OutputShape, Option<Schema>) {
        OutputShape::of::<F::Output>()
    }

    fn start(
        &self,
        signature: &Signature,
        invocation: &Invocation<'_>,
        shape: OutputShape,
    ) -> Result<MaybeReady, Rejection> {
        let finish =
            move |output: Result<F::Output, ToolError>| reply(output.and_then(|output| output.into_outcome(shape)));
        self.0.start(signature, invocation, finish).map(|started| started.0)
    }
}

/// Converts the output of a tool to the reply. An error for the model is a result with `isError`.
fn reply(outcome: Result<RoundOutcome<CallToolResult>, ToolError>) -> RoundOutcome<Reply> {
    let complete = |result| Reply::Done(ServerResult::CallTool(result));
    RoundOutcome::finish(outcome, complete, |error| match error.into_audience() {
        ErrorAudience::Protocol(error) => Reply::Failed(error),
        ErrorAudience::Model(message) => complete(CallToolResult::error(message)),
    })
}

impl Tool {
    /// Creates a tool from an `async fn` or closure. Name its parameters with [`args`](Self::args).
    pub fn new<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Async<F>: Function<M, Output: ToolOutput>,
    {
        Self::of(name.into(), Typed(Async(Arc::new(function)), PhantomData))
    }

    /// Creates a tool from a non-async function that returns within microseconds. Runs inline, on the task that reads
    /// requests.
    pub fn sync<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Inline<F>: Function<M, Output: ToolOutput>,
    {
        Self::of(name.into(), Typed(Inline(Arc::new(function)), PhantomData))
    }

    /// Creates a tool from a non-async function that computes or blocks. Runs on the blocking thread pool of the
    /// runtime.
    pub fn blocking<F, M: 'static>(name: impl Into<String>, function: F) -> Self
    where
        Blocking<F>: Function<M, Output: ToolOutput>,
    {
        Self::of(name.into(), Typed(Blocking(Arc::new(function)), PhantomData))
    }

    /// Creates a tool whose input schema is known only at run time, as in a proxy.
    ///
    /// The function receives the arguments as the JSON text of an object. They are *not* validated against the schema.
    /// A schema without `properties` is published with `"properties": {}`, which some hosts require.
    pub fn dynamic<F, Fut, R>(name: impl Into<String>, input_schema: RawJson, function: F) -> Self
    where
        F: Fn(RawJson, Ctx) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: ToolOutput,
    {
        let mut tool = Self::of(name.into(), Dynamic(function));
        tool.definition.input_schema = input_schema;
        tool
    }

    fn of(name: String, function: impl ToolFunction + 'static) -> Self {
        let definition = model::ToolDefinition::new(name, RawJson::null());
        Self { definition, args: Vec::new(), scopes: Vec::new(), function: Arc::new(function) }
    }

    /// Sets the display name.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.definition.title = Some(title.into());
        self
    }

    /// Sets the description, which the model reads.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.definition.description = Some(description.into());
        self
    }

    /// Sets the name and description of every parameter, in order, including extractors.
    pub fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Sets `readOnlyHint`: the tool does not modify its environment.
    pub fn read_only(mut self, yes: bool) -> Self {
        self.annotations().read_only_hint = Some(yes);
        self
    }

    /// Sets `destructiveHint`: the tool may delete or overwrite data.
    pub fn destructive(mut self, yes: bool) -> Self {
        self.annotations().destructive_hint = Some(yes);
        self
    }

    /// Sets `idempotentHint`: a repeated call with the same arguments has no further effect.
    pub fn idempotent(mut self, yes: bool) -> Self {
        self.annotations().idempotent_hint = Some(yes);
        self
    }

    /// Sets `openWorldHint`: the tool interacts with external systems.
    pub fn open_world(mut self, yes: bool) -> Self {
        self.annotations().open_world_hint = Some(yes);
        self
    }

    fn annotations(&mut self) -> &mut ToolAnnotations {
        self.definition.annotations.get_or_insert_default()
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

    /// Sets the scopes that a caller needs over HTTP; see [`Principal`](crate::Principal). Without them, the tool is hidden
    /// from lists, and a call fails with status 403 and a challenge that names the scopes. All callers on stdio may use it.
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.scopes = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        self
    }

    /// Replaces the output schema derived from the return type.
    pub fn output_schema(mut self, schema: RawJson) -> Self {
        self.definition.output_schema = Some(schema);
        self
    }

    /// Returns the name of the tool.
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    pub(super) fn under(mut self, namespace: &str) -> Self {
        self.definition.name = name_under(namespace, &self.definition.name);
        self
    }

    /// Derives the schemas and validates the definition.
    ///
    /// # Errors
    /// Returns a message that names the tool and the problem.
    pub(crate) fn build(self) -> Result<ReadyTool, String> {
        let Self { mut definition, args, scopes, function } = self;
        let name = definition.name.clone();
        let context = |problem: String| format!("tool `{}`: {problem}", excerpt(&name));
        check_name(&name)?;
        check_scopes(&scopes).map_err(context)?;
        let signature = function.signature(&args).map_err(context)?;
        let (shape, output) = function.output();
        if definition.input_schema.is_null() {
            definition.input_schema = schema::text(&signature.input_schema().map_err(context)?);
        } else if let Some(repaired) = schema::repair(&definition.input_schema).map_err(context)? {
            definition.input_schema = repaired;
        }
        if definition.output_schema.is_none() {
            definition.output_schema = output.as_ref().map(schema::text);
        }
        for schema in [Some(&definition.input_schema), definition.output_schema.as_ref()].into_iter().flatten() {
            let bytes = schema.as_str().len();
            if bytes > MAX_SCHEMA_BYTES {
                return Err(context(format!("schema of {bytes} bytes exceeds the limit of {MAX_SCHEMA_BYTES} bytes")));
            }
        }
        let headers =
            header::scan(&definition.input_schema).map_err(|bad| context(reason(&bad.to_string()).to_string()))?;
        Ok(ReadyTool { definition, signature: Arc::new(signature), headers, scopes, mounted: None, shape, function })
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tool({})", self.definition.name)
    }
}

/// A function that receives its arguments as JSON text.
struct Dynamic<F>(F);

impl<F, Fut, R> ToolFunction for Dynamic<F>
where
    F: Fn(RawJson, Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = R> + Send + 'static,
    R: ToolOutput,
{
    fn signature(&self, _: &[Arg]) -> Result<Signature, String> {
        Ok(Signature::empty())
    }

    fn output(&self) -> (OutputShape, Option<Schema>) {
        OutputShape::of::<R>()
    }

    fn start(&self, _: &Signature, invocation: &Invocation<'_>, shape: OutputShape) -> Result<MaybeReady, Rejection> {
        let Input::Json(arguments) = invocation.input() else {
            return Err(Rejection::argument("the arguments of a tool must be a JSON object"));
        };
        let arguments = RawJson::parse(arguments).map_err(|error| Rejection::argument(error.to_string()))?;
        let ctx = invocation.ctx();
        let future = (self.0)(arguments, ctx.clone());
        Ok(spawn_driver(Some(ctx), future, move |output: R| reply(output.into_outcome(shape))))
    }
}

/// Validates the name: 1 to 128 characters of `A-Za-z0-9_.-`.
fn check_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !name.is_empty() && name.len() <= 128 && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(format!("tool name \"{}\" is not valid: use 1 to 128 of the characters A-Z a-z 0-9 _ - .", excerpt(name)))
}

/// A validated tool, as stored in the registry.
pub(crate) struct ReadyTool {
    pub(crate) definition: model::ToolDefinition,
    pub(crate) signature: Arc<Signature>,
    /// The arguments that are mirrored in HTTP headers.
    pub(crate) headers: Vec<Annotation>,
    /// The scopes that a caller needs.
    pub(crate) scopes: Vec<String>,
    /// The origin of a tool of a mounted server.
    pub(crate) mounted: Option<MountedItem>,
    shape: OutputShape,
    function: Arc<dyn ToolFunction>,
}

impl ReadyTool {
    /// Returns the tool as an item of the server that `mount` is part of.
    ///
    /// # Errors
    /// Returns a message if its name is too long with the namespace.
    pub(crate) fn under(&self, mount: &Arc<Mount>) -> Result<Self, String> {
        let mut definition = self.definition.clone();
        definition.name = name_under(&mount.namespace, &definition.name);
        check_name(&definition.name)?;
        Ok(Self {
            definition,
            signature: Arc::clone(&self.signature),
            headers: self.headers.clone(),
            scopes: self.scopes.clone(),
            mounted: Some(MountedItem { mount: Arc::clone(mount), name: self.definition.name.clone() }),
            shape: self.shape,
            function: Arc::clone(&self.function),
        })
    }

    /// Starts a call with repaired strings, if the arguments contain half of a surrogate pair.
    fn start_repaired(&self, invocation: &Invocation<'_>) -> Option<Result<MaybeReady, Rejection>> {
        let Input::Json(json) = invocation.input() else { return None };
        let Cow::Owned(repaired) = replace_lone_surrogates(json) else { return None };
        Some(self.function.start(&self.signature, &invocation.with_json(&repaired), self.shape))
    }

    /// Starts a call. Invalid arguments become a tool result with `isError`, which the model can read.
    pub(crate) fn start(&self, invocation: &Invocation<'_>) -> MaybeReady {
        let started = self.function.start(&self.signature, invocation, self.shape);
        let repaired = match &started {
            Err(Rejection::Arguments(_)) => self.start_repaired(invocation),
            _ => None,
        };
        match repaired.unwrap_or(started) {
            Ok(started) => started,
            Err(Rejection::Failed(error)) => MaybeReady::Ready(Reply::Failed(error)),
            Err(Rejection::Arguments(errors)) => {
                let of = format!("tool `{}`", self.definition.name);
                let result = CallToolResult::error(Rejection::message(&errors, &of));
                MaybeReady::Ready(Reply::Done(ServerResult::CallTool(result)))
            }
        }
    }
}
