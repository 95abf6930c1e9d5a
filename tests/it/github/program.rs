//! The main job on GitHub, by the real program.

use super::apps::{PRIVATE, installed};
use super::*;
use crate::fake::github::{Package, Token};
use crate::fake::oci::FakeRegistry;
use crate::said::{about, says};
use crate::world::{AT_0_4_11, Desk, NETWORK, PREFIX, images, values_at};

const FILE: &str = "values.yaml";

/// A registry where 0.4.12 was published, a repository at 0.4.11, and a configuration that names both.
async fn stage(fake: &FakeGitHub, discovery: &str, producer: &str, forge: &str) -> (FakeRegistry, Desk) {
    let registry = FakeRegistry::start().await;
    for patch in [11, 12] {
        registry.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
    }
    let files: [(&str, &[u8]); 1] = [(FILE, AT_0_4_11.as_bytes())];
    fake.state().project(PROJECT).repository.commit_on("main", "Values", "alice", &files);
    let mut desk = Desk::new();
    let config = format!(
        "version: 1\nproducers:\n  - registry: {}\n    plain_http: true\n    discovery: {discovery}\n{producer}\
         forge: {{kind: github, url: \"{}\", write_interval: 1ms{forge}}}\n\
         targets:\n  - project: {PATH}\n    files: [{FILE}]\n\
         {NETWORK}",
        registry.prefix(PREFIX),
        fake.address(),
    );
    desk.write("dibump.yaml", config);
    desk.variables.push(("GITHUB_TOKEN".to_owned(), TOKEN.to_owned()));
    (registry, desk)
}

fn file(fake: &FakeGitHub, name: &str) -> String {
    let file = fake.state().project(PROJECT).repository.file(name, FILE).unwrap();
    String::from_utf8(file.to_vec()).unwrap()
}

