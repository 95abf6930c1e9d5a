//! A rule: where Kubernetes versions stand, and of which flavor.

use std::fmt;
use std::str::FromStr;

use super::Pattern;
use crate::values::KeyPath;

/// Where Kubernetes versions of one flavor stand in the values file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRule {
    /// Where.
    pub place: VersionPlace,
    /// The flavor of Kubernetes: `rke2`, `kubeadm`, …
    pub k8s_flavor: String,
}

/// A place in the values file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionPlace {
    /// A scalar, or a mapping whose keys are Kubernetes minors.
    Path(KeyPath),
    /// Whatever in the text matches.
    Pattern(Pattern),
}

/// Text that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a rule: {why} (expected auto, off, add, remove, FLAVOR=PATH or FLAVOR~PATTERN, as in rke2=_internal.k8s_version_map)"
)]
pub struct InvalidRule {
    text: String,
    why: String,
}

impl FromStr for VersionRule {
    type Err = InvalidRule;

    /// As [`fmt::Display`] writes it: the form of the command line.
    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        let invalid = |why: String| InvalidRule { text: text.to_owned(), why };
        let at = text.find(['=', '~']).ok_or_else(|| invalid("it names no place".to_owned()))?;
        let (k8s_flavor, rest) = (&text[..at], &text[at + 1..]);
        if k8s_flavor.is_empty() {
            return Err(invalid("it names no flavor".to_owned()));
        }
        let place = match text.as_bytes()[at] {
            b'=' => VersionPlace::Path(rest.parse().map_err(|error| invalid(format!("{error}")))?),
            _ => VersionPlace::Pattern(Pattern::new(rest).map_err(|error| invalid(error.to_string()))?),
        };
        Ok(Self { place, k8s_flavor: k8s_flavor.to_owned() })
    }
}

impl fmt::Display for VersionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            VersionPlace::Path(path) => write!(f, "{}={path}", self.k8s_flavor),
            VersionPlace::Pattern(pattern) => write!(f, "{}~{}", self.k8s_flavor, pattern.as_str()),
        }
    }
}

impl fmt::Display for VersionPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(f),
            Self::Pattern(pattern) => write!(f, "/{}/", pattern.as_str()),
        }
    }
}
