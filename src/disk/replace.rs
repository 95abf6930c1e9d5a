//! Replacing a file as a whole: a killed process leaves the old file or the new one, and nothing beside it.
//!
//! The new content is written to a file that has no name yet, which the system drops when the process ends. It gets one only
//! for the moment of the rename. Where the file system has no such files, or no `/proc`, it has its name from the
//! beginning, and what a killed run leaves is removed by the next one.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Result, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempPath;

/// How the names begin and end that files have before they are renamed.
const NAME: [&str; 2] = [".dibump-", ".tmp"];
/// Between the two stand so many characters.
const RANDOM: usize = 6;
/// A file of such a name that was not written to for so long belongs to no run that lives.
const LEFT_OVER: Duration = Duration::from_secs(600);

/// Puts a file with this content into the place of another one, whose mode it gets, or makes it.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = HiddenFile::begin(folder)?;
    draft.fill(path, bytes)?;
    draft.publish(path)
}

/// A file of a folder that is not visible there. One that is dropped leaves nothing.
pub(super) struct HiddenFile {
    file: File,
    folder: PathBuf,
    /// Its name, where the file system has no files without one.
    name: Option<TempPath>,
}

impl HiddenFile {
    /// Begins a file, and removes what killed runs left.
    pub(super) fn begin(folder: &Path) -> Result<Self> {
        remove_left_overs(folder);
        Self::unnamed(folder).or_else(|_| Self::named(folder))
    }

    #[cfg(target_os = "linux")]
    fn unnamed(folder: &Path) -> Result<Self> {
        use rustix::fs::{Mode, OFlags, open};

        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let file = File::from(open(folder, flags, Mode::from_raw_mode(0o666))?);
        // Without `/proc` it would never get a name.
        std::fs::symlink_metadata(descriptor(&file))?;
        Ok(Self { file, folder: folder.to_owned(), name: None })
    }

    #[cfg(not(target_os = "linux"))]
    fn unnamed(_: &Path) -> Result<Self> {
        Err(std::io::ErrorKind::Unsupported.into())
    }

    fn named(folder: &Path) -> Result<Self> {
        // Else the error of a missing folder names the temporary file, which means nothing to a person.
        std::fs::metadata(folder)?;
        let (file, name) = name().tempfile_in(folder)?.into_parts();
        Ok(Self { file, folder: folder.to_owned(), name: Some(name) })
    }

    /// The file, to be written.
    pub(super) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Writes all of it, with the mode that `path` has.
    fn fill(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
        if let Ok(metadata) = std::fs::metadata(path) {
            self.file.set_permissions(metadata.permissions())?;
        }
        self.file.sync_all()
    }

    /// Puts it into its place.
    pub(super) fn publish(self, path: &Path) -> Result<()> {
        let name = match self.name {
            Some(name) => name,
            None => linked(&self.file, &self.folder)?,
        };
        Ok(name.persist(path)?)
    }
}

/// The name that a file without one gets for the moment of the rename.
#[cfg(target_os = "linux")]
fn linked(file: &File, folder: &Path) -> Result<TempPath> {
    use rustix::fs::{AtFlags, CWD, linkat};

    let source = descriptor(file);
    let link = |name: &Path| Ok(linkat(CWD, source.as_str(), CWD, name, AtFlags::SYMLINK_FOLLOW)?);
    Ok(name().make_in(folder, link)?.into_temp_path())
}

/// A file as the system knows it without a name.
#[cfg(target_os = "linux")]
fn descriptor(file: &File) -> String {
    use std::os::fd::AsRawFd as _;
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

#[cfg(not(target_os = "linux"))]
fn linked(_: &File, _: &Path) -> Result<TempPath> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// A name, and the usual mode: what is written is for others to read.
fn name() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(NAME[0]).suffix(NAME[1]).rand_bytes(RANDOM);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Removes what killed runs left. Where that fails it is left: it does no harm.
fn remove_left_overs(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| is_ours(&entry.file_name())) {
        let is_old = |metadata: std::fs::Metadata| {
            let age = metadata.modified().ok().and_then(|time| time.elapsed().ok());
            metadata.is_file() && age.is_some_and(|age| age > LEFT_OVER)
        };
        if entry.metadata().is_ok_and(is_old) {
            let removed = std::fs::remove_file(entry.path());
            tracing::debug!(path = %entry.path().display(), ?removed, "a killed run left a file");
        }
    }
}

fn is_ours(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(NAME[0])?.strip_suffix(NAME[1]));
    random.is_some_and(|random| random.len() == RANDOM && random.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn both_ways_write_the_same() {
        use std::os::unix::fs::PermissionsExt as _;
        for begin in [HiddenFile::unnamed, HiddenFile::named] {
            let write = |folder: &Path, path: &Path, bytes: &[u8]| {
                let mut draft = begin(folder).unwrap();
                draft.fill(path, bytes).unwrap();
                draft.publish(path).unwrap();
            };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.yaml");
            write(folder.path(), &path, b"a: 1\n");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
            write(folder.path(), &path, b"a: 2\n");
            assert_eq!(std::fs::read(&path).unwrap(), b"a: 2\n");
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is beside it");
        }
    }

    #[test]
    fn what_a_killed_run_left_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, age: Duration| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        let old = 2 * LEFT_OVER;
        for name in [".dibump-aB3dEf.tmp", ".dibump-zzzzzz.tmp"] {
            make(name, old);
        }
        let kept = [".dibump-config", ".dibump-abc.tmp", ".dibump-ab-def.tmp", "dibump-abcdef.tmp", "a.yaml"];
        for name in kept {
            make(name, old);
        }
        make(".dibump-young1.tmp", Duration::ZERO);
        std::fs::create_dir(folder.path().join(".dibump-folder.tmp")).unwrap();
        replace(&folder.path().join("a.yaml"), b"a: 1\n").unwrap();
        let there = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut there: Vec<String> = there.map(|name| name.into_string().unwrap()).collect();
        there.sort();
        let mut expected: Vec<&str> = kept.to_vec();
        expected.extend([".dibump-young1.tmp", ".dibump-folder.tmp"]);
        expected.sort_unstable();
        assert_eq!(there, expected);
    }
}
