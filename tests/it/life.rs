//! The life of a merge request that people work with, by the real program on both forges.

use std::time::Duration;

use crate::fake::wire::{Failure, How, is_write};
use crate::hub::Opened;
use crate::said::{about, says};
use crate::world::{SOURCE, VALUES, World, images, values_at};

stories! {
    a_change_by_a_person_closes_the_merge_request_and_removes_its_branch,
    a_release_that_was_withdrawn_closes_the_merge_request,
    a_release_that_was_withdrawn_in_part_closes_nothing,
    a_file_that_was_pinned_closes_nothing,
    a_merge_request_with_peoples_commits_is_not_closed,
    a_merge_request_that_was_pointed_elsewhere_stays_and_gets_no_twin,
    a_reverted_merge_silences_its_release,
    an_approved_merge_request_stays_and_names_the_newer_release,
    a_tick_builds_the_branch_anew_over_peoples_commits,
    a_tick_proposes_a_closed_release_again,
    reopening_is_a_setting,
    a_moved_tag_is_refused_until_a_person_has_looked,
    auto_merge_is_set_once_a_pipeline_looks_after_the_commit,
    rebasing_when_behind_is_a_setting,
    a_title_and_text_of_a_person_stay,
    a_run_killed_before_any_write_is_finished_by_the_next,
    the_users_own_words_are_written_and_the_bot_still_knows_its_commit,
}

fn only(world: &World) -> Opened {
    let [mr] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    mr.clone()
}

/// What a merge request says at its top to people who opened it before.
fn banner(world: &World) -> String {
    only(world).text.lines().filter(|line| line.starts_with('>')).map(|line| format!("{line}\n")).collect()
}

async fn settles(world: &World, outcome: &str) {
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, outcome);
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn a_change_by_a_person_closes_the_merge_request_and_removes_its_branch(world: World) {
    world.run().await;
    world.hub.commit("main", "By hand", &[(VALUES, values_at(12).as_bytes())]);
    says(&world.run().await, "closed");
    let mr = only(&world);
    assert_eq!(mr.state, "closed");
    reads!(banner(&world), @"> Closed: main has 0.4.12 or a newer release already.");
    assert_eq!(world.branches(), ["main"]);
    settles(&world, "up to date").await;
    world.release(13);
    says(&world.run().await, "created");
    assert_eq!(world.merge_requests().len(), 2);
}

async fn a_release_that_was_withdrawn_closes_the_merge_request(world: World) {
    world.run().await;
    for image in images(12) {
        world.registry.remove(&format!("{}/{}", crate::world::PREFIX, image.name), "0.4.12");
    }
    says(&world.run().await, "closed");
    reads!(banner(&world), @"> Closed: 0.4.12 is not published any more.");
    assert_eq!(world.branches(), ["main"]);
    settles(&world, "up to date").await;
}

async fn a_release_that_was_withdrawn_in_part_closes_nothing(world: World) {
    world.run().await;
    world.registry.fault(crate::fake::oci::Fault::status(503));
    settles(&world, "unknown").await;
    assert_eq!(only(&world).state, "open");
}

async fn a_merge_request_with_peoples_commits_is_not_closed(world: World) {
    world.run().await;
    world.hub.commit(SOURCE, "Mine", &[("mine.txt", b"mine\n")]);
    world.hub.commit("main", "By hand", &[(VALUES, values_at(12).as_bytes())]);
    settles(&world, "up to date").await;
    assert_eq!(only(&world).state, "open");
    assert!(world.hub.file(SOURCE, "mine.txt").is_some());
}

async fn a_merge_request_that_was_pointed_elsewhere_stays_and_gets_no_twin(world: World) {
    world.run().await;
    world.hub.change(1, |mr| mr.target = "release-1.4".to_owned());
    world.release(13);
    settles(&world, "edited by others").await;
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
    assert_eq!(world.merge_requests().len(), 1);
}

async fn a_reverted_merge_silences_its_release(world: World) {
    world.run().await;
    let before = world.values("main").unwrap();
    world.hub.merge(1);
    settles(&world, "up to date").await;
    world.hub.commit("main", "Revert", &[(VALUES, before.as_bytes())]);
    settles(&world, "closed by others").await;
    world.release(13);
    says(&world.run().await, "created");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(13), "the branch that was left is used again");
}

