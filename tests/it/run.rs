//! The main job, by the real program: from a registry to a merge request, again and again, and interrupted.

use std::time::Duration;

use crate::fake::gitlab::{FakeGitLab, Token};
use crate::fake::oci::{Fault, Image};
use crate::fake::wire::{Answer, Failure, How};
use crate::said::{about, says};
use crate::world::{AT_0_4_11, PATH, PREFIX, PROJECT, SOURCE, TOKEN, VALUES, World, ended, values_at};

stories! {
    a_newer_release_gives_one_merge_request,
    the_second_run_sends_no_request_that_writes,
    an_unrelated_commit_on_the_target_branch_gives_no_push,
    a_run_killed_between_branch_and_merge_request_is_finished_by_the_next,
    a_merge_request_whose_answer_was_lost_is_not_opened_twice,
    two_runs_at_once_give_one_merge_request,
    a_forged_merge_request_from_a_fork_is_not_touched,
    a_newer_release_moves_the_same_merge_request,
    a_persons_commit_on_the_branch_is_left_alone,
    a_closed_merge_request_silences_its_release_and_not_the_next,
    a_dry_run_only_reads,
    a_target_that_is_up_to_date_costs_four_requests,
    a_registry_that_is_down_gives_unknown_and_no_write,
    a_forge_that_is_down_gives_unknown_and_one_that_refuses_fails,
    a_target_that_fails_does_not_stop_the_others,
    a_producer_that_cannot_be_asked_does_not_stop_the_targets_of_others,
    a_key_that_the_charts_schema_does_not_allow_gives_no_merge_request,
}

async fn a_newer_release_gives_one_merge_request(world: World) {
    let (ran, writes) = world.run_and_writes().await;

    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "created");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
    assert_eq!(world.values("main").unwrap(), AT_0_4_11);
    assert_eq!(world.commits_ahead(), 1);
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert_eq!((request.source.as_str(), request.target.as_str()), (SOURCE, "main"));
    assert!(request.title.contains("0.4.12"), "{}", request.title);
    let text = &request.text;
    assert!(text.contains("ubuntu-noble-plain-rke2-1-30-12"), "{text}");
    assert!(!text.contains(TOKEN), "the token is in the text");
}

async fn the_second_run_sends_no_request_that_writes(world: World) {
    world.run().await;
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn an_unrelated_commit_on_the_target_branch_gives_no_push(world: World) {
    world.run().await;
    world.hub.commit("main", "Docs", &[("README.md", b"hello world\n")]);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn a_run_killed_between_branch_and_merge_request_is_finished_by_the_next(world: World) {
    world.hub.fail(Failure::once("POST", world.hub.writing()[1], How::Silence));
    let mut child = world.desk.spawn(&["run"]);
    while !world.hub.all_struck() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().await.unwrap();
    world.hub.heal();
    assert!(world.branches().iter().any(|branch| branch == SOURCE), "{:?}", world.branches());
    assert!(world.merge_requests().is_empty());

    let (ran, writes) = world.run_and_writes().await;

    says(&ran, "created");
    assert_eq!(writes.len(), 1, "the branch was right: {writes:#?}");
    assert_eq!(world.merge_requests().len(), 1);
    assert_eq!(world.branches(), [SOURCE, "main"]);
    assert_eq!(world.commits_ahead(), 1);
}

async fn a_merge_request_whose_answer_was_lost_is_not_opened_twice(world: World) {
    world.hub.fail(Failure::once("POST", world.hub.writing()[1], How::LoseAnswer));
    let (ran, _) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "created");
    assert_eq!(world.merge_requests().len(), 1);
    let (_, writes) = world.run_and_writes().await;
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn two_runs_at_once_give_one_merge_request(world: World) {
    for part in world.hub.writing() {
        let late = How::Delay(Duration::from_millis(300));
        world.hub.fail(Failure { times: 2, ..Failure::once("POST", part, late) });
    }
    let (one, other) = (world.desk.spawn(&["run"]), world.desk.spawn(&["run"]));
    let (one, other) = tokio::join!(ended(one), ended(other));
    assert_eq!((one.exit, other.exit), (Some(0), Some(0)), "{one:#?}\n{other:#?}");
    assert_eq!(world.merge_requests().len(), 1);
    assert_eq!(world.branches(), [SOURCE, "main"]);
    assert_eq!(world.commits_ahead(), 1);
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));

    world.run().await;
    let (_, writes) = world.run_and_writes().await;
    assert!(writes.is_empty(), "it does not settle: {writes:#?}");
}

