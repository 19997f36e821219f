//! Logs on stderr, filtered by `RUST_LOG`, and spans for an OpenTelemetry collector.

use std::collections::HashMap;
use std::time::Duration;

use ferromcp::core::meta::key;
use ferromcp::prelude::*;
use ferromcp::server::middleware::Next;
use ferromcp::server::{Call, Reply};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Instrument, Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Sends spans to the collector at `OTEL_EXPORTER_OTLP_ENDPOINT` (default: `http://localhost:4318`).
fn provider() -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpJson).build()?;
    let resource = Resource::builder().with_service_name("forecast").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Installs the subscriber.
fn subscribe(provider: &SdkTracerProvider) {
    let logs = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr) // stdout carries the protocol
        .with_ansi(false)
        .with_filter(EnvFilter::from_default_env()); // RUST_LOG; without it, only errors
    let exported = Targets::new().with_target("ferromcp", Level::INFO).with_target("telemetry", Level::INFO);
    let spans = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("forecast"))
        .with_context_activation(false) // otherwise a span has started before `join_trace` sets its parent
        .with_filter(exported); // without the spans of the exporter's own HTTP client
    tracing_subscriber::registry().with(spans).with(logs).init();
}

/// Makes the span of a call a child of the caller's span, if the request carries a trace context.
async fn join_trace(call: Call, next: Next) -> Reply {
    let meta = call.request.meta().map(|meta| &meta.other);
    let field = |name: &str| Some((name.to_owned(), meta?.read::<String>(name)?));
    let carrier: HashMap<_, _> = [key::TRACEPARENT, key::TRACESTATE].into_iter().filter_map(field).collect();
    if !carrier.is_empty() {
        let parent = TraceContextPropagator::new().extract(&carrier);
        let _ = Span::current().set_parent(parent); // an error if the span is filtered out
    }
    next.run(call).await
}

/// Forecast the weather of a city
#[tool(annotations(read_only))]
async fn forecast(city: String) -> Result<String, ToolError> {
    let query = async { tokio::time::sleep(Duration::from_millis(5)).await };
    query.instrument(tracing::info_span!("query", db.system.name = "sqlite")).await;
    if city.is_empty() {
        return Err(ToolError::new("name a city"));
    }
    Ok(format!("sun in {city}"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let provider = provider()?;
    subscribe(&provider);
    Server::new("Forecast", "1.0.0").tool::<forecast>().wrap(join_trace).serve(stdio()).await?;
    provider.shutdown()?; // sends the remaining spans
    Ok(())
}
