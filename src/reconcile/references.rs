//! Other files that name image keys: what is renamed there, and what is left dangling.
//!
//! Pure. Which files these are, and where they come from, is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{Departure, Reconciliation};
use crate::release::ImageKey;
use crate::values::{Change, Document, Position, Text};

/// Globs over paths of files from the top of the project, as in `deploy/**/*.yaml`: only `**` goes below a folder.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    written: Vec<String>,
    compiled: GlobSet,
}

/// Text that is no glob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no glob ({why})")]
pub struct InvalidGlob {
    text: String,
    why: String,
}

/// What becomes of the image keys that a file names. Every list is in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// The changes.
    pub changes: Vec<Change>,
    /// What they change.
    pub followed: Vec<Followed>,
    /// What stays and will name no key of the mapping.
    pub dangling: Vec<Dangling>,
}

/// A scalar or mapping key that gets the new name of an image key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The key so far.
    pub from: String,
    /// The new key.
    pub to: ImageKey,
    /// Where it stands.
    pub at: Position,
}

/// A scalar or mapping key that stays, though the mapping will not have that key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dangling {
    /// The key.
    pub key: String,
    /// Where it stands.
    pub at: Position,
    /// Why it stays.
    pub why: Stays,
}

/// Why a reference stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stays {
    /// The mapping loses the key.
    Removed(Departure),
    /// The mapping renames the key, and the new one stands beside this one already.
    HasNewKey(ImageKey),
    /// The mapping renames the key, and it is not written in one line.
    NotInOneLine(ImageKey),
}

/// The keys that a mapping loses: those with another name, and those that go. One that was only written twice stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moves<'a> {
    renamed: BTreeMap<&'a str, &'a ImageKey>,
    removed: BTreeMap<&'a str, &'a Departure>,
}

impl<'a> Moves<'a> {
    /// What a reconciliation does to the keys of the mapping.
    pub fn of(mapping: &'a Reconciliation) -> Self {
        let goes = |why: &Departure| !matches!(why, Departure::Repeated { .. });
        let removed = mapping.removed.iter().filter(|removed| goes(&removed.why));
        Self {
            renamed: mapping.renamed.iter().map(|renamed| (renamed.from.as_str(), &renamed.to)).collect(),
            removed: removed.map(|removed| (removed.key.as_str(), &removed.why)).collect(),
        }
    }

    /// Whether no key moves, so that no other file needs to be looked at.
    pub fn is_empty(&self) -> bool {
        self.renamed.is_empty() && self.removed.is_empty()
    }

    /// Follows the moves in another file: a scalar or mapping key that is exactly an old key becomes the new one.
    pub fn follow(&self, document: &Document) -> References {
        let mut found = References::default();
        for text in document.texts(|said| self.renamed.contains_key(said) || self.removed.contains_key(said))
        {
            match self.fate(document, &text) {
                Ok(to) => {
                    let change = Change::SetText { text: text.id, value: to.to_string() };
                    let from = text.value.to_owned();
                    found.changes.push(change);
                    found.followed.push(Followed { from, to: to.clone(), at: text.at });
                }
                Err(why) => {
                    found.dangling.push(Dangling { key: text.value.to_owned(), at: text.at, why });
                }
            }
        }
        found
    }

    fn fate(&self, document: &Document, text: &Text<'_>) -> Result<&'a ImageKey, Stays> {
        match (self.renamed.get(text.value).copied(), self.removed.get(text.value)) {
            (Some(to), _) if document.has_beside_it(text.id, to.as_str()) => {
                Err(Stays::HasNewKey(to.clone()))
            }
            (Some(to), _) if !text.is_one_line => Err(Stays::NotInOneLine(to.clone())),
            (Some(to), _) => Ok(to),
            (None, Some(why)) => Err(Stays::Removed((*why).clone())),
            (None, None) => Err(Stays::Removed(Departure::Unrecognised)),
        }
    }
}

impl Globs {
    /// Compiles globs.
    ///
    /// # Errors
    /// The first that is none.
    pub fn new(written: Vec<String>) -> Result<Self, InvalidGlob> {
        let mut compiled = GlobSetBuilder::new();
        for text in &written {
            let failed =
                |error: globset::Error| InvalidGlob { text: text.clone(), why: error.kind().to_string() };
            let path = text.strip_prefix("./").unwrap_or(text);
            compiled.add(GlobBuilder::new(path).literal_separator(true).build().map_err(failed)?);
        }
        let failed = |error: globset::Error| InvalidGlob {
            text: error.glob().unwrap_or_default().to_owned(),
            why: error.kind().to_string(),
        };
        Ok(Self { compiled: compiled.build().map_err(failed)?, written })
    }

    /// The globs as they were written.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The folders below which all files are that can match; the empty path for the top.
    pub fn folders(&self) -> BTreeSet<String> {
        let literal = |part: &&str| !part.contains(['*', '?', '[', '{', '\\']);
        let folder = |glob: &String| {
            let path = glob.strip_prefix("./").unwrap_or(glob);
            let above = path.rsplit_once('/').map_or("", |(above, _)| above);
            above.split('/').take_while(literal).collect::<Vec<_>>().join("/")
        };
        self.written.iter().map(folder).collect()
    }

