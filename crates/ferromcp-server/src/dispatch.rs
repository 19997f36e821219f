//! From a call to the function that answers it.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use ferromcp_core::model::{
    CallToolParams, CompleteParams, CompleteResult, DiscoverResult, EmptyResult, GetPromptParams, InitializeResult,
    ListParams, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    ReadResourceParams, Reference,
};
use ferromcp_core::{ClientRequest, Error, Revision, ServerResult};

use crate::call::{Call, Reply};
use crate::component::{CompletionKey, prompt_texts, resource_texts};
use crate::engine::{Engine, Scene};
use crate::inner::Inner;
use crate::invocation::{Input, Invocation};
use crate::middleware::Next;
use crate::started::{BoxFuture, Started};
use crate::state::States;
use crate::trace;

impl Engine for Inner {
    fn states(&self) -> Arc<States> {
        self.running.states().unwrap_or_else(|| Arc::clone(&self.states))
    }

    fn is_lenient(&self) -> bool {
        self.lenient
    }

    fn call(self: Arc<Self>, call: Call) -> BoxFuture<Reply> {
        Box::pin(async move { run(&self, call).await })
    }
}

/// Answers a call, middleware and all.
pub(crate) async fn run(inner: &Arc<Inner>, call: Call) -> Reply {
    match start(inner, call) {
        Started::Ready(reply) => reply,
        Started::Pending(mut future) => poll_fn(|cx| poll_caught(&mut future, cx)).await,
    }
}

/// Begins to answer a call: what needs no waiting is answered at once. Panics become errors.
pub(crate) fn start(inner: &Arc<Inner>, call: Call) -> Started {
    let span = trace::span(&call);
    let begin = AssertUnwindSafe(|| {
        let _inside = span.enter();
        if inner.middleware.is_empty() {
            return begin(inner, call);
        }
        let last = Arc::clone(inner);
        let last = Arc::new(move |call| {
            let started = begin(&last, call);
            Box::pin(started.finish()) as BoxFuture<Reply>
        });
        Started::Pending(Box::pin(Next::new(Arc::clone(&inner.middleware), last).run(call)))
    });
    match catch_unwind(begin) {
        Ok(started) => trace::inside(span, started),
        Err(panic) => Started::Ready(panicked(&*panic)),
    }
}

/// Polls a reply; a panic becomes an error.
pub(crate) fn poll_caught(future: &mut BoxFuture<Reply>, cx: &mut Context<'_>) -> Poll<Reply> {
    match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll,
        Err(panic) => Poll::Ready(panicked(&*panic)),
    }
}

/// Logs a panic in full, and tells the peer only that there was one.
fn panicked(panic: &(dyn std::any::Any + Send)) -> Reply {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = words.unwrap_or("no words"), "a handler panicked");
    Reply::Failed(Error::internal("Internal error: the handler panicked"))
}

/// Finds the function and begins.
fn begin(inner: &Arc<Inner>, call: Call) -> Started {
    let revision = call.peer.revision();
    let tables = inner.registry.snapshot();
    let size = inner.registry.page_size();
    let gate = |open: bool| if open { Ok(()) } else { Err(Error::method_not_found(call.request.method())) };
    let reply: Result<ServerResult, Error> = match &call.request {
        ClientRequest::CallTool(params) => match gate(tables.has_tools()) {
            Ok(()) => return tool(inner, &tables, &call, params),
            Err(error) => Err(error),
        },
        ClientRequest::ReadResource(params) => match gate(tables.has_resources()) {
            Ok(()) => return resource(inner, &tables, &call, params),
            Err(error) => Err(error),
        },
        ClientRequest::GetPrompt(params) => match gate(tables.has_prompts()) {
            Ok(()) => return prompt(inner, &tables, &call, params),
            Err(error) => Err(error),
        },
        ClientRequest::Complete(params) => match gate(tables.has_completions()) {
            Ok(()) => return completion(inner, &tables, &call, params),
            Err(error) => Err(error),
        },
        ClientRequest::ListTools(params) => gate(tables.has_tools()).and_then(|()| {
            let (items, next) = tables.tool_pages(size).page(cursor(params))?;
            Ok(listed(inner, ListToolsResult::new(items), next, |it| {
                (&mut it.next_cursor, &mut it.ttl_ms, &mut it.cache_scope)
            })
            .into())
        }),
        ClientRequest::ListResources(params) => gate(tables.has_resources()).and_then(|()| {
            let (items, next) = tables.resource_pages(size).page(cursor(params))?;
            Ok(listed(inner, ListResourcesResult::new(items), next, |it| {
                (&mut it.next_cursor, &mut it.ttl_ms, &mut it.cache_scope)
            })
            .into())
        }),
        ClientRequest::ListResourceTemplates(params) => gate(tables.has_resources()).and_then(|()| {
            let (items, next) = tables.template_pages(size).page(cursor(params))?;
            let list = ListResourceTemplatesResult::new(items);
            Ok(listed(inner, list, next, |it| (&mut it.next_cursor, &mut it.ttl_ms, &mut it.cache_scope)).into())
        }),
        ClientRequest::ListPrompts(params) => gate(tables.has_prompts()).and_then(|()| {
            let (items, next) = tables.prompt_pages(size).page(cursor(params))?;
            Ok(listed(inner, ListPromptsResult::new(items), next, |it| {
                (&mut it.next_cursor, &mut it.ttl_ms, &mut it.cache_scope)
            })
            .into())
        }),
        ClientRequest::Initialize(_) => {
            let mut result = InitializeResult::new(revision.as_str(), inner.capabilities(&tables), inner.info.clone());
            result.instructions.clone_from(&inner.instructions);
            Ok(result.into())
        }
        ClientRequest::Discover(_) => {
            let names = Revision::ALL.iter().rev().map(|revision| revision.as_str().to_owned()).collect();
            let mut result = DiscoverResult::new(names, inner.capabilities(&tables));
            result.instructions.clone_from(&inner.instructions);
            (result.ttl_ms, result.cache_scope) = (Some(inner.list_cache.ttl_ms), Some(inner.list_cache.scope));
            Ok(result.into())
        }
        ClientRequest::Ping(_) => Ok(EmptyResult::default().into()),
        ClientRequest::SetLevel(_) => gate(inner.logging).map(|()| EmptyResult::default().into()),
        other => Err(Error::method_not_found(other.method())),
    };
    Started::Ready(match reply {
        Ok(result) => Reply::Done(result),
        Err(error) => Reply::Failed(error),
    })
}

