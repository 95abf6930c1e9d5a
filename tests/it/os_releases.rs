//! The release of the operating system below the images: when it holds, when it makes a draft, and that it is said.

use serde_json::Value;

use crate::fake::oci::Image;
use crate::said::{about, says};
use crate::world::{AT_0_4_11, PREFIX, VALUES, World, images};

/// What the file lists at 0.4.12: the same series on another OS release.
const PLUCKY: &str = "ubuntu-plucky-plain-rke2-1-30-12";

/// At 0.4.12, images of these names take the place of all others.
fn moved(world: &World, names: &[&str]) {
    for image in images(12) {
        world.registry.remove(&format!("{PREFIX}/{}", image.name), "0.4.12");
    }
    world.registry.release(PREFIX, "0.4.12", &names.iter().map(|name| Image::new(name)).collect::<Vec<_>>());
}

stories! {
    where_the_range_leaves_room_for_patches_only_a_change_heads_a_draft,
    where_only_patches_are_allowed_a_change_of_a_listed_family_holds,
}

async fn where_the_range_leaves_room_for_patches_only_a_change_heads_a_draft(world: World) {
    moved(&world, &[PLUCKY, &images(12)[1].name]);
    world.add("policy: {range: '>=0.4.3, <0.5'}");
    says(&world.run().await, "created");
    let mr = world.merge_requests().remove(0);
    assert!(world.hub.is_draft(mr.number), "{}", mr.title);
    let text = mr.text.split_once("**Look at:**").expect(&mr.text).1.split("<details>").next().unwrap();
    reads!(text.replace(['\\', '\u{200b}'], "").trim_start(), @"
    - ubuntu plain rke2 moves from OS release noble to plucky (1 image key), though `range` allows patches only

    **Merging** changes no image that these files enable. Nodes that use a renamed key elsewhere are replaced when that file is updated.

    **What to do:** Check that your nodes can move to the new OS release; then mark this merge request ready and merge it; to skip only this release, close the merge request.
    ");
}

async fn where_only_patches_are_allowed_a_change_of_a_listed_family_holds(world: World) {
    // A family that no file lists may move.
    let other = |os_release: &str, patch: u32| format!("ubuntu-{os_release}-hardened-rke2-1-30-{patch}");
    world.registry.release(PREFIX, "0.4.11", &[Image::new(&other("noble", 11))]);
    world.registry.release(PREFIX, "0.4.12", &[Image::new(&other("plucky", 12))]);
    world.add("policy: {allow: [patch]}");
    let dry = world.desk.dibump(&["run", "--dry-run"]).await;
    says(&dry, "would create");

    moved(&world, &[PLUCKY, &images(12)[1].name]);
    let held = world.run().await;
    says(&held, "held (inconsistent)");
    reads!(about(&held.stdout, "plucky"), @"
    ‖ 0.4.12  held: ubuntu plain rke2 1.30 moves from OS release noble to plucky, and only patches are allowed here  3
    held (inconsistent): 0.4.12: ubuntu plain rke2 1.30 moves from OS release noble to plucky, and only patches are allowed here; `accept: [0.4.12]` in the target ends it
    ");
}

#[tokio::test]
async fn a_change_is_told_whatever_the_policy_says() {
    let world = World::new().await;
    world.desk.write(VALUES, AT_0_4_11);
    moved(&world, &[PLUCKY, &images(12)[1].name]);
    let text = world.desk.dibump(&["plan", VALUES]).await;
    reads!(about(&text.stdout, "plucky"), @"
    ~ ubuntu-noble-plain-rke2-1-30-11 → ubuntu-plucky-plain-rke2-1-30-12
    ! ubuntu plain rke2 moves from OS release noble to plucky (1 image key)
    +  ubuntu-plucky-plain-rke2-1-30-12:
    ");
    let json = world.desk.dibump(&["plan", VALUES, "--format", "json"]).await;
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let expected = serde_json::json!([
        {"family": "ubuntu plain rke2", "from": "noble", "to": "plucky", "keys": [PLUCKY]}
    ]);
    assert_eq!(json["files"][0]["os_changes"], expected);

    says(&world.run().await, "created");
    let mr = world.merge_requests().remove(0);
    assert!(!world.hub.is_draft(mr.number), "{}", mr.title);
    reads!(about(&mr.text, "to plucky"), @r"- ubuntu plain rke2 moves from OS release noble to plucky \(1 image key\)");
}

#[tokio::test]
async fn a_default_that_people_would_move_to_a_new_kubernetes_is_mentioned() {
    let world = World::new().await;
    let newest = "ubuntu-noble-plain-rke2-1-31-3";
    world.registry.release(PREFIX, "0.4.12", &[Image::new(newest)]);
    let plan = async |value: &str| {
        world.desk.write(VALUES, AT_0_4_11.replace("enabled: true", value));
        world.desk.dibump(&["plan", VALUES, "--images", "follow"]).await.stdout
    };
    reads!(about(&plan("default_enabled: true").await, "default_enabled"), @"
    note: `default_enabled` stays with ubuntu-noble-plain-rke2-1-30-12 (4:3); ubuntu-noble-plain-rke2-1-31-3 is newer: move it by hand if wanted
    default_enabled: true
    ");
    reads!(about(&plan("default_enabled: false").await, "default_enabled"), @"default_enabled: false");
}
