//! What the server of images did, for Prometheus.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

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
        };
        let registry = &mut metrics.registry;
        registry.register("wanted", "Images that are wanted", metrics.wanted.clone());
        registry.register("complete", "Wanted images that are complete", metrics.complete.clone());
        registry.register("requests", "Requests by the code of the answer", metrics.requests.clone());
        registry.register("sent_bytes", "Bytes of images that were sent, by key", metrics.bytes.clone());
        registry.register("connections", "Connections at present", metrics.connections.clone());
        metrics
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
