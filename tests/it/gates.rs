//! What holds a release back, and what ends a hold.

use std::collections::BTreeSet;
use std::path::Path;

use crate::fake::oci::Image;
use crate::said::{about, says};
use crate::world::{PREFIX, SOURCE, VALUES, World, images, values_at};

stories! {
    a_half_promoted_release_is_held_until_its_last_image_is_there,
    an_image_that_waits_to_be_promoted_holds_the_release,
    the_newest_release_that_passes_is_proposed_and_the_held_one_named,
    a_hold_ends_by_a_persons_word_and_the_reviewer_is_told,
    an_incomplete_release_that_was_waited_for_long_enough_is_a_draft,
    a_release_of_unknown_age_is_held_until_a_memory_outlives_a_run,
}

async fn a_half_promoted_release_is_held_until_its_last_image_is_there(world: World) {
    let [first, last] = images(13);
    world.registry.release(PREFIX, "0.4.12", &[]);
    for image in images(12) {
        world.registry.remove(&format!("{PREFIX}/{}", image.name), "0.4.12");
    }
    world.registry.release(PREFIX, "0.4.13", &[first]);
    let (held, writes) = world.run_and_writes().await;
    assert_eq!(held.exit, Some(0), "{held:#?}");
    says(&held, "held (incomplete)");
    reads!(about(&held.stdout, "0.4.13"), @"
    ‖ 0.4.13  held: not published in full: opensuse plain kubeadm is missing, compared with 0.4.11  1
    0.4.13: `accept: [0.4.13]` in the target ends it
    held (incomplete): 0.4.13: not published in full: opensuse plain kubeadm is missing, compared with 0.4.11; `accept: [0.4.13]` in the target ends it
    ");
    assert!(writes.is_empty(), "{writes:#?}");

    world.registry.release(PREFIX, "0.4.13", &[last]);
    says(&world.run().await, "created");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(13));
}

