//! A signer: signatures as cosign writes them, made with a key of its own.
#![allow(dead_code, reason = "each binary that includes this uses a part of it")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::oci::{FakeRegistry, OCI_MANIFEST, digest};

/// What stands before the bytes of a P-256 point in a SubjectPublicKeyInfo (RFC 5480).
const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";

/// A key pair.
pub(crate) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key pair"))
    }

    /// The public key.
    pub(crate) fn pem(&self) -> String {
        let point = STANDARD.encode(&self.0.public_key().as_ref()[1..]);
        let lines: Vec<String> = format!("{SPKI}{point}")
            .as_bytes()
            .chunks(64)
            .map(|c| String::from_utf8_lossy(c).into())
            .collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    fn signature(&self, message: &[u8]) -> String {
        let signature = self.0.sign(&SystemRandom::new(), message).expect("a signature");
        STANDARD.encode(signature.as_ref())
    }

    /// Signs an image in the classic layout: a layer of the tag `sha256-….sig`.
    pub(crate) fn sign(&self, registry: &FakeRegistry, path: &str, image: &str) {
        let payload = json!({
            "critical": {
                "identity": {"docker-reference": format!("{}/{path}", registry.host())},
                "image": {"docker-manifest-digest": image},
                "type": "cosign container image signature",
            },
            "optional": null,
        });
        let payload = payload.to_string().into_bytes();
        let layer = json!({
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "size": payload.len(),
            "digest": digest(&payload),
            "annotations": {"dev.cosignproject.cosign/signature": self.signature(&payload)},
        });
        let config = b"{}".to_vec();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "size": config.len(),
                "digest": digest(&config),
            },
            "layers": [layer],
        });
        registry.blob(payload);
        registry.push(path, &signature_tag(image), manifest.to_string(), OCI_MANIFEST);
    }

    /// Signs an image as cosign 3 does: a bundle in a referrer of the image.
    pub(crate) fn bundle(&self, registry: &FakeRegistry, path: &str, image: &str) {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": image.trim_start_matches("sha256:")}}],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        });
        let (kind, payload) = ("application/vnd.in-toto+json", statement.to_string());
        let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
        let bundle_type = "application/vnd.dev.sigstore.bundle.v0.3+json";
        let bundle = json!({
            "mediaType": bundle_type,
            "verificationMaterial": {"publicKey": {"hint": "a key"}},
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": kind,
                "signatures": [{"sig": self.signature(signed.as_bytes())}],
            },
        });
        let bundle = bundle.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": bundle_type,
            "config": {
                "mediaType": "application/vnd.oci.empty.v1+json",
                "size": 2,
                "digest": digest(b"{}"),
            },
            "layers": [{"mediaType": bundle_type, "size": bundle.len(), "digest": digest(&bundle)}],
            "subject": {"mediaType": OCI_MANIFEST, "size": 1, "digest": image},
            "annotations": {
                "dev.sigstore.bundle.content": "dsse-envelope",
                "dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1",
            },
        });
        registry.blob(bundle);
        registry.refer(path, image, manifest.to_string());
    }
}

/// The tag below which cosign puts the signatures of an image.
pub(crate) fn signature_tag(image: &str) -> String {
    format!("{}.sig", image.replace(':', "-"))
}
