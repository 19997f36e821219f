//! A server as a child process on standard input and output.
//!
//! Spec: <https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio>.

use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ferromcp_transport::streams;
use tokio::process::{Child, Command};

use crate::channel::{BoxFuture, Channel, Failure, Inbound};
use crate::connect::Connector;
use crate::limits::ClientLimits;
use crate::pipe::{Keeper, pipe};

/// Starts a command as often as needed.
pub(crate) struct Spawn {
    command: Mutex<Command>,
    name: String,
}

impl Spawn {
    pub(crate) fn new(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0); // what a terminal sends to the application is not for its servers
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        Self { command: Mutex::new(command), name }
    }

    fn spawn(&self) -> io::Result<Child> {
        self.command.lock().unwrap_or_else(PoisonError::into_inner).spawn()
    }
}

impl Connector for Spawn {
    fn open<'a>(
        &'a self,
        inbound: Arc<dyn Inbound>,
        limits: &'a ClientLimits,
    ) -> BoxFuture<'a, Result<Arc<dyn Channel>, Failure>> {
        Box::pin(async move {
            let started = self
                .spawn()
                .map_err(|error| io::Error::new(error.kind(), format!("`{}` cannot be started: {error}", self.name)));
            let mut child = started.map_err(Failure::unsent)?;
            let lacks = || Failure::unsent(io::Error::other("a child without standard input and output"));
            let (reader, writer) = child.stdout.take().zip(child.stdin.take()).ok_or_else(lacks)?;
            let keeper = Arc::new(Kept { child: Arc::new(Mutex::new(Some(child))), grace: limits.shutdown_grace });
            pipe(streams(reader, writer), Some(keeper), inbound, limits).map_err(Failure::unsent)
        })
    }

    fn can_reopen(&self) -> bool {
        true
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

struct Kept {
    child: Arc<Mutex<Option<Child>>>,
    grace: Duration,
}

impl Keeper for Kept {
    fn shutdown(&self) -> BoxFuture<'static, ()> {
        let child = self.child.lock().unwrap_or_else(PoisonError::into_inner).take();
        let grace = self.grace;
        Box::pin(async move {
            let Some(mut child) = child else { return };
            if tokio::time::timeout(grace, child.wait()).await.is_err() {
                let _ = child.kill().await; // it may have ended just now
            }
        })
    }

    fn last_words(&self) -> Option<String> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        let status = child.as_mut()?.try_wait().ok()??;
        Some(status.to_string())
    }
}
