//! The user's update policy: which versions may be proposed at all. Order is numeric, never by date.
//!
//! What a version contains plays no part here; that is asked in [`super::gates`].

use std::fmt;

use globset::GlobSet;
use jiff::SignedDuration;
use schemars::JsonSchema;
use semver::VersionReq;
use serde::{Deserialize, Serialize};

use super::Version;
use super::accepted::Accepted;
use super::hold::Hold;

/// The position of the first number that differs; `0.4.12` → `0.5.0` is minor, whatever SemVer says of `0.x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UpdateType {
    /// The third number, or only the pre-release.
    Patch,
    /// The second number.
    Minor,
    /// The first number.
    Major,
}

/// How far one update goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// To the newest allowed release.
    #[default]
    Newest,
    /// To the newest allowed release that still publishes a listed series of every listed family.
    Series,
}

/// What happens when the age of a release is not known but a minimum is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UnknownAge {
    /// The release is held.
    #[default]
    Hold,
    /// The release is taken.
    Allow,
}

/// What happens where an update would add errors to what `check` finds in the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnNewFindings {
    /// It is proposed as a draft that is not merged automatically.
    #[default]
    Draft,
    /// It is held.
    Hold,
    /// It is proposed as any other, and they are told.
    Ignore,
}

/// Which releases may be proposed.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Versions must match, where it is set.
    pub range: Option<VersionReq>,
    /// Versions that match one of these are never proposed.
    pub ignore: Vec<VersionReq>,
    /// Globs over the version's text; one must match, where there are any.
    pub include: Option<GlobSet>,
    /// Globs over the version's text; none may match.
    pub exclude: GlobSet,
    /// Whether pre-releases are releases.
    pub prereleases: bool,
    /// The allowed update types.
    pub allow: Vec<UpdateType>,
    /// How old a release must be before it is proposed.
    pub minimum_age: Option<SignedDuration>,
    /// What happens when that age is not known.
    pub unknown_age: UnknownAge,
    /// How far one update goes.
    pub step: Step,
    /// Whether an older release may be proposed when the file's is not allowed.
    pub downgrade: bool,
    /// How many releases above the file's are looked at, from the newest down, until one may be proposed.
    pub look_back: usize,
    /// Releases for which a person ended a hold: every hold but *unsigned*.
    pub accept: Vec<Accepted>,
    /// How strictly the other gates are kept.
    pub gates: Gates,
    /// What happens where an update would add errors to what `check` finds.
    pub on_new_findings: OnNewFindings,
    /// What is asked of signatures; `None` for what the known keys suggest.
    pub signatures: Option<Demand>,
    /// What a signed image must prove of itself.
    pub identity: IdentityDemand,
}

/// What the annotations of a signed image must prove. An image whose annotations contradict its name or release never passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityDemand {
    /// They must not contradict the name or the release; those of old images do not name the release.
    #[default]
    Proven,
    /// They must confirm the name and the release.
    Required,
}

/// What is asked of the signatures of images that would be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// Each one must verify; otherwise the release is held.
    Required,
    /// The reviewer is told.
    Warn,
    /// They are not looked at.
    Off,
}

/// What happens to a release that does not pass a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateMode {
    /// The release is held.
    #[default]
    Hold,
    /// The release is proposed with a warning for the reviewer.
    Warn,
    /// The gate is not checked.
    Off,
}

/// How strictly the gates are kept that can be set; the minimum age, `step` and signatures have settings of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gates {
    /// Nothing that the release before had is missing.
    pub incomplete: GateMode,
    /// After this long, counted from the newest artifact, an incomplete release is proposed as a draft.
    pub incomplete_timeout: SignedDuration,
    /// Names and annotations agree with each other and with the release.
    pub inconsistent: GateMode,
    /// At least half of the listed keys stay or are renamed.
    pub big_jump: GateMode,
    /// Listed images of one Kubernetes flavor and minor have one Kubernetes version, whichever builder made them.
    pub disagreeing: GateMode,
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            incomplete: GateMode::Hold,
            incomplete_timeout: SignedDuration::from_hours(72),
            inconsistent: GateMode::Hold,
            big_jump: GateMode::Hold,
            disagreeing: GateMode::Hold,
        }
    }
}

