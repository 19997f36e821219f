//! One connection of a client: a channel, and what was agreed on over it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ferromcp_core::{ClientRequest, ProgressToken, RequestId, Revision};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::channel::{Channel, Outgoing};
use crate::era::{About, legacy, modern};
use crate::error::{ClientError, ErrorKind};
use crate::verdict::Verdict;

/// A connection, until it ends or is given up.
pub(crate) struct Connection {
    pub(crate) channel: Arc<dyn Channel>,
    pub(crate) verdict: Verdict,
    pub(crate) about: About,
    /// What modern requests carry.
    pub(super) dress: Option<modern::Dress>,
    pub(super) born: Instant,
    pub(super) retired: watch::Sender<bool>,
    /// Legacy subscriptions to resources, and how often each is wanted.
    pub(crate) watched: Mutex<HashMap<String, usize>>,
}

impl Connection {
    pub(crate) fn revision(&self) -> Revision {
        self.verdict.revision
    }

    /// Whether it can be used.
    pub(crate) fn is_live(&self) -> bool {
        !*self.retired.borrow() && !self.channel.is_over()
    }

    /// Waits until it cannot be used any more.
    pub(crate) async fn gone(&self) {
        let mut retired = self.retired.subscribe();
        tokio::select! {
            () = self.channel.over() => {}
            _ = retired.wait_for(|retired| *retired) => {}
        }
    }

    /// Gives it up: the next request makes a new one.
    pub(crate) fn retire(&self) {
        self.retired.send_replace(true);
    }

    /// Whether the server has what `request` needs, as far as that can be told before asking.
    pub(crate) fn offers(&self, request: &ClientRequest) -> Result<(), ClientError> {
        let revision = self.revision();
        let unsupported = |why: String| {
            let message = format!("`{}` cannot be asked of this server: {why}", request.method());
            Err(ClientError::new(ErrorKind::Unsupported, message))
        };
        if request.info().is_some_and(|method| !method.exists_in(revision)) {
            return unsupported(format!("{revision} does not have it"));
        }
        if !revision.is_modern() && !legacy::offers(&self.about, revision, request) {
            return unsupported("it did not declare the capability".to_owned());
        }
        Ok(())
    }

    /// Makes a request ready to leave.
    pub(crate) fn outgoing(
        &self,
        id: RequestId,
        mut request: ClientRequest,
        token: Option<ProgressToken>,
    ) -> Result<Outgoing, ClientError> {
        match &self.dress {
            Some(dress) => dress.put_on(&mut request, token)?,
            None if token.is_some() => modern::with_meta(&mut request, |meta| meta.progress_token = token)?,
            None => {}
        }
        Ok(Outgoing::new(id, request, self.revision()))
    }
}
