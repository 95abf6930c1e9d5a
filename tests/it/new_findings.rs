//! What `check` finds in the files after an update, and not before, was announced by the plan; and nothing else was.
//!
//! The files after are checked as `dibump check` checks them: read anew, by the same releases. What is new is found here
//! by kind, file, keys and subject, by nothing of the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use dibump::budget::Budget;
use dibump::check::{self, CheckedFile, NamedRelease, Reference, Severities, Severity};
use dibump::plan::{self, Beside, Decided, FileSpec, PlanInput, Planned, Target, survey};
use dibump::reconcile::kubernetes_versions::KubernetesVersions;
use dibump::reconcile::{DefaultEnabled, Images};
use dibump::release::data::{Candidate, ReleaseData};
use dibump::release::policy::Policy;
use dibump::release::{Artifact, Coverage, Naming, Release, Version};
use dibump::run::look_up::{ProducerQuery, Releases, look_up};
use dibump::signature::{Requirement, Unverified};
use dibump::values::Document;
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::errors::{Errors, beyond, counted};

const VALUES: &str = "values.yaml";
const OVERLAY: &str = "overlay.yaml";
const REFERENCE: &str = "environments/one.yaml";
const FAMILIES: [&str; 4] = [
    "ubuntu-noble-plain-rke2",
    "ubuntu-noble-hardened-rke2",
    "opensuse-15-6-plain-rke2",
    "ubuntu-noble-plain-kubeadm",
];
const MINORS: [u32; 3] = [29, 30, 31];

/// What becomes of a series with the newer release.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Stays,
    Moves,
    Goes,
    Comes,
}

/// Two releases, files, and how the producer is known.
#[derive(Debug, Clone)]
struct World {
    fates: Vec<Fate>,
    annotated: bool,
    partial: bool,
    files: BTreeMap<&'static str, String>,
}

fn series() -> impl Iterator<Item = (&'static str, u32)> {
    FAMILIES.into_iter().flat_map(|family| MINORS.into_iter().map(move |minor| (family, minor)))
}

fn name(family: &str, minor: u32, patch: u32) -> String {
    format!("{family}-1-{minor}-{patch}")
}

/// The names of a release: the older one has patch 4, the newer one 4 or 5.
fn names(fates: &[Fate], newer: bool) -> Vec<String> {
    let patch = |fate: &Fate| match (fate, newer) {
        (Fate::Stays, _) | (Fate::Moves | Fate::Goes, false) => Some(4),
        (Fate::Moves | Fate::Comes, true) => Some(5),
        (Fate::Goes, true) | (Fate::Comes, false) => None,
    };
    let each = series().zip(fates);
    each.filter_map(|((family, minor), fate)| Some(name(family, minor, patch(fate)?))).collect()
}

/// A place of a cluster that speaks of images, with what it says; `{}` is an image key, `[]` a Kubernetes version.
const SPEAKS: [&str; 12] = [
    "cluster:\n  control_plane:\n    capm3:\n      image_key: {}\n",
    "cluster:\n  machine_deployments:\n    md0:\n      capm3:\n        os_image_key: '{}'  # by hand\n    md1:\n      capo: {image_key: {}}\n",
    "cluster:\n  k8s_version: []\n",
    "cluster:\n  k8s_version: '{{ .Values.kind | ternary \"[]+rke2r1\" \"[]\" }}'\n",
    "cluster:\n  k8s_version: []\n  capi_providers: {bootstrap_provider: cabpr}\n  capm3:\n    os_image_selector: {os: ubuntu, hardened: \"false\"}\n",
    "cluster:\n  capm3:\n    os_image_selector:\n      os: opensuse\n      k8s-version: \"[]\"\n",
    "cluster:\n  capm3:\n    # dibump: ignore[unknown-image-key] because it is made by hand\n    image_key: {}\n",
    "_internal:\n  k8s_version_map: {'1.30': 'v1.30.4', '1.31': '[]'}\n",
    "os_images:\n  own-image: {os: own, k8s-version: v1.31.4}\ncluster:\n  capo: {image_key: own-image}\n",
    "cluster:\n  machine_deployment_default:\n    capo: {image_key: '{{ .Values.key }}'}\n",
    "cluster:\n  control_plane:\n    capo:\n      os_image_selector: {hardened: true, os: ubuntu}\n",
    "other: '{}'\n",
];

fn speaks(image: String, version: &'static str) -> impl Strategy<Value = String> {
    let parts = subsequence(SPEAKS.to_vec(), 0..4);
    parts.prop_map(move |parts| {
        let mut seen = BTreeSet::new();
        // A key at the top is written once.
        let parts = parts.into_iter().filter(|part| seen.insert(part.split(':').next()));
        parts.collect::<String>().replace("{}", &image).replace("[]", version)
    })
}

