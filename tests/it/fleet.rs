//! Many targets in one run: one look-up, nobody stops anybody, and whoever opted out is left alone.

use std::collections::BTreeSet;

use crate::fake::github::FakeGitHub;
use crate::fake::gitlab::FakeGitLab;
use crate::fake::oci::{FakeRegistry, Fault};
use crate::fake::wire::{Answer, Failure, How};
use crate::said::about;
use crate::world::{AT_0_4_11, Desk, NETWORK, PREFIX, Ran, TOKEN, VALUES, images, values_at};

/// A GitLab with a group of deployments, and a registry with releases.
pub(crate) struct Fleet {
    pub(crate) gitlab: FakeGitLab,
    pub(crate) registry: FakeRegistry,
    pub(crate) desk: Desk,
}

impl Fleet {
    /// `files` gives the values file of each project, by its number.
    pub(crate) async fn new(projects: usize, files: impl Fn(usize) -> String) -> Self {
        let (gitlab, registry) = (FakeGitLab::start().await, FakeRegistry::start().await);
        {
            let mut state = gitlab.state();
            for number in 0..projects {
                let id = 1_000 + number as u64;
                let project = state.add_project(id, &path(number), &[(VALUES, files(number).as_bytes())]);
                project.topics.push("os-images".to_owned());
                state.add_bot(id, "fleet-bot", TOKEN);
            }
        }
        for patch in [11, 12] {
            registry.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
        }
        let mut desk = Desk::new();
        desk.variables.push(("GITLAB_TOKEN".to_owned(), TOKEN.to_owned()));
        Self { gitlab, registry, desk }
    }

    /// Writes the configuration; `targets` is what names them.
    pub(crate) fn configure(&self, targets: &str) -> &Self {
        let config = format!(
            "version: 1\nproducers:\n  - {{registry: {}, plain_http: true, discovery: [catalog]}}\n\
             forge: {{kind: gitlab, url: \"{}\"}}\n{NETWORK}{targets}",
            self.registry.prefix(PREFIX),
            self.gitlab.address(),
        );
        self.desk.write("dibump.yaml", config);
        self
    }

    /// All projects by name.
    pub(crate) fn by_name(&self, projects: usize) -> &Self {
        let targets: String = (0..projects)
            .map(|number| format!("  - {{project: {}, files: [{VALUES}]}}\n", path(number)))
            .collect();
        self.configure(&format!("targets:\n{targets}"))
    }

    /// The projects of the group with the topic.
    fn by_query(&self, more: &str) -> &Self {
        self.configure(&format!(
            "targets: []\ninclude:\n  - {{group: fleet, topic: os-images, target: {{files: [{VALUES}]}}}}\n{more}"
        ))
    }

    async fn run(&self, more: &[&str]) -> Ran {
        self.desk.dibump(&[&["run"], more].concat()).await
    }

    /// The projects with a merge request.
    pub(crate) fn opened(&self) -> BTreeSet<String> {
        let state = self.gitlab.state();
        let with = state.projects.values().filter(|project| !project.merge_requests.is_empty());
        with.map(|project| project.path.clone()).collect()
    }
}

fn path(number: usize) -> String {
    format!("fleet/target-{number:04}")
}

fn at_0_4_11(_: usize) -> String {
    AT_0_4_11.to_owned()
}

/// How a run that ended with this code counts its target branches.
#[track_caller]
fn counted(ran: &Ran, exit: i32) -> &str {
    assert_eq!(ran.exit, Some(exit), "{ran:#?}");
    ran.stdout.lines().last().unwrap_or_default()
}

/// What a run that ended with this code says went wrong.
#[track_caller]
fn wrong(ran: &Ran, exit: i32) -> &str {
    assert_eq!(ran.exit, Some(exit), "{ran:#?}");
    &ran.stderr
}

