//! What the stories play in: a registry, a GitLab, a folder, and the real program with nothing else around it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::fake::oci::{FakeRegistry, Image};
use crate::hub::{self, Hub, Opened};
pub(crate) use crate::hub::{PATH, PROJECT, SOURCE, TOKEN};

const DIBUMP: &str = env!("CARGO_BIN_EXE_dibump");

pub(crate) const PREFIX: &str = "sylva/diskimage-builder";
pub(crate) const VALUES: &str = "values.yaml";

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

/// When the stories begin: the images of the registry are a day old.
pub(crate) const NOW: &str = "2026-05-05T03:02:01Z";

/// A folder, the time, and the variables that the program sees.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    pub(crate) now: String,
    pub(crate) variables: Vec<(String, String)>,
    /// What the shell's `ulimit` is told before the program starts, as `-n 64`.
    pub(crate) limit: Option<&'static str>,
}

/// A registry with releases, a forge with a project, and a configuration that names both.
pub(crate) struct World {
    pub(crate) registry: FakeRegistry,
    pub(crate) hub: Box<dyn Hub>,
    pub(crate) desk: Desk,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), now: NOW.to_owned(), variables: Vec::new(), limit: None }
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
        match self.limit {
            None => self.prepared(Command::new(DIBUMP), arguments),
            Some(limit) => self.under(limit, arguments),
        }
    }

    /// The program with so much address space, in KiB.
    pub(crate) fn limited(&self, address_space: usize, arguments: &[&str]) -> Command {
        self.under(&format!("-v {address_space}"), arguments)
    }

    /// Runs the program to its end, which must be none of a panic: the seconds of processor time that it took.
    pub(crate) async fn processor_seconds(&self, arguments: &[&str]) -> f64 {
        let mut shell = Command::new("/bin/sh");
        // The last line of `times` is what the children took: user and system.
        shell.args(["-c", "\"$0\" \"$@\" > /dev/null && ends=0 || ends=$?; times; exit $ends", DIBUMP]);
        let ran = ended(self.prepared(shell, arguments).spawn().unwrap()).await;
        assert!(matches!(ran.exit, Some(0 | 5 | 10)), "{arguments:?}: {:.1000}", ran.stderr);
        let seconds = |text: &str| {
            let (minutes, seconds) = text.trim_end_matches('s').split_once('m').unwrap();
            minutes.parse::<f64>().unwrap() * 60.0 + seconds.parse::<f64>().unwrap()
        };
        ran.stdout.lines().last().unwrap().split_whitespace().map(seconds).sum()
    }

    fn under(&self, limit: &str, arguments: &[&str]) -> Command {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\""), DIBUMP]);
        self.prepared(shell, arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).env_clear().current_dir(self.folder.path());
        command.env("DIBUMP_NOW", &self.now);
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

/// The configuration's `network:`. Whoever answers at all is waited for, however busy the machine is.
pub(crate) const NETWORK: &str = "\
network: {retries: 0, connect_timeout: 1h, read_timeout: 1h, request_timeout: 1h, give_up_after: 1h, proxy_from_environment: false}
";

/// How long anything may take that must come, however busy the machine is. What must not come never does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// Waits for the program.
pub(crate) async fn ended(child: Child) -> Ran {
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output());
    let output = output.await.expect("it ends").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { exit: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
    for secret in SECRETS {
        assert!(!format!("{ran:?}").contains(secret), "a secret is printed: {ran:#?}");
    }
    ran
}

/// Whatever the program is given in any story and must not show: nothing that it prints may contain them.
const SECRETS: [&str; 5] = [TOKEN, "ghp_very-secret", "glpat-very-secret", "PRIVATE KEY", "ghs_"];

impl World {
    /// The file is at 0.4.11, and 0.4.12 is published.
    pub(crate) async fn on(hub: Box<dyn Hub>) -> Self {
        let registry = FakeRegistry::start().await;
        let mut desk = Desk::new();
        desk.variables.push((hub.token_variable().to_owned(), TOKEN.to_owned()));
        let world = Self { registry, hub, desk };
        world.release(11).release(12).configure("[catalog]", "");
        world
    }

    /// On a GitLab.
    pub(crate) async fn new() -> Self {
        Self::on(hub::gitlab(&FILES).await).await
    }

