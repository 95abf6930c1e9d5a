//! The main job, by the real program: from a registry to a merge request, again and again, and interrupted.

use std::time::Duration;

use crate::fake::gitlab::{Answer, Failure, How, Token};
use crate::fake::oci::{Fault, Image};
use crate::world::{AT_0_4_11, PATH, PREFIX, PROJECT, Ran, SOURCE, TOKEN, VALUES, World, ended, values_at};

fn says(ran: &Ran, outcome: &str) {
    assert!(ran.stdout.contains(&format!("→ {outcome}")), "{outcome} is expected: {ran:#?}");
}

#[tokio::test]
async fn a_newer_release_gives_one_merge_request() {
    let world = World::new().await;
    let (ran, writes) = world.run_and_writes().await;

    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "created");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
    assert_eq!(world.values("main").unwrap(), AT_0_4_11);
    assert_eq!(world.commits_ahead(), 1);
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert_eq!((request.source_branch.as_str(), request.target_branch.as_str()), (SOURCE, "main"));
    assert!(request.title.contains("0.4.12"), "{}", request.title);
    let text = request.description.as_deref().unwrap();
    assert!(text.contains("ubuntu-noble-plain-rke2-1-30-12"), "{text}");
    assert!(!format!("{ran:?}{text}").contains(TOKEN), "the token is printed");
}

#[tokio::test]
async fn the_second_run_sends_no_request_that_writes() {
    let world = World::new().await;
    world.run().await;
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test]
async fn an_unrelated_commit_on_the_target_branch_gives_no_push() {
    let world = World::new().await;
    world.run().await;
    world.project(|project| {
        project.repository.commit_on("main", "Docs", "alice", &[("README.md", b"hello world\n")])
    });
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "unchanged");
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test]
async fn a_run_killed_between_branch_and_merge_request_is_finished_by_the_next() {
    let world = World::new().await;
    let late = How::Delay(Duration::from_secs(50));
    world.gitlab.fail(Failure::once("POST", "/merge_requests", late));
    let mut child = world.desk.spawn(&["run"]);
    let pushed = || world.writes().iter().any(|write| write.contains("/repository/commits"));
    for _ in 0..3000 {
        if pushed() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().await.unwrap();
    world.gitlab.heal();
    assert!(world.branches().iter().any(|branch| branch == SOURCE), "{:?}", world.branches());
    assert!(world.merge_requests().is_empty());

    let (ran, writes) = world.run_and_writes().await;

    says(&ran, "created");
    assert_eq!(writes.len(), 1, "the branch was right: {writes:#?}");
    assert_eq!(world.merge_requests().len(), 1);
    assert_eq!(world.branches(), [SOURCE, "main"]);
    assert_eq!(world.commits_ahead(), 1);
}

#[tokio::test]
async fn a_merge_request_whose_answer_was_lost_is_not_opened_twice() {
    let world = World::new().await;
    world.gitlab.fail(Failure::once("POST", "/merge_requests", How::LoseAnswer));
    let (ran, _) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "created");
    assert_eq!(world.merge_requests().len(), 1);
    let (_, writes) = world.run_and_writes().await;
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test]
async fn two_runs_at_once_give_one_merge_request() {
    let world = World::new().await;
    for part in ["/repository/commits", "/merge_requests"] {
        let late = How::Delay(Duration::from_millis(300));
        world.gitlab.fail(Failure { times: 2, ..Failure::once("POST", part, late) });
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

#[tokio::test]
async fn a_forged_merge_request_from_a_fork_is_not_touched() {
    let world = World::new().await;
    world.run().await;
    let real = world.merge_requests().remove(0);
    {
        let mut state = world.gitlab.state();
        let fork = state.add_fork(PROJECT, 666, "mallory/sylva-core");
        let sha = fork.repository.commit_on(SOURCE, "Evil", "mallory", &[(VALUES, b"evil: true\n")]);
        let project = state.project(PROJECT);
        project.merge_requests.clear();
        project.repository.branches.remove(SOURCE);
        let iid = project.open_merge_request(666, SOURCE, &sha, &real.title);
        project.merge_request(iid).description.clone_from(&real.description);
    }
    let forged = world.merge_requests().remove(0);

    let (ran, writes) = world.run_and_writes().await;

    says(&ran, "created");
    assert_eq!(writes.len(), 2, "{writes:#?}");
    let after = world.merge_requests();
    assert_eq!(after.len(), 2);
    assert_eq!(format!("{:?}", after[0]), format!("{forged:?}"));
    assert_eq!(after[1].source_project, PROJECT);
    assert_eq!(world.values(SOURCE).unwrap(), values_at(12));
}

#[tokio::test]
async fn a_newer_release_moves_the_same_merge_request() {
    let world = World::new().await;
    world.run().await;
    world.release(13);
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "updated");
    let [request] = &world.merge_requests()[..] else { panic!("{:#?}", world.merge_requests()) };
    assert!(request.title.contains("0.4.13"), "{}", request.title);
    assert_eq!(request.state, "opened");
    assert_eq!(world.commits_ahead(), 1);
    assert_eq!(world.values(SOURCE).unwrap(), values_at(13));
    let (_, writes) = world.run_and_writes().await;
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test]
async fn a_persons_commit_on_the_branch_is_left_alone() {
    let world = World::new().await;
    world.run().await;
    world.project(|project| {
        project.repository.commit_on(SOURCE, "By hand", "alice", &[(VALUES, b"by: hand\n")])
    });
    world.release(13);
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "edited-by-others");
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    let note = [format!("PUT /api/v4/projects/{PROJECT}/merge_requests/1 200")];
    assert_eq!(writes, note, "one note, and nothing else");
    let text = world.merge_requests()[0].description.clone().unwrap();
    assert!(text.contains("leaves this branch alone") && text.contains("0.4.13"), "{text}");
    assert_eq!(world.values(SOURCE).unwrap(), "by: hand\n");

    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "edited-by-others");
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test]
async fn a_closed_merge_request_silences_its_release_and_not_the_next() {
    let world = World::new().await;
    world.run().await;
    world.project(|project| project.merge_request(1).state = "closed".to_owned());
    let (ran, writes) = world.run_and_writes().await;
    says(&ran, "closed-by-others");
    assert!(writes.is_empty(), "{writes:#?}");

    world.release(13);
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "created");
    let states: Vec<String> = world.merge_requests().into_iter().map(|request| request.state).collect();
    assert_eq!(states, ["closed", "opened"]);
}

