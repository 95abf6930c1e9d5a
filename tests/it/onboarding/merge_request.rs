//! `dibump init --merge-request`: the first configuration as a merge request, which people may change, close and merge.

use super::Checkout;
use crate::fake::wire::{Failure, How};
use crate::hub::Opened;
use crate::said::about;
use crate::world::{AT_0_4_11, PATH, PATIENCE, PREFIX, Ran, TOKEN, VALUES, World};

const BRANCH: &str = "dibump/configure";

/// A project of a forge without a configuration, and a checkout of it.
struct Fresh {
    world: World,
    checkout: Checkout,
    /// Where the jobs are.
    jobs: &'static str,
}

impl Fresh {
    fn new(world: World) -> Self {
        let is_github = world.hub.token_variable() == "GITHUB_TOKEN";
        let (jobs, other) = match is_github {
            true => (".github/workflows/dibump.yml", ".github/workflows/other.yml"),
            false => (".gitlab-ci.yml", "README.md"),
        };
        if is_github {
            allow(&world, &["repo", "workflow"]);
        }
        let config = world.hub.config();
        let address = config.split('"').nth(1).unwrap();
        let checkout =
            Checkout::new(&format!("{address}/{PATH}.git"), &[(VALUES, AT_0_4_11), (other, "on: push\n")]);
        let mut fresh = Self { world, checkout, jobs };
        fresh.checkout.desk.variables = fresh.world.desk.variables.clone();
        fresh
    }

    async fn init(&self, more: &[&str]) -> Ran {
        let registry = self.world.registry.prefix(PREFIX);
        let arguments = ["--registry", &registry, "--plain-http"];
        self.checkout.init(&[&arguments, more].concat()).await
    }

    /// Opens it, or brings it up to date; how that ended.
    async fn offer(&self) -> String {
        let ran = self.init(&["--merge-request"]).await;
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        let line = ran.stdout.lines().find_map(|line| line.strip_prefix("→ "));
        line.unwrap_or_else(|| panic!("{ran:#?}")).split("  ").next().unwrap().to_owned()
    }

    /// What the forge is asked to change by that.
    async fn writes(&self) -> (String, Vec<String>) {
        self.world.hub.clear_log();
        (self.offer().await, self.world.writes())
    }

    fn only(&self) -> Opened {
        let [only] = self.world.hub.opened().try_into().unwrap();
        only
    }

    fn head(&self) -> String {
        self.world.hub.head(BRANCH).unwrap()
    }
}

/// What the token may do.
fn allow(world: &World, scopes: &[&str]) {
    let token = crate::fake::github::Token::classic("sylva-bot", scopes);
    world.hub.github().state().tokens.insert(TOKEN.to_owned(), token);
}

stories![
    what_init_would_write_is_opened_and_left_alone_afterwards,
    one_that_was_closed_stays_closed_unless_the_box_is_ticked,
    one_that_was_cut_off_is_completed_and_never_opened_twice,
    a_persons_commit_is_never_written_over,
    it_follows_the_checkout_as_long_as_it_is_open,
    what_is_there_already_is_said,
    what_is_not_pushed_is_said,
    without_a_token_nothing_is_written,
    one_from_a_fork_does_not_count,
    print_shows_it_and_offline_leaves_out_the_plan,
];

