//! Signatures in the main job: what is signed is proposed, what is not is held, and what cannot be told changes nothing.

use std::collections::BTreeMap;

use crate::fake::cosign::{Signer, signature_tag};
use crate::fake::oci::{Fault, Referrers};
use crate::said::{about, once, says};
use crate::world::{AT_0_4_11, PREFIX, Ran, VALUES, World, images};

/// Whose key is configured, and who signs.
struct Signed {
    world: World,
    signer: Signer,
}

impl Signed {
    fn new(world: World) -> Self {
        let signer = Signer::new();
        world.desk.write("cosign.pub", signer.pem());
        world.configure("[catalog]", "    cosign_public_keys: [{file: cosign.pub}]\n");
        Self { world, signer }
    }

    fn each(&self, patch: u32, work: impl Fn(&Signer, &str, &str)) {
        for image in images(patch) {
            let path = format!("{PREFIX}/{}", image.name);
            let digest = self.world.registry.digest(&path, &format!("0.4.{patch}"));
            work(&self.signer, &path, &digest);
        }
    }

    fn sign(&self, patch: u32) {
        self.each(patch, |signer, path, digest| signer.sign(&self.world.registry, path, digest));
    }
}

stories! {
    a_signed_release_is_proposed_and_the_reviewer_told_by_which_key,
    an_unsigned_release_is_held_and_nobodys_word_ends_that,
    the_signatures_of_a_release_that_is_listed_already_are_not_asked_for,
}