/// Entries of a mapping: some of these names, perhaps one that nobody publishes, perhaps one twice.
fn entries(names: Vec<String>) -> impl Strategy<Value = String> {
    let count = names.len();
    (subsequence(names, count / 2..=count), any::<(bool, bool)>()).prop_map(|(listed, (stray, enabled))| {
        let value = if enabled { "\n    enabled: true" } else { " {}" };
        let entry = |name: &String| format!("  {name}:{value}\n");
        let mut text: String = listed.iter().map(entry).collect();
        if stray {
            text.push_str("  ubuntu-noble-plain-rke2-1-28-1: {}\n");
        }
        if text.is_empty() { "  {}\n".to_owned() } else { text }
    })
}

fn world() -> impl Strategy<Value = World> {
    let fates = proptest::collection::vec(
        prop_oneof![3 => Just(Fate::Stays), 4 => Just(Fate::Moves), 2 => Just(Fate::Goes), 1 => Just(Fate::Comes)],
        series().count(),
    );
    let versions = select(&["v1.30.4", "v1.31.4", "v1.31.5", "v1.29.4", "v1.27.1"][..]);
    (
        fates,
        (prop::bool::weighted(0.1), prop::bool::weighted(0.7), any::<[bool; 3]>()),
        any::<[Index; 3]>(),
        [versions.clone(), versions.clone(), versions],
    )
        .prop_flat_map(
            |(mut fates, (partial, agrees, [annotated, overlaid, referenced]), chosen, versions)| {
                // Most producers move all images of a minor together; where they do not, the images disagree.
                if agrees {
                    fates
                        .iter_mut()
                        .filter(|fate| **fate == Fate::Stays)
                        .for_each(|fate| *fate = Fate::Moves);
                }
                let mut keys = names(&fates, false);
                keys.push("ubuntu-noble-plain-rke2-1-31".to_owned());
                let image = |i: usize| chosen[i].get(&keys).clone();
                let overlay = (entries(names(&fates, false)), speaks(image(1), versions[1]));
                let files = (
                    entries(names(&fates, false)),
                    speaks(image(0), versions[0]),
                    overlay,
                    (prop::option::of(entries(names(&fates, false))), speaks(image(2), versions[2])),
                );
                files.prop_map(move |(mapping, own, (entries, overlay), (listed, reference))| {
                    let head = "sylva_diskimagebuilder_version: 0.4.11\ndiskimage_builder_os_images:\n";
                    let mut files = BTreeMap::from([(VALUES, format!("{head}{mapping}{own}"))]);
                    let overlay = format!("diskimage_builder_os_images:\n{entries}{overlay}");
                    files.extend(overlaid.then_some((OVERLAY, overlay)));
                    let listed = listed.map(|entries| format!("diskimage_builder_os_images:\n{entries}"));
                    let reference = listed.unwrap_or_default() + &reference;
                    files.extend(referenced.then_some((REFERENCE, reference)));
                    World { fates: fates.clone(), annotated, partial, files }
                })
            },
        )
}

impl World {
    fn release(&self, version: &str, newer: bool) -> Release {
        let artifact = |name: &String| {
            let annotations = if self.annotated { crate::check::annotated(name) } else { BTreeMap::new() };
            Artifact::described(name.parse().unwrap(), None, annotations, &Naming::default())
        };
        let coverage = match self.partial {
            true => Coverage::Partial { reason: "the list was cut".to_owned() },
            false => Coverage::Complete,
        };
        let names = names(&self.fates, newer);
        Release::with_coverage(version.parse().unwrap(), coverage, names.iter().map(artifact))
    }

    fn known(&self) -> ReleaseData {
        let releases = [self.release("0.4.11", false), self.release("0.4.12", true)];
        let candidate = |release: &Release| {
            let version = release.version.clone();
            (version.clone(), Candidate { version, released_at: None, first_seen: None })
        };
        ReleaseData {
            candidates: releases.iter().map(candidate).collect(),
            releases: releases.into_iter().map(|release| (release.version.clone(), release)).collect(),
            ..ReleaseData::default()
        }
    }

    fn target(&self) -> Target {
        let own = self.files.keys().filter(|path| **path != REFERENCE).rev();
        let spec = |path: &&str| FileSpec {
            path: (*path).to_owned(),
            overlay: *path == OVERLAY,
            version_key: None,
            images_key: None,
        };
        Target { files: own.map(spec).collect(), ..Target::default() }
    }

    /// The errors of the files with these texts, by identity, each with its number.
    fn errors(&self, texts: &BTreeMap<String, String>, known: &ReleaseData) -> Errors {
        let own = texts.iter().filter(|(path, _)| *path != REFERENCE);
        let contents = own.map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
        let survey = survey(&self.target(), contents, None, false).unwrap();
        let reference = texts.get(REFERENCE);
        let reference = reference.map(|text| Document::parse(text.clone().into_bytes()).unwrap());
        let references = reference.iter().map(|document| Reference { path: REFERENCE, document });
        let release = &known.releases[survey.version()];
        let previous = known.version_before(&release.version);
        let report = check::check(&check::CheckInputs {
            primary: survey.primary.as_file(),
            overlays: &survey.overlays.iter().map(|file| file.as_file()).collect::<Vec<CheckedFile<'_>>>(),
            references: &references.collect::<Vec<_>>(),
            deployment: &[],
            named: NamedRelease::Release(release),
            previous: previous.map(|version| &known.releases[version]),
            ownership: &survey.ownership,
            others: &[],
            images: Images::Auto,
            naming: &Naming::default(),
            signatures: &BTreeMap::new(),
            requirement: &Requirement::NotRequired(Unverified::Off),
            values: &[],
            lacking: &[],
            severities: &Severities::default(),
        });
        let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        counted(errors.map(identity))
    }
}

