//! A signature manifest, as far as it is needed, and the caps on what is read.
//!
//! Nothing in it is signed: it only says where signatures are. OCI image-spec, manifest.md and descriptor.md.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Part, Rejection, json};
use crate::release::Digest;

/// The largest manifest that is read, in bytes.
pub const MAX_MANIFEST: u64 = 4 << 20;
/// The largest payload of a classic signature that is read, in bytes. Cosign's are about 300.
pub const MAX_PAYLOAD: u64 = 64 << 10;
/// The largest sigstore bundle that is read, in bytes.
pub const MAX_BUNDLE: u64 = 1 << 20;
/// The most layers that a signature manifest may have.
pub const MAX_LAYERS: usize = 100;

/// Manifests with layers; an index has none.
const IMAGE_MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// A blob that is to be fetched to judge a signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WantedBlob {
    /// Its digest, as the signature manifest gives it.
    pub digest: Digest,
    /// Its size in bytes, as the signature manifest gives it; never above the cap of its kind.
    pub size: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignatureManifest {
    media_type: Option<String>,
    pub(super) artifact_type: Option<String>,
    layers: Option<Vec<Descriptor>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    digest: String,
    size: u64,
    annotations: Option<BTreeMap<String, String>>,
}

impl SignatureManifest {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Rejection> {
        within(Part::Manifest, bytes.len() as u64, MAX_MANIFEST)?;
        let manifest: Self = json::read(Part::Manifest, bytes)?;
        match &manifest.media_type {
            Some(other) if !IMAGE_MANIFESTS.contains(&other.as_str()) => {
                Err(Rejection::ManifestType(Rejection::quoted(other)))
            }
            _ if manifest.layers().len() > MAX_LAYERS => {
                Err(Rejection::TooManyLayers { layers: manifest.layers().len(), cap: MAX_LAYERS })
            }
            _ => Ok(manifest),
        }
    }

    /// Its layers. None, `null` and `[]` are the same: nothing is signed by them.
    pub(super) fn layers(&self) -> &[Descriptor] {
        self.layers.as_deref().unwrap_or_default()
    }
}

impl Descriptor {
    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }

    /// The blob, which is the `what` of a signature, if it may be read.
    pub(super) fn wanted(&self, what: Part, cap: u64) -> Result<WantedBlob, Rejection> {
        within(what, self.size, cap)?;
        let digest = self.digest.parse();
        let digest =
            digest.map_err(|_| Rejection::NotSha256 { what, digest: Rejection::quoted(&self.digest) })?;
        Ok(WantedBlob { digest, size: self.size })
    }
}

fn within(what: Part, size: u64, cap: u64) -> Result<(), Rejection> {
    if size > cap { Err(Rejection::TooLarge { what, size, cap }) } else { Ok(()) }
}
