//! The sources of candidates: release notes and the registry's list.

use dibump::catalogue::{Candidates, Catalogue as _, CatalogueError};
use dibump::gitlab::{RegistryRepositories, ReleaseNotes, find_project};
use dibump::registry::Prefix;

use super::*;
use crate::fake::gitlab::{Answer, Failure, How, RegistryAccess, Release};

const PRODUCER: u64 = 7;
const PRODUCER_PATH: &str = "sylva/elements/diskimage-builder";

fn prefix() -> Prefix {
    format!("oci://registry.gitlab.example/{PRODUCER_PATH}").parse().unwrap()
}

async fn producer(releases: &[(&str, &str)]) -> FakeGitLab {
    let fake = FakeGitLab::start().await;
    let mut state = fake.state();
    let project = state.add_project(PRODUCER, PRODUCER_PATH, &[]);
    project.releases = releases
        .iter()
        .map(|(tag, description)| Release {
            tag: (*tag).to_owned(),
            description: (*description).to_owned(),
            released_at: "2026-05-04T03:02:01.000Z".to_owned(),
        })
        .collect();
    drop(state);
    fake
}

fn release_notes(fake: &FakeGitLab, token: Option<GitLabToken>) -> ReleaseNotes {
    let project = ProjectId::Path(PRODUCER_PATH.to_owned());
    ReleaseNotes::new(transport(), &fake.api().parse().unwrap(), token, project, prefix()).unwrap()
}

fn repositories(fake: &FakeGitLab, token: Option<GitLabToken>) -> RegistryRepositories {
    let project = ProjectId::Number(PRODUCER);
    RegistryRepositories::new(transport(), &fake.api().parse().unwrap(), token, project, prefix()).unwrap()
}

fn image(name: &str, tags: &str) -> String {
    let sum = "e1745cf6b5904660138b74a3c2e36242801d563f7ba5e9b57b8aa3760f85c1c6";
    format!("<br /><br /> Image: \"{}/{name}:{tags}\"\n<br /> \"sha256: {sum}\"\n", prefix())
}

#[tokio::test]
async fn releases_come_with_the_names_of_their_notes() {
    let listed = format!(
        "## Produced images:\n{}{}{}",
        image("ubuntu-noble-plain-rke2-1-31-8", "0.4.13"),
        image("opensuse-15-6-plain-rke2-1-31-8", "0.4.13\nbn-suse-test"),
        image("snapshots/ubuntu-noble-plain-rke2-1-31-8", "0.4.13"),
    );
    let releases = [
        ("0.4.12", "Only words"),
        ("0.4.13", listed.as_str()),
        ("0.0.0-git-1234abcd", ""),
        ("bn-test-3", ""),
    ];
    let fake = producer(&releases).await;
    let source = release_notes(&fake, None);
    assert_eq!(source.name(), "release-notes");
    let Candidates::Releases(notes) = source.candidates().await.unwrap() else { panic!("no releases") };
    let versions: Vec<&str> = notes.iter().map(|note| note.version.as_str()).collect();
    assert_eq!(versions, ["0.4.13", "0.4.12"]);
    let names: Vec<String> = notes[0].names.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(names, ["opensuse-15-6-plain-rke2-1-31-8", "ubuntu-noble-plain-rke2-1-31-8"]);
    assert_eq!(notes[1].names, None);
    assert_eq!(notes[1].description, "Only words");
    assert_eq!(notes[0].released_at, Some("2026-05-04T03:02:01Z".parse().unwrap()));
    assert_eq!(fake.log().len(), 1);
    assert_eq!(fake.writes(), []);
}

#[tokio::test]
async fn many_releases_are_as_many_requests_as_pages() {
    let tags: Vec<String> = (0..250).map(|patch| format!("0.4.{patch}")).collect();
    let releases: Vec<(&str, &str)> = tags.iter().map(|tag| (tag.as_str(), "")).collect();
    let fake = producer(&releases).await;
    let Candidates::Releases(notes) = release_notes(&fake, None).candidates().await.unwrap() else {
        panic!()
    };
    assert_eq!((notes.len(), fake.log().len()), (250, 3));
}

#[tokio::test]
async fn a_proxy_that_drops_the_links_does_not_cut_the_list() {
    let tags: Vec<String> = (0..150).map(|patch| format!("0.4.{patch}")).collect();
    let releases: Vec<(&str, &str)> = tags.iter().map(|tag| (tag.as_str(), "")).collect();
    let fake = producer(&releases).await;
    let page: Vec<_> = tags[50..].iter().map(|tag| serde_json::json!({"tag_name": tag})).collect();
    fake.fail(Failure::once("GET", "/releases", How::Answer(Answer::json(200, &page.into()))));
    let Candidates::Releases(notes) = release_notes(&fake, None).candidates().await.unwrap() else {
        panic!()
    };
    assert_eq!(notes.len(), 150);
}

