//! Whether a values file is in step with the release that it names: values in, findings out.
//!
//! A finding says only what was proven. A key of a release that is known in part is not dead because nobody saw it, and
//! a selector over images whose annotations were not read chooses neither none nor several. What could not be told is in
//! [`Report::unknown`], what was not looked at in [`Report::skipped`]. Nothing here edits: a [`Fix`] is a change for the
//! room `values` to make.

mod agreement;
mod deployment;
mod finding;
mod generation;
mod id;
mod identity;
mod ignore;
mod image_key;
mod images;
mod kubernetes;
mod list_value;
mod mapping;
mod notes;
mod places;
mod references;
mod selector;
mod signatures;
mod values;
mod version;

use std::collections::BTreeMap;

use crate::reconcile::{
    DefaultEnabled, Images, Inputs as Reconciled, Ownership, Standing, overlay_standing, standing,
};
use crate::release::{ImageKey, Naming, Release, Version};
use crate::signature::{Requirement, Verdict};
use crate::values::{Document, Field, KeyPath, Mapping, Scalar};

pub use finding::{
    Finding, FindingPlace, FindingsDifference, Fix, GenerationImage, Ignored, LackedImage, Report, Skipped,
};
pub use id::{Id, InvalidSeverity, Severities, Severity, UnknownId, severity_setting};
pub use list_value::KnownValue;

use deployment::{CheckedDeployment, Extent};
use images::ImageShelf;
use notes::Notes;

/// What is checked, and what is known.
#[derive(Debug, Clone, Copy)]
pub struct CheckInputs<'a> {
    /// The file that holds version and mapping.
    pub primary: CheckedFile<'a>,
    /// Overlays of its mapping.
    pub overlays: &'a [CheckedFile<'a>],
    /// Other files that speak of images.
    pub references: &'a [Reference<'a>],
    /// The paths of the files that are one deployment, in the order in which Helm merges them; none where each file is
    /// for itself.
    pub deployment: &'a [String],
    /// The release that the file names.
    pub named: NamedRelease<'a>,
    /// The release before it, where it is known: it says which lines are new under the policy `follow`.
    pub previous: Option<&'a Release>,
    /// Whose entries those of the mapping are.
    pub ownership: &'a Ownership,
    /// The releases of other producers of the mapping that the files name, as far as they are known.
    pub others: &'a [OtherRelease<'a>],
    /// Which keys the mapping should list.
    pub images: Images,
    /// How names are read.
    pub naming: &'a Naming,
    /// What is to be said of the signatures of the images that were asked for; empty where none was.
    pub signatures: &'a BTreeMap<ImageKey, Verdict>,
    /// What is required of them.
    pub requirement: &'a Requirement,
    /// What lists say of Kubernetes versions of the images; empty where none was read.
    pub values: &'a [KnownValue],
    /// Images that are chosen of generations and that these do not publish, as far as it was asked.
    pub lacking: &'a [LackedImage],
    /// How severe each kind of finding is.
    pub severities: &'a Severities,
}

/// The release of another producer of the mapping.
#[derive(Debug, Clone, Copy)]
pub struct OtherRelease<'a> {
    /// Which of the entries are its.
    pub ownership: &'a Ownership,
    /// What is known of the release.
    pub release: &'a Release,
}

