//! Start-up and shut-down around serving: opened before the first request, closed after the last.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Mutex;

use crate::started::BoxFuture;
use crate::state::{StateNeed, States};
use crate::tool_error::ToolError;

type Erased = Arc<dyn Any + Send + Sync>;

/// One pair of functions around serving, and the state between them.
#[derive(Clone)]
pub(crate) struct Lifespan {
    pub(crate) state: StateNeed,
    open: Arc<dyn Fn() -> BoxFuture<Result<Erased, ToolError>> + Send + Sync>,
    close: Arc<dyn Fn(Erased) -> BoxFuture<()> + Send + Sync>,
}

impl Lifespan {
    pub(crate) fn new<S, O, OFut, E, C, CFut>(open: O, close: C) -> Self
    where
        S: Clone + Send + Sync + 'static,
        O: Fn() -> OFut + Send + Sync + 'static,
        OFut: Future<Output = Result<S, E>> + Send + 'static,
        E: Into<ToolError>,
        C: Fn(S) -> CFut + Send + Sync + 'static,
        CFut: Future<Output = ()> + Send + 'static,
    {
        let close = Arc::new(close);
        Self {
            state: StateNeed::of::<S>(),
            open: Arc::new(move || {
                let state = open();
                Box::pin(async move { state.await.map(|state| Arc::new(state) as Erased).map_err(Into::into) })
            }),
            close: Arc::new(move |state| {
                let close = Arc::clone(&close);
                Box::pin(async move {
                    if let Some(state) = state.downcast_ref::<S>() {
                        close(state.clone()).await;
                    }
                })
            }),
        }
    }
}

/// All lifespans of a server and whether they are open. However many transports serve at once,
/// they are opened by the first and closed by the last.
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

    /// The state while open.
    pub(crate) fn states(&self) -> Option<Arc<States>> {
        self.states.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Opens what is not open yet, on top of `base`, and counts one more user.
    ///
    /// # Errors
    /// What an opening failed with; what was opened before it is closed again.
    pub(crate) async fn enter(&self, lifespans: &[Lifespan], base: &States) -> Result<(), (&'static str, ToolError)> {
        let mut users = self.users.lock().await;
        if users.count == 0 {
            let mut states = base.clone();
            for lifespan in lifespans {
                match (lifespan.open)().await {
                    Ok(state) => {
                        states.insert_erased(lifespan.state.id, Arc::clone(&state));
                        users.opened.push((lifespan.clone(), state));
                    }
                    Err(error) => {
                        close_all(&mut users).await;
                        return Err((lifespan.state.name, error));
                    }
                }
            }
            *self.states.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(states));
        }
        users.count += 1;
        Ok(())
    }

    /// Counts one user less, and closes everything behind the last, in reverse order.
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
        write!(f, "Lifespan({})", self.state.name)
    }
}
