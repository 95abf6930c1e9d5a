//! Signatures that are missing, wrong, or could not be looked at: each its own finding, in every form.

use super::data;
use crate::fake::cosign::Signer;
use crate::fake::oci::{Fault, Image};
use crate::world::{Desk, PREFIX, Ran, VALUES, World};

const IMAGES: [&str; 5] = [
    "ubuntu-noble-plain-rke2-1-31-8",
    "ubuntu-noble-hardened-rke2-1-31-8",
    "opensuse-15-6-plain-rke2-1-31-8",
    "ubuntu-noble-plain-kubeadm-1-31-8",
    "opensuse-15-6-plain-kubeadm-1-31-8",
];

/// The release of `values`, of which the second image has no signature, the third a stranger's, and the fourth one that
/// the registry does not hand out.
async fn published(values: &str) -> World {
    let world = World::new().await;
    let (signer, stranger) = (Signer::new(), Signer::new());
    let images = IMAGES.map(|name| Image::new(name).with("name", name));
    world.registry.release(PREFIX, "0.4.12", &images);
    for (name, by) in IMAGES.iter().zip([Some(&signer), None, Some(&stranger), Some(&signer), Some(&signer)])
    {
        let path = format!("{PREFIX}/{name}");
        if let Some(by) = by {
            by.sign(&world.registry, &path, &world.registry.digest(&path, "0.4.12"));
        }
    }
    let withheld = format!("{}/manifests/sha256-", IMAGES[3]);
    world.registry.fault(Fault::status(503).on(&withheld));
    world.configure("[catalog]", "    cosign_public_keys: [{file: cosign.pub}]\n");
    world.desk.write("cosign.pub", signer.pem()).write(VALUES, values);
    world
}

fn listing() -> String {
    let keys: String = IMAGES.iter().map(|name| format!("  {name}: {{}}\n")).collect();
    format!("sylva_diskimagebuilder_version: 0.4.12\ndiskimage_builder_os_images:\n{keys}")
}

async fn check(desk: &Desk, more: &[&str]) -> Ran {
    desk.dibump(&[&["check", VALUES], more].concat()).await
}

#[tokio::test]
async fn a_missing_a_wrong_and_an_unseen_signature_are_three_findings() {
    let world = published(&listing()).await;
    let ran = check(&world.desk, &[]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    for (id, key, what) in [
        ("error[unsigned-image]", IMAGES[1], "not signed"),
        ("error[bad-signature]", IMAGES[2], "signed by another key"),
        ("warning[unchecked-signature]", IMAGES[3], "503"),
    ] {
        let place = ran.stdout.find(id).unwrap_or_else(|| panic!("{id}: {ran:#?}"));
        let finding = ran.stdout[place..].split("\n\n").next().unwrap();
        assert!(finding.contains(key) && finding.contains(what), "{finding}");
    }
    for signed in [IMAGES[0], IMAGES[4]] {
        assert!(!ran.stdout.contains(signed), "{signed}: {ran:#?}");
    }
}

#[tokio::test]
async fn what_was_not_seen_is_no_error_and_ends_with_the_code_of_a_retry() {
    let world = published(&listing()).await;
    let off = ["--severity", "unsigned-image=off", "--severity", "bad-signature=off"];
    let ran = check(&world.desk, &off).await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    assert!(ran.stdout.contains("unchecked-signature") && !ran.stdout.contains("error["), "{ran:#?}");
    let none = check(&world.desk, &["--signatures", "off"]).await;
    assert_eq!(none.exit, Some(0), "{none:#?}");
}

#[tokio::test]
async fn every_kind_of_defect_is_there_in_every_form() {
    let world = published(&data("check/values.yaml")).await;
    for format in ["text", "json", "code-quality", "sarif", "junit", "markdown"] {
        let ran = check(&world.desk, &["--images", "all", "--format", format]).await;
        assert_eq!(ran.exit, Some(10), "{ran:#?}");
        for id in [
            "dead-key",
            "duplicate-key",
            "unlisted-artifact",
            "unsigned-image",
            "bad-signature",
            "unchecked-signature",
            "kubernetes-version",
            "selector",
            "unknown-image-key",
            "ignore-without-reason",
            "unused-ignore",
        ] {
            assert!(ran.stdout.contains(id), "{id} in {format}: {ran:#?}");
        }
    }
}
