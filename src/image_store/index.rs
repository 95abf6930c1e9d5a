//! What the store says of what it has, and of what is wanted: two kinds of small JSON files.

use std::collections::BTreeMap;

use jiff::{RoundMode, Timestamp, TimestampRound, ToSpan as _, Unit};
use serde::{Deserialize, Serialize};

use super::ExpectedImage;
use super::routes::routes;
use crate::release::Digest;

/// The shape's name and version of [`StoredImage`].
pub const IMAGE_SCHEMA: &str = "dibump.image/1";

/// The shape's name and version of [`WantedImages`].
pub const WANTED_SCHEMA: &str = "dibump.wanted/1";

/// The file that says what is wanted.
pub const WANTED: &str = "wanted.json";

/// The folder of what is said of images.
pub const IMAGES: &str = "images";

/// An image that is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredImage {
    /// `dibump.image/1`.
    pub schema: String,
    /// The key under which the values know it.
    pub key: String,
    /// Where it came from.
    pub uri: String,
    /// The digest of its manifest, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The digest of the layer that held it, where it was in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The sha256 of the image: 64 hexadecimal digits, the name of its file.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
    /// Its bytes as it is stored, where that is compressed by gzip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed_size: Option<u64>,
    /// The format of the disk.
    pub format: String,
    /// The name under which it is served.
    pub filename: String,
    /// When it was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Since when this content is what is served under this key. It only grows, because caches compare it.
    pub visible_since: Timestamp,
}

/// What is wanted, complete or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedImages {
    /// `dibump.wanted/1`.
    pub schema: String,
    /// The arguments of the pull that wants them, so that a server can repeat it; none where they hold a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Vec<String>>,
    /// The images by their keys.
    pub images: BTreeMap<String, WantedImage>,
}

/// One wanted image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedImage {
    /// Where it comes from.
    pub uri: String,
    /// The sha256 that it must have, where its manifest was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The paths under which it is served; empty where its manifest was not read yet.
    pub routes: Vec<String>,
}

impl StoredImage {
    /// What is to be said of an image that was stored at `now`, in place of what was said under the same key before.
    pub fn new(
        (key, uri, manifest): (&str, &str, Option<&Digest>),
        expected: &ExpectedImage,
        stored: StoredBytes,
        now: Timestamp,
        before: Option<&Self>,
    ) -> Self {
        Self {
            schema: IMAGE_SCHEMA.to_owned(),
            key: key.to_owned(),
            uri: uri.to_owned(),
            manifest: manifest.map(|digest| digest.as_str().to_owned()),
            layer: expected.layer.as_ref().map(|layer| layer.digest.as_str().to_owned()),
            sha256: expected.sha256.hex().to_owned(),
            size: stored.size,
            packed_size: stored.packed_size,
            format: expected.format.to_string(),
            filename: expected.filename.clone(),
            created: expected.created.clone(),
            visible_since: visible_since(expected, now, before),
        }
    }

    /// The name of its file.
    pub fn blob_name(&self) -> String {
        blob_name(&self.sha256, self.packed_size.is_some())
    }

    /// The bytes of its file.
    pub fn stored_size(&self) -> u64 {
        self.packed_size.unwrap_or(self.size)
    }

    /// The paths under which it is served.
    pub fn routes(&self) -> [String; 2] {
        routes(&self.key, &self.format, &self.filename)
    }

    /// Whether it is what is expected, as far as the index tells.
    pub fn is(&self, expected: &ExpectedImage) -> bool {
        self.sha256 == expected.sha256.hex() && expected.size.is_none_or(|size| size == self.size)
    }
}

/// The time in whole seconds, as HTTP says it, and later than that of any other content before.
fn visible_since(expected: &ExpectedImage, now: Timestamp, before: Option<&StoredImage>) -> Timestamp {
    // Never before the moment: a cache that took the old content within this second compares its own time with it.
    let second = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    let now = now.round(second).unwrap_or(now);
    match before {
        Some(before) if before.sha256 == expected.sha256.hex() => before.visible_since,
        Some(before) => now.max(before.visible_since.saturating_add(1.second()).unwrap_or(now)),
        None => now,
    }
}

/// How many bytes an image has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredBytes {
    /// The image.
    pub size: u64,
    /// Its file, where that is compressed.
    pub packed_size: Option<u64>,
}

/// What follows the sha256 of an image whose file is compressed.
pub const PACKED: &str = ".gz";

/// The name of the file of an image: its sha256, and whether it is compressed.
pub fn blob_name(sha256: &str, is_packed: bool) -> String {
    format!("{sha256}{}", if is_packed { PACKED } else { "" })
}

/// Where the file of an image is, below the folder.
pub fn blob_path(name: &str) -> String {
    format!("blobs/sha256/{name}")
}

/// Where it is said under which key an image is known, below the folder.
pub fn image_path(key: &str) -> String {
    format!("{IMAGES}/{key}.json")
}
