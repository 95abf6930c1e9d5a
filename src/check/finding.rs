//! What a check found: findings with their places, and what it could not tell.

use std::collections::{BTreeMap, BTreeSet};

use super::{Id, Severity};
use crate::values::{Change, KeyPath, Position};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Findings that count, by file, line and column.
    pub findings: Vec<Finding>,
    /// Findings that a comment ignores, with its reason.
    pub ignored: Vec<Ignored>,
    /// Why something could not be told; each is a sentence fragment. A retry may help.
    pub unknown: Vec<String>,
    /// What was not looked at, and why.
    pub skipped: Vec<Skipped>,
    /// Kinds of which not every finding could be told: that one is not there says nothing.
    pub undecided: BTreeSet<Id>,
    /// What machines, and what is served, choose of generations.
    pub chosen: BTreeSet<GenerationImage>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub id: Id,
    /// How much it matters.
    pub severity: Severity,
    /// Where it is.
    pub place: FindingPlace,
    /// What is wrong.
    pub message: String,
    /// What a person may do.
    pub help: Option<String>,
    /// What it speaks of, which stays the same when lines move: a key, a path, a version.
    pub subject: String,
    /// A change that puts it right and says nothing else.
    pub fix: Option<Fix>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingPlace {
    /// The file.
    pub path: String,
    /// The keys from the top of the file down to it; none for a comment.
    pub key: KeyPath,
    /// Where it begins.
    pub at: Position,
    /// How many characters of the line it has, at least 1.
    pub length: usize,
}

/// A change that puts a finding right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as in "rename `a` to `b`".
    pub description: String,
    /// The change, of the finding's file.
    pub change: Change,
    /// A key that the mapping gets, which a chart's schema must allow.
    pub new_key: Option<String>,
}

/// A finding that a comment ignores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The finding.
    pub finding: Finding,
    /// The comment's reason.
    pub reason: String,
}

/// A listed name, and the generation that it is chosen of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GenerationImage {
    /// The generation's entry of the registries.
    pub generation: String,
    /// The name.
    pub key: String,
}

/// An image that a generation does not publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LackedImage {
    /// The image.
    pub image: GenerationImage,
    /// Where it was looked for: `<registry>:<release>`.
    pub release: String,
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub place: FindingPlace,
    /// What would have been looked for.
    pub id: Id,
    /// Why it was not, as a sentence fragment.
    pub why: String,
}

impl Report {
    /// A report of one finding: of a file that cannot be read any further.
    pub fn only(finding: Finding) -> Self {
        Self { findings: vec![finding], ..Self::default() }
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Whether a finding would be here if it were still true: nothing kept this report from telling.
    fn would_have(&self, finding: &Finding) -> bool {
        let is_skipped = |skipped: &Skipped| {
            (skipped.id, &skipped.place.path, &skipped.place.key)
                == (finding.id, &finding.place.path, &finding.place.key)
        };
        !self.undecided.contains(&finding.id) && !self.skipped.iter().any(is_skipped)
    }

    /// Adds what was found elsewhere, perhaps in the same files: what is known already is not said again.
    pub fn extend(&mut self, other: Self) {
        extend(&mut self.findings, other.findings, Finding::is_same);
        extend(&mut self.ignored, other.ignored, |a, b| a.finding.is_same(&b.finding));
        extend(&mut self.unknown, other.unknown, String::eq);
        extend(&mut self.skipped, other.skipped, Skipped::eq);
        self.undecided.extend(other.undecided);
        self.chosen.extend(other.chosen);
    }
}

/// What two reports of the same files differ in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingsDifference {
    /// Findings of the later report that are not in the earlier one.
    pub new: Vec<Finding>,
    /// Findings of the earlier report that are gone; what could not be judged any more is not gone.
    pub resolved: Vec<Finding>,
}

/// What a finding is, wherever its line has gone and however it is worded: its kind, file, keys and subject.
type Identity<'a> = (Id, &'a str, &'a KeyPath, &'a str);

impl FindingsDifference {
    /// Compares two reports. One identity may be there several times, in a list of values; each time counts.
    pub fn between(before: &Report, after: &Report) -> Self {
        let mut resolved = beyond(&before.findings, &after.findings);
        resolved.retain(|finding| after.would_have(finding));
        Self { new: beyond(&after.findings, &before.findings), resolved }
    }
}

/// Those of the findings that the others do not have.
fn beyond(findings: &[Finding], others: &[Finding]) -> Vec<Finding> {
    let mut known: BTreeMap<Identity<'_>, usize> = BTreeMap::new();
    for other in others {
        *known.entry(other.identity()).or_default() += 1;
    }
    let mut beyond = Vec::new();
    for finding in findings {
        match known.get_mut(&finding.identity()) {
            Some(left) if *left > 0 => *left -= 1,
            _ => beyond.push(finding.clone()),
        }
    }
    beyond
}

fn extend<T>(all: &mut Vec<T>, others: Vec<T>, is_same: impl Fn(&T, &T) -> bool) {
    let known = all.len();
    for other in others {
        if !all[..known].iter().any(|one| is_same(one, &other)) {
            all.push(other);
        }
    }
}

impl FindingPlace {
    /// A file as a whole.
    pub fn of_file(path: String) -> Self {
        Self { path, key: KeyPath::default(), at: Position { line: 1, column: 1 }, length: 1 }
    }
}

impl Finding {
    fn identity(&self) -> Identity<'_> {
        (self.id, &self.place.path, &self.place.key, &self.subject)
    }

    /// Whether both say the same of the same place, however they say it.
    fn is_same(&self, other: &Self) -> bool {
        (self.id, &self.place, &self.subject) == (other.id, &other.place, &other.subject)
    }

    /// A finding of a key that is written twice with different values, so that the rest of the file says nothing.
    pub fn contradiction(
        path: &str,
        key: &KeyPath,
        first: Position,
        second: Position,
        severity: Severity,
    ) -> Self {
        let name = key.0.last().map(String::as_str).unwrap_or_default();
        Self {
            id: Id::DuplicateKey,
            severity,
            place: FindingPlace {
                path: path.to_owned(),
                key: key.clone(),
                at: second,
                length: name.chars().count().max(1),
            },
            message: format!("`{name}` is written twice with different values, first at {first}"),
            help: Some("remove one of them; nothing else was checked".to_owned()),
            subject: name.to_owned(),
            fix: None,
        }
    }
}
