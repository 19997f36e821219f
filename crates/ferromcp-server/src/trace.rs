//! A tracing span for each call, following OpenTelemetry's semantic conventions for MCP.
//!
//! Conventions: <https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/>. The W3C trace context
//! that a request carries in `_meta` is recorded, so that a subscriber can join the client's trace.
//! Without a subscriber, no span is created.

use ferromcp_core::meta::key;
use ferromcp_core::text::{escape, excerpt};
use ferromcp_core::{ClientRequest, ServerResult};
use tracing::{Instrument, Span, field};

use crate::call::{Call, Reply};
use crate::maybe_ready::MaybeReady;

/// The target of this crate's spans, for filters.
pub(crate) const TARGET: &str = "ferromcp::call";

/// Maximum length of a value of the trace context in bytes, the limit of W3C for `baggage`. A longer one is ignored, and so
/// is one with control characters, which W3C does not allow.
const MAX_TRACE_CONTEXT: usize = 8 << 10;

/// Creates the span of a call; disabled without a subscriber.
pub(crate) fn span(call: &Call) -> Span {
    if !tracing::enabled!(target: TARGET, tracing::Level::INFO) {
        return Span::none();
    }
    let method = call.request.method();
    let subject = subject(&call.request);
    let name = subject
        .map_or_else(|| excerpt(method).to_string(), |subject| format!("{} {}", excerpt(method), excerpt(subject)));
    let span = tracing::info_span!(
        target: TARGET,
        "mcp.call",
        otel.name = name,
        otel.kind = "server",
        otel.status_code = field::Empty,
        mcp.method.name = excerpt(method).to_string(),
        mcp.protocol.version = call.peer.revision().as_str(),
        jsonrpc.request.id = field::Empty,
        gen_ai.operation.name = field::Empty,
        gen_ai.tool.name = field::Empty,
        gen_ai.prompt.name = field::Empty,
        mcp.resource.uri = field::Empty,
        rpc.response.status_code = field::Empty,
        error.type = field::Empty,
        traceparent = field::Empty,
        tracestate = field::Empty,
        baggage = field::Empty,
    );
    if let Some(id) = &call.id {
        span.record("jsonrpc.request.id", excerpt(&id.to_string()).to_string());
    }
    match &call.request {
        ClientRequest::CallTool(params) => {
            span.record("gen_ai.operation.name", "execute_tool");
            span.record("gen_ai.tool.name", excerpt(&params.name).to_string());
        }
        ClientRequest::GetPrompt(params) => drop(span.record("gen_ai.prompt.name", excerpt(&params.name).to_string())),
        ClientRequest::ReadResource(params) => drop(span.record("mcp.resource.uri", excerpt(&params.uri).to_string())),
        _ => {}
    }
    if let Some(meta) = call.request.meta() {
        for name in [key::TRACEPARENT, key::TRACESTATE, key::BAGGAGE] {
            let is_valid = |text: &String| text.len() <= MAX_TRACE_CONTEXT && !text.contains(char::is_control);
            if let Some(text) = meta.other.read::<String>(name).filter(is_valid) {
                span.record(name, &*escape(&text));
            }
        }
    }
    span
}

/// What a call is about, where naming it does not blow up the number of span names.
fn subject(request: &ClientRequest) -> Option<&str> {
    match request {
        ClientRequest::CallTool(params) => Some(&params.name),
        ClientRequest::GetPrompt(params) => Some(&params.name),
        _ => None,
    }
}

/// Runs a started call inside its span and records the outcome.
pub(crate) fn inside(span: Span, started: MaybeReady) -> MaybeReady {
    if span.is_disabled() {
        return started;
    }
    match started {
        MaybeReady::Ready(reply) => {
            record(&span, &reply);
            MaybeReady::Ready(reply)
        }
        MaybeReady::Pending(future) => {
            let outer = span.clone();
            MaybeReady::Pending(Box::pin(
                async move {
                    let reply = future.await;
                    record(&outer, &reply);
                    reply
                }
                .instrument(span),
            ))
        }
    }
}

fn record(span: &Span, reply: &Reply) {
    match reply {
        Reply::Failed(error) => {
            span.record("rpc.response.status_code", error.code.0);
            span.record("error.type", error.code.0.to_string());
            span.record("otel.status_code", "ERROR");
        }
        Reply::Done(ServerResult::CallTool(result)) if result.is_error() => {
            span.record("error.type", "tool_error");
            span.record("otel.status_code", "ERROR");
        }
        Reply::Done(_) | Reply::NeedsInput(_) => {}
    }
}
