//! What a change does, as an id that survives a rebase: what is removed and added, not where.
//!
//! Both sides of every comparison are computed here, from whole files: a forge's diff text may be cut, and every
//! forge has its own differ.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use memchr::memchr_iter;
use sha2::{Digest as _, Sha256};
use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

/// The content of a file on both sides of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The bytes before; `None` where the change makes the file.
    pub before: Option<Arc<[u8]>>,
    /// The bytes after.
    pub after: Arc<[u8]>,
}

/// Changed files, by path, with the id of what they change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    id: PatchId,
    files: BTreeMap<String, FileChange>,
}

/// The SHA-256 over path, removed lines and added lines of every changed file; without context and line numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatchId([u8; 32]);

/// Text that is not a patch id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a patch id (expected 64 hexadecimal digits)")]
pub struct InvalidPatchId(pub String);

impl Patch {
    /// The patch that makes these changes; files that do not change are left out.
    pub fn new(files: BTreeMap<String, FileChange>) -> Self {
        let files: BTreeMap<_, _> = files.into_iter().filter(|(_, file)| file.is_change()).collect();
        Self { id: PatchId::of(&files), files }
    }

    /// Its id.
    pub fn id(&self) -> PatchId {
        self.id
    }

    /// The lines of the change that a branch lacks, by the content of its files: those to be added that are not there,
    /// and those to be removed that still are. A file that is not there lacks all.
    pub fn lacking(&self, there: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let text = |line: &[u8]| String::from_utf8_lossy(line).trim_end().to_owned();
        let mut lacking = Vec::new();
        for (path, file) in &self.files {
            let (removed, added) = file.differing_lines();
            let content = there.get(path).map(Vec::as_slice).unwrap_or_default();
            let has = |wanted: &&[u8]| lines(content).any(|line| line == *wanted);
            lacking.extend(added.iter().filter(|line| !has(line)).map(|line| text(line)));
            let stale = removed.iter().filter(|line| has(line) && !lines(&file.after).any(|l| l == **line));
            lacking.extend(stale.map(|line| format!("{} (still there)", text(line))));
        }
        lacking
    }

    /// The paths of the files that it makes.
    pub fn added(&self) -> impl Iterator<Item = &String> {
        self.files.iter().filter(|(_, file)| file.before.is_none()).map(|(path, _)| path)
    }

    /// The changed files, by path.
    pub fn files(&self) -> &BTreeMap<String, FileChange> {
        &self.files
    }
}

impl FileChange {
    fn is_change(&self) -> bool {
        self.before.as_ref() != Some(&self.after)
    }

    fn differing_lines(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
        differing_lines(self.before.as_deref().unwrap_or_default(), &self.after)
    }
}

impl PatchId {
    /// The id of a change. Files that do not change do not count.
    ///
    /// Removed and added lines are hashed as two lists: which of them stand together depends on the context.
    pub fn of(files: &BTreeMap<String, FileChange>) -> Self {
        let mut hash = Sha256::new();
        for (path, file) in files.iter().filter(|(_, file)| file.is_change()) {
            let (removed, added) = file.differing_lines();
            feed(&mut hash, path.as_bytes());
            feed_all(&mut hash, &removed);
            feed_all(&mut hash, &added);
        }
        Self(hash.finalize().into())
    }
}

/// The lines, with their line ends, that only one of the two has.
fn differing_lines<'a>(before: &'a [u8], after: &'a [u8]) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
    let (old, new): (Vec<&[u8]>, Vec<&[u8]>) = (lines(before).collect(), lines(after).collect());
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for op in compared_lines(&old, &new) {
        if op.tag() != similar::DiffTag::Equal {
            removed.extend_from_slice(old.get(op.old_range()).unwrap_or_default());
            added.extend_from_slice(new.get(op.new_range()).unwrap_or_default());
        }
    }
    (removed, added)
}

/// Which lines stay, go and come. Not by `similar::TextDiff`, which brings all algorithms that there are (0.5 MB).
pub fn compared_lines(old: &[&[u8]], new: &[&[u8]]) -> Vec<DiffOp> {
    let mut compared = Compact::new(Replace::new(Capture::new()), old, new);
    match myers::diff(&mut compared, old, 0..old.len(), new, 0..new.len()) {
        Ok(()) => compared.into_inner().into_inner().into_ops(),
        Err(never) => match never {},
    }
}

