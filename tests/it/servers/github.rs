//! GitHub as it really is.

use super::*;
use crate::fake::wire::{Answer, Failure, How};
use crate::world::PROJECT;

/// A pull request with a label and an assignee.
async fn labelled() -> World {
    let world = World::on_github().await;
    let mut state = world.hub.github().state();
    state.add_user("ada");
    state.project(PROJECT).members.insert("ada".to_owned(), 3);
    drop(state);
    world.merge_request_settings("{labels: [bot], assignees: [ada], reviewers: [ada]}");
    world
}

fn settings(world: &World) -> [Vec<String>; 3] {
    let request = world.hub.github().state().project(PROJECT).pull_request(1).clone();
    [request.labels, request.assignees, request.reviewers]
}

fn whole() -> [Vec<String>; 3] {
    ["bot", "ada", "ada"].map(|name| vec![name.to_owned()])
}

#[tokio::test]
async fn settings_are_set_where_the_answer_of_opening_was_lost() {
    let world = labelled().await;
    world.hub.fail(Failure::once("POST", "/pulls", How::LoseAnswer));
    says(&world.run().await, 0, "created");
    assert_eq!(settings(&world), whole());
    settles(&world, 0, "unchanged").await;
}

#[tokio::test]
async fn settings_are_set_by_the_next_run_where_one_was_killed_after_opening() {
    let world = labelled().await;
    world.hub.fail(Failure::once("POST", "/requested_reviewers", How::Silence));
    let mut child = world.desk.spawn(&["run"]);
    while !world.hub.all_struck() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    child.kill().await.unwrap();
    world.hub.heal();
    assert_ne!(settings(&world), whole());
    says(&world.run().await, 0, "updated");
    assert_eq!(settings(&world), whole());
    settles(&world, 0, "unchanged").await;
}

#[tokio::test]
async fn a_rate_limit_is_told_in_githubs_words_with_the_time_of_its_end() {
    let limited = |words: &str| Answer::message(403, words).header("date", "Tue, 05 May 2026 03:02:01 GMT");
    let none_left = |answer: Answer| {
        answer.header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "1777951921")
    };
    let mut told = String::new();
    for answer in [
        limited("You have exceeded a secondary rate limit.").header("retry-after", "3600"),
        limited("You have triggered an abuse detection mechanism."),
        none_left(limited("API rate limit exceeded for user ID 1.")),
        none_left(limited("Forbidden")),
    ] {
        let world = World::on_github().await;
        world.hub.fail(Failure::always("GET", "/repos/", How::Answer(answer)));
        let ran = world.run().await;
        says(&ran, 4, "unknown");
        told += &about(&ran.stdout, "→ unknown");
    }
    reads!(told, @r#"
    → unknown: couldn't look up the default branch of sylva/sylva-core: GitHub limits this token: "You have exceeded a secondary rate limit"; again after 04:02 UTC
    → unknown: couldn't look up the default branch of sylva/sylva-core: GitHub limits this token: "You have triggered an abuse detection mechanism"; again after 03:03 UTC
    → unknown: couldn't look up the default branch of sylva/sylva-core: GitHub limits this token: "API rate limit exceeded for user ID 1"; again after 03:32 UTC
    → unknown: couldn't look up the default branch of sylva/sylva-core: GitHub limits this token: "Forbidden"; again after 03:32 UTC
    "#);
}

#[tokio::test]
async fn where_drafts_do_not_exist_a_normal_one_is_opened_and_that_is_told() {
    let world = World::on_github().await;
    world.hub.github().state().project(PROJECT).drafts = false;
    world.merge_request_settings("{draft: true}");
    let ran = world.run().await;
    says(&ran, 0, "created");
    reads!(about(&ran.stdout, "drafts"), @"note: GitHub has no drafts here: it is ready for review");
    assert!(!world.hub.is_draft(1));
    settles(&world, 0, "unchanged").await;
}

#[tokio::test]
async fn a_page_of_a_firewall_is_not_github_and_may_pass() {
    let world = World::on_github().await;
    let html = ("text/html; charset=UTF-8", "<title>Just a moment...</title>");
    let mut told = String::new();
    for (content_type, text) in [html, ("text/plain", "Blocked by policy 7")] {
        let page = Answer::text(403, content_type, text);
        world.hub.fail(Failure::always("GET", "/repos/", How::Answer(page)));
        let ran = world.run().await;
        says(&ran, 4, "unknown");
        told += &about(&ran.stdout, "→ unknown");
        assert!(!ran.stdout.contains("token"), "{ran:#?}");
        world.hub.heal();
    }
    reads!(told, @"
    → unknown: couldn't look up the default branch of sylva/sylva-core: http://HOST/api/v3/repos/sylva/sylva-core: a web page (403 Forbidden) where GitHub's API was expected; is the address right? or does a sign-in page or a proxy answer in its place?
    → unknown: couldn't look up the default branch of sylva/sylva-core: Blocked by policy 7
    ");
    says(&world.run().await, 0, "created");
}

#[tokio::test]
async fn a_forge_without_drafts_gets_an_update_and_a_note() {
    let world = World::on_github().await;
    world.hub.github().state().project(PROJECT).drafts = false;
    world.add("policy: {range: '>=0.4.3, <0.5'}");
    says(&world.run().await, 0, "created");
    world.release_with_another_os(13);
    let ran = world.run().await;
    says(&ran, 0, "updated");
    reads!(about(&ran.stdout, "drafts"), @"note: GitHub has no drafts here: it is ready for review");
    assert!(!world.hub.is_draft(1) && world.values(SOURCE).unwrap().contains("plucky"));
    settles(&world, 0, "unchanged").await;
}

#[tokio::test]
async fn a_check_for_conflicts_that_takes_too_long_is_left_to_the_next_run() {
    let world = World::on_github().await;
    world.forge_settings("conflict_check_wait: 10ms").run().await;
    conflict(&world);
    world.hub.github().state().project(PROJECT).check_takes = u32::MAX;
    let ran = settles(&world, 0, "unchanged").await;
    reads!(about(&ran.stdout, "conflicts"), @"note: GitHub has not checked for conflicts yet; the next run looks again");
    world.hub.github().state().project(PROJECT).check_takes = 0;
    says(&world.run().await, 0, "updated");
}