fn identity(finding: &check::Finding) -> [String; 4] {
    let place = &finding.place;
    [finding.id.to_string(), place.path.clone(), place.key.to_string(), finding.subject.clone()]
}

/// What the worlds came to.
#[derive(Debug, Default)]
struct Counts {
    updates: usize,
    held: usize,
    with_new: usize,
    new: BTreeMap<String, usize>,
    clean: usize,
    resolved: usize,
    not_checked: usize,
}

/// Plans the world, and compares what was announced with what is found afterwards.
fn hold_to_account(world: &World, counts: &Mutex<Counts>) -> Result<(), TestCaseError> {
    let mut known = world.known();
    let target = world.target();
    let bytes = |(path, text): (&&str, &String)| ((*path).to_owned(), text.clone().into_bytes());
    let (beside, own) = world.files.iter().map(bytes).partition(|(path, _)| path == REFERENCE);
    let survey = survey(&target, own, None, false).unwrap();
    let (policy, naming) = (Policy { signatures: None, ..Policy::default() }, Naming::default());
    let input = PlanInput {
        survey: &survey,
        policy: &policy,
        images: Images::Auto,
        default_enabled: DefaultEnabled::Stay,
        kubernetes_versions: &KubernetesVersions::default(),
        values_from: &[],
        naming: &naming,
        to: Some(&"0.4.12".parse::<Version>().unwrap()),
        signatures: &Requirement::NotRequired(Unverified::Off),
        severities: &Severities::default(),
        budget: &Budget::default(),
        now: jiff::Timestamp::UNIX_EPOCH,
    };
    let members = vec![ProducerQuery { name: "images", input, releases: Releases::Observed(&mut known) }];
    let Ok(keys) = futures::executor::block_on(look_up(members)) else { return Ok(()) };
    let beside = Beside { references: beside, ..Beside::default() };
    let decided = keys.into_iter().map(|keys| Decided { input, known: &known, keys });
    let Ok(mut plans) = plan::write(decided.collect(), beside) else { return Ok(()) };
    let plan = plans.remove(0);
    let mut counts = counts.lock().unwrap();
    if !matches!(plan.verdict, Planned::Update { .. }) {
        counts.held += 1;
        return Ok(());
    }
    let before: BTreeMap<String, String> =
        world.files.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
    let mut after = before.clone();
    after.extend(plan.changes().into_iter().map(|(path, (_, text))| (path.to_owned(), text.to_string())));
    let (before, after_errors) = (world.errors(&before, &known), world.errors(&after, &known));
    let found = beyond(&before, after_errors.clone());
    let announced = counted(plan.findings.new_errors().map(identity));
    prop_assert_eq!(&announced, &found, "{:#?}\n{:#?}", world, after);
    let gone = beyond(&after_errors, before);
    let resolved =
        plan.findings.difference.resolved.iter().filter(|resolved| resolved.severity == Severity::Error);
    let resolved = counted(resolved.map(identity));
    prop_assert!(
        resolved.iter().all(|(error, count)| gone.get(error) >= Some(count)),
        "{:#?}\n{:#?}",
        resolved,
        gone
    );
    counts.updates += 1;
    counts.with_new += usize::from(!found.is_empty());
    counts.clean += usize::from(found.is_empty());
    found.into_iter().for_each(|([id, ..], count)| *counts.new.entry(id).or_default() += count);
    counts.resolved += resolved.len();
    counts.not_checked += usize::from(!plan.findings.not_checked.is_empty());
    Ok(())
}

#[test]
fn every_new_error_was_announced_and_nothing_else() {
    let counts = Mutex::new(Counts::default());
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    // The same worlds in every run, so that what is counted below is.
    let rng = TestRng::deterministic_rng(RngAlgorithm::default());
    let mut runner = TestRunner::new_with_rng(config, rng);
    runner.run(&world(), |world| hold_to_account(&world, &counts)).unwrap_or_else(|error| panic!("{error}"));
    let counts = counts.into_inner().unwrap();
    println!("new findings: {counts:?}");
    // The worlds are worth something only where all of this happens often.
    assert!(counts.updates > 700 && counts.with_new > 100 && counts.clean > 300, "{counts:?}");
    assert!(counts.resolved > 50 && counts.not_checked > 100, "{counts:?}");
    for id in ["dead-key", "kubernetes-version", "selector", "unknown-image-key"] {
        assert!(counts.new.get(id).is_some_and(|count| *count > 10), "{id}: {counts:?}");
    }
}
