//! What the forge adapter reads.

use dibump::forge::{MergeRequestState, Mergeability, PipelineStatus};

use super::*;
use crate::fake::gitlab::{Answer, Failure, How};

#[tokio::test]
async fn a_branch_has_a_head_or_is_not_there() {
    let fake = gitlab().await;
    let client = client(&fake);
    assert_eq!(client.head(&branch("main")).await.unwrap(), Some(head(&mut fake.state(), "main")));
    assert_eq!(client.head(&branch(SOURCE)).await.unwrap(), None);
}

#[tokio::test]
async fn a_file_is_read_byte_for_byte_at_a_commit() {
    let fake = gitlab().await;
    let old = head(&mut fake.state(), "main");
    fake.state().project(PROJECT).repository.commit_on("main", "Newer", "somebody", &[(VALUES, b"newer")]);
    let client = client(&fake);
    assert_eq!(client.file(VALUES, &old).await.unwrap().as_deref(), Some(BEFORE));
    let new = head(&mut fake.state(), "main");
    assert_eq!(client.file(VALUES, &new).await.unwrap().as_deref(), Some(&b"newer"[..]));
    assert_eq!(client.file("charts/none.yaml", &new).await.unwrap(), None);
    let gone = CommitId("0".repeat(40));
    assert!(matches!(client.file(VALUES, &gone).await, Err(ForgeError::Rejected { .. })));
}

#[tokio::test]
async fn all_files_are_listed_page_by_page_without_folders_and_links() {
    let fake = gitlab().await;
    let names: Vec<String> = (0..297).map(|i| format!("many/{i:03}.yaml")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"a: 1"[..])).collect();
    let commit = fake.state().project(PROJECT).repository.commit_on("main", "Many", "somebody", &files);
    fake.state().project(PROJECT).links.insert("many/007.yaml".to_owned());

    // 299 files and the folders charts, charts/units and many: the fourth page is short.
    let paths = client(&fake).paths(&CommitId(commit)).await.unwrap();
    assert_eq!(paths.len(), 298);
    assert!(paths.contains(&VALUES.to_owned()) && !paths.contains(&"many/007.yaml".to_owned()));
    assert_eq!(fake.log().len(), 4, "{:#?}", fake.log());

    // 97 files and the same folders: one full page, behind which is nothing.
    let full = &files[..95];
    let commit = {
        let mut state = fake.state();
        let repository = &mut state.project(PROJECT).repository;
        repository.branches.remove("main");
        let old: [(&str, &[u8]); 2] = [(VALUES, BEFORE), ("README.md", b"hello\n")];
        repository.commit_on("main", "One page", "somebody", &[full, &old[..]].concat())
    };
    fake.clear_log();
    assert_eq!(client(&fake).paths(&CommitId(commit)).await.unwrap().len(), 96);
    assert_eq!(fake.log().len(), 2, "{:#?}", fake.log());
}

#[tokio::test]
async fn a_list_of_files_that_was_cut_is_an_error() {
    let fake = gitlab().await;
    let names: Vec<String> = (0..150).map(|i| format!("many/{i:03}.yaml")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"a: 1"[..])).collect();
    let commit = fake.state().project(PROJECT).repository.commit_on("main", "Many", "somebody", &files);
    fake.state().project(PROJECT).drops_links = true;
    let error = client(&fake).paths(&CommitId(commit)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Invalid { .. }), "{error:?}");
    reads!(error.to_string(), @"couldn't list the files at 6773ffaf: the list of files was cut: a page does not lead to the next");
    let gone = client(&fake).paths(&CommitId("0".repeat(40))).await;
    assert!(gone.is_err(), "{gone:?}");
}

#[tokio::test]
async fn a_comparison_starts_at_the_merge_base() {
    let fake = gitlab().await;
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

    fake.state().project(PROJECT).compare_overflows = true;
    assert_eq!(client(&fake).compare(&target, &source).await.unwrap().paths, None);
}

