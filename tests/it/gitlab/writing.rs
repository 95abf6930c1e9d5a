//! What the forge adapter writes.

use std::collections::{BTreeMap, BTreeSet};

use dibump::forge::{
    MergeRequestEdit, MergeRequestSettings, MergeRequestState, NewCommit, NewMergeRequest, StateChange,
};

use super::*;
use crate::fake::gitlab::{Failure, How, Version};

const AFTER: &[u8] = b"\xef\xbb\xbfversion: 0.4.12\r\nimages:\r\n  b: {} # caf\xc3\xa9 & 100% \xff";

fn commit(parent: CommitId, expected_head: Option<CommitId>) -> NewCommit {
    NewCommit {
        branch: branch(SOURCE),
        parent,
        expected_head,
        message: "Update images to 0.4.12\n\nDibump-Patch: 0123".to_owned(),
        files: BTreeMap::from([(VALUES.to_owned(), AFTER.into())]),
        added: BTreeSet::new(),
    }
}

fn request(settings: MergeRequestSettings) -> NewMergeRequest {
    NewMergeRequest {
        source_branch: branch(SOURCE),
        target_branch: branch("main"),
        title: "Update images to 0.4.12".to_owned(),
        description: "a & b = c\n<!-- dibump -->".to_owned(),
        unset_description: "unset".to_owned(),
        settings,
    }
}

/// A project whose source branch was pushed by us.
async fn pushed() -> FakeGitLab {
    let fake = gitlab().await;
    let main = head(&mut fake.state(), "main");
    client(&fake).push(&commit(main, None)).await.unwrap();
    fake
}

#[tokio::test]
async fn a_push_makes_the_branch_one_commit_on_its_parent() {
    let fake = gitlab().await;
    let main = head(&mut fake.state(), "main");
    fake.state().project(PROJECT).repository.commit_on("main", "Meanwhile", "x", &[("README.md", b"y")]);
    let id = client(&fake).push(&commit(main.clone(), None)).await.unwrap();
    let mut state = fake.state();
    let repository = &state.project(PROJECT).repository;
    let made = repository.head(SOURCE).unwrap();
    assert_eq!(CommitId(made.id.clone()), id);
    assert_eq!(made.parents, [main.0]);
    assert_eq!(made.message, "Update images to 0.4.12\n\nDibump-Patch: 0123");
    assert_eq!(&*made.tree[VALUES], AFTER);
    assert_eq!(&*made.tree["README.md"], b"hello\n");
}

#[tokio::test]
async fn a_second_push_replaces_the_branch_whatever_was_on_it() {
    let fake = pushed().await;
    let main = {
        let mut state = fake.state();
        let repository = &mut state.project(PROJECT).repository;
        repository.commit_on(SOURCE, "Ours too", "bot", &[("README.md", b"y")]);
        repository.commit_on("main", "Newer", "x", &[("NEWS.md", b"z")]);
        head(&mut state, "main")
    };
    let old = head(&mut fake.state(), SOURCE);
    fake.clear_log();
    let id = client(&fake).push(&commit(main.clone(), Some(old))).await.unwrap();
    assert_eq!(head(&mut fake.state(), SOURCE), id);
    assert_eq!(fake.state().project(PROJECT).repository.head(SOURCE).unwrap().parents, [main.0]);
    let methods: Vec<String> = fake.log().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["GET", "POST"], "the head is read directly before the one write");
}

#[tokio::test]
async fn a_branch_that_moved_is_left_alone_and_nothing_is_sent() {
    let fake = pushed().await;
    let main = head(&mut fake.state(), "main");
    let ours = head(&mut fake.state(), SOURCE);
    fake.state().project(PROJECT).repository.commit_on(SOURCE, "By hand", "somebody", &[("a", b"b")]);
    fake.clear_log();
    let mut told = String::new();
    for expected in [Some(ours), None] {
        let error = client(&fake).push(&commit(main.clone(), expected)).await.unwrap_err();
        assert!(matches!(&error, ForgeError::Rejected { .. }), "{error:?}");
        told += &format!("{error}\n");
    }
    reads!(told, @"
    couldn't push branch `dibump/main/diskimage-builder-0.x`: the branch moved from d17db689 to 44a55fab in the meantime
    couldn't push branch `dibump/main/diskimage-builder-0.x`: the branch moved from nothing to 44a55fab in the meantime
    ");
    let vanished = NewCommit { branch: branch("dibump/gone"), ..commit(main.clone(), Some(main)) };
    assert!(matches!(client(&fake).push(&vanished).await, Err(ForgeError::Rejected { .. })));
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn a_branch_made_by_somebody_faster_is_not_overwritten() {
    let fake = pushed().await;
    let main = head(&mut fake.state(), "main");
    let theirs = head(&mut fake.state(), SOURCE);
    let missing = crate::fake::gitlab::Answer::not_found("Branch");
    fake.fail(Failure::once("GET", "/branches/", How::Answer(missing)));
    let error = client(&fake).push(&commit(main, None)).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Rejected { .. }), "{error:?}");
    reads!(error.to_string(), @"couldn't push branch `dibump/main/diskimage-builder-0.x`: A branch called 'dibump/main/diskimage-builder-0.x' already exists. Switch to that branch in order to make changes");
    assert_eq!(head(&mut fake.state(), SOURCE), theirs);
}

