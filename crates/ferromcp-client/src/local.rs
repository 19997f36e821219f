//! A server in this process, over a pipe in memory.

use std::sync::Arc;

use ferromcp_transport::{Local, memory};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::channel::{BoxFuture, Channel, Failure, Inbound};
use crate::connect::Connector;
use crate::error::ClientError;
use crate::limits::ClientLimits;
use crate::pipe::{Keeper, pipe};
use crate::target::{OnLocal, Target};

impl<L: Local> Target<OnLocal> for L {
    fn into_connector(self) -> Result<Box<dyn Connector>, ClientError> {
        Ok(Box::new(Beside(self)))
    }
}

/// Serves a client beside it as often as needed.
struct Beside<L>(L);

impl<L: Local> Connector for Beside<L> {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, Failure>> {
        let (near, far) = memory();
        let serving = self.0.serve_far(far);
        Box::pin(async move {
            let (tell, ended) = watch::channel(None);
            let task = tokio::spawn(async move {
                let outcome = serving.await;
                tell.send_replace(Some(outcome.map_err(|error| error.to_string())));
            });
            let keeper = Kept { ended, task: task.abort_handle() };
            pipe(near, Some(Arc::new(keeper)), inbound, limits).map_err(Failure::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.0.name()
    }
}

/// How the server ended, once it has.
type Ended = Option<Result<(), String>>;

/// Waits for the server, and gives it up where it takes too long.
struct Kept {
    ended: watch::Receiver<Ended>,
    task: AbortHandle,
}

impl Keeper for Kept {
    fn shutdown(&self) -> BoxFuture<'static, ()> {
        let (mut ended, task) = (self.ended.clone(), self.task.clone());
        Box::pin(async move {
            let _ = ended.wait_for(Option::is_some).await; // an error: it panicked
            task.abort();
        })
    }

    fn last_words(&self) -> BoxFuture<'static, Option<String>> {
        let mut ended = self.ended.clone();
        Box::pin(async move {
            match ended.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(Err(why))) => Some(why.clone()),
                Ok(_) => None,
                Err(_) => Some("it panicked".to_owned()),
            }
        })
    }
}
