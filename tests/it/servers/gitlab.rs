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
    let ran = settles(&world, 0, "unchanged").await;
    reads!(about(&ran.stdout, "conflicts"), @"note: GitLab has not checked for conflicts yet; the next run looks again");
    state(&world).project(PROJECT).check_takes = 0;
    says(&world.run().await, 0, "updated");
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
        says(&world.run().await, 0, "updated");
        let ran = world.run().await;
        says(&ran, 0, "unchanged");
        reads!(about(&ran.stdout, "Developer"), @"note: couldn't set merge request !1 to auto-merge: the token (role Developer) may not merge into the protected target branch");
        assert!(!ran.stdout.contains("expired"), "{ran:#?}");
    }
}

#[tokio::test]
async fn a_merge_request_that_lacks_an_approval_is_not_asked_to_be_merged_in_vain() {
    let world = World::new().await;
    state(&world).project(PROJECT).approvals_required = 1;
    opened_first(&world).await;
    world.hub.pipeline_succeeded(SOURCE);
    // The text says from now on that the forge merges.
    says(&world.run().await, 0, "updated");
    let ran = settles(&world, 0, "unchanged").await;
    reads!(about(&ran.stdout, "approved"), @"note: merge request 1 can't be merged yet: not approved");
    world.hub.approve(1);
    says(&world.run().await, 0, "merged");
}

#[tokio::test]
async fn maintenance_is_told_in_gitlabs_words_and_is_no_matter_of_tokens() {
    let world = World::new().await;
    state(&world).read_only = true;
    let ran = world.run().await;
    says(&ran, 4, "unknown");
    reads!(about(&ran.stdout, "→ unknown"), @"→ unknown: couldn't push branch `dibump/main/diskimage-builder-0.x`: You cannot perform write operations on a read-only instance");
    assert!(!ran.stdout.contains("token"), "{ran:#?}");
    state(&world).read_only = false;
    says(&world.run().await, 0, "created");
    state(&world).read_only = true;
    world.release(13);
    let ran = world.run().await;
    says(&ran, 4, "unknown");
    reads!(about(&ran.stdout, "→ unknown"), @"→ unknown: couldn't push branch `dibump/main/diskimage-builder-0.x`: You cannot perform write operations on a read-only instance");
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
    says(&world.run().await, 0, "created");
    assert!(only(&world).text.contains("/label ~os-images"), "{}", only(&world).text);
    settles(&world, 0, "unchanged").await;
}

#[tokio::test]
async fn what_gitlab_cuts_out_of_a_text_is_not_written_again() {
    let world = World::new().await;
    world.merge_request_settings("{body: \"{{ text }}\\n\\n/a_command_of_2030 now\\n\"}");
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, 0, "created");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert!(!only(&world).text.contains("2030"), "{}", only(&world).text);
    settles(&world, 0, "unchanged").await;
    world.release(13);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, 0, "updated");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    settles(&world, 0, "unchanged").await;
}