/// Lines with their line ends.
pub fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b'\n', text).map(|end| end + 1).chain([text.len()]);
    let mut start = 0;
    ends.map(move |end| &text[std::mem::replace(&mut start, end)..end]).filter(|line| !line.is_empty())
}

/// Lengths go first, so that no two changes have the same encoding.
fn feed_all(hash: &mut Sha256, lines: &[&[u8]]) {
    hash.update((lines.len() as u64).to_be_bytes());
    for line in lines {
        feed(hash, line);
    }
}

fn feed(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

impl FromStr for PatchId {
    type Err = InvalidPatchId;

    fn from_str(text: &str) -> Result<Self, InvalidPatchId> {
        let invalid = || InvalidPatchId(text.to_owned());
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(invalid());
        }
        let mut id = [0; 32];
        for (byte, i) in id.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[i..i + 2], 16).map_err(|_| invalid())?;
        }
        Ok(Self(id))
    }
}

impl fmt::Display for PatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(changes: &[(&str, &str, &str)]) -> PatchId {
        let file = |before: &str, after: &str| FileChange {
            before: Some(before.as_bytes().into()),
            after: after.as_bytes().into(),
        };
        PatchId::of(&changes.iter().map(|(p, b, a)| ((*p).to_owned(), file(b, a))).collect())
    }

    #[test]
    fn context_and_position_do_not_count() {
        let here = id(&[("values.yaml", "a\nversion: 1\nb\n", "a\nversion: 2\nb\n")]);
        let there = id(&[("values.yaml", "x\ny\nz\nversion: 1\n", "x\ny\nz\nversion: 2\n")]);
        assert_eq!(here, there);
    }

    #[test]
    fn path_lines_direction_and_line_ends_count() {
        let base = id(&[("a", "1\n", "2\n")]);
        for (name, other) in [
            ("path", id(&[("b", "1\n", "2\n")])),
            ("removed line", id(&[("a", "0\n", "2\n")])),
            ("added line", id(&[("a", "1\n", "3\n")])),
            ("direction", id(&[("a", "2\n", "1\n")])),
            ("line end", id(&[("a", "1\n", "2\r\n")])),
            ("missing final newline", id(&[("a", "1\n", "2")])),
            ("another file", id(&[("a", "1\n", "2\n"), ("b", "1\n", "2\n")])),
        ] {
            assert_ne!(base, other, "{name}");
        }
    }

    #[test]
    fn lines_can_not_be_shifted_between_files_or_sides() {
        assert_ne!(id(&[("a", "", "x\ny\n")]), id(&[("a", "x\n", "y\n")]));
        assert_ne!(id(&[("a", "", "b\n")]), id(&[("ab", "", "\n")]));
        assert_ne!(id(&[("a", "", "x\n"), ("b", "", "y\n")]), id(&[("a", "", "x\ny\n"), ("b", "", "")]));
    }

    #[test]
    fn files_that_do_not_change_do_not_count() {
        assert_eq!(id(&[("a", "1\n", "2\n"), ("b", "x", "x")]), id(&[("a", "1\n", "2\n")]));
        let same = FileChange { before: Some((*b"x").into()), after: (*b"x").into() };
        assert!(Patch::new([("b".to_owned(), same)].into()).files().is_empty());
        let empty = FileChange { before: None, after: [].into() };
        assert_eq!(Patch::new([("b".to_owned(), empty)].into()).files().len(), 1, "a new file");
    }

    #[test]
    fn an_id_reads_back_from_its_text() {
        let id = id(&[("a", "1\n", "2\n")]);
        assert_eq!(id.to_string().parse(), Ok(id));
        let long = format!("{id}0");
        for bad in ["", "abc", &long, &id.to_string().to_uppercase(), &"é".repeat(32)] {
            assert!(bad.parse::<PatchId>().is_err(), "{bad}");
        }
    }
}
