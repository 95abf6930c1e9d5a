//! Adapter: files on this machine. The only room that touches the file system.
#![expect(clippy::disallowed_methods, reason = "the one room that touches files")]

pub mod cache;
pub mod checkout;
pub mod images;
pub mod releases;
mod regular;
mod replace;
mod spool;
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

/// Whether there is something at `path`. What may not be looked at is taken to be there, and reading it says why not.
pub fn exists(path: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    !matches!(std::fs::symlink_metadata(path), Err(error) if matches!(error.kind(), NotFound | NotADirectory))
}

/// Removes a file.
pub fn remove(path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(path)
}

/// Adds to a report that others write to as well.
pub fn append_report(path: &Path, text: &str) -> Result<(), FileError> {
    let failed = |error| FileError::WriteReport(path.to_owned(), error);
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// Writes a file as a whole: a killed process or a full disk leaves the old one or the new one. One that is there keeps its
/// mode, and a link stays a link. What is no file, as `/dev/stdout`, is written to.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let written = match std::fs::canonicalize(path) {
        Ok(resolved) if resolved.is_file() => replace::replace(&resolved, bytes),
        Ok(resolved) => std::fs::write(resolved, bytes),
        Err(_) => replace::replace(path, bytes),
    };
    written.map_err(|error| FileError::WriteReport(path.to_owned(), error))
}

/// Writes a file that must not be there yet, with the folders above it.
///
/// # Errors
/// It is there, or cannot be written.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let failed = |error| FileError::WriteReport(path.to_owned(), error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
}

/// What stands on stdin, at most as much as a values file may have.
pub fn read_stdin() -> Result<Vec<u8>, FileError> {
    values_file::read_all(std::io::stdin().lock(), Path::new("stdin"))
}
