//! A server as a child process on standard input and output, started again when it ends.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_transport::child::{ChildHandle, Stderr};
use ferromcp_transport::{Child, ChildPipe};
use tokio::process::Command;

use crate::channel::{BoxFuture, Channel, Failure, Inbound};
use crate::connect::Connector;
use crate::limits::ClientLimits;
use crate::pipe::{Keeper, pipe};

/// A server as `child` describes it, started anew when it has ended.
///
/// A plain `Command` is connected to in the same way, with [`Stderr::log`] and the graces of
/// [`ClientLimits::shutdown_grace`]. Here both are the child's own. What it wrote to stderr last is in the errors of the
/// calls that its end cost, if stderr is read.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::{Client, child};
/// use ferromcp_transport::child::{Child, Stderr};
/// let server = Child::new(std::process::Command::new("weather-server")).stderr(Stderr::lines(|line| eprintln!("{line}")));
/// let client = Client::new("demo", "1.0.0").connect(child(server)).await?;
/// # Ok(())
/// # }
/// ```
pub fn child(child: Child) -> Spawn {
    Spawn { name: child.program(), child: Mutex::new(child), own_graces: true }
}

/// Starts a process as often as needed; made by [`child`].
pub struct Spawn {
    child: Mutex<Child>,
    name: String,
    /// Whether its graces are not those of the client's limits.
    own_graces: bool,
}

impl Spawn {
    pub(crate) fn new(command: Command) -> Self {
        let described = Child::new(command).stderr(Stderr::log());
        Self { own_graces: false, ..child(described) }
    }

    fn start(&self, limits: &ClientLimits) -> std::io::Result<(ChildPipe, ChildHandle)> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.own_graces {
            child.set_graces(limits.shutdown_grace, limits.shutdown_grace);
        }
        child.start()
    }
}

impl fmt::Debug for Spawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spawn({})", self.name)
    }
}

impl Connector for Spawn {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, Failure>> {
        Box::pin(async move {
            let (transport, handle) = self.start(limits).map_err(Failure::unsent)?;
            pipe(transport, Some(Arc::new(Kept(handle))), inbound, limits).map_err(Failure::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Ends the process, with all it started.
struct Kept(ChildHandle);

impl Keeper for Kept {
    fn shutdown(&self) -> BoxFuture<'static, ()> {
        let handle = self.0.clone();
        Box::pin(async move {
            let exit = handle.shutdown().await;
            tracing::debug!(status = ?exit.status(), "a server was ended");
        })
    }

    fn last_words(&self) -> BoxFuture<'static, Option<String>> {
        let handle = self.0.clone();
        Box::pin(async move { Some(handle.exited().await.to_string()) })
    }
}
