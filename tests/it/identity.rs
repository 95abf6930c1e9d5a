//! A registry that hands out genuine, signed images under another name (substitution) or another tag (rollback): no
//! command takes them for what was asked for.

mod vectors;

use crate::bare_metal::described;
use crate::fake::cosign::{Signer, signature_tag};
use crate::fake::oci::Image;
use crate::said::{about, once, says, told};
use crate::world::{PREFIX, Ran, VALUES, World};

const HARDENED: &str = "ubuntu-noble-hardened-rke2-1-30";
const PLAIN: &str = "ubuntu-noble-plain-rke2-1-30";

/// What the registry does to the hardened image of 0.5.2.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Attack {
    /// It is the plain one of the same release.
    Substitution,
    /// It is the one of the release before.
    Rollback,
}

/// Where signatures stand.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Classic,
    Bundle,
}

/// Two releases, signed as a producer signs them, and a values file at the first.
struct Story {
    world: World,
    signer: Signer,
    layout: Layout,
}

fn path(name: &str) -> String {
    format!("{PREFIX}/{name}")
}

fn image(name: &str, flavor: &str, version: &str) -> Image {
    // Each release has other bytes.
    let k8s = format!("1.30.{}+rke2r1", version.chars().last().unwrap());
    described(name, ["ubuntu", "noble", flavor, "rke2", &k8s])
        .with("sylvaproject.org/diskimage/commit-tag", version)
}

impl Story {
    async fn new(layout: Layout, with_key: bool) -> Self {
        let story = Self { world: World::new().await, signer: Signer::new(), layout };
        for version in ["0.5.1", "0.5.2"] {
            story.publish(version, [image(HARDENED, "hardened", version), image(PLAIN, "plain", version)]);
        }
        story.world.desk.write("cosign.pub", story.signer.pem());
        let key = if with_key { "    cosign_public_keys: [{file: cosign.pub}]\n" } else { "" };
        story.world.configure("[catalog]", key);
        story.values_at("0.5.1");
        story
    }

    fn publish(&self, version: &str, images: [Image; 2]) {
        let registry = &self.world.registry;
        registry.release(PREFIX, version, &images);
        for image in images {
            let path = path(&image.name);
            self.sign(&path, &registry.digest(&path, version));
        }
    }

    fn sign(&self, path: &str, digest: &str) {
        match self.layout {
            Layout::Classic => self.signer.sign(&self.world.registry, path, digest),
            Layout::Bundle => self.signer.bundle(&self.world.registry, path, digest),
        }
    }

    fn values_at(&self, version: &str) {
        let registry = self.world.registry.prefix(PREFIX);
        let entry = "{os_images_oci_registry: sylva}";
        let text = format!(
            "sylva_diskimagebuilder_version: {version}\nsylva_diskimagebuilder_images:\n  {HARDENED}: {entry}\n  \
             {PLAIN}: {entry}\nos_images_oci_registries:\n  sylva:\n    url: {registry}\n    \
             tag: '{{{{ .Values.sylva_diskimagebuilder_version }}}}'\nimage_provisioning_host: 192.0.2.10\n"
        );
        self.world.hub.commit("main", "values", &[(VALUES, text.as_bytes())]);
        self.world.desk.write(VALUES, text);
    }

    /// The image and its signature, both genuine, where another image belongs.
    fn attack(&self, attack: Attack) {
        let registry = &self.world.registry;
        let (from, tag) = match attack {
            Attack::Substitution => (path(PLAIN), "0.5.2"),
            Attack::Rollback => (path(HARDENED), "0.5.1"),
        };
        let to = path(HARDENED);
        let digest = registry.digest(&from, tag);
        registry.copy((&from, tag), (&to, "0.5.2"));
        match self.layout {
            Layout::Classic => {
                registry.copy((&from, &signature_tag(&digest)), (&to, &signature_tag(&digest)))
            }
            Layout::Bundle => self.signer.bundle(registry, &to, &digest),
        }
    }

    async fn dibump(&self, arguments: &[&str]) -> Ran {
        self.world.desk.dibump(arguments).await
    }

