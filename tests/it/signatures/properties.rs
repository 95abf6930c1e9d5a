//! What no change of a single byte, and no sequence of bytes, may do.

use dibump::release::Digest;
use dibump::signature::{Evidence, Keys, Layout, PublicKey, Verdict, verify, wanted_blobs};
use proptest::prelude::*;
use serde_json::json;

use super::signer::*;
use super::verified;

/// Every text that differs from `bytes` in one bit of one byte.
fn changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).flat_map(move |at| {
        (0..8).map(move |bit| {
            let mut other = bytes.to_vec();
            other[at] ^= 1 << bit;
            other
        })
    })
}

/// With this blob in place of its only one, and a manifest that describes it.
fn holding(evidence: &Evidence, blob: &[u8]) -> Evidence {
    let digest = Digest::of(blob);
    let manifest = edited(evidence.clone(), |manifest| {
        manifest["layers"][0]["digest"] = json!(digest.as_str());
        manifest["layers"][0]["size"] = json!(blob.len());
    });
    Evidence { blobs: [(digest, blob.to_vec())].into(), ..manifest }
}

fn only_blob(evidence: &Evidence) -> (&Digest, &Vec<u8>) {
    evidence.blobs.iter().next().unwrap()
}

fn is_verified(evidence: Evidence, keys: &Keys) -> bool {
    verify(&subject(), &[evidence], keys).is_verified()
}

#[test]
fn no_changed_byte_of_a_blob_passes_its_descriptor() {
    let signer = Signer::new();
    for genuine in [signer.signs_classic(&subject()), signer.signs_bundle(&subject())] {
        assert!(is_verified(genuine.clone(), &signer.keys()));
        let (digest, blob) = only_blob(&genuine);
        for other in changed(blob) {
            let evidence = Evidence { blobs: [(digest.clone(), other)].into(), ..genuine.clone() };
            assert!(!is_verified(evidence, &signer.keys()));
        }
    }
}

#[test]
fn no_changed_byte_of_a_payload_passes_its_signature() {
    let signer = Signer::new();
    let genuine = signer.signs_classic(&subject());
    assert!(is_verified(holding(&genuine, only_blob(&genuine).1), &signer.keys()));
    for other in changed(only_blob(&genuine).1) {
        assert!(!is_verified(holding(&genuine, &other), &signer.keys()));
    }
}

#[test]
fn no_changed_byte_of_a_signature_passes() {
    let signer = Signer::new();
    let payload = claim(CLAIM, subject().as_str());
    let genuine = signer.signs_classic(&subject());
    let manifest: serde_json::Value = serde_json::from_slice(&genuine.manifest).unwrap();
    let signature =
        manifest["layers"][0]["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap();
    assert!(is_verified(classic(&payload, signature), &signer.keys()));
    for other in changed(signature.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok()) {
        assert!(!is_verified(classic(&payload, &other), &signer.keys()), "{other}");
    }
}

/// Nothing in a manifest is signed, nor is the hint in a bundle: a change there may be without effect, never with another.
#[test]
fn a_changed_byte_of_what_is_not_signed_proves_nothing_else() {
    let (signer, stranger) = (Signer::new(), Signer::new().keys());
    for genuine in [signer.signs_classic(&subject()), signer.signs_bundle(&subject())] {
        let proof = verified(verify(&subject(), std::slice::from_ref(&genuine), &signer.keys()));
        // Every seventh of eight changes a byte: each byte, and another bit each time.
        let manifests =
            changed(&genuine.manifest).step_by(7).map(|manifest| Evidence { manifest, ..genuine.clone() });
        let blobs = changed(only_blob(&genuine).1).step_by(7).map(|blob| holding(&genuine, &blob));
        for evidence in manifests.chain(blobs) {
            if let Verdict::Verified(other) =
                verify(&subject(), std::slice::from_ref(&evidence), &signer.keys())
            {
                assert_eq!(other, proof);
            }
            assert!(!verify(&another(), std::slice::from_ref(&evidence), &signer.keys()).is_verified());
            assert!(!is_verified(evidence, &stranger));
        }
    }
}

#[test]
fn no_changed_byte_of_an_envelope_passes_its_signature() {
    let signer = Signer::new();
    let genuine = signer.signs_bundle(&subject());
    assert!(is_verified(holding(&genuine, only_blob(&genuine).1), &signer.keys()));
    let blob = String::from_utf8(only_blob(&genuine).1.clone()).unwrap();
    let bundle: serde_json::Value = serde_json::from_str(&blob).unwrap();
    let envelope = &bundle["dsseEnvelope"];
    for part in [&envelope["payload"], &envelope["payloadType"], &envelope["signatures"][0]["sig"]] {
        let part = part.as_str().unwrap();
        for other in changed(part.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok()) {
            let changed = blob.replacen(part, &other, 1);
            assert!(!is_verified(holding(&genuine, changed.as_bytes()), &signer.keys()), "{changed}");
        }
    }
}

fn layout() -> impl Strategy<Value = Layout> {
    prop_oneof![Just(Layout::Classic), Just(Layout::Bundle)]
}

/// Bytes, and JSON-like text out of the words that mean something here.
fn anything() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        prop::collection::vec(prop::sample::select(WORDS), 0..60)
            .prop_map(|words| words.concat().into_bytes()),
    ]
}

const WORDS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "null",
    "1",
    "\"layers\"",
    "\"mediaType\"",
    "\"digest\"",
    "\"size\"",
    "\"annotations\"",
    "\"artifactType\"",
    "\"critical\"",
    "\"dsseEnvelope\"",
    "\"verificationMaterial\"",
    BUNDLE,
    SIMPLE_SIGNING,
    MANIFEST,
    "sha256:",
    "\u{feff}",
    "-----BEGIN PUBLIC KEY-----",
    "-----END PUBLIC KEY-----",
    "\n",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic_or_verify(
        layout in layout(),
        manifest in anything(),
        blob in anything(),
        payload in anything(),
    ) {
        let signer = Signer::new();
        let _ = wanted_blobs(layout, &manifest);
        let held = Evidence { layout, manifest, blobs: [(Digest::of(&blob), blob.clone())].into() };
        prop_assert!(!is_verified(held, &signer.keys()));
        let genuine = signer.signs_bundle(&subject());
        prop_assert!(!is_verified(holding(&genuine, &blob), &signer.keys()));
        let payload = String::from_utf8_lossy(&payload);
        prop_assert!(!is_verified(signer.classic(&payload), &signer.keys()));
        prop_assert!(!is_verified(signer.bundle(&payload), &signer.keys()));
        prop_assert!(PublicKey::from_pem(&payload).is_err());
    }
}
