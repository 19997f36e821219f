//! The web inspector of `mcp dev`: a page that shows a server, and its API.
//!
//! The page is served on a loopback address. Its API requires a random token, which is in the fragment of the URL, so that
//! other pages cannot use it. The connections of the inspector are its own: their
//! messages show what the server does for a client of that revision.
//!
//! | module | content |
//! |---|---|
//! | `http` | the HTTP service: assets, access checks, headers |
//! | `build` | a build of the server |
//! | `body` | bodies of responses |
//! | `api` | the requests of the page |
//! | `sessions` | the connections of the inspector, which follow the builds of the server |
//! | `calls` | requests to the server that can be cancelled |
//! | `questions` | questions of the server, which the page answers |
//! | `subscriptions` | changes of lists and resources |
//! | `login` | OAuth logins, step by step |
//! | `assets` | the files of the page |

mod api;
mod assets;
mod body;
mod build;
mod calls;
pub(crate) mod http;
mod login;
mod questions;
mod sessions;
mod subscriptions;

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use crate::record::hub::Hub;
use calls::Calls;
use login::Logins;
use sessions::Sessions;

pub(crate) use build::Build;
pub(crate) use http::Token;

/// The inspector of one server. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Inspector {
    hub: Arc<Hub>,
    sessions: Sessions,
    calls: Calls,
    logins: Logins,
    /// Requests a rebuild.
    restart: mpsc::Sender<()>,
}

impl Inspector {
    /// Creates the inspector of the latest of `builds`.
    pub(crate) fn new(hub: &Arc<Hub>, builds: watch::Receiver<Option<Arc<Build>>>, restart: mpsc::Sender<()>) -> Self {
        let sessions = Sessions::new(hub, builds);
        let logins = Logins::new(hub, &sessions, &restart);
        Self { hub: Arc::clone(hub), calls: Calls::new(hub), sessions, logins, restart }
    }

    /// Closes all connections.
    pub(crate) async fn close(&self) {
        self.sessions.close_all().await;
    }
}
