//! Look-up of one producer with 600 artifact repositories, beside curl, which only fetches the 600 tag lists.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::DIBUMP;
use crate::fake::docker_registry::{DockerRegistry, Push};
use crate::fake::gitlab::{FakeGitLab, Release};
use crate::fake::oci::{Access, FakeRegistry, Image, TokenRules};
use crate::latency::delayed;
use crate::measure::{median, ms, pairs, peak, row, time};

const RUNS: usize = 11;
const REPOSITORIES: usize = 600;
const PREFIX: &str = "group/diskimage-builder";
const ROUND_TRIP: Duration = Duration::from_millis(40);
/// Two builders, and how their entries and versions are called.
const BUILDERS: [(&str, &str); 2] = [("diskimage-builder", "dib"), ("kiwi-imagebuilder", "kiwi")];
const OLD: &str = "0.4.11";
const NEW: &str = "0.4.12";

/// All rows.
pub(crate) fn all() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let registry = runtime.block_on(FakeRegistry::start());
    for (name, tag) in images() {
        registry.release(PREFIX, &tag, &[Image::new(&name)]);
    }
    let bench = Bench { runtime, folder };
    bench.catalog("look up 600 repositories", registry.host(), || registry.count(""));
    let distant = bench.runtime.block_on(delayed(registry.host(), ROUND_TRIP / 2));
    bench.catalog("the same with 40 ms round trips", &distant, || registry.count(""));
    bench.release_notes(&registry);
    registry.access(Access::Token(TokenRules::default()));
    bench.token_realm(&registry);
    bench.real_registry();
    bench.two_builders();
}

struct Bench {
    runtime: Runtime,
    folder: TempDir,
}

impl Bench {
    fn catalog(&self, what: &str, host: &str, served: impl Fn() -> usize) {
        let ours = || plan(host, &self.values(OLD), &["--discovery", "catalog"]);
        let peak = peak(&ours());
        let before = served();
        time(&mut ours());
        let requests = served() - before;
        let urls = self.curl_config(host);
        let (ours, theirs) = pairs(RUNS, || time(&mut ours()), || time(&mut curl(&urls)));
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        let counted = if requests > 0 { format!(", {requests} requests") } else { String::new() };
        let ours = format!("{}, {ratio:.2} × curl{counted}, {peak:.1} MiB", ms(ours));
        row(what, &ours, &format!("`curl -Z` ×64 {}", ms(theirs)));
    }

    /// Curl has no peer here: it does not speak the token protocol.
    fn token_realm(&self, registry: &FakeRegistry) {
        let ours = || plan(registry.host(), &self.values(OLD), &["--discovery", "catalog"]);
        let count = || (registry.count(""), registry.count("/token"));
        let before = count();
        time(&mut ours());
        let after = count();
        let took = median((0..RUNS).map(|_| time(&mut ours())).collect());
        let (requests, tokens) = (after.0 - before.0, after.1 - before.1);
        let ours = format!("{}, {requests} requests, {tokens} of them for tokens", ms(took));
        row("the same behind a token realm", &ours, "");
    }

    fn release_notes(&self, registry: &FakeRegistry) {
        let gitlab = self.runtime.block_on(gitlab(registry.host()));
        let cache = self.folder.path().join("cache");
        let cache = ["--cache-dir", cache.to_str().expect("a path that is text")];
        let discovery = ["--discovery", "release-notes", "--gitlab-project", PREFIX, "--gitlab-url"];
        let source = [&discovery[..], &[gitlab.address()]].concat();
        let fresh = || plan(registry.host(), &self.values(OLD), &source);
        let warm = || plan(registry.host(), &self.values(NEW), &[&source[..], &cache].concat());
        time(&mut warm());
        for (what, command) in [
            ("the same through `release-notes`", &fresh as &dyn Fn() -> Command),
            ("nothing new, cache warm, `release-notes`", &warm),
        ] {
            let served = || registry.count("") + gitlab.log().len();
            let before = served();
            time(&mut command());
            let requests = served() - before;
            let took = median((0..RUNS).map(|_| time(&mut command())).collect());
            row(what, &format!("{}, {requests} requests", ms(took)), "");
        }
    }

    /// Two builders of one file, beside the look-up of each by itself.
    fn two_builders(&self) {
        let registry = self.runtime.block_on(FakeRegistry::start());
        for (builder, _) in BUILDERS {
            for (name, tag) in images_of(builder) {
                registry.release(&format!("group/{builder}"), &tag, &[Image::new(&name)]);
            }
        }
        let file = |builders: &[(&str, &str)]| self.file_of(registry.host(), builders);
        let (both, each) = (file(&BUILDERS), BUILDERS.map(|builder| file(&[builder])));
        let ours = || plan_file(&both);
        let alone = || each.iter().map(|file| time(&mut plan_file(file))).sum::<Duration>();
        let before = registry.count("");
        time(&mut ours());
        let together = registry.count("") - before;
        alone();
        let apart = registry.count("") - before - together;
        let (ours, theirs) = pairs(RUNS, || time(&mut ours()), alone);
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
        let ours = format!("{}, {ratio:.2} × the sum, {together} requests", ms(ours));
        let theirs = format!("one after the other {}, {apart} requests", ms(theirs));
        row("look up two builders of one file, 600 repositories each", &ours, &theirs);
    }

