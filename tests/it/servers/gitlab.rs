//! GitLab as it really is.

use std::sync::MutexGuard;

use super::*;
use crate::fake::gitlab::{Protected, State, Version};
use crate::fake::wire::{Answer, Failure, How};
use crate::world::PROJECT;

fn state(world: &World) -> MutexGuard<'_, State> {
    world.hub.gitlab().state()
}

#[tokio::test]
async fn a_check_for_conflicts_that_takes_too_long_is_left_to_the_next_run() {
    let world = World::new().await;
    world.forge_settings("conflict_check_wait: 10ms").run().await;
    conflict(&world);
    state(&world).project(PROJECT).check_takes = u32::MAX;
    settles(&world, 0, "GitLab has not checked for conflicts yet").await;
    state(&world).project(PROJECT).check_takes = 0;
    says(&world.run().await, 0, "→ updated");
}

#[tokio::test]
async fn a_developer_who_may_not_merge_is_told_so_and_the_run_is_not_red_for_it() {
    for train in [false, true] {
        let world = World::new().await;
        state(&world).project(PROJECT).protected[0].merge = 40;
        state(&world).project(PROJECT).merge_trains = train;
        opened_first(&world).await;
        world.hub.pipeline(SOURCE, false);
        // The text says from now on that the forge merges.
        says(&world.run().await, 0, "→ updated");
        let ran = world.run().await;
        says(&ran, 0, "→ unchanged");
        let said = ran.stdout.contains("may not merge") && ran.stdout.contains("Developer");
        assert!(said && !ran.stdout.contains("expired"), "{ran:#?}");
    }
}

#[tokio::test]
async fn a_merge_request_that_lacks_an_approval_is_not_asked_to_be_merged_in_vain() {
    let world = World::new().await;
    state(&world).project(PROJECT).approvals_required = 1;
    opened_first(&world).await;
    world.hub.pipeline_succeeded(SOURCE);
    // The text says from now on that the forge merges.
    says(&world.run().await, 0, "→ updated");
    settles(&world, 0, "not approved").await;
    world.hub.approve(1);
    says(&world.run().await, 0, "→ merged");
}

#[tokio::test]
async fn maintenance_is_told_in_gitlabs_words_and_is_no_matter_of_tokens() {
    let world = World::new().await;
    state(&world).read_only = true;
    let ran = world.run().await;
    says(&ran, 4, "You cannot perform write operations on a read-only instance");
    assert!(!ran.stdout.contains("token"), "{ran:#?}");
    state(&world).read_only = false;
    says(&world.run().await, 0, "→ created");
    state(&world).read_only = true;
    world.release(13);
    says(&world.run().await, 4, "read-only instance");
}

#[tokio::test]
async fn a_quick_action_in_the_body_is_refused_with_the_setting_that_does_the_same() {
    let world = World::new().await;
    world.merge_request_settings("{body: \"{{ text }}\\n\\n/label ~os-images\\n\"}");
    let ran = world.desk.dibump(&["config", "validate"]).await;
    assert!(ran.exit == Some(3) && ran.stderr.contains("`labels`"), "{ran:#?}");
    let world = World::new().await;
    let quoted = "{body: \"{{ text }}\\n\\n```\\n/label ~os-images\\n```\\n/usr/bin is no command\\n\"}";
    world.merge_request_settings(quoted);
    says(&world.run().await, 0, "→ created");
    assert!(only(&world).text.contains("/label ~os-images"), "{}", only(&world).text);
    settles(&world, 0, "→ unchanged").await;
}

#[tokio::test]
async fn what_gitlab_cuts_out_of_a_text_is_not_written_again() {
    let world = World::new().await;
    world.merge_request_settings("{body: \"{{ text }}\\n\\n/a_command_of_2030 now\\n\"}");
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, 0, "→ created");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert!(!only(&world).text.contains("2030"), "{}", only(&world).text);
    settles(&world, 0, "→ unchanged").await;
    world.release(13);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, 0, "→ updated");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    settles(&world, 0, "→ unchanged").await;
}

