//! [`Mount`]: a server whose tools, resources, prompts and completions are part of another server.
//!
//! The outer server lists copies of the items under the namespace of the mount. It passes a call of such an item on with
//! the name that the item has in the mounted server, and inserts the namespace into the URIs of the reply. The call
//! runs with the middleware, state and options of the mounted server.

use std::fmt;
use std::sync::Arc;

use ferromcp_core::model::{ContentBlock, Reference, ResourceDefinition};
use ferromcp_core::{ClientRequest, Error, ServerResult};

use crate::box_future::BoxFuture;
use crate::call::{Call, Reply};
use crate::maybe_ready::MaybeReady;
use crate::namespace::{name_under, uri_under, uri_without};

/// A server that is part of another server.
pub(crate) struct Mount {
    pub(crate) namespace: Arc<str>,
    server: Box<dyn MountedServer>,
}

/// The operations of a mounted server.
pub(crate) trait MountedServer: Send + Sync {
    /// Starts a call that has the names of the mounted server.
    fn start(&self, call: Call) -> MaybeReady;

    /// Returns the resources that the `list` function of a template lists.
    fn list(&self, call: &Call, template: &str) -> BoxFuture<Result<Vec<ResourceDefinition>, Error>>;

    /// Returns whether the server has a resource at this URI.
    fn has_resource(&self, uri: &str) -> bool;
}

/// An item of a mounted server: its origin and its name there.
#[derive(Clone)]
pub(crate) struct MountedItem {
    pub(crate) mount: Arc<Mount>,
    /// The name of the tool or prompt, or the URI or template of the resource, in the mounted server.
    pub(crate) name: String,
}

impl Mount {
    pub(crate) fn new(namespace: &str, server: impl MountedServer + 'static) -> Self {
        Self { namespace: namespace.into(), server: Box::new(server) }
    }

    /// Returns the URI that a URI of the mounted server has in the outer server.
    fn uri(&self, uri: &str) -> String {
        uri_under(&self.namespace, uri)
    }

    /// Inserts the namespace into a URI in a reply, if it is the URI of a resource of the mounted server.
    fn rename(&self, uri: &mut String) {
        if !self.namespace.is_empty() && self.server.has_resource(uri) {
            *uri = self.uri(uri);
        }
    }

    fn rename_block(&self, block: &mut ContentBlock) {
        match block {
            ContentBlock::ResourceLink(link) => self.rename(&mut link.uri),
            ContentBlock::Resource(embedded) => self.rename(&mut embedded.resource.uri),
            _ => {}
        }
    }

    /// Inserts the namespace into the URIs of a reply.
    fn rename_reply(&self, mut reply: Reply) -> Reply {
        match &mut reply {
            Reply::Done(ServerResult::CallTool(result)) => {
                result.content.iter_mut().for_each(|block| self.rename_block(block));
            }
            Reply::Done(ServerResult::GetPrompt(result)) => {
                result.messages.iter_mut().for_each(|message| self.rename_block(&mut message.content));
            }
            Reply::Done(ServerResult::ReadResource(result)) => {
                result.contents.iter_mut().for_each(|contents| self.rename(&mut contents.uri));
            }
            _ => {}
        }
        reply
    }
}

impl MountedItem {
    /// Starts a call of the item, which has the names of the outer server.
    pub(crate) fn start(&self, mut call: Call) -> MaybeReady {
        let full_uri = match &mut call.request {
            ClientRequest::CallTool(params) => {
                params.name = self.name.as_str().into();
                None
            }
            ClientRequest::GetPrompt(params) => {
                params.name = self.name.as_str().into();
                None
            }
            ClientRequest::ReadResource(params) => {
                let uri = uri_without(&self.mount.namespace, &self.name, &params.uri);
                let not_found = Error::resource_not_found(&uri);
                Some((not_found, std::mem::replace(&mut params.uri, uri.into())))
            }
            ClientRequest::Complete(params) => {
                match &mut params.r#ref {
                    Reference::Prompt { name, .. } => name.clone_from(&self.name),
                    Reference::Resource { uri } => uri.clone_from(&self.name),
                    _ => {}
                }
                None
            }
            _ => None,
        };
        let mount = Arc::clone(&self.mount);
        let finish = move |reply: Reply| match full_uri {
            Some((not_found, uri)) if matches!(&reply, Reply::Failed(error) if *error == not_found) => {
                Reply::Failed(Error::resource_not_found(&uri))
            }
            _ => mount.rename_reply(reply),
        };
        match self.mount.server.start(call) {
            MaybeReady::Ready(reply) => MaybeReady::Ready(finish(reply)),
            MaybeReady::Pending(future) => MaybeReady::Pending(Box::pin(async move { finish(future.await) })),
        }
    }

    /// Returns the resources that the `list` function of the template lists, under the namespace.
    pub(crate) async fn list(&self, call: &Call) -> Result<Vec<ResourceDefinition>, Error> {
        let mut listed = self.mount.server.list(call, &self.name).await?;
        for definition in &mut listed {
            definition.uri = self.mount.uri(&definition.uri);
            definition.name = name_under(&self.mount.namespace, &definition.name);
        }
        Ok(listed)
    }
}

impl fmt::Debug for MountedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MountedItem({} in {})", self.name, self.mount.namespace)
    }
}