    /// The four commands that look at the release that the file names, once it does.
    async fn consumer(&self) -> [Ran; 4] {
        self.values_at("0.5.2");
        [
            self.dibump(&["check", VALUES]).await,
            self.dibump(&["artifacts", "0.5.2"]).await,
            self.dibump(&["os-images-info", "-f", VALUES]).await,
            self.dibump(&["machine-image", HARDENED, "-f", VALUES]).await,
        ]
    }
}

/// All four refuse this image, and only this one. What they say about it.
fn is_refused([check, artifacts, info, machine]: &[Ran; 4], name: &str, case: &str) -> String {
    assert_eq!(check.exit, Some(10), "{case}: {check:#?}");
    assert!(check.stdout.contains("error[wrong-image]"), "{case}: {check:#?}");
    assert!(!check.stdout.contains("bad-signature"), "it is said once, {case}: {check:#?}");
    assert_eq!(info.exit, Some(5), "{case}: {info:#?}");
    assert!(!info.stdout.contains(&format!("{name}:")), "{case}: {info:#?}");
    assert!(info.stdout.contains("plain"), "{case}: {info:#?}");
    assert_eq!((machine.exit, machine.stdout.as_str()), (Some(5), ""), "{case}: {machine:#?}");
    let rows = [about(&check.stdout, name), about(&artifacts.stdout, name)].concat();
    format!("{rows}{}{}", info.stderr, machine.stderr)
}

