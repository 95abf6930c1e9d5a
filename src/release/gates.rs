//! Gates: what holds an allowed release back until it is complete, old enough, consistent and signed.
//!
//! Judged by what the release contains. Which versions are allowed at all is the [`super::policy`]'s matter, and what a
//! hold means for the choice that of [`super::choice`].

mod incomplete;
mod inconsistent;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::choice::{Candidate, Known, SelectionQuery};
use super::policy::{Step, UnknownAge};
use super::{Family, ImageKey, Release, Version};

pub use incomplete::Missing;
pub use inconsistent::Defect;
pub(crate) use inconsistent::wrong_image;

/// How strictly a gate is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stance {
    /// It holds releases.
    #[default]
    Hold,
    /// It tells the reviewer, and lets releases pass.
    Warn,
    /// It is not asked.
    Off,
}

/// How strictly the gates are kept that can be set; the minimum age, `step` and signatures have settings of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// Nothing that the release before had is missing.
    pub incomplete: Stance,
    /// After this long, counted from the newest artifact, an incomplete release is proposed as a draft.
    pub incomplete_timeout: SignedDuration,
    /// Names and annotations agree with each other and with the release.
    pub inconsistent: Stance,
    /// At least half of the listed keys stay or are renamed.
    pub big_jump: Stance,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            incomplete: Stance::Hold,
            incomplete_timeout: SignedDuration::from_hours(72),
            inconsistent: Stance::Hold,
            big_jump: Stance::Hold,
        }
    }
}

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
    /// Images that would be listed are not signed as demanded.
    Unsigned {
        /// The images, each with what is wrong, worst first.
        images: Vec<(ImageKey, String)>,
        /// How many would be listed.
        listed: usize,
    },
    /// The files would have errors that they do not have now.
    NewFindings {
        /// Each error, with its place.
        errors: Vec<String>,
    },
}

/// The holds of a release, by what was read of it and by what planning it found, whatever the settings say of them.
pub(super) fn holds(
    query: &SelectionQuery<'_>,
    known: &Known,
    candidate: &Candidate,
    release: &Release,
) -> Vec<Hold> {
    let previous = known.lines_before(&release.version);
    let current = query.current.and_then(|current| known.releases.get(current));
    let found = query.found.get(&release.version).into_iter().flatten().cloned();
    missing_line(query, release)
        .into_iter()
        .chain(inconsistent::defect(release, current, query).map(Hold::Inconsistent))
        .chain(incomplete::missing(release, previous.as_ref()).map(Hold::Incomplete))
        .chain(age(query, candidate, release))
        .chain(found)
        .collect()
}

/// When a release was published, by the newest date that anything gives: the manifests, the announcement, the first sight.
pub(super) fn date(candidate: &Candidate, release: &Release) -> Option<Timestamp> {
    let dates = release.artifacts.values().filter_map(|artifact| artifact.created);
    dates.chain(candidate.released_at).max().or(candidate.first_seen)
}

fn age(query: &SelectionQuery<'_>, candidate: &Candidate, release: &Release) -> Option<Hold> {
    let minimum = query.policy.minimum_age?;
    match date(candidate, release) {
        Some(date) => {
            let until = date.checked_add(minimum).unwrap_or(Timestamp::MAX);
            (until > query.now).then_some(Hold::TooYoung { until })
        }
        None => (query.policy.unknown_age == UnknownAge::Hold).then_some(Hold::AgeUnknown),
    }
}

/// With `step: series`, a release must still publish a listed series of every listed family.
fn missing_line(query: &SelectionQuery<'_>, release: &Release) -> Option<Hold> {
    if query.policy.step == Step::Newest {
        return None;
    }
    let (lines, listed) = (release.lines(), query.listed_lines());
    let kept = |family: &Family| listed.iter().any(|line| &line.family == family && lines.contains(line));
    let mut families = listed.iter().map(|line| &line.family);
    families.find(|family| !kept(family)).map(|family| Hold::SeriesMissing { family: family.clone() })
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
            Self::Unsigned { .. } => "unsigned",
            Self::NewFindings { .. } => "new-findings",
        }
    }

    /// How strictly the gate is kept here.
    pub(super) fn stance(&self, gates: &Gates) -> Stance {
        match self {
            Self::Incomplete(_) => gates.incomplete,
            Self::Inconsistent(_) => gates.inconsistent,
            Self::BigJump { .. } => gates.big_jump,
            Self::Empty
            | Self::TooYoung { .. }
            | Self::AgeUnknown
            | Self::SeriesMissing { .. }
            | Self::Unsigned { .. }
            | Self::NewFindings { .. } => Stance::Hold,
        }
    }

    /// Whether a person's word ends it: no setting makes up for a signature, or for artifacts that are not there.
    pub fn can_be_overridden(&self) -> bool {
        !matches!(self, Self::Empty | Self::Unsigned { .. })
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
            Self::SeriesMissing { family } => write!(f, "it has no listed line of {family} left"),
            Self::Incomplete(missing) => missing.fmt(f),
            Self::Inconsistent(defect) => defect.fmt(f),
            Self::BigJump { stay, listed } => {
                write!(f, "only {stay} of {listed} listed keys would stay or be renamed")
            }
            Self::Unsigned { images, listed } => {
                write!(f, "{} of {listed} images are not signed as demanded", images.len())?;
                images.first().map_or(Ok(()), |(key, why)| write!(f, ": {key} is {why}"))
            }
            Self::NewFindings { errors } => {
                let plural = if errors.len() == 1 { "error" } else { "errors" };
                write!(f, "it would add {} {plural}", errors.len())?;
                errors.first().map_or(Ok(()), |error| write!(f, ": {error}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