/// Why a version is not eligible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exclusion {
    /// It is the version of the file.
    Current,
    /// It is older than the version of the file.
    Older,
    /// A pre-release or snapshot.
    Prerelease,
    /// It does not match `range`.
    OutOfRange,
    /// It matches `ignore` or `exclude`, or not `include`.
    Ignored,
    /// Its update type is not allowed.
    NotAllowed(UpdateType),
    /// As many newer ones as are looked at are held, the oldest of them this one.
    TooFarBack(Version),
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            range: None,
            ignore: Vec::new(),
            include: None,
            exclude: GlobSet::empty(),
            prereleases: false,
            allow: vec![UpdateType::Patch, UpdateType::Minor, UpdateType::Major],
            minimum_age: None,
            unknown_age: UnknownAge::Hold,
            step: Step::Newest,
            downgrade: false,
            look_back: 20,
            accept: Vec::new(),
            gates: Gates::default(),
            on_new_findings: OnNewFindings::default(),
            signatures: None,
            identity: IdentityDemand::default(),
        }
    }
}

impl Policy {
    /// Whether `version` may be proposed to a file at `current`.
    pub fn admits(&self, version: &Version, current: Option<&Version>) -> Result<(), Exclusion> {
        if current == Some(version) {
            return Err(Exclusion::Current);
        }
        if version.is_prerelease() && !self.prereleases {
            return Err(Exclusion::Prerelease);
        }
        self.admits_by_name(version)?;
        let Some(current) = current else { return Ok(()) };
        if version < current && !(self.downgrade && self.admits_by_name(current).is_err()) {
            return Err(Exclusion::Older);
        }
        let kind = UpdateType::between(current, version);
        if self.allow.contains(&kind) { Ok(()) } else { Err(Exclusion::NotAllowed(kind)) }
    }

    /// Whether a person ended the holds of a release; of whose producer, [`Policy::of_producer`] has settled.
    pub fn accepts(&self, version: &Version) -> bool {
        self.accept.iter().any(|accepted| accepted.version == *version)
    }

    /// The same without what a person accepted of other producers.
    #[must_use]
    pub fn of_producer(mut self, name: &str) -> Self {
        self.accept.retain(|accepted| accepted.producer.as_ref().is_none_or(|producer| producer == name));
        self
    }

    /// The policy for a generation: patches of its own minor release only. Which releases the others of the file may be is
    /// nothing to it.
    #[must_use]
    pub fn of_generation(self) -> Self {
        Self { range: None, include: None, allow: vec![UpdateType::Patch], step: Step::Newest, ..self }
    }

    /// Whether only patches are allowed.
    pub fn allows_patches_only(&self) -> bool {
        !self.allow.is_empty() && self.allow.iter().all(|kind| *kind == UpdateType::Patch)
    }

    /// Whether `range` ends before the next minor of a version that it admits. The versions that a range admits follow
    /// each other without a gap, so that the first one of the next minor decides for all above, however it is spelt.
    pub fn range_ends_with_minor(&self, version: &Version) -> bool {
        let (major, minor, _) = version.triple();
        let next = semver::Version::new(major, minor + 1, 0);
        self.range.as_ref().is_some_and(|range| self.matches(range, version) && !range.matches(&next))
    }

    fn admits_by_name(&self, version: &Version) -> Result<(), Exclusion> {
        if self.range.as_ref().is_some_and(|range| !self.matches(range, version)) {
            return Err(Exclusion::OutOfRange);
        }
        let included = self.include.as_ref().is_none_or(|globs| globs.is_match(version.as_str()));
        let excluded = self.exclude.is_match(version.as_str());
        let ignored = self.ignore.iter().any(|range| self.matches(range, version));
        if included && !excluded && !ignored { Ok(()) } else { Err(Exclusion::Ignored) }
    }

    /// SemVer ranges match a pre-release only when they name one; where pre-releases are wanted, it counts as its release.
    fn matches(&self, range: &VersionReq, version: &Version) -> bool {
        let mut plain = version.semver().clone();
        if self.prereleases {
            plain.pre = semver::Prerelease::EMPTY;
        }
        range.matches(version.semver()) || range.matches(&plain)
    }
}

impl Gates {
    /// What such a hold means under these settings.
    pub(super) fn mode_of(&self, hold: &Hold) -> GateMode {
        match hold {
            Hold::Incomplete(_) => self.incomplete,
            Hold::Inconsistent(_) => self.inconsistent,
            Hold::BigJump { .. } => self.big_jump,
            Hold::Disagreeing { .. } => self.disagreeing,
            Hold::Empty
            | Hold::TooYoung { .. }
            | Hold::AgeUnknown
            | Hold::SeriesMissing { .. }
            | Hold::Unsigned { .. }
            | Hold::NoValue { .. }
            | Hold::NewFindings { .. } => GateMode::Hold,
        }
    }
}

impl UpdateType {
    /// The update type from one version to another.
    pub fn between(from: &Version, to: &Version) -> Self {
        let ((a, b, _), (x, y, _)) = (from.triple(), to.triple());
        match (a == x, b == y) {
            (false, _) => Self::Major,
            (true, false) => Self::Minor,
            (true, true) => Self::Patch,
        }
    }
}