    /// On a GitHub.
    pub(crate) async fn on_github() -> Self {
        Self::on(hub::github(&FILES).await).await
    }

    /// Publishes 0.4.N, whose images are at Kubernetes 1.30.N.
    pub(crate) fn release(&self, patch: u32) -> &Self {
        self.registry.release(PREFIX, &format!("0.4.{patch}"), &images(patch));
        self
    }

    /// The same on the next Ubuntu, which is for a person to judge: its merge request becomes a draft.
    pub(crate) fn release_with_another_os(&self, patch: u32) -> &Self {
        let [ubuntu, suse] = images(patch);
        let ubuntu = Image::new(&ubuntu.name.replace("noble", "plucky"));
        self.registry.release(PREFIX, &format!("0.4.{patch}"), &[ubuntu, suse]);
        self
    }

    /// Writes `dibump.yaml`; `producer` is more lines of the producer.
    pub(crate) fn configure(&self, discovery: &str, producer: &str) -> &Self {
        let config = format!(
            "version: 1\n\
             producers:\n  \
             - registry: {}\n    plain_http: true\n    discovery: {discovery}\n{producer}\
             forge: {}\n\
             targets:\n  \
             - project: {PATH}\n    files: [{VALUES}]\n\
             {NETWORK}",
            self.registry.prefix(PREFIX),
            self.hub.config(),
        );
        self.desk.write("dibump.yaml", config);
        self
    }

    pub(crate) async fn run(&self) -> Ran {
        self.desk.dibump(&["run"]).await
    }

    /// Runs, and says which requests wrote.
    pub(crate) async fn run_and_writes(&self) -> (Ran, Vec<String>) {
        self.hub.clear_log();
        let ran = self.run().await;
        (ran, self.writes())
    }

    pub(crate) fn writes(&self) -> Vec<String> {
        let writes = self.hub.writes();
        writes.into_iter().map(|seen| format!("{} {} {}", seen.method, seen.target, seen.status)).collect()
    }

    /// More lines of `merge_request:` in the configuration.
    pub(crate) fn merge_request_settings(&self, settings: &str) -> &Self {
        self.add(&format!("merge_request: {settings}"))
    }

    /// More keys of `forge:` in the configuration.
    pub(crate) fn forge_settings(&self, settings: &str) -> &Self {
        let config = String::from_utf8(self.desk.read("dibump.yaml")).unwrap();
        let forge = self.hub.config();
        let with = format!("{}, {settings}}}", forge.trim_end_matches('}'));
        assert!(config.contains(&forge), "{config}");
        self.desk.write("dibump.yaml", config.replace(&forge, &with));
        self
    }

    /// One more line of the configuration.
    pub(crate) fn add(&self, line: &str) -> &Self {
        let config = String::from_utf8(self.desk.read("dibump.yaml")).unwrap();
        self.desk.write("dibump.yaml", format!("{config}{line}\n"));
        self
    }

    /// More lines of the target in the configuration.
    pub(crate) fn target(&self, more: &str) -> &Self {
        let config = String::from_utf8(self.desk.read("dibump.yaml")).unwrap();
        let files = format!("files: [{VALUES}]\n");
        assert!(config.contains(&files), "{config}");
        self.desk.write("dibump.yaml", config.replace(&files, &format!("{files}{more}")));
        self
    }

    /// A person ends the holds of a release.
    pub(crate) fn accept(&self, version: &str) -> &Self {
        self.target(&format!("    accept: [{version}]\n"))
    }

    pub(crate) fn merge_requests(&self) -> Vec<Opened> {
        self.hub.opened()
    }

    /// The text of the values file on a branch.
    pub(crate) fn values(&self, branch: &str) -> Option<String> {
        self.hub.file(branch, VALUES)
    }

    pub(crate) fn branches(&self) -> Vec<String> {
        self.hub.branches()
    }

    /// The commits of the source branch that the target branch does not have.
    pub(crate) fn commits_ahead(&self) -> usize {
        let mut ahead = 0;
        self.hub.git(&mut |git| ahead = git.between(&git.branches["main"], &git.branches[SOURCE]).len());
        ahead
    }
}

const FILES: [(&str, &[u8]); 2] = [(VALUES, AT_0_4_11.as_bytes()), ("README.md", b"hello\n")];

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
