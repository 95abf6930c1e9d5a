//! Values files on this machine: kept as they were read, written so that a crash leaves the old file or the new one.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::ending::{Ending, Ends};

/// A larger file is refused: no values file is.
const MAX_BYTES: u64 = 32 << 20;

/// A file as it was read.
#[derive(Debug, Clone)]
pub struct ValuesFile {
    /// The path as the user wrote it.
    pub path: PathBuf,
    /// The path with symbolic links resolved: what is replaced is the file, not the link.
    resolved: PathBuf,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Why a values file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be read.
    #[error("couldn't read {}", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    /// It could not be written; the old file is still there.
    #[error("couldn't write {} (the file is as it was)", .0.display())]
    Write(PathBuf, #[source] std::io::Error),
    /// A report could not be written.
    #[error("couldn't write {}", .0.display())]
    WriteReport(PathBuf, #[source] std::io::Error),
    /// It is too large for a values file.
    #[error("{} has {size} bytes; a file of more than {MAX_BYTES} bytes is refused", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// Somebody changed it since it was read.
    #[error("{} changed since it was read; nothing was written, run again", .0.display())]
    Changed(PathBuf),
}

impl Ends for FileError {
    fn ending(&self) -> Ending {
        match self {
            Self::Read(..) | Self::Write(..) | Self::WriteReport(..) | Self::TooLarge { .. } => {
                Ending::Person
            }
            // Somebody's work would be overwritten.
            Self::Changed(_) => Ending::Refused,
        }
    }
}

/// Everything that comes, as far as a values file may have it. `name` is what errors call it.
pub(super) fn read_all(source: impl Read, name: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = source.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    match read.map_err(|error| FileError::Read(name.to_owned(), error))? as u64 {
        size if size > MAX_BYTES => Err(FileError::TooLarge { path: name.to_owned(), size }),
        _ => Ok(bytes),
    }
}

impl ValuesFile {
    /// Reads a regular file of at most 32 MiB.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let failed = |error| FileError::Read(path.to_owned(), error);
        let resolved = std::fs::canonicalize(path).map_err(failed)?;
        let size = std::fs::metadata(&resolved).map_err(failed)?.len();
        if size > MAX_BYTES {
            return Err(FileError::TooLarge { path: path.to_owned(), size });
        }
        let bytes = super::regular::read(&resolved, MAX_BYTES).map_err(failed)?;
        Ok(Self { path: path.to_owned(), resolved, bytes })
    }

    /// Whether both are one file, whatever their paths are.
    pub fn is_same_file(&self, other: &Self) -> bool {
        self.resolved == other.resolved
    }

    /// The file as it is once these are written, the last of them last.
    pub fn after(&mut self, planned: &[Self]) {
        if let Some(planned) = planned.iter().rev().find(|planned| planned.is_same_file(self)) {
            self.bytes.clone_from(&planned.bytes);
        }
    }

    /// Replaces the file's content, keeping its mode. Refuses if the file changed since it was read.
    pub fn write(&self, bytes: &[u8]) -> Result<(), FileError> {
        let now = super::regular::read(&self.resolved, MAX_BYTES)
            .map_err(|e| FileError::Read(self.path.clone(), e))?;
        if now != self.bytes {
            return Err(FileError::Changed(self.path.clone()));
        }
        super::replace::replace(&self.resolved, bytes).map_err(|e| FileError::Write(self.path.clone(), e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("values.yaml"), folder.path().join("link.yaml"));
        std::fs::write(&file, "a: 1\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();

        ValuesFile::read(&link).unwrap().write(b"a: 2\n").unwrap();

        assert_eq!(std::fs::read(&file).unwrap(), b"a: 2\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("values.yaml");
        std::fs::write(&path, "a: 1\n").unwrap();
        let file = ValuesFile::read(&path).unwrap();
        std::fs::write(&path, "a: 3\n").unwrap();

        let error = file.write(b"a: 2\n").unwrap_err();

        assert!(matches!(error, FileError::Changed(_)), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"a: 3\n");
    }
}
