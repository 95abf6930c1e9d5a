//! The source of candidates `github`.

use dibump::catalogue::{Candidates, Catalogue as _, CatalogueError};
use dibump::github::Packages;

use super::*;
use crate::fake::github::{Answer, Failure, How, Package, Token, User};

async fn producer(organisation: bool) -> FakeGitHub {
    let fake = FakeGitHub::start().await;
    {
        let mut state = fake.state();
        state.users.push(User { id: 9, login: "Sylva".to_owned(), is_organisation: organisation });
        state.add_user("reader");
        state.tokens.insert("ghp_reads".to_owned(), Token::classic("reader", &["read:packages"]));
        let mut names: Vec<String> =
            (0..210).map(|n| format!("images/ubuntu-noble-plain-rke2-1-{n}-0")).collect();
        names.extend(["images/snapshots/x", "other/a-b", "images", "top-level-1"].map(str::to_owned));
        state.packages = names.into_iter().map(|name| Package { owner: "Sylva".to_owned(), name }).collect();
    }
    fake
}

fn packages(fake: &FakeGitHub, text: Option<&str>, prefix: &str) -> Packages {
    let prefix = format!("oci://ghcr.io/{prefix}").parse().unwrap();
    Packages::new(transport(), &api(fake), text.map(|text| token(fake, text)), &prefix).unwrap()
}

#[tokio::test]
async fn the_package_list_gives_the_names_directly_below_the_prefix() {
    for organisation in [true, false] {
        let fake = producer(organisation).await;
        let source = packages(&fake, Some("ghp_reads"), "sylva/images");
        assert_eq!(source.name(), "github");
        let Candidates::Names(found) = source.candidates().await.unwrap() else { panic!("no names") };
        assert_eq!(found.published.len(), 210);
        assert!(found.published.iter().all(|key| key.as_str().starts_with("ubuntu-noble-plain-rke2-1-")));
        assert_eq!(fake.log().len(), if organisation { 3 } else { 4 });
        let Candidates::Names(top) = packages(&fake, Some("ghp_reads"), "sylva").candidates().await.unwrap()
        else {
            panic!("no names")
        };
        assert!(top.published.iter().any(|key| key.as_str() == "top-level-1"), "{top:?}");
    }
}

#[tokio::test]
async fn only_a_classic_token_of_that_scope_is_offered_the_list() {
    let fake = producer(true).await;
    fake.state().add_project(PROJECT, PATH, &[("a", b"b")]);
    fake.state().tokens.insert("ghp_other".to_owned(), Token::classic("reader", &["repo"]));
    fake.state().tokens.insert("github_pat_x".to_owned(), Token::fine_grained("reader"));
    fake.state().tokens.insert("ghs_job".to_owned(), Token::actions(PROJECT));
    for text in [None, Some("ghp_other"), Some("github_pat_x"), Some("ghs_job")] {
        let error = packages(&fake, text, "sylva/images").candidates().await.unwrap_err();
        assert!(matches!(error, CatalogueError::NotOffered { .. }), "{text:?}: {error:?}");
    }
    let error = packages(&fake, Some("ghp_reads"), "nobody/x").candidates().await.unwrap_err();
    assert!(matches!(&error, CatalogueError::NotOffered { .. }), "{error:?}");
    reads!(error.to_string(), @"packages of nobody at HOST: Not Found");
}

#[tokio::test]
async fn refused_credentials_and_failures_are_told_apart() {
    let fake = producer(true).await;
    let error = packages(&fake, Some("wrong"), "sylva/images").candidates().await.unwrap_err();
    assert!(matches!(error, CatalogueError::Refused { .. }), "{error:?}");
    let limited = Answer::message(403, "You have exceeded a secondary rate limit.");
    for how in [How::Answer(Answer::text(502, "text/html", "<html>")), How::Answer(limited), How::LoseAnswer]
    {
        let fake = producer(true).await;
        fake.fail(Failure::always("GET", "/packages", how));
        let error = packages(&fake, Some("ghp_reads"), "sylva/images").candidates().await.unwrap_err();
        assert!(matches!(error, CatalogueError::Unavailable { .. }), "{error:?}");
    }
    let page = How::Answer(Answer::text(200, "text/html", "<html>"));
    fake.fail(Failure::always("GET", "/packages", page));
    let error = packages(&fake, Some("ghp_reads"), "sylva/images").candidates().await.unwrap_err();
    assert!(matches!(error, CatalogueError::Unusable { .. }), "{error:?}");
}
