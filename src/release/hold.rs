//! Holds: why a release is not proposed now, in which words, and what ends it.

mod defect;
mod missing;

use std::fmt;

use jiff::Timestamp;

use super::agreement::Disagreement;
use super::{Family, ImageKey, Version, counted};

pub use defect::Defect;
pub use missing::Missing;

/// Why an admitted release is not proposed now. A later run may propose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// No artifact carries the version (yet).
    Empty,
    /// It is younger than the minimum age.
    TooYoung {
        /// When it will be old enough.
        until: Timestamp,
    },
    /// A minimum age is set, and nothing says how old it is.
    AgeUnknown,
    /// It lacks every listed line of a listed family.
    SeriesMissing {
        /// The family.
        family: Family,
    },
    /// It is not published in full (yet).
    Incomplete(Missing),
    /// Its names or annotations are wrong.
    Inconsistent(Defect),
    /// It would keep or rename fewer than half of the listed keys.
    BigJump {
        /// How many would stay or be renamed.
        stay: usize,
        /// Of how many.
        listed: usize,
    },
    /// Its images would have other Kubernetes versions than others that are listed.
    Disagreeing {
        /// The two that are furthest apart.
        images: Box<Disagreement>,
        /// When it was published, where anything tells.
        since: Option<Timestamp>,
    },
    /// Images that would be listed are not signed as expected.
    Unsigned {
        /// The images, each with what is wrong, worst first.
        images: Vec<(ImageKey, String)>,
        /// How many would be listed.
        listed: usize,
    },
    /// A list of others does not tell a value that follows its images.
    NoValue {
        /// The map that has the value.
        map: String,
        /// Which list, and what is wrong with it.
        reason: String,
    },
    /// The files would have errors that they do not have now.
    NewFindings {
        /// Each error, with its place.
        errors: Vec<String>,
    },
}

impl Hold {
    /// Its name, as it stands in the outcome `held (<name>)`: the defect of the release.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooYoung { .. } => "too-young",
            Self::AgeUnknown => "age-unknown",
            Self::SeriesMissing { .. } => "series-missing",
            Self::Incomplete(_) => "incomplete",
            Self::Inconsistent(_) => "inconsistent",
            Self::BigJump { .. } => "big-jump",
            Self::Disagreeing { .. } => "disagreeing",
            Self::Unsigned { .. } => "unsigned",
            Self::NoValue { .. } => "no-value",
            Self::NewFindings { .. } => "new-findings",
        }
    }

    /// Whether a person's word ends it: no setting makes up for a signature, or for artifacts that are not there.
    pub fn can_be_overridden(&self) -> bool {
        !matches!(self, Self::Empty | Self::Unsigned { .. })
    }

    /// Why `version` is held, and what ends that.
    pub fn told(&self, version: &Version) -> String {
        format!("{self}; {}", self.remedy(version))
    }

    /// What ends a hold of `version`, beside time.
    pub fn remedy(&self, version: &Version) -> String {
        match self {
            Self::Empty => "it ends when the producer publishes".to_owned(),
            Self::Unsigned { .. } => {
                "it ends when the registry serves these images as the producer signed them; a mirror must copy the signatures \
                 along with the images"
                    .to_owned()
            }
            Self::Disagreeing { images, .. } => format!(
                "it ends when {} is replaced by an image of Kubernetes {}, or with `accept: [{version}]` in the target",
                images.lower, images.higher.k8s_version
            ),
            Self::NoValue { map, .. } => format!(
                "it ends when the list has one such value, or with `accept: [{version}]` in the target; `{map}` stays then"
            ),
            Self::AgeUnknown => {
                format!("`unknown_age: allow` or `accept: [{version}]` in the target ends it")
            }
            _ => format!("`accept: [{version}]` in the target ends it"),
        }
    }
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no artifact carries it"),
            Self::TooYoung { until } => write!(f, "too young until {}", until.strftime("%Y-%m-%d %H:%M UTC")),
            Self::AgeUnknown => f.write_str("its age is not known"),
            Self::SeriesMissing { family } => write!(f, "it has no listed series of {family} left"),
            Self::Incomplete(missing) => missing.fmt(f),
            Self::Inconsistent(defect) => defect.fmt(f),
            Self::BigJump { stay, listed } => {
                write!(f, "only {stay} of {listed} listed keys would stay or be renamed")
            }
            Self::Disagreeing { images, since } => {
                write!(f, "listed images would disagree: {images}")?;
                let day = |since: &Timestamp| write!(f, " (published {})", since.strftime("%Y-%m-%d"));
                since.as_ref().map_or(Ok(()), day)
            }
            Self::Unsigned { images, listed } => {
                write!(f, "{} of {listed} images are not signed as expected", images.len())?;
                images.first().map_or(Ok(()), |(key, why)| write!(f, ": {key} is {why}"))
            }
            Self::NoValue { map, reason } => write!(f, "no value for `{map}`: {reason}"),
            Self::NewFindings { errors } => {
                write!(f, "it would add {}", counted(errors.len(), "error"))?;
                errors.first().map_or(Ok(()), |error| write!(f, ": {error}"))
            }
        }
    }
}
