//! Where a file stands in a checkout, for what works on checkouts.

use std::path::{Path, PathBuf};

/// The path by which a patch names a file, so that `git apply` finds it: from the working directory where the file is below
/// it, else from the top of the file's checkout, and outside of any checkout from the file's own folder.
pub fn path_in_patch(path: &Path) -> PathBuf {
    let Ok(file) = std::fs::canonicalize(path) else { return path.to_owned() };
    let here = std::fs::canonicalize(".").ok().filter(|here| file.starts_with(here));
    let top = || file.ancestors().skip(1).find(|folder| folder.join(".git").exists());
    let from = here.as_deref().or_else(top).or(file.parent());
    from.and_then(|from| file.strip_prefix(from).ok()).unwrap_or(&file).to_owned()
}
