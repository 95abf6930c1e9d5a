//! A GitHub App: it signs, gets a token for its installation, and uses it until shortly before its end.

use dibump::github::{App, PrivateKey};

use super::*;
use crate::fake::github::App as Installed;

pub(super) const PRIVATE: &str = include_str!("../../data/github/test-app.private.pem");
const PUBLIC: &str = include_str!("../../data/github/test-app.public.pem");

pub(super) async fn installed() -> FakeGitHub {
    let fake = github().await;
    fake.state().app = Some(Installed {
        id: "Iv23liTest".to_owned(),
        slug: "dibump-test".to_owned(),
        public_key: PUBLIC.to_owned(),
        installation: 5,
        repository: PROJECT,
        permissions: ["contents=write", "pull_requests=write"].map(str::to_owned).to_vec(),
        lifetime: 3600,
    });
    fake
}

pub(super) fn app(id: &str, installation: Option<u64>) -> Option<Identity> {
    Some(Identity::App(App::new(id, PrivateKey::from_pem(PRIVATE).unwrap(), installation)))
}

fn asked_for_tokens(fake: &FakeGitHub) -> usize {
    fake.log().iter().filter(|seen| seen.target.ends_with("/access_tokens")).count()
}

#[tokio::test]
async fn an_app_pushes_and_opens_with_one_token_that_all_of_a_run_share() {
    let fake = installed().await;
    let main = head(&mut fake.state(), "main");
    let session = Pacing::with_pace(Duration::ZERO);
    let make = || {
        let (identity, path) = (app("Iv23liTest", None), PATH.parse().unwrap());
        GitHub::new(transport(), &api(&fake), identity, path, &session).unwrap()
    };
    let (one, two) = (make(), make());
    let target = branch("main");
    let (first, second) = tokio::join!(one.head(&target), two.head(&target));
    assert_eq!(first.unwrap(), second.unwrap());
    one.push(&commit(main, None)).await.unwrap();
    let opened = two.create_merge_request(&request(MergeRequestSettings::default())).await.unwrap();
    assert_eq!(opened.number, 1);
    assert_eq!(fake.state().project(PROJECT).pull_request(1).author, "dibump-test[bot]");
    assert_eq!(asked_for_tokens(&fake), 1);
    assert_eq!(one.access(&branch(SOURCE)).await.unwrap().user.as_deref(), Some("dibump-test[bot]"));
    assert!(!format!("{one:?}{two:?}{session:?}").contains("ghs_installation"));
}

#[tokio::test]
async fn a_token_that_ends_soon_is_replaced() {
    let fake = installed().await;
    fake.state().app.as_mut().unwrap().lifetime = 60;
    let client = client_of(&fake, app("Iv23liTest", Some(5)), PATH);
    client.head(&branch("main")).await.unwrap();
    client.head(&branch("main")).await.unwrap();
    assert_eq!(asked_for_tokens(&fake), 2);
    assert!(fake.log().iter().all(|seen| !seen.target.ends_with("/installation")), "its number was given");
}

#[tokio::test]
async fn a_token_that_was_refused_is_not_offered_again() {
    let fake = installed().await;
    let client = client_of(&fake, app("Iv23liTest", Some(5)), PATH);
    client.head(&branch("main")).await.unwrap();
    fake.state().tokens.remove("ghs_installation1");
    assert!(matches!(client.head(&branch("main")).await, Err(ForgeError::Refused { .. })));
    client.head(&branch("main")).await.unwrap();
}

#[tokio::test]
async fn an_app_that_is_not_known_or_not_installed_says_so() {
    let fake = installed().await;
    fake.state().add_project(7, "other/place", &[("a", b"b")]);
    let mut told = String::new();
    for (identity, path) in [(app("Iv23liOther", None), PATH), (app("Iv23liTest", None), "other/place")] {
        let error = client_of(&fake, identity, path).head(&branch("main")).await.unwrap_err();
        told += &refusal(&error);
    }
    reads!(told, @"
    A JSON web token could not be decoded
    check the App's id and private key, and that the App is installed for this repository
    Not Found
    check the App's id and private key, and that the App is installed for this repository
    ");
    fake.state().app.as_mut().unwrap().permissions = vec!["contents=write".to_owned()];
    let main = head(&mut fake.state(), "main");
    let client = client_of(&fake, app("Iv23liTest", None), PATH);
    client.push(&commit(main, None)).await.unwrap();
    let new = request(MergeRequestSettings::default());
    let error = client.create_merge_request(&new).await.unwrap_err();
    assert!(refused(&error).1.contains("pull_requests=write"), "{error:?}");
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_without_being_shown() {
    for key in
        ["hunter2", PUBLIC, "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\n"]
    {
        let Err(error) = PrivateKey::from_pem(key) else { panic!("a key was made of {key}") };
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