#[tokio::test]
async fn the_registrys_list_gives_the_names_directly_below_the_prefix() {
    let fake = producer(&[]).await;
    let mut names: Vec<String> = (0..210).map(|n| format!("ubuntu-noble-plain-rke2-1-{n}-0")).collect();
    names.extend(["", "snapshots/ubuntu-noble-plain-rke2-1-1-0", "deep/er/x"].map(str::to_owned));
    fake.state().project(PRODUCER).registry.names = names;
    let source = repositories(&fake, None);
    assert_eq!(source.name(), "gitlab");
    let Candidates::Names(found) = source.candidates().await.unwrap() else { panic!("no names") };
    assert_eq!((found.published.len(), found.snapshots.len()), (210, 1));
    assert!(found.published.iter().all(|key| key.as_str().starts_with("ubuntu-noble-plain-rke2-1-")));
    assert_eq!(fake.log().len(), 3);
}

#[tokio::test]
async fn what_is_private_or_missing_is_not_offered() {
    let fake = producer(&[]).await;
    for access in [RegistryAccess::Private, RegistryAccess::Disabled] {
        fake.state().project(PRODUCER).registry.access = access;
        let error = repositories(&fake, None).candidates().await.unwrap_err();
        assert!(matches!(error, CatalogueError::NotOffered { .. }), "{error:?}");
    }
    fake.state().project(PRODUCER).public = false;
    let error = release_notes(&fake, None).candidates().await.unwrap_err();
    assert!(matches!(&error, CatalogueError::NotOffered { .. }), "{error:?}");
    assert!(error.to_string().contains(PRODUCER_PATH));
    let html = Answer::text(404, "text/html", "<html><title>Harbor</title>");
    fake.fail(Failure::once("GET", "/releases", How::Answer(html)));
    let error = release_notes(&fake, None).candidates().await.unwrap_err();
    assert!(matches!(error, CatalogueError::NotOffered { .. }), "{error:?}");
}

#[tokio::test]
async fn refused_credentials_and_failures_are_told_apart() {
    let fake = producer(&[("0.4.12", "")]).await;
    let error = release_notes(&fake, Some(private(&fake, "wrong"))).candidates().await.unwrap_err();
    assert!(matches!(error, CatalogueError::Refused { .. }), "{error:?}");
    for (how, unavailable) in [
        (How::Answer(Answer::text(502, "text/html", "<html>")), true),
        (How::Answer(Answer::throttled(5)), true),
        (How::LoseAnswer, true),
        (How::Answer(Answer::json(200, &serde_json::json!([])).header("x-total", "3")), false),
    ] {
        let fake = producer(&[("0.4.12", "")]).await;
        fake.fail(Failure::always("GET", "/releases", how));
        let error = release_notes(&fake, None).candidates().await.unwrap_err();
        assert_eq!(matches!(error, CatalogueError::Unavailable { .. }), unavailable, "{error:?}");
        assert_eq!(matches!(error, CatalogueError::Invalid { .. }), !unavailable, "{error:?}");
    }
    let page = How::Answer(Answer::text(200, "text/html", "<html>"));
    fake.fail(Failure::always("GET", "/releases", page));
    let error = release_notes(&fake, None).candidates().await.unwrap_err();
    assert!(matches!(error, CatalogueError::Unusable { .. }), "{error:?}");
}

#[tokio::test]
async fn the_project_is_the_longest_prefix_that_the_api_knows() {
    let fake = producer(&[]).await;
    let api = fake.api().parse().unwrap();
    let found = |path: &'static str| find_project(transport(), &api, None, path);
    let own = Some(ProjectId::Number(PRODUCER));
    assert_eq!(found(PRODUCER_PATH).await.unwrap(), own);
    assert_eq!(fake.log().len(), 1);
    assert_eq!(found("sylva/elements/diskimage-builder/images/hardened").await.unwrap(), own);
    assert_eq!(fake.log().len(), 4);
    assert_eq!(found("sylva/elements").await.unwrap(), None);
    assert_eq!(found("library").await.unwrap(), None);
    fake.fail(Failure::always("GET", "/projects/", How::Answer(Answer::text(503, "text/plain", "busy"))));
    assert!(matches!(found(PRODUCER_PATH).await, Err(CatalogueError::Unavailable { .. })));
}

#[tokio::test]
async fn releases_without_their_tags_are_not_offered_to_a_guest() {
    let fake = producer(&[("0.4.12", "Only words"), ("0.4.13", "More words")]).await;
    fake.state().project(PRODUCER).public = false;
    fake.state().add_bot(PRODUCER, "guest", TOKEN);
    fake.state().project(PRODUCER).members.insert("guest".to_owned(), 10);
    let error = release_notes(&fake, Some(private(&fake, TOKEN))).candidates().await.unwrap_err();
    assert!(matches!(&error, CatalogueError::NotOffered { .. }), "{error:?}");
    reads!(error.to_string(), @"releases of sylva/elements/diskimage-builder at HOST: the tags of its releases are not shown to this token (role Guest?)");
}
