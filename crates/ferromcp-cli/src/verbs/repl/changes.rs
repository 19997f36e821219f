//! Announces changes of lists between commands.

use std::collections::BTreeSet;
use std::time::Duration;

use ferromcp_client::{ChangeFilter, Client, Subscription};

use super::super::watch;
use crate::terminal::message;

/// Changes of the lists of the server.
pub(super) struct Changes(Option<Subscription>);

impl Changes {
    /// Subscribes to changes. Servers without notifications are not an error.
    pub(super) async fn subscribe(client: &Client) -> Self {
        Self(client.subscribe(ChangeFilter::new().tools().resources().prompts()).await.ok())
    }

    /// Prints the changes since the last call to stderr, each kind once.
    pub(super) async fn announce(&mut self) {
        for change in self.take().await {
            message(format_args!("note: {change}"));
        }
    }

    /// Returns the changes since the last call.
    pub(super) async fn take(&mut self) -> BTreeSet<String> {
        let mut changes = BTreeSet::new();
        while let Some(subscription) = &mut self.0 {
            match tokio::time::timeout(Duration::ZERO, subscription.next()).await {
                Err(_) => break,
                Ok(Some(Ok(change))) => {
                    changes.insert(watch::describe(&change));
                }
                // The connection is lost; the next command reports it.
                Ok(Some(Err(_)) | None) => self.0 = None,
            }
        }
        changes
    }
}