async fn an_image_that_waits_to_be_promoted_holds_the_release(world: World) {
    let snapshots = format!("{PREFIX}/snapshots");
    let waiting = Image::new("ubuntu-noble-hardened-rke2-1-30-12");
    world.registry.release(&snapshots, "0.4.12", &images(12));
    world.registry.release(&snapshots, "0.4.12", std::slice::from_ref(&waiting));
    let held = world.run().await;
    says(&held, "held (incomplete)");
    reads!(about(&held.stdout, &waiting.name), @"
    ‖ 0.4.12  held: not published in full: ubuntu-noble-hardened-rke2-1-30-12 (built, not promoted) is missing  2
    held (incomplete): 0.4.12: not published in full: ubuntu-noble-hardened-rke2-1-30-12 (built, not promoted) is missing; `accept: [0.4.12]` in the target ends it
    ");

    world.registry.release(PREFIX, "0.4.12", &[waiting]);
    says(&world.run().await, "created");
}

async fn the_newest_release_that_passes_is_proposed_and_the_held_one_named(world: World) {
    let [first, _] = images(13);
    world.registry.release(PREFIX, "0.4.13", &[first]);
    says(&world.run().await, "created");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
    let text = &world.merge_requests()[0].text;
    reads!(about(text, "0.4.13"), @"- `0.4.13`: held: not published in full: opensuse plain kubeadm is missing, compared with 0.4.12; `accept: [0.4.13]` in the target ends it");

    // Nothing older takes the place of what is offered, whatever becomes of the newer one.
    world.registry.release(PREFIX, "0.4.13", &images(13));
    says(&world.run().await, "updated");
    world.registry.remove(&format!("{PREFIX}/{}", images(13)[1].name), "0.4.13");
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(world.values(SOURCE).unwrap(), values_at(13), "{ran:#?} {writes:#?}");
}

async fn a_hold_ends_by_a_persons_word_and_the_reviewer_is_told(world: World) {
    let names = ["ubuntu-noble-plain-rke2-1-30-13-0.4.13", "opensuse-15-6-plain-kubeadm-1-30-13"];
    world.registry.release(PREFIX, "0.4.13", &names.map(Image::new));
    let dry = world.desk.dibump(&["run", "--dry-run"]).await;
    says(&dry, "would create");
    assert!(!dry.stdout.contains("0.4.13-"), "{dry:#?}");

    world.accept("0.4.13");
    says(&world.run().await, "created");
    let mr = world.merge_requests().remove(0);
    assert!(mr.title.contains("0.4.13"), "{}", mr.title);
    reads!(about(&mr.text, "although"), @"
    - 0.4.13 is proposed as accepted, although a name holds the release's own tag, as in no other release: ubuntu-noble-plain-rke2-1-30-13-0.4.13; as accepted, although not published in full: ubuntu plain r…
    - 0.4.13 is proposed as accepted, although a name holds the release's own tag, as in no other release: ubuntu-noble-plain-rke2-1-30-13-0.4.13; as accepted, although not published in full: ubuntu plain rke2 is missing, compared with 0.4.12
    ");
}

async fn an_incomplete_release_that_was_waited_for_long_enough_is_a_draft(mut world: World) {
    let [first, _] = images(13);
    world.registry.release(PREFIX, "0.4.13", &[first]);
    for image in images(12) {
        world.registry.remove(&format!("{PREFIX}/{}", image.name), "0.4.12");
    }
    // The newest image is from 03:02:01 on the 4th, and the time is 72 h.
    world.desk.now = "2026-05-07T03:02:00Z".to_owned();
    says(&world.run().await, "held (incomplete)");
    world.desk.now = "2026-05-07T03:02:01Z".to_owned();
    says(&world.run().await, "created");
    let mr = world.merge_requests().remove(0);
    assert!(world.hub.is_draft(mr.number), "{}", mr.title);
    let visible = mr.text.split("<details>").next().unwrap();
    reads!(visible, @"
    <!-- dibump:begin -->
    Moves `values.yaml` from diskimage-builder release `0.4.11` to `0.4.13`.

    |  | Check | Result |
    | --- | --- | --- |
    | ⚠️ | Images | incomplete: 1 image, 1 of 2 series of 0.4.11; missing: opensuse plain kubeadm |
    | ➖ | Signatures | not checked, no public key is known |
    | ✅ | Findings | nothing new |
    | ✅ | Kubernetes | kubeadm (opensuse plain): dropped `1.30.11`<br>rke2 (ubuntu plain): `1.30.11 → 1.30.13` |

    **Look at:**

    - 0.4.13 is proposed as a draft, although not published in full: opensuse plain kubeadm is missing, compared with 0.4.11

    **Merging** changes no image that these files enable. Nodes that use a renamed key elsewhere are replaced when that file is updated.

    **What to do:** Wait until the release is complete, or check that you need nothing of what is missing; then mark this merge request ready and merge it; to skip only this release, close the merge request.
    ");
}

async fn a_release_of_unknown_age_is_held_until_a_memory_outlives_a_run(mut world: World) {
    let undated = |patch: u32| {
        images(patch).map(|mut image| {
            image.annotations.clear();
            image
        })
    };
    world.registry.release(PREFIX, "0.4.12", &undated(12));
    world.add("policy: {minimum_age: 1h}");
    let held = world.run().await;
    says(&held, "held (age-unknown)");
    reads!(about(&held.stdout, "accept:"), @"
    0.4.12: `unknown_age: allow` or `accept: [0.4.12]` in the target ends it
    held (age-unknown): 0.4.12: its age is not known; `unknown_age: allow` or `accept: [0.4.12]` in the target ends it
    ");

    world.add("cache: {dir: cache}");
    says(&world.run().await, "held (age-unknown)");
    world.desk.now = "2026-05-05T04:02:00Z".to_owned();
    says(&world.run().await, "held (too-young)");
    world.desk.now = "2026-05-05T04:02:01Z".to_owned();
    says(&world.run().await, "created");
}

#[tokio::test]
async fn a_time_that_is_none_is_a_wrong_command_line() {
    let mut world = World::new().await;
    world.desk.now = "yesterday".to_owned();
    let ran = world.run().await;
    assert_eq!((ran.exit, ran.stdout.as_str()), (Some(2), ""), "{ran:#?}");
    reads!(ran.stderr, @"error: invalid time `yesterday` in DIBUMP_NOW: expected something like 2026-05-04T03:02:01Z");
}

#[tokio::test]
async fn what_is_asked_for_is_proposed_and_says_what_it_overrides() {
    let world = World::new().await;
    world.desk.write(VALUES, crate::world::AT_0_4_11);
    let [first, _] = images(13);
    world.registry.release(PREFIX, "0.4.13", &[first]);
    world.add("policy: {range: '<0.4.13'}");
    let ran = world.desk.dibump(&["plan", VALUES, "--to", "0.4.13"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    reads!(about(&ran.stdout, "although"), @"→ 0.4.13  proposed as asked, although outside `range`; as asked, although not published in full: opensuse plain kubeadm is missing, compared with 0.4.12  1");
}

#[tokio::test]
async fn a_release_that_drops_most_keys_is_held_unless_that_gate_is_off() {
    let world = World::new().await;
    let file = "\
sylva_diskimagebuilder_version: 0.4.11
diskimage_builder_os_images:
  ubuntu-noble-plain-rke2-1-28-11: {}
  ubuntu-noble-plain-rke2-1-29-11: {}
  ubuntu-noble-plain-rke2-1-30-11: {}
";
    world.desk.write(VALUES, file);
    let names = [28, 29, 30].map(|minor| Image::new(&format!("ubuntu-noble-plain-rke2-1-{minor}-11")));
    world.registry.release(PREFIX, "0.4.11", &names);
    let plan = async |more: &str| {
        world.configure("[catalog]", "").add(more);
        world.desk.dibump(&["plan", VALUES]).await.stdout
    };
    let held = plan("").await;
    reads!(about(&held, "big-jump"), @"held (big-jump): 0.4.12: only 1 of 3 listed keys would stay or be renamed; `accept: [0.4.12]` in the target ends it");
    let warned = plan("policy: {big_jump: warn}").await;
    reads!(about(&warned, "although"), @"→ 0.4.12  proposed although only 1 of 3 listed keys would stay or be renamed  2");
    let off = plan("policy: {big_jump: off}").await;
    assert!(off.contains("→ 0.4.12  proposed "), "{off}");
}

#[tokio::test]
async fn an_overlay_that_loses_most_of_its_keys_is_no_jump() {
    let world = World::new().await;
    let gone = [28, 29].map(|minor| format!("ubuntu-noble-plain-rke2-1-{minor}-11"));
    let keys = |names: &[String]| names.iter().map(|name| format!("  {name}: {{}}\n")).collect::<String>();
    let listed = keys(&images(11).map(|image| image.name)) + &keys(&gone);
    let version = "sylva_diskimagebuilder_version: 0.4.11\n";
    world.desk.write(VALUES, format!("{version}diskimage_builder_os_images:\n{listed}"));
    let overlay = format!("diskimage_builder_os_images:\n{}  own: {{}}\n", keys(&gone));
    world.desk.write("overlay.yaml", overlay);
    world.registry.release(PREFIX, "0.4.11", &gone.map(|name| Image::new(&name)));
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let files = format!("files: [{VALUES}]");
    let both = format!("files: [{VALUES}, {{path: overlay.yaml, overlay: true}}]");
    world.desk.write("dibump.yaml", config.replace(&files, &both));
    let ran = world.desk.dibump(&["plan"]).await;
    reads!(about(&ran.stdout, "renamed"), @"image keys: 2 renamed, 2 removed");
}

#[tokio::test]
async fn what_the_cache_has_of_a_release_counts_for_six_hours() {
    let mut world = World::new().await;
    world.desk.write(VALUES, values_at(12));
    world.add("cache: {dir: cache}");
    let mut read_at = async |now: &str| {
        world.desk.now = now.to_owned();
        let before = world.registry.count("/manifests/");
        let ran = world.desk.dibump(&["plan", VALUES]).await;
        reads!(about(&ran.stdout, "0.4.12"), @"values.yaml: up to date with 0.4.12");
        world.registry.count("/manifests/") - before
    };
    assert_eq!(read_at("2026-05-05T00:00:00Z").await, 2);
    assert_eq!(read_at("2026-05-05T05:59:59Z").await, 0);
    assert_eq!(read_at("2026-05-05T06:00:00Z").await, 2, "images are promoted over hours");
    assert_eq!(read_at("2026-05-05T11:59:59Z").await, 0);
}

/// The names of all holds, as the code has them: of releases, and of files.
fn holds() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let hold = read("src/release/hold.rs");
    let (_, names) = hold.split_once("pub fn name(").unwrap();
    let (names, _) = names.split_once("\n    }\n").unwrap();
    let named = regex::Regex::new("=> \"([a-z-]+)\"").unwrap();
    let of_files = regex::Regex::new("gate: \"([a-z-]+)\"").unwrap();
    let decide = read("src/plan/decide.rs");
    let found = named.captures_iter(names).chain(of_files.captures_iter(&decide));
    found.map(|found| found[1].to_owned()).collect()
}

#[test]
fn each_hold_has_a_page_that_says_what_why_and_how_it_ends() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/holds");
    let table = std::fs::read_to_string(folder.join("../holds.md")).unwrap();
    let holds = holds();
    assert!(holds.len() >= 11, "{holds:?}");
    for hold in &holds {
        let page =
            std::fs::read_to_string(folder.join(format!("{hold}.md"))).unwrap_or_else(|_| panic!("{hold}"));
        assert!(page.starts_with(&format!("# {hold}\n\nSetting: ")), "{page}");
        for head in ["\n## What\n\n", "\n## Why it is held\n\n", "\n## How it ends\n\n"] {
            assert!(page.contains(head), "{hold}: {head}");
        }
        assert!(table.contains(&format!("[*{hold}*](holds/{hold}.md)")), "{hold}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), holds.len());
}
