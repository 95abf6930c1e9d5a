//! The truth table: what stands at the tag, what stands in a bundle, and which keys are asked for. Every cell that is not
//! a genuine signature of this image by one of the keys fails closed.

use dibump::signature::{Evidence, Keys, Layout, Verdict, verify};
use serde_json::json;

use super::signer::*;

/// What a layout holds, and whose genuine signature of the image it is, if it is one.
struct Holds {
    what: &'static str,
    evidence: Vec<Evidence>,
    signed_by: Option<usize>,
    /// How many signatures are to be refused where it does not count.
    refused: usize,
}

impl Holds {
    fn nothing(what: &'static str, evidence: Vec<Evidence>) -> Self {
        Self { what, evidence, signed_by: None, refused: 0 }
    }

    fn genuine(what: &'static str, evidence: Evidence, signer: usize) -> Self {
        Self { what, evidence: vec![evidence], signed_by: Some(signer), refused: 1 }
    }

    fn false_one(what: &'static str, evidence: Evidence) -> Self {
        Self { what, evidence: vec![evidence], signed_by: None, refused: 1 }
    }
}

fn without_blobs(mut evidence: Evidence) -> Evidence {
    evidence.blobs.clear();
    evidence
}

fn with_other_blobs(mut evidence: Evidence) -> Evidence {
    evidence.blobs.values_mut().for_each(|blob| blob[0] ^= 1);
    evidence
}

fn cut(mut evidence: Evidence) -> Evidence {
    evidence.manifest.pop();
    evidence
}

fn at_the_tag(signers: &[Signer; 2]) -> Vec<Holds> {
    let genuine = || signers[0].signs_classic(&subject());
    let no_layers = |layers| edited(genuine(), |manifest| manifest["layers"] = layers);
    vec![
        Holds::nothing("nothing", vec![]),
        Holds::nothing("no layers", vec![no_layers(json!([]))]),
        Holds::nothing("null layers", vec![no_layers(json!(null))]),
        Holds::genuine("one's signature", genuine(), 0),
        Holds::genuine("the other's signature", signers[1].signs_classic(&subject()), 1),
        Holds::false_one("a replay", signers[0].signs_classic(&another())),
        Holds::false_one("another type", signers[0].classic(&claim("something", subject().as_str()))),
        Holds::false_one(
            "an upper-case digest",
            signers[0].classic(&claim(CLAIM, &subject().as_str().to_uppercase())),
        ),
        Holds::false_one("a payload that is gone", without_blobs(genuine())),
        Holds::false_one("a payload that was changed", with_other_blobs(genuine())),
        Holds::false_one("a manifest that was cut", cut(genuine())),
    ]
}

fn in_a_bundle(signers: &[Signer; 2]) -> Vec<Holds> {
    let genuine = || signers[0].signs_bundle(&subject());
    let mut message = signers[0].envelope(IN_TOTO, &statement(SIGNED, subject().hex()));
    message["messageSignature"] = json!({});
    let of_packages = json!({"schemaVersion": 2, "artifactType": "application/spdx+json", "layers": [descriptor("text/plain", b"{}")]});
    vec![
        Holds::nothing("nothing", vec![]),
        Holds::nothing("a list of packages", vec![evidence(Layout::Bundle, &of_packages, &["{}"])]),
        Holds::genuine("one's signature", genuine(), 0),
        Holds::genuine("the other's signature", signers[1].signs_bundle(&subject()), 1),
        Holds::false_one("a replay", signers[0].signs_bundle(&another())),
        Holds::false_one(
            "an attestation",
            signers[0].bundle(&statement("https://spdx.dev/Document", subject().hex())),
        ),
        Holds::false_one("a signed message", bundle(&message.to_string())),
        Holds::false_one("a bundle that is gone", without_blobs(genuine())),
        Holds::false_one("a bundle that was changed", with_other_blobs(genuine())),
        Holds::false_one("a manifest that was cut", cut(genuine())),
    ]
}

#[test]
fn only_a_genuine_signature_of_this_image_by_one_of_the_keys_counts() {
    let signers = [Signer::new(), Signer::new()];
    let asked_for: [(&[usize], Keys); 4] = [
        (&[0], signers[0].keys()),
        (&[1], signers[1].keys()),
        (&[0, 1], Keys::new(signers.iter().map(Signer::key)).unwrap()),
        (&[], Signer::new().keys()),
    ];
    let mut cells = 0;
    for tag in at_the_tag(&signers) {
        for bundle in in_a_bundle(&signers) {
            for (whose, keys) in &asked_for {
                cell(&tag, &bundle, whose, keys, &signers);
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 11 * 10 * 4);
}

/// Both orders of what was found give the same verdict; the tag goes first.
fn cell(tag: &Holds, bundle: &Holds, whose: &[usize], keys: &Keys, signers: &[Signer; 2]) {
    let name = format!("at the tag {}, in a bundle {}, keys {whose:?}", tag.what, bundle.what);
    let mut found = [tag.evidence.clone(), bundle.evidence.clone()].concat();
    let verdict = verify(&subject(), &found, keys);
    found.reverse();
    assert_eq!(verify(&subject(), &found, keys), verdict, "{name}");

    let counts = |holds: &Holds| holds.signed_by.filter(|signer| whose.contains(signer));
    let first = counts(tag).map(|signer| (signer, Layout::Classic));
    match first.or_else(|| counts(bundle).map(|signer| (signer, Layout::Bundle))) {
        Some((signer, layout)) => {
            let Verdict::Verified(proof) = verdict else { panic!("{name}: {verdict:?}") };
            assert_eq!(
                (proof.layout(), proof.key()),
                (layout, &signers[signer].key().fingerprint()),
                "{name}"
            );
            assert_eq!(proof.reference(), (layout == Layout::Classic).then_some(REPOSITORY), "{name}");
        }
        None if tag.refused + bundle.refused == 0 => assert_eq!(verdict, Verdict::Unsigned, "{name}"),
        None => {
            let Verdict::Bad(rejections) = verdict else { panic!("{name}: {verdict:?}") };
            assert_eq!(rejections.len(), tag.refused + bundle.refused, "{name}: {rejections:?}");
        }
    }
}