#[tokio::test]
async fn a_newer_release_gives_one_pull_request_and_the_second_run_writes_nothing() {
    let fake = github().await;
    let (registry, desk) = stage(&fake, "[catalog]", "", "").await;
    let ran = desk.dibump(&["run"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "created");
    assert_eq!(fake.writes().len(), 2, "{:#?}", fake.writes());
    assert_eq!(file(&fake, SOURCE), values_at(12));
    assert_eq!(file(&fake, "main"), AT_0_4_11);
    let opened = fake.state().project(PROJECT).pull_request(1).clone();
    assert_eq!((opened.source_branch.as_str(), opened.target_branch.as_str()), (SOURCE, "main"));
    let text = opened.description.unwrap();
    assert!(opened.title.contains("0.4.12") && text.contains("ubuntu-noble-plain-rke2-1-30-12"), "{text}");
    assert!(!format!("{ran:?}{text}").contains(TOKEN), "the token is printed");

    fake.clear_log();
    let again = desk.dibump(&["run"]).await;
    says(&again, "unchanged");
    assert!(fake.writes().is_empty(), "{:#?}", fake.writes());

    registry.release(PREFIX, "0.4.13", &images(13));
    let moved = desk.dibump(&["run"]).await;
    says(&moved, "updated");
    assert_eq!(file(&fake, SOURCE), values_at(13));
    assert_eq!(fake.state().project(PROJECT).pull_requests.len(), 1);
}

#[tokio::test]
async fn a_target_that_is_up_to_date_costs_four_requests() {
    let fake = github().await;
    let (_registry, desk) = stage(&fake, "[catalog]", "", "").await;
    let newest = values_at(12);
    let files: [(&str, &[u8]); 1] = [(FILE, newest.as_bytes())];
    fake.state().project(PROJECT).repository.commit_on("main", "By hand", "alice", &files);
    let ran = desk.dibump(&["run"]).await;
    says(&ran, "up to date");
    let asked = fake.log().into_iter().filter(|seen| !seen.target.ends_with(PATH)).count();
    assert!(asked <= 4, "{:#?}", fake.log());
}

#[tokio::test]
async fn an_app_does_the_same_with_a_key_from_the_environment_or_a_file() {
    let fake = installed().await;
    let app = ", app: {installation_id_env: INSTALLATION}";
    let (_registry, mut desk) = stage(&fake, "[catalog]", "", app).await;
    desk.write("key.pem", PRIVATE);
    let one_line = PRIVATE.replace('\n', "\\n");
    for (key, outcome) in [(one_line.as_str(), "created"), ("key.pem", "unchanged")] {
        desk.variables =
            [("GITHUB_APP_ID", "Iv23liTest"), ("GITHUB_APP_PRIVATE_KEY", key), ("INSTALLATION", "5")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec();
        let ran = desk.dibump(&["run"]).await;
        says(&ran, outcome);
        assert!(!format!("{ran:?}").contains("PRIVATE KEY"), "{ran:#?}");
    }
    assert_eq!(fake.state().project(PROJECT).pull_request(1).author, "dibump-test[bot]");
    let checked = desk.dibump(&["config", "validate", "--online"]).await;
    reads!(about(&checked.stdout, "dibump-test[bot]"), @"ok: the token is that of dibump-test[bot]");

    desk.variables[1].1 = "c2VjcmV0IGtleQ".to_owned();
    let ran = desk.dibump(&["run"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    assert!(ran.stderr.contains("GITHUB_APP_PRIVATE_KEY") && !ran.stderr.contains("c2VjcmV0"), "{ran:#?}");
}

#[tokio::test]
async fn the_configuration_is_checked_against_the_world() {
    let fake = github().await;
    let (_registry, desk) = stage(&fake, "[catalog]", "", "").await;
    let ran = desk.dibump(&["config", "validate", "--online"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    reads!(ran.stdout, @"
    the configuration is valid: 1 target, 1 producer
    producer diskimage-builder
      ok: 2 versions, the newest is 0.4.12
    project sylva/sylva-core
      ok: the token is that of sylva-bot
      ok: its scopes are repo
      ok: the token expires on 2027-06-01
      ok: its role is Write
      ok: it may push branch dibump/main/diskimage-builder-0.x
      ok: branch main: values.yaml, at 0.4.11
    ");
    let weak = Token::classic("sylva-bot", &["read:packages"]);
    fake.state().tokens.insert(TOKEN.to_owned(), weak);
    let ran = desk.dibump(&["config", "validate", "--online"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(about(&ran.stdout, "`repo`"), @"wrong: its scopes are read:packages; merge requests need `repo`");
}

#[tokio::test]
async fn packages_are_a_source_of_candidates() {
    let fake = github().await;
    fake.state().tokens.insert(TOKEN.to_owned(), Token::classic("sylva-bot", &["repo", "read:packages"]));
    let github = format!("    github: {{url: \"{}\"}}\n", fake.address());
    let (registry, desk) = stage(&fake, "[github]", &github, "").await;
    let (owner, path) = PREFIX.split_once('/').unwrap();
    let names = [images(11), images(12)].concat();
    fake.state().add_user(owner);
    fake.state().packages = names
        .iter()
        .map(|image| Package { owner: owner.to_owned(), name: format!("{path}/{}", image.name) })
        .collect();
    let ran = desk.dibump(&["run"]).await;
    says(&ran, "created");
    assert!(registry.requests().iter().all(|asked| !asked.path.contains("_catalog")));

    fake.state().tokens.insert(TOKEN.to_owned(), Token::classic("sylva-bot", &["repo"]));
    let ran = desk.dibump(&["run"]).await;
    assert!(!ran.stdout.contains("→ updated"), "{ran:#?}");
}

#[tokio::test]
async fn a_job_without_the_permission_is_told_what_is_needed() {
    let fake = github().await;
    fake.state().tokens.insert(TOKEN.to_owned(), Token::actions(PROJECT));
    let (_registry, desk) = stage(&fake, "[catalog]", "", "").await;
    let ran = desk.dibump(&["run"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    says(&ran, "failed");
    reads!(about(&ran.stdout, "→ failed"), @r#"→ failed: couldn't open a pull request for branch `dibump/main/diskimage-builder-0.x`: GitHub Actions is not permitted to create or approve pull requests; switch on "Allow GitHub Actions to create and approve pull requests" under Settings, Actions, General of the repository or its organisation, or use an App or a personal access token"#);
}
