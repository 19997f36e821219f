//! Lifespans: state that is opened before the first request and closed after the last one.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::box_future::BoxFuture;
use crate::state::{StateNeed, States};
use crate::tool_error::ToolError;

type Erased = Arc<dyn Any + Send + Sync>;

/// The name of the state whose lifespan failed to open, with its error.
pub(crate) type OpenError = (&'static str, ToolError);

/// The `open` and `close` functions of one lifespan, or of all lifespans of a mounted server.
#[derive(Clone)]
pub(crate) struct Lifespan {
    /// The state that it opens; `None` if that is visible to a mounted server only.
    pub(crate) state: Option<StateNeed>,
    open: Arc<dyn Fn() -> BoxFuture<Result<Erased, OpenError>> + Send + Sync>,
    close: Arc<dyn Fn(Erased) -> BoxFuture<()> + Send + Sync>,
}

impl Lifespan {
    pub(crate) fn new<S, O, OFut, E, C, CFut>(open: O, close: C) -> Self
    where
        S: Clone + Send + Sync + 'static,
        O: FnOnce() -> OFut + Clone + Send + Sync + 'static,
        OFut: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<ToolError>,
        C: FnOnce(S) -> CFut + Clone + Send + Sync + 'static,
        CFut: Future<Output = ()> + Send + 'static,
    {
        // Cloned for each use, because a server can be opened again after it was closed.
        let need = StateNeed::of::<S>();
        Self {
            state: Some(need),
            open: Arc::new(move || {
                let state = open.clone()();
                Box::pin(async move {
                    state.await.map(|state| Arc::new(state) as Erased).map_err(|error| (need.name, error.into()))
                })
            }),
            close: Arc::new(move |state| {
                let close = close.clone();
                Box::pin(async move {
                    if let Some(state) = state.downcast_ref::<S>() {
                        close(state.clone()).await;
                    }
                })
            }),
        }
    }

    /// Returns a lifespan that opens and closes the lifespans of a mounted server.
    pub(crate) fn of_mounted(running: &Arc<Lifespans>, lifespans: &[Self], base: &Arc<States>) -> Self {
        let (running, lifespans, base) = (Arc::clone(running), Arc::<[Self]>::from(lifespans), Arc::clone(base));
        let closed = Arc::clone(&running);
        Self {
            state: None,
            open: Arc::new(move || {
                let (running, lifespans, base) = (Arc::clone(&running), Arc::clone(&lifespans), Arc::clone(&base));
                Box::pin(async move { running.enter(&lifespans, &base).await.map(|()| Arc::new(()) as Erased) })
            }),
            close: Arc::new(move |_| {
                let running = Arc::clone(&closed);
                Box::pin(async move { running.leave().await })
            }),
        }
    }
}

/// All lifespans of a server and their state. If several transports serve concurrently, the first one opens the lifespans
/// and the last one closes them.
pub(crate) struct Lifespans {
    users: Mutex<Users>,
    states: RwLock<Option<Arc<States>>>,
}

#[derive(Default)]
struct Users {
    count: usize,
    opened: Vec<(Lifespan, Erased)>,
}

impl Lifespans {
    pub(crate) fn new() -> Self {
        Self { users: Mutex::default(), states: RwLock::new(None) }
    }

    /// Returns the state while the lifespans are open.
    pub(crate) fn states(&self) -> Option<Arc<States>> {
        self.states.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a user and opens the lifespans for the first one. `base` is the state that does not belong to a lifespan.
    ///
    /// # Errors
    /// Returns the error of an `open` function. Lifespans opened before it are closed.
    pub(crate) async fn enter(&self, lifespans: &[Lifespan], base: &States) -> Result<(), OpenError> {
        let mut users = self.users.lock().await;
        if users.count == 0 {
            let mut states = base.clone();
            for lifespan in lifespans {
                match (lifespan.open)().await {
                    Ok(state) => {
                        if let Some(need) = lifespan.state {
                            states.insert_erased(need.id, Arc::clone(&state));
                        }
                        users.opened.push((lifespan.clone(), state));
                    }
                    Err(error) => {
                        close_all(&mut users).await;
                        return Err(error);
                    }
                }
            }
            *self.states.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(states));
        }
        users.count += 1;
        Ok(())
    }

    /// Removes a user and closes the lifespans after the last one, in reverse order.
    pub(crate) async fn leave(&self) {
        let mut users = self.users.lock().await;
        users.count = users.count.saturating_sub(1);
        if users.count == 0 {
            close_all(&mut users).await;
            *self.states.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

async fn close_all(users: &mut Users) {
    while let Some((lifespan, state)) = users.opened.pop() {
        (lifespan.close)(state).await;
    }
}

impl fmt::Debug for Lifespan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lifespan({})", self.state.map_or("a mounted server", |state| state.name))
    }
}
