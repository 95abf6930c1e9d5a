//! Servers as they really are: what they do later, what they refuse, and what they change. Each rule is in the fakes'
//! tables, with its source.

mod github;
mod gitlab;

use crate::hub::Opened;
use crate::said::{self, about};
use crate::world::{AT_0_4_11, Ran, SOURCE, VALUES, World, values_at};

stories! {
    what_the_forge_merges_at_once_was_merged_and_not_reverted_by_a_person,
    a_title_that_is_longer_than_the_forge_takes_is_cut_and_stays_the_bots,
    people_who_are_not_there_are_found_out_before_anything_is_written,
    a_conflict_with_the_target_branch_is_resolved_with_nobody_looking,
    the_prefix_of_source_branches_is_put_in_front_as_it_is,
    what_is_open_under_another_prefix_is_kept_there_until_it_is_merged,
    what_is_open_under_another_prefix_and_not_needed_any_more_is_closed,
    a_moved_target_branch_costs_one_request_more,
}

fn says(ran: &Ran, exit: i32, outcome: &str) {
    assert_eq!(ran.exit, Some(exit), "{ran:#?}");
    said::says(ran, outcome);
}

fn only(world: &World) -> Opened {
    let [mr] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    mr.clone()
}

/// Nothing changes any more, and nothing is written.
async fn settles(world: &World, exit: i32, outcome: &str) -> Ran {
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, exit, outcome);
    assert!(writes.is_empty(), "{writes:#?}");
    ran
}

/// A person's commit on the target branch, in the line above the one that ours changes: the same patch conflicts.
fn conflict(world: &World) {
    let other = AT_0_4_11.replace("# versions of everything", "# by hand");
    world.hub.commit("main", "By hand", &[(VALUES, other.as_bytes())]);
}

async fn a_conflict_with_the_target_branch_is_resolved_with_nobody_looking(world: World) {
    world.run().await;
    conflict(&world);
    says(&world.run().await, 0, "updated");
    assert!(world.values(SOURCE).unwrap().starts_with("# by hand\n"), "{:?}", world.values(SOURCE));
    assert_eq!(world.commits_ahead(), 1);
    settles(&world, 0, "unchanged").await;
}

async fn a_moved_target_branch_costs_one_request_more(world: World) {
    world.run().await;
    settles(&world, 0, "unchanged").await;
    let before = world.hub.log().len();
    world.hub.commit("main", "Docs", &[("README.md", b"hello world\n")]);
    settles(&world, 0, "unchanged").await;
    let checked = world.hub.log();
    settles(&world, 0, "unchanged").await;
    assert_eq!(world.hub.log().len(), before);
    assert!(checked.len() <= before + 1, "{before} {checked:#?}");
}

/// What is open is to be merged. The run that opens it does not know yet, or it would wait for a pipeline in vain.
async fn opened_first(world: &World) {
    world.run().await;
    world.merge_request_settings("{auto_merge: true}");
}

async fn what_the_forge_merges_at_once_was_merged_and_not_reverted_by_a_person(world: World) {
    opened_first(&world).await;
    world.hub.pipeline_succeeded(SOURCE);
    let ran = world.run().await;
    says(&ran, 0, "merged");
    assert!(!ran.stdout.contains("reverted"), "{ran:#?}");
    assert_eq!((only(&world).state.as_str(), world.values("main").unwrap()), ("merged", values_at(12)));
    settles(&world, 0, "up to date").await;
}

/// GitLab's limit and GitHub's both fall into the white space between two words, which no forge keeps at an end.
async fn a_title_that_is_longer_than_the_forge_takes_is_cut_and_stays_the_bots(world: World) {
    let words = "seven77 ".repeat(40);
    world.merge_request_settings(&format!("{{title: '{{{{ to }}}}: {words}', draft: true}}"));
    for (patch, outcome) in [(12, "created"), (13, "updated")] {
        world.release(patch);
        says(&world.run().await, 0, outcome);
        let title = only(&world).title.trim_start_matches("Draft: ").to_owned();
        let whole = format!("0.4.{patch}: {words}");
        assert!(title.len() > 240 && whole.starts_with(&title) && title.ends_with("seven77"), "{title}");
        settles(&world, 0, "unchanged").await;
    }
}

async fn people_who_are_not_there_are_found_out_before_anything_is_written(world: World) {
    world.merge_request_settings("{reviewers: [nobody]}");
    let ran = settles(&world, 3, "failed").await;
    let told = about(&ran.stdout, "→ failed");
    assert!(told.contains("`nobody`"), "{told}");
    reads!(told.split("; ").last().unwrap(), @"`reviewers` of the merge request settings takes user names");
    assert_eq!(world.branches(), ["main"]);
}

const PREFIXED: &str = "users/bot-main/diskimage-builder-0.x";

async fn the_prefix_of_source_branches_is_put_in_front_as_it_is(world: World) {
    world.merge_request_settings("{branch_prefix: users/bot-}");
    says(&world.run().await, 0, "created");
    assert_eq!(world.branches(), ["main", PREFIXED]);
    settles(&world, 0, "unchanged").await;
    world.release(13);
    says(&world.run().await, 0, "updated");
    assert_eq!(world.values(PREFIXED).unwrap(), values_at(13));
}

async fn what_is_open_under_another_prefix_is_kept_there_until_it_is_merged(world: World) {
    world.run().await;
    world.merge_request_settings("{branch_prefix: users/bot-}");
    settles(&world, 0, "unchanged").await;
    world.release(13);
    says(&world.run().await, 0, "updated");
    assert_eq!(
        (world.branches(), world.values(SOURCE).unwrap()),
        (vec![SOURCE.to_owned(), "main".to_owned()], values_at(13))
    );
    settles(&world, 0, "unchanged").await;
    world.hub.merge(1);
    world.release(14);
    says(&world.run().await, 0, "created");
    assert_eq!(world.values(PREFIXED).unwrap(), values_at(14));
}

async fn what_is_open_under_another_prefix_and_not_needed_any_more_is_closed(world: World) {
    world.run().await;
    world.merge_request_settings("{branch_prefix: users/bot-}");
    world.hub.commit("main", "By hand", &[(VALUES, values_at(12).as_bytes())]);
    says(&world.run().await, 0, "closed");
    assert_eq!(only(&world).state, "closed");
    settles(&world, 0, "up to date").await;
}
