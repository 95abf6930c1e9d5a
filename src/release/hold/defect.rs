//! What is wrong with an inconsistent release.

use std::fmt;

use crate::release::identity::Contradiction;
use crate::release::{ImageKey, K8sVersion, Series};

/// What is wrong with a release; of several defects the one that explains most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Defect {
    /// Names contain the release's own tag, as those of diskimage-builder 0.4.4.
    NamesHoldTag {
        /// One of them.
        key: ImageKey,
        /// How many there are.
        count: usize,
    },
    /// Names fit no known scheme.
    NoScheme {
        /// One of them.
        key: ImageKey,
        /// How many there are.
        count: usize,
    },
    /// The annotations of an image speak of another image or release.
    WrongImage {
        /// Its name.
        key: ImageKey,
        /// What they say.
        contradiction: Contradiction,
    },
    /// Images of one Kubernetes flavor and minor have different Kubernetes versions.
    MixedKubernetes {
        /// The Kubernetes flavor.
        k8s_flavor: String,
        /// The versions, lowest first.
        versions: Vec<K8sVersion>,
    },
    /// The OS release of a listed family changes, where only patches are allowed.
    OsRelease {
        /// The line.
        line: Series,
        /// The OS release so far.
        from: String,
        /// The OS release that it would be.
        to: String,
    },
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamesHoldTag { key, count } => {
                let names = names_of(*count, "holds", "hold");
                write!(f, "{names} the release's own tag, as in no other release: {key}")
            }
            Self::NoScheme { key, count } => {
                write!(f, "{} no known scheme (see `names.pattern`): {key}", names_of(*count, "fits", "fit"))
            }
            Self::WrongImage { key, contradiction } => write!(f, "{key} is {contradiction}"),
            Self::MixedKubernetes { k8s_flavor, versions } => {
                let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "its {k8s_flavor} images have different Kubernetes versions: {}",
                    versions.join(", ")
                )
            }
            Self::OsRelease { line, from, to } => {
                write!(f, "{line} moves from OS release {from} to {to}, and only patches are allowed here")
            }
        }
    }
}

fn names_of(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("a name {one}") } else { format!("{count} names {many}") }
}
