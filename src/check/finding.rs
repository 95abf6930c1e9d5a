//! What a check found: findings with their places, and what it could not tell.

use super::{Id, Severity};
use crate::values::{Change, Position};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Findings that count, by file, line and column.
    pub findings: Vec<Finding>,
    /// Findings that a comment ignores, with its reason.
    pub ignored: Vec<Ignored>,
    /// Why something could not be told; each is a sentence fragment. A retry may help.
    pub unknown: Vec<String>,
    /// What was not looked at, and why.
    pub skipped: Vec<Skipped>,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub id: Id,
    /// How much it matters.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
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
pub struct Place {
    /// The file.
    pub path: String,
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

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Where it is.
    pub place: Place,
    /// What would have been looked for.
    pub id: Id,
    /// Why it was not, as a sentence fragment.
    pub why: String,
}

impl Report {
    /// A report of one finding: of a file that cannot be read any further.
    pub fn only(finding: Finding) -> Self {
        Self { findings: vec![finding], ignored: Vec::new(), unknown: Vec::new(), skipped: Vec::new() }
    }

    /// How many findings have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Adds what was found elsewhere, perhaps in the same files: what is known already is not said again.
    pub fn extend(&mut self, other: Self) {
        extend(&mut self.findings, other.findings, Finding::is_same);
        extend(&mut self.ignored, other.ignored, |a, b| a.finding.is_same(&b.finding));
        extend(&mut self.unknown, other.unknown, String::eq);
        extend(&mut self.skipped, other.skipped, Skipped::eq);
    }
}

fn extend<T>(all: &mut Vec<T>, others: Vec<T>, is_same: impl Fn(&T, &T) -> bool) {
    let known = all.len();
    for other in others {
        if !all[..known].iter().any(|one| is_same(one, &other)) {
            all.push(other);
        }
    }
}

impl Finding {
    /// Whether both say the same of the same place, however they say it.
    fn is_same(&self, other: &Self) -> bool {
        (self.id, &self.place, &self.subject) == (other.id, &other.place, &other.subject)
    }

    /// A finding of a key that is written twice with different values, so that the rest of the file says nothing.
    pub fn contradiction(
        path: &str,
        key: &str,
        first: Position,
        second: Position,
        severity: Severity,
    ) -> Self {
        Self {
            id: Id::DuplicateKey,
            severity,
            place: Place { path: path.to_owned(), at: second, length: key.chars().count().max(1) },
            message: format!("`{key}` is written twice with different values, first at {first}"),
            help: Some("remove one of them; nothing else was checked".to_owned()),
            subject: key.to_owned(),
            fix: None,
        }
    }
}
