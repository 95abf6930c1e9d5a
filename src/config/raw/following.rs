//! What follows the image keys elsewhere, as written.

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

/// As `auto`, with lines of the map that come and go.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawMapLines {
    /// A minor of the listed images that the map lacks gets a line, copied from its neighbour. Default: false.
    #[serde(default)]
    pub(in crate::config) add: bool,
    /// The line of a minor goes that left with every image. Default: false.
    #[serde(default)]
    pub(in crate::config) remove: bool,
}

/// What follows without a rule.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawFollowing {
    /// A `k8s_version_map` in the file that holds the version, where the old versions say whose they are.
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