async fn an_approved_merge_request_stays_and_names_the_newer_release(world: World) {
    world.merge_request_settings("{freeze: approved}");
    world.run().await;
    world.hub.approve(1);
    world.release(13);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "updated");
    assert_eq!(writes.len(), 1, "{writes:#?}");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
    let mr = only(&world);
    assert!(mr.title.contains("0.4.12"), "{mr:#?}");
    reads!(banner(&world), @"> `0.4.13` is published. This merge request stays at `0.4.12` because it is approved (`freeze: approved`); tick the first box below to move it.");
    settles(&world, "unchanged").await;
    tick(&world, "rebuild");
    says(&world.run().await, "updated");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(13));
}

fn tick(world: &World, name: &str) {
    world.hub.change(1, |mr| {
        let empty = format!("[ ] <!-- dibump:{name} -->");
        assert!(mr.text.contains(&empty), "{}", mr.text);
        mr.text = mr.text.replace(&empty, &format!("[x] <!-- dibump:{name} -->"));
    });
}

async fn a_tick_builds_the_branch_anew_over_peoples_commits(world: World) {
    world.run().await;
    world.hub.commit(SOURCE, "Mine", &[("mine.txt", b"mine\n")]);
    says(&world.run().await, "edited by others");
    tick(&world, "rebuild");
    says(&world.run().await, "updated");
    assert_eq!(world.hub.file(SOURCE, "mine.txt"), None);
    assert_eq!(world.commits_ahead(), 1);
    reads!(banner(&world), @"");
    assert!(!only(&world).text.contains("[x]"), "{}", only(&world).text);
    settles(&world, "unchanged").await;
}

async fn a_tick_proposes_a_closed_release_again(world: World) {
    world.run().await;
    world.hub.change(1, |mr| mr.state = "closed".to_owned());
    settles(&world, "closed by others").await;
    tick(&world, "again");
    says(&world.run().await, "reopened");
    let mr = only(&world);
    assert!(mr.state == "open" && !mr.text.contains("[x]"), "{mr:#?}");
    settles(&world, "unchanged").await;
}

async fn reopening_is_a_setting(world: World) {
    world.merge_request_settings("{on_closed: reopen}");
    world.run().await;
    world.hub.change(1, |mr| mr.state = "closed".to_owned());
    says(&world.run().await, "reopened");
    assert_eq!(only(&world).state, "open");
    settles(&world, "unchanged").await;
}

