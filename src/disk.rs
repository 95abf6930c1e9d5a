//! Adapter: files on this machine. The only room that touches the file system.
#![expect(clippy::disallowed_methods, reason = "the one room that touches files")]

pub mod cache;
pub mod releases;
pub mod values_file;

use std::path::{Path, PathBuf};

use values_file::{FileError, ValuesFile};

/// The text of a configuration or certificate file, at most as large as a values file may be.
pub fn read_small(path: &Path) -> Result<Vec<u8>, FileError> {
    ValuesFile::read(path).map(|file| file.bytes)
}

/// Whether there is something at `path`.
pub fn exists(path: &Path) -> bool {
    path.exists()
}

/// Writes a report; one that is there is replaced.
pub fn write_report(path: &Path, text: &str) -> Result<(), FileError> {
    // Whoever uploads it may be another user, so that it gets the usual mode of a new file.
    std::fs::write(path, text).map_err(|error| FileError::WriteReport(path.to_owned(), error))
}

/// The files below the working directory whose path from there matches one of the globs, by name. Hidden folders are
/// passed over, and links are not followed.
pub fn matching(globs: &globset::GlobSet) -> Result<Vec<PathBuf>, FileError> {
    let mut found = Vec::new();
    walk(Path::new("."), globs, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, globs: &globset::GlobSet, found: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let failed = |error| FileError::Read(folder.to_owned(), error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let path = path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
        let kind = entry.file_type().map_err(failed)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if kind.is_dir() && !hidden {
            walk(&path, globs, found)?;
        } else if kind.is_file() && globs.is_match(&path) {
            found.push(path);
        }
    }
    Ok(())
}
