//! Replaces the server of a bridge while its clients stay connected.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ferromcp_client::Client;
use ferromcp_core::model::{ListChanged, ResourcesCapability, ServerCapabilities};
use ferromcp_core::{ClientRequest, Error, RawJson, ServerResult};
use ferromcp_server::{Reply, Server};
use tokio::time::{Instant, sleep, timeout_at};

use super::members::{Member, Members};
use super::{Bridge, Connections, set_log_level};

/// How long the calls of a replaced server may take to finish.
pub(crate) const DRAIN_TIME: Duration = Duration::from_secs(30);

/// How long a new server may take to restore the log level and the subscriptions.
const RESTORE_TIME: Duration = Duration::from_secs(10);

/// Interval at which the calls of a replaced server are counted.
const DRAIN_INTERVAL: Duration = Duration::from_millis(50);

/// Replaces the server of a bridge. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Replacer(Arc<Bridge>);

impl Connections {
    /// Creates a server that forwards to one server, which can be replaced. Requests wait until the first one is set. All
    /// kinds of lists are declared, because a later server may add them.
    pub(crate) fn replaceable(self) -> (Server, Replacer) {
        let (server, bridge) = self.create(Members::new(Vec::new()), all_capabilities(), true);
        let handler = Arc::clone(&bridge);
        let server = server.wrap(move |call: ferromcp_server::Call, next| {
            let bridge = Arc::clone(&handler);
            async move {
                let is_start = matches!(call.request, ClientRequest::Initialize(_) | ClientRequest::Discover(_));
                let mut reply = Arc::clone(&bridge).handle(call, next).await;
                if is_start {
                    describe(&mut reply, &bridge.members.borrow());
                }
                reply
            }
        });
        (server, Replacer(bridge))
    }
}

impl Replacer {
    /// Forwards further requests to this server, and notifies the clients that all lists may have changed. `number` identifies
    /// the server in [`Connections::prepare`].
    ///
    /// The calls of the replaced server may finish within [`DRAIN_TIME`]; then they end with an error, and its connection is
    /// closed.
    pub(crate) async fn replace(&self, number: usize, client: Client) {
        let bridge = &self.0;
        let members = Members::new(vec![Member::only(client).numbered(number)]);
        let level = *bridge.log_level.lock().unwrap_or_else(PoisonError::into_inner);
        let deadline = Instant::now() + RESTORE_TIME;
        if let Some(level) = level
            && timeout_at(deadline, set_log_level(&members, level)).await.is_err()
        {
            tracing::warn!("cannot set the log level of a server: it does not respond");
        }
        let previous = bridge.members.send_replace(members.clone());
        let draining = Arc::clone(bridge);
        tokio::spawn(async move { draining.drain(&previous).await });
        bridge.changes.restart(&members, deadline).await;
    }

    /// Lets requests wait for the next server, and waits until the calls of the current one have finished, or for
    /// [`DRAIN_TIME`].
    pub(crate) async fn suspend(&self) {
        let previous = self.0.members.send_replace(Members::new(Vec::new()));
        self.0.changes.stop_lists();
        self.0.drain(&previous).await;
    }

    /// Returns whether requests are forwarded to a server.
    pub(crate) fn has_server(&self) -> bool {
        self.0.members.borrow().iter().next().is_some()
    }

    /// Closes the connection to the server.
    pub(crate) async fn close(&self) {
        let members = self.0.members.borrow().clone();
        members.close().await;
    }
}

impl Bridge {
    /// Waits until the calls of servers have finished, or for [`DRAIN_TIME`], and closes the connections.
    async fn drain(&self, members: &Members) {
        let deadline = Instant::now() + DRAIN_TIME;
        for member in members.iter() {
            while self.in_flight.has_calls(member.number) && Instant::now() < deadline {
                sleep(DRAIN_INTERVAL).await;
            }
            member.is_replaced.store(true, Ordering::Relaxed);
            member.client.close().await;
        }
    }
}

/// Returns the error of a call whose server was replaced.
pub(super) fn replaced() -> Error {
    Error::internal(format!(
        "the call was interrupted: a new build replaced the server, and the call did not finish within {} s; call again",
        DRAIN_TIME.as_secs()
    ))
}

/// Sets the name, version and instructions of the current server.
fn describe(reply: &mut Reply, members: &Members) {
    match reply {
        Reply::Done(ServerResult::Initialize(result)) => {
            result.server_info = members.implementation();
            result.instructions = members.instructions();
        }
        Reply::Done(ServerResult::Discover(result)) => result.instructions = members.instructions(),
        _ => {}
    }
}

/// Returns the capabilities of a server that may add any list.
fn all_capabilities() -> ServerCapabilities {
    let mut list = ListChanged::default();
    list.list_changed = Some(true);
    let mut resources = ResourcesCapability::default();
    (resources.list_changed, resources.subscribe) = (Some(true), Some(true));
    let mut all = ServerCapabilities::default();
    (all.tools, all.prompts, all.resources) = (Some(list.clone()), Some(list), Some(resources));
    (all.completions, all.logging) = (Some(RawJson::empty_object()), Some(RawJson::empty_object()));
    all
}
