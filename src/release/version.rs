//! The version of a release. It is the OCI tag of every artifact, so what was written is kept.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// A SemVer version that can be an OCI tag. Ordered by SemVer precedence, never by date.
#[derive(Debug, Clone)]
pub struct Version {
    semver: semver::Version,
    /// Shared, because versions are kept in many places and a registry may have very many.
    written: Arc<str>,
}

/// Text that is no release version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a release version (expected MAJOR.MINOR.PATCH, as in 0.4.12)")]
pub struct InvalidVersion(pub String);

impl Version {
    /// The three numbers.
    pub fn triple(&self) -> (u64, u64, u64) {
        (self.semver.major, self.semver.minor, self.semver.patch)
    }

    /// Whether the version is a pre-release or snapshot (`0.0.0-git-098dca5b`), which is never a release by itself.
    pub fn is_prerelease(&self) -> bool {
        !self.semver.pre.is_empty()
    }

    /// What is to be said of texts that are numbers and dots, but not the three of a release (`0.4`): a tag that somebody
    /// pushed by mistake, or a branch's. They are neither read as `0.4.0` nor in the way of releases.
    pub fn passed_over<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<String> {
        let is_number = |text: &&str| {
            let numbers = text.split('.');
            numbers.clone().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
                && numbers.count() != 3
        };
        let texts: BTreeSet<&str> = texts.into_iter().filter(is_number).collect();
        let (first, more) = (texts.first()?, texts.len() - 1);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("passed over `{first}`{more}: not a release version (expected MAJOR.MINOR.PATCH)"))
    }

    /// The parsed version, for range checks.
    pub fn semver(&self) -> &semver::Version {
        &self.semver
    }

    /// The text as it was written, which is the OCI tag.
    pub fn as_str(&self) -> &str {
        &self.written
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Build metadata is refused: `+` cannot stand in an OCI tag (distribution-spec, "Pulling manifests").
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        match semver::Version::parse(text) {
            Ok(semver) if semver.build.is_empty() => Ok(Self { semver, written: text.into() }),
            _ => Err(InvalidVersion(text.to_owned())),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.semver == other.semver
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.semver.hash(state);
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.semver.cmp(&other.semver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_number() {
        let mut versions: Vec<Version> =
            ["0.4.9", "0.4.12", "0.3.13"].iter().map(|v| v.parse().unwrap()).collect();
        versions.sort();
        assert_eq!(versions.iter().map(Version::as_str).collect::<Vec<_>>(), ["0.3.13", "0.4.9", "0.4.12"]);
    }

    #[test]
    fn branch_names_and_build_metadata_are_no_versions() {
        for text in
            ["mohan/add-NFS-packages", "0.0.0+test.ath.hardening", "v0.4.9", "0.4", "01.2.3", "", "bn-test-3"]
        {
            assert_eq!(text.parse::<Version>(), Err(InvalidVersion(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_three_are_named_and_passed_over() {
        assert_eq!(Version::passed_over(["0.4.0", "latest", "v0.4", "0.4-rc", "", ".", "sha256-1"]), None);
        let told = Version::passed_over(["0.4", "0.4.0", "0.4"]).unwrap();
        assert_eq!(told, "passed over `0.4`: not a release version (expected MAJOR.MINOR.PATCH)");
        assert!(Version::passed_over(["12", "0.4", "1.2.3.4"]).unwrap().contains("`0.4` and 2 more"));
    }

    #[test]
    fn snapshots_are_prereleases() {
        assert!("0.0.0-git-098dca5b".parse::<Version>().unwrap().is_prerelease());
        assert!(!"0.4.12".parse::<Version>().unwrap().is_prerelease());
    }
}
