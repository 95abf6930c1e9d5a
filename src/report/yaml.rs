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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::values::{Document, merged};

    /// What readers of YAML 1.1 and of YAML 1.2 see.
    fn read(text: &str) -> [BTreeMap<String, String>; 3] {
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let ours = merged(&[&document]).unwrap();
        [
            yaml_serde::from_str(text).unwrap(),
            serde_yaml::from_str(text).unwrap(),
            serde_json::from_value(ours).unwrap(),
        ]
    }

    proptest! {
        #[test]
        fn a_text_stays_a_text_whatever_it_looks_like(
            // A path component of a repository (OCI distribution specification, "Pulling manifests").
            key in "[a-z0-9]{1,6}([.-][a-z0-9]{1,6}){0,3}",
            value in prop_oneof![
                any::<String>(),
                "[-+.0-9eExXob_:,~]{0,12}",
                "(y|n|yes|no|on|off|true|false|null|nan|inf|<<|=|-|\\?|!|&a|\\*a|#|%|@|`|\\||>|\\{|\\[|'|\")[ \na:]{0,3}",
            ],
        ) {
            let written = BTreeMap::from([(key, value)]);
            let text = text(&written).unwrap();
            for read in read(&text) {
                prop_assert_eq!(&read, &written, "{}", text);
            }
        }
    }
}
