//! The fake is honest: Octokit, which nobody here wrote, goes through the calls of the adapter.

use super::apps::{PRIVATE, installed};
use super::*;
use crate::clients;
use crate::fake::github::{Package, Token, User};

/// What Octokit asks is held to GitHub's description as well, and so is what it is answered.
async fn octokit(fake: &FakeGitHub, step: &str, token: &str) {
    let script = include_str!("../../clients/github.js");
    clients::node(script, &[step, fake.address(), token]).await;
    assert!(!openapi::hold(&fake.log()).is_empty());
}

/// A repository with all that the steps of the script ask for.
async fn arranged() -> FakeGitHub {
    let fake = github().await;
    let mut state = fake.state();
    state.add_user("alice");
    let project = state.project(PROJECT);
    project.members.insert("alice".to_owned(), 3);
    project.milestones = vec!["1.5".to_owned(), "1.6".to_owned()];
    for name in ["dibump/a", "dibump/b", "dibump/c", "others/dibump/d"] {
        let main = project.repository.branches["main"].clone();
        project.repository.branches.insert(name.to_owned(), main);
        project.repository.commit_on(name, "By hand", "alice", &[("mine.txt", name.as_bytes())]);
    }
    drop(state);
    fake
}

#[tokio::test]
async fn octokit_reads_what_a_run_reads() {
    let fake = arranged().await;
    octokit(&fake, "reads", TOKEN).await;
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn octokit_pushes_opens_edits_closes_and_removes() {
    let fake = arranged().await;
    octokit(&fake, "writes", TOKEN).await;
    let mut state = fake.state();
    let request = state.project(PROJECT).pull_request(1).clone();
    assert_eq!((request.state.as_str(), request.title.as_str()), ("closed", "Newer"));
    assert_eq!((request.author.as_str(), request.draft, request.milestone), ("sylva-bot", true, Some(1)));
    assert!(!state.project(PROJECT).repository.branches.contains_key(SOURCE));
}

#[tokio::test]
async fn octokit_merges_what_is_ready_and_lets_github_merge_the_rest() {
    let fake = arranged().await;
    {
        let mut state = fake.state();
        let project = state.project(PROJECT);
        for name in ["dibump/a", "dibump/b", "dibump/c"] {
            let head = project.repository.branches[name].clone();
            project.open_pull_request((PROJECT, "sylva"), name, &head, "Update");
        }
        let request = project.pull_request(1);
        request.mergeable_state = Some("blocked".to_owned());
        request.reviews.insert("alice".to_owned(), "APPROVED".to_owned());
        let head = request.sha.clone();
        project.checks.insert(head, "PENDING".to_owned());
    }
    octokit(&fake, "merges", TOKEN).await;
    let mut state = fake.state();
    let states: Vec<&str> =
        state.project(PROJECT).pull_requests.iter().map(|request| request.state.as_str()).collect();
    assert_eq!(states, ["open", "open", "merged"]);
    let merged = state.project(PROJECT).repository.file("main", "mine.txt").unwrap();
    assert_eq!(&*merged, b"dibump/c");
}

#[tokio::test]
async fn octokit_reads_the_packages_of_an_organisation_and_of_a_user() {
    let fake = arranged().await;
    {
        let mut state = fake.state();
        state.users.push(User { id: 9, login: "Sylva-Images".to_owned(), is_organisation: true });
        state.tokens.insert("ghp_reads".to_owned(), Token::classic("alice", &["read:packages"]));
        let package = |name: &str| Package { owner: "Sylva-Images".to_owned(), name: name.to_owned() };
        state.packages = ["images/a-1", "images/b-2", "images/c-3"].map(package).to_vec();
    }
    octokit(&fake, "packages", "ghp_reads").await;
}

#[tokio::test]
async fn octokit_signs_as_an_app_and_uses_the_token_of_its_installation() {
    let fake = installed().await;
    octokit(&fake, "app", PRIVATE).await;
    assert_eq!(fake.state().installation_tokens, 1);
}
