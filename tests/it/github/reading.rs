//! What the forge adapter reads.

use dibump::forge::{MergeRequestState, Mergeability};
use serde_json::json;

use super::*;
use crate::fake::github::{Answer, Failure, How, Token};

#[tokio::test]
async fn a_branch_has_a_head_or_is_not_there() {
    let fake = github().await;
    let client = client(&fake);
    assert_eq!(client.head(&branch("main")).await.unwrap(), Some(head(&mut fake.state(), "main")));
    assert_eq!(client.head(&branch(SOURCE)).await.unwrap(), None);
    let odd = "dibump/a b#c?d%e";
    fake.state().project(PROJECT).repository.commit_on(odd, "Odd", "x", &[("a", b"b")]);
    assert_eq!(client.head(&branch(odd)).await.unwrap(), Some(head(&mut fake.state(), odd)));
}

#[tokio::test]
async fn a_branch_of_a_repository_that_is_not_shown_is_refused_and_not_absent() {
    let fake = github().await;
    fake.state().add_project(7, "sylva/private", &[("a", b"b")]).public = false;
    let mut told = String::new();
    for path in ["sylva/private", "no/where"] {
        let error =
            client_of(&fake, Some(token(&fake, TOKEN)), path).head(&branch(SOURCE)).await.unwrap_err();
        told += &refusal(&error);
    }
    reads!(told, @"
    Not Found
    check the repository's path; what a token may not see or do is answered as if it were not there; GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a fine-grained personal access token, one of scope `repo`, or that of an Actions job with `permissions: {contents: write, pull-requests: write}`
    Not Found
    check the repository's path; what a token may not see or do is answered as if it were not there; GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a fine-grained personal access token, one of scope `repo`, or that of an Actions job with `permissions: {contents: write, pull-requests: write}`
    ");
}

#[tokio::test]
async fn an_empty_repository_has_no_branches() {
    let fake = github().await;
    fake.state().add_project(7, "sylva/empty", &[]);
    let client = client_of(&fake, Some(token(&fake, TOKEN)), "sylva/empty");
    assert_eq!(client.head(&branch("main")).await.unwrap(), None);
    assert!(client.branches("dibump/").await.unwrap().is_empty());
}

#[tokio::test]
async fn branches_are_found_by_the_start_of_their_names() {
    let fake = github().await;
    {
        let mut state = fake.state();
        let repository = &mut state.project(PROJECT).repository;
        let main = repository.branches["main"].clone();
        for name in [SOURCE, "dibump/main/diskimage-builder-1.x", "dibump/main/other-0.x", "x/dibump/main"] {
            repository.branches.insert(name.to_owned(), main.clone());
        }
    }
    let found = client(&fake).branches("dibump/main/diskimage-builder-").await.unwrap();
    let names: Vec<&str> = found.keys().map(|name| name.0.as_str()).collect();
    assert_eq!(names, [SOURCE, "dibump/main/diskimage-builder-1.x"]);
    assert!(client(&fake).branches("dibump/none").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_is_read_byte_for_byte_at_a_commit() {
    let fake = github().await;
    let old = head(&mut fake.state(), "main");
    fake.state().project(PROJECT).repository.commit_on("main", "Newer", "somebody", &[(VALUES, b"newer")]);
    let client = client(&fake);
    assert_eq!(client.file(VALUES, &old).await.unwrap().as_deref(), Some(BEFORE));
    let new = head(&mut fake.state(), "main");
    assert_eq!(client.file(VALUES, &new).await.unwrap().as_deref(), Some(&b"newer"[..]));
    assert_eq!(client.file("charts/none.yaml", &new).await.unwrap(), None);
    let gone = CommitId("0".repeat(40));
    assert!(matches!(client.file(VALUES, &gone).await, Err(ForgeError::Rejected { .. })));
    assert!(matches!(client.file("charts", &new).await, Err(ForgeError::Rejected { .. })), "a folder");
}

#[tokio::test]
async fn all_files_are_listed_without_folders_and_links_or_not_at_all() {
    let fake = github().await;
    let files: [(&str, &[u8]); 2] = [("run.sh", b"#!/bin/sh"), ("link.yaml", b"README.md")];
    let commit = fake.state().project(PROJECT).repository.commit_on("main", "More", "somebody", &files);
    fake.state().project(PROJECT).modes =
        BTreeMap::from([("run.sh".to_owned(), 0o100_755), ("link.yaml".to_owned(), 0o120_000)]);
    let commit = CommitId(commit);
    assert_eq!(client(&fake).paths(&commit).await.unwrap(), ["README.md", VALUES, "run.sh"]);
    assert_eq!(fake.log().len(), 1, "{:#?}", fake.log());

    fake.state().project(PROJECT).tree_overflows = true;
    let error = client(&fake).paths(&commit).await.unwrap_err();
    assert!(matches!(error, ForgeError::Invalid { .. }), "{error:?}");
    reads!(error.to_string(), @"couldn't list the files at 7daf958b: the repository has more files than GitHub lists");
}

#[tokio::test]
async fn a_comparison_starts_at_the_merge_base_and_names_both_ends_of_a_rename() {
    let fake = github().await;
    let (target, source) = {
        let mut state = fake.state();
        let repository = &mut state.project(PROJECT).repository;
        let base = repository.branches["main"].clone();
        repository.branches.insert(SOURCE.to_owned(), base.clone());
        repository.commit_on(SOURCE, "Update\n\nDibump-Patch: 1", "bot", &[(VALUES, b"x")]);
        repository.commit_on(SOURCE, "Fix", "somebody", &[("docs/a b.md", b"y")]);
        repository.commit_on("main", "Unrelated", "somebody", &[("README.md", b"z")]);
        (head(&mut state, "main"), head(&mut state, SOURCE))
    };
    let compared = client(&fake).compare(&target, &source).await.unwrap();
    let messages: Vec<&str> = compared.commits.iter().map(|c| c.message.as_str()).collect();
    assert_eq!(messages, ["Update\n\nDibump-Patch: 1", "Fix"]);
    assert_eq!(compared.commits[1].parents, [compared.commits[0].id.clone()]);
    assert_eq!(compared.commits[1].id, source);
    assert_eq!(compared.paths, Some(vec![VALUES.to_owned(), "docs/a b.md".to_owned()]));

    let renamed = {
        let mut state = fake.state();
        let repository = &mut state.project(PROJECT).repository;
        let base = repository.head("main").unwrap().clone();
        let mut tree = base.tree.clone();
        let bytes = tree.remove(VALUES).unwrap();
        tree.insert("moved.yaml".to_owned(), bytes);
        CommitId(repository.add(vec![base.id], "Move", "somebody", tree))
    };
    let target = head(&mut fake.state(), "main");
    let paths = client(&fake).compare(&target, &renamed).await.unwrap().paths.unwrap();
    assert_eq!(paths, [VALUES, "moved.yaml"]);
}

#[tokio::test]
async fn a_comparison_that_was_cut_knows_no_paths() {
    let fake = github().await;
    let target = head(&mut fake.state(), "main");
    {
        let mut state = fake.state();
        let repository = &mut state.project(PROJECT).repository;
        repository.branches.insert(SOURCE.to_owned(), target.0.clone());
        repository.commit_on(SOURCE, "Update", "bot", &[(VALUES, b"x")]);
    }
    let source = head(&mut fake.state(), SOURCE);
    assert!(client(&fake).compare(&target, &source).await.unwrap().paths.is_some());
    fake.state().project(PROJECT).compare_overflows = true;
    assert_eq!(client(&fake).compare(&target, &source).await.unwrap().paths, None);
    fake.state().project(PROJECT).compare_overflows = false;
    for n in 0..260 {
        let text = format!("{n}");
        fake.state().project(PROJECT).repository.commit_on(SOURCE, &text, "x", &[("a", text.as_bytes())]);
    }
    let source = head(&mut fake.state(), SOURCE);
    let cut = client(&fake).compare(&target, &source).await.unwrap();
    assert_eq!((cut.paths, cut.commits.len()), (None, 250));
}

#[tokio::test]
async fn pull_requests_are_listed_newest_first_and_forks_are_recognised() {
    let fake = github().await;
    {
        let mut state = fake.state();
        // A fork in the same organisation: the list finds by owner only.
        state.add_fork(PROJECT, 77, "sylva/sylva-core-fork");
        state.add_fork(PROJECT, 78, "mallory/sylva-core");
        let sha = head(&mut state, "main").0;
        for fork in [77, 78] {
            state.project(fork).repository.branches.insert(SOURCE.to_owned(), sha.clone());
        }
        let project = state.project(PROJECT);
        for (source, branch) in [
            ((PROJECT, "sylva"), SOURCE),
            ((77, "sylva"), SOURCE),
            ((78, "mallory"), SOURCE),
            ((PROJECT, "sylva"), "feature"),
            ((PROJECT, "sylva"), SOURCE),
            ((PROJECT, "sylva"), SOURCE),
        ] {
            project.open_pull_request(source, branch, &sha, "Update images");
        }
        project.pull_request(1).state = "merged".to_owned();
        project.pull_request(5).state = "closed".to_owned();
        project.pull_request(6).state = "closed".to_owned();
        project.pull_request(6).source_project = None;
        let forged = project.pull_request(2);
        forged.labels = vec!["bot".to_owned()];
        forged.description = Some("<!-- dibump -->".to_owned());
        forged.draft = true;
        forged.auto_merge = Some("merge".to_owned());
    }
    let found = client(&fake).merge_requests(&branch(SOURCE)).await.unwrap();
    let seen: Vec<(u64, MergeRequestState, bool)> =
        found.iter().map(|m| (m.number, m.state, m.from_this_project)).collect();
    assert_eq!(
        seen,
        [
            (6, MergeRequestState::Closed, false),
            (5, MergeRequestState::Closed, true),
            (2, MergeRequestState::Open, false),
            (1, MergeRequestState::Merged, true)
        ]
    );
    let forged = &found[2];
    assert_eq!((forged.title.as_str(), forged.draft, forged.auto_merge), ("Update images", true, true));
    assert_eq!(forged.description, "<!-- dibump -->");
    assert_eq!(forged.labels, ["bot"]);
    assert_eq!(forged.head, Some(head(&mut fake.state(), "main")));
    assert!(forged.url.ends_with("/sylva/sylva-core/pull/2"));
    assert!(client(&fake).merge_requests(&branch("other")).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_conflict_is_seen_once_github_has_looked() {
    let fake = github().await;
    {
        let mut state = fake.state();
        let project = state.project(PROJECT);
        let base = project.repository.branches["main"].clone();
        project.repository.branches.insert(SOURCE.to_owned(), base);
        let sha = project.repository.commit_on(SOURCE, "Update", "bot", &[(VALUES, b"version: 0.4.12\r\n")]);
        project.open_pull_request((PROJECT, "sylva"), SOURCE, &sha, "Update");
        project.repository.commit_on("main", "Unrelated", "somebody", &[("README.md", b"z")]);
    }
    let client = client(&fake);
    let seen = async || client.merge_requests(&branch(SOURCE)).await.unwrap()[0].mergeability;
    // Who asks first after a push starts the check, and is not told yet.
    assert_eq!((seen().await, seen().await), (Mergeability::Unknown, Mergeability::Clean));
    let same: [(&str, &[u8]); 1] = [(VALUES, b"version: 9\r\n")];
    fake.state().project(PROJECT).repository.commit_on("main", "Same lines", "x", &same);
    assert_eq!((seen().await, seen().await), (Mergeability::Unknown, Mergeability::Conflict));
    fake.state().project(PROJECT).pull_request(1).mergeable_state = Some("unknown".to_owned());
    assert_eq!(seen().await, Mergeability::Unknown);
}

#[tokio::test]
async fn long_lists_are_read_to_their_end() {
    let fake = github().await;
    let sha = head(&mut fake.state(), "main").0;
    for _ in 0..230 {
        let mut state = fake.state();
        let number = state.project(PROJECT).open_pull_request((PROJECT, "sylva"), SOURCE, &sha, "Update");
        state.project(PROJECT).pull_request(number).state = "closed".to_owned();
    }
    let all = client(&fake).merge_requests(&branch(SOURCE)).await.unwrap();
    let numbers: Vec<u64> = all.iter().map(|m| m.number).collect();
    assert_eq!(numbers, (1..=230).rev().collect::<Vec<_>>());
    assert_eq!(fake.log().len(), 3);

    fake.fail(Failure::always("GET", "page=2", How::LoseAnswer));
    let error = client(&fake).merge_requests(&branch(SOURCE)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_list_that_is_none_is_an_error() {
    for cut in [
        Answer::text(200, "application/json", "[{\"number\": 1"),
        Answer::json(200, &json!({"message": "no list"})),
        Answer::json(200, &json!([])).header("link", "<https://github.example/?page=2>; rel='next'"),
    ] {
        let fake = github().await;
        fake.fail(Failure::once("GET", "/pulls", How::Answer(cut)));
        let error = client(&fake).merge_requests(&branch(SOURCE)).await.unwrap_err();
        assert!(matches!(error, ForgeError::Invalid { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_next_page_is_asked_of_our_own_host_whatever_the_link_says() {
    let fake = github().await;
    let link =
        "<https://inner.example/repositories/42/pulls?page=2&per_page=100>; rel=\"next\", <x>; rel=\"last\"";
    let first = Answer::json(200, &json!([])).header("link", link);
    fake.fail(Failure::once("GET", "/pulls", How::Answer(first)));
    assert!(client(&fake).merge_requests(&branch(SOURCE)).await.unwrap().is_empty());
    let targets: Vec<String> = fake.log().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets[1], "/api/v3/repos/sylva/sylva-core/pulls?page=2&per_page=100");
}

#[tokio::test]
async fn looking_costs_four_reads_and_nothing_else() {
    let fake = github().await;
    let client = client(&fake);
    let main = client.head(&branch("main")).await.unwrap().unwrap();
    client.file(VALUES, &main).await.unwrap();
    client.merge_requests(&branch(SOURCE)).await.unwrap();
    client.branches("dibump/main/diskimage-builder-").await.unwrap();
    assert_eq!(fake.log().len(), 4);
    assert_eq!(fake.writes(), []);
    assert!(fake.log().iter().all(|seen| seen.token == Some(("authorization".to_owned(), TOKEN.to_owned()))));
}

#[tokio::test]
async fn the_pull_requests_of_a_moved_repository_are_found_by_the_new_owner() {
    let fake = opened().await;
    fake.state().project(PROJECT).former_paths = vec!["old/path".to_owned()];
    let client = client_of(&fake, Some(token(&fake, TOKEN)), "old/path");
    assert_eq!(client.head(&branch("main")).await.unwrap(), Some(head(&mut fake.state(), "main")));
    assert_eq!(client.merge_requests(&branch(SOURCE)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn approvals_count_as_the_repository_asks_for_them() {
    let fake = opened().await;
    let review = |login: &str, state: &str| {
        fake.state().project(PROJECT).pull_request(1).reviews.insert(login.to_owned(), state.to_owned());
    };
    let approved = async || client(&fake).is_approved(1).await.unwrap();
    fake.state().project(PROJECT).members.extend([("ada".to_owned(), 3), ("ben".to_owned(), 4)]);
    assert!(!approved().await);
    review("stranger", "APPROVED");
    assert!(!approved().await, "anybody may approve what is public");
    review("ada", "APPROVED");
    assert!(approved().await);
    review("ben", "CHANGES_REQUESTED");
    assert!(!approved().await);
    fake.state().project(PROJECT).requires_review = true;
    assert!(!approved().await);
    review("ben", "APPROVED");
    assert!(approved().await);
    assert!(matches!(client(&fake).is_approved(9).await, Err(ForgeError::Refused { .. })));
}

#[tokio::test]
async fn checks_are_those_of_the_head() {
    let fake = opened().await;
    let head = head(&mut fake.state(), SOURCE);
    assert_eq!(client(&fake).pipeline(1).await.unwrap(), None);
    for (state, failed) in
        [("PENDING", false), ("EXPECTED", false), ("SUCCESS", false), ("FAILURE", true), ("ERROR", true)]
    {
        fake.state().project(PROJECT).checks.insert(head.0.clone(), state.to_owned());
        let found = client(&fake).pipeline(1).await.unwrap().unwrap();
        assert_eq!((found.head, found.failed), (head.clone(), failed), "{state}");
    }
}

#[tokio::test]
async fn access_is_told_as_far_as_the_token_may_know() {
    let fake = github().await;
    let access = client(&fake).access(&branch(SOURCE)).await.unwrap();
    assert_eq!(access.user.as_deref(), Some("sylva-bot"));
    assert_eq!(access.scopes, Some(vec!["repo".to_owned()]));
    assert_eq!(access.expires_at, Some("2027-06-01".parse().unwrap()));
    assert_eq!(access.role.as_deref(), Some("Write"));
    assert_eq!(access.may_push, Some(true));
    assert_eq!(access.default_branch, Some(branch("main")));

    fake.state().tokens.insert("ghs_job".to_owned(), Token::actions(PROJECT));
    fake.state().tokens.insert("github_pat_x".to_owned(), Token::fine_grained("sylva-bot"));
    let access = async |text: &str| {
        client_of(&fake, Some(token(&fake, text)), PATH).access(&branch(SOURCE)).await.unwrap()
    };
    let job = access("ghs_job").await;
    assert_eq!((job.user.as_deref(), job.scopes, job.may_push), (Some("github-actions[bot]"), None, None));
    let fine = access("github_pat_x").await;
    assert_eq!((fine.user.as_deref(), fine.scopes, fine.may_push), (Some("sylva-bot"), None, Some(true)));
    let anonymous = client_of(&fake, None, PATH).access(&branch(SOURCE)).await.unwrap();
    assert_eq!((anonymous.user, anonymous.may_push), (None, Some(false)));
}
