//! What follows the image keys elsewhere, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::diff;
use crate::plan::{ReferenceFile, ReferenceFiles};
use crate::reconcile::MovedDefault;
use crate::reconcile::kubernetes_versions::{MapLine, SetVersion};
use crate::reconcile::references::References;
use crate::reconcile::values_from::{ListedValue, SetValue};

/// A file that names image keys of the mapping.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReferenceReport {
    /// Its path.
    pub path: String,
    /// Whether it changes.
    pub changed: bool,
    /// Why it was not looked at, or left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_looked_at: Option<String>,
    /// What gets another name.
    pub followed: Vec<FollowedReference>,
    /// What stays and will name no key of the mapping.
    pub dangling: Vec<DanglingReference>,
    /// Kubernetes versions that become those of the images.
    pub kubernetes_versions: Vec<SetKubernetesVersion>,
    /// What else a reader should know.
    pub notes: Vec<String>,
    /// The unified diff; empty if nothing changes.
    pub diff: String,
}

/// A scalar or mapping key that gets the new name of an image key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FollowedReference {
    /// The key so far.
    pub from: String,
    /// The new key.
    pub to: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

/// A scalar or mapping key that stays though the mapping will not have that key.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DanglingReference {
    /// The key.
    pub key: String,
    /// Why it stays, in a sentence.
    pub why: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

/// A Kubernetes version that becomes that of the images.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SetKubernetesVersion {
    /// The flavor of Kubernetes.
    pub k8s_flavor: String,
    /// The Kubernetes minor.
    pub minor: String,
    /// As it is written.
    pub from: String,
    /// As it will be.
    pub to: String,
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

/// A line of a mapping of Kubernetes minors that comes or goes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KubernetesLine {
    /// The Kubernetes minor.
    pub minor: String,
    /// Whether it comes; else it goes.
    pub is_new: bool,
    /// The file and the path of the mapping in it.
    pub place: String,
    /// What it says, or said.
    pub text: String,
}

/// A value that becomes that of a list of others.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FollowedValue {
    /// The path of the map that has it.
    pub map: String,
    /// What it says so far; absent for a new entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What it will say; absent for an entry that goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Its line in the file, from 1; that of the map for a new entry.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
    /// The lists that say so.
    pub lists: Vec<ReadList>,
}

/// A list that was read.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReadList {
    /// The Kubernetes version that it is of.
    pub k8s_version: String,
    /// Where it is.
    pub url: String,
    /// The digest of what was read there: `sha256:<64 hex digits>`.
    pub digest: String,
}

/// A `default_enabled` that moves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MovedDefaultEnabled {
    /// The key that had it, as the file has it.
    pub from: String,
    /// The key that gets it.
    pub to: String,
}

pub(super) fn report(references: &ReferenceFiles) -> Vec<ReferenceReport> {
    let not_looked_at = references.not_followed.iter().map(|(path, why)| ReferenceReport {
        path: path.clone(),
        changed: false,
        not_looked_at: Some(why.to_string()),
        followed: Vec::new(),
        dangling: Vec::new(),
        kubernetes_versions: Vec::new(),
        notes: Vec::new(),
        diff: String::new(),
    });
    references.files.iter().map(file).chain(not_looked_at).collect()
}

fn file(file: &ReferenceFile) -> ReferenceReport {
    ReferenceReport {
        path: file.path.clone(),
        changed: file.before != file.after,
        not_looked_at: None,
        followed: followed(&file.references),
        dangling: dangling(&file.references),
        kubernetes_versions: file.kubernetes_versions.iter().map(SetKubernetesVersion::of).collect(),
        notes: file.notes.clone(),
        diff: diff::unified(&file.path, &file.before, &file.after),
    }
}

/// Names that become others.
pub(super) fn followed(references: &References) -> Vec<FollowedReference> {
    let followed = references.followed.iter().map(|followed| FollowedReference {
        from: followed.from.clone(),
        to: followed.to.clone(),
        line: followed.at.line,
        column: followed.at.column,
    });
    followed.collect()
}

/// Names that stay.
pub(super) fn dangling(references: &References) -> Vec<DanglingReference> {
    let dangling = references.dangling.iter().map(|dangling| DanglingReference {
        key: dangling.key.clone(),
        why: dangling.to_string(),
        line: dangling.at.line,
        column: dangling.at.column,
    });
    dangling.collect()
}

impl MovedDefaultEnabled {
    pub(super) fn of(moved: &MovedDefault) -> Self {
        Self { from: moved.from.clone(), to: moved.to.clone() }
    }
}

impl FollowedValue {
    pub(super) fn of(set: &SetValue) -> Self {
        let list = |list: &ListedValue| ReadList {
            k8s_version: list.to.to_string(),
            url: list.url.clone(),
            digest: list.digest.to_string(),
        };
        Self {
            map: set.map.to_string(),
            from: set.from.clone(),
            to: set.to.clone(),
            line: set.at.line,
            column: set.at.column,
            lists: set.lists.iter().map(list).collect(),
        }
    }
}

impl KubernetesLine {
    pub(super) fn of(line: &MapLine) -> Self {
        let (place, text) = (line.place.clone(), line.text.clone());
        Self { minor: line.minor.to_string(), is_new: line.is_new, place, text }
    }
}

impl SetKubernetesVersion {
    pub(super) fn of(set: &SetVersion) -> Self {
        Self {
            k8s_flavor: set.k8s_flavor.clone(),
            minor: set.minor.to_string(),
            from: set.from.clone(),
            to: set.to.clone(),
            line: set.at.line,
            column: set.at.column,
        }
    }
}
