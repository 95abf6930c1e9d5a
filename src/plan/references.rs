//! Names of image keys in the files of the project: they follow what the plan does to the mappings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Plan, Request, Survey, Surveyed};
use crate::reconcile::Reconciliation;
use crate::reconcile::references::{self, Here, Keys, Moves, References, Releases};
use crate::release::choice::Known;
use crate::sylva::{IMAGES, VERSION};
use crate::values::{Document, Position};

/// The files that may name image keys, as far as they do.
#[derive(Debug, Default)]
pub struct ReferenceFiles {
    /// Files that name a key which gets another name or goes.
    pub files: Vec<ReferenceFile>,
    /// Files that were not looked at, or not changed, and why.
    pub not_followed: Vec<(String, NotFollowed)>,
}

/// Why a file stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// It cannot be read, or not edited safely.
    #[error("{0}")]
    Unreadable(String),
    /// It names a version of its own, so that what it names is of that release.
    #[error("it names a version of its own ({0})")]
    OwnVersion(Position),
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

/// What becomes of the names in each of the target's own files, outside of what was done to their mappings.
pub(super) fn own(survey: &Survey, releases: Releases<'_>, done: &[Reconciliation]) -> Vec<References> {
    if done.iter().any(|mapping| !mapping.version_may_move) {
        return done.iter().map(|_| References::default()).collect();
    }
    let own_images = own_images(survey);
    let follow = |(file, mapping): (&Surveyed, &Reconciliation)| {
        // What the file's own mapping did goes before what the others did.
        let moves = Moves::new(releases, &own_images, std::iter::once(mapping).chain(done));
        let decided = references::entries(&file.document, &file.mapping, mapping);
        moves.follow(&file.document, &Here::default(), &decided)
    };
    survey.files().zip(done).map(follow).collect()
}

fn own_images(survey: &Survey) -> BTreeSet<&str> {
    survey.files().flat_map(|file| references::own_images(&file.document)).collect()
}

impl Plan {
    /// Whether a file is the target's own, which is reconciled and followed with its mapping.
    pub fn is_own(&self, path: &str) -> bool {
        self.files.iter().any(|file| file.path == path)
    }

    /// Follows in other files what becomes of image keys. A file that cannot be read as YAML, or edited safely, stays as
    /// it is and is named. `known` is what the plan was made of.
    pub fn follow(&mut self, request: Request<'_>, known: &Known, contents: BTreeMap<String, Vec<u8>>) {
        let Some(wanted) = known.releases.get(self.to()).filter(|_| self.is_change()) else { return };
        let survey = request.survey;
        let ownership = survey.ownership.settled_by(&survey.primary.mapping);
        let current = known.releases.get(&self.from);
        let releases = Releases { current, wanted, naming: request.naming, ownership: &ownership };
        let mappings = self.files.iter().map(|file| &file.reconciliation);
        let follower =
            Follower { moves: Moves::new(releases, &own_images(survey), mappings), releases, survey };
        let mut found = ReferenceFiles::default();
        for (path, bytes) in contents {
            match follower.file(bytes) {
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

/// What follows in files that the target does not reconcile.
struct Follower<'a> {
    moves: Moves<'a>,
    releases: Releases<'a>,
    survey: &'a Survey,
}

impl Follower<'_> {
    /// The text before and after, and what became of the names in it.
    fn file(&self, bytes: Vec<u8>) -> Result<(Arc<str>, Arc<str>, References), NotFollowed> {
        let unreadable = |why: String| NotFollowed::Unreadable(why);
        let document = Document::parse(bytes).map_err(|error| unreadable(error.to_string()))?;
        let primary = &self.survey.primary;
        let version = primary.version.as_ref().and_then(|(path, _)| path.0.last()).map(String::as_str);
        let versions: Vec<&str> = version.into_iter().chain([VERSION]).collect();
        let mapping = primary.mapping.path.0.last().map(String::as_str);
        let mappings: Vec<&str> = mapping.into_iter().chain(IMAGES).collect();
        let keys = Keys { version: &versions, mapping: &mappings };
        let here = Here::read(&document, keys, self.releases.ownership);
        let references = self.moves.follow(&document, &here, &[]);
        let before = document.shared_text();
        if let Some(at) = here.version.filter(|_| references != References::default()) {
            return Err(NotFollowed::OwnVersion(at));
        }
        if references.changes.is_empty() {
            return Ok((before.clone(), before, references));
        }
        let edited = document.edit(&references.changes).map_err(|error| unreadable(error.to_string()))?;
        Ok((before, edited.text.into(), references))
    }
}

impl ReferenceFiles {
    /// The content of each changed file, before and after.
    pub fn changes(&self) -> impl Iterator<Item = (&str, (&Arc<str>, &Arc<str>))> {
        let changed = self.files.iter().filter(|file| file.before != file.after);
        changed.map(|file| (file.path.as_str(), (&file.before, &file.after)))
    }

    /// What a reader should know, a sentence each: what dangles, and what was not looked at.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let dangling = self.files.iter().flat_map(|file| file.references.notes(&file.path));
        let not_followed = self.not_followed.iter().map(|(path, why)| match why {
            NotFollowed::Unreadable(_) => format!("{path} was not looked at: {why}"),
            NotFollowed::OwnVersion(_) => format!("{path} was left alone: {why}"),
        });
        dangling.chain(not_followed)
    }
}
