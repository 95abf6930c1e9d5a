//! docs/merge-request.md shows a merge request as the bot wrote it: both forges render the page as they render the
//! description itself. It does not drift from what the program writes.
//!
//! After a change on purpose: `UPDATE_DOCS=1 cargo test --test it page`.

use std::path::Path;

use crate::world::{AT_0_4_11, SOURCE, VALUES, World, values_at};

const BEFORE: &str = "\
# The merge request

This is a merge request of `dibump run`, taken from a run of the test suite. GitLab and GitHub show the description as they
show this page.

- The branch is one commit. It changes the version, the image keys, other places that name these keys, and the Kubernetes
  versions that follow the images. It moves to a newer release in place, and never back to an older one.
- The bot writes only the text between its two hidden fences. The text before and after them is yours, and so is the title
  once you have edited it. Commits that you add to the branch stay: the bot leaves the branch alone, and lists in the text
  the planned lines that are missing.
- To decline only this release, close the merge request. The bot closes its own untouched merge request only if it knows
  that it is not needed, and says why.
- The visible part is for a reviewer with a minute; the folded parts hold the details. `dibump plan --format markdown`
  prints the same text for a local file.
- If an image now has another digest than the one in the text, a warning at its top says so and auto-merge is switched off.

";

#[tokio::test]
async fn the_page_shows_what_the_bot_writes() {
    let world = World::new().await;
    world.run().await;
    let mr = world.merge_requests().remove(0);
    let host = world.registry.prefix("");
    let host = host.trim_start_matches("oci://").trim_end_matches('/').to_owned();
    let text = mr.text.replace(&host, "registry.example").replace(" --plain-http", "");
    // The fingerprint of the text is another one at every address of the registry.
    let (before, rest) = text.split_once("\"text\":\"").unwrap();
    let text = format!("{before}\"text\":\"{}\"{}", "0".repeat(16), rest.split_once('"').unwrap().1);
    let page =
        format!("{BEFORE}---\n\n## {}\n\n`{SOURCE}` into `{}`\n\n{}\n", mr.title, mr.target, text.trim_end());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/merge-request.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "docs/merge-request.md has drifted");
}

stories! {
    plan_prints_what_the_merge_request_says,
}

async fn plan_prints_what_the_merge_request_says(world: World) {
    world.run().await;
    let mr = world.merge_requests().remove(0);
    world.desk.write(VALUES, AT_0_4_11);
    let plan = world.desk.dibump(&["plan", "--format", "markdown"]).await;
    reads!(plan.stdout.lines().next().unwrap(), @"Moves `values.yaml` from diskimage-builder release `0.4.11` to `0.4.12`.");
    assert!(mr.text.contains(&plan.stdout), "{}\n{}", plan.stdout, mr.text);

    world.desk.write(VALUES, values_at(12));
    let plan = world.desk.dibump(&["plan", "--format", "markdown"]).await;
    assert_eq!(plan.stdout, "diskimage-builder up to date.\n");
}