#[tokio::test]
async fn a_protected_branch_that_may_not_be_forced_names_the_setting() {
    let world = World::new().await;
    let rule = Protected { push: 30, ..Protected::by_default("dibump/*") };
    state(&world).project(PROJECT).protected.push(rule);
    says(&world.run().await, 0, "created");
    world.release(13);
    let ran = world.run().await;
    says(&ran, 3, "failed");
    reads!(about(&ran.stdout, "→ failed"), @r#"→ failed: couldn't push branch `dibump/main/diskimage-builder-0.x`: You are not allowed to force push code to a protected branch on this project; switch on "Allowed to force push" for this branch under Settings, Repository, Protected branches, or leave the bot's branches unprotected"#);
    assert_eq!(world.writes().iter().filter(|write| write.contains("/commits")).count(), 2, "one try a run");
}

#[tokio::test]
async fn a_title_of_255_characters_leaves_room_for_the_prefix_of_a_draft() {
    let world = World::new().await;
    world.add("policy: {range: '>=0.4.3, <0.5'}").run().await;
    world.hub.change(1, |mr| mr.title = "t".repeat(255));
    world.release_with_another_os(13);
    says(&world.run().await, 0, "updated");
    assert_eq!(only(&world).title, format!("Draft: {}", "t".repeat(248)));
    settles(&world, 0, "unchanged").await;
}

#[tokio::test]
async fn a_milestone_of_a_group_is_found_on_every_version() {
    for version in [Version(16, 6), Version(16, 7)] {
        let world = World::new().await;
        state(&world).version = version;
        state(&world).project(PROJECT).group_milestones = vec!["1.5".to_owned()];
        world.merge_request_settings("{milestone: '1.5'}");
        says(&world.run().await, 0, "created");
        assert_eq!(state(&world).project(PROJECT).merge_request(1).milestone, Some(1001));
        settles(&world, 0, "unchanged").await;
    }
}

#[tokio::test]
async fn an_archived_project_is_called_that() {
    let world = World::new().await;
    state(&world).project(PROJECT).archived = true;
    let ran = settles(&world, 3, "failed").await;
    reads!(about(&ran.stdout, "→ failed"), @"→ failed: couldn't push branch `dibump/main/diskimage-builder-0.x`: sylva/sylva-core is archived; unarchive it, or take it out of the targets");
}

#[tokio::test]
async fn a_proxy_that_decodes_slashes_is_recognised() {
    let world = World::new().await;
    state(&world).decodes_slashes = true;
    let ran = settles(&world, 3, "failed").await;
    reads!(about(&ran.stdout, "→ failed"), @"→ failed: couldn't look up the default branch of sylva/sylva-core: 404 Not Found; a proxy before GitLab may turn %2F into a slash; let it pass paths as they are (nginx: proxy_pass without a path; Apache: AllowEncodedSlashes NoDecode and nocanon)");
}

#[tokio::test]
async fn a_page_of_a_firewall_is_not_gitlab_and_may_pass() {
    let world = World::new().await;
    let html = ("text/html; charset=UTF-8", "<title>Just a moment...</title>");
    let plain = ("text/plain", "Blocked by policy 7");
    let mut told = String::new();
    for (status, (content_type, text)) in [(200, html), (403, html), (403, plain)] {
        let page = Answer::text(status, content_type, text);
        world.hub.fail(Failure::always("GET", "/branches", How::Answer(page)));
        let ran = world.run().await;
        says(&ran, 4, "unknown");
        told += &about(&ran.stdout, "→ unknown");
        assert!(!ran.stdout.contains("token"), "{ran:#?}");
        world.hub.heal();
    }
    reads!(told, @"
    → unknown: couldn't read the head of branch `main`: http://HOST/api/v4/projects/sylva%2Fsylva-core/repository/branches/main: a web page (200 OK) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    → unknown: couldn't read the head of branch `main`: http://HOST/api/v4/projects/sylva%2Fsylva-core/repository/branches/main: a web page (403 Forbidden) where GitLab's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    → unknown: couldn't read the head of branch `main`: Blocked by policy 7
    ");
    says(&world.run().await, 0, "created");
}

#[tokio::test]
async fn a_push_rule_on_names_of_branches_is_told_with_the_setting_that_meets_it() {
    let world = World::new().await;
    state(&world).project(PROJECT).branch_names = Some("^(users|release)/".to_owned());
    let ran = world.run().await;
    says(&ran, 3, "failed");
    reads!(about(&ran.stdout, "→ failed"), @"→ failed: couldn't push branch `dibump/main/diskimage-builder-0.x`: Branch name 'dibump/main/diskimage-builder-0.x' does not follow the pattern '^(users|release)/'; set `merge_request.branch_prefix` so that the names of the bot's branches follow the project's push rule");
    // A Developer is not told.
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    reads!(about(&ran.stdout, "dibump/main"), @"ok: it may push branch dibump/main/diskimage-builder-0.x");
    state(&world).project(PROJECT).members.insert("project_42_bot".to_owned(), 40);
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(about(&ran.stdout, "^(users"), @"wrong: a push rule of the project takes no branch dibump/main/diskimage-builder-0.x (`^(users|release)/`); set `merge_request.branch_prefix`");
    world.merge_request_settings("{branch_prefix: users/dibump/}");
    let ran = world.desk.dibump(&["config", "validate", "--online"]).await;
    reads!(about(&ran.stdout, "dibump/main"), @"ok: it may push branch users/dibump/main/diskimage-builder-0.x");
    says(&world.run().await, 0, "created");
}
