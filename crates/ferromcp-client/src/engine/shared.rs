//! The engine's state, which all handles of one client share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use tokio::sync::{Mutex, Semaphore};

use super::connection::Connection;
use super::history::History;
use crate::board::Board;
use crate::channel::Way;
use crate::connect::Connector;
use crate::ids::Ids;
use crate::settings::Settings;
use crate::toolbox::Toolbox;

/// What all handles of one client share.
pub(crate) struct Engine {
    pub(crate) settings: Settings,
    pub(crate) board: Arc<Board>,
    pub(crate) toolbox: Toolbox,
    pub(crate) ids: Ids,
    /// Subscriptions there are.
    pub(crate) subscribed: AtomicUsize,
    pub(super) connector: Arc<dyn Connector>,
    pub(super) current: std::sync::Mutex<Option<Arc<Connection>>>,
    pub(super) history: Mutex<History>,
    pub(super) permits: Semaphore,
    pub(super) closed: AtomicBool,
}

impl Engine {
    pub(crate) fn new(settings: Settings, board: Board, connector: Arc<dyn Connector>) -> Self {
        Self {
            toolbox: Toolbox::new(&settings.limits, settings.checks_output),
            permits: Semaphore::new(settings.limits.in_flight.clamp(1, Semaphore::MAX_PERMITS)),
            settings,
            board: Arc::new(board),
            ids: Ids::new(),
            subscribed: AtomicUsize::new(0),
            connector,
            current: std::sync::Mutex::new(None),
            history: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// As whom requests are sent now.
    pub(crate) fn authorization(&self) -> String {
        self.connector.authorization()
    }

    pub(crate) fn way(&self) -> Way {
        self.connector.way()
    }
}