/// A file with a mapping of image keys.
#[derive(Debug, Clone, Copy)]
pub struct CheckedFile<'a> {
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
pub enum NamedRelease<'a> {
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
pub fn check(inputs: &CheckInputs<'_>) -> Report {
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
    agreement::judge(inputs, &primary, &overlays, &mut notes);
    list_value::judge(inputs, &mut notes);
    for (file, standing) in
        std::iter::once((&inputs.primary, &primary)).chain(inputs.overlays.iter().zip(&overlays))
    {
        identity::judge(file, &wanted, standing, inputs.naming, &mut notes);
    }
    let one = inputs.deployment.iter().filter_map(|path| reads.iter().find(|read| read.path == *path));
    let one: Vec<&Read<'_>> = one.collect();
    let together =
        Some(&one).filter(|one| !one.is_empty()).and_then(|one| CheckedDeployment::of(one, Extent::Whole));
    let standings = |of: &dyn Fn(&str) -> bool| -> Vec<&Standing<'_>> {
        let own = of_references.iter().filter(|(file, _)| of(file.path)).map(|(_, standing)| standing);
        std::iter::once(&primary).chain(&overlays).chain(own).collect()
    };
    for (i, read) in reads.iter().enumerate() {
        if together.is_none() && references::has_own_version(inputs, read, &mut notes) {
            continue;
        }
        // Helm lays a file over the target's own ones: what another environment lists is not there.
        let alone = ImageShelf::new(&wanted, &standings(&|path| path == read.path));
        // The first is the primary: what it adds to the mapping is there for every other file.
        let beside: Vec<&Read<'_>> = reads.iter().take(1).chain((i > 0).then_some(read)).collect();
        let alone = alone.with_own_images(&beside);
        let Some(deployment) = &together else {
            kubernetes::judge(read, None, [&alone, &alone], &mut notes);
            image_key::judge(read, &alone, &mut notes);
            let lists_images = of_references.iter().any(|(file, _)| file.path == read.path);
            judge_file(inputs, &reads, i, lists_images, &alone, &mut notes);
            continue;
        };
        let all = ImageShelf::new(&wanted, &standings(&|_| true)).with_own_images(&one);
        // A map is for all clusters of its chart, whatever one of them lists besides.
        let of_chart = if i == 0 { ImageShelf::new(&wanted, &[&primary]) } else { alone };
        kubernetes::judge(read, Some(deployment), [&of_chart, &all], &mut notes);
        image_key::judge(read, &all, &mut notes);
        if i == 0 {
            selector::judge(deployment, &all, &mut notes);
            generation::judge(deployment, &all, inputs.lacking, &mut notes);
            values::judge(deployment, &all, &mut notes);
        }
    }
    ignore::report(&reads, notes, &signatures::severities(inputs))
}

/// Judges what a file chooses: the target's own as a deployment, any other by itself and laid over the target's. One that
/// lists images may be for another Kubernetes than the target's.
fn judge_file(
    inputs: &CheckInputs<'_>,
    reads: &[Read<'_>],
    i: usize,
    lists_images: bool,
    shelf: &ImageShelf,
    notes: &mut Notes,
) {
    let (primary, read) = (&reads[0], &reads[i]);
    let is_overlay = inputs.overlays.iter().any(|overlay| overlay.path == read.path);
    let files: &[(&[&Read<'_>], Extent)] = match (i, is_overlay) {
        (0, _) => &[(&[primary], Extent::Whole)],
        (_, true) => &[(&[primary, read], Extent::Whole)],
        (_, false) => &[(&[read], Extent::Part), (&[primary, read], Extent::Laid)],
    };
    for (files, extent) in files {
        let Some(deployment) = CheckedDeployment::of(files, *extent) else { continue };
        if *extent != Extent::Laid || !lists_images {
            selector::judge(&deployment, shelf, notes);
        }
        generation::judge(&deployment, shelf, inputs.lacking, notes);
        values::judge(&deployment, shelf, notes);
    }
}

fn overlaid<'a>(
    inputs: &CheckInputs<'a>,
    file: &CheckedFile<'a>,
    ownership: &'a Ownership,
    wanted: &'a Release,
    primary: &Standing<'_>,
) -> Standing<'a> {
    overlay_standing(&Reconciled { ownership, ..reconciled(inputs, file, wanted) }, primary)
}

fn reconciled<'a>(inputs: &CheckInputs<'a>, file: &CheckedFile<'a>, wanted: &'a Release) -> Reconciled<'a> {
    Reconciled {
        mapping: file.mapping,
        ownership: inputs.ownership,
        current: inputs.previous,
        wanted,
        images: inputs.images,
        default_enabled: DefaultEnabled::Stay,
        naming: inputs.naming,
    }
}

/// Every file, once each: one that is an overlay may be named as a reference too.
fn reads<'a>(inputs: &CheckInputs<'a>) -> Vec<Read<'a>> {
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
