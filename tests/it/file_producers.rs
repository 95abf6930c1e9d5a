//! Producers that a values file names: who is asked, which one is picked, and what a registry gets that only the file names.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::fake::oci::{Access, FakeRegistry, Image, TokenRules};
use crate::said::about;
use crate::world::{Desk, Ran, VALUES};

/// A file with two builders whose registries are on this machine, and no configuration.
struct TwoBuilders {
    registry: FakeRegistry,
    desk: Desk,
}

const DIB: &str = "sylva-projects/diskimage-builder";
const KIWI: &str = "sylva-projects/kiwi-imagebuilder";

/// The file; `HOST` is the registry's.
const FILE: &str = "\
os_images_oci_registries:
  sylva-n-1:
    url: 'oci://HOST/sylva-projects/diskimage-builder'
    tag: 0.3.9
  sylva:
    url: '{{ .Values.sylva_base_oci_registry }}/diskimage-builder'
    tag: '{{ .Values.sylva_diskimagebuilder_version }}'
  off:
    enabled: false
    url: 'oci://HOST/sylva-projects/nowhere'
    tag: '{{ .Values.off_version }}'
  kiwi:
    url: 'oci://HOST/sylva-projects/kiwi-imagebuilder'
    tag: '{{ .Values.sylva_kiwi_imagebuilder_version }}'
sylva_base_oci_registry: oci://HOST/sylva-projects
off_version: 0.1.0
sylva_diskimagebuilder_version: 0.4.12
sylva_kiwi_imagebuilder_version: 0.1.2
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-31-8:
    os_images_oci_registry: sylva
  leapmicro-6-0-plain-rke2-1-31-8:
    os_images_oci_registry: kiwi
";

/// What becomes of it.
fn updated(file: &str) -> String {
    file.replace("0.4.12", "0.4.13").replace("0.1.2", "0.1.3").replace("1-31-8", "1-31-9")
}

impl TwoBuilders {
    async fn new() -> Self {
        let (registry, desk) = (FakeRegistry::start().await, Desk::new());
        let releases = [("0.4.12", "0.1.2", 8), ("0.4.13", "0.1.3", 9)];
        for (dib, kiwi, patch) in releases {
            registry.release(DIB, dib, &[Image::new(&format!("ubuntu-noble-plain-rke2-1-31-{patch}"))]);
            registry.release(KIWI, kiwi, &[Image::new(&format!("leapmicro-6-0-plain-rke2-1-31-{patch}"))]);
        }
        let two = Self { registry, desk };
        two.desk.write(VALUES, two.file());
        two
    }

    fn file(&self) -> String {
        FILE.replace("HOST", self.registry.host())
    }

    async fn plan(&self, more: &[&str]) -> Ran {
        self.desk.dibump(&[&["plan", VALUES, "--plain-http"], more].concat()).await
    }

    fn set(&mut self, variables: &[(&str, &str)]) {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.desk.variables.extend(variables);
    }
}

