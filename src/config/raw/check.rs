//! `check:` as written: how severe each kind of finding is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::{Id, Severities, Severity};

/// How severe each kind of finding of `dibump check` is.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::config) struct RawCheck {
    /// A listed key has no artifact in the release that the file names. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_key: Option<RawSeverity>,
    /// A key is written twice. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_key: Option<RawSeverity>,
    /// An artifact is published, and the images policy wants it listed. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlisted_artifact: Option<RawSeverity>,
    /// An entry may belong to another registry, and the release does not have it. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    stray_key: Option<RawSeverity>,
    /// The version has no artifact. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    unpublished_version: Option<RawSeverity>,
    /// The version is a snapshot, not a release. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned_version: Option<RawSeverity>,
    /// A Kubernetes version fits no listed image. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes_version: Option<RawSeverity>,
    /// Listed images of one Kubernetes minor have different versions. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    disagreeing_images: Option<RawSeverity>,
    /// An image key is referred to and not listed. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_image_key: Option<RawSeverity>,
    /// An image selector matches none or several of the listed images, or another than the key beside it. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    selector: Option<RawSeverity>,
    /// The image of a machine is listed and not enabled. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_not_enabled: Option<RawSeverity>,
    /// The image of a machine and its cluster have different Kubernetes versions. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes_mismatch: Option<RawSeverity>,
    /// No Kubernetes version is defined for the minor that is set. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    undefined_kubernetes_version: Option<RawSeverity>,
    /// An entry names a registry that is not defined. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_registry: Option<RawSeverity>,
    /// A selector of images to be served matches none. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    served_selector: Option<RawSeverity>,
    /// A generation does not publish an image that is chosen from it. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_image: Option<RawSeverity>,
    /// A value differs from that of a list for the Kubernetes version of images. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    list_value: Option<RawSeverity>,
    /// A listed image has no signature. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    unsigned_image: Option<RawSeverity>,
    /// A listed image has signatures, and none of them is valid. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    bad_signature: Option<RawSeverity>,
    /// The manifest of a listed image names another image or release. Default: error.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong_image: Option<RawSeverity>,
    /// The signature of a listed image could not be checked. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    unchecked_signature: Option<RawSeverity>,
    /// A comment ignores findings without a reason, so it does not count. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    ignore_without_reason: Option<RawSeverity>,
    /// A comment ignores findings that are not there. Default: warn.
    #[serde(skip_serializing_if = "Option::is_none")]
    unused_ignore: Option<RawSeverity>,
}

/// How severe a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum RawSeverity {
    /// It fails the check.
    Error,
    /// It is shown.
    Warn,
    /// It is not looked for.
    Off,
}

impl RawCheck {
    /// What it means.
    pub(in crate::config) fn severities(&self) -> Severities {
        Id::ALL.into_iter().fold(Severities::default(), |severities, id| match self.field(id) {
            None => severities,
            Some(RawSeverity::Error) => severities.with(id, Some(Severity::Error)),
            Some(RawSeverity::Warn) => severities.with(id, Some(Severity::Warn)),
            Some(RawSeverity::Off) => severities.with(id, None),
        })
    }

    /// All severities, written out.
    pub(in crate::config) fn of(severities: &Severities) -> Self {
        let mut raw = Self::default();
        for id in Id::ALL {
            *raw.field_mut(id) = Some(match severities.of(id) {
                Some(Severity::Error) => RawSeverity::Error,
                Some(Severity::Warn) => RawSeverity::Warn,
                None => RawSeverity::Off,
            });
        }
        raw
    }

    fn field(&self, id: Id) -> Option<RawSeverity> {
        *self.clone().field_mut(id)
    }

    fn field_mut(&mut self, id: Id) -> &mut Option<RawSeverity> {
        match id {
            Id::DeadKey => &mut self.dead_key,
            Id::DuplicateKey => &mut self.duplicate_key,
            Id::UnlistedArtifact => &mut self.unlisted_artifact,
            Id::StrayKey => &mut self.stray_key,
            Id::UnpublishedVersion => &mut self.unpublished_version,
            Id::PinnedVersion => &mut self.pinned_version,
            Id::KubernetesVersion => &mut self.kubernetes_version,
            Id::DisagreeingImages => &mut self.disagreeing_images,
            Id::UnknownImageKey => &mut self.unknown_image_key,
            Id::Selector => &mut self.selector,
            Id::ImageNotEnabled => &mut self.image_not_enabled,
            Id::KubernetesMismatch => &mut self.kubernetes_mismatch,
            Id::UndefinedKubernetesVersion => &mut self.undefined_kubernetes_version,
            Id::UnknownRegistry => &mut self.unknown_registry,
            Id::ServedSelector => &mut self.served_selector,
            Id::GenerationImage => &mut self.generation_image,
            Id::ListValue => &mut self.list_value,
            Id::UnsignedImage => &mut self.unsigned_image,
            Id::BadSignature => &mut self.bad_signature,
            Id::WrongImage => &mut self.wrong_image,
            Id::UncheckedSignature => &mut self.unchecked_signature,
            Id::IgnoreWithoutReason => &mut self.ignore_without_reason,
            Id::UnusedIgnore => &mut self.unused_ignore,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_finding_has_its_key_with_its_summary_and_default() {
        let schema = schemars::schema_for!(RawCheck).to_value();
        for id in Id::ALL {
            let default = match id.default_severity() {
                Severity::Error => "error",
                Severity::Warn => "warn",
            };
            let description = format!("{} Default: {default}.", id.summary());
            assert_eq!(schema["properties"][id.as_str()]["description"], description, "{id}");
        }
        assert_eq!(schema["properties"].as_object().unwrap().len(), Id::ALL.len());
    }

    #[test]
    fn what_is_set_is_read_back() {
        let severities =
            Severities::default().with(Id::DeadKey, None).with(Id::Selector, Some(Severity::Warn));
        let read = RawCheck::of(&severities).severities();
        assert!(Id::ALL.into_iter().all(|id| read.of(id) == severities.of(id)), "{read:?}");
        let raw: RawCheck = serde_yaml::from_str("dead-key: off\n").unwrap();
        assert_eq!(raw.severities().of(Id::DeadKey), None);
    }
}
