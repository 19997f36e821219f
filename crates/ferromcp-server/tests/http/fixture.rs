//! The server under test, and a listener for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_core::{Error, ErrorCode};
use ferromcp_server::http::{HttpServerOptions, http};
use ferromcp_server::{Arg, Ctx, Prompt, Resource, ServeError, Server, Tool};
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::message::TIMEOUT;

/// Observes and controls the calls in the server.
#[derive(Debug, Clone)]
pub(crate) struct CallControl {
    /// The number of calls of `steps` and `wait` that started.
    pub(crate) started: Arc<AtomicUsize>,
    /// The number of them that were dropped or finished.
    pub(crate) finished: Arc<AtomicUsize>,
    /// The number of them that finished with a result.
    pub(crate) answered: Arc<AtomicUsize>,
    /// Each permit lets a call of `steps` or `wait` continue.
    pub(crate) go: Arc<Semaphore>,
}

impl Default for CallControl {
    fn default() -> Self {
        Self {
            started: Arc::default(),
            finished: Arc::default(),
            answered: Arc::default(),
            go: Arc::new(Semaphore::new(0)),
        }
    }
}

impl CallControl {
    /// Lets calls continue for `steps` steps.
    pub(crate) fn go(&self, steps: usize) {
        self.go.add_permits(steps);
    }

    async fn step(&self) {
        self.go.acquire().await.expect("never closed").forget();
    }
}

/// Waits until a counter wait_for a value.
pub(crate) async fn wait_for(count: &AtomicUsize, wanted: usize) {
    let reached = async {
        while count.load(Ordering::SeqCst) < wanted {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(TIMEOUT, reached).await.unwrap_or_else(|_| panic!("{count:?} did not reach {wanted} in time"));
}

/// Increments a counter when dropped.
struct FinishGuard(Arc<AtomicUsize>);

impl Drop for FinishGuard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server with the tools that the tests call.
pub(crate) fn server(control: &CallControl) -> Server {
    let (steps, wait) = (control.clone(), control.clone());
    Server::new("http", "1")
        .with_tool(Tool::sync("add", |a: i64, b: i64| a + b).args(["a", "b"]))
        .with_tool(
            Tool::sync("place", |region: String, zone: Option<i64>, dry: Option<bool>| {
                format!("{region} {zone:?} {dry:?}")
            })
            .args([
                Arg::new("region").header("Region"),
                Arg::new("zone").header("Zone"),
                Arg::new("dry").header("Dry-Run"),
            ]),
        )
        .with_tool(
            // Sends progress 1, 2, 3… with each permit, then returns.
            Tool::new("steps", move |ctx: Ctx, count: u32| {
                let control = steps.clone();
                async move {
                    control.started.fetch_add(1, Ordering::SeqCst);
                    let _guard = FinishGuard(Arc::clone(&control.finished));
                    for step in 1..=count {
                        control.step().await;
                        ctx.progress(f64::from(step), f64::from(count)).await;
                    }
                    control.step().await;
                    control.answered.fetch_add(1, Ordering::SeqCst);
                    format!("{count} steps")
                }
            })
            .args(["ctx", "count"]),
        )
        .with_tool(
            // Sends nothing, and returns after a permit.
            Tool::new("wait", move || {
                let control = wait.clone();
                async move {
                    control.started.fetch_add(1, Ordering::SeqCst);
                    let _guard = FinishGuard(Arc::clone(&control.finished));
                    control.step().await;
                    control.answered.fetch_add(1, Ordering::SeqCst);
                    "waited"
                }
            }),
        )
        .with_tool(
            Tool::new("say", |ctx: Ctx| async move {
                ctx.info("said").await;
                "done"
            })
            .args(["ctx"]),
        )
        .with_tool(Tool::sync("needy", needy))
        .with_tool(Tool::sync("tell", |ctx: Ctx, uri: String| ctx.notify().resource_updated(uri)).args(["ctx", "uri"]))
        .with_resource(Resource::sync("file:///a", || "a"))
        .with_prompt(Prompt::sync("ask", || "?"))
}

/// Fails for lack of a client capability.
fn needy() -> Result<String, Error> {
    let required = json!({ "requiredCapabilities": { "sampling": {} } });
    let error = Error::new(ErrorCode::MISSING_CLIENT_CAPABILITY, "Sampling is needed").with_data(&required);
    Err(error)
}

/// A running server. Stops when dropped.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    pub(crate) control: CallControl,
    pub(crate) server: Server,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Host {
    pub(crate) async fn new() -> Self {
        Self::with(HttpServerOptions::new()).await
    }

    pub(crate) async fn with(options: HttpServerOptions) -> Self {
        let control = CallControl::default();
        Self::of(server(&control), control, options).await
    }

    pub(crate) async fn of(server: Server, control: CallControl, options: HttpServerOptions) -> Self {
        let (sender, bound) = oneshot::channel();
        let listener = http("127.0.0.1:0").options(options).on_bound(move |address| {
            let _ = sender.send(address);
        });
        let serving = tokio::spawn(server.clone().serve(listener));
        let address = timeout(TIMEOUT, bound).await.expect("timed out binding").expect("cannot bind");
        Self { address, control, server, serving }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
