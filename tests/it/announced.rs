//! What an update would break is said before anybody merges it.

use serde_json::Value;

use crate::fake::oci::Image;
use crate::said::{about, says};
use crate::world::{AT_0_4_11, Desk, PREFIX, SOURCE, VALUES, World, images};

/// A cluster's own version is a decision of people: the update leaves it, and no image of 0.4.12 has it.
fn with_cluster() -> String {
    format!("{AT_0_4_11}cluster:\n  k8s_version: v1.30.11\n")
}

/// The place of the cluster's version in the file.
const PLACE: &str = "values.yaml:9:16";

fn break_the_cluster(world: &World) {
    world.hub.commit("main", "A cluster", &[(VALUES, with_cluster().as_bytes())]);
}

/// The text of the only merge request, as it is shown.
fn shown(world: &World) -> String {
    world.merge_requests().remove(0).text.replace(['\\', '\u{200b}'], "")
}

stories! {
    a_new_error_heads_a_draft_that_is_not_merged_automatically,
    a_new_error_is_told_and_no_draft_where_it_is_to_be_ignored,
    a_new_error_holds_and_no_older_release_is_tried_where_it_is_to_hold,
    a_release_that_adds_an_error_makes_the_open_merge_request_a_draft,
}

async fn a_new_error_heads_a_draft_that_is_not_merged_automatically(world: World) {
    break_the_cluster(&world);
    world.merge_request_settings("{auto_merge: true}");
    says(&world.run().await, "created");
    let mr = world.merge_requests().remove(0);
    assert!(world.hub.is_draft(mr.number), "{}", mr.title);
    let text = shown(&world);
    reads!(text.split("<details>").next().unwrap(), @"
    <!-- dibump:begin -->
    Moves `values.yaml` from diskimage-builder release `0.4.11` to `0.4.12`.

    |  | Check | Result |
    | --- | --- | --- |
    | ✅ | Images | complete: 2 images, 2 of 2 series of 0.4.11 |
    | ➖ | Signatures | not checked, no public key is known |
    | ❌ | Findings | 1 new error |
    | ✅ | Kubernetes | kubeadm (opensuse plain): `1.30.11 → 1.30.12`<br>rke2 (ubuntu plain): `1.30.11 → 1.30.12` |

    **Look at:**

    - new error: values.yaml:9:16: Kubernetes `v1.30.11` fits no listed image
    - values.yaml:9:16: Kubernetes v1.30.11 fits no listed image any more (listed images have 1.30.12); decide whether cluster.k8s_version moves, or name it in `kubernetes_versions:`

    **Merging** changes no image that these files enable. Nodes that use a renamed key elsewhere are replaced when that file is updated.

    **What to do:** Fix the new errors, or accept them: mark this merge request ready and merge it when the pipeline passes; to skip only this release, close the merge request.
    ");

    // A person takes it on as it is: it stays ready, and the person merges it.
    world.hub.pipeline(SOURCE, false);
    world.hub.mark_ready(mr.number);
    says(&world.run().await, "unchanged");
    let mr = world.merge_requests().remove(0);
    assert!(!world.hub.is_draft(mr.number) && !mr.auto_merge, "{mr:?}");
}

async fn a_new_error_is_told_and_no_draft_where_it_is_to_be_ignored(world: World) {
    break_the_cluster(&world);
    world.add("policy: {on_new_findings: ignore}");
    says(&world.run().await, "created");
    let mr = world.merge_requests().remove(0);
    assert!(!world.hub.is_draft(mr.number), "{}", mr.title);
    reads!(about(&shown(&world), PLACE), @"
    - new error: values.yaml:9:16: Kubernetes `v1.30.11` fits no listed image
    - values.yaml:9:16: Kubernetes v1.30.11 fits no listed image any more (listed images have 1.30.12); decide whether cluster.k8s_version moves, or name it in `kubernetes_versions:`
    ");
}

async fn a_new_error_holds_and_no_older_release_is_tried_where_it_is_to_hold(world: World) {
    break_the_cluster(&world);
    // 0.4.12 has what the file lists, and 0.4.13 does not.
    for image in images(11) {
        world.registry.release(PREFIX, "0.4.12", &[image]);
    }
    world.release(13).add("policy: {on_new_findings: hold}");
    let held = world.run().await;
    says(&held, "held (new-findings)");
    reads!(about(&held.stdout, PLACE), @"
    ‖ 0.4.13  held: it would add 1 error: values.yaml:9:16: Kubernetes `v1.30.11` fits no listed image  2
    new error[kubernetes-version]: values.yaml:9:16: Kubernetes `v1.30.11` fits no listed image
    held (new-findings): 0.4.13: it would add 1 error: values.yaml:9:16: Kubernetes `v1.30.11` fits no listed image; `accept: [0.4.13]` in the target ends it
    ");
    assert!(world.merge_requests().is_empty(), "{:?}", world.merge_requests());

    world.accept("0.4.13");
    says(&world.run().await, "created");
    assert!(world.hub.is_draft(world.merge_requests()[0].number), "it adds the error all the same");
}

async fn a_release_that_adds_an_error_makes_the_open_merge_request_a_draft(world: World) {
    says(&world.run().await, "created");
    world.merge_request_settings("{auto_merge: true}");
    world.hub.pipeline(SOURCE, false);
    says(&world.run().await, "updated");
    let mr = world.merge_requests().remove(0);
    assert!(mr.auto_merge && !world.hub.is_draft(mr.number), "{mr:?}");

    // The next release lacks the image that the cluster names.
    world.registry.release(PREFIX, "0.4.13", &[Image::new("ubuntu-noble-plain-rke2-1-30-13")]);
    world.add("policy: {incomplete: off}");
    let named = format!("{AT_0_4_11}cluster:\n  capo: {{image_key: opensuse-15-6-plain-kubeadm-1-30-11}}\n");
    world.hub.commit("main", "A cluster", &[(VALUES, named.as_bytes())]);
    says(&world.run().await, "updated");
    let mr = world.merge_requests().remove(0);
    assert!(!mr.auto_merge && world.hub.is_draft(mr.number), "{mr:?}");
    assert!(world.values(SOURCE).unwrap().contains("0.4.13"), "{:?}", world.values(SOURCE));
}

#[tokio::test]
async fn a_plan_says_what_it_adds_what_it_mends_and_what_was_not_checked() {
    let world = World::new().await;
    let text = format!(
        "{}  capo: {{image_key: ubuntu-noble-plain-rke2-1-30-12}}\n  capm3: {{image_key: '{{{{ .Values.key }}}}'}}\n",
        with_cluster()
    );
    world.desk.write(VALUES, &text);
    let told = world.desk.dibump(&["plan", VALUES]).await.stdout;
    reads!(about(&told, "values.yaml:"), @"
    note: values.yaml:9:16: Kubernetes v1.30.11 fits no listed image any more (listed images have 1.30.12); decide whether cluster.k8s_version moves, or name it in `kubernetes_versions:`
    new error[kubernetes-version]: values.yaml:9:16: Kubernetes `v1.30.11` fits no listed image
    resolved error[unknown-image-key]: values.yaml:10:21: `ubuntu-noble-plain-rke2-1-30-12` is not a listed image
    not checked: values.yaml:11:22: unknown-image-key: it is a template
    ");
    let json = world.desk.dibump(&["plan", VALUES, "--format", "json", "--write"]).await;
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    let kinds = |list: &str| {
        let rows = json["findings"][list].as_array().unwrap().iter();
        rows.map(|row| format!("{} {}", row["id"].as_str().unwrap(), row["key"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds("new"), ["kubernetes-version cluster.k8s_version"]);
    assert_eq!(kinds("resolved"), ["unknown-image-key cluster.capo.image_key"]);
    assert_eq!(
        json["findings"]["not_checked"],
        serde_json::json!(["values.yaml:11:22: unknown-image-key: it is a template"])
    );
    let check = world.desk.dibump(&["check", VALUES]).await;
    assert_eq!(check.exit, Some(10), "{check:#?}");
    reads!(about(&check.stdout, "kubernetes-version"), @"error[kubernetes-version]: Kubernetes `v1.30.11` fits no listed image");
}

#[path = "../../examples/demo/world.rs"]
#[allow(dead_code, unreachable_pub, reason = "the demo uses all of it")]
pub(crate) mod demo;

#[tokio::test]
async fn the_demos_own_file_is_clean_after_its_updates() {
    let (registry, gitlab) = (demo::registry().await, demo::gitlab().await);
    let desk = Desk::new();
    desk.write(VALUES, demo::VALUES).write("dibump.yaml", demo::configuration(&registry, &gitlab));
    for version in ["0.4.12", "0.4.13"] {
        if version == "0.4.13" {
            demo::publish_newer(&registry);
        }
        let plan = desk.dibump(&["plan", VALUES, "--config", "dibump.yaml", "--write"]).await;
        assert!(plan.exit == Some(0) && plan.stdout.contains(&format!("→ {version}")), "{plan:#?}");
        let check = desk.dibump(&["check", VALUES, "--config", "dibump.yaml"]).await;
        assert_eq!(check.exit, Some(0), "{plan:#?} {check:#?}");
        reads!(check.stdout, @"
        skipped: values.yaml:14:1: unchecked-signature was not checked: no public key is known
        nothing found
        ");
    }
}
