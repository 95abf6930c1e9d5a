//! The kinds of findings, how severe each is, and how people set that.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A kind of finding. Its name is public: it stands in comments, configurations and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// A listed key whose artifact the release does not have.
    DeadKey,
    /// A key that is written twice.
    DuplicateKey,
    /// A published artifact that the policy wants listed.
    UnlistedArtifact,
    /// An entry of which nothing says whose it is, and that our release does not have.
    StrayKey,
    /// A version that is not published.
    UnpublishedVersion,
    /// A version that is a snapshot.
    PinnedVersion,
    /// A Kubernetes version that fits no listed image.
    KubernetesVersion,
    /// Listed images of one Kubernetes flavor and minor that have different versions.
    DisagreeingImages,
    /// A reference to an image that is not listed.
    UnknownImageKey,
    /// A selector that matches no image, or several.
    Selector,
    /// An image that is chosen, listed, and not enabled.
    ImageNotEnabled,
    /// An image that is chosen, and is for another Kubernetes than the cluster's.
    KubernetesMismatch,
    /// A minor of Kubernetes that the version map does not have.
    UndefinedKubernetesVersion,
    /// An entry that names a registry which is not there.
    UnknownRegistry,
    /// A selector of images to be served that matches none.
    ServedSelector,
    /// An image that is chosen of a generation, which does not publish it.
    GenerationImage,
    /// A value that differs from what a list has for a Kubernetes version.
    ListValue,
    /// An image that nobody signed.
    UnsignedImage,
    /// An image with signatures of which none counts.
    BadSignature,
    /// An image that is another one than its key, or of another release.
    WrongImage,
    /// An image whose signature could not be checked.
    UncheckedSignature,
    /// An ignoring comment without a reason, which ignores nothing.
    IgnoreWithoutReason,
    /// An ignoring comment that ignores nothing.
    UnusedIgnore,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is shown.
    Warn,
    /// It fails the check.
    Error,
}

/// Text that names no kind of finding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown check `{written}`{}", match nearest {
    Some(nearest) => format!("; did you mean `{nearest}`?"),
    None => format!(" (there are {})", Id::ALL.map(Id::as_str).join(", ")),
})]
pub struct UnknownId {
    /// What was written.
    pub written: String,
    /// The one that may have been meant.
    pub nearest: Option<Id>,
}

/// Text that is no setting of a severity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSeverity {
    /// There is no such check.
    #[error(transparent)]
    Id(#[from] UnknownId),
    /// No `ID=error`.
    #[error("`{0}` is not a setting (expected ID=error, ID=warn or ID=off, as in dead-key=off)")]
    Form(String),
    /// Another word than the three.
    #[error("`{0}` is not a severity (expected error, warn or off)")]
    Severity(String),
}

/// How severe each kind of finding is; `None` for one that is switched off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Severities(BTreeMap<Id, Option<Severity>>);

impl Id {
    /// All of them, in the order in which they are documented.
    pub const ALL: [Self; 23] = [
        Self::DeadKey,
        Self::DuplicateKey,
        Self::UnlistedArtifact,
        Self::StrayKey,
        Self::UnpublishedVersion,
        Self::PinnedVersion,
        Self::KubernetesVersion,
        Self::DisagreeingImages,
        Self::UnknownImageKey,
        Self::Selector,
        Self::ImageNotEnabled,
        Self::KubernetesMismatch,
        Self::UndefinedKubernetesVersion,
        Self::UnknownRegistry,
        Self::ServedSelector,
        Self::GenerationImage,
        Self::ListValue,
        Self::UnsignedImage,
        Self::BadSignature,
        Self::WrongImage,
        Self::UncheckedSignature,
        Self::IgnoreWithoutReason,
        Self::UnusedIgnore,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DeadKey => "dead-key",
            Self::DuplicateKey => "duplicate-key",
            Self::UnlistedArtifact => "unlisted-artifact",
            Self::StrayKey => "stray-key",
            Self::UnpublishedVersion => "unpublished-version",
            Self::PinnedVersion => "pinned-version",
            Self::KubernetesVersion => "kubernetes-version",
            Self::DisagreeingImages => "disagreeing-images",
            Self::UnknownImageKey => "unknown-image-key",
            Self::Selector => "selector",
            Self::ImageNotEnabled => "image-not-enabled",
            Self::KubernetesMismatch => "kubernetes-mismatch",
            Self::UndefinedKubernetesVersion => "undefined-kubernetes-version",
            Self::UnknownRegistry => "unknown-registry",
            Self::ServedSelector => "served-selector",
            Self::GenerationImage => "generation-image",
            Self::ListValue => "list-value",
            Self::UnsignedImage => "unsigned-image",
            Self::BadSignature => "bad-signature",
            Self::WrongImage => "wrong-image",
            Self::UncheckedSignature => "unchecked-signature",
            Self::IgnoreWithoutReason => "ignore-without-reason",
            Self::UnusedIgnore => "unused-ignore",
        }
    }

    /// What it finds, as a sentence.
    pub fn summary(self) -> &'static str {
        match self {
            Self::DeadKey => "A listed key has no artifact in the release that the file names.",
            Self::DuplicateKey => "A key is written twice.",
            Self::UnlistedArtifact => "An artifact is published, and the images policy wants it listed.",
            Self::StrayKey => "An entry may belong to another registry, and the release does not have it.",
            Self::UnpublishedVersion => "The version has no artifact.",
            Self::PinnedVersion => "The version is a snapshot, not a release.",
            Self::KubernetesVersion => "A Kubernetes version fits no listed image.",
            Self::DisagreeingImages => "Listed images of one Kubernetes minor have different versions.",
            Self::UnknownImageKey => "An image key is referred to and not listed.",
            Self::Selector => {
                "An image selector matches none or several of the listed images, or another than the key beside it."
            }
            Self::ImageNotEnabled => "The image of a machine is listed and not enabled.",
            Self::KubernetesMismatch => {
                "The image of a machine and its cluster have different Kubernetes versions."
            }
            Self::UndefinedKubernetesVersion => "No Kubernetes version is defined for the minor that is set.",
            Self::UnknownRegistry => "An entry names a registry that is not defined.",
            Self::ServedSelector => "A selector of images to be served matches none.",
            Self::GenerationImage => "A generation does not publish an image that is chosen from it.",
            Self::ListValue => "A value differs from that of a list for the Kubernetes version of images.",
            Self::UnsignedImage => "A listed image has no signature.",
            Self::BadSignature => "A listed image has signatures, and none of them is valid.",
            Self::WrongImage => "The manifest of a listed image names another image or release.",
            Self::UncheckedSignature => "The signature of a listed image could not be checked.",
            Self::IgnoreWithoutReason => "A comment ignores findings without a reason, so it does not count.",
            Self::UnusedIgnore => "A comment ignores findings that are not there.",
        }
    }

    /// How severe it is where nobody says otherwise.
    pub fn default_severity(self) -> Severity {
        match self {
            Self::DeadKey
            | Self::DuplicateKey
            | Self::UnpublishedVersion
            | Self::KubernetesVersion
            | Self::DisagreeingImages
            | Self::UnknownImageKey
            | Self::Selector
            | Self::ImageNotEnabled
            | Self::KubernetesMismatch
            | Self::UndefinedKubernetesVersion
            | Self::UnknownRegistry
            | Self::ServedSelector
            | Self::UnsignedImage
            | Self::BadSignature
            | Self::WrongImage => Severity::Error,
            Self::UnlistedArtifact
            | Self::StrayKey
            | Self::GenerationImage
            | Self::ListValue
            | Self::PinnedVersion
            | Self::UncheckedSignature
            | Self::IgnoreWithoutReason
            | Self::UnusedIgnore => Severity::Warn,
        }
    }
}

