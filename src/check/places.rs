//! Where a file speaks of a cluster's images: places of fields, as findings name them.

use super::{FindingPlace, Read, notes};
use crate::os_image::cluster::{IMAGE_KEYS, SELECTOR, is_of_cluster};
use crate::sylva::{
    ADDITIONAL_SELECTORS, CAPI_PROVIDERS, K8S_VERSION, K8S_VERSION_MAP, K8S_VERSION_SHORT, MACHINE_IMAGE_URL,
    OS_IMAGES,
};
use crate::values::{Document, Field, KeyPath};

impl<'a> Read<'a> {
    /// Reads the fields that speak of images. The rest of a large file, which is nearly all of it, is passed over.
    pub(super) fn new(path: &'a str, document: &'a Document) -> Self {
        Self { path, document, fields: document.fields_through(is_of_images) }
    }

    /// The field of a key that stands at a place.
    pub(super) fn field_at(&self, key: &FindingPlace) -> Option<&Field<'a>> {
        let first = self.fields.partition_point(|field| field.key_at < key.at);
        let there = self.fields[first..].iter().take_while(|field| field.key_at == key.at);
        there.into_iter().find(|field| field.path == key.key.0)
    }
}

/// Whether a key, or what stands below it, may speak of a cluster's images, of the user's own, or of a Kubernetes version.
fn is_of_images(key: &str) -> bool {
    let others = [
        OS_IMAGES,
        K8S_VERSION_MAP,
        CAPI_PROVIDERS,
        K8S_VERSION,
        MACHINE_IMAGE_URL,
        SELECTOR,
        ADDITIONAL_SELECTORS,
        K8S_VERSION_SHORT,
    ];
    is_of_cluster(key) || IMAGE_KEYS.contains(&key) || others.contains(&key)
}

/// Where a field's value is.
pub(super) fn value_place(read: &Read<'_>, field: &Field<'_>) -> FindingPlace {
    let place = notes::place(read.path, read.document, key(field), field.span.clone());
    // Of an alias the bytes are elsewhere.
    if place.at == field.at { place } else { FindingPlace { at: field.at, length: 1, ..place } }
}

pub(super) fn key(field: &Field<'_>) -> KeyPath {
    KeyPath::default().below(&field.path)
}
