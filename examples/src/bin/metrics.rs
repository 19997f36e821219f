//! Metrics of tool calls, measured by a middleware and served in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract;
use axum::routing::get;
use ferromcp::core::{ClientRequest, ServerResult};
use ferromcp::prelude::*;
use ferromcp::server::middleware::Next;
use ferromcp::server::{Call, Reply};

/// The tools with metrics. Names come from clients, so calls of unknown tools must not create labels.
const TOOLS: [&str; 2] = ["add", "wait"];
/// The upper bounds of the histogram buckets, in seconds.
const BUCKETS: [f64; 4] = [0.01, 0.1, 1.0, 10.0];

/// The calls of one tool with one outcome.
#[derive(Default)]
struct Series {
    count: u64,
    seconds: f64,
    buckets: [u64; BUCKETS.len()],
}

/// The series by tool and outcome.
#[derive(Clone, Default)]
struct Metrics(Arc<Mutex<BTreeMap<(&'static str, &'static str), Series>>>);

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(&'static str, &'static str), Series>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, tool: &'static str, outcome: &'static str, duration: Duration) {
        let mut all = self.lock();
        let series = all.entry((tool, outcome)).or_default();
        let seconds = duration.as_secs_f64();
        series.count += 1;
        series.seconds += seconds;
        for (count, bound) in series.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= bound);
        }
    }

    /// Returns all series in the text format of Prometheus.
    fn text(&self) -> String {
        const NAME: &str = "mcp_tool_call_duration_seconds";
        let mut out = format!("# TYPE {NAME} histogram\n");
        for ((tool, outcome), series) in &*self.lock() {
            let labels = format!("tool=\"{tool}\",outcome=\"{outcome}\"");
            for (count, bound) in series.buckets.iter().zip(BUCKETS) {
                let _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let _ = writeln!(out, "{NAME}_bucket{{{labels},le=\"+Inf\"}} {}", series.count);
            let _ = writeln!(out, "{NAME}_sum{{{labels}}} {}", series.seconds);
            let _ = writeln!(out, "{NAME}_count{{{labels}}} {}", series.count);
        }
        out
    }
}

/// A running call. It is recorded when dropped, so that cancelled calls are counted too.
struct Measurement {
    metrics: Metrics,
    tool: &'static str,
    outcome: &'static str,
    start: Instant,
}

impl Drop for Measurement {
    fn drop(&mut self) {
        self.metrics.record(self.tool, self.outcome, self.start.elapsed());
    }
}

/// Measures each tool call.
async fn measure(metrics: Metrics, call: Call, next: Next) -> Reply {
    let ClientRequest::CallTool(params) = &call.request else { return next.run(call).await };
    let tool = TOOLS.into_iter().find(|tool| params.name == **tool).unwrap_or("unknown");
    let mut measurement = Measurement { metrics, tool, outcome: "cancelled", start: Instant::now() };
    let reply = next.run(call).await;
    measurement.outcome = match &reply {
        Reply::Done(ServerResult::CallTool(result)) if result.is_error() => "tool_error",
        Reply::Done(_) => "ok",
        Reply::NeedsInput(_) => "input_required",
        _ => "error",
    };
    reply
}

/// Add two numbers
#[tool]
fn add(a: i64, b: i64) -> Result<i64, ToolError> {
    a.checked_add(b).ok_or_else(|| ToolError::new("the sum is too large"))
}

/// Wait for some milliseconds
#[tool]
async fn wait(#[arg(range(0..=60_000))] millis: u64) -> &'static str {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    "done"
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8000".to_owned());
    let metrics = Metrics::default();
    let measured = metrics.clone();
    let server = Server::new("Measured", "1.0.0")
        .tool::<add>()
        .tool::<wait>()
        .wrap(move |call: Call, next: Next| measure(measured.clone(), call, next));
    let text = |extract::State(metrics): extract::State<Metrics>| async move { metrics.text() };
    let router = Router::new().route("/metrics", get(text)).with_state(metrics);
    let tell = |address| eprintln!("serving at http://{address}/mcp");
    server.serve(http(format!("127.0.0.1:{port}")).fallback(router).on_bound(tell)).await
}
