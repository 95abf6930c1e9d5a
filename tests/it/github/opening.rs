//! Pull requests that the forge adapter opens and edits.

use dibump::forge::{MergeRequestEdit, MergeRequestState, StateChange};

use super::*;
use crate::fake::github::{Answer, Failure, How};

fn members(fake: &FakeGitHub, names: &[&str]) {
    for name in names {
        fake.state().add_user(name);
        fake.state().project(PROJECT).members.insert((*name).to_owned(), 3);
    }
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn all_settings() -> MergeRequestSettings {
    MergeRequestSettings {
        labels: texts(&["bot", "os images"]),
        assignees: texts(&["ada", "ben"]),
        reviewers: texts(&["Ben"]),
        draft: true,
        squash: Some(true),
        remove_source_branch: true,
        milestone: Some("1.5".to_owned()),
    }
}

#[tokio::test]
async fn a_pull_request_is_opened_with_all_its_settings() {
    let fake = pushed().await;
    members(&fake, &["ada", "ben"]);
    fake.state().project(PROJECT).milestones = texts(&["1.4", "1.5"]);
    let made = client(&fake).create_merge_request(&request(all_settings())).await.unwrap();
    assert_eq!((made.number, made.draft, made.from_this_project), (1, true, true));
    assert_eq!(made.title, "Update images to 0.4.12");
    assert_eq!(made.head, Some(head(&mut fake.state(), SOURCE)));
    let mut state = fake.state();
    let request = state.project(PROJECT).pull_request(1);
    assert_eq!((request.title.as_str(), request.draft), ("Update images to 0.4.12", true));
    assert_eq!(request.description.as_deref(), Some("a & b = c\n<!-- dibump -->"));
    assert_eq!(request.labels, ["bot", "os images"]);
    assert_eq!(
        (&request.assignees[..], &request.reviewers[..]),
        (&texts(&["ada", "ben"])[..], &texts(&["Ben"])[..])
    );
    assert_eq!(request.milestone, Some(2));
}

#[tokio::test]
async fn a_pull_request_without_settings_is_one_request() {
    let fake = pushed().await;
    fake.clear_log();
    client(&fake).create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
    assert_eq!(fake.writes().len(), 1, "{:#?}", fake.writes());
}

#[tokio::test]
async fn unknown_people_and_milestones_are_named_and_nothing_is_written() {
    let fake = pushed().await;
    fake.clear_log();
    let one = |name: &str| vec![name.to_owned()];
    let mut told = String::new();
    for settings in [
        MergeRequestSettings { reviewers: one("nobody"), ..Default::default() },
        MergeRequestSettings { assignees: one("no one"), ..Default::default() },
        MergeRequestSettings { milestone: Some("9".into()), ..Default::default() },
    ] {
        let error = client(&fake).create_merge_request(&request(settings)).await.unwrap_err();
        told += &refusal(&error);
    }
    reads!(told, @"
    `nobody` is not a collaborator of sylva/sylva-core
    `reviewers` of the merge request settings takes user names
    `no one` is not a collaborator of sylva/sylva-core
    `assignees` of the merge request settings takes user names
    sylva/sylva-core has no open milestone `9`
    `milestone` of the merge request settings takes its title
    ");
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn whoever_opens_it_cannot_review_it_and_the_others_are_asked_all_the_same() {
    let fake = pushed().await;
    members(&fake, &["ada"]);
    let settings = MergeRequestSettings { reviewers: texts(&["sylva-bot", "ada"]), ..Default::default() };
    let error = client(&fake).create_merge_request(&request(settings)).await.unwrap_err();
    let (reason, hint) = refused(&error);
    assert!(reason.contains("`sylva-bot`") && hint.contains("`reviewers`"), "{error:?}");
    assert_eq!(fake.state().project(PROJECT).pull_request(1).reviewers, ["ada"]);
}

#[tokio::test]
async fn settings_that_got_no_answer_are_sent_once_more() {
    for how in [How::Reset, How::LoseAnswer, How::Answer(Answer::text(502, "text/html", "<html>"))] {
        let fake = pushed().await;
        members(&fake, &["ada", "ben"]);
        fake.state().project(PROJECT).milestones = texts(&["1.5"]);
        fake.fail(Failure::once("PATCH", "/issues/", how.clone()));
        fake.fail(Failure::once("POST", "/requested_reviewers", How::Reset));
        client(&fake).create_merge_request(&request(all_settings())).await.unwrap();
        let made = fake.state().project(PROJECT).pull_request(1).clone();
        assert_eq!((made.labels.len(), made.assignees.len(), made.reviewers.len()), (2, 2, 1), "{how:?}");
    }
}

#[tokio::test]
async fn a_branch_that_is_not_seen_yet_is_worth_another_moment() {
    let fake = github().await;
    fake.state().project(PROJECT).lag = 2;
    let main = head(&mut fake.state(), "main");
    client(&fake).push(&commit(main, None)).await.unwrap();
    let new = request(MergeRequestSettings::default());
    for _ in 0..2 {
        let error = client(&fake).create_merge_request(&new).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotYet { .. }), "{error:?}");
    }
    assert_eq!(client(&fake).create_merge_request(&new).await.unwrap().number, 1);
}

#[tokio::test]
async fn nothing_to_merge_is_rejected() {
    let fake = github().await;
    let main = head(&mut fake.state(), "main");
    fake.state().project(PROJECT).repository.branches.insert(SOURCE.to_owned(), main.0);
    let new = request(MergeRequestSettings::default());
    let error = client(&fake).create_merge_request(&new).await.unwrap_err();
    let words = "No commits between main and dibump/main/diskimage-builder-0.x";
    assert!(matches!(&error, ForgeError::Rejected { reason, .. } if reason == words), "{error:?}");
}

#[tokio::test]
async fn the_open_pull_request_of_the_repository_answers_for_a_second_one() {
    let fake = opened().await;
    fake.state().project(PROJECT).pull_request(1).title = "Renamed by hand".to_owned();
    let settings = MergeRequestSettings { labels: texts(&["bot"]), ..Default::default() };
    let second = client(&fake).create_merge_request(&request(settings)).await.unwrap();
    assert_eq!((second.number, second.title.as_str()), (1, "Renamed by hand"));
    assert_eq!(fake.state().project(PROJECT).pull_requests.len(), 1);
    assert!(fake.state().project(PROJECT).pull_request(1).labels.is_empty(), "what is open is people's");
}

#[tokio::test]
async fn an_edit_changes_what_it_names_by_one_request() {
    let fake = pushed().await;
    let settings = MergeRequestSettings { draft: true, ..Default::default() };
    client(&fake).create_merge_request(&request(settings)).await.unwrap();
    let title = MergeRequestEdit { title: Some("Update images to 0.4.13".to_owned()), ..Default::default() };
    client(&fake).edit_merge_request(1, &title).await.unwrap();
    let edited = fake.state().project(PROJECT).pull_request(1).clone();
    assert_eq!((edited.title.as_str(), edited.draft), ("Update images to 0.4.13", true));
    assert_eq!(edited.description.as_deref(), Some("a & b = c\n<!-- dibump -->"));

    fake.clear_log();
    let close = MergeRequestEdit {
        description: Some(String::new()),
        state: Some(StateChange::Close),
        ..Default::default()
    };
    client(&fake).edit_merge_request(1, &close).await.unwrap();
    assert_eq!(fake.writes().len(), 1);
    let closed = client(&fake).merge_requests(&branch(SOURCE)).await.unwrap().remove(0);
    assert_eq!((closed.state, closed.description.as_str()), (MergeRequestState::Closed, ""));
    let reopen = MergeRequestEdit { state: Some(StateChange::Reopen), ..Default::default() };
    client(&fake).edit_merge_request(1, &reopen).await.unwrap();
    assert_eq!(fake.state().project(PROJECT).pull_request(1).state, "open");

    fake.clear_log();
    client(&fake).edit_merge_request(1, &MergeRequestEdit::default()).await.unwrap();
    assert_eq!(fake.log(), [], "an edit of nothing is no request");
    assert!(matches!(client(&fake).edit_merge_request(9, &close).await, Err(ForgeError::Refused { .. })));
}

#[tokio::test]
async fn what_was_forced_while_closed_is_not_opened_again() {
    let fake = opened().await;
    let change = |state| MergeRequestEdit { state: Some(state), ..Default::default() };
    client(&fake).edit_merge_request(1, &change(StateChange::Close)).await.unwrap();
    fake.state().project(PROJECT).repository.commit_on("main", "Meanwhile", "x", &[("README.md", b"y")]);
    let main = head(&mut fake.state(), "main");
    let old = head(&mut fake.state(), SOURCE);
    client(&fake).push(&commit(main, Some(old))).await.unwrap();
    let error = client(&fake).edit_merge_request(1, &change(StateChange::Reopen)).await.unwrap_err();
    assert!(
        matches!(&error, ForgeError::Rejected { reason, .. } if reason.contains("force-pushed")),
        "{error:?}"
    );
}
