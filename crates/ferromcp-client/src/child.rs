//! Servers that run as child processes over stdio. A process that exits is restarted.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use ferromcp_transport::child::{Child, ChildHandle, ChildPipe, Stderr};

use crate::channel::{BoxFuture, Channel, ChannelError, Inbound};
use crate::connect::Connector;
use crate::limits::ClientLimits;
use crate::pipe::{PeerProcess, pipe};

/// Creates a connector that starts `child`, and restarts it when it has exited.
///
/// The process inherits only the variables of [`default_env`](ferromcp_transport::child::default_env), and those that the
/// command sets; [`Child::inherit_env`] passes on the whole environment.
///
/// A plain `Command` also works; it uses [`Stderr::log`] and the grace period [`ClientLimits::shutdown_grace`]. A
/// [`Child`] configures both itself. If stderr is read, its last lines are part of the errors of calls that fail because
/// the process exits.
///
/// ```no_run
/// # async fn example() -> Result<(), ferromcp_client::ClientError> {
/// use ferromcp_client::{Client, child};
/// use ferromcp_transport::child::{Child, Stderr};
/// let server = Child::new(std::process::Command::new("weather-server")).stderr(Stderr::lines(|line| eprintln!("{line}")));
/// let client = Client::builder("demo", "1.0.0").connect(child(server)).await?;
/// # Ok(())
/// # }
/// ```
pub fn child(child: Child) -> ChildConnector {
    ChildConnector { name: child.program(), child: Mutex::new(child), has_grace_periods: true }
}

/// A [`Connector`] that starts a child process for each connection. Created by [`child`].
pub struct ChildConnector {
    child: Mutex<Child>,
    name: String,
    /// Whether the child configures its grace periods, instead of the limits of the client.
    has_grace_periods: bool,
}

impl ChildConnector {
    /// Creates a connector that logs stderr and uses the grace periods of the client.
    pub(crate) fn new(described: impl Into<Child>) -> Self {
        Self { has_grace_periods: false, ..child(described.into().stderr(Stderr::log())) }
    }

    fn start(&self, limits: &ClientLimits) -> std::io::Result<(ChildPipe, ChildHandle)> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.has_grace_periods {
            child.set_grace_periods(limits.shutdown_grace, limits.shutdown_grace);
        }
        child.start()
    }
}

impl fmt::Debug for ChildConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChildConnector({})", self.name)
    }
}

impl Connector for ChildConnector {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, ChannelError>> {
        Box::pin(async move {
            let (transport, handle) = self.start(limits).map_err(ChannelError::unsent)?;
            pipe(transport, Some(Arc::new(ChildGuard(handle))), inbound, limits).map_err(ChannelError::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Terminates the process and its descendants.
struct ChildGuard(ChildHandle);

impl PeerProcess for ChildGuard {
    fn shutdown(&self) -> BoxFuture<'static, ()> {
        let handle = self.0.clone();
        Box::pin(async move {
            let exit = handle.shutdown().await;
            tracing::debug!(status = ?exit.status(), "child process exited");
        })
    }

    fn exit_reason(&self) -> BoxFuture<'static, Option<String>> {
        let handle = self.0.clone();
        Box::pin(async move { Some(handle.exited().await.to_string()) })
    }
}
