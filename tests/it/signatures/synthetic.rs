//! A genuine signature of the producer, and cases that were made with throw-away keys.

use std::collections::BTreeMap;

use dibump::release::Digest;
use dibump::signature::{Evidence, Layout, Verdict, verify, wanted_blobs};
use serde::Deserialize;
use serde_json::Value;

use super::signer::{bundle, classic};
use super::{keys, read, rejections, vectors, verified};

#[derive(Deserialize)]
struct Genuine {
    payload: String,
    payload_sha256: String,
    signature_b64: String,
    public_key_pem: String,
    manifest_digest: Digest64,
    docker_reference: String,
}

#[derive(Deserialize)]
struct Synthetic {
    public_key_pem: String,
    other_public_key_pem: String,
    artifact_manifest: String,
    artifact_digest: Digest64,
    simple_signing: Vec<SimpleSigning>,
    sig_manifest_valid: String,
    sig_manifest_second_layer_valid: String,
    sig_manifest_none_valid: String,
    sig_manifest_empty: String,
    bundles: Vec<Bundle>,
}

#[derive(Deserialize)]
struct SimpleSigning {
    name: String,
    payload: String,
    signature: String,
    expect: String,
}

#[derive(Deserialize)]
struct Bundle {
    name: String,
    bundle: Value,
    expect: String,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Digest64(Digest);

impl TryFrom<String> for Digest64 {
    type Error = dibump::release::InvalidDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

fn synthetic() -> Synthetic {
    read(&vectors().join("synthetic-vectors.json"))
}

/// Why each of the cases that are to be refused is refused.
const REASONS: [(&str, &str); 19] = [
    ("other-digest", "it signs another image, sha256:0000"),
    ("wrong-key", "signed by another key"),
    ("tampered-payload", "signed by another key, or changed since"),
    ("wrong-type", "its type is `atomic container signature`"),
    ("duplicate-key", "`docker-manifest-digest` is written twice"),
    ("digest-alg-sha512", "the digest `sha512:aaa"),
    ("digest-upper-case", "the digest `SHA256:2A3B"),
    ("sig-empty", "the signature is not DER"),
    ("sig-not-base64", "the signature is not base64"),
    ("sig-raw-r-s", "the signature is not DER"),
    ("sig-der-trailing", "the signature is not DER"),
    ("sig-urlsafe-nopad", "the signature is not base64"),
    ("other-subject", "it signs another image, sha256:0000"),
    ("sha512-subject-only", "no subject with a sha256 digest"),
    ("payload-type-swapped", "signed by another key"),
    ("payload-type-other", "holds a `application/json`"),
    ("bundle-v0.1", "version=0.1`, not 0.3"),
    ("no-signatures", "has 0 signatures"),
    ("other-predicate", "predicate type `https://slsa.dev/provenance/v1`"),
];

/// Whether the verdict is the vector's: "accept…" or anything else, which is not a signature.
fn agrees(name: &str, expect: &str, verdict: Verdict) {
    if expect.starts_with("accept") {
        assert!(verdict.is_verified(), "{name}: {verdict:?}");
        return;
    }
    let (_, reason) = REASONS.iter().find(|(known, _)| *known == name).expect(name);
    let [rejection] = rejections(verdict).try_into().unwrap();
    assert!(rejection.to_string().contains(reason), "{name}: {rejection}");
}

#[test]
fn the_producers_genuine_signature_verifies() {
    let genuine: Genuine = read(&vectors().join("real-vector.json"));
    let evidence = classic(&genuine.payload, &genuine.signature_b64);
    assert_eq!(Digest::of(genuine.payload.as_bytes()).hex(), genuine.payload_sha256);
    let keys = keys(&[&genuine.public_key_pem]);
    let proof = verified(verify(&genuine.manifest_digest.0, std::slice::from_ref(&evidence), &keys));
    assert_eq!(proof.reference(), Some(genuine.docker_reference.as_str()));
    assert_eq!(proof.layout(), Layout::Classic);
    assert_eq!(*proof.key(), keys.iter().next().unwrap().fingerprint());
    let other = super::keys(&[&synthetic().public_key_pem]);
    assert!(!verify(&genuine.manifest_digest.0, &[evidence], &other).is_verified());
}

#[test]
fn all_verdicts_of_the_synthetic_vectors_agree() {
    let vectors = synthetic();
    let keys = keys(&[&vectors.public_key_pem]);
    let subject = Digest::of(vectors.artifact_manifest.as_bytes());
    assert_eq!(subject, vectors.artifact_digest.0);
    for case in &vectors.simple_signing {
        let evidence = classic(&case.payload, &case.signature);
        agrees(&case.name, &case.expect, verify(&subject, &[evidence], &keys));
    }
    for case in &vectors.bundles {
        let evidence = bundle(&case.bundle.to_string());
        agrees(&case.name, &case.expect, verify(&subject, &[evidence], &keys));
    }
    assert_eq!(vectors.simple_signing.len() + vectors.bundles.len(), 28);
}

#[test]
fn what_another_key_signed_counts_under_that_key() {
    let vectors = synthetic();
    let other = keys(&[&vectors.other_public_key_pem]);
    for case in &vectors.simple_signing {
        let verdict = verify(&vectors.artifact_digest.0, &[classic(&case.payload, &case.signature)], &other);
        assert_eq!(verdict.is_verified(), case.name == "wrong-key", "{}", case.name);
    }
}

#[test]
fn one_good_layer_of_a_manifest_is_enough_and_none_is_unsigned() {
    let vectors = synthetic();
    let keys = keys(&[&vectors.public_key_pem]);
    let verdict = |manifest: &str| verify(&vectors.artifact_digest.0, &[held(manifest, &vectors)], &keys);
    assert!(verdict(&vectors.sig_manifest_valid).is_verified());
    assert!(verdict(&vectors.sig_manifest_second_layer_valid).is_verified());
    assert!(!rejections(verdict(&vectors.sig_manifest_none_valid)).is_empty());
    assert_eq!(verdict(&vectors.sig_manifest_empty), Verdict::Unsigned);
}

/// The manifest, and those of its blobs that are asked for.
fn held(manifest: &str, vectors: &Synthetic) -> Evidence {
    let payloads: BTreeMap<Digest, &str> = vectors
        .simple_signing
        .iter()
        .map(|case| (Digest::of(case.payload.as_bytes()), case.payload.as_str()))
        .collect();
    let wanted = wanted_blobs(Layout::Classic, manifest.as_bytes()).unwrap();
    let blobs = wanted.iter().map(|blob| (blob.digest.clone(), payloads[&blob.digest].as_bytes().to_vec()));
    Evidence { layout: Layout::Classic, manifest: manifest.as_bytes().to_vec(), blobs: blobs.collect() }
}
