//! Files of `--references` that list images themselves: Helm lays them over the mapping, so each is judged as an overlay;
//! and those with a version of their own, which are of another release.

use super::mapping::judge_reference;
use super::notes::Notes;
use super::{CheckInputs, CheckedFile, FindingPlace, Id, Read, Reference, overlaid};
use crate::reconcile::references::{Here, KeysHere};
use crate::reconcile::{Ownership, Standing};
use crate::release::Release;
use crate::values::{Document, KeyPath, Mapping};

/// Where a HelmRelease has the values of its chart.
pub(super) const VALUES: [&str; 2] = ["spec", "values"];

/// The mappings of referenced files that are of the target's release.
pub(super) fn mappings<'a>(inputs: &CheckInputs<'a>) -> Vec<(&'a Reference<'a>, Mapping)> {
    let others = inputs.references.iter().filter(|file| !is_own(inputs, file.path));
    let ours = others.filter(|file| here(inputs, file.document).version.is_none());
    ours.filter_map(|file| Some((file, mapping(inputs, file.document)?))).collect()
}

/// A mapping at the place of the target's, from the top of the file or from the values of a HelmRelease.
fn mapping(inputs: &CheckInputs<'_>, document: &Document) -> Option<Mapping> {
    let path = &inputs.primary.mapping.path;
    let last = KeyPath(path.0.last().cloned().into_iter().collect());
    let below = KeyPath(VALUES.map(str::to_owned).to_vec()).below(&last.0);
    [path, &last, &below].into_iter().find_map(|path| document.mapping(path).ok().flatten())
}

/// How these mappings stand to the release.
pub(super) fn standings<'a>(
    inputs: &CheckInputs<'a>,
    mappings: &'a [(&'a Reference<'a>, Mapping)],
    ownership: &'a Ownership,
    wanted: &'a Release,
    primary: &Standing<'_>,
) -> Vec<(CheckedFile<'a>, Standing<'a>)> {
    let file = |(file, mapping): &'a (&'a Reference<'a>, Mapping)| CheckedFile {
        path: file.path,
        document: file.document,
        version: None,
        mapping,
    };
    let files = mappings.iter().map(file);
    files.map(|file| (file, overlaid(inputs, &file, ownership, wanted, primary))).collect()
}

/// Judges what these mappings list.
pub(super) fn judge(standings: &[(CheckedFile<'_>, Standing<'_>)], wanted: &Release, notes: &mut Notes) {
    for (file, standing) in standings {
        judge_reference(file, wanted, standing, notes);
    }
}

/// Whether a file is at a release of its own, so that the target's says nothing of it.
pub(super) fn has_own_version(inputs: &CheckInputs<'_>, read: &Read<'_>, notes: &mut Notes) -> bool {
    if is_own(inputs, read.path) {
        return false;
    }
    let version = here(inputs, read.document).version;
    if let Some(at) = version {
        let place = FindingPlace { at, ..FindingPlace::of_file(read.path.to_owned()) };
        notes.skip(Id::UnknownImageKey, place, "the file names a version of its own");
    }
    version.is_some()
}

fn is_own(inputs: &CheckInputs<'_>, path: &str) -> bool {
    inputs.primary.path == path || inputs.overlays.iter().any(|overlay| overlay.path == path)
}

fn here<'d>(inputs: &CheckInputs<'_>, document: &'d Document) -> Here<'d> {
    let version = inputs.primary.version.and_then(|(path, _)| path.0.last()).map(String::as_str);
    let mapping = inputs.primary.mapping.path.0.last().map(String::as_str);
    let (version, mapping): (Vec<&str>, Vec<&str>) =
        (version.into_iter().collect(), mapping.into_iter().collect());
    Here::read(document, KeysHere { version: &version, mapping: &mapping }, inputs.ownership)
}
