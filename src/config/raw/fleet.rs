//! `include:`, `limits:` and `schedule:` as written: where more targets come from, how many at once, and when.

use crate::reconcile::{DefaultEnabled, Images};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    RawBranch, RawFile, RawKubernetesVersions, RawMergeRequest, RawPolicy, RawTarget, RawValuesFrom,
    is_default,
};

/// More targets: those of a file, or the projects of a group or organisation.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawInclude {
    /// A file with `targets:`, relative to this file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) file: Option<String>,
    /// A group, its subgroups included, or an organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) group: Option<String>,
    /// Only projects with this topic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) topic: Option<String>,
    /// Only projects that have this path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) has: Option<String>,
    /// What is kept in step in each of the group's projects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) target: Option<RawPattern>,
}

/// A file of targets.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawTargets {
    pub(in crate::config) targets: Vec<RawTarget>,
}

/// A target of which only the project is missing.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawPattern {
    /// The name of the producer; may be left out where there is one only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) producer: Option<String>,
    /// The name of the group: the merge request of this target, and of others of the same files with this group, is on the branch `dibump/<target branch>/<group>`. Without it, targets of the same files that name different producers are one group, named after the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) update_group: Option<String>,
    /// Whether entries of `os_images_oci_registries` with a literal release as `tag` are updated too: each within its own minor release, with its own merge request. Default: false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::config) generations: bool,
    /// The target branches; the project's default branch unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::config) branches: Vec<RawBranch>,
    /// The values files; a project that lacks one is skipped.
    #[schemars(length(min = 1))]
    pub(in crate::config) files: Vec<RawFile>,
    /// What happens to `default_enabled` when a newer Kubernetes of the family is added: `stay`, or `follow` (it moves to the newest, if it was at the newest before). Default: stay.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::config) default_enabled: DefaultEnabled,
    /// How the mapping of image keys is reconciled. Default: auto.
    #[serde(default)]
    pub(in crate::config) images: Images,
    /// Globs of other YAML files of the project that name image keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::config) references: Vec<String>,
    /// Which Kubernetes versions in the files of the target follow those of the images: `auto` (a `k8s_version_map` in the file that holds the version), `{add: true, remove: true}` (the same, and lines of the map are added and removed), `off`, or rules for any place in any of the files. Default: auto.
    #[serde(default)]
    pub(in crate::config) kubernetes_versions: RawKubernetesVersions,
    /// Values of the files that follow the Kubernetes versions of the images and come from published lists, such as RKE2's chart versions: one, or a list of several.
    #[serde(default, skip_serializing_if = "RawValuesFrom::is_empty")]
    pub(in crate::config) values_from: RawValuesFrom,
    /// Which releases may be proposed here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::config) policy: RawPolicy,
    /// Releases whose holds a person ended, as `0.4.13` or `kiwi-imagebuilder@0.1.3`. A version alone must belong to one producer only. It overrides every gate except signatures.
    #[serde(default)]
    pub(in crate::config) accept: Vec<String>,
    /// Settings of new merge requests here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(in crate::config) merge_request: RawMergeRequest,
    /// When merge requests may be opened here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) schedule: Option<RawSchedule>,
    /// Whether dibump writes here. With `false` it only reports what it would do. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) enabled: Option<bool>,
}

/// How many merge requests there may be.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawLimits {
    /// How many may be open at once in the targets of a run. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) open: Option<u32>,
    /// How many a run may open. Default: 20 in projects that `include:` found in a group, any number in others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) new_per_run: Option<u32>,
}

/// When merge requests may be opened: in the minutes of any of these. The nearest schedule counts.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawSchedule {
    /// The IANA name of the time zone. Default: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) timezone: Option<String>,
    /// Cron expressions of five fields that name the minutes: `* 22-23,0-5 * * *`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::config) cron: Vec<String>,
    /// Parts of the week: `mon-fri 22:00-06:00`, `sat,sun`, `12:00-13:00`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(in crate::config) windows: Vec<String>,
    /// Whether open merge requests are also updated outside the schedule. Default: false.
    #[serde(default)]
    pub(in crate::config) update_outside: bool,
}

impl RawPattern {
    /// The target in a project.
    pub(in crate::config) fn in_project(&self, project: &str) -> RawTarget {
        let pattern = self.clone();
        RawTarget {
            project: project.to_owned(),
            producer: pattern.producer,
            update_group: pattern.update_group,
            generations: pattern.generations,
            branches: pattern.branches,
            files: pattern.files,
            images: pattern.images,
            default_enabled: pattern.default_enabled,
            references: pattern.references,
            kubernetes_versions: pattern.kubernetes_versions,
            values_from: pattern.values_from,
            policy: pattern.policy,
            accept: pattern.accept,
            merge_request: pattern.merge_request,
            schedule: pattern.schedule,
            enabled: pattern.enabled,
        }
    }

    /// A target without its project.
    pub(in crate::config) fn of(target: RawTarget) -> Self {
        Self {
            producer: target.producer,
            update_group: target.update_group,
            generations: target.generations,
            branches: target.branches,
            files: target.files,
            images: target.images,
            default_enabled: target.default_enabled,
            references: target.references,
            kubernetes_versions: target.kubernetes_versions,
            values_from: target.values_from,
            policy: target.policy,
            accept: target.accept,
            merge_request: target.merge_request,
            schedule: target.schedule,
            enabled: target.enabled,
        }
    }
}