impl fmt::Display for UpdateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
        })
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("named in the file"),
            Self::Older => f.write_str("older than the file's"),
            Self::Prerelease => f.write_str("pre-release"),
            Self::OutOfRange => f.write_str("outside `range`"),
            Self::Ignored => f.write_str("ignored"),
            Self::NotAllowed(kind) => write!(f, "{kind} updates are not allowed"),
            Self::TooFarBack(held) => write!(f, "older than {held}: not looked at (`look_back`)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use globset::{Glob, GlobSetBuilder};

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn globs(patterns: &[&str]) -> GlobSet {
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            builder.add(Glob::new(pattern).unwrap());
        }
        builder.build().unwrap()
    }

    fn verdict(policy: &Policy, current: &str, candidate: &str) -> String {
        match policy.admits(&version(candidate), Some(&version(current))) {
            Ok(()) => "allowed".to_owned(),
            Err(exclusion) => exclusion.to_string(),
        }
    }

    #[test]
    fn without_settings_every_newer_release_is_allowed() {
        let policy = Policy::default();
        let table = [
            ("0.4.9", "0.4.12", "allowed"),
            ("0.4.12", "0.5.0", "allowed"),
            ("0.4.12", "1.0.0", "allowed"),
            ("0.4.12", "0.4.12", "named in the file"),
            ("0.4.12", "0.4.9", "older than the file's"),
            ("0.4.12", "0.5.0-rc.1", "pre-release"),
        ];
        for (current, candidate, expected) in table {
            assert_eq!(verdict(&policy, current, candidate), expected, "{current} → {candidate}");
        }
    }

    #[test]
    fn the_update_type_is_the_first_number_that_differs() {
        let policy = Policy { allow: vec![UpdateType::Patch], ..Policy::default() };
        assert_eq!(verdict(&policy, "0.4.12", "0.5.0"), "minor updates are not allowed");
        assert_eq!(verdict(&policy, "0.4.12", "1.0.0"), "major updates are not allowed");
        assert_eq!(verdict(&policy, "0.4.12", "0.4.13"), "allowed");
    }

    #[test]
    fn a_range_ends_with_the_minor_whatever_its_spelling() {
        let ends = |range: &str| {
            let policy = Policy { range: Some(range.parse().unwrap()), ..Policy::default() };
            policy.range_ends_with_minor(&version("0.4.12"))
        };
        for range in
            ["~0.4.0", "~0.4", ">=0.4.3, <0.5", "0.4.*", "=0.4.12", "0.4", "^0.4.1", "<=0.4.99", "<0.5.0"]
        {
            assert!(ends(range), "{range}");
        }
        for range in ["*", ">=0.4", "0.*", "^0", "<1", ">=0.4.3, <=0.5", "<0.5.1", "~0.5", "=0.4.11"] {
            assert!(!ends(range), "{range}");
        }
        assert!(!Policy::default().range_ends_with_minor(&version("0.4.12")));
    }

    #[test]
    fn ranges_globs_and_the_ignore_list_exclude() {
        let policy = Policy {
            range: Some("0.4".parse().unwrap()),
            ignore: vec!["=0.4.4".parse().unwrap()],
            include: Some(globs(&["0.4.*"])),
            exclude: globs(&["*.13"]),
            ..Policy::default()
        };
        assert_eq!(verdict(&policy, "0.4.1", "0.5.0"), "outside `range`");
        assert_eq!(verdict(&policy, "0.4.1", "0.4.4"), "ignored");
        assert_eq!(verdict(&policy, "0.4.1", "0.4.13"), "ignored");
        assert_eq!(verdict(&policy, "0.4.1", "0.4.12"), "allowed");
    }

    #[test]
    fn a_downgrade_needs_to_be_asked_for_and_needs_a_reason() {
        let mut policy = Policy { ignore: vec!["=0.4.12".parse().unwrap()], ..Policy::default() };
        assert_eq!(verdict(&policy, "0.4.12", "0.4.11"), "older than the file's");
        policy.downgrade = true;
        assert_eq!(verdict(&policy, "0.4.12", "0.4.11"), "allowed");
        assert_eq!(verdict(&policy, "0.4.11", "0.4.10"), "older than the file's");
    }

    #[test]
    fn where_prereleases_are_wanted_a_range_matches_them() {
        let policy =
            Policy { prereleases: true, range: Some(">=0.4, <0.6".parse().unwrap()), ..Policy::default() };
        assert_eq!(verdict(&policy, "0.4.12", "0.5.0-rc.1"), "allowed");
    }
}
