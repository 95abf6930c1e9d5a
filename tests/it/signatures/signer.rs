//! A signer of our own, who also signs what no honest one would.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use dibump::release::Digest;
use dibump::signature::{Evidence, Keys, Layout, PublicKey};
use serde_json::{Value, json};

pub(super) const CLAIM: &str = "cosign container image signature";
pub(super) const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";
pub(super) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub(super) const IN_TOTO: &str = "application/vnd.in-toto+json";
pub(super) const REPOSITORY: &str = "registry.example/images/ubuntu";

/// The image that everything here is about.
pub(super) fn subject() -> Digest {
    Digest::of(b"an image")
}

/// Another one.
pub(super) fn another() -> Digest {
    Digest::of(b"another image")
}

pub(super) struct Signer(EcdsaKeyPair);

impl Signer {
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(super) fn key(&self) -> PublicKey {
        let head = BASE64_STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=").unwrap();
        let der = [&head, self.0.public_key().as_ref()].concat();
        let der = BASE64_STANDARD.encode(der);
        PublicKey::from_pem(&format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n"))
            .unwrap()
    }

    pub(super) fn keys(&self) -> Keys {
        Keys::new([self.key()]).unwrap()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// The signature manifest of a payload, with its one layer.
    pub(super) fn classic(&self, payload: &str) -> Evidence {
        classic(payload, &BASE64_STANDARD.encode(self.sign(payload.as_bytes())))
    }

    /// A bundle around a payload of this type.
    pub(super) fn envelope(&self, payload_type: &str, payload: &str) -> Value {
        let message = format!("DSSEv1 {} {payload_type} {} {payload}", payload_type.len(), payload.len());
        json!({
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": "bm90aGluZw=="}},
            "dsseEnvelope": {
                "payload": BASE64_STANDARD.encode(payload),
                "payloadType": payload_type,
                "signatures": [{"sig": BASE64_STANDARD.encode(self.sign(message.as_bytes()))}],
            },
        })
    }

    /// The signature manifest of a bundle around a statement.
    pub(super) fn bundle(&self, statement: &str) -> Evidence {
        bundle(&self.envelope(IN_TOTO, statement).to_string())
    }

    /// A signature of `digest` in the classic layout, as cosign makes it.
    pub(super) fn signs_classic(&self, digest: &Digest) -> Evidence {
        self.classic(&claim(CLAIM, digest.as_str()))
    }

    /// A signature of `digest` in a bundle, as cosign makes it.
    pub(super) fn signs_bundle(&self, digest: &Digest) -> Evidence {
        self.bundle(&statement(SIGNED, digest.hex()))
    }
}

pub(super) fn claim(kind: &str, digest: &str) -> String {
    let identity = json!({"docker-reference": REPOSITORY});
    let image = json!({"docker-manifest-digest": digest});
    json!({"critical": {"identity": identity, "image": image, "type": kind}, "optional": null}).to_string()
}

pub(super) fn statement(predicate_type: &str, sha256: &str) -> String {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": sha256}}],
        "predicateType": predicate_type,
        "predicate": {},
    })
    .to_string()
}

pub(super) fn classic(payload: &str, signature: &str) -> Evidence {
    let mut layer = descriptor(SIMPLE_SIGNING, payload.as_bytes());
    layer["annotations"] = json!({"dev.cosignproject.cosign/signature": signature});
    evidence(
        Layout::Classic,
        &json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": [layer]}),
        &[payload],
    )
}

pub(super) fn bundle(bundle: &str) -> Evidence {
    let layers = [descriptor(BUNDLE, bundle.as_bytes())];
    let manifest =
        json!({"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE, "layers": layers});
    evidence(Layout::Bundle, &manifest, &[bundle])
}

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub(super) fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(blob).as_str(), "size": blob.len()})
}

pub(super) fn evidence(layout: Layout, manifest: &Value, blobs: &[&str]) -> Evidence {
    let blobs = blobs.iter().map(|blob| (Digest::of(blob.as_bytes()), blob.as_bytes().to_vec())).collect();
    Evidence { layout, manifest: manifest.to_string().into_bytes(), blobs }
}

/// The same with another manifest.
pub(super) fn edited(mut evidence: Evidence, edit: impl FnOnce(&mut Value)) -> Evidence {
    let mut manifest = serde_json::from_slice(&evidence.manifest).unwrap();
    edit(&mut manifest);
    evidence.manifest = manifest.to_string().into_bytes();
    evidence
}
