//! One connection of a client, a channel and the negotiated revision and capabilities, and the state of reconnects.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ferromcp_core::{ClientRequest, ProgressToken, RequestId, Revision};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::channel::{Channel, Outgoing};
use crate::era::{ServerInfo, legacy, modern};
use crate::error::{ClientError, ErrorKind};
use crate::negotiated::Negotiated;
use crate::settings::Settings;

/// A connection. It is usable until the channel closes or it is retired.
pub(crate) struct Connection {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) negotiated: Negotiated,
    pub(crate) server_info: ServerInfo,
    /// The `_meta` of modern requests.
    pub(super) request_meta: Option<modern::RequestMetaTemplate>,
    pub(super) opened_at: Instant,
    pub(super) retired: watch::Sender<bool>,
    /// Legacy resource subscriptions, with a reference count for each URI.
    pub(crate) watched: Mutex<HashMap<String, usize>>,
}

impl Connection {
    pub(crate) fn revision(&self) -> Revision {
        self.negotiated.revision
    }

    /// Returns whether the connection is usable.
    pub(crate) fn is_live(&self) -> bool {
        !*self.retired.borrow() && !self.channel.is_closed()
    }

    /// Waits until the connection is no longer usable.
    pub(crate) async fn closed(&self) {
        let mut retired = self.retired.subscribe();
        tokio::select! {
            () = self.channel.closed() => {}
            _ = retired.wait_for(|retired| *retired) => {}
        }
    }

    /// Retires the connection. The next request opens another one.
    pub(crate) fn retire(&self) {
        self.retired.send_replace(true);
    }

    /// Checks that the revision and the declared capabilities of the server support `request`.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Unsupported`] if they do not.
    pub(crate) fn ensure_supported(&self, request: &ClientRequest) -> Result<(), ClientError> {
        let revision = self.revision();
        let unsupported = |why: String| {
            let message = format!("cannot use `{}`: {why}", request.method());
            Err(ClientError::new(ErrorKind::Unsupported, message))
        };
        if request.info().is_some_and(|method| !method.exists_in(revision)) {
            return unsupported(format!("revision {revision} does not define it"));
        }
        if !revision.is_modern() && !legacy::supports(&self.server_info, revision, request) {
            return unsupported("the server did not declare the capability".to_owned());
        }
        Ok(())
    }

    /// Prepares a request for sending: sets `_meta` and the progress token.
    pub(crate) fn outgoing(
        &self,
        id: RequestId,
        mut request: ClientRequest,
        token: Option<ProgressToken>,
    ) -> Result<Outgoing, ClientError> {
        match &self.request_meta {
            Some(request_meta) => request_meta.apply(&mut request, token)?,
            None if token.is_some() => modern::with_meta(&mut request, |meta| meta.progress_token = token)?,
            None => {}
        }
        Ok(Outgoing::new(id, request, self.revision()))
    }
}

/// State of reconnect attempts.
pub(super) struct ReconnectState {
    /// Restarts since a connection was last stable.
    pub(super) backoff: Backoff,
    pub(super) last_attempt: Option<Instant>,
    pub(super) negotiated: Option<Negotiated>,
    /// Whether an attempt was made. A transport that cannot be reopened is then used up.
    pub(super) opened: bool,
}

impl ReconnectState {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            backoff: Backoff::for_restarts(&settings.limits),
            last_attempt: None,
            negotiated: settings.negotiated,
            opened: false,
        }
    }
}