#[tokio::test]
async fn a_protected_branch_that_may_not_be_forced_names_the_setting() {
    let world = World::new().await;
    let rule = Protected { push: 30, ..Protected::by_default("dibump/*") };
    state(&world).project(PROJECT).protected.push(rule);
    says(&world.run().await, 0, "→ created");
    world.release(13);
    let ran = world.run().await;
    says(&ran, 3, "Allowed to force push");
    assert_eq!(world.writes().iter().filter(|write| write.contains("/commits")).count(), 2, "one try a run");
}

#[tokio::test]
async fn a_title_of_255_characters_that_a_person_wrote_leaves_room_for_the_prefix_of_a_draft() {
    let world = World::new().await;
    world.add("policy: {range: '>=0.4.3, <0.5'}").run().await;
    world.hub.change(1, |mr| mr.title = "t".repeat(255));
    world.release_with_another_os(13);
    says(&world.run().await, 0, "→ updated");
    assert_eq!(only(&world).title, format!("Draft: {}", "t".repeat(248)));
    settles(&world, 0, "→ unchanged").await;
}

#[tokio::test]
async fn a_milestone_of_a_group_is_found_on_every_version() {
    for version in [Version(16, 6), Version(16, 7)] {
        let world = World::new().await;
        state(&world).version = version;
        state(&world).project(PROJECT).group_milestones = vec!["1.5".to_owned()];
        world.merge_request_settings("{milestone: '1.5'}");
        says(&world.run().await, 0, "→ created");
        assert_eq!(state(&world).project(PROJECT).merge_request(1).milestone, Some(1001));
        settles(&world, 0, "→ unchanged").await;
    }
}

#[tokio::test]
async fn an_archived_project_is_called_that() {
    let world = World::new().await;
    state(&world).project(PROJECT).archived = true;
    settles(&world, 3, "is archived").await;
}

#[tokio::test]
async fn a_proxy_that_decodes_slashes_is_recognised() {
    let world = World::new().await;
    state(&world).decodes_slashes = true;
    settles(&world, 3, "%2F").await;
}

#[tokio::test]
async fn a_page_of_a_firewall_is_not_gitlab_and_may_pass() {
    let world = World::new().await;
    let html = ("text/html; charset=UTF-8", "<title>Just a moment...</title>", "GitLab's API was expected");
    let plain = ("text/plain", "Blocked by policy 7", "Blocked by policy 7");
    for (status, (content_type, text, said)) in [(200, html), (403, html), (403, plain)] {
        let page = Answer::text(status, content_type, text);
        world.hub.fail(Failure::always("GET", "/branches", How::Answer(page)));
        let ran = world.run().await;
        says(&ran, 4, said);
        assert!(!ran.stdout.contains("token"), "{ran:#?}");
        world.hub.heal();
    }
    says(&world.run().await, 0, "→ created");
}

#[tokio::test]
async fn a_push_rule_on_names_of_branches_is_told_with_the_setting_that_meets_it() {
    let world = World::new().await;
    state(&world).project(PROJECT).branch_names = Some("^(users|release)/".to_owned());
    let ran = world.run().await;
    says(&ran, 3, "does not follow the pattern");
    assert!(ran.stdout.contains("`merge_request.branch_prefix`"), "{ran:#?}");
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    assert!(!ran.stdout.contains("push rule"), "a Developer is not told: {ran:#?}");
    state(&world).project(PROJECT).members.insert("project_42_bot".to_owned(), 40);
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    says(&ran, 3, "takes no branch dibump/main/diskimage-builder-0.x (`^(users|release)/`)");
    world.merge_request_settings("{branch_prefix: users/dibump/}");
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    assert!(!ran.stdout.contains("push rule"), "{ran:#?}");
    says(&world.run().await, 0, "→ created");
}