async fn a_signed_release_is_proposed_and_the_reviewer_told_by_which_key(world: World) {
    let signed = Signed::new(world);
    signed.sign(12);
    says(&signed.world.run().await, "created");
    let text = signed.world.merge_requests().remove(0).text;
    reads!(about(&text, "signed"), @"
    | ✅ | Signatures | 2 of 2 images are signed, by key KEY; release of 2 not proven; name of 1 not proven |
    | `opensuse-15-6-plain-kubeadm-1-30-12` | 1.0 MiB | signed by key KEY as ubuntu-noble-plain-rke2-1-30-12, name and release not proven | `sha256:f274f026d249325c43d77095ff8ca467928f745c31e3a5a120a4e26d4c33f64b` |
    | `ubuntu-noble-plain-rke2-1-30-12` | 1.0 MiB | signed by key KEY, release not proven | `sha256:f274f026d249325c43d77095ff8ca467928f745c31e3a5a120a4e26d4c33f64b` |
    ");
}

async fn an_unsigned_release_is_held_and_nobodys_word_ends_that(world: World) {
    let signed = Signed::new(world);
    signed.world.accept("0.4.12");
    let (held, writes) = signed.world.run_and_writes().await;
    assert_eq!(held.exit, Some(0), "{held:#?}");
    says(&held, "held (unsigned)");
    reads!(about(&held.stdout, "signed"), @"
    ‖ 0.4.12  held: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed  2
    0.4.12: it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    held (unsigned): 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed; it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    → held (unsigned)
    ");
    assert!(writes.is_empty(), "{writes:#?}");

    signed.sign(12);
    says(&signed.world.run().await, "created");
}

async fn the_signatures_of_a_release_that_is_listed_already_are_not_asked_for(world: World) {
    let signed = Signed::new(world);
    for image in images(12) {
        signed.world.registry.remove(&format!("{PREFIX}/{}", image.name), "0.4.12");
    }
    says(&signed.world.run().await, "up to date");
    assert_eq!(signed.world.registry.count(".sig"), 0);
}

/// A local plan of a file at 0.4.11 with 0.4.12 published.
async fn desk() -> Signed {
    let signed = Signed::new(World::new().await);
    signed.world.desk.write(VALUES, AT_0_4_11);
    signed
}

async fn plan(signed: &Signed, more: &[&str]) -> Ran {
    signed.world.desk.dibump(&[&["plan", VALUES], more].concat()).await
}

#[tokio::test]
async fn every_layout_of_every_registry_verifies_and_everything_else_fails_closed() {
    let mut cells = 0;
    let mut told: BTreeMap<&str, String> = BTreeMap::new();
    for referrers in [Referrers::Api, Referrers::ByTag, Referrers::TheImageItself] {
        for classic in [None, Some(true), Some(false)] {
            for bundle in [None, Some(true), Some(false)] {
                // A registry that takes the tag for a digest has no place for bundles.
                if referrers == Referrers::TheImageItself && bundle.is_some() {
                    continue;
                }
                let signed = desk().await;
                let stranger = Signer::new();
                let registry = &signed.world.registry;
                registry.referrers(referrers);
                signed.each(12, |signer, path, digest| {
                    let by = |ours: bool| if ours { signer } else { &stranger };
                    if let Some(ours) = classic {
                        by(ours).sign(registry, path, digest);
                    }
                    if let Some(ours) = bundle {
                        by(ours).bundle(registry, path, digest);
                    }
                });
                let ran = plan(&signed, &[]).await;
                let cell = format!("{referrers:?}, classic {classic:?}, bundle {bundle:?}: {ran:#?}");
                assert_eq!(ran.exit, Some(0), "{cell}");
                let (good, bad) = (Some(true), Some(false));
                let by = match (classic, bundle) {
                    (c, b) if c == good || b == good => "by the producer",
                    (c, b) if c == bad || b == bad => "by a stranger",
                    _ => "by nobody",
                };
                assert_eq!(ran.stdout.contains("update 0.4.11 → 0.4.12"), by == "by the producer", "{cell}");
                told.entry(by).or_default().push_str(&about(&ran.stdout, "signed"));
                cells += 1;
            }
        }
    }
    let told: String = told.into_iter().map(|(by, told)| format!("# signed {by}\n{}", once(&told))).collect();
    reads!(told, @"
    # signed by a stranger
    ‖ 0.4.12  held: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is wrongly signed (signed by another key, or changed since)  2
    0.4.12: it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    held (unsigned): 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is wrongly signed (signed by another key, or changed since); it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    # signed by nobody
    ‖ 0.4.12  held: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed  2
    0.4.12: it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    held (unsigned): 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed; it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    # signed by the producer
    signatures: 2 of 2 images are signed, by key KEY; release of 2 not proven; name of 2 not proven
    signatures: 2 of 2 images are signed, by key KEY; release of 2 not proven; name of 1 not proven
    ");
    assert_eq!(cells, 21);
}

#[tokio::test]
async fn a_registry_that_refuses_or_lies_about_signatures_proves_nothing() {
    for (path, fault) in [
        (".sig", Fault::status(500)),
        (".sig", Fault::status(429)),
        (".sig", Fault::status(401)),
        (".sig", Fault::status(403)),
        (".sig", Fault::cut()),
        (".sig", Fault::status(200).body("<html>sign in</html>").header("content-type", "text/html")),
        ("/blobs/", Fault::status(503)),
        ("/blobs/", Fault::status(403)),
        ("/blobs/", Fault::cut()),
        ("/blobs/", Fault::status(200).body("{}")),
    ] {
        let signed = desk().await;
        signed.sign(12);
        signed.world.registry.fault(fault.clone().on(path));
        let ran = plan(&signed, &["--write"]).await;
        assert_eq!(ran.exit, Some(4), "{path} {fault:?}: {ran:#?}");
        // Why it could not be checked is the registry's matter.
        let told = about(&ran.stdout, "unknown, ");
        reads!(told.split(" (").next().unwrap(), @"");
        assert_eq!(signed.world.desk.read(VALUES), AT_0_4_11.as_bytes());
    }
    // A registry that has the signature and not what was signed.
    let signed = desk().await;
    signed.sign(12);
    let fault = Fault::status(404).body(r#"{"errors":[{"code":"BLOB_UNKNOWN"}]}"#);
    signed.world.registry.fault(fault.on("/blobs/"));
    let ran = plan(&signed, &[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    // What was signed names the registry's address, so that its digest differs from run to run.
    let told = about(&ran.stdout, "(unsigned)");
    let (before, after) = told.split_once(" sha256:").unwrap();
    reads!(format!("{before} DIGEST{}", &after[64..]), @"held (unsigned): 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is wrongly signed (its blob DIGEST is not in the registry (was it copied without?)); it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images");
}

#[tokio::test]
async fn a_signature_that_was_copied_from_another_image_counts_for_nothing() {
    let signed = desk().await;
    let registry = &signed.world.registry;
    // One of its own digest for each image, or they are the same to a registry.
    let distinct = images(12).map(|image| {
        let name = image.name.clone();
        image.with("name", &name)
    });
    registry.release(PREFIX, "0.4.12", &distinct);
    signed.sign(12);
    let [path, other] = images(12).map(|image| format!("{PREFIX}/{}", image.name));
    let (image, foreign) = (registry.digest(&path, "0.4.12"), registry.digest(&other, "0.4.12"));
    registry.copy((&other, &signature_tag(&foreign)), (&path, &signature_tag(&image)));
    let ran = plan(&signed, &[]).await;
    reads!(about(&ran.stdout, "(unsigned)"), @"held (unsigned): 0.4.12: 1 of 2 images are not signed as expected: ubuntu-noble-plain-rke2-1-30-12 is wrongly signed (it signs another image, sha256:b873318f77770067167c3dc3d0572910c00200f3e065e2098d57d595c4ad1204); it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images");
}

#[tokio::test]
async fn an_unsigned_release_that_was_asked_for_is_refused() {
    let signed = desk().await;
    let ran = plan(&signed, &["--to", "0.4.12", "--write"]).await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    reads!(ran.stderr, @"error: 0.4.12: 2 of 2 images are not signed as expected: opensuse-15-6-plain-kubeadm-1-30-12 is not signed; signatures cannot be overridden");
    assert_eq!(signed.world.desk.read(VALUES), AT_0_4_11.as_bytes());
    let off = plan(&signed, &["--to", "0.4.12", "--signatures", "off"]).await;
    assert_eq!(off.exit, Some(0), "{off:#?}");
    let warned = plan(&signed, &["--signatures", "warn"]).await;
    assert!(warned.stdout.contains("update 0.4.11 → 0.4.12"), "{warned:#?}");
    reads!(about(&warned.stdout, "signed"), @"
    new warning[unsigned-image]: values.yaml:4:3: `ubuntu-noble-plain-rke2-1-30-12` is not signed
    new warning[unsigned-image]: values.yaml:6:3: `opensuse-15-6-plain-kubeadm-1-30-12` is not signed
    signatures: none of 2 images is signed as expected
    ! opensuse-15-6-plain-kubeadm-1-30-12 is not signed
    ! ubuntu-noble-plain-rke2-1-30-12 is not signed
    ");
}

#[tokio::test]
async fn what_is_in_the_cache_is_verified_without_a_request_and_not_believed() {
    let signed = desk().await;
    signed.sign(12);
    let ran = plan(&signed, &["--cache-dir", "cache"]).await;
    assert!(ran.stdout.contains("update 0.4.11 → 0.4.12"), "{ran:#?}");
    let asked = signed.world.registry.count(".sig");
    assert_eq!(asked, 2);
    plan(&signed, &["--cache-dir", "cache"]).await;
    assert_eq!(signed.world.registry.count(".sig"), asked);

    // A cache that was tampered with proves nothing: the registry is asked again.
    let stranger = Signer::new();
    signed.world.desk.write("other.pub", stranger.pem());
    let ran = plan(&signed, &["--cache-dir", "cache", "--cosign-key", "other.pub"]).await;
    assert!(ran.stdout.contains("held (unsigned)"), "{ran:#?}");
}

#[tokio::test]
async fn the_key_of_the_values_file_counts_where_none_is_configured() {
    let world = World::new().await;
    let signer = Signer::new();
    let indented = signer.pem().trim().replace('\n', "\n    ");
    let file = |more: &str| {
        format!(
            "{AT_0_4_11}security:\n  default_cosign_public_key: |\n    {indented}\n  os_images:\n    cosign_public_key: '{{{{ .Values.security.default_cosign_public_key }}}}'\n{more}"
        )
    };
    world.desk.write(VALUES, file(""));
    let run = async || world.desk.dibump(&["plan", VALUES]).await;
    let held = run().await;
    assert!(held.stdout.contains("held (unsigned)"), "{held:#?}");

    // A deployment that does not check by itself is told, not held.
    world.desk.write(VALUES, file("    skip_signing_check: true\n"));
    let warned = run().await;
    reads!(about(&warned.stdout, "signed"), @"
    new warning[unsigned-image]: values.yaml:4:3: `ubuntu-noble-plain-rke2-1-30-12` is not signed
    new warning[unsigned-image]: values.yaml:6:3: `opensuse-15-6-plain-kubeadm-1-30-12` is not signed
    signatures: none of 2 images is signed as expected
    ! opensuse-15-6-plain-kubeadm-1-30-12 is not signed
    ! ubuntu-noble-plain-rke2-1-30-12 is not signed
    ");
    assert!(warned.stdout.contains("update 0.4.11 → 0.4.12"), "{warned:#?}");

    world.desk.write(VALUES, file("").replace(".default_cosign_public_key }}", ".lost }}"));
    for signatures in [&[][..], &["--signatures", "warn"], &["--signatures", "required"]] {
        let lost = world.desk.dibump(&[&["plan", VALUES], signatures].concat()).await;
        assert_eq!(lost.exit, Some(3), "{lost:#?}");
        reads!(lost.stderr, @"error: values.yaml:15:5: `security.os_images.cosign_public_key`: `.Values.security.lost` has no value; set it in the values file; name the keys under `cosign_public_keys:` or with --cosign-key, or set `signatures: off`");
    }
}

#[tokio::test]
async fn a_wrong_key_is_named_with_its_place() {
    let world = World::new().await;
    world
        .desk
        .write(VALUES, AT_0_4_11)
        .write("cosign.pub", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let ran = world.desk.dibump(&["plan", VALUES, "--cosign-key", "cosign.pub"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"error: cosign.pub: a private key, which must not be here; take the public half (`cosign public-key`)");
    world.configure("[catalog]", "    cosign_public_keys: ['hello']\n");
    let ran = world.desk.dibump(&["config", "validate"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    assert!(ran.stderr.contains("cosign_public_keys[0]"), "{ran:#?}");
}
