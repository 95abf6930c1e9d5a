use super::*;
use crate::release::facets::ANNOTATION_PREFIX;
use crate::release::{ImageKey, Naming};
use crate::signature::{Layout, PublicKey};

const NAME: &str = "ubuntu-noble-plain-rke2-1-31-8";

const SAYS_ITS_NAME: [(&str, &str); 5] = [
    ("os", "ubuntu"),
    ("os-release", "noble"),
    ("flavor", "plain"),
    ("k8s-flavor", "rke2"),
    ("k8s-version", "1.31.8+rke2r1"),
];

fn verified(reference: Option<&str>) -> Verdict {
    let key = PublicKey::from_pem(include_str!("../../../tests/data/cosign.pub")).unwrap().fingerprint();
    let reference = reference.map(str::to_owned);
    Verdict::Verified(Verified { key, layout: Layout::Classic, reference, lacks: Lacks::default() })
}

/// What the verdict on the image says after "signed by key …", or why it does not count.
fn told(verdict: Verdict, annotations: &[(&str, &str)], demand: IdentityDemand) -> String {
    let (name, naming): (ImageKey, _) = (NAME.parse().unwrap(), Naming::default());
    let annotations =
        annotations.iter().map(|(name, value)| (format!("{ANNOTATION_PREFIX}{name}"), (*value).to_owned()));
    let asked = Asked { name: &name, tag: "0.4.12", naming: &naming };
    match verdict.judged_as(&asked, &annotations.collect(), demand) {
        Verdict::Verified(verified) => verified.lacks.to_string(),
        other => other.to_string(),
    }
}

#[test]
fn the_reference_proves_the_name_where_annotations_are_silent() {
    let name = SAYS_ITS_NAME.as_slice();
    let all = [name, &[("commit-tag", "0.4.12")]].concat();
    let part = &name[..4];
    let snapshot = format!("registry.gitlab.com/group/diskimage-builder/snapshots/{NAME}");
    let (tagged, other) =
        (format!("mirror:5000/x/{NAME}:0.4.12"), "registry.example/diskimage-builder/other");
    let (no_release, neither) = (", release not proven", ", name and release not proven");
    let as_other = " as other, name and release not proven";
    let table = [
        (Some(snapshot.as_str()), &[][..], no_release),
        (Some(&tagged), &[], no_release),
        (Some(other), &[], as_other),
        (None, &[], neither),
        (Some(other), part, as_other),
        (Some(&snapshot), part, no_release),
        (Some(other), name, no_release),
        (None, name, no_release),
        (Some(other), &all, ""),
        (None, &all, ""),
        (Some(other), &[("commit-tag", "0.4.12")], " as other, name not proven"),
        (Some("registry.example/x/"), &[], neither),
    ];
    for (reference, annotations, expected) in table {
        let found = told(verified(reference), annotations, IdentityDemand::Proven);
        assert_eq!(found, expected, "{reference:?} {annotations:?}");
        let required = told(verified(reference), annotations, IdentityDemand::Required);
        let expected = match expected {
            "" => "",
            lacks if lacks.contains("name") => "wrongly signed (its name is not proven)",
            _ => "wrongly signed (its release is not proven)",
        };
        assert_eq!(required, expected, "{reference:?} {annotations:?}");
    }
}

#[test]
fn a_contradiction_refuses_whatever_the_reference_and_the_setting_say() {
    let unknown = || Verdict::Unknown { reason: "503".to_owned() };
    let genuine = format!("registry.example/diskimage-builder/{NAME}");
    let table = [
        (("commit-tag", "0.4.11"), "another release: its commit-tag is `0.4.11`, not `0.4.12`"),
        (("flavor", "hardened"), "another image: its flavor is `hardened`, not `plain`"),
    ];
    for (annotation, expected) in table {
        for demand in [IdentityDemand::Proven, IdentityDemand::Required] {
            for verdict in [verified(Some(&genuine)), verified(None), unknown()] {
                assert_eq!(told(verdict, &[annotation], demand), expected);
            }
            assert_eq!(told(Verdict::Unsigned, &[annotation], demand), "not signed");
        }
    }
    assert_eq!(told(unknown(), &SAYS_ITS_NAME, IdentityDemand::Required), "not checked (503)");
}
