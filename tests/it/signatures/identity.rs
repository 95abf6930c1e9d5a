//! Vectors of genuine images that a registry hands out under the name or the tag of another one, in both layouts.

use std::collections::BTreeMap;

use dibump::release::identity::Asked;
use dibump::release::policy::IdentityDemand;
use dibump::release::{Digest, Naming};
use dibump::signature::{Evidence, Verdict, verify};
use serde::Deserialize;

use super::tools::Held;
use super::{keys, read, vectors};

#[derive(Deserialize)]
struct Vectors {
    keys: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    asked: Reference,
    manifest: String,
    evidence: Vec<Held>,
    expected: String,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    tag: String,
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// What is said of the image as what was asked for; "signed" in place of the key's name.
fn told(case: &Case, verdict: Verdict, demand: IdentityDemand) -> String {
    let (name, naming) = (case.asked.name.parse().unwrap(), Naming::default());
    let asked = Asked { name: &name, tag: &case.asked.tag, naming: &naming };
    let manifest: Manifest = serde_json::from_str(&case.manifest).unwrap();
    let verdict = verdict.judged_as(&asked, &manifest.annotations, demand);
    let text = verdict.to_string();
    match &verdict {
        Verdict::Verified(proof) => text.replace(&format!(" by key {}", proof.key().short()), ""),
        _ => text,
    }
}

#[test]
fn what_a_registry_hands_out_as_something_else_is_told_in_both_layouts() {
    let vectors: Vectors = read(&vectors().join("identity.json"));
    let keys = keys(&[&vectors.keys["producer"]]);
    for case in &vectors.cases {
        let evidence: Vec<Evidence> = case.evidence.iter().map(Held::evidence).collect();
        let verdict = verify(&Digest::of(case.manifest.as_bytes()), &evidence, &keys);
        assert!(verdict.is_verified(), "{}: every one of them is genuine: {verdict:?}", case.name);
        assert_eq!(told(case, verdict.clone(), IdentityDemand::Proven), case.expected, "{}", case.name);
        let required = told(case, verdict, IdentityDemand::Required);
        match case.expected.as_str() {
            lacks if lacks.starts_with("signed") && lacks.ends_with("not proven") => {
                assert!(required.starts_with("wrongly signed (its "), "{}: {required}", case.name)
            }
            same => assert_eq!(required, same, "{}", case.name),
        }
    }
    for layout in ["classic", "bundle"] {
        let of = |what: &str| {
            vectors
                .cases
                .iter()
                .filter(|case| case.name.starts_with(what) && case.name.ends_with(&format!("({layout})")))
                .count()
        };
        assert_eq!((of("substitution"), of("rollback")), (3, 2), "{layout}");
    }
}