#[tokio::test]
async fn all_producers_of_a_file_are_looked_at_and_named() {
    let two = TwoBuilders::new().await;
    let ran = two.plan(&["--write"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert_eq!(String::from_utf8(two.desk.read(VALUES)).unwrap(), updated(&two.file()));
    for name in ["diskimage-builder", "kiwi-imagebuilder"] {
        assert!(ran.stdout.contains(&format!("{name}\n  RELEASE")), "{}", ran.stdout);
    }
    reads!(ran.stderr, @"
    note: asking oci://HOST/sylva-projects/diskimage-builder, which values.yaml:6:5 names
    note: asking oci://HOST/sylva-projects/kiwi-imagebuilder, which values.yaml:13:5 names
    ");
    let again = two.plan(&["--detailed-exitcode"]).await;
    assert_eq!(again.exit, Some(0), "{again:#?}");
}

/// What is asked for a file, as paths; each manifest once.
async fn asked(two: &TwoBuilders, file: &str) -> Vec<String> {
    two.desk.write(VALUES, file.replace("HOST", two.registry.host()));
    let before = two.registry.requests().len();
    let ran = two.plan(&[]).await;
    assert!(ran.exit == Some(0) && ran.stdout.contains("update 0."), "{ran:#?}");
    let asked = two.registry.requests().split_off(before).into_iter();
    let asked: Vec<String> = asked.map(|request| request.path).collect();
    let mut manifests: Vec<&String> = asked.iter().filter(|path| path.contains("/manifests/")).collect();
    let count = manifests.len();
    manifests.sort();
    manifests.dedup();
    assert_eq!(manifests.len(), count, "{asked:#?}");
    asked
}

/// The file without what one builder has in it.
fn without(file: &str, entry: &str, version: &str, image: &str) -> String {
    let (before, rest) = file.split_once(&format!("  {entry}:\n")).unwrap();
    let rest = rest.splitn(3, '\n').nth(2).unwrap();
    let image = format!("  {image}:\n    os_images_oci_registry: {entry}\n");
    let left = format!("{before}{rest}").replace(&image, "");
    left.lines().filter(|line| !line.starts_with(version)).map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn several_producers_cost_as_many_requests_as_each_by_itself() {
    let two = TwoBuilders::new().await;
    for suffix in ["-8", ""] {
        // Names of minors alone: only manifests tell the patch, and those of what is listed are read in any case.
        if suffix.is_empty() {
            for (dib, kiwi, patch) in [("0.4.12", "0.1.2", 8), ("0.4.13", "0.1.3", 9)] {
                let image = |os: &str| {
                    let version = format!("v1.31.{patch}+rke2r1");
                    let image = Image::new(&format!("{os}-plain-rke2-1-31"));
                    image.with("sylvaproject.org/diskimage/k8s-version", &version)
                };
                two.registry.release(DIB, dib, &[image("ubuntu-noble")]);
                two.registry.release(KIWI, kiwi, &[image("leapmicro-6-0")]);
            }
        }
        let file = FILE.replace("1-31-8", &format!("1-31{suffix}"));
        let (ubuntu, leap) = (
            format!("ubuntu-noble-plain-rke2-1-31{suffix}"),
            format!("leapmicro-6-0-plain-rke2-1-31{suffix}"),
        );
        let dib = asked(&two, &without(&file, "kiwi", "sylva_kiwi_imagebuilder_version", &leap)).await;
        let kiwi = asked(&two, &without(&file, "sylva", "sylva_diskimagebuilder_version", &ubuntu)).await;
        let both = asked(&two, &file).await;
        let sum = dib.len() + kiwi.len();
        println!("{} + {} requests alone, {} together", dib.len(), kiwi.len(), both.len());
        assert_eq!(both.len(), sum, "{both:#?}");
    }
}

#[tokio::test]
async fn one_of_them_is_picked_by_name_by_version_or_by_registry() {
    let two = TwoBuilders::new().await;
    let kiwi = two.registry.prefix(KIWI);
    for pick in [
        ["--producer", "kiwi-imagebuilder"],
        ["--producer", "kiwi"],
        ["--version-key", "sylva_kiwi_imagebuilder_version"],
        ["--registry", &kiwi],
    ] {
        // Alone it would disagree with the image of the other builder.
        let held = two.plan(&pick).await;
        assert!(held.exit == Some(0) && held.stdout.contains("held (disagreeing)"), "{pick:?} {held:#?}");
        let ran = two.plan(&[&pick[..], &["--to", "0.1.3", "--format", "diff"]].concat()).await;
        assert_eq!(ran.exit, Some(0), "{pick:?} {ran:#?}");
        assert!(ran.stdout.contains("+sylva_kiwi_imagebuilder_version: 0.1.3\n"), "{pick:?} {}", ran.stdout);
        assert!(!ran.stdout.contains("0.4.13"), "{pick:?} {}", ran.stdout);
    }
    let ran = two.plan(&["--producer", "kiwy"]).await;
    assert_eq!(ran.exit, Some(2), "{ran:#?}");
    reads!(ran.stderr, @"
    error: no configuration file has a producer `kiwy`, and the file names none
    hint: the file names diskimage-builder (oci://HOST/sylva-projects/diskimage-builder), kiwi-imagebuilder (oci://HOST/sylva-projects/kiwi-imagebuilder)
    ");
}

#[tokio::test]
async fn what_is_said_of_one_producer_is_refused_for_several() {
    let two = TwoBuilders::new().await;
    let mut told = String::new();
    for flag in [
        ["--cosign-key", "a.pub"],
        ["--discovery", "catalog"],
        ["--gitlab-project", "a/b"],
        ["--to", "0.4.13"],
    ] {
        let ran = two.plan(&flag).await;
        assert_eq!(ran.exit, Some(2), "{ran:#?}");
        assert!(two.registry.requests().is_empty());
        told += &ran.stderr;
    }
    reads!(told, @"
    error: --cosign-key applies to one producer, and the file names several; name it with --producer
    error: --discovery applies to one producer, and the file names several; name it with --producer
    error: --gitlab-project applies to one producer, and the file names several; name it with --producer
    error: --to applies to one producer, and the file names several; name it with --producer
    ");
}

#[tokio::test]
async fn a_comment_for_renovate_names_a_project_whose_registry_is_assumed() {
    let two = TwoBuilders::new().await;
    let file = "\
# renovate: depName=sylva-projects/diskimage-builder
sylva_diskimagebuilder_version: 0.4.12
sylva_base_oci_registry: oci://HOST/sylva-projects
sylva_diskimagebuilder_images:
  ubuntu-noble-plain-rke2-1-31-8: {}
";
    two.desk.write(VALUES, file.replace("HOST", two.registry.host()));
    let ran = two.plan(&["--format", "diff"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("+sylva_diskimagebuilder_version: 0.4.13\n"), "{ran:#?}");
    reads!(ran.stderr, @"note: asking oci://HOST/sylva-projects/diskimage-builder, assumed to be the registry of sylva-projects/diskimage-builder (values.yaml:2:1)");
}

#[tokio::test]
async fn an_address_that_cannot_be_rendered_is_named_with_its_place() {
    let two = TwoBuilders::new().await;
    two.desk.write(VALUES, two.file().replace("sylva_base_oci_registry: ", "other: "));
    let ran = two.plan(&[]).await;
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
    reads!(ran.stderr, @"error: values.yaml:6:5: `os_images_oci_registries.sylva.url`: `.Values.sylva_base_oci_registry` has no value; set it in the values file; correct it, or name the registry with --registry or under `producers:`");
    assert!(two.registry.requests().is_empty());
}

#[tokio::test]
async fn check_asks_all_producers_of_a_file() {
    let two = TwoBuilders::new().await;
    two.desk.write(VALUES, two.file().replace("leapmicro-6-0", "leapmicro-5-5"));
    let ran = two.desk.dibump(&["check", VALUES, "--plain-http", "--format", "json"]).await;
    assert_eq!(ran.exit, Some(10), "{ran:#?}");
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let dead = findings.iter().filter(|finding| finding["id"] == "dead-key");
    assert_eq!(dead.count(), 1, "{report:#}");
}

#[tokio::test]
async fn releases_from_files_are_those_of_the_registry_that_each_file_names() {
    let two = TwoBuilders::new().await;
    let releases = |path: &str, versions: [&str; 2], name: &str| {
        let release = |(version, patch): (&str, u32)| json!({"version": version, "artifacts": [{"name": format!("{name}-plain-rke2-1-31-{patch}")}]});
        let releases: Vec<_> = versions.into_iter().zip([8, 9]).map(release).collect();
        let registry = two.registry.prefix(path);
        json!({"schema": "dibump.releases/1", "registry": registry, "releases": releases}).to_string()
    };
    two.desk.write("dib.json", releases(DIB, ["0.4.12", "0.4.13"], "ubuntu-noble"));
    two.desk.write("kiwi.json", releases(KIWI, ["0.1.2", "0.1.3"], "leapmicro-6-0"));
    two.desk.write("other.json", releases("sylva-projects/other", ["0.1.2", "0.1.3"], "leapmicro-6-0"));
    let plan = async |files: &[&str]| {
        let observed = files.iter().flat_map(|file| ["--observed", file]);
        let to: &[&str] = if files == ["kiwi.json"] { &["--to", "0.1.3"] } else { &[] };
        let start = ["plan", VALUES, "--write"].into_iter().chain(to.iter().copied());
        two.desk.dibump(&start.chain(observed).collect::<Vec<_>>()).await
    };
    let other = plan(&["dib.json", "other.json"]).await;
    assert_eq!(other.exit, Some(2), "{other:#?}");
    reads!(other.stderr, @"
    error: other.json names oci://HOST/sylva-projects/other, which is not a producer of the file
    hint: the file names diskimage-builder (oci://HOST/sylva-projects/diskimage-builder), kiwi-imagebuilder (oci://HOST/sylva-projects/kiwi-imagebuilder)
    ");
    // The file knows whose they are, also where only one is given.
    let kiwi = plan(&["kiwi.json"]).await;
    assert_eq!(kiwi.exit, Some(0), "{kiwi:#?}");
    assert!(kiwi.stdout.contains("+sylva_kiwi_imagebuilder_version: 0.1.3"), "{}", kiwi.stdout);
    two.desk.write(VALUES, two.file());
    let twice = plan(&["kiwi.json", "kiwi.json"]).await;
    assert_eq!(twice.exit, Some(2), "{twice:#?}");
    let picked = ["plan", VALUES, "--observed", "kiwi.json", "--observed", "dib.json", "--producer", "kiwi"];
    let picked = two.desk.dibump(&picked).await;
    assert!(picked.exit == Some(0) && !picked.stdout.contains("0.4.13"), "{picked:#?}");
    let unknown = two.desk.dibump(&["plan", VALUES, "--observed", "kiwi.json", "--producer", "other"]).await;
    assert_eq!(unknown.exit, Some(2), "{unknown:#?}");
    let both = plan(&["kiwi.json", "dib.json"]).await;
    assert_eq!(both.exit, Some(0), "{both:#?}");
    assert_eq!(String::from_utf8(two.desk.read(VALUES)).unwrap(), updated(&two.file()));
    assert!(two.registry.requests().is_empty());
}

const USER: &str = "bot";
const PASSWORD: &str = "hunter2-for-sylva";

#[tokio::test]
async fn a_registry_that_only_the_file_names_gets_no_secret_of_the_environment() {
    let user = Some((USER.to_owned(), PASSWORD.to_owned()));
    for access in [
        Access::Basic { user: USER.to_owned(), password: PASSWORD.to_owned() },
        Access::Token(TokenRules { user, ..TokenRules::default() }),
    ] {
        let mut two = TwoBuilders::new().await;
        two.registry.access(access);
        let host = two.registry.host().to_owned();
        two.set(&[
            ("DIBUMP_REGISTRY_USERNAME", USER),
            ("DIBUMP_REGISTRY_PASSWORD", PASSWORD),
            ("CI_REGISTRY", &host),
            ("CI_REGISTRY_USER", USER),
            ("CI_REGISTRY_PASSWORD", PASSWORD),
            ("GITLAB_TOKEN", "glpat-very-secret"),
            ("GITHUB_TOKEN", "ghp_very-secret"),
        ]);
        let ran = two.plan(&["--producer", "kiwi"]).await;
        assert_ne!(ran.exit, Some(0), "{ran:#?}");
        let asked = two.registry.requests();
        assert!(!asked.is_empty(), "{ran:#?}");
        assert!(asked.iter().all(|request| !request.path.starts_with("/api/")), "{asked:#?}");
        let sent = asked.iter().filter_map(|request| request.authorization.clone());
        let ours = [STANDARD.encode(format!("{USER}:{PASSWORD}")), "very-secret".to_owned()];
        assert!(sent.clone().all(|sent| !ours.iter().any(|secret| sent.contains(secret))), "{asked:#?}");
        // A person who names the registry means them for it.
        let prefix = two.registry.prefix(KIWI);
        let named = two.plan(&["--registry", &prefix]).await;
        assert_eq!(named.exit, Some(0), "{named:#?}");
    }
}

#[tokio::test]
async fn what_docker_keeps_for_its_host_is_sent_to_it() {
    let mut two = TwoBuilders::new().await;
    two.registry.access(Access::Basic { user: USER.to_owned(), password: PASSWORD.to_owned() });
    let pair = STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let config = json!({"auths": {two.registry.host(): {"auth": pair}}});
    two.desk.write("config.json", config.to_string());
    let folder = two.desk.path("").display().to_string();
    two.set(&[("DOCKER_CONFIG", &folder)]);
    let ran = two.plan(&[]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
}

#[tokio::test]
async fn a_tag_that_is_almost_a_version_is_named_once_and_passed_over() {
    let two = TwoBuilders::new().await;
    two.registry.release(KIWI, "0.4", &[Image::new("leapmicro-5-5-plain-rke2-1-28-12")]);
    two.registry.release(KIWI, "0.4", &[Image::new("leapmicro-6-0-plain-rke2-1-31-9")]);
    let ran = two.plan(&["--format", "diff"]).await;
    assert_eq!(ran.exit, Some(0), "{ran:#?}");
    assert!(ran.stdout.contains("+sylva_kiwi_imagebuilder_version: 0.1.3\n"), "{ran:#?}");
    reads!(about(&ran.stderr, "0.4"), @"WARN passed over `0.4`: not a release version (expected MAJOR.MINOR.PATCH) registry=oci://HOST/sylva-projects/kiwi-imagebuilder");
}
