//! What follows the image keys elsewhere, as written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which Kubernetes versions follow those of the images.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum RawKubernetesVersions {
    Word(RawFollowing),
    Lines(RawMapLines),
    Rules(Vec<RawKubernetesRule>),
}

/// As `auto`, and lines of the map are added and removed.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawMapLines {
    /// A minor of the listed images that the map lacks gets a line, copied from its neighbour. Default: false.
    #[serde(default)]
    pub(in crate::config) add: bool,
    /// The line of a minor is removed with its last listed image. Default: false.
    #[serde(default)]
    pub(in crate::config) remove: bool,
}

/// What follows without a rule.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawFollowing {
    /// A `k8s_version_map` in the file that holds the version, if the old versions show to which flavor they belong.
    Auto,
    /// Nothing; differences are reported.
    Off,
}

impl Default for RawKubernetesVersions {
    fn default() -> Self {
        Self::Word(RawFollowing::Auto)
    }
}

/// Kubernetes versions of one flavor: at a path, or where a pattern matches.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawKubernetesRule {
    /// A version, or a mapping whose keys are Kubernetes minors, as in `_internal.k8s_version_map`; the versions may stand inside of templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) path: Option<String>,
    /// A regular expression over the text of the file, with the group `version`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) pattern: Option<String>,
    /// The Kubernetes flavor of the images. Versions of `rke2` are those with a revision (`v1.31.8+rke2r1`), versions of all others those without.
    pub(in crate::config) k8s_flavor: String,
}

/// Values that follow by lists of others: one, or several.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub(in crate::config) enum RawValuesFrom {
    One(RawValueFrom),
    Several(Vec<RawValueFrom>),
}

impl Default for RawValuesFrom {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

impl RawValuesFrom {
    /// All of them.
    pub(in crate::config) fn all(&self) -> &[RawValueFrom] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }

    /// Whether there is none.
    pub(in crate::config) fn is_empty(&self) -> bool {
        self.all().is_empty()
    }
}

/// A map of the files whose values are those of a list that somebody else keeps for each Kubernetes version, as RKE2 does for its charts.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawValueFrom {
    /// Where the list of a Kubernetes version is: an https URL with `{k8s_version}`, which becomes `1.31.8+rke2r1` (its `+` escaped). The host must be in `values_from_hosts`. The list is YAML: a list of mappings, or a mapping of which one key holds one. What was read once is kept for ever.
    pub(in crate::config) url: String,
    /// Which item of the list is meant: a field, and what it says.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
    pub(in crate::config) find: BTreeMap<String, String>,
    /// The field of that item whose text is taken.
    pub(in crate::config) take: String,
    /// The path of the map in the files. Its keys are Kubernetes minors or versions; or they are the values, and each says for which versions it counts (`true`, or sylva-core's `k8s-version-match`).
    pub(in crate::config) to: String,
    /// The Kubernetes flavor of the images whose versions count. Default: rke2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) k8s_flavor: Option<String>,
}
