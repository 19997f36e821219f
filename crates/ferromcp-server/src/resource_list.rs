//! `resources/list` of a server with templates whose resources are listed by functions.
//!
//! The resources of a template are at its position among the registered resources. A cursor contains the serial number
//! of the template and the number of its resources on previous pages, so a page runs only the functions whose resources
//! it contains. If such a list changes between two pages, a resource can be missing or repeated.
//!
//! If a function fails, the list contains the resources of the others, and the failure is logged. The request fails only
//! if no resource and no other function is left. A page without the resources of a function is not cached.

use std::sync::Arc;

use ferromcp_core::model::{ListParams, ListResourcesResult, ResourceDefinition};
use ferromcp_core::text::reason;
use ferromcp_core::{Error, ServerResult};

use crate::call::{Call, Reply};
use crate::component::{Listed, ReadyResource};
use crate::ctx::CallContext;
use crate::function::invocation::{Input, Invocation};
use crate::inner::Inner;
use crate::lists::cache_hint;
use crate::maybe_ready::MaybeReady;
use crate::paging::{List, Position};
use crate::panics::run_part;
use crate::peer::Peer;
use crate::registry::Tables;

/// Starts the call.
pub(crate) fn start(inner: &Arc<Inner>, tables: Arc<Tables>, call: &Call, params: &ListParams) -> MaybeReady {
    let start = match params.cursor.as_deref().map(|cursor| Position::decode(List::Resources, cursor)) {
        None => Position::START,
        Some(Ok(position)) => position,
        Some(Err(error)) => return MaybeReady::Ready(Reply::Failed(error)),
    };
    let (inner, call) = (Arc::clone(inner), call.again());
    MaybeReady::Pending(Box::pin(async move {
        match page(&inner, &tables, &call, start).await {
            Ok(Page { items, next, is_complete }) => {
                let mut list = ListResourcesResult::new(items);
                list.next_cursor = next.map(|next| next.encode(List::Resources));
                let hint = cache_hint(&inner, &tables, &call.peer, List::Resources);
                let ttl_ms = if is_complete { hint.ttl_ms } else { 0 };
                (list.ttl_ms, list.cache_scope) = (Some(ttl_ms), Some(hint.scope));
                Reply::Done(list.into())
            }
            Err(error) => Reply::Failed(error),
        }
    }))
}

/// A page of resources.
struct Page {
    items: Vec<ResourceDefinition>,
    /// The position of the next page.
    next: Option<Position>,
    /// False if a function failed.
    is_complete: bool,
}

/// Returns the page that starts at a position.
async fn page(inner: &Arc<Inner>, tables: &Tables, call: &Call, start: Position) -> Result<Page, Error> {
    let size = inner.limits.page_size.max(1);
    let mut items = Vec::new();
    let mut end = start;
    let mut failure = None;
    let mut has_source = start != Position::START; // earlier pages have resources
    let done = |items, next, failure: Option<Error>| Ok(Page { items, next, is_complete: failure.is_none() });
    for (serial, resource) in tables.visible_resources(&call.peer) {
        let skipped = if serial == start.serial { start.offset } else { Some(0) };
        let Some(skipped) = skipped.filter(|_| serial >= start.serial) else { continue };
        match &resource.definition {
            Listed::Fixed(listed) => {
                if items.len() == size {
                    return done(items, Some(end), failure);
                }
                items.push(listed.clone());
                has_source = true;
            }
            Listed::Template(_) if resource.lister.is_none() => continue,
            Listed::Template(_) => {
                if items.len() == size {
                    return done(items, Some(end), failure); // the next page is empty if the function lists nothing
                }
                match listed_by(inner, call, resource).await {
                    Ok(listed) => {
                        has_source = true;
                        for (at, definition) in (0_u32..).zip(listed).skip(skipped as usize) {
                            if items.len() == size {
                                return done(items, Some(Position { serial, offset: Some(at) }), failure);
                            }
                            items.extend(checked(tables, &call.peer, resource, definition));
                        }
                    }
                    Err(error) => {
                        warn_of_failure(resource, &error);
                        failure.get_or_insert(error);
                    }
                }
            }
        }
        end = Position::after(serial);
    }
    match failure {
        Some(error) if !has_source => Err(error),
        failure => done(items, None, failure),
    }
}

/// Logs that the function of a template failed.
fn warn_of_failure(resource: &ReadyResource, error: &Error) {
    let function = resource.lister.as_ref().map_or("", |lister| lister.function_name());
    let namespace = resource.mounted.as_ref().map_or("", |item| &*item.mount.namespace);
    tracing::warn!(
        function,
        template = resource.uri,
        namespace,
        error = %reason(&error.message),
        "cannot list the resources of a template: its `list` function failed; the list is returned without them"
    );
}

/// Returns the resources that the function of a template lists.
pub(crate) async fn listed_by(
    inner: &Arc<Inner>,
    call: &Call,
    resource: &ReadyResource,
) -> Result<Vec<ResourceDefinition>, Error> {
    if let Some(mounted) = &resource.mounted {
        return mounted.list(call).await;
    }
    let Some(lister) = &resource.lister else { return Ok(Vec::new()) };
    let start = || {
        let context = CallContext::of(inner, call);
        lister.start(&Invocation::new(context, &lister.signature, Input::Json("{}")))
    };
    match run_part(start).await {
        Reply::Done(ServerResult::ListResources(list)) => {
            Ok(list.resources.iter().map(|definition| lister.mounted(definition.clone())).collect())
        }
        Reply::Failed(error) => Err(error),
        _ => Err(Error::internal("the `list` function of a resource template returned no list")),
    }
}

/// Returns a listed resource, unless it cannot be read, requires scopes that the caller lacks, or is registered itself.
fn checked(
    tables: &Tables,
    peer: &Peer,
    template: &ReadyResource,
    mut definition: ResourceDefinition,
) -> Option<ResourceDefinition> {
    match tables.resource(&definition.uri) {
        Ok(Some((found, _))) if !peer.may_use(&found.scopes) => None,
        Ok(Some((found, _))) if matches!(found.definition, Listed::Template(_)) => {
            definition.mime_type = definition.mime_type.or_else(|| template.mime_type().map(str::to_owned));
            Some(definition)
        }
        Ok(Some(_)) => None, // listed already
        Ok(None) | Err(_) => {
            let (uri, template) = (&definition.uri, &template.uri);
            tracing::warn!(uri, template, "skipped a listed resource, because no resource or template matches its URI");
            None
        }
    }
}
