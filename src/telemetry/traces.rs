//! Traces: what took how long, for an OpenTelemetry collector. Only in builds with the feature `otlp`.
//!
//! Spans are those of the engine and of requests; they hold names of ours, numbers and ids, never text from outside.

use super::Traces;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use std::sync::OnceLock;
use std::time::Duration;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

/// A collector that takes longer has lost these spans; nobody waits for it but the thread that sends.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends what is left when the process ends. Spans wait in a queue of the crate's own bound (2,048); what does not fit is dropped.
static SENDING: OnceLock<SdkTracerProvider> = OnceLock::new();

/// A layer that sends spans to the collector.
///
/// # Errors
/// The address is none, or the exporter cannot start.
pub(super) fn layer<S>(to: &Traces) -> Result<impl Layer<S> + Send + Sync + use<S>, String>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
{
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", to.endpoint.trim_end_matches('/')))
        .with_timeout(PATIENCE)
        .build()
        .map_err(|e| e.to_string())?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(to.share))))
        .with_resource(Resource::builder().with_service_name("smokejumper").build())
        .build();
    let tracer = provider.tracer("smokejumper");
    let _ = SENDING.set(provider);
    let ours = Targets::new().with_target("smokejumper", LevelFilter::DEBUG);
    Ok(tracing_opentelemetry::layer().with_tracer(tracer).with_filter(ours))
}

/// Sends what waits. May take as long as the collector is given.
pub fn stop() {
    if let Some(provider) = SENDING.get() {
        let _ = provider.shutdown_with_timeout(PATIENCE);
    }
}
