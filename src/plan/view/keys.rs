//! What becomes of the image keys of each file.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::plan::{Plan, PlannedFile};
use crate::reconcile::kubernetes_versions::{MapLine, SetVersion};
use crate::reconcile::references::References;
use crate::reconcile::values_from::SetValue;
use crate::reconcile::{Because, Images, MovedDefault, OsChange};
use crate::release::data::ReleaseData;
use crate::release::{Artifact, Facets, Family, Naming, Version};
use crate::values::Position;

/// One file of a plan.
#[derive(Debug, Clone)]
pub struct FileView {
    /// Its path.
    pub path: String,
    /// Its text as it was read.
    pub before: Arc<str>,
    /// Its text as it should be.
    pub after: Arc<str>,
    /// The policy that held; never [`Images::Auto`].
    pub policy: Images,
    /// Why that policy.
    pub because: Because,
    /// Its keys: those that stay, get another name, are new, and go.
    pub keys: Vec<KeyView>,
    /// Keys that stay though no artifact was found.
    pub dead: Vec<String>,
    /// Artifacts that are published and not listed.
    pub suggested: Vec<String>,
    /// Keys of other registries, left alone.
    pub foreign: Vec<String>,
    /// Keys that are templates, left alone.
    pub templates: Vec<String>,
    /// Names of image keys outside of the mapping.
    pub references: References,
    /// OS releases that change below keys that stay or get another name.
    pub os_changes: Vec<OsChange>,
    /// `default_enabled` that moves to the newest Kubernetes of its family.
    pub moved_defaults: Vec<MovedDefault>,
    /// Kubernetes versions elsewhere in the file that become those of the images.
    pub kubernetes_versions: Vec<SetVersion>,
    /// Lines of Kubernetes minors that come and go elsewhere in the file.
    pub kubernetes_lines: Vec<MapLine>,
    /// Values elsewhere in the file that become those of a list.
    pub values: Vec<SetValue>,
    /// What else a reader should know.
    pub notes: Vec<String>,
}

/// What happens to an image key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAction {
    /// It stays; its image may be another one.
    Keep,
    /// It gets another name.
    Rename,
    /// It is new.
    Add,
    /// It goes.
    Remove,
}

/// An image key, before and after.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// What happens to it.
    pub action: KeyAction,
    /// The key so far.
    pub from: Option<NamedImage>,
    /// The key as it will be.
    pub to: Option<NamedImage>,
    /// Why it goes.
    pub why: Option<String>,
    /// Whether its value enables it.
    pub in_use: bool,
    /// Where the entry stands.
    pub at: Option<Position>,
}

/// An image key and what it stands for, where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedImage {
    /// The key.
    pub key: String,
    /// What the image contains.
    pub facets: Option<Facets>,
}

/// An image in use, and what takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedImage {
    /// The key so far.
    pub from: String,
    /// The key as it will be; perhaps the same.
    pub to: String,
}

impl FileView {
    /// Adds what another producer does to the same file.
    pub(super) fn extend(&mut self, other: Self) {
        let foreign: BTreeSet<String> = other.foreign.into_iter().collect();
        self.foreign.retain(|key| foreign.contains(key));
        self.keys.extend(other.keys);
        self.dead.extend(other.dead);
        self.suggested.extend(other.suggested);
        self.references.extend(other.references);
        self.os_changes.extend(other.os_changes);
        self.moved_defaults.extend(other.moved_defaults);
        self.kubernetes_versions.extend(other.kubernetes_versions);
        self.kubernetes_lines.extend(other.kubernetes_lines);
        self.values.extend(other.values);
        let told: HashSet<&String> = self.notes.iter().collect();
        let new: Vec<String> = other.notes.into_iter().filter(|note| !told.contains(note)).collect();
        self.notes.extend(new);
    }

    /// The keys that get this action.
    pub fn with(&self, action: KeyAction) -> impl Iterator<Item = &KeyView> {
        self.keys.iter().filter(move |key| key.action == action)
    }
}

impl KeyView {
    /// The family that it belongs to, where that is known.
    pub fn family(&self) -> Option<Family> {
        let facets = |image: &Option<NamedImage>| image.as_ref()?.facets.as_ref().map(Facets::family);
        facets(&self.to).or_else(|| facets(&self.from))
    }
}

/// The keys of a plan, and what they stand for.
pub(super) struct PlannedKeys<'a> {
    pub(super) plan: &'a Plan,
    pub(super) known: &'a ReleaseData,
    pub(super) naming: &'a Naming,
}

