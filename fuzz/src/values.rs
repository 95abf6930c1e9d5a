//! Edits of values files.

use dibump::values::{Change, Document, Edited, KeyPath, Mapping, NewValue};

/// Where the version and the mapping may stand.
const VERSIONS: [&str; 3] = ["version", "spec.version", "spec.values.version"];
const MAPPINGS: [&str; 4] = ["images", "spec.images", "spec.values.images", "data.images"];

/// Keys and versions, some of which need care to be written.
const KEYS: [&str; 8] = ["renamed", "1-31", "1.20", "yes", "a: b", "it's \"q\"", "é #", "null"];
const VALUES: [&str; 6] = ["0.4.13", "0.5", "1e3", "on", "a # b", "~"];

/// The first line is a [`Plan`], what follows is the file.
pub fn values_edit(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (plan, file) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let Ok(document) = Document::parse(file.to_vec()) else { return };
    let mapping = MAPPINGS.iter().find_map(|path| document.mapping(&key_path(path)).ok().flatten());
    let version = VERSIONS.iter().map(|path| key_path(path)).find(|path| {
        let scalar = document.scalar(path);
        scalar.is_ok_and(|scalar| scalar.is_some())
    });
    let changes = Plan { bytes: plan.iter(), mapping: mapping.as_ref(), version: version.as_ref() }.changes();
    let Ok(edited) = document.edit(&changes) else { return };
    keeps_the_rest(&document, &edited);
    let again = reread(&edited);
    if let Some(before) = &mapping {
        says_the_plan(before, &again, &changes);
    }
    says_the_version(&again, &changes);
    is_made_once(&again, &edited, &changes);
}

/// Bytes outside the ranges are the old ones, and a text without changes stays as it is.
fn keeps_the_rest(document: &Document, edited: &Edited) {
    assert!(edited.edits.leaves_the_rest(document.text(), edited.text()), "other bytes changed");
    assert_eq!(edited.edits.apply(document.text()).as_deref(), Some(edited.text()));
    // Where the second reader does not read the whole, it may still read the entries that changed.
    if let Ok(same) = document.edit(&[]) {
        assert_eq!(same.text(), document.text(), "no changes change something");
    }
}

fn reread(edited: &Edited) -> Document {
    match Document::parse(edited.text().to_owned().into_bytes()) {
        Ok(document) => {
            assert_eq!(document, edited.document, "read anew, the text is another");
            document
        }
        Err(error) => panic!("what was checked does not read: {error}"),
    }
}

/// The mapping has the keys that it had, in their order, but for what was planned.
fn says_the_plan(before: &Mapping, again: &Document, changes: &[Change]) {
    let mut kept: Vec<Option<&str>> = before.entries.iter().map(|entry| Some(entry.key.as_str())).collect();
    let mut inserted = Vec::new();
    for change in changes {
        match change {
            Change::Rename { entry, to, .. } => kept[*entry] = Some(to),
            Change::Remove { entry, .. } => kept[*entry] = None,
            Change::Insert { key, .. } => inserted.push(key.as_str()),
            Change::SetScalar { .. }
            | Change::SetText { .. }
            | Change::ReplaceParts { .. }
            | Change::Enable { .. } => {}
        }
    }
    let after = match again.mapping(&before.path) {
        Ok(Some(mapping)) => mapping,
        other => panic!("the mapping is {other:?}"),
    };
    let is_new = |key: &&str| key.starts_with("new-");
    let keys: Vec<&str> = after.entries.iter().map(|entry| entry.key.as_str()).collect();
    let old: Vec<&str> = keys.iter().copied().filter(|key| !is_new(key)).collect();
    let mut new: Vec<&str> = keys.into_iter().filter(is_new).collect();
    let were_new = kept.iter().flatten().copied().filter(is_new);
    inserted.extend(were_new);
    new.sort_unstable();
    inserted.sort_unstable();
    assert_eq!(old, kept.into_iter().flatten().filter(|key| !is_new(key)).collect::<Vec<_>>());
    assert_eq!(new, inserted);
}

fn says_the_version(again: &Document, changes: &[Change]) {
    for change in changes {
        if let Change::SetScalar { path, value } = change {
            let scalar = again.scalar(path).ok().flatten();
            assert_eq!(scalar.map(|scalar| scalar.value).as_ref(), Some(value), "{path}");
        }
    }
}

/// The same changes again change nothing, or are refused. Where entries come and go, their numbers mean others then.
fn is_made_once(again: &Document, edited: &Edited, changes: &[Change]) {
    let moves = |change: &Change| matches!(change, Change::Insert { .. } | Change::Remove { .. });
    if changes.iter().any(moves) {
        return;
    }
    if let Ok(second) = again.edit(changes) {
        assert_eq!(second.text(), edited.text(), "the second edit changes something");
    }
}

/// What is to be done, a change for every two or three bytes.
struct Plan<'a> {
    bytes: std::slice::Iter<'a, u8>,
    mapping: Option<&'a Mapping>,
    version: Option<&'a KeyPath>,
}

impl Plan<'_> {
    fn changes(mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        while let Some(kind) = self.bytes.next() {
            changes.extend(self.change(kind % 8, changes.len()));
        }
        changes
    }

    /// The fields of an entry that copies none.
    fn fields(&self, number: usize) -> NewValue {
        let text = VALUES[number % VALUES.len()].to_owned();
        NewValue::Fields((0..number % 3).map(|field| (KEYS[field].to_owned(), text.clone())).collect())
    }

    /// `v` is for the version, `r`, `d`, `i` and `e` rename, remove, insert and enable entries. The bytes behind it say
    /// which entries, and which of the texts.
    fn change(&mut self, kind: u8, number: usize) -> Option<Change> {
        if let (6 | 7, Some(path)) = (kind, self.version) {
            return Some(Change::SetScalar { path: path.clone(), value: self.one_of(&VALUES) });
        }
        let mapping = self.mapping?;
        let (count, path) = (mapping.entries.len(), mapping.path.clone());
        if kind == 1 || count == 0 {
            let (before, like) = (self.number(count + 1), self.number(count + 1));
            return Some(Change::Insert {
                mapping: path,
                before: (before < count).then_some(before),
                above_comments: number.is_multiple_of(2),
                key: format!("new-{number}"),
                value: if like < count { NewValue::Like(like) } else { self.fields(number) },
            });
        }
        let entry = self.number(count);
        Some(match kind {
            2 | 3 => Change::Rename { mapping: path, entry, to: self.one_of(&KEYS) },
            5 => Change::Enable { mapping: path, from: entry, to: self.number(count) },
            _ => {
                let with_comments_above = number.is_multiple_of(2);
                Change::Remove { mapping: path, entry, with_comments_above }
            }
        })
    }

    fn number(&mut self, below: usize) -> usize {
        let byte = self.bytes.next().copied().unwrap_or_default();
        usize::from(byte.wrapping_sub(b'0')) % below
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        texts[self.number(texts.len())].to_owned()
    }
}

fn key_path(text: &str) -> KeyPath {
    match text.parse() {
        Ok(path) => path,
        Err(error) => panic!("{error}"),
    }
}
