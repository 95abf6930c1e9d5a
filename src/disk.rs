//! Adapter: files on this machine. The only room that touches the file system.
#![expect(clippy::disallowed_methods, reason = "the one room that touches files")]

pub mod cache;
pub mod checkout;
pub mod releases;
mod signatures;
pub mod tree;
pub mod values_file;

use std::io::Write as _;
use std::path::Path;

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

/// Adds to a report that others write to as well.
pub fn append_report(path: &Path, text: &str) -> Result<(), FileError> {
    let failed = |error| FileError::WriteReport(path.to_owned(), error);
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// Writes a file as a whole: a killed process leaves the old one or the new one. One that is there keeps its mode.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    match exists(path) {
        true => ValuesFile::read(path)?.write(bytes),
        false => values_file::create(path, bytes),
    }
}

/// What stands on stdin, at most as much as a values file may have.
pub fn read_stdin() -> Result<Vec<u8>, FileError> {
    values_file::read_all(std::io::stdin().lock(), Path::new("stdin"))
}