impl Severities {
    /// The same with one set; `None` switches it off.
    #[must_use]
    pub fn with(mut self, id: Id, severity: Option<Severity>) -> Self {
        self.0.insert(id, severity);
        self
    }

    /// The same with one set, unless it is set already.
    #[must_use]
    pub fn or(mut self, id: Id, severity: Severity) -> Self {
        self.0.entry(id).or_insert(Some(severity));
        self
    }

    /// How severe a finding of this kind is; `None` where it is switched off.
    pub fn of(&self, id: Id) -> Option<Severity> {
        self.0.get(&id).copied().unwrap_or_else(|| Some(id.default_severity()))
    }
}

/// Reads `ID=error`, `ID=warn` or `ID=off`.
pub fn severity_setting(text: &str) -> Result<(Id, Option<Severity>), InvalidSeverity> {
    let (id, severity) = text.split_once('=').ok_or_else(|| InvalidSeverity::Form(text.to_owned()))?;
    let severity = match severity {
        "error" => Some(Severity::Error),
        "warn" => Some(Severity::Warn),
        "off" => None,
        _ => return Err(InvalidSeverity::Severity(severity.to_owned())),
    };
    Ok((id.parse::<Id>()?, severity))
}

impl FromStr for Id {
    type Err = UnknownId;

    fn from_str(text: &str) -> Result<Self, UnknownId> {
        let likeness = |id: &Self| strsim::jaro_winkler(text, id.as_str());
        Self::ALL.into_iter().find(|id| id.as_str() == text).ok_or_else(|| {
            let best = Self::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
            UnknownId { written: text.to_owned(), nearest: best.filter(|id| likeness(id) >= 0.8) }
        })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warn => "warning",
            Self::Error => "error",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_a_wrong_one_names_the_nearest() {
        for id in Id::ALL {
            assert_eq!(id.as_str().parse(), Ok(id));
        }
        let error = "dead-kye".parse::<Id>().unwrap_err();
        assert_eq!(error.to_string(), "unknown check `dead-kye`; did you mean `dead-key`?");
        let error = "zzz".parse::<Id>().unwrap_err().to_string();
        assert!(error.starts_with("unknown check `zzz` (there are dead-key, "), "{error}");
    }

    #[test]
    fn a_severity_is_set_by_id() {
        let setting = |text| severity_setting(text);
        assert_eq!(setting("selector=off"), Ok((Id::Selector, None)));
        assert_eq!(setting("dead-key=warn"), Ok((Id::DeadKey, Some(Severity::Warn))));
        assert_eq!(setting("dead-key"), Err(InvalidSeverity::Form("dead-key".into())));
        assert_eq!(setting("dead-key=no"), Err(InvalidSeverity::Severity("no".into())));
        assert!(matches!(setting("dead=off"), Err(InvalidSeverity::Id(_))));
        let severities = Severities::default().with(Id::DeadKey, None);
        assert_eq!(severities.of(Id::DeadKey), None);
        assert_eq!(severities.of(Id::UnusedIgnore), Some(Severity::Warn));
    }
}
