//! Local files that may name image keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::failure::Failure;
use crate::disk::tree::files_below;
use crate::disk::values_file::ValuesFile;
use crate::plan::{Plan, Request};
use crate::reconcile::references::Globs;
use crate::release::choice::Known;

/// Follows the moves of image keys in the local files below the working directory that the globs match, and gives the
/// files as they were read. `own` are the target's own files.
pub(super) fn follow(
    globs: &Globs,
    own: &[ValuesFile],
    request: Request<'_>,
    known: &Known,
    plan: &mut Plan,
) -> Result<Vec<ValuesFile>, Failure> {
    if globs.is_empty() || !plan.is_change() {
        return Ok(Vec::new());
    }
    let files = matched(globs, own)?;
    let contents: BTreeMap<String, Vec<u8>> =
        files.iter().map(|file| (file.path.display().to_string(), file.bytes.clone())).collect();
    plan.follow(request, known, contents)?;
    Ok(files)
}

/// The files below the working directory that the globs match, but for the target's own.
pub(super) fn matched(globs: &Globs, own: &[ValuesFile]) -> Result<Vec<ValuesFile>, Failure> {
    let mut paths = BTreeSet::new();
    for folder in globs.folders() {
        paths.extend(files_below(&folder)?.into_iter().filter(|path| globs.match_path(path)));
    }
    let files = paths.iter().map(|path| ValuesFile::read(Path::new(path)));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| !own.iter().any(|own| own.is_same_file(file)));
    Ok(files)
}
