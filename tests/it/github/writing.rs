//! Branches that the forge adapter writes.

use super::*;
use crate::fake::github::{Failure, How};

#[tokio::test]
async fn a_push_makes_the_branch_one_commit_on_its_parent() {
    let fake = github().await;
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
async fn several_files_are_one_commit_and_keep_their_modes() {
    let fake = github().await;
    fake.state().project(PROJECT).modes.insert("README.md".to_owned(), 0o100_755);
    let main = head(&mut fake.state(), "main");
    let mut new = commit(main, None);
    new.files.insert("README.md".to_owned(), (*b"new\n").into());
    client(&fake).push(&new).await.unwrap();
    let mut state = fake.state();
    let project = state.project(PROJECT);
    assert_eq!(&*project.repository.file(SOURCE, "README.md").unwrap(), b"new\n");
    assert_eq!(&*project.repository.file(SOURCE, VALUES).unwrap(), AFTER);
    assert_eq!((project.modes["README.md"], project.modes[VALUES]), (0o100_755, 0o100_644));
    drop(state);
    assert_eq!(fake.writes().len(), 1, "one request that anybody sees: {:#?}", fake.writes());
}

#[tokio::test]
async fn a_symbolic_link_is_not_replaced_by_a_file() {
    let fake = github().await;
    fake.state().project(PROJECT).modes.insert(VALUES.to_owned(), 0o120_000);
    let main = head(&mut fake.state(), "main");
    let error = client(&fake).push(&commit(main, None)).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Rejected { reason, .. } if reason.contains("link")), "{error:?}");
}

#[tokio::test]
async fn a_second_push_replaces_the_branch_whatever_was_on_it() {
    let fake = pushed().await;
    fake.state().project(PROJECT).repository.commit_on(SOURCE, "By hand", "somebody", &[("a", b"b")]);
    let main = head(&mut fake.state(), "main");
    let old = head(&mut fake.state(), SOURCE);
    fake.clear_log();
    let id = client(&fake).push(&commit(main.clone(), Some(old))).await.unwrap();
    assert_eq!(head(&mut fake.state(), SOURCE), id);
    assert_eq!(fake.state().project(PROJECT).repository.head(SOURCE).unwrap().parents, [main.0]);
    let log = fake.log();
    let [.., read, write] = &log[..] else { panic!("{log:#?}") };
    assert_eq!((read.method.as_str(), write.method.as_str()), ("GET", "PATCH"));
    assert!(read.target.contains("/git/ref/"), "the head is read directly before the one write");
}

