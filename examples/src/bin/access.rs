//! Access control over HTTP: authentication by key, tools for certain principals, a rate limit for one tool, an audit log.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::middleware::{self as http_middleware, Next as NextLayer};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use ferromcp::core::{ClientRequest, Error, Identity, ServerResult};
use ferromcp::prelude::*;
use ferromcp::server::http::HttpServerOptions;
use ferromcp::server::middleware::{Middleware, Next, rate_limit};
use ferromcp::server::{Call, Reply};
use tokio::net::TcpListener;

/// Returns the principal of a key. A real server looks up a hash of the key, or verifies a signed token.
fn principal(key: &str) -> Option<&'static str> {
    match key {
        "key-of-ada" => Some("ada"),
        "key-of-bob" => Some("bob"),
        _ => None,
    }
}

/// Rejects HTTP requests without a valid key, and passes the principal to the server.
async fn authenticate(mut request: Request, next: NextLayer) -> Response {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match header.and_then(|value| value.strip_prefix("Bearer ")).and_then(principal) {
        Some(principal) => {
            request.extensions_mut().insert(Identity::new(principal));
            next.run(request).await
        }
        None => (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], "send a valid key").into_response(),
    }
}

/// Returns whether a principal may use a tool.
fn is_allowed(tool: &str, principal: Option<&str>) -> bool {
    match tool {
        "delete_report" => principal == Some("ada"),
        _ => true,
    }
}

/// Hides tools from principals that may not use them: in lists, and as unknown in calls.
async fn authorize(call: Call, next: Next) -> Reply {
    let principal = call.peer.identity().map(str::to_owned);
    if let ClientRequest::CallTool(params) = &call.request {
        if !is_allowed(&params.name, principal.as_deref()) {
            return Reply::Failed(Error::invalid_params(format!("Unknown tool: {}", params.name)));
        }
    }
    let mut reply = next.run(call).await;
    if let Reply::Done(ServerResult::ListTools(list)) = &mut reply {
        list.tools.to_mut().retain(|tool| is_allowed(&tool.name, principal.as_deref()));
    }
    reply
}

/// Writes two records for each tool call: one before it runs, and one with its outcome, which a cancelled call lacks.
async fn audit(call: Call, next: Next) -> Reply {
    let ClientRequest::CallTool(params) = &call.request else { return next.run(call).await };
    let tool = params.name.to_string();
    let id = call.id.as_ref().map(ToString::to_string).unwrap_or_default();
    let principal = call.peer.identity().unwrap_or("anonymous").to_owned();
    tracing::info!(target: "audit", principal, tool, id, "call");
    let reply = next.run(call).await;
    let outcome = match &reply {
        Reply::Done(ServerResult::CallTool(result)) if result.is_error() => "tool error",
        Reply::Done(_) => "ok",
        Reply::NeedsInput(_) => "asked the client",
        _ => "rejected",
    };
    tracing::info!(target: "audit", principal, tool, id, outcome, "outcome");
    reply
}

/// Applies a middleware to the calls of one tool.
fn for_tool(tool: &'static str, middleware: impl Middleware) -> impl Middleware {
    let middleware = Arc::new(middleware);
    move |call: Call, next: Next| {
        let middleware = Arc::clone(&middleware);
        let applies = matches!(&call.request, ClientRequest::CallTool(params) if params.name == *tool);
        async move { if applies { middleware.handle(call, next).await } else { next.run(call).await } }
    }
}

/// Send a report
#[tool]
fn send_report(title: String, ctx: Ctx) -> String {
    format!("sent {title:?} in the name of {}", ctx.identity().unwrap_or("nobody"))
}

/// Delete a report
#[tool(annotations(destructive))]
fn delete_report(title: String) -> String {
    format!("deleted {title:?}")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8000".to_owned());
    let server = Server::new("Reports", "1.0.0")
        .tool::<send_report>()
        .tool::<delete_report>()
        .wrap(audit) // the first is the outermost: it also records rejected calls
        .wrap(authorize)
        .wrap(for_tool("send_report", rate_limit(2, Duration::from_secs(3600))));

    let service = server.http_with(HttpServerOptions::new())?;
    let router = Router::new().nest_service("/mcp", service.clone());
    let router = router.layer(http_middleware::from_fn(authenticate));
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    eprintln!("serving at http://{}/mcp", listener.local_addr()?);
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).without_time().init();
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true); // sends small responses without delay
    });
    let stop = async move {
        let _ = tokio::signal::ctrl_c().await;
        service.shutdown().await;
    };
    axum::serve(listener, router).with_graceful_shutdown(stop).await?;
    Ok(())
}