async fn a_forged_merge_request_from_a_fork_is_not_touched(world: World) {
    world.run().await;
    let real = world.merge_requests().remove(0);
    world.hub.forget_opened();
    world.hub.git(&mut |git| drop(git.branches.remove(SOURCE)));
    world.hub.open_from_fork(SOURCE, &real.title, &real.text);
    let forged = world.merge_requests().remove(0);

    let (ran, writes) = world.run_and_writes().await;

    says(&ran, "created");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    let after = world.merge_requests();
    assert_eq!(after.len(), 2);
    assert_eq!(format!("{:?}", after[0]), format!("{forged:?}"));
    assert!(!after[1].from_fork);
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
}

async fn a_newer_release_moves_the_same_merge_request(world: World) {
    world.run().await;
    world.release(13);
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "updated");
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert!(request.title.contains("0.4.13"), "{}", request.title);
    assert_eq!(request.state, "open");
    assert_eq!(world.commits_ahead(), 1);
    assert_eq!(world.values(SOURCE).unwrap(), values_at(13));
    let (_, writes) = world.run_and_writes().await;
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn a_persons_commit_on_the_branch_is_left_alone(world: World) {
    world.run().await;
    world.hub.commit(SOURCE, "By hand", &[(VALUES, b"by: hand\n")]);
    world.release(13);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "edited by others");
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(writes.len(), 1, "one note, and nothing else: {writes:#?}");
    let text = world.merge_requests()[0].text.clone();
    reads!(about(&text, "this branch"), @"
    > 2 commits are on the source branch, so dibump leaves this branch alone. For `0.4.13` it lacks:
    - [ ] <!-- dibump:rebuild -->Rebuild this branch; commits by others are lost
    ");
    assert_eq!(world.values(SOURCE).unwrap(), "by: hand\n");

    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "edited by others");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn a_closed_merge_request_silences_its_release_and_not_the_next(world: World) {
    world.run().await;
    world.hub.change(1, |mr| mr.state = "closed".to_owned());
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "closed by others");
    assert!(writes.is_empty(), "{writes:#?}");

    world.release(13);
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "created");
    let states: Vec<String> = world.merge_requests().into_iter().map(|request| request.state).collect();
    assert_eq!(states, ["closed", "open"]);
}