fn cursor(params: &ListParams) -> Option<&str> {
    params.cursor.as_deref()
}

type ListFields<'a> = (&'a mut Option<String>, &'a mut Option<u64>, &'a mut Option<ferromcp_core::model::CacheScope>);

/// Adds the next cursor and the caching hint to a list.
fn listed<T>(inner: &Inner, mut list: T, next: Option<String>, fields: impl FnOnce(&mut T) -> ListFields<'_>) -> T {
    let (cursor, ttl_ms, scope) = fields(&mut list);
    *cursor = next;
    *ttl_ms = Some(inner.list_cache.ttl_ms);
    *scope = Some(inner.list_cache.scope);
    list
}

fn scene(call: &Call) -> Scene<'_> {
    Scene { peer: &call.peer, outlet: &call.outlet, extensions: &call.extensions, meta: call.request.meta() }
}

fn tool(inner: &Arc<Inner>, tables: &crate::registry::Tables, call: &Call, params: &CallToolParams) -> Started {
    let Some(tool) = tables.tool(&params.name) else {
        return failed(Error::invalid_params(format!("Unknown tool: {}", params.name)));
    };
    let arguments = params.arguments.as_ref().map_or("{}", |arguments| arguments.as_str());
    let engine: Arc<dyn Engine> = Arc::clone(inner) as _;
    tool.start(&Invocation::new(&engine, scene(call), Input::Json(arguments)))
}

fn resource(inner: &Arc<Inner>, tables: &crate::registry::Tables, call: &Call, params: &ReadResourceParams) -> Started {
    let (resource, captures) = match tables.resource(&params.uri) {
        Ok(Some(found)) => found,
        Ok(None) => return failed(Error::resource_not_found(&params.uri)),
        Err(error) => return failed(error),
    };
    let texts = captures.as_ref().map(resource_texts).unwrap_or_default();
    let engine: Arc<dyn Engine> = Arc::clone(inner) as _;
    resource.start(&Invocation::new(&engine, scene(call), Input::Texts(&texts)), &params.uri)
}

fn prompt(inner: &Arc<Inner>, tables: &crate::registry::Tables, call: &Call, params: &GetPromptParams) -> Started {
    let Some(prompt) = tables.prompt(&params.name) else {
        return failed(Error::invalid_params(format!("Unknown prompt: {}", params.name)));
    };
    let texts = match prompt_texts(params.arguments.as_ref()) {
        Ok(texts) => texts,
        Err(error) => return failed(error),
    };
    let engine: Arc<dyn Engine> = Arc::clone(inner) as _;
    prompt.start(&Invocation::new(&engine, scene(call), Input::Texts(&texts)))
}

fn completion(inner: &Arc<Inner>, tables: &crate::registry::Tables, call: &Call, params: &CompleteParams) -> Started {
    let known = match &params.r#ref {
        Reference::Prompt { name, .. } => match tables.prompt(name) {
            Some(prompt) => prompt.signature.position(&params.argument.name).is_some(),
            None => return failed(Error::invalid_params(format!("Unknown prompt: {name}"))),
        },
        Reference::Resource { uri } => match tables.template(uri) {
            Some(resource) => resource.template.variables().any(|variable| variable.name() == params.argument.name),
            None if matches!(tables.resource(uri), Ok(Some(_))) => false, // a plain resource has nothing to complete
            None => return failed(Error::resource_not_found(uri)),
        },
        _ => return failed(Error::invalid_params("Unknown kind of reference")),
    };
    let Some(completion) = CompletionKey::of(params).and_then(|key| tables.completion(&key)) else {
        if !known {
            return failed(Error::invalid_params(format!("Unknown argument: {}", params.argument.name)));
        }
        return Started::Ready(Reply::Done(CompleteResult::default().into())); // nothing to suggest
    };
    let texts = completion.texts(params);
    let engine: Arc<dyn Engine> = Arc::clone(inner) as _;
    completion.start(&Invocation::new(&engine, scene(call), Input::Texts(&texts)))
}

fn failed(error: Error) -> Started {
    Started::Ready(Reply::Failed(error))
}
