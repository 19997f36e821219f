//! What all clones of an HTTP service share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::time::Duration;

use http::request::Parts;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use super::conversations::Conversations;
use super::options::HttpOptions;
use super::session::HttpSession;
use super::sessions::Sessions;
use crate::asks::live::{Naming, Questions};
use crate::call::Extensions;
use crate::inner::Inner;
use crate::latch::Latch;
use crate::serve::{self, ServeError};

/// How often idle sessions are looked for, at least and at most.
const SWEEP: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(60));
/// How often shutting down looks whether requests are still under way.
const LOOK: Duration = Duration::from_millis(10);
/// How long lifespans wait for calls that are dropped to be gone.
const DROPPING: Duration = Duration::from_millis(500);

/// One endpoint of a server.
pub(crate) struct Endpoint {
    pub(crate) inner: Arc<Inner>,
    pub(crate) options: HttpOptions,
    pub(crate) sessions: Sessions,
    pub(crate) conversations: Conversations,
    /// What clients of handshake revisions were asked and have not answered.
    pub(crate) questions: Arc<Questions>,
    /// The endpoint serves no more; what stays open ends.
    pub(crate) closing: Arc<Latch>,
    /// The time for that is up: calls that go on without a client are dropped.
    pub(crate) over: Arc<Latch>,
    in_flight: AtomicUsize,
    streams: AtomicUsize,
    /// Conversations of HTTP+SSE that are open.
    pub(crate) conversing: AtomicUsize,
    /// Whether the lifespans are open for this endpoint.
    opened: Mutex<bool>,
    is_open: AtomicBool,
    sweeping: AtomicBool,
}

/// Something an endpoint has only so many of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// A request under way.
    Call,
    /// A stream that stays open.
    Stream,
}

/// A place taken, until dropped.
pub(crate) struct Permit {
    endpoint: Arc<Endpoint>,
    place: Place,
}

impl Endpoint {
    pub(crate) fn new(inner: Arc<Inner>, options: HttpOptions) -> Self {
        Self {
            sessions: Sessions::new(options.limits.sessions),
            conversations: Conversations::default(),
            questions: {
                let most = options.limits.in_flight.saturating_mul(inner.limits.questions);
                Questions::new(Naming::Unguessable, most)
            },
            inner,
            options,
            closing: Arc::default(),
            over: Arc::default(),
            in_flight: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
            conversing: AtomicUsize::new(0),
            opened: Mutex::new(false),
            is_open: AtomicBool::new(false),
            sweeping: AtomicBool::new(false),
        }
    }

    /// Opens the lifespans at the first request, unless they were opened before.
    ///
    /// # Errors
    /// When one does not open; the next request tries again.
    pub(crate) async fn open(&self) -> Result<(), ServeError> {
        if self.is_open.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut opened = self.opened.lock().await;
        if !*opened && !self.closing.is_set() {
            serve::open(&self.inner).await?;
            *opened = true;
            self.is_open.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Drops what is still under way without a client, ends all sessions, and closes the lifespans.
    pub(crate) async fn close(&self) {
        self.over.set();
        self.forget(self.sessions.end_all()).await;
        let _ = timeout(DROPPING, self.answered()).await;
        let mut opened = self.opened.lock().await;
        if std::mem::take(&mut *opened) {
            self.is_open.store(false, Ordering::Release);
            self.inner.running.leave().await;
        }
    }

    /// What handlers find of a request, if this endpoint shows them anything.
    pub(crate) fn shown(&self, parts: &Parts) -> Extensions {
        let mut extensions = Extensions::default();
        if self.options.headers {
            extensions.insert(parts.headers.clone());
        }
        extensions
    }

    /// Takes a place if there is one, and the endpoint serves on.
    pub(crate) fn permit(self: &Arc<Self>, place: Place) -> Option<Permit> {
        let (count, most) = self.places(place);
        let taken = count.fetch_add(1, Ordering::AcqRel);
        fence(Ordering::SeqCst); // either this sees the end coming, or that sees this place taken
        if taken >= most || self.closing.is_set() {
            count.fetch_sub(1, Ordering::AcqRel);
            return None;
        }
        Some(Permit { endpoint: Arc::clone(self), place })
    }

    /// Waits until no request is under way.
    pub(crate) async fn answered(&self) {
        while self.in_flight() > 0 {
            sleep(LOOK).await;
        }
    }

    /// How many requests are under way, with conversations, in which there may be some.
    fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire) + self.conversing.load(Ordering::Acquire)
    }

    fn places(&self, place: Place) -> (&AtomicUsize, usize) {
        match place {
            Place::Call => (&self.in_flight, self.options.limits.in_flight),
            Place::Stream => (&self.streams, self.options.limits.streams),
        }
    }

    /// Lets idle sessions end from now on, in a task that ends with the endpoint.
    pub(crate) fn sweep(self: &Arc<Self>) {
        if self.sweeping.swap(true, Ordering::AcqRel) {
            return;
        }
        let idle = self.options.limits.session_idle;
        let (endpoint, every) = (Arc::downgrade(self), (idle / 4).clamp(SWEEP.0, SWEEP.1));
        tokio::spawn(async move {
            loop {
                sleep(every).await;
                let Some(endpoint) = endpoint.upgrade() else { return };
                let ended = endpoint.sessions.sweep(idle);
                if !ended.is_empty() {
                    tracing::debug!(ended = ended.len(), left = endpoint.sessions.len(), "idle sessions ended");
                }
                endpoint.forget(ended).await;
            }
        });
    }

    /// Lets the event store forget sessions that are over.
    pub(crate) async fn forget(&self, sessions: impl IntoIterator<Item = Arc<HttpSession>>) {
        let Some(store) = &self.options.events else { return };
        for session in sessions {
            if let Err(error) = store.forget(&session.id).await {
                tracing::warn!(%error, "the event store cannot forget a session");
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.endpoint.places(self.place).0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Endpoint {
    /// Closes the lifespans where nobody did, if there is a runtime to do it on.
    fn drop(&mut self) {
        self.closing.set();
        if *self.opened.get_mut() {
            let lifespans = Arc::clone(&self.inner.running);
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(async move { lifespans.leave().await });
            }
        }
    }
}
