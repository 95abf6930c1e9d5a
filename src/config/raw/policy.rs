//! `policy:` as written: which releases may be proposed, and what holds them.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which releases may be proposed. A key that is missing here is taken from the level above.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawPolicy {
    /// A SemVer range that versions must match: `>=0.4, <0.6`, `0.3.x`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) range: Option<String>,
    /// Versions and ranges that are never proposed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) ignore: Option<Vec<String>>,
    /// Globs over the version; one must match, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) include: Option<Vec<String>>,
    /// Globs over the version; none may match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) exclude: Option<Vec<String>>,
    /// Whether pre-releases are releases. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) prereleases: Option<bool>,
    /// The allowed update types, by the first number that differs (0.4.12 → 0.5.0 is minor). Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) allow: Option<Vec<RawUpdateType>>,
    /// How old a release must be before it is proposed: `3 days`, `12h`.
    #[schemars(example = "3 days")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) minimum_age: Option<String>,
    /// What happens to a release whose age is not known where a minimum age is set. Default: hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) unknown_age: Option<RawUnknownAge>,
    /// How far one update goes. Default: newest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) step: Option<RawStep>,
    /// Whether an older release may be proposed when the file's is not allowed. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) downgrade: Option<bool>,
    /// How many releases above the file's are looked at, from the newest down, until one may be proposed. Default: 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) look_back: Option<NonZeroU32>,
    /// What happens to a release that lacks what the release before had, or whose images wait to be promoted. Default: hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) incomplete: Option<RawStance>,
    /// How long an incomplete release is waited for, from its newest image on, before it is proposed as a draft. Default:
    /// 72h.
    #[schemars(example = "72h")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) incomplete_timeout: Option<String>,
    /// What happens to a release whose names or annotations are wrong. Default: hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) inconsistent: Option<RawStance>,
    /// What happens to a release that would keep or rename fewer than half of the listed keys. Default: hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) big_jump: Option<RawStance>,
    /// What happens where an update would add errors to what `check` finds in the files. Default: draft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) on_new_findings: Option<RawOnNewFindings>,
    /// What is asked of the signatures of images that would be listed. Default: required where a public key is known (warn
    /// where it comes from a values file that skips the check itself), else off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) signatures: Option<RawDemand>,
    /// What a signed image must prove of itself, beyond not being another image or release. Default: proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::config) identity: Option<RawIdentity>,
}

/// How strictly a gate is kept.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawStance {
    /// It holds releases.
    Hold,
    /// It tells the reviewer, and lets releases pass.
    Warn,
    /// It is not asked.
    Off,
}

/// What is asked of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawDemand {
    /// Each image must be signed by one of the keys; otherwise the release is held.
    Required,
    /// The reviewer is told.
    Warn,
    /// They are not looked at.
    Off,
}

/// What a signed image must prove of itself.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawIdentity {
    /// What is proven is enough.
    Proven,
    /// That it has the name and is of the release that were asked for; otherwise its signature does not count.
    Required,
}

/// What happens where an update would add errors.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawOnNewFindings {
    /// It is proposed as a draft that is not merged automatically.
    Draft,
    /// It is held.
    Hold,
    /// It is proposed as any other, and they are told.
    Ignore,
}

/// An update type.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawUpdateType {
    /// The first number differs.
    Major,
    /// The second number differs.
    Minor,
    /// The third number differs.
    Patch,
}

/// What happens to a release whose age is not known.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawUnknownAge {
    /// It is held.
    Hold,
    /// It is taken.
    Allow,
}

/// How far one update goes.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawStep {
    /// To the newest allowed release.
    Newest,
    /// To the newest allowed release that still publishes a listed series of every listed family.
    Series,
}

impl RawPolicy {
    /// This policy, and what it leaves open as `above` has it.
    pub(in crate::config) fn or(&self, above: &Self) -> Self {
        Self {
            range: self.range.clone().or_else(|| above.range.clone()),
            ignore: self.ignore.clone().or_else(|| above.ignore.clone()),
            include: self.include.clone().or_else(|| above.include.clone()),
            exclude: self.exclude.clone().or_else(|| above.exclude.clone()),
            prereleases: self.prereleases.or(above.prereleases),
            allow: self.allow.clone().or_else(|| above.allow.clone()),
            minimum_age: self.minimum_age.clone().or_else(|| above.minimum_age.clone()),
            unknown_age: self.unknown_age.or(above.unknown_age),
            step: self.step.or(above.step),
            downgrade: self.downgrade.or(above.downgrade),
            look_back: self.look_back.or(above.look_back),
            incomplete: self.incomplete.or(above.incomplete),
            incomplete_timeout: self.incomplete_timeout.clone().or_else(|| above.incomplete_timeout.clone()),
            inconsistent: self.inconsistent.or(above.inconsistent),
            big_jump: self.big_jump.or(above.big_jump),
            on_new_findings: self.on_new_findings.or(above.on_new_findings),
            signatures: self.signatures.or(above.signatures),
            identity: self.identity.or(above.identity),
        }
    }
}
