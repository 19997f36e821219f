//! Middleware for results and load: a cache, redaction, a time limit and a concurrency limit for single tools.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ferromcp::core::{ClientRequest, RawJson, Revision, ServerResult};
use ferromcp::model::{CallToolResult, ContentBlock};
use ferromcp::prelude::*;
use ferromcp::server::middleware::{Middleware, Next, concurrency_limit, time_limit};
use ferromcp::server::{Call, Json, Reply, State};
use serde_json::Value;

/// Applies a middleware to the calls of one tool.
fn for_tool(tool: &'static str, middleware: impl Middleware) -> impl Middleware {
    let middleware = Arc::new(middleware);
    move |call: Call, next: Next| {
        let middleware = Arc::clone(&middleware);
        let applies = matches!(&call.request, ClientRequest::CallTool(params) if params.name == *tool);
        async move { if applies { middleware.handle(call, next).await } else { next.run(call).await } }
    }
}

/// Everything that a cached result depends on.
#[derive(Clone, PartialEq, Eq, Hash)]
struct CacheKey {
    tool: String,
    arguments: String,
    principal: Option<String>,
    scopes: Option<Vec<String>>,
    revision: Revision,
}

/// Results and the time when they expire.
type Results = HashMap<CacheKey, (CallToolResult, Instant)>;

/// Returns the key of a tool call. A call that continues with the client's answers has none.
fn cache_key(call: &Call) -> Option<CacheKey> {
    let ClientRequest::CallTool(params) = &call.request else { return None };
    if params.input_responses.is_some() || params.request_state.is_some() {
        return None;
    }
    Some(CacheKey {
        tool: params.name.to_string(),
        arguments: params.arguments.as_ref().map_or("{}", RawJson::as_str).to_owned(),
        principal: call.peer.identity().map(str::to_owned),
        scopes: call.peer.principal().map(|principal| principal.scopes().to_vec()),
        revision: call.peer.revision(),
    })
}

/// Caches up to `entries` successful results for `ttl`. Use it for read-only tools only.
fn cache(entries: usize, ttl: Duration) -> impl Middleware {
    let results: Arc<Mutex<Results>> = Arc::default();
    move |call: Call, next: Next| {
        let results = Arc::clone(&results);
        async move {
            let lock = || results.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(key) = cache_key(&call) else { return next.run(call).await };
            let cached = lock().get(&key).filter(|(_, expires)| *expires > Instant::now()).cloned();
            if let Some((result, _)) = cached {
                return Reply::Done(ServerResult::CallTool(result));
            }
            let reply = next.run(call).await;
            if let Reply::Done(ServerResult::CallTool(result)) = &reply {
                let mut results = lock();
                results.retain(|_, (_, expires)| *expires > Instant::now());
                if !result.is_error() && results.len() < entries {
                    results.insert(key, (result.clone(), Instant::now() + ttl));
                }
            }
            reply
        }
    }
}

/// Replaces card numbers in a text: words of 13 to 19 digits.
fn redacted(text: &str) -> String {
    let is_card = |word: &str| (13..=19).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut out = String::with_capacity(text.len());
    for part in text.split_inclusive(|symbol: char| !symbol.is_alphanumeric()) {
        let word = part.trim_end_matches(|symbol: char| !symbol.is_alphanumeric());
        out.push_str(if is_card(word) { "[card]" } else { word });
        out.push_str(&part[word.len()..]);
    }
    out
}

/// Replaces card numbers in all texts of a JSON value.
fn redact_json(value: &mut Value) {
    match value {
        Value::String(text) => *text = redacted(text),
        Value::Array(items) => items.iter_mut().for_each(redact_json),
        Value::Object(fields) => fields.values_mut().for_each(redact_json),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Redacts the results of all tools: the text, and the structured content that repeats it.
async fn redact(call: Call, next: Next) -> Reply {
    let mut reply = next.run(call).await;
    if let Reply::Done(ServerResult::CallTool(result)) = &mut reply {
        for block in &mut result.content {
            if let ContentBlock::Text(block) = block {
                block.text = redacted(&block.text);
            }
        }
        if let Some(structured) = &mut result.structured_content {
            let mut value = structured.decode().unwrap_or_default();
            redact_json(&mut value);
            *structured = RawJson::from(value);
        }
    }
    reply
}

/// The number of orders that were looked up.
#[derive(Clone, Default)]
struct Lookups(Arc<Mutex<u32>>);

/// Look up an order
#[tool(annotations(read_only))]
fn find_order(number: u32, State(Lookups(count)): State<Lookups>) -> Json<Vec<String>> {
    let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
    *count += 1;
    Json(vec![format!("order {number}, lookup {count}"), "paid with 4111111111111111.".to_owned()])
}

/// Export all orders
#[tool]
async fn export_orders(millis: u64) -> &'static str {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    "exported"
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    Server::new("Orders", "1.0.0")
        .tool::<find_order>()
        .tool::<export_orders>()
        .state(Lookups::default())
        .wrap(redact) // outside of the cache, so that cached results are redacted too
        .wrap(for_tool("find_order", cache(1_000, Duration::from_secs(60))))
        .wrap(for_tool("export_orders", concurrency_limit(1))) // others wait for their turn
        .wrap(for_tool("export_orders", time_limit(Duration::from_millis(500)))) // without the time to wait
        .serve(stdio())
        .await
}
