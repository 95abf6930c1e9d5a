//! What the server of images did, for Prometheus.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::cli::exit::Exit;
use crate::image_store::offer::ImageOffer;

/// The type of the text (OpenMetrics 1.0).
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is counted.
pub(super) struct Metrics {
    registry: Registry,
    wanted: Gauge,
    complete: Gauge,
    requests: Family<CodeLabel, Counter>,
    bytes: Family<KeyLabel, Counter>,
    pub(super) connections: Gauge,
    pulls: Family<ResultLabel, Counter>,
    pulled_bytes: Counter,
    pull_seconds: Counter<f64, AtomicU64>,
    last_success: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabel {
    key: String,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("dibump_images"),
            wanted: Gauge::default(),
            complete: Gauge::default(),
            requests: Family::default(),
            bytes: Family::default(),
            connections: Gauge::default(),
            pulls: Family::default(),
            pulled_bytes: Counter::default(),
            pull_seconds: Counter::default(),
            last_success: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("wanted", "Images that are wanted", metrics.wanted.clone());
        registry.register("complete", "Wanted images that are complete", metrics.complete.clone());
        registry.register("requests", "Requests by the code of the answer", metrics.requests.clone());
        registry.register("sent_bytes", "Bytes of images that were sent, by key", metrics.bytes.clone());
        registry.register("connections", "Connections at present", metrics.connections.clone());
        registry.register("pulls", "Pulls by how they ended", metrics.pulls.clone());
        registry.register("pulled_bytes", "Bytes that pulls downloaded", metrics.pulled_bytes.clone());
        registry.register("pull_seconds", "How long all pulls took", metrics.pull_seconds.clone());
        let text = "When a pull last had every wanted image, in seconds since 1970";
        registry.register("last_pull_success_timestamp_seconds", text, metrics.last_success.clone());
        metrics
    }

    /// A pull ended.
    pub(super) fn pulled(&self, exit: Exit, bytes: u64, took: Duration, now: Timestamp) {
        let result = match exit {
            Exit::Done => "done",
            Exit::Retry => "retry",
            Exit::Refused => "refused",
            Exit::Bug => "bug",
            _ => "person",
        };
        self.pulls.get_or_create(&ResultLabel { result }).inc();
        self.pulled_bytes.inc_by(bytes);
        self.pull_seconds.inc_by(took.as_secs_f64());
        if exit == Exit::Done {
            self.last_success.set(now.as_second());
        }
    }

    /// A request was answered.
    pub(super) fn answered(&self, code: u16) {
        self.requests.get_or_create(&CodeLabel { code }).inc();
    }

    /// Bytes of an image were sent.
    pub(super) fn sent(&self, key: &str, bytes: u64) {
        self.bytes.get_or_create(&KeyLabel { key: key.to_owned() }).inc_by(bytes);
    }

    /// The text that Prometheus scrapes.
    pub(super) fn text(&self, offer: &ImageOffer) -> String {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.wanted.set(count(offer.wanted.len()));
        self.complete.set(count(offer.wanted.values().filter(|complete| **complete).count()));
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a text does not fail.
            Err(_) => String::new(),
        }
    }
}
