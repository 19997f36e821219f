//! In-process servers, connected over an in-memory transport.

use std::sync::Arc;

use ferromcp_transport::{InProcess, memory};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::channel::{BoxFuture, Channel, ChannelError, Inbound};
use crate::connect::Connector;
use crate::error::ClientError;
use crate::limits::ClientLimits;
use crate::pipe::{PeerProcess, pipe};
use crate::target::{Target, ViaInProcess};

impl<L: InProcess> Target<ViaInProcess> for L {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(InProcessConnector(self)))
    }
}

/// Starts a server task for each connection.
struct InProcessConnector<L>(L);

impl<L: InProcess> Connector for InProcessConnector<L> {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        let (near, far) = memory();
        let serving = self.0.serve_peer(far);
        Box::pin(async move {
            let (outcome_tx, ended) = watch::channel(None);
            let task = tokio::spawn(async move {
                let outcome = serving.await;
                outcome_tx.send_replace(Some(outcome.map_err(|error| error.to_string())));
            });
            let peer = InProcessGuard { ended, task: task.abort_handle() };
            pipe(near, Some(Arc::new(peer)), inbound, limits).map_err(ChannelError::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.0.name()
    }
}

/// Outcome of the server, set when it ends.
type Ended = Option<Result<(), String>>;

/// Waits for the server task, and aborts it afterwards.
struct InProcessGuard {
    ended: watch::Receiver<Ended>,
    task: AbortHandle,
}

impl PeerProcess for InProcessGuard {
    fn shutdown(&self) -> BoxFuture<'static, ()> {
        let (mut ended, task) = (self.ended.clone(), self.task.clone());
        Box::pin(async move {
            let _ = ended.wait_for(Option::is_some).await; // an error means that it panicked
            task.abort();
        })
    }

    fn exit_reason(&self) -> BoxFuture<'static, Option<String>> {
        let mut ended = self.ended.clone();
        Box::pin(async move {
            match ended.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(Err(why))) => Some(why.clone()),
                Ok(_) => None,
                Err(_) => Some("the server panicked".to_owned()),
            }
        })
    }
}
