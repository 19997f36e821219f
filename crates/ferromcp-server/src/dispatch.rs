//! Dispatches calls to the functions that handle them.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ferromcp_core::model::{
    CallToolParams, CompleteParams, CompleteResult, DiscoverResult, EmptyResult, GetPromptParams, InitializeResult,
    ReadResourceParams, Reference,
};
use ferromcp_core::text::excerpt;
use ferromcp_core::{ClientRequest, Error, Revision, ServerResult};

use crate::access;
use crate::box_future::BoxFuture;
use crate::call::{Call, OuterServer, Peer, Reply};
use crate::client_requests::mrtr::{manual, resume};
use crate::component::{CompletionKey, prompt_texts, resource_texts};
use crate::ctx::{CallContext, Ctx};
use crate::era::features::has_multi_round_trip;
use crate::era::modern::has_method;
use crate::function::invocation::{Input, Invocation};
use crate::function::signature::Signature;
use crate::ignored_arguments::without_ignored;
use crate::inner::Inner;
use crate::lists;
use crate::maybe_ready::MaybeReady;
use crate::middleware::Next;
use crate::mount::MountedItem;
use crate::panics::{panicked, poll_caught};
use crate::registry::Tables;
use crate::resource_list;
use crate::subscription::{Mailbox, listen};
use crate::trace;

/// Handles a call, including middleware.
pub(crate) async fn run(inner: &Arc<Inner>, call: Call) -> Reply {
    match start(inner, call) {
        MaybeReady::Ready(reply) => reply,
        MaybeReady::Pending(mut future) => poll_fn(|cx| poll_caught(&mut future, cx)).await,
    }
}

/// Starts a call. The reply is ready if the call needs no waiting. Panics become errors.
pub(crate) fn start(inner: &Arc<Inner>, call: Call) -> MaybeReady {
    let span = trace::span(&call);
    let begin = AssertUnwindSafe(|| {
        let _inside = span.enter();
        begin_chain(inner, call)
    });
    match catch_unwind(begin) {
        Ok(started) => trace::inside(span, started),
        Err(panic) => MaybeReady::Ready(panicked(&*panic)),
    }
}

/// Starts a call with the middleware, inside of the span of the call.
pub(crate) fn begin_chain(inner: &Arc<Inner>, call: Call) -> MaybeReady {
    if inner.middleware.is_empty() {
        return begin(inner, &call);
    }
    // Before the middleware, which may have the reply in a cache. Checked again afterwards, since it may change the request.
    if let Err(error) = access::check(&inner.registry.snapshot(), &call.peer, &call.request) {
        return failed(error.into());
    }
    MaybeReady::Pending(Box::pin(run_middleware(Arc::clone(inner), call)))
}

/// Runs the middleware chain, which ends with the handler.
async fn run_middleware(inner: Arc<Inner>, call: Call) -> Reply {
    let revision = call.peer.revision();
    let may_require_input = has_multi_round_trip(revision) && resume::may_require_input(&call.request);
    let chain = Arc::clone(&inner.middleware);
    let last = Arc::new(move |call| {
        let started = begin(&inner, &call);
        Box::pin(started.finish()) as BoxFuture<Reply>
    });
    match Next::new(chain, last).run(call).await {
        // Handlers of handshake revisions send requests instead, so the reply comes from a middleware.
        Reply::NeedsInput(_) if !may_require_input => Reply::Failed(Error::internal(format!(
            "cannot return `Reply::NeedsInput` from a middleware: the request has no `input_required` result on revision \
             {revision}"
        ))),
        reply => reply,
    }
}