#[tokio::test]
async fn a_dry_run_only_reads() {
    let world = World::new().await;
    let ran = world.desk.dibump(&["run", "--dry-run"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    says(&ran, "would-create");
    let ran = world.desk.dibump(&["run", "--dry-run", "--detailed-exitcode"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    assert!(world.gitlab.log().iter().all(|seen| seen.method == "GET"), "{:#?}", world.gitlab.log());
    assert!(!world.gitlab.log().is_empty());
}

#[tokio::test]
async fn a_target_that_is_up_to_date_costs_four_requests() {
    let world = World::new().await;
    world.project(|project| {
        project.repository.commit_on("main", "By hand", "alice", &[(VALUES, values_at(12).as_bytes())])
    });
    let (ran, _) = world.run_and_writes().await;
    says(&ran, "up-to-date");
    assert!(world.gitlab.log().len() <= 4, "{:#?}", world.gitlab.log());
}

#[tokio::test]
async fn a_job_token_fails_and_the_token_that_is_needed_is_named() {
    let mut world = World::new().await;
    world.gitlab.state().tokens.insert("job".to_owned(), Token::job("project_42_bot"));
    world.desk.variables =
        vec![("CI_JOB_TOKEN".to_owned(), "job".to_owned()), ("CI_API_V4_URL".to_owned(), world.gitlab.api())];
    let ran = world.run().await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    says(&ran, "failed");
    assert!(ran.stdout.contains("GITLAB_TOKEN must hold"), "{ran:#?}");
    assert_eq!(world.branches(), ["main"]);
}

#[tokio::test]
async fn a_registry_that_is_down_gives_unknown_and_no_write() {
    let world = World::new().await;
    world.registry.fault(Fault::status(503));
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    says(&ran, "unknown");
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test]
async fn a_forge_that_is_down_gives_unknown_and_one_that_refuses_fails() {
    let world = World::new().await;
    for (status, exit, outcome) in [(503, 4, "unknown"), (401, 3, "failed")] {
        let answer = How::Answer(Answer::message(status, "no"));
        world.gitlab.fail(Failure::always("", "", answer));
        let (ran, writes) = world.run_and_writes().await;
        world.gitlab.heal();
        assert_eq!(ran.exit, Some(exit), "{ran:#?}");
        says(&ran, outcome);
        assert!(writes.is_empty(), "{writes:#?}");
    }
}

#[tokio::test]
async fn a_target_that_fails_does_not_stop_the_others() {
    let world = World::new().await;
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

#[tokio::test]
async fn a_producer_that_cannot_be_asked_does_not_stop_the_targets_of_others() {
    let world = World::new().await;
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

#[tokio::test]
async fn a_key_that_the_charts_schema_does_not_allow_gives_no_merge_request() {
    let world = World::new().await;
    let schema = br#"{"properties": {"diskimage_builder_os_images": {"maxProperties": 9, "propertyNames": {"pattern": "11$"}}}}"#;
    world.project(|project| {
        project.repository.commit_on("main", "Schema", "alice", &[("values.schema.json", schema)])
    });
    let (ran, writes) = world.run_and_writes().await;
    assert_eq!(ran.exit, Some(5), "{ran:#?}");
    says(&ran, "refused");
    assert!(ran.stdout.contains("values.yaml:4:3: values.schema.json does not allow"), "{ran:#?}");
    assert!(writes.is_empty(), "{writes:#?}");
}

/// Nineteen images a release, and notes that list them as the producer's pipeline does.
fn nineteen(world: &World) {
    let names: Vec<String> = (1..=19).map(|minor| format!("ubuntu-noble-plain-rke2-1-{minor}-4")).collect();
    let images: Vec<Image> = names.iter().map(|name| Image::new(name)).collect();
    let mut state = world.gitlab.state();
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
    let project = state.project(PROJECT);
    project.repository.commit_on("main", "0.5.0", "alice", &[(VALUES, values.as_bytes())]);
    drop(state);
    let gitlab = format!("    gitlab: {{url: \"{}\", project: {PREFIX}}}\n", world.gitlab.address());
    world.configure("[release-notes]", &gitlab);
}

#[tokio::test]
async fn release_notes_lead_to_a_merge_request_by_forty_requests_a_look_up() {
    let world = World::new().await;
    nineteen(&world);
    let plan = world.desk.dibump(&["plan", "--detailed-exitcode"]).await;
    assert_eq!(plan.exit, Some(10), "{plan:#?}");
    let requests = world.gitlab.log().len() + world.registry.requests().len();
    assert!(requests <= 40, "{requests} requests");
    assert!(world.registry.requests().iter().all(|asked| !asked.path.contains("_catalog")));

    let ran = world.run().await;

    says(&ran, "created");
    let request = world.merge_requests().remove(0);
    assert!(request.title.contains("0.5.1"), "{}", request.title);
    assert!(world.values(SOURCE).unwrap().contains("version: 0.5.1"), "{PATH}");
}
