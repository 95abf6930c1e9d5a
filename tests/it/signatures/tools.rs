//! Vectors by real tools: cosign 2 and 3, oras, a registry with the referrers API and one without.
//!
//! The committed ones are always checked. Where the tools are there (`tests/vectors/install`), they are made again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use dibump::release::Digest;
use dibump::signature::{Evidence, Keys, Layout, Verdict, verify, wanted_blobs};
use serde::Deserialize;

use super::{keys, read, vectors};

const TOOLS: [&str; 5] = ["cosign2", "cosign3", "oras", "registry-with-referrers", "docker-registry"];
const FOLDER: &str = "DIBUMP_SIGNATURE_TOOLS";

#[derive(Deserialize)]
struct Vectors {
    tools: BTreeMap<String, String>,
    keys: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    subject: String,
    evidence: Vec<Held>,
    /// What each version says with each key.
    cosign: BTreeMap<String, BTreeMap<String, String>>,
    /// What we are to say with each key.
    expected: BTreeMap<String, Expected>,
    stricter_because: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Held {
    layout: String,
    manifest: String,
    blobs: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase", deny_unknown_fields)]
enum Expected {
    Verified { layout: String },
    Unsigned,
    Bad { why: Vec<String> },
}

impl Held {
    /// As an adapter would have fetched it: only the blobs that were asked for.
    pub(super) fn evidence(&self) -> Evidence {
        let layout = layout(&self.layout);
        let wanted = wanted_blobs(layout, self.manifest.as_bytes()).unwrap();
        let blob = |digest: &Digest| Some(self.blobs.get(digest.as_str())?.as_bytes().to_vec());
        let blobs = wanted.iter().filter_map(|wanted| Some((wanted.digest.clone(), blob(&wanted.digest)?)));
        Evidence { layout, manifest: self.manifest.as_bytes().to_vec(), blobs: blobs.collect() }
    }
}

fn layout(name: &str) -> Layout {
    match name {
        "classic" => Layout::Classic,
        "bundle" => Layout::Bundle,
        other => panic!("layout {other}"),
    }
}

impl Case {
    fn verdict(&self, keys: &Keys) -> Verdict {
        let evidence: Vec<Evidence> = self.evidence.iter().map(Held::evidence).collect();
        verify(&self.subject.parse().unwrap(), &evidence, keys)
    }

    fn is_accepted_by_cosign(&self, key: &str) -> bool {
        self.cosign.values().any(|says| says[key] == "accepted")
    }
}

/// Every verdict is the expected one, and is cosign's where we are not stricter on purpose.
fn check(vectors: &Vectors) {
    for case in &vectors.cases {
        let mut is_stricter = false;
        for (key, pem) in &vectors.keys {
            let verdict = case.verdict(&keys(&[pem]));
            is_as_expected(&case.name, &case.expected[key], &verdict);
            match (verdict.is_verified(), case.is_accepted_by_cosign(key)) {
                (true, false) => panic!("{}: verified, and no cosign accepts it", case.name),
                (false, true) => is_stricter = true,
                _ => {}
            }
        }
        assert_eq!(is_stricter, case.stricter_because.is_some(), "{}: stricter than cosign?", case.name);
    }
}

fn is_as_expected(name: &str, expected: &Expected, verdict: &Verdict) {
    let agrees = match (expected, verdict) {
        (Expected::Verified { layout: expected }, Verdict::Verified(proof)) => {
            proof.layout() == layout(expected)
        }
        (Expected::Unsigned, Verdict::Unsigned) => true,
        (Expected::Bad { why }, Verdict::Bad(rejections)) => {
            why.len() == rejections.len()
                && why.iter().all(|why| rejections.iter().any(|r| r.to_string().contains(why)))
        }
        _ => false,
    };
    assert!(agrees, "{name}: expected {expected:?}, not {verdict:?}");
}

#[test]
fn the_verdicts_on_what_real_tools_made_are_ours_and_cosigns() {
    let committed: Vectors = read(&vectors().join("real-tools.json"));
    assert_eq!(committed.tools.len(), TOOLS.len());
    assert!(committed.cases.len() > 50);
    check(&committed);
    let report = match missing_tool() {
        Some(tool) => format!("{} committed cases checked; not made again: no {tool}", committed.cases.len()),
        None => {
            let again = made_again();
            check(&again);
            is_the_same_but_for_the_keys(&committed, &again);
            format!(
                "{} committed cases checked, and made again with {:?}",
                committed.cases.len(),
                again.tools
            )
        }
    };
    // Written past the capture of the test's output: it says what this run was worth.
    writeln!(std::io::stderr(), "signature vectors: {report}").unwrap();
}

/// Another run of the same tools has the same cases, and cosign says the same of them.
fn is_the_same_but_for_the_keys(committed: &Vectors, again: &Vectors) {
    let accepted = |vectors: &Vectors| -> Vec<(String, Vec<bool>)> {
        let says = |case: &Case| vectors.keys.keys().map(|key| case.is_accepted_by_cosign(key)).collect();
        vectors.cases.iter().map(|case| (case.name.clone(), says(case))).collect()
    };
    assert_eq!(accepted(committed), accepted(again));
}

fn made_again() -> Vectors {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vectors.json");
    let made = Command::new(vectors().join("make")).arg(&file).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    read(&file)
}

fn missing_tool() -> Option<&'static str> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folder = std::env::var_os(FOLDER).map(PathBuf::from);
    let usual = ["/usr/bin", "/usr/sbin"].map(PathBuf::from);
    let folders: Vec<PathBuf> = folder.into_iter().chain(std::env::split_paths(&path)).chain(usual).collect();
    let is_there = |tool: &str| folders.iter().any(|folder: &PathBuf| Path::new(folder).join(tool).is_file());
    TOOLS.into_iter().find(|tool| !is_there(tool))
}