#[tokio::test]
async fn a_branch_that_moved_is_left_alone() {
    let fake = pushed().await;
    let main = head(&mut fake.state(), "main");
    let ours = head(&mut fake.state(), SOURCE);
    fake.state().project(PROJECT).repository.commit_on(SOURCE, "By hand", "somebody", &[("a", b"b")]);
    fake.clear_log();
    let mut told = String::new();
    for expected in [Some(ours.clone()), None] {
        let error = client(&fake).push(&commit(main.clone(), expected)).await.unwrap_err();
        assert!(matches!(&error, ForgeError::Rejected { .. }), "{error:?}");
        told += &format!("{error}\n");
    }
    reads!(told, @"
    couldn't push branch `dibump/main/diskimage-builder-0.x`: the branch moved from deb916f5 to 8c26998e in the meantime
    couldn't push branch `dibump/main/diskimage-builder-0.x`: the branch moved from nothing to 8c26998e in the meantime
    ");
    let vanished = NewCommit { branch: branch("dibump/gone"), ..commit(main.clone(), Some(main)) };
    assert!(matches!(client(&fake).push(&vanished).await, Err(ForgeError::Rejected { .. })));
    let error = client(&fake).remove_branch(&branch(SOURCE), &ours).await.unwrap_err();
    assert!(matches!(error, ForgeError::Rejected { .. }), "{error:?}");
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn a_branch_made_by_somebody_faster_is_not_overwritten() {
    let fake = pushed().await;
    let main = head(&mut fake.state(), "main");
    let theirs = head(&mut fake.state(), SOURCE);
    let missing = crate::fake::github::Answer::message(404, "Not Found");
    fake.fail(Failure::once("GET", "/git/ref/heads/dibump", How::Answer(missing)));
    let error = client(&fake).push(&commit(main, None)).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Rejected { .. }), "{error:?}");
    reads!(error.to_string(), @"couldn't push branch `dibump/main/diskimage-builder-0.x`: Reference already exists");
    assert_eq!(head(&mut fake.state(), SOURCE), theirs);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_changed() {
    let fake = github().await;
    let main = head(&mut fake.state(), "main");
    let no_file =
        NewCommit { files: BTreeMap::from([("none.yaml".to_owned(), [].into())]), ..commit(main, None) };
    let no_parent = commit(CommitId("0".repeat(40)), None);
    let mut told = String::new();
    for new in [no_file, no_parent] {
        let error = client(&fake).push(&new).await.unwrap_err();
        assert!(matches!(&error, ForgeError::Rejected { .. }), "{error:?}");
        told += &format!("{error}\n");
    }
    reads!(told, @"
    couldn't push branch `dibump/main/diskimage-builder-0.x`: file `none.yaml` was not found at 02c685f7
    couldn't push branch `dibump/main/diskimage-builder-0.x`: commit 0000000000000000000000000000000000000000 was not found
    ");
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn a_rule_that_forbids_the_branch_is_for_a_person() {
    let fake = github().await;
    let main = head(&mut fake.state(), "main");
    fake.state().project(PROJECT).ruled.push("dibump/".to_owned());
    let error = client(&fake).push(&commit(main, None)).await.unwrap_err();
    reads!(refusal(&error), @"
    Repository rule violations found Cannot create ref due to creations being restricted.
    a branch rule or ruleset of the repository stands in the way; exempt `dibump/**` or the bot
    ");
}

#[tokio::test]
async fn a_lost_answer_to_a_write_is_not_repeated() {
    let fake = github().await;
    let main = head(&mut fake.state(), "main");
    fake.fail(Failure::once("POST", "/git/refs", How::LoseAnswer));
    let error = client(&fake).push(&commit(main, None)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
    assert_eq!(fake.writes().len(), 1);
    assert!(
        client(&fake).head(&branch(SOURCE)).await.unwrap().is_some(),
        "it happened, and is seen next time"
    );
}

#[tokio::test]
async fn a_branch_is_removed_once() {
    let fake = pushed().await;
    let ours = head(&mut fake.state(), SOURCE);
    client(&fake).remove_branch(&branch(SOURCE), &ours).await.unwrap();
    assert!(!fake.state().project(PROJECT).repository.branches.contains_key(SOURCE));
    client(&fake).remove_branch(&branch(SOURCE), &ours).await.unwrap();
    let deletes = fake.log().into_iter().filter(|seen| seen.method == "DELETE").count();
    assert_eq!(deletes, 1, "what is gone is not removed again");
}

#[tokio::test]
async fn a_repository_that_moved_is_written_by_its_present_name() {
    let fake = github().await;
    fake.state().project(PROJECT).former_paths = vec!["old/path".to_owned()];
    let main = head(&mut fake.state(), "main");
    let client = client_of(&fake, Some(token(&fake, TOKEN)), "old/path");
    client.push(&commit(main, None)).await.unwrap();
    client.create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
    assert!(fake.writes().iter().all(|seen| seen.target.starts_with("/api/v3/repos/sylva/sylva-core/")));
    assert!(fake.log().iter().all(|seen| seen.status != 307), "{:#?}", fake.log());
}

#[tokio::test]
async fn writes_come_one_by_one_at_their_pace() {
    let fake = github().await;
    let main = head(&mut fake.state(), "main");
    let pace = Duration::from_millis(40);
    let session = Pacing::with_pace(pace);
    let repository = || PATH.parse().unwrap();
    let make =
        || GitHub::new(transport(), &api(&fake), Some(token(&fake, TOKEN)), repository(), &session).unwrap();
    let other = NewCommit { branch: branch("dibump/other"), ..commit(main.clone(), None) };
    let ours = commit(main, None);
    let begun = tokio::time::Instant::now();
    let (one, two) = (make(), make());
    let (first, second) = tokio::join!(one.push(&ours), two.push(&other));
    first.unwrap();
    second.unwrap();
    // Eight writes, objects included, have seven pauses between them, whoever sends them.
    assert!(begun.elapsed() >= pace * 7);
}
