//! The server side of a [`Mount`](crate::mount::Mount): handles the calls of a mounted server.

use std::sync::Arc;

use ferromcp_core::Error;
use ferromcp_core::model::ResourceDefinition;

use crate::box_future::BoxFuture;
use crate::call::Call;
use crate::dispatch;
use crate::inner::Inner;
use crate::maybe_ready::MaybeReady;
use crate::mount::MountedServer;
use crate::resource_list::listed_by;

impl MountedServer for Arc<Inner> {
    fn start(&self, call: Call) -> MaybeReady {
        dispatch::begin_chain(self, call)
    }

    fn list(&self, call: &Call, template: &str) -> BoxFuture<Result<Vec<ResourceDefinition>, Error>> {
        let (inner, call, tables) = (Self::clone(self), call.again(), self.registry.snapshot());
        let template = tables.template(template).cloned();
        Box::pin(async move {
            match template {
                Some(template) => listed_by(&inner, &call, &template).await,
                None => Ok(Vec::new()), // removed in the meantime
            }
        })
    }

    fn has_resource(&self, uri: &str) -> bool {
        matches!(self.registry.snapshot().resource(uri), Ok(Some(_)))
    }
}
