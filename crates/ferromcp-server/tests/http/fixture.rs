//! The server the tests ask, and a listener for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ferromcp_server::http::{HttpOptions, http};
use ferromcp_server::{Arg, Ctx, Error, ErrorCode, Prompt, Resource, ServeError, Server, Tool};
use serde_json::json;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::message::PATIENCE;

/// What tests watch and steer of the calls within the server.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    /// Calls of `steps` and `wait` that began.
    pub(crate) begun: Arc<AtomicUsize>,
    /// Those that were dropped or answered.
    pub(crate) over: Arc<AtomicUsize>,
    /// Those that came to their answer.
    pub(crate) answered: Arc<AtomicUsize>,
    /// Each permit lets a call of `steps` or `wait` go on.
    pub(crate) go: Arc<Semaphore>,
}

impl Default for Stage {
    fn default() -> Self {
        Self { begun: Arc::default(), over: Arc::default(), answered: Arc::default(), go: Arc::new(Semaphore::new(0)) }
    }
}

impl Stage {
    /// Lets calls go `steps` further.
    pub(crate) fn go(&self, steps: usize) {
        self.go.add_permits(steps);
    }

    async fn step(&self) {
        self.go.acquire().await.expect("never closed").forget();
    }
}

/// Waits until a count is reached.
pub(crate) async fn reaches(count: &AtomicUsize, wanted: usize) {
    let reached = async {
        while count.load(Ordering::SeqCst) < wanted {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("{count:?} does not reach {wanted}"));
}

/// Counts up when dropped.
struct Over(Arc<AtomicUsize>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A server with a tool for each thing that tests look at.
pub(crate) fn server(stage: &Stage) -> Server {
    let (steps, wait) = (stage.clone(), stage.clone());
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
            // Says 1, 2, 3… one for each step it may take, then answers.
            Tool::new("steps", move |ctx: Ctx, count: u32| {
                let stage = steps.clone();
                async move {
                    stage.begun.fetch_add(1, Ordering::SeqCst);
                    let _over = Over(Arc::clone(&stage.over));
                    for step in 1..=count {
                        stage.step().await;
                        ctx.progress(f64::from(step), f64::from(count)).await;
                    }
                    stage.step().await;
                    stage.answered.fetch_add(1, Ordering::SeqCst);
                    format!("{count} steps")
                }
            })
            .args(["ctx", "count"]),
        )
        .with_tool(
            // Says nothing, and answers once it may.
            Tool::new("wait", move || {
                let stage = wait.clone();
                async move {
                    stage.begun.fetch_add(1, Ordering::SeqCst);
                    let _over = Over(Arc::clone(&stage.over));
                    stage.step().await;
                    stage.answered.fetch_add(1, Ordering::SeqCst);
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

/// Wants what no client here has.
fn needy() -> Result<String, Error> {
    let required = json!({ "requiredCapabilities": { "sampling": {} } });
    let error = Error::new(ErrorCode::MISSING_CLIENT_CAPABILITY, "Sampling is needed").with_data(&required);
    Err(error)
}

/// A server that listens. Dropping it ends it.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    pub(crate) stage: Stage,
    pub(crate) server: Server,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Host {
    pub(crate) async fn new() -> Self {
        Self::with(HttpOptions::new()).await
    }

    pub(crate) async fn with(options: HttpOptions) -> Self {
        let stage = Stage::default();
        Self::of(server(&stage), stage, options).await
    }

    pub(crate) async fn of(server: Server, stage: Stage, options: HttpOptions) -> Self {
        let (tell, told) = oneshot::channel();
        let listener = http("127.0.0.1:0").options(options).on_bound(move |address| {
            let _ = tell.send(address);
        });
        let serving = tokio::spawn(server.clone().serve(listener));
        let address = timeout(PATIENCE, told).await.expect("it binds in time").expect("it binds");
        Self { address, stage, server, serving }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