#[tokio::test]
async fn gitlabs_own_words_say_why_a_commit_was_not_made() {
    let fake = gitlab().await;
    let main = head(&mut fake.state(), "main");
    let no_file = NewCommit {
        files: BTreeMap::from([("none.yaml".to_owned(), [].into())]),
        ..commit(main.clone(), None)
    };
    let no_parent = commit(CommitId("0".repeat(40)), None);
    let mut told = String::new();
    for new in [no_file, no_parent] {
        let error = client(&fake).push(&new).await.unwrap_err();
        assert!(matches!(&error, ForgeError::Rejected { .. }), "{error:?}");
        told += &format!("{error}\n");
    }
    fake.state().project(PROJECT).protected.push(crate::fake::gitlab::Protected::by_default("dibump/*"));
    let error = client(&fake).push(&commit(main, None)).await.unwrap_err();
    let ForgeError::Refused { hint: Some(hint), .. } = &error else { panic!("{error:?}") };
    told += &format!("{error}\n{hint}\n");
    reads!(told, @"
    couldn't push branch `dibump/main/diskimage-builder-0.x`: A file with this name doesn't exist
    couldn't push branch `dibump/main/diskimage-builder-0.x`: Cannot find start_sha '0000000000000000000000000000000000000000'
    couldn't push branch `dibump/main/diskimage-builder-0.x`: You are not allowed to push into this branch
    the token's user needs role Developer, or Maintainer where the branch is protected
    ");
}

#[tokio::test]
async fn a_lost_answer_to_a_write_is_not_repeated() {
    let fake = gitlab().await;
    let main = head(&mut fake.state(), "main");
    fake.fail(Failure::once("POST", "/commits", How::LoseAnswer));
    let error = client(&fake).push(&commit(main, None)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
    assert_eq!(fake.writes().len(), 1);
    assert!(
        client(&fake).head(&branch(SOURCE)).await.unwrap().is_some(),
        "it happened, and is seen next time"
    );
}

#[tokio::test]
async fn a_merge_request_is_opened_with_all_its_settings() {
    let fake = pushed().await;
    let ada = fake.state().add_user("ada");
    let ben = fake.state().add_user("ben");
    let made = client(&fake)
        .create_merge_request(&request(MergeRequestSettings {
            labels: vec!["bot".to_owned(), "os images".to_owned()],
            assignees: vec!["ada".to_owned(), "ben".to_owned()],
            reviewers: vec!["Ben".to_owned()],
            draft: true,
            squash: Some(true),
            remove_source_branch: true,
            milestone: None,
        }))
        .await
        .unwrap();
    assert_eq!((made.number, made.draft, made.from_this_project), (1, true, true));
    assert_eq!(made.title, "Update images to 0.4.12");
    assert_eq!(made.head, Some(head(&mut fake.state(), SOURCE)));
    let mut state = fake.state();
    let request = state.project(PROJECT).merge_request(1);
    assert_eq!(request.title, "Draft: Update images to 0.4.12");
    assert_eq!(request.description.as_deref(), Some("a & b = c\n<!-- dibump -->"));
    assert_eq!(request.labels, ["bot", "os images"]);
    assert_eq!((&request.assignees, &request.reviewers), (&vec![ada, ben], &vec![ben]));
    assert!(request.squash && request.remove_source_branch);
}

#[tokio::test]
async fn an_unknown_user_is_named_with_the_setting_and_nothing_is_written() {
    let fake = pushed().await;
    fake.clear_log();
    let settings = MergeRequestSettings { reviewers: vec!["nobody".to_owned()], ..Default::default() };
    let error = client(&fake).create_merge_request(&request(settings)).await.unwrap_err();
    let ForgeError::Refused { reason, hint, .. } = &error else { panic!("{error:?}") };
    assert!(reason.contains("`nobody`") && hint.as_ref().unwrap().contains("`reviewers`"), "{error:?}");
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn a_branch_that_is_not_seen_yet_is_worth_another_moment() {
    let fake = gitlab().await;
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
async fn the_open_merge_request_of_the_project_answers_for_a_second_one() {
    let fake = pushed().await;
    {
        let mut state = fake.state();
        state.add_fork(PROJECT, 77, "mallory/sylva-core");
        let sha = head(&mut state, "main").0;
        state.project(77).repository.branches.insert(SOURCE.to_owned(), sha.clone());
    }
    let new = request(MergeRequestSettings::default());
    let first = client(&fake).create_merge_request(&new).await.unwrap();
    fake.state().project(PROJECT).open_merge_request(77, SOURCE, "0123", "Forged");
    fake.state().project(PROJECT).merge_request(1).title = "Renamed by hand".to_owned();
    let second = client(&fake).create_merge_request(&new).await.unwrap();
    assert_eq!((second.number, second.title.as_str()), (first.number, "Renamed by hand"));
    assert_eq!(fake.state().project(PROJECT).merge_requests.len(), 2);
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_a_draft_stays_one() {
    let fake = pushed().await;
    let settings = MergeRequestSettings { draft: true, ..Default::default() };
    client(&fake).create_merge_request(&request(settings)).await.unwrap();
    let title = MergeRequestEdit { title: Some("Update images to 0.4.13".to_owned()), ..Default::default() };
    client(&fake).edit_merge_request(1, &title).await.unwrap();
    assert_eq!(fake.state().project(PROJECT).merge_request(1).title, "Draft: Update images to 0.4.13");
    assert_eq!(
        fake.state().project(PROJECT).merge_request(1).description.as_deref(),
        Some("a & b = c\n<!-- dibump -->")
    );
    let empty = MergeRequestEdit { description: Some(String::new()), ..Default::default() };
    fake.state().project(PROJECT).merge_request(1).title = "Ready".to_owned();
    client(&fake).edit_merge_request(1, &empty).await.unwrap();
    client(&fake).edit_merge_request(1, &title).await.unwrap();
    let request = fake.state().project(PROJECT).merge_request(1).clone();
    assert_eq!(
        (request.title.as_str(), request.description.as_deref()),
        ("Update images to 0.4.13", Some(""))
    );

    fake.clear_log();
    client(&fake).edit_merge_request(1, &MergeRequestEdit::default()).await.unwrap();
    assert_eq!(fake.log(), [], "an edit of nothing is no request");
    assert!(matches!(client(&fake).edit_merge_request(9, &empty).await, Err(ForgeError::Rejected { .. })));
    assert_eq!(fake.state().project(PROJECT).merge_request(1).state, "opened");
    assert_eq!(
        client(&fake).merge_requests(&branch(SOURCE)).await.unwrap()[0].state,
        MergeRequestState::Open
    );
}

#[tokio::test]
async fn a_project_that_moved_is_written_by_its_number() {
    let fake = gitlab().await;
    fake.state().project(PROJECT).former_paths = vec!["old/path".to_owned()];
    let main = head(&mut fake.state(), "main");
    let client = client_of(&fake, Some(private(&fake, TOKEN)), ProjectId::Path("old/path".to_owned()));
    client.push(&commit(main, None)).await.unwrap();
    client.create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
    assert!(fake.writes().iter().all(|seen| seen.target.starts_with("/api/v4/projects/42/")));
    let asked = fake.log().into_iter().filter(|seen| seen.target.contains("/projects/old%2Fpath")).count();
    assert_eq!(asked, 1, "the number is asked for once");
}

#[tokio::test]
async fn a_branch_is_removed_only_where_it_was_seen() {
    let fake = pushed().await;
    let ours = head(&mut fake.state(), SOURCE);
    fake.state().project(PROJECT).repository.commit_on(SOURCE, "By hand", "somebody", &[("a", b"b")]);
    let error = client(&fake).remove_branch(&branch(SOURCE), &ours).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Rejected { reason, .. } if reason.contains("moved")), "{error:?}");
    let now = head(&mut fake.state(), SOURCE);
    client(&fake).remove_branch(&branch(SOURCE), &now).await.unwrap();
    assert!(!fake.state().project(PROJECT).repository.branches.contains_key(SOURCE));
    client(&fake).remove_branch(&branch(SOURCE), &now).await.expect("gone is gone");
}

#[tokio::test]
async fn a_request_is_closed_with_its_reason_by_one_write_and_opened_again() {
    let fake = pushed().await;
    client(&fake).create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
    fake.clear_log();
    let close = MergeRequestEdit {
        description: Some("superseded".to_owned()),
        state: Some(StateChange::Close),
        ..MergeRequestEdit::default()
    };
    client(&fake).edit_merge_request(1, &close).await.unwrap();
    let now = fake.state().project(PROJECT).merge_request(1).clone();
    assert_eq!((now.state.as_str(), now.description.as_deref()), ("closed", Some("superseded")));
    assert_eq!(fake.writes().len(), 1);
    let reopen = MergeRequestEdit { state: Some(StateChange::Reopen), ..MergeRequestEdit::default() };
    client(&fake).edit_merge_request(1, &reopen).await.unwrap();
    assert_eq!(fake.state().project(PROJECT).merge_request(1).state, "opened");
}

#[tokio::test]
async fn a_milestone_is_found_by_its_title() {
    let fake = pushed().await;
    fake.state().project(PROJECT).milestones = vec!["1.4".to_owned(), "1.5".to_owned()];
    let settings = |title: &str| MergeRequestSettings {
        milestone: Some(title.to_owned()),
        ..MergeRequestSettings::default()
    };
    fake.clear_log();
    let error = client(&fake).create_merge_request(&request(settings("1.6"))).await.unwrap_err();
    reads!(error.to_string(), @"couldn't open a merge request for branch `dibump/main/diskimage-builder-0.x`: the project and its groups have no active milestone `1.6`");
    assert_eq!(fake.writes(), []);
    client(&fake).create_merge_request(&request(settings("1.5"))).await.unwrap();
    assert_eq!(fake.state().project(PROJECT).merge_request(1).milestone, Some(2));
}

#[tokio::test]
async fn auto_merge_is_set_for_one_head_and_taken_back() {
    for train in [false, true] {
        let fake = pushed().await;
        fake.state().project(PROJECT).merge_trains = train;
        client(&fake).create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
        let ours = head(&mut fake.state(), SOURCE);
        fake.state().project(PROJECT).pipelines.insert(ours.0.clone(), "RUNNING".to_owned());
        let client = client(&fake);
        let error = client.enable_auto_merge(1, &CommitId("0".repeat(40))).await.unwrap_err();
        assert!(matches!(error, ForgeError::Rejected { .. }), "{error:?}");
        client.enable_auto_merge(1, &ours).await.unwrap();
        assert!(client.merge_requests(&branch(SOURCE)).await.unwrap()[0].auto_merge);
        let by_train = fake.writes().iter().any(|seen| seen.target.contains("/merge_trains/"));
        assert_eq!(by_train, train);
        client.cancel_auto_merge(1).await.unwrap();
        assert!(!client.merge_requests(&branch(SOURCE)).await.unwrap()[0].auto_merge);
        client.cancel_auto_merge(1).await.expect("what is not set is not set");

        fake.state().project(PROJECT).pipelines.insert(ours.0.clone(), "FAILED".to_owned());
        let error = client.enable_auto_merge(1, &ours).await.unwrap_err();
        assert!(matches!(error, ForgeError::NotYet { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn auto_merge_goes_by_the_name_that_the_version_knows() {
    for (version, name) in
        [(Version(17, 10), "merge_when_pipeline_succeeds"), (Version(17, 11), "auto_merge")]
    {
        let fake = pushed().await;
        fake.state().version = version;
        client(&fake).create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
        let ours = head(&mut fake.state(), SOURCE);
        fake.state().project(PROJECT).pipelines.insert(ours.0.clone(), "RUNNING".to_owned());
        client(&fake).enable_auto_merge(1, &ours).await.unwrap();
        assert!(fake.state().project(PROJECT).merge_request(1).auto_merge);
        let sent: serde_json::Value = serde_json::from_slice(&fake.writes().pop().unwrap().body).unwrap();
        let names: Vec<&str> = sent.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, [name, "sha"]);
    }
}
