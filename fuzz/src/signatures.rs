//! Signatures, by a key of our own: what it signed counts for the image that it names, and for no other.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use dibump::release::Digest;
use dibump::signature::{Evidence, Keys, Layout, PublicKey, verify, wanted_blobs};
use serde_json::{Value, json};

/// The image that the seeds are about, and one that they are not about.
const IMAGES: [&str; 2] = [
    "sha256:2a3bcff395e8c1a6ba6c2715b504584bf9b249677902c556bfb6db5f633053d5",
    "sha256:26c25b45429d63539ff975f9e9914acb57f1f11f40dfc167963a555534fed504",
];

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT: &str = "application/vnd.in-toto+json";
const CLAIM: &str = "cosign container image signature";
const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// Made anew in each process: nobody else's signature is by it.
static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::new);

struct Signer {
    pair: EcdsaKeyPair,
    keys: Keys,
}

/// A payload of the classic layout: the bytes are signed, and verified for two images.
pub fn cosign_payload(data: &[u8]) {
    let _ = wanted_blobs(Layout::Classic, data);
    let claims = |image: &str| {
        let payload: Value = serde_json::from_slice(data).unwrap_or_default();
        let critical = &payload["critical"];
        critical["image"]["docker-manifest-digest"] == image && critical["type"] == CLAIM
    };
    for image in IMAGES {
        let verified = verifies(Layout::Classic, image, data, &SIGNER.sign(data));
        assert!(!verified || claims(image), "verified for {image}, which it does not name");
        let stale = [data, b" "].concat();
        assert!(!verifies(Layout::Classic, image, data, &SIGNER.sign(&stale)), "another payload was signed");
    }
}

/// A bundle, or the statement in one: as it is, and with our signature in the place of its own.
pub fn bundle(data: &[u8]) {
    let _ = wanted_blobs(Layout::Bundle, data);
    let signed = Resigned::new(data);
    let names = |image: &str| {
        let statement: Value = serde_json::from_slice(&signed.payload).unwrap_or_default();
        let subjects = statement["subject"].as_array().cloned().unwrap_or_default();
        let is_image = |subject: &Value| subject["digest"]["sha256"] == image.trim_start_matches("sha256:");
        statement["predicateType"] == PREDICATE && subjects.iter().any(is_image)
    };
    for image in IMAGES {
        assert!(!verifies(Layout::Bundle, image, data, ""), "verified for {image} without our signature");
        if verifies(Layout::Bundle, image, &signed.bundle, "") {
            assert!(names(image), "verified for {image}, which it does not name");
            assert_eq!(signed.payload_type, STATEMENT);
        }
    }
}

/// A bundle whose payload we signed.
struct Resigned {
    bundle: Vec<u8>,
    payload: Vec<u8>,
    payload_type: String,
}

impl Resigned {
    fn new(data: &[u8]) -> Self {
        let read: Value = serde_json::from_slice(data).unwrap_or_default();
        let mut bundle = if read["dsseEnvelope"].is_object() { read } else { around(data) };
        let envelope = &mut bundle["dsseEnvelope"];
        let payload = BASE64_STANDARD.decode(envelope["payload"].as_str().unwrap_or_default());
        let payload = payload.unwrap_or_default();
        let payload_type = envelope["payloadType"].as_str().unwrap_or_default().to_owned();
        let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
        let signature = SIGNER.sign(&[head.as_bytes(), &payload].concat());
        if let Some(signatures) = envelope["signatures"].as_array_mut() {
            signatures.iter_mut().for_each(|each| *each = json!({ "sig": signature }));
        }
        Self { bundle: bundle.to_string().into_bytes(), payload, payload_type }
    }
}

fn around(statement: &[u8]) -> Value {
    json!({
        "mediaType": BUNDLE,
        "verificationMaterial": { "publicKey": { "hint": "" } },
        "dsseEnvelope": {
            "payload": BASE64_STANDARD.encode(statement),
            "payloadType": STATEMENT,
            "signatures": [{ "sig": "" }],
        },
    })
}

/// Whether a manifest around `blob` is a signature of the image under our key.
fn verifies(layout: Layout, image: &str, blob: &[u8], signature: &str) -> bool {
    let digest = Digest::of(blob);
    let (media_type, annotations) = match layout {
        Layout::Classic => (
            "application/vnd.dev.cosign.simplesigning.v1+json",
            json!({ "dev.cosignproject.cosign/signature": signature }),
        ),
        Layout::Bundle => (BUNDLE, json!({})),
    };
    let layer = json!({
        "mediaType": media_type, "digest": digest.as_str(), "size": blob.len(), "annotations": annotations,
    });
    let manifest = json!({ "schemaVersion": 2, "layers": [layer] }).to_string().into_bytes();
    let evidence = Evidence { layout, manifest, blobs: BTreeMap::from([(digest, blob.to_vec())]) };
    verify(&parsed(image), &[evidence], &SIGNER.keys).is_verified()
}

impl Signer {
    fn new() -> Self {
        let made = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok().and_then(|pair| {
            let der = pair.public_key().as_der().ok()?;
            let base64 = BASE64_STANDARD.encode(der.as_ref());
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
            let keys = Keys::new(PublicKey::from_pem(&pem).ok())?;
            Some(Self { pair, keys })
        });
        made.unwrap_or_else(|| panic!("no key pair could be made"))
    }

    /// The signature of `message`, in base64.
    fn sign(&self, message: &[u8]) -> String {
        match self.pair.sign(&SystemRandom::new(), message) {
            Ok(signature) => BASE64_STANDARD.encode(signature.as_ref()),
            Err(error) => panic!("{error}"),
        }
    }
}

fn parsed(digest: &str) -> Digest {
    match digest.parse() {
        Ok(digest) => digest,
        Err(error) => panic!("{error}"),
    }
}
