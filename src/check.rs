//! Whether a values file is in step with the release that it names: values in, findings out.
//!
//! A finding says only what was proven. A key of a release that is known in part is not dead because nobody saw it, and
//! a selector over images whose annotations were not read chooses neither none nor several. What could not be told is in
//! [`Report::unknown`], what was not looked at in [`Report::skipped`]. Nothing here edits: a [`Fix`] is a change for the
//! room `values` to make.

mod finding;
mod id;
mod identity;
mod ignore;
mod image_key;
mod images;
mod kubernetes;
mod mapping;
mod notes;
mod places;
mod references;
mod selector;
mod signatures;
mod version;

use std::collections::BTreeMap;

use crate::reconcile::{Images, Inputs as Reconciled, Ownership, Standing, overlay_standing, standing};
use crate::release::{ImageKey, Naming, Release, Version};
use crate::signature::{Requirement, Verdict};
use crate::values::{Document, Field, KeyPath, Mapping, Scalar};

pub use finding::{Difference, Finding, Fix, Ignored, Place, Report, Skipped};
pub use id::{Id, InvalidSetting, Severities, Severity, UnknownId, severity_setting};

use images::Shelf;
use notes::Notes;

/// What is checked, and what is known.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The file that holds version and mapping.
    pub primary: File<'a>,
    /// Overlays of its mapping.
    pub overlays: &'a [File<'a>],
    /// Other files that speak of images.
    pub references: &'a [Reference<'a>],
    /// The release that the file names.
    pub named: Named<'a>,
    /// The release before it, where it is known: it says which lines are new under the policy `follow`.
    pub previous: Option<&'a Release>,
    /// Whose entries those of the mapping are.
    pub ownership: &'a Ownership,
    /// Which keys the mapping should list.
    pub images: Images,
    /// How names are read.
    pub naming: &'a Naming,
    /// What is to be said of the signatures of the images that were asked for; empty where none was.
    pub signatures: &'a BTreeMap<ImageKey, Verdict>,
    /// What is required of them.
    pub requirement: &'a Requirement,
    /// How severe each kind of finding is.
    pub severities: &'a Severities,
}

/// A file with a mapping of image keys.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its path, as findings name it.
    pub path: &'a str,
    /// Its text with spans.
    pub document: &'a Document,
    /// Where its version stands, if it has one.
    pub version: Option<&'a (KeyPath, Scalar)>,
    /// Its mapping.
    pub mapping: &'a Mapping,
}

/// A file that speaks of images, and may list some of its own.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// Its path, as findings name it.
    pub path: &'a str,
    /// Its text with spans.
    pub document: &'a Document,
}

/// The release that the file names.
#[derive(Debug, Clone, Copy)]
pub enum Named<'a> {
    /// A release, as far as it is known.
    Release(&'a Release),
    /// A snapshot: somebody pinned the file to something that is no release.
    Pinned(&'a Version),
}

/// A file with the fields that speak of images, walked through once.
struct Read<'a> {
    path: &'a str,
    document: &'a Document,
    fields: Vec<Field<'a>>,
}

/// Checks everything. Findings come by file, line and column.
pub fn check(inputs: &Inputs<'_>) -> Report {
    let mut notes = Notes::default();
    let wanted = version::judge(inputs, &mut notes);
    let reads = reads(inputs);
    let primary = standing(&reconciled(inputs, &inputs.primary, &wanted));
    let ownership = inputs.ownership.settled_by(inputs.primary.mapping);
    let overlays: Vec<Standing<'_>> = inputs
        .overlays
        .iter()
        .map(|overlay| overlaid(inputs, overlay, &ownership, &wanted, &primary))
        .collect();
    mapping::judge(inputs, &wanted, &primary, &reads, &mut notes);
    for (file, standing) in inputs.overlays.iter().zip(&overlays) {
        mapping::judge_overlay(file, &wanted, standing, &reads, &mut notes);
    }
    let mappings = references::mappings(inputs);
    let of_references = references::standings(inputs, &mappings, &ownership, &wanted, &primary);
    references::judge(&of_references, &wanted, &mut notes);
    signatures::judge(inputs, &primary, &mut notes);
    for (file, standing) in
        std::iter::once((&inputs.primary, &primary)).chain(inputs.overlays.iter().zip(&overlays))
    {
        identity::judge(file, &wanted, standing, inputs.naming, &mut notes);
    }
    for (i, read) in reads.iter().enumerate() {
        if references::has_own_version(inputs, read, &mut notes) {
            continue;
        }
        // Helm lays a file over the target's own ones: what another environment lists is not there.
        let own =
            of_references.iter().filter(|(file, _)| file.path == read.path).map(|(_, standing)| standing);
        let standings: Vec<&Standing<'_>> = std::iter::once(&primary).chain(&overlays).chain(own).collect();
        // The first is the primary: what it adds to the mapping is there for every other file.
        let own: Vec<&Read<'_>> = reads.iter().take(1).chain((i > 0).then_some(read)).collect();
        let shelf = Shelf::new(&wanted, &standings).with_own_images(&own);
        kubernetes::judge(read, &shelf, &mut notes);
        image_key::judge(read, &shelf, &mut notes);
        selector::judge(read, &shelf, &mut notes);
    }
    ignore::report(&reads, notes, &signatures::severities(inputs))
}

fn overlaid<'a>(
    inputs: &Inputs<'a>,
    file: &File<'a>,
    ownership: &'a Ownership,
    wanted: &'a Release,
    primary: &Standing<'_>,
) -> Standing<'a> {
    overlay_standing(&Reconciled { ownership, ..reconciled(inputs, file, wanted) }, primary)
}

fn reconciled<'a>(inputs: &Inputs<'a>, file: &File<'a>, wanted: &'a Release) -> Reconciled<'a> {
    Reconciled {
        mapping: file.mapping,
        ownership: inputs.ownership,
        current: inputs.previous,
        wanted,
        images: inputs.images,
        naming: inputs.naming,
    }
}

/// Every file, once each: one that is an overlay may be named as a reference too.
fn reads<'a>(inputs: &Inputs<'a>) -> Vec<Read<'a>> {
    let files = std::iter::once(&inputs.primary).chain(inputs.overlays);
    let files = files.map(|file| (file.path, file.document));
    let mut reads: Vec<Read<'a>> = Vec::new();
    for (path, document) in files.chain(inputs.references.iter().map(|file| (file.path, file.document))) {
        if reads.iter().all(|read| read.path != path) {
            reads.push(Read::new(path, document));
        }
    }
    reads
}

#[cfg(test)]
mod tests;
