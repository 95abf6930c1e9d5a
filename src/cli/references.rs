//! Local files that may name image keys.

use std::collections::BTreeSet;
use std::path::Path;

use super::failure::Failure;
use crate::disk::tree::files_below;
use crate::disk::values_file::ValuesFile;
use crate::reconcile::references::Globs;

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
