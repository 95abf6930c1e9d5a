//! An artifact as a registry's manifest describes it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;

use super::facets::ANNOTATION_PREFIX;
use super::identity::{Asked, ImageIdentity};
use super::{Facets, ImageKey, Naming, Version};

/// A `sha256:` digest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// Text that is no `sha256:` digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sha256 digest")]
pub struct InvalidDigest(pub String);

impl Digest {
    /// The digest as `sha256:<64 hex digits>`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 hexadecimal digits.
    pub fn hex(&self) -> &str {
        self.0.strip_prefix("sha256:").unwrap_or(&self.0)
    }

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::of_hash(&sha2::Sha256::digest(bytes))
    }

    /// The digest that these 32 bytes are.
    pub fn of_hash(hash: &[u8]) -> Self {
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("sha256:{hex}"))
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    /// Form: `sha256:` and 64 lower-case hexadecimal digits (image-spec, descriptor.md).
    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidDigest(text.to_owned()))
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One artifact of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The last path segment of its repository.
    pub key: ImageKey,
    /// The digest of its manifest, where the manifest was read.
    pub digest: Option<Digest>,
    /// What it contains, from its annotations or else from its name; where these contradict each other, from its name, by
    /// which files list it. `None` where neither says.
    pub facets: Option<Facets>,
    /// When it was made (`org.opencontainers.image.created`), where the manifest says so.
    pub created: Option<Timestamp>,
    /// What a pull of it transfers: the bytes of all layers, where the manifest was read. The annotation `size` is
    /// another figure, that of the image after unpacking.
    pub size: Option<u64>,
    /// The manifest's annotations, as they are; all who know the release share them.
    pub annotations: Arc<BTreeMap<String, String>>,
}

/// The annotation that says when an artifact was made (image-spec, annotations.md).
const CREATED: &str = "org.opencontainers.image.created";

impl Artifact {
    /// An artifact of which only the name is known.
    pub fn named(key: ImageKey, naming: &Naming) -> Self {
        Self::described(key, None, BTreeMap::new(), naming)
    }

    /// An artifact with its manifest's digest and annotations; facets that the annotations lack come from the name.
    pub fn described(
        key: ImageKey,
        digest: Option<Digest>,
        annotations: impl Into<Arc<BTreeMap<String, String>>>,
        naming: &Naming,
    ) -> Self {
        let annotations = annotations.into();
        let identity = || ImageIdentity::of(&Asked { name: &key, tag: "", naming }, &annotations);
        let annotated = Facets::from_annotations(&annotations);
        let annotated = annotated.filter(|_| identity().contradiction().is_none());
        let facets = annotated.or_else(|| naming.facets(key.as_str()));
        let created = annotations.get(CREATED).and_then(|text| text.parse().ok());
        Self { key, digest, facets, created, size: None, annotations }
    }

    /// Whether it is a disk image: its annotations say so, or its name fits a scheme, if perhaps with the version of the
    /// release in it. Below a producer's prefix lie other things, too: charts, documentation, caches.
    pub fn is_image(&self, version: &Version, naming: &Naming) -> bool {
        let without_tag = || self.key.as_str().replace(&format!("-{version}"), "");
        self.facets.is_some()
            || self.annotations.keys().any(|name| name.starts_with(ANNOTATION_PREFIX))
            || naming.facets(&without_tag()).is_some()
    }

    /// What its annotations say of it as an image of this release.
    pub fn identity(&self, version: &Version, naming: &Naming) -> ImageIdentity {
        ImageIdentity::of(&Asked { name: &self.key, tag: version.as_str(), naming }, &self.annotations)
    }

    /// The same with the bytes of its layers.
    #[must_use]
    pub fn sized(self, size: Option<u64>) -> Self {
        Self { size, ..self }
    }
}