    /// A file at the older release of these builders.
    fn file_of(&self, host: &str, builders: &[(&str, &str)]) -> std::path::PathBuf {
        let entry = |(builder, key): &(&str, &str)| {
            format!(
                "  {key}: {{url: 'oci://{host}/group/{builder}', tag: '{{{{ .Values.{key}_version }}}}'}}\n"
            )
        };
        let version = |(_, key): &(&str, &str)| format!("{key}_version: {OLD}\n");
        let listed = |(builder, key): &(&str, &str)| {
            let own = images_of(builder).into_iter().filter(|(_, tag)| tag == OLD);
            own.map(|(name, _)| format!("  {name}: {{os_images_oci_registry: {key}}}\n")).collect::<String>()
        };
        let all = |part: &dyn Fn(&(&str, &str)) -> String| builders.iter().map(part).collect::<String>();
        let text = format!(
            "os_images_oci_registries:\n{}{}sylva_diskimagebuilder_images:\n{}",
            all(&entry),
            all(&version),
            all(&listed)
        );
        let path = self.folder.path().join(format!("builders-{}-{}.yaml", builders.len(), builders[0].1));
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// Only where Debian's registry is installed.
    fn real_registry(&self) {
        if Command::new("docker-registry").arg("--version").output().is_err() {
            return;
        }
        let push = |(name, tag): (String, String)| Push {
            repository: format!("{PREFIX}/{name}"),
            tag,
            annotations: Image::new(&name).annotations,
        };
        let artifacts: Vec<Push> = images().into_iter().map(push).collect();
        let registry = self.runtime.block_on(async {
            let registry = DockerRegistry::start().await;
            registry.push(&artifacts).await;
            registry
        });
        self.catalog("look up 600 repositories in `docker-registry`", &registry.host, || 0);
    }

    /// A file that is at one of the two releases.
    fn values(&self, version: &str) -> std::path::PathBuf {
        let path = self.folder.path().join(format!("values-{version}.yaml"));
        let listed = images().into_iter().filter(|(_, tag)| tag == version);
        let keys: String = listed.map(|(name, _)| format!("  {name}: {{}}\n")).collect();
        let version = format!("sylva_diskimagebuilder_version: {version}\n");
        std::fs::write(&path, format!("{version}sylva_diskimagebuilder_images:\n{keys}")).expect("a file");
        path
    }

    fn curl_config(&self, host: &str) -> std::path::PathBuf {
        let url = |(name, _)| {
            format!("url = \"http://{host}/v2/{PREFIX}/{name}/tags/list\"\noutput = \"/dev/null\"\n")
        };
        let path = self.folder.path().join("curl");
        std::fs::write(&path, images().into_iter().map(url).collect::<String>()).expect("a file");
        path
    }
}

fn plan(host: &str, values: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(DIBUMP);
    let registry = format!("oci://{host}/{PREFIX}");
    command.arg("plan").arg(values).args(["--registry", &registry, "--plain-http", "--concurrency", "64"]);
    command.args(more).env_clear();
    command
}

/// The producers that the file names.
fn plan_file(values: &Path) -> Command {
    let mut command = Command::new(DIBUMP);
    command.arg("plan").arg(values).args(["--plain-http", "--concurrency", "64"]);
    command.env_clear();
    command
}

fn curl(config: &Path) -> Command {
    let mut command = Command::new("curl");
    command.args(["-q", "--silent", "--show-error", "--fail", "-Z", "--parallel-max", "64", "--config"]);
    command.arg(config);
    command
}

/// The repositories of a builder: the second one builds other systems.
fn images_of(builder: &str) -> Vec<(String, String)> {
    let own = |name: String| match builder == BUILDERS[0].0 {
        true => name,
        false => name.replace("ubuntu", "leap").replace("opensuse", "sles").replace("debian", "photon"),
    };
    images().into_iter().map(|(name, tag)| (own(name), tag)).collect()
}

/// The repositories and their tags: 19 images of the newest release, 18 of the one before, and older ones.
fn images() -> Vec<(String, String)> {
    let systems = ["ubuntu-jammy", "ubuntu-noble", "opensuse-15-5", "opensuse-15-6", "debian-12"];
    let flavours = ["hardened-rke2", "plain-rke2", "hardened-kubeadm", "plain-kubeadm"];
    let families = systems.iter().flat_map(|os| flavours.map(|flavour| format!("{os}-{flavour}")));
    let families: Vec<String> = families.take(19).collect();
    let image = |(age, index): (usize, usize)| {
        let (minor, patch) = (31 - age / 10, 9 - age % 10);
        let tag = match age {
            0 => NEW.to_owned(),
            1 => OLD.to_owned(),
            _ => format!("0.{}.{}", 3 - age / 20, 20 - age % 20),
        };
        (format!("{}-1-{minor}-{patch}", families[index]), tag)
    };
    let all = (0..).flat_map(|age| (0..if age == 1 { 18 } else { 19 }).map(move |index| (age, index)));
    all.take(REPOSITORIES).map(image).collect()
}

/// The producer's project with a release for each version, and the images in its text.
async fn gitlab(registry: &str) -> FakeGitLab {
    let fake = FakeGitLab::start().await;
    let mut releases: Vec<Release> = Vec::new();
    for (name, tag) in images() {
        if releases.last().is_none_or(|release| release.tag != tag) {
            let description = "## Produced images:\n".to_owned();
            releases.push(Release { tag, description, released_at: "2026-05-04T03:02:01.000Z".to_owned() });
        }
        let release = releases.last_mut().expect("one was pushed");
        let image = format!("<br /> Image: \"oci://{registry}/{PREFIX}/{name}:{}\"\n", release.tag);
        release.description.push_str(&image);
    }
    fake.state().add_project(7, PREFIX, &[]).releases = releases;
    fake
}
