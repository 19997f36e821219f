//! The probe: a client in a separate thread that calls a small tool, and measures how long the answer takes.
//!
//! It starts a call at a fixed interval, whether or not earlier calls are answered. Otherwise a server that stops for a
//! second would delay one call only, and the percentiles would hide it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::json;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::connection::Http1;
use crate::events::Messages;
use crate::latencies::Sample;
use crate::message;
use crate::target::Target;

/// The time between the starts of two calls.
const INTERVAL: Duration = Duration::from_millis(20);
/// When a call counts as failed.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
/// The number of calls on one connection, so that the time to accept a connection is measured too.
const CALLS_PER_CONNECTION: usize = 10;

const RUNNING: u8 = 0;
const PAUSED: u8 = 1;
const STOPPED: u8 = 2;

/// A running probe. Stops when dropped.
pub(crate) struct Probe {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: AtomicU8,
    samples: Mutex<Vec<Sample>>,
}

/// The idle connections of the probe, with the number of their calls.
type Idle = Rc<RefCell<Vec<(Http1, usize)>>>;

impl Probe {
    /// Starts the probe in a thread with a separate runtime, so that it does not wait for the load of this process.
    pub(crate) fn start(target: &Target) -> anyhow::Result<Self> {
        let shared = Arc::<Shared>::default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (target, running) = (target.clone(), Arc::clone(&shared));
        let run = move || LocalSet::new().block_on(&runtime, run(target, running));
        let thread = std::thread::Builder::new().name("probe".into()).spawn(run)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Closes the connections of the probe, until [`resume`](Self::resume).
    pub(crate) fn pause(&self) {
        self.shared.state.store(PAUSED, Ordering::Release);
    }

    /// Continues after a pause.
    pub(crate) fn resume(&self) {
        self.shared.state.store(RUNNING, Ordering::Release);
    }

    /// Returns the samples since the last call.
    pub(crate) fn take(&self) -> Vec<Sample> {
        std::mem::take(&mut *self.shared.samples())
    }
}

impl Shared {
    fn samples(&self) -> std::sync::MutexGuard<'_, Vec<Sample>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.shared.state.store(STOPPED, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts calls until the probe stops.
async fn run(target: Target, shared: Arc<Shared>) {
    let idle = Idle::default();
    let mut tick = interval(INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match shared.state.load(Ordering::Acquire) {
            STOPPED => return,
            PAUSED => idle.borrow_mut().clear(),
            _ => drop(spawn_local(measure(target.clone(), Arc::clone(&shared), Rc::clone(&idle)))),
        }
    }
}

/// Measures one call.
async fn measure(target: Target, shared: Arc<Shared>, idle: Idle) {
    let started = Instant::now();
    let connection = idle.borrow_mut().pop();
    let outcome = timeout(CALL_TIMEOUT, call(&target, connection)).await;
    let sample =
        Sample { finished_at: Instant::now(), latency: started.elapsed(), succeeded: matches!(outcome, Ok(Ok(_))) };
    shared.samples().push(sample);
    if let Ok(Ok((http, calls))) = outcome {
        if calls < CALLS_PER_CONNECTION {
            idle.borrow_mut().push((http, calls));
        }
    }
}

/// Calls a small tool, on a new connection if `connection` is `None`.
async fn call(target: &Target, connection: Option<(Http1, usize)>) -> anyhow::Result<(Http1, usize)> {
    let (mut http, calls) = match connection {
        Some(connection) => connection,
        None => (Http1::connect(target).await.context("cannot connect")?, 0),
    };
    let request = message::call(target.address, "add", &json!({ "a": 1, "b": 2 }));
    let result = Messages::of(http.send(request).await?).await?.result().await?;
    ensure!(result["content"][0]["text"] == "3", "{result}");
    Ok((http, calls + 1))
}
