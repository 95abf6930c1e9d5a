//! Letting GitHub merge by itself.

use super::*;

fn state_is(fake: &FakeGitHub, state: &str) {
    fake.state().project(PROJECT).pull_request(1).mergeable_state = Some(state.to_owned());
}

fn auto_merge(fake: &FakeGitHub) -> Option<String> {
    fake.state().project(PROJECT).pull_request(1).auto_merge.clone()
}

#[tokio::test]
async fn it_is_switched_on_and_off() {
    let fake = opened().await;
    let ours = head(&mut fake.state(), SOURCE);
    state_is(&fake, "blocked");
    client(&fake).enable_auto_merge(1, &ours).await.unwrap();
    assert_eq!(auto_merge(&fake).as_deref(), Some("merge"));
    assert!(client(&fake).merge_requests(&branch(SOURCE)).await.unwrap()[0].auto_merge);
    client(&fake).cancel_auto_merge(1).await.unwrap();
    assert_eq!(auto_merge(&fake), None);
    fake.clear_log();
    client(&fake).cancel_auto_merge(1).await.unwrap();
    assert_eq!(fake.writes(), [], "what is not set needs no canceling");
}

#[tokio::test]
async fn what_is_ready_is_merged_at_once() {
    let fake = opened().await;
    let ours = head(&mut fake.state(), SOURCE);
    fake.state().project(PROJECT).merge_methods = vec!["squash".to_owned()];
    client(&fake).enable_auto_merge(1, &ours).await.unwrap();
    assert_eq!(fake.state().project(PROJECT).pull_request(1).state, "merged");
    let merged = fake.state().project(PROJECT).repository.file("main", VALUES).unwrap();
    assert_eq!(&*merged, AFTER);
}

#[tokio::test]
async fn another_head_is_never_merged() {
    let fake = opened().await;
    let ours = head(&mut fake.state(), SOURCE);
    fake.state().project(PROJECT).repository.commit_on(SOURCE, "By hand", "mallory", &[("a", b"b")]);
    let error = client(&fake).enable_auto_merge(1, &ours).await.unwrap_err();
    assert!(matches!(error, ForgeError::Rejected { .. }), "{error:?}");
    assert_eq!(fake.state().project(PROJECT).pull_request(1).state, "open");
    assert_eq!(auto_merge(&fake), None);
}

#[tokio::test]
async fn a_repository_that_does_not_allow_it_is_told_the_setting() {
    let fake = opened().await;
    let ours = head(&mut fake.state(), SOURCE);
    state_is(&fake, "blocked");
    fake.state().project(PROJECT).allow_auto_merge = false;
    let error = client(&fake).enable_auto_merge(1, &ours).await.unwrap_err();
    reads!(refusal(&error), @r#"
    Auto merge is not allowed for this repository
    switch on "Allow auto-merge" under Settings, General of the repository, which needs a branch rule that asks for something
    "#);
}

#[tokio::test]
async fn checks_that_still_run_are_worth_another_moment() {
    let fake = opened().await;
    let ours = head(&mut fake.state(), SOURCE);
    fake.state().project(PROJECT).checks.insert(ours.0.clone(), "PENDING".to_owned());
    let error = client(&fake).enable_auto_merge(1, &ours).await.unwrap_err();
    assert!(matches!(error, ForgeError::NotYet { .. }), "{error:?}");
}