#[tokio::test]
async fn what_was_asked_for_is_taken_by_all_six_commands() {
    for layout in [Layout::Classic, Layout::Bundle] {
        let story = Story::new(layout, true).await;
        let plan = story.dibump(&["plan", VALUES]).await;
        assert!(plan.stdout.contains("update 0.5.1 → 0.5.2"), "{layout:?}: {plan:#?}");
        reads!(about(&plan.stdout, "signed"), @"signatures: 2 of 2 images are signed, by key KEY");
        let run = story.dibump(&["run", "--dry-run"]).await;
        says(&run, "would create");
        let consumer = story.consumer().await;
        assert!(consumer.iter().all(|ran| ran.exit == Some(0) && ran.stderr.is_empty()), "{consumer:#?}");
        reads!(about(&consumer[1].stdout, "signed"), @"
        ubuntu-noble-hardened-rke2-1-30  noble  1.30.2+rke2r1  1.0 MiB  2026-05-04 03:02  signed by key KEY  sha256:a0b1317376e1
        ubuntu-noble-plain-rke2-1-30     noble  1.30.2+rke2r1  1.0 MiB  2026-05-04 03:02  signed by key KEY  sha256:2c4a1bc11cd2
        ");
    }
}

#[tokio::test]
async fn substitution_and_rollback_are_refused_by_all_six_commands_in_both_layouts() {
    let mut said = String::new();
    for attack in [Attack::Substitution, Attack::Rollback] {
        said += &format!("# {attack:?}\n");
        for layout in [Layout::Classic, Layout::Bundle] {
            let case = format!("{attack:?}, {layout:?}");
            let story = Story::new(layout, true).await;
            story.attack(attack);
            // Neither a person's word nor `--to` makes up for it.
            story.world.accept("0.5.2");
            for arguments in [&["plan", VALUES][..], &["run"]] {
                let held = story.dibump(arguments).await;
                assert_eq!(held.exit, Some(0), "{case}: {held:#?}");
                said += &told(&held, "held (unsigned): ");
            }
            assert!(story.world.merge_requests().is_empty(), "{case}");
            let asked = story.dibump(&["plan", VALUES, "--to", "0.5.2", "--write"]).await;
            assert_eq!(asked.exit, Some(5), "{case}: {asked:#?}");
            said += &asked.stderr;
            said += &is_refused(&story.consumer().await, HARDENED, &case);
        }
    }
    reads!(once(&said), @"
    # Substitution
    held (unsigned): 0.5.2: 1 of 2 images are not signed as expected: ubuntu-noble-hardened-rke2-1-30 is another image: its flavor is `plain`, not `hardened`; it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    error: 0.5.2: 1 of 2 images are not signed as expected: ubuntu-noble-hardened-rke2-1-30 is another image: its flavor is `plain`, not `hardened`; signatures cannot be overridden
    error[wrong-image]: `ubuntu-noble-hardened-rke2-1-30` is another image: its flavor is `plain`, not `hardened`
    3 |   ubuntu-noble-hardened-rke2-1-30: {os_images_oci_registry: sylva}
    ubuntu-noble-hardened-rke2-1-30  noble  1.30           1.0 MiB  2026-05-04 03:02  another image: its flavor is `plain`, not `hardened`  sha256:2c4a1bc11cd2
    ! ubuntu-noble-hardened-rke2-1-30 is another image: its flavor is `plain`, not `hardened`
    error: values.yaml:3:3: `ubuntu-noble-hardened-rke2-1-30` is another image: its flavor is `plain`, not `hardened`
    error: `ubuntu-noble-hardened-rke2-1-30` is another image: its flavor is `plain`, not `hardened`
    # Rollback
    held (unsigned): 0.5.2: 1 of 2 images are not signed as expected: ubuntu-noble-hardened-rke2-1-30 is another release: its commit-tag is `0.5.1`, not `0.5.2`; it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images
    error: 0.5.2: 1 of 2 images are not signed as expected: ubuntu-noble-hardened-rke2-1-30 is another release: its commit-tag is `0.5.1`, not `0.5.2`; signatures cannot be overridden
    error[disagreeing-images]: `ubuntu-noble-hardened-rke2-1-30` has Kubernetes 1.30.1+rke2r1, and `ubuntu-noble-plain-rke2-1-30` (values.yaml:4:3) has 1.30.2+rke2r1
    error[wrong-image]: `ubuntu-noble-hardened-rke2-1-30` is another release: its commit-tag is `0.5.1`, not `0.5.2`
    ubuntu-noble-hardened-rke2-1-30  noble  1.30.1+rke2r1  1.0 MiB  2026-05-04 03:02  another release: its commit-tag is `0.5.1`, not `0.5.2`  sha256:8f9ecdd7be0f
    ! ubuntu-noble-hardened-rke2-1-30 is another release: its commit-tag is `0.5.1`, not `0.5.2`
    error: values.yaml:3:3: `ubuntu-noble-hardened-rke2-1-30` is another release: its commit-tag is `0.5.1`, not `0.5.2`
    error: `ubuntu-noble-hardened-rke2-1-30` is another release: its commit-tag is `0.5.1`, not `0.5.2`
    ");
}

#[tokio::test]
async fn without_a_key_they_are_inconsistent_and_a_person_may_overrule_that() {
    let mut said = String::new();
    for attack in [Attack::Substitution, Attack::Rollback] {
        said += &format!("# {attack:?}\n");
        let (story, case) = (Story::new(Layout::Classic, false).await, format!("{attack:?}"));
        story.attack(attack);
        for arguments in [&["plan", VALUES][..], &["run", "--dry-run"]] {
            let held = story.dibump(arguments).await;
            assert_eq!(held.exit, Some(0), "{case}: {held:#?}");
            said += &told(&held, "held (inconsistent): ");
        }
        let asked = story.dibump(&["plan", VALUES, "--to", "0.5.2"]).await;
        assert_eq!(asked.exit, Some(0), "{case}: {asked:#?}");
        said += &about(&asked.stdout, "although");
        said += &is_refused(&story.consumer().await, HARDENED, &case);
        story.world.add("policy: {inconsistent: warn}");
        let [check, _, info, machine] = story.consumer().await;
        assert_eq!(check.exit, Some(10), "{case}: {check:#?}");
        for ran in [info, machine] {
            assert_eq!(ran.exit, Some(0), "{case}: {ran:#?}");
            said += &ran.stderr;
        }
    }
    reads!(once(&said), @"
    # Substitution
    held (inconsistent): 0.5.2: ubuntu-noble-hardened-rke2-1-30 is another image: its flavor is `plain`, not `hardened`; `accept: [0.5.2]` in the target ends it
    → 0.5.2  proposed as asked, although ubuntu-noble-hardened-rke2-1-30 is another image: its flavor is `plain`, not `hardened`  2
    error[wrong-image]: `ubuntu-noble-hardened-rke2-1-30` is another image: its flavor is `plain`, not `hardened`
    3 |   ubuntu-noble-hardened-rke2-1-30: {os_images_oci_registry: sylva}
    ubuntu-noble-hardened-rke2-1-30  noble  1.30           1.0 MiB  2026-05-04 03:02  sha256:2c4a1bc11cd2
    ! ubuntu-noble-hardened-rke2-1-30 is another image: its flavor is `plain`, not `hardened`
    error: values.yaml:3:3: `ubuntu-noble-hardened-rke2-1-30` is another image: its flavor is `plain`, not `hardened`
    error: `ubuntu-noble-hardened-rke2-1-30` is another image: its flavor is `plain`, not `hardened`
    warning: `ubuntu-noble-hardened-rke2-1-30` is another image: its flavor is `plain`, not `hardened`
    # Rollback
    held (inconsistent): 0.5.2: ubuntu-noble-hardened-rke2-1-30 is another release: its commit-tag is `0.5.1`, not `0.5.2`; `accept: [0.5.2]` in the target ends it
    → 0.5.2  proposed as asked, although ubuntu-noble-hardened-rke2-1-30 is another release: its commit-tag is `0.5.1`, not `0.5.2`  2
    error[disagreeing-images]: `ubuntu-noble-hardened-rke2-1-30` has Kubernetes 1.30.1+rke2r1, and `ubuntu-noble-plain-rke2-1-30` (values.yaml:4:3) has 1.30.2+rke2r1
    error[wrong-image]: `ubuntu-noble-hardened-rke2-1-30` is another release: its commit-tag is `0.5.1`, not `0.5.2`
    ubuntu-noble-hardened-rke2-1-30  noble  1.30.1+rke2r1  1.0 MiB  2026-05-04 03:02  sha256:8f9ecdd7be0f
    ! ubuntu-noble-hardened-rke2-1-30 is another release: its commit-tag is `0.5.1`, not `0.5.2`
    error: values.yaml:3:3: `ubuntu-noble-hardened-rke2-1-30` is another release: its commit-tag is `0.5.1`, not `0.5.2`
    error: `ubuntu-noble-hardened-rke2-1-30` is another release: its commit-tag is `0.5.1`, not `0.5.2`
    warning: `ubuntu-noble-hardened-rke2-1-30` is another release: its commit-tag is `0.5.1`, not `0.5.2`
    ");
}

#[tokio::test]
async fn an_unlisted_image_that_is_another_one_makes_a_release_inconsistent() {
    let story = Story::new(Layout::Classic, true).await;
    let unlisted = "opensuse-15-6-plain-rke2-1-30";
    story.world.registry.release(
        PREFIX,
        "0.5.2",
        &[Image { name: unlisted.to_owned(), ..image(PLAIN, "plain", "0.5.2") }],
    );
    let plan = ["plan", VALUES, "--images", "listed"];
    let held = story.dibump(&plan).await;
    reads!(about(&held.stdout, "held (inconsistent)"), @"held (inconsistent): 0.5.2: opensuse-15-6-plain-rke2-1-30 is another image: its os is `ubuntu`, not `opensuse`; `accept: [0.5.2]` in the target ends it");
    story.world.accept("0.5.2");
    let accepted = story.dibump(&plan).await;
    assert!(accepted.stdout.contains("update 0.5.1 → 0.5.2"), "{accepted:#?}");
    reads!(about(&accepted.stdout, "although"), @"→ 0.5.2  proposed as accepted, although opensuse-15-6-plain-rke2-1-30 is another image: its os is `ubuntu`, not `opensuse`  3");
}

#[tokio::test]
async fn a_release_that_is_not_proven_is_shown_and_refused_where_that_is_required() {
    for layout in [Layout::Classic, Layout::Bundle] {
        let story = Story::new(layout, true).await;
        let silent = |name: &str, flavor: &str| {
            let mut image = image(name, flavor, "0.5.2");
            image.annotations.remove("sylvaproject.org/diskimage/commit-tag");
            image
        };
        story.publish("0.5.2", [silent(HARDENED, "hardened"), silent(PLAIN, "plain")]);
        let plan = story.dibump(&["plan", VALUES]).await;
        assert!(plan.stdout.contains("update 0.5.1 → 0.5.2"), "{layout:?}: {plan:#?}");
        reads!(about(&plan.stdout, "signed"), @"signatures: 2 of 2 images are signed, by key KEY; release of 2 not proven");
        let [check, artifacts, info, machine] = story.consumer().await;
        assert!(
            [&check, &artifacts, &info, &machine].iter().all(|ran| ran.exit == Some(0)),
            "{check:#?} {info:#?}"
        );
        reads!(about(&artifacts.stdout, "signed"), @"
        ubuntu-noble-hardened-rke2-1-30  noble  1.30.2+rke2r1  1.0 MiB  2026-05-04 03:02  signed by key KEY, release not proven  sha256:d3c84f066249
        ubuntu-noble-plain-rke2-1-30     noble  1.30.2+rke2r1  1.0 MiB  2026-05-04 03:02  signed by key KEY, release not proven  sha256:f71e1b0f755b
        ");
        reads!(info.stderr, @"
        note: `ubuntu-noble-hardened-rke2-1-30` is signed by key KEY, release not proven
        note: `ubuntu-noble-plain-rke2-1-30` is signed by key KEY, release not proven
        ");

        story.world.add("policy: {identity: required}");
        story.values_at("0.5.1");
        let held = story.dibump(&["plan", VALUES]).await;
        reads!(about(&held.stdout, "held (unsigned)"), @"held (unsigned): 0.5.2: 2 of 2 images are not signed as expected: ubuntu-noble-hardened-rke2-1-30 is wrongly signed (its release is not proven); it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures along with the images");
        let [check, artifacts, info, machine] = story.consumer().await;
        assert_eq!(check.exit, Some(10), "{check:#?}");
        assert!(check.stdout.contains("error[bad-signature]"), "{check:#?}");
        reads!(about(&artifacts.stdout, PLAIN), @"ubuntu-noble-plain-rke2-1-30     noble  1.30.2+rke2r1  1.0 MiB  2026-05-04 03:02  wrongly signed (its release is not proven)  sha256:f71e1b0f755b");
        assert_eq!((info.exit, machine.exit), (Some(5), Some(5)), "{info:#?} {machine:#?}");
    }
}

/// Sylva signs below `snapshots/` and copies; mirrors change host and prefix.
#[tokio::test]
async fn the_signed_name_is_shown_where_annotations_are_silent() {
    let story = Story::new(Layout::Classic, true).await;
    let registry = &story.world.registry;
    let bare = [HARDENED, PLAIN].map(|name| Image::new(name).with("name", name));
    registry.release(PREFIX, "0.5.2", &bare);
    // One was signed below another prefix, the other under another name.
    for (name, signed_as) in
        [(HARDENED, format!("elsewhere/snapshots/{HARDENED}")), (PLAIN, "elsewhere/x".to_owned())]
    {
        let digest = registry.digest(&path(name), "0.5.2");
        registry.copy((&path(name), "0.5.2"), (&signed_as, "0.5.2"));
        story.signer.sign(registry, &signed_as, &digest);
        registry.copy((&signed_as, &signature_tag(&digest)), (&path(name), &signature_tag(&digest)));
    }
    let plan = story.dibump(&["plan", VALUES]).await;
    assert!(plan.stdout.contains("update 0.5.1 → 0.5.2"), "{plan:#?}");
    reads!(about(&plan.stdout, "signed"), @"signatures: 2 of 2 images are signed, by key KEY; release of 2 not proven; name of 1 not proven");
    let artifacts = story.dibump(&["artifacts", "0.5.2"]).await;
    reads!(about(&artifacts.stdout, "signed"), @"
    ubuntu-noble-hardened-rke2-1-30  noble  1.30        1.0 MiB  2026-05-04 03:02  signed by key KEY, release not proven                sha256:e8de73bbff37
    ubuntu-noble-plain-rke2-1-30     noble  1.30        1.0 MiB  2026-05-04 03:02  signed by key KEY as x, name and release not proven  sha256:888bddeee724
    ");
}
