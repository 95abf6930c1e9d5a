//! What a merge request offers: the release of the only producer, one of each producer of a group, or a first
//! configuration.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::release::Version;

/// What a merge request offers.
///
/// A set is newer than another of the same producers where one release is newer and none is older; else neither is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// The release of the only producer.
    One(Version),
    /// The release of each producer of a group, by the producers' names.
    Several(BTreeMap<String, Version>),
    /// No release: the configuration by which releases will be offered.
    Configuration,
}

/// How marker and trailer call a first configuration.
const CONFIGURATION: &str = "configuration";

/// A text that names no releases.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no releases")]
pub struct InvalidOffered(String);

impl Offered {
    /// As marker and trailer have it: `0.4.12`, or `diskimage-builder@0.4.12 kiwi-imagebuilder@0.1.3`.
    pub fn written(&self) -> String {
        match self {
            Self::One(version) => version.to_string(),
            Self::Several(all) => {
                let each = all.iter().map(|(producer, version)| format!("{producer}@{version}"));
                each.collect::<Vec<_>>().join(" ")
            }
            Self::Configuration => CONFIGURATION.to_owned(),
        }
    }

    /// Each release, with the name of its producer where there are several.
    pub fn each(&self) -> impl Iterator<Item = (Option<&str>, &Version)> {
        let (one, several) = match self {
            Self::One(version) => (Some((None, version)), None),
            Self::Several(all) => (None, Some(all)),
            Self::Configuration => (None, None),
        };
        let several = several.into_iter().flatten();
        one.into_iter().chain(several.map(|(producer, version)| (Some(producer.as_str()), version)))
    }

    /// The releases of a set that are kept; of an offer that is not a set all of it.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str, &Version) -> bool) -> Self {
        match self {
            Self::Several(all) => {
                let kept = all.iter().filter(|(producer, version)| keep(producer, version));
                Self::Several(kept.map(|(producer, version)| (producer.clone(), version.clone())).collect())
            }
            other => other.clone(),
        }
    }

    /// `is` of one release, `are` of several.
    pub fn is_or_are(&self) -> &'static str {
        if self.each().count() > 1 { "are" } else { "is" }
    }
}

impl PartialOrd for Offered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self.each().map(|(producer, _)| producer).ne(other.each().map(|(producer, _)| producer)) {
            return None;
        }
        let mut all = self.each().zip(other.each()).map(|((_, own), (_, other))| own.cmp(other));
        all.try_fold(Ordering::Equal, |together, one| match (together, one) {
            (together, one) if together == one || one == Ordering::Equal => Some(together),
            (Ordering::Equal, one) => Some(one),
            _ => None,
        })
    }
}

impl FromStr for Offered {
    type Err = InvalidOffered;

    fn from_str(text: &str) -> Result<Self, InvalidOffered> {
        let invalid = || InvalidOffered(text.to_owned());
        if text == CONFIGURATION {
            return Ok(Self::Configuration);
        }
        if !text.contains('@') {
            return text.parse().map(Self::One).map_err(|_| invalid());
        }
        let release = |word: &str| {
            let (producer, version) = word.rsplit_once('@')?;
            Some((producer.to_owned(), version.parse().ok()?))
        };
        text.split_whitespace().map(release).collect::<Option<_>>().map(Self::Several).ok_or_else(invalid)
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::Configuration {
            return f.write_str("the first configuration");
        }
        for (place, (producer, version)) in self.each().enumerate() {
            if place > 0 {
                f.write_str(" and ")?;
            }
            match producer {
                Some(producer) => write!(f, "{producer} {version}")?,
                None => version.fmt(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_newer_where_one_release_is_newer_and_none_is_older() {
        for (one, other, expected) in [
            ("0.4.12", "0.4.13", Some(Ordering::Less)),
            ("0.4.12", "0.4.12", Some(Ordering::Equal)),
            ("a@0.4.12 b@0.1.2", "a@0.4.13 b@0.1.2", Some(Ordering::Less)),
            ("a@0.4.13 b@0.1.3", "a@0.4.12 b@0.1.2", Some(Ordering::Greater)),
            ("a@0.4.13 b@0.1.2", "a@0.4.12 b@0.1.3", None),
            ("a@0.4.12 b@0.1.2", "a@0.4.12", None),
            ("0.4.12", "a@0.4.12 b@0.1.2", None),
            ("configuration", "configuration", Some(Ordering::Equal)),
            ("configuration", "0.4.12", None),
        ] {
            let (one, other): (Offered, Offered) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!(one.partial_cmp(&other), expected, "{one} {other}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["0.4.12", "diskimage-builder@0.4.12 kiwi@host@0.1.3", "configuration"] {
            assert_eq!(text.parse::<Offered>().unwrap().written(), text);
        }
        for text in ["", "newest", "a@newest", "0.4.12 0.4.13"] {
            assert!(text.parse::<Offered>().is_err(), "{text}");
        }
        let both: Offered = "diskimage-builder@0.4.12 kiwi@0.1.3".parse().unwrap();
        assert_eq!(both.to_string(), "diskimage-builder 0.4.12 and kiwi 0.1.3");
    }
}