async fn what_init_would_write_is_opened_and_left_alone_afterwards(world: World) {
    let fresh = Fresh::new(world);
    assert_eq!(fresh.offer().await, "created");
    let opened = fresh.only();
    assert_eq!((opened.title.as_str(), opened.source.as_str()), ("Configure dibump", BRANCH));
    assert_eq!((opened.state.as_str(), opened.target.as_str()), ("open", "main"));
    reads!(about(&opened.text, "`values.yaml`"), @"
    | `values.yaml` | diskimage-builder | `oci://HOST/sylva/diskimage-builder` |
    - `values.yaml`: diskimage-builder from `0.4.11` to `0.4.12` (image keys: 2 renamed)
    ");
    // Nothing is written here; what is written there is what `init` would write.
    assert!(!fresh.checkout.has("dibump.yaml") && !fresh.checkout.has(fresh.jobs));
    let head = fresh.head();
    for (offered, again) in
        [fresh.writes().await, fresh.writes().await].map(|(offered, writes)| (offered, writes))
    {
        assert_eq!((offered.as_str(), again.as_slice()), ("unchanged", [].as_slice()));
    }
    assert_eq!(fresh.head(), head);
    let written = fresh.init(&["--offline"]).await;
    assert_eq!(written.exit, Some(0), "{written:#?}");
    for path in ["dibump.yaml", fresh.jobs] {
        assert_eq!(fresh.world.hub.file(BRANCH, path).unwrap(), fresh.checkout.text(path), "{path}");
    }
    assert_eq!(fresh.world.hub.file(BRANCH, VALUES).unwrap(), AT_0_4_11);
}

async fn one_that_was_closed_stays_closed_unless_the_box_is_ticked(world: World) {
    let fresh = Fresh::new(world);
    fresh.offer().await;
    fresh.world.hub.change(1, |opened| opened.state = "closed".to_owned());
    assert_eq!(fresh.writes().await, ("closed by others".to_owned(), vec![]));
    let ticked = |text: &str| text.replace("- [ ] <!-- dibump:again", "- [x] <!-- dibump:again");
    fresh.world.hub.change(1, |opened| opened.text = ticked(&opened.text));
    assert_eq!(fresh.offer().await, "reopened");
    assert_eq!(fresh.only().state, "open");

    // After it was merged, what was taken away again is not offered once more.
    fresh.world.hub.merge(1);
    assert_eq!(fresh.init(&["--merge-request"]).await.exit, Some(3));
    let jobs = fresh.jobs.to_owned();
    fresh.world.hub.git(&mut |git| {
        let mut head = git.head("main").unwrap().clone();
        head.tree
            .retain(|path, _| path != "dibump.yaml" && *path != jobs && !path.contains("actions/dibump"));
        let id = git.add(vec![head.id.clone()], "Revert it", "alice", head.tree);
        git.branches.insert("main".to_owned(), id);
    });
    let (offered, writes) = fresh.writes().await;
    assert_eq!((offered.as_str(), writes.as_slice()), ("closed by others", [].as_slice()));
}

async fn one_that_was_cut_off_is_completed_and_never_opened_twice(world: World) {
    let fresh = Fresh::new(world);
    let [_, opening] = fresh.world.hub.writing();
    // The branch is there, and the merge request is not: the program is killed.
    fresh.world.hub.fail(Failure::once("POST", opening, How::Silence));
    let registry = fresh.world.registry.prefix(PREFIX);
    let arguments = ["init", "--merge-request", "--offline", "--registry", &registry, "--plain-http"];
    let mut killed = fresh.checkout.desk.spawn(&arguments);
    let struck = async {
        while !fresh.world.hub.all_struck() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, struck).await.expect("it is asked for");
    killed.kill().await.unwrap();
    assert!(fresh.world.hub.opened().is_empty());
    let head = fresh.head();
    // The next one opens it from the branch as it is, and its answer is lost.
    fresh.world.hub.fail(Failure::once("POST", opening, How::LoseAnswer));
    assert_eq!(fresh.offer().await, "created");
    assert_eq!((fresh.only().state.as_str(), fresh.head()), ("open", head));
    assert_eq!(fresh.offer().await, "unchanged");
}

async fn a_persons_commit_is_never_written_over(world: World) {
    let fresh = Fresh::new(world);
    fresh.offer().await;
    fresh.world.hub.commit(BRANCH, "I know better", &[("dibump.yaml", b"version: 1\ntargets: []\n")]);
    let head = fresh.head();
    fresh.checkout.write("other/values.yaml", AT_0_4_11);
    fresh.checkout.git(&["add", "."]);
    fresh.world.hub.commit("main", "Another file", &[("other/values.yaml", AT_0_4_11.as_bytes())]);
    for _ in 0..2 {
        assert_eq!(fresh.offer().await, "edited by others");
        assert_eq!(fresh.head(), head);
    }
    let text = fresh.only().text;
    reads!(about(&text, "this branch"), @"
    > 2 commits are on the source branch, so dibump leaves this branch alone. For `the first configuration` it lacks:
    **What to do:** Review the files, and change them on this branch where you want something else: dibump then leaves the branch to you. Merge when they are right. To decline, close this merge request: it is not opened again.
    - [ ] <!-- dibump:rebuild -->Rebuild this branch; commits by others are lost
    ");
}

async fn it_follows_the_checkout_as_long_as_it_is_open(world: World) {
    let fresh = Fresh::new(world);
    fresh.offer().await;
    let head = fresh.head();
    // The target branch moves, and that does not matter.
    fresh.world.hub.commit("main", "Something else", &[("README.md", b"more\n")]);
    assert_eq!((fresh.offer().await.as_str(), fresh.head()), ("unchanged", head.clone()));
    let other = format!("{AT_0_4_11}cluster: {{k8s_version: v1.30.11+rke2r1}}\n");
    fresh.checkout.write("other/values.yaml", &other);
    fresh.checkout.git(&["add", "."]);
    fresh.world.hub.commit("main", "Another file", &[("other/values.yaml", other.as_bytes())]);
    assert_eq!(fresh.offer().await, "updated");
    let (config, text) = (fresh.world.hub.file(BRANCH, "dibump.yaml").unwrap(), fresh.only().text);
    assert!(config.contains("- other/values.yaml\n"), "{config}");
    reads!(about(&text, "other/values.yaml"), @"
    | `other/values.yaml` | diskimage-builder | `oci://HOST/sylva/diskimage-builder` |
    - `other/values.yaml`: diskimage-builder from `0.4.11` to `0.4.12` (image keys: 2 renamed); it adds an error of `dibump check`, so that its merge request will be a draft
    ");
    // One commit on top of the target branch, in place of the old one.
    assert_eq!(fresh.world.hub.file(BRANCH, "README.md").unwrap(), "more\n");
    let heads = ["main", BRANCH].map(|branch| fresh.world.hub.head(branch).unwrap());
    fresh.world.hub.git(&mut |git| assert_eq!(git.between(&heads[0], &heads[1]).len(), 1));
}

async fn what_is_there_already_is_said(world: World) {
    let fresh = Fresh::new(world);
    fresh.checkout.write("dibump.yaml", "mine: 1\n");
    let here = fresh.init(&["--merge-request"]).await;
    assert_eq!(here.exit, Some(3), "{here:#?}");
    reads!(here.stderr, @"
    error: dibump.yaml: already there; nothing was written
    hint: see what would be written with --print
    ");
    std::fs::remove_file(fresh.checkout.desk.path("dibump.yaml")).unwrap();
    let mut told = String::new();
    for path in ["dibump.yaml", ".github/dibump.yml", fresh.jobs] {
        fresh.world.hub.commit("main", "Mine", &[(path, b"mine: 1\n")]);
        let there = fresh.init(&["--merge-request"]).await;
        assert_eq!(there.exit, Some(3), "{there:#?}");
        told += &there.stderr.replace(fresh.jobs, "JOBS");
    }
    reads!(told, @"
    error: dibump.yaml: already there on branch main of sylva/sylva-core; nothing was opened
    hint: see what would be offered with --print
    error: .github/dibump.yml, dibump.yaml: already there on branch main of sylva/sylva-core; nothing was opened
    hint: see what would be offered with --print
    error: .github/dibump.yml, JOBS, dibump.yaml: already there on branch main of sylva/sylva-core; nothing was opened
    hint: see what would be offered with --print
    ");
    assert!(fresh.world.hub.writes().is_empty() && fresh.world.hub.head(BRANCH).is_none());
}

async fn what_is_not_pushed_is_said(world: World) {
    let fresh = Fresh::new(world);
    fresh.checkout.write("other/values.yaml", AT_0_4_11);
    fresh.checkout.git(&["add", "."]);
    let ran = fresh.init(&["--merge-request"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"
    error: other/values.yaml: not on branch main of sylva/sylva-core; nothing was opened
    hint: push them first, or name other paths
    ");
    let outside = fresh.init(&["--merge-request", "--offline", "--config", "../bot.yaml"]).await;
    assert_eq!(outside.exit, Some(2), "{outside:#?}");
    assert!(fresh.world.hub.writes().is_empty());
}

async fn without_a_token_nothing_is_written(world: World) {
    let mut fresh = Fresh::new(world);
    fresh.checkout.desk.variables.clear();
    let ran = fresh.init(&["--merge-request"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    assert!(ran.stderr.contains(fresh.world.hub.token_variable()), "{ran:#?}");
    assert!(fresh.world.hub.head(BRANCH).is_none());
}

async fn one_from_a_fork_does_not_count(world: World) {
    let fresh = Fresh::new(world);
    fresh.world.hub.open_from_fork(BRANCH, "Configure dibump", "");
    assert_eq!(fresh.offer().await, "created");
    let opened = fresh.world.hub.opened();
    assert_eq!(opened.iter().map(|opened| opened.from_fork).collect::<Vec<_>>(), [true, false]);
    assert_eq!(fresh.offer().await, "unchanged");
}

async fn print_shows_it_and_offline_leaves_out_the_plan(world: World) {
    let fresh = Fresh::new(world);
    let printed = fresh.init(&["--merge-request", "--print"]).await;
    assert_eq!(printed.exit, Some(0), "{printed:#?}");
    assert!(printed.stdout.contains("# dibump.yaml\n"), "{printed:#?}");
    reads!(about(&printed.stdout, "Configure"), @"# the merge request: Configure dibump");
    reads!(about(&printed.stdout, "0.4.12"), @"
    → 0.4.12  proposed           2
    values.yaml  0.4.11 → 0.4.12  images: all, the mapping lists exactly the 2 artifacts of 0.4.11
    +sylva_diskimagebuilder_version: 0.4.12  # by dibump
    update 0.4.11 → 0.4.12
    - `values.yaml`: diskimage-builder from `0.4.11` to `0.4.12` (image keys: 2 renamed)
    ");
    assert!(fresh.world.hub.log().is_empty() && !fresh.checkout.has("dibump.yaml"));
    let asked = fresh.world.registry.count("/v2/");
    let offline = fresh.init(&["--merge-request", "--offline"]).await;
    assert_eq!((offline.exit, fresh.world.registry.count("/v2/")), (Some(0), asked), "{offline:#?}");
    reads!(about(&fresh.only().text, "dibump plan"), @"It was not looked up; `dibump plan` shows it.");
    // With a plan that cannot be told, what is open stays as it is.
    fresh.world.registry.fault(crate::fake::oci::Fault::status(503).on("/v2/"));
    let ran = fresh.init(&["--merge-request", "--max-time", "2s"]).await;
    assert_eq!(ran.exit, Some(4), "{ran:#?}");
    reads!(about(&ran.stderr, "--offline"), @"hint: nothing was opened; a later run may succeed, or --offline opens the merge request without a plan");
}

#[tokio::test]
async fn a_token_that_may_not_write_workflows_is_told_so() {
    let fresh = Fresh::new(World::on_github().await);
    allow(&fresh.world, &["repo"]);
    let ran = fresh.init(&["--merge-request"]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"
    error: couldn't push branch `dibump/configure`: Not Found
    hint: a token that writes files below .github/workflows/ needs the scope `workflow`, or the permission Workflows (write); that of an Actions job never has it; check the repository's path; what a token may not see or do is answered as if it were not there; GITHUB_TOKEN must hold a token that may write contents and pull requests of the repository: a fine-grained personal access token, one of scope `repo`, or that of an Actions job with `permissions: {contents: write, pull-requests: write}`
    ");
    assert!(fresh.world.hub.head(BRANCH).is_none());
}

#[tokio::test]
async fn a_reviewer_reads_what_was_found_and_what_merging_does() {
    let fresh = Fresh::new(World::new().await);
    fresh.offer().await;
    let text = fresh.only().text.replace(&fresh.world.registry.prefix(PREFIX), "oci://registry.example/dib");
    let text = text.split("\n- [ ]").next().unwrap();
    insta::assert_snapshot!(text, @"
    <!-- dibump:begin -->
    This adds the configuration by which dibump keeps the values files of this repository in step with the releases of their OS images. Nothing changes before it is merged.

    **Found:**

    | Values file | Producer | Registry |
    | --- | --- | --- |
    | `values.yaml` | diskimage-builder | `oci://registry.example/dib` |

    **New files:**

    - `dibump.yaml`
    - `.gitlab-ci.yml`

    **The first plan:**

    - `values.yaml`: diskimage-builder from `0.4.11` to `0.4.12` (image keys: 2 renamed)

    **Merging** starts the jobs: dibump then opens a merge request for each new release. Still needed:

    - a masked and protected CI/CD variable GITLAB\\_TOKEN: a project access token of scope `api` with the role Developer
    - a pipeline schedule with the variable DIBUMP set to `run`
    - your own addresses in place of `https://gitlab.example/dibump/dibump` and `registry.example/dibump/dibump`, which do not exist

    **What to do:** Review the files, and change them on this branch where you want something else: dibump then leaves the branch to you. Merge when they are right. To decline, close this merge request: it is not opened again.
    ");
}
