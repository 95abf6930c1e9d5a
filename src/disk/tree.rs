//! The files below a folder of this machine.

use std::path::Path;

use super::values_file::FileError;

/// The paths of all files below a folder, in order; none if there is no such folder. Symbolic links and what Git keeps
/// for itself are left out. A path begins with the folder, unless that is the working directory (the empty path).
///
/// # Errors
/// A folder that cannot be read.
pub fn files_below(folder: &str) -> Result<Vec<String>, FileError> {
    let place = if folder.is_empty() { Path::new(".") } else { Path::new(folder) };
    if !place.is_dir() {
        return Ok(Vec::new());
    }
    let failed = |error| FileError::Read(place.to_owned(), error);
    let mut entries: Vec<_> =
        std::fs::read_dir(place).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut files = Vec::new();
    for entry in entries {
        let kind = entry.file_type().map_err(failed)?;
        // No glob matches what is no UTF-8.
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        if kind.is_file() {
            files.push(path);
        } else if kind.is_dir() && name != ".git" {
            files.extend(files_below(&path)?);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_what_git_keeps_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        for path in [".git", "a/b"] {
            std::fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        for path in [".git/config", "a/b/c.yaml", "a/x.yaml", "z.yaml"] {
            std::fs::write(folder.path().join(path), "").unwrap();
        }
        std::os::unix::fs::symlink("z.yaml", folder.path().join("link.yaml")).unwrap();
        std::os::unix::fs::symlink("a", folder.path().join("folder")).unwrap();
        let below = |path: &str| format!("{root}/{path}");
        let expected = ["a/b/c.yaml", "a/x.yaml", "z.yaml"].map(below);
        assert_eq!(files_below(root).unwrap(), expected);
        assert_eq!(files_below(&below("none")).unwrap(), [""; 0]);
    }
}