/// Finds the handler of the request and starts it. Methods of capabilities that are not advertised do not exist.
fn begin(inner: &Arc<Inner>, call: &Call) -> MaybeReady {
    let tables = inner.registry.snapshot();
    let offered = inner.offered(&tables);
    let exists = match &call.request {
        ClientRequest::CallTool(_) | ClientRequest::ListTools(_) => offered.tools,
        ClientRequest::ReadResource(_) | ClientRequest::ListResources(_) | ClientRequest::ListResourceTemplates(_) => {
            offered.resources
        }
        ClientRequest::GetPrompt(_) | ClientRequest::ListPrompts(_) => offered.prompts,
        ClientRequest::Complete(_) => offered.completions,
        ClientRequest::SetLevel(_) => inner.logging,
        ClientRequest::Subscribe(_) | ClientRequest::Unsubscribe(_) => offered.resources,
        _ => true,
    };
    if !exists {
        return failed(Error::method_not_found(call.request.method()));
    }
    if let Err(error) = access::check(&tables, &call.peer, &call.request) {
        return failed(error.into());
    }
    if tables.has_mounts() {
        if let Some(item) = tables.mounted(&call.request) {
            return start_mounted(inner, item, call);
        }
    }
    if resume::is_resumed(call) {
        return resume(inner, call.again());
    }
    let reply: Result<ServerResult, Error> = match &call.request {
        ClientRequest::CallTool(params) => return tool(inner, &tables, call, params),
        ClientRequest::ReadResource(params) => return resource(inner, &tables, call, params),
        ClientRequest::GetPrompt(params) => return prompt(inner, &tables, call, params),
        ClientRequest::Complete(params) => return completion(inner, &tables, call, params),
        ClientRequest::ListTools(params) => lists::tools(inner, &tables, &call.peer, params),
        ClientRequest::ListResources(params) if tables.has_listers() => {
            return resource_list::start(inner, tables, call, params);
        }
        ClientRequest::ListResources(params) => lists::resources(inner, &tables, &call.peer, params),
        ClientRequest::ListResourceTemplates(params) => lists::templates(inner, &tables, &call.peer, params),
        ClientRequest::ListPrompts(params) => lists::prompts(inner, &tables, &call.peer, params),
        ClientRequest::Initialize(_) => Ok(initialize(inner, &tables, &call.peer).into()),
        ClientRequest::Discover(_) => Ok(discover(inner, &tables).into()),
        ClientRequest::Ping(_) | ClientRequest::SetLevel(_) => Ok(empty()),
        ClientRequest::Listen(params) if has_method(&call.request, call.peer.revision()).is_ok() => {
            let filter = access::resource_filter(&inner.registry, &call.peer);
            return listen::start(&inner.broadcaster, offered.list_kinds(), &inner.limits, filter, call, params);
        }
        ClientRequest::Subscribe(params) => mailbox(call).and_then(|mailbox| {
            mailbox.filter_resources(access::resource_filter(&inner.registry, &call.peer));
            mailbox.subscribe(&params.uri, &inner.limits).map(|()| empty())
        }),
        ClientRequest::Unsubscribe(params) => mailbox(call).map(|mailbox| {
            mailbox.unsubscribe(&params.uri);
            empty()
        }),
        other => Err(Error::method_not_found(other.method())),
    };
    MaybeReady::Ready(reply.into())
}

/// Passes a call on to the mounted server that has the item.
fn start_mounted(inner: &Inner, item: &MountedItem, call: &Call) -> MaybeReady {
    let (state_options, audience) = inner.sealing(call.outer.as_deref());
    let audience = format!("{audience}/{}", item.mount.namespace);
    let mut call = call.again();
    call.outer = Some(Arc::new(OuterServer { state_options: state_options.clone(), audience }));
    item.start(call)
}

/// Resumes a multi-round-trip call.
fn resume(inner: &Arc<Inner>, call: Call) -> MaybeReady {
    let inner = Arc::clone(inner);
    MaybeReady::Pending(Box::pin(async move {
        match resume::resume(&inner, call).await {
            Ok(call) => begin(&inner, &call).finish().await,
            Err(error) => Reply::Failed(error),
        }
    }))
}

/// Runs manual rounds for a peer that receives requests during the call.
fn run_manual_rounds(inner: &Arc<Inner>, call: &Call) -> MaybeReady {
    let ctx = Ctx::new(CallContext::of(inner, call));
    let (inner, call) = (Arc::clone(inner), call.again());
    let guard = ctx.guard();
    MaybeReady::Pending(Box::pin(async move {
        let _guard = guard;
        manual::run_rounds(call, ctx, move |call| {
            let inner = Arc::clone(&inner);
            Box::pin(async move { begin(&inner, &call).finish().await })
        })
        .await
    }))
}

/// Returns whether the function has manual rounds and the peer receives requests during the call.
fn starts_manual_rounds(signature: &Signature, call: &Call) -> bool {
    signature.has_manual_rounds() && call.rounds.is_none() && !has_multi_round_trip(call.peer.revision())
}

fn empty() -> ServerResult {
    EmptyResult::default().into()
}

/// Returns the mailbox of a legacy session. Without a session, the subscription methods do not exist.
fn mailbox(call: &Call) -> Result<&Mailbox, Error> {
    call.peer.mailbox().map(|mailbox| &**mailbox).ok_or_else(|| Error::method_not_found(call.request.method()))
}