async fn a_moved_tag_is_refused_until_a_person_has_looked(world: World) {
    world.run().await;
    let [image, _] = images(12);
    let path = format!("{}/{}", crate::world::PREFIX, image.name);
    world.registry.remove(&path, "0.4.12");
    let other = image.with("org.opencontainers.image.revision", "another");
    world.registry.release(crate::world::PREFIX, "0.4.12", &[other]);
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    says(&ran, "refused: tag moved");
    reads!(banner(&world), @"
    > **Do not merge before you know why:** the tag `0.4.12` was moved after this text was written. These images are not the described ones any more:
    >
    > - `ubuntu-noble-plain-rke2-1-30-12`
    >
    > Tick the first box below to describe them again.
    ");
    settles(&world, "refused: tag moved").await;
    tick(&world, "rebuild");
    says(&world.run().await, "updated");
    reads!(banner(&world), @"");
    settles(&world, "unchanged").await;
}

async fn auto_merge_is_set_once_a_pipeline_looks_after_the_commit(world: World) {
    world.run().await;
    world.merge_request_settings("{auto_merge: true}");
    says(&world.run().await, "updated");
    reads!(about(&only(&world).text, "What to do"), @"**What to do:** Approve the merge request if your project requires that; it merges automatically when the pipeline passes; to skip only this release, close the merge request.");
    settles(&world, "unchanged").await;
    world.hub.pipeline(SOURCE, true);
    settles(&world, "unchanged").await;
    world.hub.pipeline(SOURCE, false);
    says(&world.run().await, "updated");
    assert!(only(&world).auto_merge);
    settles(&world, "unchanged").await;
    assert_eq!(only(&world).state, "open", "the forge merges, not the bot");
}

async fn rebasing_when_behind_is_a_setting(world: World) {
    world.merge_request_settings("{rebase: behind}");
    world.run().await;
    settles(&world, "unchanged").await;
    world.hub.commit("main", "Docs", &[("README.md", b"hello world\n")]);
    says(&world.run().await, "updated");
    assert_eq!(world.hub.file(SOURCE, "README.md").unwrap(), "hello world\n");
    settles(&world, "unchanged").await;
}

async fn a_title_and_text_of_a_person_stay(world: World) {
    world.run().await;
    world.hub.change(1, |mr| {
        mr.title = "My title".to_owned();
        mr.text = format!("Please look, @carol.\n\n{}\nThanks.", mr.text);
    });
    settles(&world, "unchanged").await;
    world.release(13);
    says(&world.run().await, "updated");
    let mr = only(&world);
    assert_eq!(mr.title, "My title");
    assert!(mr.text.starts_with("Please look, @carol.\n\n") && mr.text.ends_with("\nThanks."), "{}", mr.text);
    assert!(mr.text.contains("0.4.13"), "{}", mr.text);
}

/// A real SIGKILL, while the forge holds the request back.
async fn a_run_killed_before_any_write_is_finished_by_the_next(world: World) {
    let before = world.hub.keep();
    let (_, writes) = world.run_and_writes().await;
    let numbered = world.hub.log().into_iter().zip(0..);
    let held: Vec<u32> =
        numbered.filter(|(seen, _)| is_write(&seen.method, &seen.target)).map(|(_, n)| n).collect();
    assert_eq!(held.len(), writes.len());
    for number in held {
        world.hub.come_back(before.as_ref());
        world.hub.fail(Failure::once("", "", How::Silence).after(number));
        let mut child = world.desk.spawn(&["run"]);
        while !world.hub.all_struck() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.kill().await.unwrap();
        world.hub.heal();
        says(&world.run().await, "created");
        assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
        assert_eq!((world.commits_ahead(), only(&world).state.as_str()), (1, "open"));
        settles(&world, "unchanged").await;
    }
}

async fn the_users_own_words_are_written_and_the_bot_still_knows_its_commit(world: World) {
    let message = "Images {{ to }}\\n\\nFrom {{ from }}, {{ renamed }} keys.";
    world.merge_request_settings(&format!(
        "{{title: \"{{{{ update_type }}}}: {{{{ producer }}}} {{{{ to }}}}\", commit_message: \"{message}\", \
         body: \"Ask the images team.\\n\\n{{{{ text }}}}\", commit_trailers: [\"Changelog: changed\"], \
         sign_off: \"Bot <bot@example.com>\"}}"
    ));
    world.run().await;
    let mr = only(&world);
    assert_eq!(mr.title, "patch: diskimage-builder 0.4.12");
    let head: Vec<&str> = mr.text.lines().take(4).collect();
    reads!(head.join("\n"), @"
    <!-- dibump:begin -->
    Ask the images team.

    Moves `values.yaml` from diskimage-builder release `0.4.11` to `0.4.12`.
    ");
    let mut message = String::new();
    world.hub.git(&mut |git| message.clone_from(&git.head(SOURCE).unwrap().message));
    let start = "Images 0.4.12\n\nFrom 0.4.11, 2 keys.\n\nChangelog: changed\nSigned-off-by: Bot <bot@example.com>\nDibump-";
    assert!(message.starts_with(start), "{message}");
    settles(&world, "unchanged").await;
    world.release(13);
    says(&world.run().await, "updated");
    assert_eq!(only(&world).title, "patch: diskimage-builder 0.4.13");
}

async fn a_file_that_was_pinned_closes_nothing(world: World) {
    world.run().await;
    let pinned = world.values("main").unwrap().replace("0.4.11", "0.0.0-git-098dca5b");
    world.hub.commit("main", "Pin", &[(VALUES, pinned.as_bytes())]);
    settles(&world, "held (pinned)").await;
    assert_eq!(only(&world).state, "open", "0.4.12 is published as before");
}
