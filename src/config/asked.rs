//! With what a registry is asked that a values file names.

use super::meant::{Config, ConfiguredProducer};
use crate::release::Prefix;

impl Config {
    /// The producer that publishes below a prefix which a values file names: the configured one, else one of which only the
    /// file says anything. Whether its host speaks TLS may be known from another producer.
    pub fn named_by_values(&self, prefix: &Prefix) -> ConfiguredProducer {
        if let Some(configured) = self.producers.iter().find(|producer| producer.registry == *prefix) {
            return configured.clone();
        }
        let of_host = self.producers.iter().filter(|known| known.registry.host() == prefix.host());
        let plain_http = of_host.clone().any(|known| known.plain_http);
        ConfiguredProducer { plain_http, ..ConfiguredProducer::of_values_file(prefix.clone()) }
    }
}