fn initialize(inner: &Inner, tables: &Tables, peer: &Peer) -> InitializeResult {
    if let Some(mailbox) = peer.mailbox() {
        mailbox.restrict_to(inner.offered(tables).list_kinds()); // undeclared notifications must not be sent
    }
    let capabilities = inner.capabilities(tables, peer.mailbox().is_some());
    let mut result = InitializeResult::new(peer.revision().as_str(), capabilities, inner.info.clone());
    result.instructions.clone_from(&inner.instructions);
    result
}

fn discover(inner: &Inner, tables: &Tables) -> DiscoverResult {
    let names = Revision::ALL.iter().rev().map(|revision| revision.as_str().to_owned()).collect();
    let mut result = DiscoverResult::new(names, inner.capabilities(tables, true));
    result.instructions.clone_from(&inner.instructions);
    (result.ttl_ms, result.cache_scope) = (Some(inner.caches[0].ttl_ms), Some(inner.caches[0].scope));
    result
}

fn tool(inner: &Arc<Inner>, tables: &Tables, call: &Call, params: &CallToolParams) -> MaybeReady {
    let Some(tool) = tables.tool(&params.name) else {
        return failed(Error::invalid_params(format!("Unknown tool: {}", excerpt(&params.name))));
    };
    if starts_manual_rounds(&tool.signature, call) {
        return run_manual_rounds(inner, call);
    }
    let arguments = params.arguments.as_ref().map_or("{}", |arguments| arguments.as_str());
    let arguments = without_ignored(arguments, &inner.ignored_arguments, tool);
    tool.start(&Invocation::new(CallContext::of(inner, call), &tool.signature, Input::Json(&arguments)))
}

fn resource(inner: &Arc<Inner>, tables: &Tables, call: &Call, params: &ReadResourceParams) -> MaybeReady {
    let (resource, captures) = match tables.resource(&params.uri) {
        Ok(Some(found)) => found,
        Ok(None) => return failed(Error::resource_not_found(&params.uri)),
        Err(error) => return failed(error),
    };
    if starts_manual_rounds(&resource.signature, call) {
        return run_manual_rounds(inner, call);
    }
    let texts = captures.as_ref().map(resource_texts).unwrap_or_default();
    let invocation = Invocation::new(CallContext::of(inner, call), &resource.signature, Input::Texts(&texts));
    resource.start(&invocation, &params.uri)
}

fn prompt(inner: &Arc<Inner>, tables: &Tables, call: &Call, params: &GetPromptParams) -> MaybeReady {
    let Some(prompt) = tables.prompt(&params.name) else {
        return failed(Error::invalid_params(format!("Unknown prompt: {}", excerpt(&params.name))));
    };
    if starts_manual_rounds(&prompt.signature, call) {
        return run_manual_rounds(inner, call);
    }
    let texts = match prompt_texts(params.arguments.as_ref()) {
        Ok(texts) => texts,
        Err(error) => return failed(error),
    };
    prompt.start(&Invocation::new(CallContext::of(inner, call), &prompt.signature, Input::Texts(&texts)))
}

fn completion(inner: &Arc<Inner>, tables: &Tables, call: &Call, params: &CompleteParams) -> MaybeReady {
    let known = match &params.r#ref {
        Reference::Prompt { name, .. } => match tables.prompt(name) {
            Some(prompt) => prompt.argument_names().any(|name| name == params.argument.name),
            None => return failed(Error::invalid_params(format!("Unknown prompt: {}", excerpt(name)))),
        },
        Reference::Resource { uri } => match tables.template(uri) {
            Some(resource) => resource.template.variables().any(|variable| variable.name() == params.argument.name),
            None if matches!(tables.resource(uri), Ok(Some(_))) => false, // a resource without variables has no arguments
            None => return failed(Error::resource_not_found(uri)),
        },
        _ => return failed(Error::invalid_params("Unknown reference type")),
    };
    let Some(completion) = CompletionKey::of(params).and_then(|key| tables.completion(&key)) else {
        if !known {
            return failed(Error::invalid_params(format!("Unknown argument: {}", excerpt(&params.argument.name))));
        }
        return MaybeReady::Ready(Reply::Done(CompleteResult::default().into())); // no suggestions
    };
    let texts = completion.texts(params);
    completion.start(&Invocation::new(CallContext::of(inner, call), &completion.signature, Input::Texts(&texts)))
}

fn failed(error: Error) -> MaybeReady {
    MaybeReady::Ready(Reply::Failed(error))
}
