//! What the file of a wanted image must be, by the manifest that was verified.

use std::collections::BTreeMap;

use super::{UnacceptableImage, routes};
use crate::os_image::machine_image::{DiskFormat, UnusableImage, format, sha256};
use crate::release::{Digest, ImageLayer};

/// An image that is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedImage {
    /// The layer that holds it; none of a file, of which only the image itself is known.
    pub layer: Option<ExpectedLayer>,
    /// Whether the layer is announced as an archive.
    pub is_archive: bool,
    /// The sha256 of the image itself.
    pub sha256: Digest,
    /// How many bytes the image has; old releases do not say it.
    pub size: Option<u64>,
    /// How many bytes it may have at most.
    pub most: u64,
    /// The format of the disk.
    pub format: DiskFormat,
    /// The name under which it is served.
    pub filename: String,
    /// When it was built, as its manifest says.
    pub created: Option<String>,
}

/// The layer that holds an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedLayer {
    /// Its digest.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
}

/// Why a manifest does not say what its image must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexpected {
    /// No machine could use it.
    Unusable(UnusableImage),
    /// The store cannot take it.
    Unacceptable(UnacceptableImage),
}

impl ExpectedImage {
    /// What the manifest promises: its only layer, and what charts know of the image (`attributes`). No image may have more
    /// than `most` bytes.
    ///
    /// # Errors
    /// What nothing could be compared with, or what could not be served.
    pub fn new(
        layer: Option<&ImageLayer>,
        attributes: &BTreeMap<String, String>,
        created: Option<&str>,
        most: u64,
    ) -> Result<Self, Unexpected> {
        let layer = layer.ok_or(UnacceptableImage::Layers)?;
        let digest =
            layer.digest.parse().map_err(|_| UnacceptableImage::LayerDigest(layer.digest.clone()))?;
        let layer_of = ExpectedLayer { digest, size: layer.size };
        let is_archive = layer.media_type.ends_with("tar+gzip");
        let file = Self::of_file(attributes, created, most)?;
        Ok(Self { layer: Some(layer_of), is_archive, ..file })
    }

    /// What is known of an image whose file is somewhere else.
    ///
    /// # Errors
    /// What nothing could be compared with, or what could not be served.
    pub fn of_file(
        attributes: &BTreeMap<String, String>,
        created: Option<&str>,
        most: u64,
    ) -> Result<Self, Unexpected> {
        let filename = attributes.get("filename").ok_or(UnusableImage::NoFilename)?;
        routes::check_filename(filename)?;
        let size = attributes.get("size").map(|text| number("size", text)).transpose()?;
        if let Some(size) = size.filter(|size| *size > most) {
            return Err(UnacceptableImage::TooLarge { size, most }.into());
        }
        Ok(Self {
            layer: None,
            is_archive: false,
            sha256: sha256(attributes)?,
            size,
            most,
            format: format(attributes)?,
            filename: filename.clone(),
            created: created.map(str::to_owned),
        })
    }

    /// How many bytes there may be of what the image is taken out of: what is compressed is hardly larger than what it is
    /// made of.
    pub fn most_received(&self) -> u64 {
        let limit = self.limit();
        let packed = limit.saturating_add(limit / 64).saturating_add(1 << 20);
        self.layer.as_ref().map_or(packed, |layer| layer.size)
    }

    /// How many bytes the image may have.
    pub(super) fn limit(&self) -> u64 {
        self.size.unwrap_or(self.most)
    }
}

fn number(name: &'static str, text: &str) -> Result<u64, UnacceptableImage> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = is_number.then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| UnacceptableImage::NotANumber { name, text: text.to_owned() })
}

impl From<UnusableImage> for Unexpected {
    fn from(unusable: UnusableImage) -> Self {
        Self::Unusable(unusable)
    }
}

impl From<UnacceptableImage> for Unexpected {
    fn from(unacceptable: UnacceptableImage) -> Self {
        Self::Unacceptable(unacceptable)
    }
}