#[tokio::test]
async fn merge_requests_are_listed_newest_first_and_forks_are_recognised() {
    let fake = gitlab().await;
    {
        let mut state = fake.state();
        state.add_fork(PROJECT, 77, "mallory/sylva-core");
        let sha = head(&mut state, "main").0;
        state.project(77).repository.branches.insert(SOURCE.to_owned(), sha.clone());
        let project = state.project(PROJECT);
        for (source_project, source) in
            [(PROJECT, SOURCE), (77, SOURCE), (PROJECT, "feature"), (PROJECT, SOURCE)]
        {
            project.open_merge_request(source_project, source, &sha, "Draft: Update images");
        }
        project.merge_request(1).state = "merged".to_owned();
        project.merge_request(4).state = "closed".to_owned();
        project.merge_request(2).labels = vec!["bot".to_owned()];
        project.merge_request(2).description = Some("<!-- dibump -->".to_owned());
    }
    let found = client(&fake).merge_requests(&branch(SOURCE)).await.unwrap();
    let seen: Vec<(u64, MergeRequestState, bool)> =
        found.iter().map(|m| (m.number, m.state, m.from_this_project)).collect();
    assert_eq!(
        seen,
        [
            (4, MergeRequestState::Closed, true),
            (2, MergeRequestState::Open, false),
            (1, MergeRequestState::Merged, true)
        ]
    );
    let forged = &found[1];
    assert_eq!((forged.title.as_str(), forged.draft), ("Update images", true));
    assert_eq!(forged.description, "<!-- dibump -->");
    assert_eq!(forged.labels, ["bot"]);
    assert_eq!(forged.head, Some(head(&mut fake.state(), "main")));
    assert!(forged.url.ends_with("/sylva/sylva-core/-/merge_requests/2"));
    assert!(client(&fake).merge_requests(&branch("other")).await.unwrap().is_empty());
}

#[tokio::test]
async fn branches_are_found_by_how_their_names_begin() {
    let fake = gitlab().await;
    let main = head(&mut fake.state(), "main");
    for name in [
        SOURCE,
        "dibump/main/diskimage-builder-1.x",
        "dibump/main/other-0.x",
        "x/dibump/main/diskimage-builder-0.x",
    ] {
        fake.state().project(PROJECT).repository.branches.insert(name.to_owned(), main.0.clone());
    }
    let found = client(&fake).branches("dibump/main/diskimage-builder-").await.unwrap();
    let names: Vec<&str> = found.keys().map(|branch| branch.0.as_str()).collect();
    assert_eq!(names, [SOURCE, "dibump/main/diskimage-builder-1.x"]);
    assert!(found.values().all(|commit| *commit == main));
}

#[tokio::test]
async fn an_approval_counts_once_all_that_are_required_are_there() {
    let fake = gitlab().await;
    let sha = head(&mut fake.state(), "main").0;
    fake.state().project(PROJECT).open_merge_request(PROJECT, SOURCE, &sha, "Update");
    let approved = async || client(&fake).is_approved(1).await.unwrap();
    assert!(!approved().await, "nobody had to, and nobody did");
    fake.state().project(PROJECT).merge_request(1).approved_by = vec!["alice".to_owned()];
    assert!(approved().await);
    fake.state().project(PROJECT).approvals_required = 2;
    assert!(!approved().await);
}

