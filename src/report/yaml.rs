//! YAML that others read: strings stay strings, and lines stay whole.

use serde::{Serialize, Serializer};
pub use serde_yaml::ser::Error;

/// A value as YAML. A text that another reader would take for a number, a boolean or nothing is quoted.
///
/// # Errors
/// What cannot be written as YAML.
pub fn text(value: &impl Serialize) -> Result<String, Error> {
    // A URL that is folded into the next line says the same, and nobody finds it.
    serde_yaml::to_string_with_options(value, serde_yaml::ser_options! { folded_wrap_chars: usize::MAX })
}

/// A mapping whose entries keep their order.
#[derive(Debug, Clone)]
pub struct Ordered<K, V>(pub Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Ordered<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}
