//! The fake is honest: python-gitlab, which nobody here wrote, goes through the calls of the adapter.

use super::*;
use crate::clients;
use crate::fake::gitlab::{Answer, Failure, How, Release, Token};

/// A project with all that the steps of the script ask for.
async fn arranged() -> FakeGitLab {
    let fake = gitlab().await;
    let mut state = fake.state();
    state.add_user("alice");
    state.tokens.insert("job".to_owned(), Token::job("project_42_bot"));
    let project = state.project(PROJECT);
    project.milestones = vec!["1.5".to_owned(), "1.6".to_owned()];
    for name in ["dibump/a", "dibump/b", "dibump/c", "others/dibump/d"] {
        let main = project.repository.branches["main"].clone();
        project.repository.branches.insert(name.to_owned(), main);
        project.repository.commit_on(name, "By hand", "alice", &[("mine.txt", name.as_bytes())]);
    }
    project.registry.names = vec![String::new(), "ubuntu".to_owned()];
    project.releases = ["0.4.11", "0.4.12"]
        .map(|tag| Release {
            tag: tag.to_owned(),
            description: "- more".to_owned(),
            released_at: "2026-05-04T03:02:01.000Z".to_owned(),
        })
        .to_vec();
    drop(state);
    fake
}

async fn python_gitlab(fake: &FakeGitLab, step: &str) {
    let script = include_str!("../../clients/gitlab.py");
    clients::python(script, &[step, fake.address(), TOKEN]).await;
}

#[tokio::test]
async fn python_gitlab_reads_what_a_run_reads() {
    let fake = arranged().await;
    python_gitlab(&fake, "reads").await;
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn python_gitlab_reads_releases_and_the_registrys_list() {
    let fake = arranged().await;
    python_gitlab(&fake, "catalogues").await;
}

#[tokio::test]
async fn python_gitlab_is_told_what_each_token_may_do() {
    let fake = arranged().await;
    fake.fail(Failure::once("GET", "/version", How::Answer(Answer::throttled(0))));
    python_gitlab(&fake, "tokens").await;
    assert!(fake.all_struck());
    let headers: std::collections::BTreeSet<_> =
        fake.log().into_iter().filter_map(|seen| seen.token).collect();
    let headers: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(headers, ["authorization", "job-token", "private-token", "private-token"]);
}

#[tokio::test]
async fn python_gitlab_pushes_opens_edits_closes_and_removes() {
    let fake = arranged().await;
    python_gitlab(&fake, "writes").await;
    let mut state = fake.state();
    let request = state.project(PROJECT).merge_request(1).clone();
    assert_eq!((request.state.as_str(), request.title.as_str()), ("closed", "Update"));
    assert_eq!(request.author, "project_42_bot");
    assert!(request.remove_source_branch && request.squash);
    assert!(!state.project(PROJECT).repository.branches.contains_key(SOURCE));
}

#[tokio::test]
async fn python_gitlab_merges_what_is_ready_and_lets_gitlab_merge_the_rest() {
    let fake = arranged().await;
    {
        let mut state = fake.state();
        let project = state.project(PROJECT);
        for (name, status) in
            [("dibump/a", Some("RUNNING")), ("dibump/b", Some("FAILED")), ("dibump/c", None)]
        {
            let head = project.repository.branches[name].clone();
            project.open_merge_request(PROJECT, name, &head, "Update");
            project.pipelines.extend(status.map(|status| (head, status.to_owned())));
        }
        project.merge_request(1).approved_by = vec!["alice".to_owned()];
    }
    python_gitlab(&fake, "merges").await;
    let mut state = fake.state();
    let states: Vec<_> =
        state.project(PROJECT).merge_requests.iter().map(|mr| (mr.state.as_str(), mr.auto_merge)).collect();
    assert_eq!(states, [("opened", true), ("opened", false), ("merged", false)]);
    let merged = state.project(PROJECT).repository.file("main", "mine.txt").unwrap();
    assert_eq!(&*merged, b"dibump/c");
}