#[tokio::test]
async fn a_query_finds_the_projects_and_nobody_who_opted_out() {
    let fleet = Fleet::new(6, at_0_4_11).await;
    {
        let mut state = fleet.gitlab.state();
        state.project(1_001).topics.push("dibump-ignore".to_owned());
        state.project(1_002).topics.clear();
        state.project(1_003).repository.commit_on("main", "No", "alice", &[(".dibump-ignore", b"")]);
        state
            .add_project(7, "other/target", &[(VALUES, AT_0_4_11.as_bytes())])
            .topics
            .push("os-images".to_owned());
        state.add_project(8, "fleet/sub/empty", &[("README.md", b"")]).topics.push("os-images".to_owned());
    }
    fleet.by_query("");
    let ran = fleet.run(&[]).await;
    reads!(counted(&ran, 0), @"5 target branches: 3 created, 2 no target");
    assert_eq!(fleet.opened(), [0, 4, 5].map(path).into());
    assert!(ran.stdout.contains("fleet/sub/empty"), "it is said why it is passed over: {ran:#?}");
    reads!(counted(&fleet.run(&[]).await, 0), @"5 target branches: 2 no target, 3 unchanged");
    fleet.configure(&format!(
        "targets: []\ninclude:\n  - {{group: nowhere, target: {{files: [{VALUES}]}}}}\n"
    ));
    let ran = fleet.run(&[]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stdout, @"
    nowhere/* (diskimage-builder)
    → failed: couldn't list the projects of group `nowhere`: 404 Group Not Found

    1 target branch: 1 failed
    ");
}

#[tokio::test]
async fn a_query_alone_opens_twenty_and_the_rest_waits() {
    let fleet = Fleet::new(25, at_0_4_11).await;
    fleet.by_query("");
    reads!(counted(&fleet.run(&[]).await, 0), @"25 target branches: 20 created, 5 limited");
    assert_eq!(fleet.opened().len(), 20);
    reads!(counted(&fleet.run(&[]).await, 0), @"25 target branches: 5 created, 20 unchanged");
    let fleet = Fleet::new(5, at_0_4_11).await;
    fleet.by_query("limits: {open: 3}\n");
    reads!(counted(&fleet.run(&[]).await, 0), @"5 target branches: 3 created, 2 limited");
    reads!(counted(&fleet.run(&[]).await, 0), @"5 target branches: 2 limited, 3 unchanged");
}

#[tokio::test]
async fn whoever_pauses_is_told_what_would_be_written() {
    let mut fleet = Fleet::new(2, at_0_4_11).await;
    fleet.configure(&format!(
        "targets:\n  - {{project: {}, files: [{VALUES}], enabled: false}}\n  - {{project: {}, files: [{VALUES}]}}\n",
        path(0),
        path(1)
    ));
    let ran = fleet.run(&[]).await;
    reads!(counted(&ran, 0), @"2 target branches: 1 created, 1 would create");
    reads!(about(&ran.stdout, "note: "), @"note: nothing is written: it is not enabled");
    assert_eq!(fleet.opened(), [path(1)].into());
    fleet.gitlab.state().project(1_001).merge_requests.clear();
    fleet.gitlab.state().project(1_001).repository.branches.retain(|branch, _| branch == "main");
    let config = String::from_utf8(fleet.desk.read("dibump.yaml")).unwrap();
    fleet.desk.write("dibump.yaml", format!("{config}limits: {{new_per_run: 1}}\n"));
    reads!(counted(&fleet.run(&[]).await, 0), @"2 target branches: 1 created, 1 would create");
    fleet.gitlab.state().project(1_001).merge_requests.clear();
    fleet.desk.variables.push(("DIBUMP_PAUSED".to_owned(), "1".to_owned()));
    let writes = fleet.gitlab.log().len();
    reads!(about(&fleet.run(&[]).await.stdout, "DIBUMP_PAUSED"), @"note: nothing is written: DIBUMP_PAUSED is set");
    let asked = fleet.gitlab.log().split_off(writes);
    assert!(asked.iter().all(|seen| seen.method == "GET" || seen.target.ends_with("/graphql")), "{asked:#?}");
}

#[tokio::test]
async fn outside_of_its_schedule_nothing_is_opened_and_what_is_open_is_kept_right() {
    let fleet = Fleet::new(2, at_0_4_11).await;
    let never = "{cron: ['0 0 29 2 *']}";
    let targets = |first: &str| {
        format!(
            "targets:\n  - {{project: {}, files: [{VALUES}]{first}}}\n  - {{project: {}, files: [{VALUES}]}}\n",
            path(0),
            path(1)
        )
    };
    fleet.configure(&targets(&format!(", schedule: {never}")));
    reads!(counted(&fleet.run(&[]).await, 0), @"2 target branches: 1 created, 1 not scheduled");
    assert_eq!(fleet.opened(), [path(1)].into());
    // For the whole run, and open merge requests are kept right all the same.
    fleet.registry.release(PREFIX, "0.4.13", &images(13));
    let outside = "schedule: {cron: ['0 0 29 2 *'], update_outside: true}\n";
    fleet.configure(&format!("{}{outside}", targets("")));
    reads!(counted(&fleet.run(&[]).await, 0), @"2 target branches: 1 not scheduled, 1 updated");
    assert_eq!(fleet.opened(), [path(1)].into());
    fleet.configure(&format!("{}schedule: {{cron: ['0 0 31 2 *']}}\n", targets("")));
    reads!(wrong(&fleet.run(&[]).await, 3), @"error: dibump.yaml:9:19: schedule.cron[0]: `0 0 31 2 *` never comes");
}

#[tokio::test]
async fn each_target_belongs_to_one_shard_as_gitlab_and_kubernetes_say_it() {
    let mut fleet = Fleet::new(40, at_0_4_11).await;
    fleet.by_name(40);
    let mut all = BTreeSet::new();
    for shard in 1..=4 {
        let ran = fleet.run(&["--shard", &format!("{shard}/4"), "--dry-run"]).await;
        assert!(ran.stdout.starts_with(&format!("shard {shard} of 4: ")), "{ran:#?}");
        let ours: BTreeSet<String> =
            (0..40).map(path).filter(|path| ran.stdout.contains(&format!("{path} "))).collect();
        assert!(all.is_disjoint(&ours));
        all.extend(ours);
        for (index, of) in [("CI_NODE_INDEX", "CI_NODE_TOTAL"), ("JOB_COMPLETION_INDEX", "DIBUMP_SHARDS")] {
            let number = if index.starts_with("CI") { shard } else { shard - 1 };
            fleet
                .desk
                .variables
                .extend([(index.to_owned(), number.to_string()), (of.to_owned(), "4".to_owned())]);
            let same = fleet.run(&["--dry-run"]).await;
            fleet.desk.variables.truncate(1);
            assert_eq!(same.stdout, ran.stdout, "{index}={number}");
        }
    }
    assert_eq!(all.len(), 40);
    fleet.desk.variables.push(("JOB_COMPLETION_INDEX".to_owned(), "0".to_owned()));
    reads!(wrong(&fleet.run(&[]).await, 2), @"
    error: JOB_COMPLETION_INDEX is set and DIBUMP_SHARDS is not; set it to the job's `completions`
    hint: or say which shard this is with --shard i/n
    ");
}

/// A values file, one of a hundred. How long a thousand of real size take is a figure, not a test.
fn one_of_a_hundred(number: usize) -> String {
    format!("{}# {}\n", values_at(12), number % 100)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_targets_look_up_once_and_ten_broken_ones_stop_none() {
    const TARGETS: usize = 1_000;
    let fleet = Fleet::new(TARGETS, one_of_a_hundred).await;
    fleet.by_name(TARGETS);
    let ran = fleet.run(&[]).await;
    reads!(counted(&ran, 0), @"1000 target branches: 1000 up to date");
    let look_up = fleet.registry.requests().len();
    let alone = Fleet::new(1, one_of_a_hundred).await;
    reads!(counted(&alone.by_name(1).run(&[]).await, 0), @"1 target branch: 1 up to date");
    assert_eq!(look_up, alone.registry.requests().len(), "one look-up serves all");
    let asked = fleet.gitlab.log().len();
    assert!(asked <= 4 * TARGETS, "{asked} requests to the forge");

    // Ten are broken, each in its own way.
    {
        let mut state = fleet.gitlab.state();
        state.projects.remove(&1_000);
        state.project(1_001).public = false;
        state.project(1_001).members.clear();
        state.project(1_002).default_branch = "absent".to_owned();
        let broken: [(u64, &[u8]); 4] = [
            (1_003, b"a: [\n"),
            (1_004, b"\xff\xfe\n"),
            (1_005, b"nothing: here\n"),
            (1_006, b"sylva_diskimagebuilder_version: 1\nsylva_diskimagebuilder_version: 2\n"),
        ];
        for (id, bytes) in broken {
            state.project(id).repository.commit_on("main", "Broken", "alice", &[(VALUES, bytes)]);
        }
    }
    for (number, how) in [
        (7, How::Answer(Answer::message(500, "broken"))),
        (8, How::Reset),
        (9, How::Answer(Answer::text(200, "text/html", "<html>sign in</html>"))),
    ] {
        fleet.gitlab.fail(Failure::always("", &path(number).replace('/', "%2F"), how));
    }
    let ran = fleet.run(&[]).await;
    // 3 is the first of 1, 3, 5, 4.
    reads!(counted(&ran, 3), @"1000 target branches: 6 failed, 1 no target, 3 unknown, 990 up to date");
    assert_eq!(fleet.registry.requests().len(), 2 * look_up);

    // The registry is asked once, also where it does not answer.
    let before = fleet.registry.requests().len();
    fleet.registry.fault(Fault::status(500));
    let ran = fleet.run(&[]).await;
    assert!(fleet.registry.requests().len() - before <= 3, "a failed look-up is one unknown");
    reads!(counted(&ran, 3), @"1000 target branches: 6 failed, 1 no target, 993 unknown");
}

const FAULTS: [&str; 6] = [
    "500",
    "429 with Retry-After",
    "401",
    "a reset connection",
    "a truncated answer",
    "an answer to another request",
];

fn fault(name: &str) -> How {
    How::Answer(match name {
        "500" => Answer::message(500, "500 Internal Server Error"),
        "429 with Retry-After" => Answer::throttled(1),
        "401" => Answer::message(401, "401 Unauthorized"),
        "a reset connection" => return How::Reset,
        "a truncated answer" => return How::LoseAnswer,
        _ => Answer::json(200, &serde_json::json!({"id": 1, "kind": "something else"})),
    })
}

/// The fault matrix for a fleet: of the requests to the forge every twentieth, because those of one target are in
/// `faults` one by one.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_in_one_of_twenty_targets_leaves_the_others_alone() {
    const TARGETS: usize = 20;
    let right = Fleet::new(TARGETS, at_0_4_11).await;
    right.by_name(TARGETS);
    reads!(counted(&right.run(&[]).await, 0), @"20 target branches: 20 created");
    let requests = u32::try_from(right.gitlab.log().len()).unwrap();
    let cells = (0..requests).step_by(20).flat_map(|at| FAULTS.iter().map(move |name| (at, *name)));
    let cells: Vec<(u32, &str)> = cells.collect();
    assert!(cells.len() > 60, "{} cells", cells.len());
    let cell = |(at, name): (u32, &'static str)| async move {
        let fleet = Fleet::new(TARGETS, at_0_4_11).await;
        fleet.by_name(TARGETS);
        fleet.gitlab.fail(Failure::once("", "", fault(name)).after(at));
        let faulted = fleet.run(&[]).await;
        assert!(matches!(faulted.exit, Some(0 | 3 | 4)), "{at} {name}: {faulted:#?}");
        assert!(fleet.opened().len() >= TARGETS - 1, "{at} {name}: {faulted:#?}");
        fleet.gitlab.heal();
        let healed = fleet.run(&[]).await;
        assert_eq!(healed.exit, Some(0), "{at} {name}: {healed:#?}");
        let state = fleet.gitlab.state();
        for project in state.projects.values() {
            assert_eq!(project.merge_requests.len(), 1, "{at} {name}, {}: {healed:#?}", project.path);
            assert_eq!(project.merge_requests[0].state, "opened", "{at} {name}, {}", project.path);
            assert_eq!(project.repository.branches.len(), 2, "{at} {name}, {}", project.path);
        }
    };
    let mut cells =
        futures::StreamExt::buffer_unordered(futures::stream::iter(cells.into_iter().map(cell)), 4);
    while futures::StreamExt::next(&mut cells).await.is_some() {}
}

#[tokio::test]
async fn an_organisation_of_github_is_searched_the_same_way() {
    let (github, registry) = (FakeGitHub::start().await, FakeRegistry::start().await);
    for patch in [11, 12] {
        registry.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
    }
    for number in 0..3 {
        let id = 1_000 + number as u64;
        let mut state = github.state();
        let project = state.add_project(id, &path(number), &[(VALUES, AT_0_4_11.as_bytes())]);
        project.topics.extend((number < 2).then(|| "os-images".to_owned()));
        state.add_bot(id, "fleet-bot", TOKEN);
    }
    let mut desk = Desk::new();
    desk.variables.push(("GITHUB_TOKEN".to_owned(), TOKEN.to_owned()));
    let config = format!(
        "version: 1\nproducers:\n  - {{registry: {}, plain_http: true, discovery: [catalog]}}\n\
         forge: {{kind: github, url: \"{}\", write_interval: 1ms}}\n{NETWORK}\
         targets: []\ninclude:\n  - {{group: fleet, topic: OS-images, target: {{files: [{VALUES}]}}}}\n",
        registry.prefix(PREFIX),
        github.address(),
    );
    desk.write("dibump.yaml", config);
    let ran = desk.dibump(&["run"]).await;
    reads!(counted(&ran, 0), @"2 target branches: 2 created");
    assert!(!ran.stdout.contains(&path(2)), "{ran:#?}");
}

#[tokio::test]
async fn targets_of_another_file_and_of_projects_that_have_a_path() {
    let fleet = Fleet::new(3, at_0_4_11).await;
    fleet.gitlab.state().project(1_001).repository.commit_on(
        "main",
        "Chart",
        "alice",
        &[("Chart.yaml", b"")],
    );
    fleet.desk.write("more.yaml", format!("targets:\n  - {{project: {}, files: [{VALUES}]}}\n", path(0)));
    fleet.configure(&format!(
        "targets: []\ninclude:\n  - file: more.yaml\n  - {{group: fleet, has: Chart.yaml, target: {{files: [{VALUES}]}}}}\n"
    ));
    let ran = fleet.run(&[]).await;
    reads!(counted(&ran, 0), @"3 target branches: 2 created, 1 no target");
    assert_eq!(fleet.opened(), [path(0), path(1)].into());
    let mut told = String::new();
    for text in ["targets:\n  - {project: a/b, file: x}\n", "targets: [\n", "producers: []\n"] {
        fleet.desk.write("more.yaml", text);
        told += wrong(&fleet.run(&[]).await, 3);
    }
    std::fs::remove_file(fleet.desk.path("more.yaml")).unwrap();
    told += wrong(&fleet.run(&[]).await, 3);
    reads!(told, @"
    error: more.yaml:2:5: targets[0]: `files` is missing
    more.yaml:2:20: targets[0].file: unknown key `file`; did you mean `files`?
    error: more.yaml:1:10: unclosed bracket '[' at line 1, column 10
    error: more.yaml:1:1: producers: unknown key `producers` (known here: targets)
    more.yaml:1:1: `targets` is missing
    error: dibump.yaml:8:11: include[0].file: couldn't read more.yaml: No such file or directory (os error N)
    ");
}
