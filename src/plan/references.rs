//! Names of image keys in the files of the project: they follow what the plan does to the mappings.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::written::Written;
use super::{Plan, PlanError, PlanInput, PlannedFile, Survey, Surveyed, kubernetes_versions};
use crate::reconcile::kubernetes_versions::{
    Coupled, ImagesBothSides, ImagesSide, SetVersion, VersionsFile, VersionsNote, couple,
};
use crate::reconcile::references::{self, BothReleases, Here, KeysHere, Moves, References};
use crate::reconcile::{Ownership, Reconciliation};
use crate::sylva::{IMAGES, VERSION};
use crate::values::{Change, Document, EditError, Position, ValuesError};

/// The files that may name image keys, as far as they do.
#[derive(Debug, Clone, Default)]
pub struct ReferenceFiles {
    /// Files that name a key which gets another name or goes.
    pub files: Vec<ReferenceFile>,
    /// Files that were not looked at, or not changed, and why.
    pub not_followed: Vec<(String, NotFollowed)>,
}

/// Why a file stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFollowed {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] ValuesError),
    /// It cannot be edited safely.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It names a version of its own, so that what it names is of that release.
    #[error("it names a version of its own ({0})")]
    OwnVersion(Position),
}

/// One file.
#[derive(Debug, Clone)]
pub struct ReferenceFile {
    /// Its path.
    pub path: String,
    /// Its text as it was read.
    pub before: Arc<str>,
    /// Its text as it should be.
    pub after: Arc<str>,
    /// What is renamed in it, and what dangles.
    pub references: References,
    /// Kubernetes versions in it that become those of the images.
    pub kubernetes_versions: Vec<SetVersion>,
    /// What a reader should know of its Kubernetes versions.
    pub notes: Vec<String>,
}

/// A file that was looked at, before and after.
pub(super) struct FollowedFile {
    pub(super) path: String,
    pub(super) before: Document,
    after: Option<Document>,
}

impl FollowedFile {
    /// The file as it will be.
    pub(super) fn after(&self) -> &Document {
        self.after.as_ref().unwrap_or(&self.before)
    }
}

/// What becomes of the names in each of the target's own files, outside of what was done to their mappings.
pub(super) fn own(survey: &Survey, releases: BothReleases<'_>, done: &[Reconciliation]) -> Vec<References> {
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
}

/// Follows in other files what becomes of image keys, by all producers that move some. A file that cannot be read as YAML,
/// or edited safely, stays as it is and is named; one that sops encrypted is refused. Gives each file that can be read.
pub(super) fn follow(
    written: &mut [Written<'_>],
    contents: BTreeMap<String, Vec<u8>>,
) -> Result<Vec<FollowedFile>, PlanError> {
    let Some(first) = written.iter().position(|written| written.plan.is_change()) else {
        return Ok(Vec::new());
    };
    if contents.is_empty() {
        return Ok(Vec::new());
    }
    let (mut found, mut read, mut couplings) = (ReferenceFiles::default(), Vec::new(), Vec::new());
    let ownerships: Vec<Ownership> = written.iter().map(Written::settled_ownership).collect();
    let follower = Follower {
        input: &written[first].input,
        movers: written
            .iter()
            .zip(&ownerships)
            .filter_map(|(own, ownership)| Mover::of(own, ownership))
            .collect(),
        images: kubernetes_versions::of_all(written.iter().map(Written::listing)),
    };
    for (path, bytes) in contents {
        let before = match Document::parse(bytes) {
            Ok(document) => document,
            Err(error) => {
                found.not_followed.push((path, error.into()));
                continue;
            }
        };
        let mut after = None;
        match follower.file(&path, &before) {
            Ok((file, edited, coupled)) => {
                couplings.push(coupled);
                found.files.extend(Some(file).filter(ReferenceFile::says_something));
                after = edited;
            }
            Err(NotFollowed::Edit(error)) if error.is_of_sops() => {
                return Err(PlanError::Edit { path, error });
            }
            Err(why) => found.not_followed.push((path.clone(), why)),
        }
        read.push(FollowedFile { path, before, after });
    }
    let own_files = written.iter_mut().flat_map(|written| &mut written.plan.files);
    own_files.for_each(|own| couplings.iter().for_each(|coupled| own.forget_found(coupled)));
    written[first].plan.references = found;
    Ok(read)
}

/// What follows in files that the target does not reconcile.
struct Follower<'a> {
    /// Of the first producer that moves keys.
    input: &'a PlanInput<'a>,
    movers: Vec<Mover<'a>>,
    images: Option<ImagesBothSides<'a>>,
}

/// A producer whose keys move.
struct Mover<'a> {
    survey: &'a Survey,
    moves: Moves<'a>,
    releases: BothReleases<'a>,
}

impl<'a> Mover<'a> {
    /// `None` where nothing of the producer's changes.
    fn of(written: &'a Written<'_>, ownership: &'a Ownership) -> Option<Self> {
        let Written { input, known, plan } = written;
        let wanted = known.releases.get(plan.to()).filter(|_| plan.is_change())?;
        let current = known.releases.get(&plan.from);
        let releases = BothReleases { current, wanted, naming: input.naming, ownership };
        let done = plan.files.iter().map(|file| &file.reconciliation);
        let moves = Moves::new(releases, &own_images(input.survey), done);
        Some(Self { survey: input.survey, moves, releases })
    }

