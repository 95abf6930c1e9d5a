//! What charts know of an image besides its key: the annotations of its manifest, shortened.

use std::collections::BTreeMap;

/// What an annotation's key must hold to be told to the charts (sylva-core, `create-os-images-info.sh`).
const OURS: &str = "sylva";

/// Annotations whose key holds `sylva`, by the part after the last slash.
pub fn attributes(annotations: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let ours = annotations.iter().filter(|(key, _)| key.contains(OURS));
    ours.map(|(key, value)| (key.rsplit('/').next().unwrap_or(key).to_owned(), value.clone())).collect()
}
