//! Other files of the project that name image keys: they follow what the plan does to the mapping.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Plan;
use crate::reconcile::references::{Moves, References};
use crate::values::Document;

/// The files that may name image keys, as far as they do.
#[derive(Debug, Default)]
pub struct ReferenceFiles {
    /// Files that name a key which gets another name or goes.
    pub files: Vec<ReferenceFile>,
    /// Files that were not looked at, or not changed, and why.
    pub not_followed: Vec<(String, String)>,
}

/// One file.
#[derive(Debug)]
pub struct ReferenceFile {
    /// Its path.
    pub path: String,
    /// Its text as it was read.
    pub before: Arc<str>,
    /// Its text as it should be.
    pub after: Arc<str>,
    /// What is renamed in it, and what dangles.
    pub references: References,
}

impl Plan {
    /// Whether other files may name a key that gets another name or goes: only then they are worth reading.
    pub fn moves_keys(&self) -> bool {
        self.is_change() && self.files.first().is_some_and(|file| !Moves::of(&file.reconciliation).is_empty())
    }

    /// Whether a file is the target's own, which is reconciled and not followed.
    pub fn is_own(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Follows in other files what becomes of the keys of the mapping. A file that cannot be read as YAML, or edited
    /// safely, stays as it is and is named.
    pub fn follow(&mut self, contents: BTreeMap<String, Vec<u8>>) {
        let Some(primary) = self.files.first().filter(|_| self.is_change()) else { return };
        let moves = Moves::of(&primary.reconciliation);
        let mut found = ReferenceFiles::default();
        for (path, bytes) in contents {
            match follow(&moves, bytes) {
                Ok((_, _, references)) if references == References::default() => {}
                Ok((before, after, references)) => {
                    found.files.push(ReferenceFile { path, before, after, references });
                }
                Err(why) => found.not_followed.push((path, why)),
            }
        }
        self.references = found;
    }
}

fn follow(moves: &Moves<'_>, bytes: Vec<u8>) -> Result<(Arc<str>, Arc<str>, References), String> {
    let document = Document::parse(bytes).map_err(|error| error.to_string())?;
    let references = moves.follow(&document);
    let before = document.shared_text();
    if references.changes.is_empty() {
        return Ok((before.clone(), before, references));
    }
    let edited = document.edit(&references.changes).map_err(|error| error.to_string())?;
    Ok((before, edited.text.into(), references))
}

impl ReferenceFiles {
    /// The content of each changed file, before and after.
    pub fn changes(&self) -> impl Iterator<Item = (&str, (&Arc<str>, &Arc<str>))> {
        let changed = self.files.iter().filter(|file| file.before != file.after);
        changed.map(|file| (file.path.as_str(), (&file.before, &file.after)))
    }

    /// What a reader should know, a sentence each: what dangles, and what was not looked at.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let dangling = self.files.iter().flat_map(|file| {
            let told = file.references.dangling.iter();
            told.map(|dangling| format!("{}:{}: {dangling}", file.path, dangling.at))
        });
        let not_followed =
            self.not_followed.iter().map(|(path, why)| format!("{path} was not looked at: {why}"));
        dangling.chain(not_followed)
    }
}
