//! What the stories play in: a registry, a GitLab, a folder, and the real program with nothing else around it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::fake::gitlab::{FakeGitLab, MergeRequest, Project};
use crate::fake::oci::{FakeRegistry, Image};

pub(crate) const PREFIX: &str = "sylva/diskimage-builder";
pub(crate) const PROJECT: u64 = 42;
pub(crate) const PATH: &str = "sylva/sylva-core";
pub(crate) const VALUES: &str = "values.yaml";
pub(crate) const SOURCE: &str = "dibump/main/diskimage-builder-0.x";
pub(crate) const TOKEN: &str = "glpat-the-bots-own";

/// At release 0.4.11, with a comment, a foreign key and a value to keep.
pub(crate) const AT_0_4_11: &str = "\
# versions of everything
sylva_diskimagebuilder_version: 0.4.11  # by dibump
diskimage_builder_os_images:
  ubuntu-noble-plain-rke2-1-30-11:
    enabled: true
  opensuse-15-6-plain-kubeadm-1-30-11: {}
other: [1, 2]
";

/// What ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A folder and the variables that the program sees.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    pub(crate) variables: Vec<(String, String)>,
}

/// A registry with releases, a GitLab with a project, and a configuration that names both.
pub(crate) struct World {
    pub(crate) registry: FakeRegistry,
    pub(crate) gitlab: FakeGitLab,
    pub(crate) desk: Desk,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        std::fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The program, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dibump"));
        command.args(arguments).env_clear().current_dir(self.folder.path());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).spawn().unwrap()
    }

    /// Runs the program to its end.
    pub(crate) async fn dibump(&self, arguments: &[&str]) -> Ran {
        ended(self.spawn(arguments)).await
    }
}

/// Waits for the program; a minute is longer than any story.
pub(crate) async fn ended(child: Child) -> Ran {
    let output = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output());
    let output = output.await.expect("it ends within a minute").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { exit: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl World {
    /// The file is at 0.4.11, and 0.4.12 is published.
    pub(crate) async fn new() -> Self {
        let (registry, gitlab) = (FakeRegistry::start().await, FakeGitLab::start().await);
        let files: [(&str, &[u8]); 2] = [(VALUES, AT_0_4_11.as_bytes()), ("README.md", b"hello\n")];
        gitlab.state().add_project(PROJECT, PATH, &files);
        gitlab.state().add_bot(PROJECT, "project_42_bot", TOKEN);
        let mut desk = Desk::new();
        desk.variables.push(("GITLAB_TOKEN".to_owned(), TOKEN.to_owned()));
        let world = Self { registry, gitlab, desk };
        world.release(11).release(12).configure("[catalog]", "");
        world
    }

    /// Publishes 0.4.N, whose images are at Kubernetes 1.30.N.
    pub(crate) fn release(&self, patch: u32) -> &Self {
        self.registry.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
        self
    }

    /// Writes `dibump.yaml`; `producer` is more lines of the producer.
    pub(crate) fn configure(&self, discovery: &str, producer: &str) -> &Self {
        let config = format!(
            "version: 1\n\
             producers:\n  \
             - registry: {}\n    plain_http: true\n    discovery: {discovery}\n{producer}\
             forge: {{url: \"{}\"}}\n\
             targets:\n  \
             - project: {PATH}\n    files: [{VALUES}]\n\
             network: {{retries: 0, proxy_from_environment: false}}\n",
            self.registry.prefix(PREFIX),
            self.gitlab.address(),
        );
        self.desk.write("dibump.yaml", config);
        self
    }

    pub(crate) async fn run(&self) -> Ran {
        self.desk.dibump(&["run"]).await
    }

    /// Runs, and says which requests wrote.
    pub(crate) async fn run_and_writes(&self) -> (Ran, Vec<String>) {
        self.gitlab.clear_log();
        let ran = self.run().await;
        (ran, self.writes())
    }

    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.gitlab.writes();
        writes.into_iter().map(|seen| format!("{} {} {}", seen.method, seen.target, seen.status)).collect()
    }

    /// The target project, to arrange and to look at.
    pub(crate) fn project<T>(&self, work: impl FnOnce(&mut Project) -> T) -> T {
        work(self.gitlab.state().project(PROJECT))
    }

    pub(crate) fn merge_requests(&self) -> Vec<MergeRequest> {
        self.project(|project| project.merge_requests.clone())
    }

    /// The text of the values file on a branch.
    pub(crate) fn values(&self, branch: &str) -> Option<String> {
        let file = self.project(|project| project.repository.file(branch, VALUES))?;
        Some(String::from_utf8(file.to_vec()).unwrap())
    }

    pub(crate) fn branches(&self) -> Vec<String> {
        self.project(|project| project.repository.branches.keys().cloned().collect())
    }

    /// The commits of the source branch that the target branch does not have.
    pub(crate) fn commits_ahead(&self) -> usize {
        self.project(|project| {
            let branches = &project.repository.branches;
            project.repository.between(&branches["main"], &branches[SOURCE]).len()
        })
    }
}

/// The images of 0.4.N.
pub(crate) fn images(patch: u32) -> [Image; 2] {
    [
        Image::new(&format!("ubuntu-noble-plain-rke2-1-30-{patch}")),
        Image::new(&format!("opensuse-15-6-plain-kubeadm-1-30-{patch}")),
    ]
}

/// The file as it should be at 0.4.N.
pub(crate) fn values_at(patch: u32) -> String {
    AT_0_4_11.replace("0.4.11", &format!("0.4.{patch}")).replace("1-30-11", &format!("1-30-{patch}"))
}