    fn here<'d>(&self, document: &'d Document) -> Here<'d> {
        let primary = &self.survey.primary;
        let version = primary.version.as_ref().and_then(|(path, _)| path.0.last()).map(String::as_str);
        let versions: Vec<&str> = version.into_iter().chain([VERSION]).collect();
        let mapping = primary.mapping.path.0.last().map(String::as_str);
        let mappings: Vec<&str> = mapping.into_iter().chain(IMAGES).collect();
        let keys = KeysHere { version: &versions, mapping: &mappings };
        Here::read(document, keys, self.releases.ownership)
    }

    /// Whether either of its releases has an image of this name.
    fn knows(&self, name: &str) -> bool {
        let BothReleases { current, wanted, .. } = self.releases;
        let mut releases = current.into_iter().chain([wanted]);
        releases.any(|release| release.artifacts.contains_key(name))
    }
}

impl Follower<'_> {
    /// What becomes of a file, and its document where it changes.
    fn file(
        &self,
        path: &str,
        document: &Document,
    ) -> Result<(ReferenceFile, Option<Document>, Coupled), NotFollowed> {
        let heres: Vec<Here<'_>> = self.movers.iter().map(|mover| mover.here(document)).collect();
        let mut references = References::default();
        for (mover, here) in self.movers.iter().zip(&heres) {
            references.extend(mover.moves.follow(document, here, &[]));
        }
        let file = VersionsFile { path, document, holds_version: false };
        let couple = |images| {
            couple(self.input.kubernetes_versions, file, &self.with_own(images, &heres, &references))
        };
        let coupled = self.images.as_ref().map(couple).unwrap_or_default();
        let nothing =
            references == References::default() && coupled.set.is_empty() && coupled.notes.is_empty();
        if let Some(at) = heres.iter().find_map(|here| here.version).filter(|_| !nothing) {
            return Err(NotFollowed::OwnVersion(at));
        }
        let changes: Vec<Change> = references.changes.iter().chain(&coupled.changes).cloned().collect();
        let edited = match changes.as_slice() {
            [] => None,
            changes => Some(document.edit(changes)?.document),
        };
        let before = document.shared_text();
        let after = edited.as_ref().map_or_else(|| Arc::clone(&before), Document::shared_text);
        let notes = coupled.notes.iter().map(ToString::to_string).collect();
        let kubernetes_versions = coupled.set.clone();
        let path = path.to_owned();
        let file = ReferenceFile { path, before, after, references, kubernetes_versions, notes };
        Ok((file, edited, coupled))
    }

    /// The images of the target and those that the file lists itself, each by the producer whose image it is.
    fn with_own<'i>(
        &'i self,
        images: &ImagesBothSides<'i>,
        heres: &'i [Here<'_>],
        names: &'i References,
    ) -> ImagesBothSides<'i> {
        // Of equal names the first counts.
        let followed: HashMap<&str, &str> =
            names.followed.iter().rev().map(|it| (it.from.as_str(), it.to.as_str())).collect();
        let after = |name: &'i str| followed.get(name).copied().unwrap_or(name);
        let mut all = images.clone();
        for (place, (mover, here)) in self.movers.iter().zip(heres).enumerate() {
            let is_its = |name: &&str| match self.movers.iter().position(|mover| mover.knows(name)) {
                Some(known) => known == place,
                None => place == 0,
            };
            let BothReleases { current, wanted, naming, .. } = mover.releases;
            let listed: Vec<&str> = here.listed.iter().copied().filter(is_its).collect();
            let before = ImagesSide::new(current, listed.iter().copied(), [], naming);
            all = all.and(before, ImagesSide::new(Some(wanted), listed.into_iter().map(after), [], naming));
        }
        all
    }
}

impl PlannedFile {
    /// What a rule does not find here may stand in another file: then there is nothing to say of it.
    fn forget_found(&mut self, elsewhere: &Coupled) {
        let (not_found, found): (Vec<VersionsNote>, Vec<VersionsNote>) = std::mem::take(&mut self.not_found)
            .into_iter()
            .partition(|note| elsewhere.not_found.contains(note));
        self.not_found = not_found;
        self.notes.retain(|told| found.iter().all(|note| note.to_string() != *told));
    }
}

impl ReferenceFile {
    /// Whether it changes, or a reader should know something of it.
    fn says_something(&self) -> bool {
        let nothing = self.references == References::default() && self.kubernetes_versions.is_empty();
        !nothing || !self.notes.is_empty()
    }
}

impl ReferenceFiles {
    /// Adds what another plan says of such files.
    pub(super) fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.not_followed.extend(other.not_followed);
    }

    /// The content of each changed file, before and after.
    pub fn changes(&self) -> impl Iterator<Item = (&str, (&Arc<str>, &Arc<str>))> {
        let changed = self.files.iter().filter(|file| file.before != file.after);
        changed.map(|file| (file.path.as_str(), (&file.before, &file.after)))
    }

    /// What a reader should know, a sentence each: what dangles, and what was not looked at.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let dangling = self
            .files
            .iter()
            .flat_map(|file| file.references.notes(&file.path).chain(file.notes.iter().cloned()));
        let not_followed = self.not_followed.iter().map(|(path, why)| match why {
            NotFollowed::Unreadable(_) | NotFollowed::Edit(_) => format!("{path} was not looked at: {why}"),
            NotFollowed::OwnVersion(_) => format!("{path} was left alone: {why}"),
        });
        dangling.chain(not_followed)
    }
}
