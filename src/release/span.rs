//! Two releases as a person names them: `A..B`, where an open end stands for the newest or the previous release.

use std::fmt;
use std::str::FromStr;

use super::Version;

/// From one release to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// `A..B`.
    Between(Version, Version),
    /// `A..`: from A to the newest release.
    Since(Version),
    /// `..B`: from the release before B to B.
    UpTo(Version),
}

/// Text that names no two releases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected two releases, as in 0.4.11..0.4.12, or one of them: `0.4.11..` goes to the newest, `..0.4.12` comes from the previous{}", .because.as_ref().map(|because| format!("; {because}")).unwrap_or_default())]
pub struct InvalidSpan {
    /// What is wrong with one of the two, where something is.
    because: Option<String>,
}

/// An open end that has nothing to stand for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchEnd {
    /// No release is newer.
    #[error("no release is newer than {0}")]
    Newer(Version),
    /// No release is older.
    #[error("no release is older than {0}")]
    Older(Version),
}

impl Span {
    /// The two releases, where `releases` are those that an open end may stand for.
    pub fn ends<'a>(
        &self,
        releases: impl Iterator<Item = &'a Version>,
    ) -> Result<(Version, Version), NoSuchEnd> {
        match self {
            Self::Between(from, to) => Ok((from.clone(), to.clone())),
            Self::Since(from) => {
                let newest = releases.max().filter(|newest| *newest > from);
                newest.map(|to| (from.clone(), to.clone())).ok_or_else(|| NoSuchEnd::Newer(from.clone()))
            }
            Self::UpTo(to) => {
                let previous = releases.filter(|release| *release < to).max();
                previous.map(|from| (from.clone(), to.clone())).ok_or_else(|| NoSuchEnd::Older(to.clone()))
            }
        }
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let (from, to) = text.split_once("..").ok_or(InvalidSpan { because: None })?;
        let version = |text: &str| {
            text.parse::<Version>().map_err(|error| InvalidSpan { because: Some(error.to_string()) })
        };
        match (from, to) {
            ("", "") => Err(InvalidSpan { because: None }),
            ("", to) => Ok(Self::UpTo(version(to)?)),
            (from, "") => Ok(Self::Since(version(from)?)),
            (from, to) => Ok(Self::Between(version(from)?, version(to)?)),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between(from, to) => write!(f, "{from}..{to}"),
            Self::Since(from) => write!(f, "{from}.."),
            Self::UpTo(to) => write!(f, "..{to}"),
        }
    }
}

/// The releases beside a version that is none, as a person may have meant: the one below it and the one above it.
pub fn neighbours<'a>(
    version: &Version,
    releases: impl Iterator<Item = &'a Version> + Clone,
) -> Vec<&'a Version> {
    let below = releases.clone().filter(|release| *release < version).max();
    let above = releases.filter(|release| *release > version).min();
    below.into_iter().chain(above).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn releases() -> Vec<Version> {
        ["0.3.13", "0.4.9", "0.4.11", "0.4.12"].map(v).into()
    }

    #[test]
    fn an_open_end_is_the_newest_or_the_previous_release() {
        let releases = releases();
        let ends = |text: &str| {
            let ends = text.parse::<Span>().unwrap().ends(releases.iter());
            ends.map(|(from, to)| format!("{from} {to}")).map_err(|error| error.to_string())
        };
        assert_eq!(ends("0.4.9..0.4.11").unwrap(), "0.4.9 0.4.11");
        assert_eq!(ends("0.4.12..0.3.13").unwrap(), "0.4.12 0.3.13");
        assert_eq!(ends("0.4.9..").unwrap(), "0.4.9 0.4.12");
        assert_eq!(ends("..0.4.9").unwrap(), "0.3.13 0.4.9");
        assert_eq!(ends("0.4.12..").unwrap_err(), "no release is newer than 0.4.12");
        assert_eq!(ends("..0.3.13").unwrap_err(), "no release is older than 0.3.13");
    }

    #[test]
    fn a_wrong_form_is_answered_with_the_right_one() {
        for wrong in
            ["", "..", "0.4.11", "0.4.11-0.4.12", "0.4..0.4.12", "0.4.11...0.4.12", "a..b", "0.4.11.. "]
        {
            let error = wrong.parse::<Span>().unwrap_err().to_string();
            assert!(error.contains("0.4.11..0.4.12"), "{wrong}: {error}");
        }
        let error = "0.4..0.4.12".parse::<Span>().unwrap_err().to_string();
        assert!(
            error.ends_with("; `0.4` is not a release version (expected MAJOR.MINOR.PATCH, as in 0.4.12)")
        );
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in ["0.4.11..0.4.12", "0.4.11..", "..0.4.12"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_neighbours_of_a_version_are_the_nearest_on_both_sides() {
        let releases = releases();
        let near =
            |text| neighbours(&v(text), releases.iter()).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(near("0.4.10"), ["0.4.9", "0.4.11"]);
        assert_eq!(near("0.9.0"), ["0.4.12"]);
        assert_eq!(near("0.0.1"), ["0.3.13"]);
    }
}
