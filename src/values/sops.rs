//! Files that sops keeps: what one is, and what may not be changed in it.
//!
//! sops writes its metadata below the key `sops` at the top of each document. Its `mac` is a checksum over all values of
//! the file, or with `mac_only_encrypted` over the encrypted ones; each of these is bound to the path of its key.

use super::planned::{MappingPlan, Plans};
use super::tree::{Kind, Pair};
use super::{Document, EditError};

/// How sops writes an encrypted value.
const ENCRYPTED: &str = "ENC[AES256_GCM,";

/// Whether a text is one that sops encrypted.
pub(crate) fn is_encrypted(text: &str) -> bool {
    text.starts_with(ENCRYPTED)
}

/// Refuses a file whose values sops has a checksum of.
pub(crate) fn refuse(document: &Document) -> Result<(), EditError> {
    match document.tree().roots.iter().find_map(|root| checksum(document, *root)) {
        Some(mac) => Err(EditError::Sops { at: document.at(mac.key) }),
        None => Ok(()),
    }
}

/// The checksum of a document, where it covers more than encrypted values.
fn checksum(document: &Document, root: usize) -> Option<Pair> {
    let child = |mapping: usize, name: &str| {
        let pairs = match document.tree().kind(mapping) {
            Kind::Mapping { .. } => document.entry_pairs(mapping),
            _ => Vec::new(),
        };
        pairs.into_iter().find(|pair| document.text_of(pair.key) == name)
    };
    let metadata = child(root, "sops")?.value;
    let encrypted_only = child(metadata, "mac_only_encrypted")
        .is_some_and(|pair| document.data(pair.value) == Ok(serde_json::Value::Bool(true)));
    child(metadata, "mac").filter(|_| !encrypted_only)
}

/// Refuses to move, drop or copy a value that sops encrypted.
pub(crate) fn refuse_encrypted(document: &Document, plans: &Plans<'_>) -> Result<(), EditError> {
    if !document.text().contains(ENCRYPTED) {
        return Ok(());
    }
    let entries = plans.mappings.iter().flat_map(MappingPlan::touched);
    let keys = plans.texts.iter().filter_map(|text| document.entry_of_key(text.node));
    let holds = |pair: &Pair| {
        let bytes = document.tree().head(pair.key)..document.tree().end(pair.value);
        document.slice(bytes).contains(ENCRYPTED)
    };
    match entries.chain(keys).find(holds) {
        Some(pair) => {
            let key = document.text_of(pair.key).to_owned();
            Err(EditError::Encrypted { key, at: document.at(pair.key) })
        }
        None => Ok(()),
    }
}
