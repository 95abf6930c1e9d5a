//! The layout of cosign 3: a referrer of the image with one sigstore bundle, a statement in a DSSE envelope.
//!
//! Cosign, BUNDLE_SPEC.md; protobuf-specs, `sigstore_bundle.proto`; DSSE, `protocol.md`; in-toto, Statement v1.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::manifest::{MAX_BUNDLE, SignatureManifest, WantedBlob};
use super::{Evidence, Keys, Lacks, Layout, Part, Rejection, Verified, json};
use crate::release::Digest;

/// How the media types of all bundles begin.
const ANY_VERSION: &str = "application/vnd.dev.sigstore.bundle";
/// The two spellings of version 0.3; the checks of older ones differ.
const VERSION_0_3: [&str; 2] =
    ["application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle+json;version=0.3"];
const STATEMENT_IN_ENVELOPE: &str = "application/vnd.in-toto+json";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The one predicate by which an image is signed; every other one says something about it.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<IgnoredAny>,
}

/// How the signature is to be checked. A hint which key it was is no proof: all are tried.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    public_key: Option<IgnoredAny>,
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    sig: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    version: String,
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: BTreeMap<String, String>,
}

/// The bundle that a referrer carries; `None` if it is something else, by what it says of itself. What an index said of
/// it counts for nothing: old clients wrote another type there.
pub(super) fn blob(manifest: &SignatureManifest) -> Option<Result<WantedBlob, Rejection>> {
    let is_bundle = |media_type: &str| media_type.starts_with(ANY_VERSION);
    let layers = manifest.layers();
    let says_so = manifest.artifact_type.as_deref().is_some_and(is_bundle);
    if !says_so && !layers.iter().any(|layer| is_bundle(&layer.media_type)) {
        return None;
    }
    Some(match layers {
        [layer] if VERSION_0_3.contains(&layer.media_type.as_str()) => layer.wanted(Part::Bundle, MAX_BUNDLE),
        [layer] if is_bundle(&layer.media_type) => Err(other_version(&layer.media_type)),
        [layer] => Err(Rejection::LayerType(Rejection::quoted(&layer.media_type))),
        _ => Err(Rejection::BundleLayers(layers.len())),
    })
}

/// Whether the bundle is a signature of `subject` by one of the keys.
pub(super) fn verify(
    blob: &WantedBlob,
    evidence: &Evidence,
    subject: &Digest,
    keys: &Keys,
) -> Result<Verified, Rejection> {
    let envelope = envelope(evidence.blob(blob)?)?;
    let payload = BASE64_STANDARD.decode(&envelope.payload);
    let payload = payload.map_err(|_| Rejection::NotBase64(Part::Payload))?;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(Rejection::Signatures(envelope.signatures.len()));
    };
    let key = keys.signer_of(&pre_authentication(&envelope.payload_type, &payload), &signature.sig)?;
    if envelope.payload_type != STATEMENT_IN_ENVELOPE {
        return Err(Rejection::PayloadType(Rejection::quoted(&envelope.payload_type)));
    }
    json::read::<Statement>(Part::Payload, &payload)?.signs(subject)?;
    Ok(Verified { key: key.fingerprint(), layout: Layout::Bundle, reference: None, lacks: Lacks::default() })
}

/// The envelope of a bundle that is to be checked with a public key.
fn envelope(bytes: &[u8]) -> Result<Envelope, Rejection> {
    let bundle: Bundle = json::read(Part::Bundle, bytes)?;
    if !VERSION_0_3.contains(&bundle.media_type.as_str()) {
        return Err(other_version(&bundle.media_type));
    }
    let material = bundle.verification_material;
    if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
        return Err(Rejection::Keyless);
    }
    let malformed = |missing: &str| Rejection::Malformed {
        what: Part::Bundle,
        why: format!("missing field `{missing}`"),
    };
    material.public_key.ok_or_else(|| malformed("publicKey"))?;
    match (bundle.dsse_envelope, bundle.message_signature) {
        (_, Some(_)) => Err(Rejection::MessageSignature),
        (Some(envelope), None) => Ok(envelope),
        (None, None) => Err(malformed("dsseEnvelope")),
    }
}

/// What a DSSE signature signs: the type too, so that a payload cannot be taken for something else.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Statement {
    /// One of several subjects is enough, as for cosign; only sha256 counts.
    fn signs(&self, subject: &Digest) -> Result<(), Rejection> {
        if self.predicate_type != SIGNATURE {
            return Err(Rejection::Predicate(Rejection::quoted(&self.predicate_type)));
        }
        if self.version != STATEMENT {
            return Err(Rejection::StatementType(Rejection::quoted(&self.version)));
        }
        let mut signed = self.subject.iter().filter_map(|subject| subject.digest.get("sha256"));
        let first = signed.clone().next().ok_or(Rejection::NoSubject)?;
        if signed.any(|hex| hex == subject.hex()) {
            return Ok(());
        }
        Err(Rejection::OtherImage(Rejection::quoted(&format!("sha256:{first}"))))
    }
}

fn other_version(media_type: &str) -> Rejection {
    let version = media_type.strip_prefix(ANY_VERSION).unwrap_or(media_type);
    Rejection::BundleVersion(Rejection::quoted(version))
}