    /// Whether one of them matches a path; its parts are separated by slashes.
    pub fn match_path(&self, path: &str) -> bool {
        self.compiled.is_match(path)
    }
}

impl PartialEq for Globs {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Globs {}

impl fmt::Display for Dangling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match &self.why {
            Stays::Removed(why) => write!(f, "{key} is named here and goes: {why}"),
            Stays::HasNewKey(to) => write!(f, "{key} stays, for {to} stands beside it already"),
            Stays::NotInOneLine(to) => {
                write!(f, "{key} becomes {to}; change it by hand, for it is not written in one line")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::{Because, Images, Removed, Renamed};

    fn renamed(from: &str, to: &str) -> Renamed {
        let (from, to) = (from.to_owned(), to.parse().unwrap());
        Renamed { from, to, line: None, os_release: None, at: Position { line: 1, column: 1 } }
    }

    fn removed(key: &str, why: Departure) -> Removed {
        let at = Position { line: 1, column: 1 };
        Removed { key: key.to_owned(), line: None, why, enabled: false, at }
    }

    fn reconciliation() -> Reconciliation {
        let first = Position { line: 1, column: 1 };
        Reconciliation {
            version: "0.4.12".parse().unwrap(),
            policy: Images::Follow,
            because: Because::Configured,
            changes: Vec::new(),
            version_may_move: true,
            kept: Vec::new(),
            renamed: vec![renamed("a-1-30-11", "a-1-30-12"), renamed("b-1-30-11", "b-1-30-12")],
            added: Vec::new(),
            removed: vec![
                removed("old-1-29-1", Departure::LineGone),
                removed("twice", Departure::Repeated { first }),
            ],
            suggested: Vec::new(),
            foreign: Vec::new(),
            templates: Vec::new(),
            dead: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The text with references followed, and what dangles.
    fn followed(text: &str) -> (String, Vec<String>) {
        let mapping = reconciliation();
        let document = Document::parse(text.as_bytes().to_vec()).unwrap();
        let found = Moves::of(&mapping).follow(&document);
        let edited = document.edit(&found.changes).unwrap();
        let told = found.dangling.iter().map(|dangling| format!("{}: {dangling}", dangling.at));
        (edited.text, told.collect())
    }

    #[test]
    fn globs_go_below_a_folder_only_where_they_say_so() {
        let globs = Globs::new(vec!["./deploy/*.yaml".into(), "env/**/*.{yml,yaml}".into()]).unwrap();
        for (path, matches) in [
            ("deploy/a.yaml", true),
            ("deploy/b/a.yaml", false),
            ("env/a.yml", true),
            ("env/b/c/a.yaml", true),
            ("a.yaml", false),
        ] {
            assert_eq!(globs.match_path(path), matches, "{path}");
        }
        assert_eq!(globs.folders(), ["deploy", "env"].map(str::to_owned).into());
        assert_eq!(Globs::new(vec!["**/*.yaml".into()]).unwrap().folders(), [String::new()].into());
        assert!(Globs::new(vec!["{".into()]).is_err());
    }

    #[test]
    fn values_items_and_keys_follow_and_every_other_byte_stays() {
        let text = "\u{feff}# a-1-30-11\r\nkey: a-1-30-11  # a-1-30-11\r\nlist: [ 'a-1-30-11',\"b-1-30-11\" ]\r\n\
                    map:\r\n   a-1-30-11: {x: a-1-30-110}\r\n   \"b-1-30-11\":   1\r\nsay: use a-1-30-11\r\n";
        let expected = "\u{feff}# a-1-30-11\r\nkey: a-1-30-12  # a-1-30-11\r\nlist: [ 'a-1-30-12',\"b-1-30-12\" ]\r\n\
                    map:\r\n   a-1-30-12: {x: a-1-30-110}\r\n   \"b-1-30-12\":   1\r\nsay: use a-1-30-11\r\n";
        assert_eq!(followed(text), (expected.to_owned(), vec![]));
    }

    #[test]
    fn anchors_lead_aliases_along_and_templates_stay() {
        let text = "x: &k a-1-30-11\ny: *k\nz: '{{ a-1-30-11 }}'\n---\n- a-1-30-11\n";
        let expected = "x: &k a-1-30-12\ny: *k\nz: '{{ a-1-30-11 }}'\n---\n- a-1-30-12\n";
        assert_eq!(followed(text), (expected.to_owned(), vec![]));
    }

    #[test]
    fn a_key_that_goes_is_reported_and_stays() {
        let (text, told) = followed("images:\n  - old-1-29-1\n  - twice\n");
        assert_eq!(text, "images:\n  - old-1-29-1\n  - twice\n");
        assert_eq!(told, ["2:5: old-1-29-1 is named here and goes: its line is not published any more"]);
    }

    #[test]
    fn a_key_never_comes_to_stand_twice_in_a_mapping() {
        let (text, told) = followed("m: {a-1-30-11: 1, a-1-30-12: 2}\nn: a-1-30-11\n");
        assert_eq!(text, "m: {a-1-30-11: 1, a-1-30-12: 2}\nn: a-1-30-12\n");
        assert_eq!(told, ["1:5: a-1-30-11 stays, for a-1-30-12 stands beside it already"]);
    }

    #[test]
    fn what_is_not_in_one_line_is_reported() {
        let (text, told) = followed("m: |-\n  a-1-30-11\n");
        assert_eq!(text, "m: |-\n  a-1-30-11\n");
        assert_eq!(
            told,
            ["2:3: a-1-30-11 becomes a-1-30-12; change it by hand, for it is not written in one line"]
        );
    }
}