async fn a_dry_run_only_reads(world: World) {
    let ran = world.desk.dibump(&["run", "--dry-run"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "would create");
    let ran = world.desk.dibump(&["run", "--dry-run", "--detailed-exitcode"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    assert!(world.hub.log().iter().all(|seen| seen.method == "GET"), "{:#?}", world.hub.log());
    assert!(!world.hub.log().is_empty());
}

async fn a_target_that_is_up_to_date_costs_four_requests(world: World) {
    world.hub.commit("main", "By hand", &[(VALUES, values_at(12).as_bytes())]);
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "up to date");
    assert!(world.hub.log().len() <= 4, "{:#?}", world.hub.log());
}

#[tokio::test]
async fn a_job_token_fails_and_the_token_that_is_needed_is_named() {
    let fake = FakeGitLab::start().await;
    fake.state().add_project(PROJECT, PATH, &[(VALUES, AT_0_4_11.as_bytes())]);
    fake.state().add_bot(PROJECT, "project_42_bot", TOKEN);
    fake.state().tokens.insert("job".to_owned(), Token::job("project_42_bot"));
    let api = fake.api();
    let mut world = World::on(Box::new(fake)).await;
    world.desk.variables =
        vec![("CI_JOB_TOKEN".to_owned(), "job".to_owned()), ("CI_API_V4_URL".to_owned(), api)];
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    says(&ran, "failed");
    reads!(about(&ran.stdout, "→ failed"), @"→ failed: couldn't push branch `dibump/main/diskimage-builder-0.x`: 401 Unauthorized; a job token (CI_JOB_TOKEN) can neither push commits nor open merge requests; GITLAB_TOKEN must hold a project or group access token with scope `api` and role Developer");
    assert_eq!(world.branches(), ["main"]);
}

async fn a_registry_that_is_down_gives_unknown_and_no_write(world: World) {
    world.registry.fault(Fault::status(503));
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    says(&ran, "unknown");
    assert!(writes.is_empty(), "{writes:#?}");
}

async fn a_forge_that_is_down_gives_unknown_and_one_that_refuses_fails(world: World) {
    for (status, exit, outcome) in [(503, 4, "unknown"), (401, 3, "failed")] {
        let answer = How::Answer(Answer::message(status, "no"));
        world.hub.fail(Failure::always("", "", answer));
        let (ran, writes) = world.run_and_writes().await;
        world.hub.heal();
        assert_eq!(ran.exit, Some(exit), "{ran:#?}");
        says(&ran, outcome);
        assert!(writes.is_empty(), "{writes:#?}");
    }
}

async fn a_target_that_fails_does_not_stop_the_others(world: World) {
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let gone = "targets:\n  - project: sylva/gone\n    files: [values.yaml]\n";
    world.desk.write("dibump.yaml", config.replace("targets:\n", gone));
    let (ran, _) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    says(&ran, "failed");
    says(&ran, "created");
    assert!(ran.stdout.contains("sylva/gone"), "{ran:#?}");
    assert_eq!(world.merge_requests().len(), 1);
}

async fn a_producer_that_cannot_be_asked_does_not_stop_the_targets_of_others(world: World) {
    let config = String::from_utf8(world.desk.read("dibump.yaml")).unwrap();
    let silent = "producers:\n  - registry: oci://127.0.0.1:1/group/silent\n    plain_http: true\n    \
                  discovery: [release-notes]\n    gitlab: {url: \"http://127.0.0.1:1\"}\n";
    let targets = format!(
        "targets:\n  - project: {PATH}\n    producer: silent\n    files: [{VALUES}]\n  - producer: diskimage-builder\n"
    );
    let config = config
        .replace("producers:\n", silent)
        .replace("targets:\n  - project", &format!("{targets}    project"));
    world.desk.write("dibump.yaml", config);
    let (ran, _) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    says(&ran, "unknown");
    says(&ran, "created");
    assert_eq!(world.merge_requests().len(), 1);
}

async fn a_key_that_the_charts_schema_does_not_allow_gives_no_merge_request(world: World) {
    let schema = br#"{"properties": {"diskimage_builder_os_images": {"maxProperties": 9, "propertyNames": {"pattern": "11$"}}}}"#;
    world.hub.commit("main", "Schema", &[("values.schema.json", schema)]);
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    says(&ran, "refused");
    reads!(about(&ran.stdout, "→ refused"), @r#"→ refused: values.yaml:4:3: values.schema.json does not allow `ubuntu-noble-plain-rke2-1-30-12` (propertyNames: {pattern: "11$"}); adapt the schema first, or `ignore:` this release"#);
    assert!(writes.is_empty(), "{writes:#?}");
}

/// Nineteen images a release, and notes that list them as the producer's pipeline does.
async fn nineteen(world: &World) -> FakeGitLab {
    let names: Vec<String> = (1..=19).map(|minor| format!("ubuntu-noble-plain-rke2-1-{minor}-4")).collect();
    let images: Vec<Image> = names.iter().map(|name| Image::new(name)).collect();
    let fake = FakeGitLab::start().await;
    let mut state = fake.state();
    let producer = state.add_project(7, PREFIX, &[("README.md", b"images\n")]);
    for version in ["0.5.0", "0.5.1"] {
        world.registry.release(PREFIX, version, &images);
        let entry = |name: &String| {
            let prefix = world.registry.prefix(PREFIX);
            format!("<br /><br /> Image: \"{prefix}/{name}:{version}\"\n<br /> \"sha256: 00\"\n")
        };
        let description = format!(
            "## Changes\n\n- more\n\n## Produced images:\n{}",
            names.iter().map(entry).collect::<String>()
        );
        let released_at = "2026-05-04T03:02:01.000Z".to_owned();
        producer.releases.push(crate::fake::gitlab::Release {
            tag: version.to_owned(),
            description,
            released_at,
        });
    }
    let keys: String = names.iter().map(|name| format!("  {name}: {{}}\n")).collect();
    let values = format!("sylva_diskimagebuilder_version: 0.5.0\ndiskimage_builder_os_images:\n{keys}");
    world.desk.write(VALUES, &values);
    drop(state);
    world.hub.commit("main", "0.5.0", &[(VALUES, values.as_bytes())]);
    let gitlab = format!("    gitlab: {{url: \"{}\", project: {PREFIX}}}\n", fake.address());
    world.configure("[release-notes]", &gitlab);
    fake
}

#[tokio::test]
async fn release_notes_lead_to_a_merge_request_by_forty_requests_a_look_up() {
    let world = World::new().await;
    let producer = nineteen(&world).await;
    let plan = world.desk.dibump(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.exit, Some(10), "{plan:#?}");
    let requests = producer.log().len() + world.registry.requests().len();
    assert!(requests <= 40, "{requests} requests");
    assert!(world.registry.requests().iter().all(|asked| !asked.path.contains("_catalog")));

    let ran = world.run().await;

    says(&ran, "created");
    assert!(
        producer.log().iter().all(|asked| asked.token.is_none()),
        "the forge's token is not the producer's"
    );
    let request = world.merge_requests().remove(0);
    assert!(request.title.contains("0.5.1"), "{}", request.title);
    assert!(world.values(SOURCE).unwrap().contains("version: 0.5.1"), "{PATH}");
    let project = format!("{}/{PREFIX}/-", producer.address());
    for link in [
        format!("to [`0.5.1`](<{project}/releases/0.5.1>) ([compare](<{project}/compare/0.5.0...0.5.1>))."),
        "<summary>Release notes: 1</summary>".to_owned(),
    ] {
        assert!(request.text.contains(&link), "{link}: {}", request.text);
    }
}