impl PlannedKeys<'_> {
    pub(super) fn file(&self, file: &PlannedFile) -> FileView {
        let reconciliation = &file.reconciliation;
        FileView {
            path: file.path.clone(),
            before: Arc::clone(&file.before),
            after: Arc::clone(&file.after),
            policy: reconciliation.policy,
            because: reconciliation.because.clone(),
            keys: self.keys(file),
            dead: reconciliation.dead.iter().map(|dead| dead.key.clone()).collect(),
            suggested: reconciliation.suggested.iter().map(|suggested| suggested.key.to_string()).collect(),
            foreign: reconciliation.foreign.iter().map(|foreign| foreign.key.clone()).collect(),
            templates: reconciliation.templates.iter().map(|template| template.key.clone()).collect(),
            references: file.references.clone(),
            os_changes: reconciliation.os_changes.clone(),
            moved_defaults: reconciliation.moved_defaults.clone(),
            kubernetes_versions: file.kubernetes_versions.clone(),
            kubernetes_lines: file.kubernetes_lines.clone(),
            values: file.values.clone(),
            notes: file.notes.clone(),
        }
    }

    fn keys(&self, file: &PlannedFile) -> Vec<KeyView> {
        let reconciliation = &file.reconciliation;
        let in_use: BTreeSet<&str> = file.in_use.iter().map(|(from, _)| from.as_str()).collect();
        let stays = |action, from: &str, to: &str, at| KeyView {
            action,
            from: self.image(from, &self.plan.from),
            to: self.image(to, self.plan.to()),
            why: None,
            in_use: in_use.contains(from),
            at: Some(at),
        };
        let kept = reconciliation.kept.iter();
        let kept = kept.map(|kept| stays(KeyAction::Keep, &kept.key, &kept.key, kept.at));
        let renamed = reconciliation.renamed.iter();
        let renamed = renamed.map(|key| stays(KeyAction::Rename, &key.from, key.to.as_str(), key.at));
        let added = reconciliation.added.iter().map(|added| KeyView {
            action: KeyAction::Add,
            from: None,
            to: self.image(added.key.as_str(), self.plan.to()),
            why: None,
            in_use: false,
            at: None,
        });
        let removed = reconciliation.removed.iter().map(|removed| KeyView {
            action: KeyAction::Remove,
            from: self.image(&removed.key, &self.plan.from),
            to: None,
            why: Some(removed.why.to_string()),
            in_use: removed.enabled,
            at: Some(removed.at),
        });
        kept.chain(renamed).chain(added).chain(removed).collect()
    }

    /// A key as it stands for in this release, else by its name.
    fn image(&self, key: &str, version: &Version) -> Option<NamedImage> {
        let facets = self.artifact(key, version).and_then(|artifact| artifact.facets.clone());
        Some(NamedImage { key: key.to_owned(), facets: facets.or_else(|| self.naming.facets(key)) })
    }

    fn artifact(&self, key: &str, version: &Version) -> Option<&Artifact> {
        self.known.releases.get(version)?.artifacts.get(key)
    }

    /// Images in use whose content changes, or may: where a digest is not known, nothing says that it stays.
    pub(super) fn replaced(&self) -> Vec<ReplacedImage> {
        let digest = |key: &str, version| self.artifact(key, version)?.digest.clone();
        let stays = |from: &str, to: &str| {
            let before = digest(from, &self.plan.from);
            before.is_some() && before == digest(to, self.plan.to())
        };
        let in_use: BTreeSet<&(String, String)> =
            self.plan.files.iter().flat_map(|file| &file.in_use).collect();
        let replaced = in_use.into_iter().filter(|(from, to)| !stays(from, to));
        replaced.map(|(from, to)| ReplacedImage { from: from.clone(), to: to.clone() }).collect()
    }

    /// The artifacts that the files will list: what the bot vouches for, and compares with later.
    pub(super) fn listed(&self) -> Vec<Artifact> {
        let listed: BTreeSet<&str> =
            self.plan.files.iter().flat_map(|file| file.reconciliation.listed_after()).collect();
        let release = self.known.releases.get(self.plan.to()).filter(|_| self.plan.is_change());
        let artifacts = release.into_iter().flat_map(|release| release.artifacts.values());
        artifacts.filter(|artifact| listed.contains(artifact.key.as_str())).cloned().collect()
    }
}
