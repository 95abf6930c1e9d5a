//! The classic layout, "simple signing": a layer for each signature at the tag `sha256-<hex>.sig`.
//!
//! The layer's blob is what was signed, its annotation the signature (cosign, SIGNATURE_SPEC.md).

use serde::Deserialize;

use super::manifest::{MAX_PAYLOAD, SignatureManifest, WantedBlob};
use super::{Evidence, Keys, Lacks, Layout, Part, Rejection, Verified, json};
use crate::release::Digest;

/// The type of a claim that an image was signed.
const TYPE: &str = "cosign container image signature";

const LAYER: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

/// A layer with a signature.
pub(super) struct SignatureLayer<'a> {
    pub(super) payload: WantedBlob,
    signature: &'a str,
    has_certificate: bool,
}

/// What was signed.
#[derive(Deserialize)]
struct Payload {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    r#type: String,
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "docker-reference")]
    docker_reference: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    docker_manifest_digest: String,
}

/// The signatures of a manifest, and why a layer is none.
pub(super) fn layers(
    manifest: &SignatureManifest,
) -> impl Iterator<Item = Result<SignatureLayer<'_>, Rejection>> {
    manifest.layers().iter().map(|layer| {
        if layer.media_type != LAYER {
            return Err(Rejection::LayerType(Rejection::quoted(&layer.media_type)));
        }
        Ok(SignatureLayer {
            payload: layer.wanted(Part::Payload, MAX_PAYLOAD)?,
            signature: layer.annotation(SIGNATURE).ok_or(Rejection::NoSignature)?,
            has_certificate: layer.annotation(CERTIFICATE).is_some(),
        })
    })
}

/// Whether the layer is a signature of `subject` by one of the keys.
///
/// A certificate beside it changes nothing where a key made the signature: the key is what was asked for.
pub(super) fn verify(
    layer: &SignatureLayer<'_>,
    evidence: &Evidence,
    subject: &Digest,
    keys: &Keys,
) -> Result<Verified, Rejection> {
    let payload = evidence.blob(&layer.payload)?;
    let key = keys.signer_of(payload, layer.signature).map_err(|rejection| match rejection {
        Rejection::OtherKey if layer.has_certificate => Rejection::Keyless,
        other => other,
    })?;
    let Critical { identity, image, r#type } = json::read::<Payload>(Part::Payload, payload)?.critical;
    if r#type != TYPE {
        return Err(Rejection::ClaimType { found: Rejection::quoted(&r#type), expected: TYPE });
    }
    let signed = image.docker_manifest_digest;
    let digest: Digest = signed.parse().map_err(|_| not_sha256(&signed))?;
    if digest != *subject {
        return Err(Rejection::OtherImage(signed));
    }
    let reference = Some(identity.docker_reference).filter(|repository| !repository.is_empty());
    Ok(Verified { key: key.fingerprint(), layout: Layout::Classic, reference, lacks: Lacks::default() })
}

fn not_sha256(digest: &str) -> Rejection {
    Rejection::NotSha256 { what: Part::Image, digest: Rejection::quoted(digest) }
}