#[tokio::test]
async fn a_pipeline_belongs_to_the_head_even_where_it_ran_on_the_merge() {
    let fake = gitlab().await;
    let sha = head(&mut fake.state(), "main").0;
    fake.state().project(PROJECT).repository.branches.insert(SOURCE.to_owned(), sha.clone());
    fake.state().project(PROJECT).open_merge_request(PROJECT, SOURCE, &sha, "Update");
    assert_eq!(client(&fake).pipeline(1).await.unwrap(), None);
    for (status, failed) in [("RUNNING", false), ("SUCCESS", false), ("FAILED", true), ("SKIPPED", true)] {
        fake.state().project(PROJECT).pipelines.insert(sha.clone(), status.to_owned());
        let succeeded = status == "SUCCESS";
        let expected = PipelineStatus { head: CommitId(sha.clone()), failed, succeeded };
        assert_eq!(client(&fake).pipeline(1).await.unwrap(), Some(expected), "{status}");
    }
    const GITLAB_SAYS: &str = "Timeout on headPipeline";
    let answer = Answer::json(200, &serde_json::json!({"errors": [{"message": GITLAB_SAYS}]}));
    fake.fail(Failure::once("POST", "/api/graphql", How::Answer(answer)));
    let error = client(&fake).pipeline(1).await.unwrap_err();
    assert!(everything(&error).contains(GITLAB_SAYS), "{error}");
}

#[tokio::test]
async fn a_conflict_is_seen_once_gitlab_has_looked() {
    let fake = gitlab().await;
    {
        let mut state = fake.state();
        let project = state.project(PROJECT);
        let base = project.repository.branches["main"].clone();
        project.repository.branches.insert(SOURCE.to_owned(), base);
        let sha = project.repository.commit_on(SOURCE, "Update", "bot", &[(VALUES, b"version: 0.4.12\r\n")]);
        project.open_merge_request(PROJECT, SOURCE, &sha, "Update");
        project.repository.commit_on("main", "Unrelated", "somebody", &[("README.md", b"z")]);
    }
    let client = client(&fake);
    let seen = async || client.merge_requests(&branch(SOURCE)).await.unwrap()[0].mergeability;
    assert_eq!(seen().await, Mergeability::Clean);
    fake.state().project(PROJECT).repository.commit_on(
        "main",
        "Same lines",
        "x",
        &[(VALUES, b"version: 9\r\n")],
    );
    assert_eq!(seen().await, Mergeability::Unknown, "the push made void what was known");
    assert_eq!(seen().await, Mergeability::Conflict);
    fake.state().project(PROJECT).merge_request(1).detailed_merge_status = Some("checking".to_owned());
    assert_eq!(seen().await, Mergeability::Unknown);
}

#[tokio::test]
async fn long_lists_are_read_to_their_end() {
    let fake = gitlab().await;
    let sha = head(&mut fake.state(), "main").0;
    for _ in 0..230 {
        fake.state().project(PROJECT).open_merge_request(PROJECT, SOURCE, &sha, "Update");
    }
    let client = client(&fake);
    let all = client.merge_requests(&branch(SOURCE)).await.unwrap();
    let numbers: Vec<u64> = all.iter().map(|m| m.number).collect();
    assert_eq!(numbers, (1..=230).rev().collect::<Vec<_>>());
    assert_eq!(fake.log().len(), 3);
}

