//! What is noted while checking, before severities and ignores are applied.

use std::collections::BTreeSet;
use std::ops::Range;

use super::finding::GenerationImage;
use super::{Finding, FindingPlace, Fix, Id, Skipped};
use crate::values::{Document, KeyPath, Position};

/// So often images are held against a selector, a version or a key in one check; real files ask some thousand times.
const MOST_COMPARED: usize = 500_000;

/// Why something was not judged.
pub(super) const TOO_MANY: &str = "the files name more images, versions and selectors than are compared";

/// Findings and gaps.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) findings: Vec<Finding>,
    pub(super) unknown: Vec<String>,
    pub(super) skipped: Vec<Skipped>,
    /// Kinds that could not be decided, beside what was skipped.
    pub(super) undecided: BTreeSet<Id>,
    /// What is chosen of generations.
    pub(super) chosen: BTreeSet<GenerationImage>,
    /// Where something was noted.
    noted: BTreeSet<(Id, Position)>,
    compared: usize,
}

/// A finding in the making.
#[derive(Debug)]
pub(super) struct PendingFinding {
    pub(super) id: Id,
    pub(super) place: FindingPlace,
    pub(super) subject: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) fix: Option<Fix>,
}

impl Notes {
    pub(super) fn find(&mut self, note: PendingFinding) {
        let PendingFinding { id, place, subject, message, help, fix } = note;
        let severity = id.default_severity();
        self.noted.insert((id, place.at));
        self.findings.push(Finding { id, severity, place, message, help, subject, fix });
    }

    /// The same, unless it was found there before.
    pub(super) fn find_once(&mut self, note: PendingFinding) {
        let is_same = |finding: &Finding| finding.id == note.id && finding.place == note.place;
        let is_noted = self.noted.contains(&(note.id, note.place.at));
        if !(is_noted && self.findings.iter().any(is_same)) {
            self.find(note);
        }
    }

    /// Whether so many images may still be looked at; else it is [`TOO_MANY`].
    pub(super) fn may_compare(&mut self, images: usize) -> bool {
        self.compared = self.compared.saturating_add(images);
        self.compared <= MOST_COMPARED
    }

    /// Whether findings of a kind may have been missed: an ignore of them may be of use another time.
    pub(super) fn may_lack(&self, id: Id) -> bool {
        self.undecided.contains(&id) || self.skipped.iter().any(|skipped| skipped.id == id)
    }

    pub(super) fn skip(&mut self, id: Id, place: FindingPlace, why: impl Into<String>) {
        let is_new = self.noted.insert((id, place.at));
        let skipped = Skipped { place, id, why: why.into() };
        if is_new || !self.skipped.contains(&skipped) {
            self.skipped.push(skipped);
        }
    }
}

/// The place of some bytes of a file, as far as they are on one line.
pub(super) fn place(path: &str, document: &Document, key: KeyPath, span: Range<usize>) -> FindingPlace {
    let text = document.text().get(span.clone()).unwrap_or_default();
    let length = text.lines().next().unwrap_or_default().chars().count().max(1);
    FindingPlace { path: path.to_owned(), key, at: document.position(span.start), length }
}
