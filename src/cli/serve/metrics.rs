//! What a daemon did, for Prometheus.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicI64;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The type of the text (OpenMetrics 1.0).
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of the durations, in seconds: a run that finds nothing new takes less than one, a large fleet minutes.
const SECONDS: [f64; 9] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// How a run may end.
pub(super) const RUN_RESULTS: [&str; 5] = ["done", "retry", "refused", "person", "bug"];
/// What becomes of a configuration that is read again.
pub(super) const RELOAD_RESULTS: [&str; 2] = ["taken", "refused"];

/// So many hosts are counted each by itself: servers redirect to what names they like, and each is a series for ever.
const MOST_HOSTS: usize = 32;
/// The host of those that came later.
const OTHER: &str = "other";

/// All that is counted.
pub(super) struct Metrics {
    registry: Registry,
    hosts: Mutex<BTreeSet<String>>,
    pub(super) runs: Family<Result, Counter>,
    pub(super) seconds: Histogram,
    pub(super) running: Gauge,
    pub(super) last: Gauge<i64, AtomicI64>,
    pub(super) outcomes: Family<OutcomeLabel, Counter>,
    requests: Family<Request, Counter>,
    pub(super) releases: Family<ReleaseLabel, Gauge>,
    pub(super) wishes: Counter,
    pub(super) reloads: Family<Result, Counter>,
}

/// How something ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Result {
    pub(super) result: &'static str,
}

/// The outcome of a target branch.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OutcomeLabel {
    pub(super) outcome: &'static str,
}

/// Requests to a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    host: String,
    /// `none` where there was no answer.
    status: String,
}

/// Releases of a producer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReleaseLabel {
    pub(super) producer: String,
    /// `seen` or `held`.
    pub(super) state: &'static str,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("dibump"),
            hosts: Mutex::default(),
            runs: Family::default(),
            seconds: Histogram::new(SECONDS),
            running: Gauge::default(),
            last: Gauge::default(),
            outcomes: Family::default(),
            requests: Family::default(),
            releases: Family::default(),
            wishes: Counter::default(),
            reloads: Family::default(),
        };
        metrics.register();
        // A counter that is not there cannot be seen to rise.
        for result in RUN_RESULTS {
            drop(metrics.runs.get_or_create(&Result { result }));
        }
        for result in RELOAD_RESULTS {
            drop(metrics.reloads.get_or_create(&Result { result }));
        }
        metrics
    }

    /// Counts requests to a host, by the status of the answer; `None` where there was no answer.
    pub(super) fn count_requests(&self, host: &str, status: Option<u16>, count: u64) {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < MOST_HOSTS {
            hosts.insert(host.to_owned());
        }
        let host = if hosts.contains(host) { host } else { OTHER }.to_owned();
        let status = status.map_or("none".to_owned(), |status| status.to_string());
        self.requests.get_or_create(&Request { host, status }).inc_by(count);
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("runs", "Runs by how they ended", self.runs.clone());
        registry.register_with_unit(
            "run_duration",
            "How long runs took",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register("running", "Whether a run is under way", self.running.clone());
        registry.register_with_unit(
            "last_run_timestamp",
            "When the last run ended",
            Unit::Seconds,
            self.last.clone(),
        );
        registry.register("outcomes", "Target branches by their outcome", self.outcomes.clone());
        registry.register("requests", "Requests by host and status", self.requests.clone());
        registry.register("releases", "Releases seen, and those held by a gate", self.releases.clone());
        registry.register("triggers", "Runs that somebody asked for", self.wishes.clone());
        registry.register("reloads", "Readings of the configuration", self.reloads.clone());
    }

    /// The text that Prometheus scrapes.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a text does not fail.
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_without_end_are_one_series_more() {
        let metrics = Metrics::new();
        for i in 0..1_000 {
            metrics.count_requests(&format!("{i}.example"), Some(200), 1);
        }
        metrics.count_requests("0.example", Some(200), 1);
        let text = metrics.text();
        let series: Vec<&str> =
            text.lines().filter(|line| line.starts_with("dibump_requests_total")).collect();
        assert_eq!(series.len(), MOST_HOSTS + 1);
        assert!(series.contains(&"dibump_requests_total{host=\"0.example\",status=\"200\"} 2"), "{series:?}");
        assert!(series.contains(&"dibump_requests_total{host=\"other\",status=\"200\"} 968"), "{series:?}");
    }
}