#[tokio::test]
async fn a_list_that_was_cut_is_an_error() {
    let list = async |answer: Answer| {
        let fake = gitlab().await;
        fake.fail(Failure::once("GET", "/merge_requests", How::Answer(answer)));
        client(&fake).merge_requests(&branch(SOURCE)).await
    };
    let empty = || Answer::json(200, &serde_json::json!([]));
    assert!(list(empty().header("x-total", "0")).await.is_ok());
    for cut in [
        empty().header("x-total", "2"),
        empty().header("link", "<https://gitlab.example/?page=2>; rel='next'"),
        Answer::text(200, "application/json", "[{\"iid\": 1"),
        Answer::json(200, &serde_json::json!({"message": "no list"})),
    ] {
        let error = list(cut).await.unwrap_err();
        assert!(matches!(error, ForgeError::Invalid { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_failed_second_page_fails_the_list() {
    let fake = gitlab().await;
    let sha = head(&mut fake.state(), "main").0;
    for _ in 0..101 {
        fake.state().project(PROJECT).open_merge_request(PROJECT, SOURCE, &sha, "Update");
    }
    fake.fail(Failure::always("GET", "page=2", How::LoseAnswer));
    let error = client(&fake).merge_requests(&branch(SOURCE)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_next_page_is_asked_of_our_own_host_whatever_the_link_says() {
    let fake = gitlab().await;
    let link = "<https://inner.example/api/v4/projects/42/merge_requests?page=2&per_page=100>; rel=\"next\"";
    let first = Answer::json(200, &serde_json::json!([])).header("link", link);
    fake.fail(Failure::once("GET", "/merge_requests", How::Answer(first)));
    assert!(client(&fake).merge_requests(&branch(SOURCE)).await.unwrap().is_empty());
    let targets: Vec<String> = fake.log().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets[1], "/api/v4/projects/42/merge_requests?page=2&per_page=100");
}

#[tokio::test]
async fn looking_costs_four_reads_and_nothing_else() {
    let fake = gitlab().await;
    let client = client_of(&fake, Some(private(&fake, TOKEN)), ProjectId::Path(PATH.to_owned()));
    let main = client.head(&branch("main")).await.unwrap().unwrap();
    client.file(VALUES, &main).await.unwrap();
    client.merge_requests(&branch(SOURCE)).await.unwrap();
    client.branches("dibump/main/diskimage-builder-").await.unwrap();
    assert_eq!(fake.log().len(), 4);
    assert_eq!(fake.writes(), []);
    assert!(fake.log().iter().all(|seen| seen.token == Some(("private-token".to_owned(), TOKEN.to_owned()))));
}

#[tokio::test]
async fn a_project_below_a_relative_root_that_was_moved_is_still_read() {
    let fake = FakeGitLab::start_below("/git").await;
    fake.state().add_project(PROJECT, PATH, &[(VALUES, BEFORE)]).former_paths = vec!["old/path".to_owned()];
    let client = client_of(&fake, None, ProjectId::Path("old/path".to_owned()));
    assert_eq!(client.head(&branch("main")).await.unwrap(), Some(head(&mut fake.state(), "main")));
}

#[tokio::test]
async fn access_is_told_as_far_as_the_token_may_know() {
    let fake = gitlab().await;
    let access = client(&fake).access(&branch(SOURCE)).await.unwrap();
    assert_eq!(access.user.as_deref(), Some("project_42_bot"));
    assert_eq!(access.scopes, Some(vec!["api".to_owned()]));
    assert_eq!(access.expires_at, Some("2027-06-01".parse().unwrap()));
    assert_eq!(access.role.as_deref(), Some("Developer"));
    assert_eq!(access.may_push, Some(true));
    assert_eq!(access.default_branch, Some(branch("main")));

    assert_eq!((access.may_merge, access.may_force_push), (Some(true), Some(true)));

    fake.state().project(PROJECT).protected[0].merge = 40;
    fake.state().project(PROJECT).protected.push(crate::fake::gitlab::Protected::by_default("dibump/*"));
    let access = client(&fake).access(&branch(SOURCE)).await.unwrap();
    assert_eq!(
        (access.may_push, access.may_merge, access.may_force_push),
        (Some(false), Some(false), Some(false))
    );

    let anonymous = client_of(&fake, None, ProjectId::Number(PROJECT)).access(&branch(SOURCE)).await.unwrap();
    assert_eq!((anonymous.user, anonymous.scopes, anonymous.role), (None, None, None));
    assert_eq!(anonymous.may_push, Some(false));
}

#[tokio::test]
async fn projects_that_are_about_to_be_deleted_are_not_listed() {
    let fake = gitlab().await;
    fake.state().add_project(43, "sylva/old", &[]).archived = true;
    fake.state().add_project(44, "sylva/gone", &[]).marked_for_deletion = true;
    let groups =
        dibump::gitlab::Groups::new(transport(), &fake.api().parse().unwrap(), Some(private(&fake, TOKEN)));
    let found = dibump::forge::Projects::projects(&groups.unwrap(), "sylva").await.unwrap();
    assert_eq!(found.into_iter().map(|project| project.path).collect::<Vec<_>>(), [PATH]);
}
