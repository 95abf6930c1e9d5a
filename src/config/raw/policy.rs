//! `policy:` as written: which releases may be proposed, and what holds them.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layered::layered;
use crate::release::policy::{
    Demand, GateMode, IdentityDemand, OnNewFindings, Policy, Step, UnknownAge, UpdateType,
};

layered! {
    /// Which releases may be proposed. A key that is missing here is taken from the level above.
    struct RawPolicy {
        /// A SemVer range that versions must match: `>=0.4, <0.6`, `0.3.x`.
        range: String,
        /// Versions and ranges that are never proposed.
        ignore: Vec<String>,
        /// Globs over the version; one must match, where there are any.
        include: Vec<String>,
        /// Globs over the version; none may match.
        exclude: Vec<String>,
        /// Whether pre-releases are releases. Default: false.
        prereleases: bool,
        /// The allowed update types, by the first number that differs (0.4.12 → 0.5.0 is minor). Default: all.
        allow: Vec<UpdateType>,
        /// How old a release must be before it is proposed: `3 days`, `12h`.
        #[schemars(example = "3 days")]
        minimum_age: String,
        /// What happens to a release whose age is not known where a minimum age is set. Default: hold.
        unknown_age: UnknownAge,
        /// How far one update goes. Default: newest.
        step: Step,
        /// Whether an older release may be proposed when the file's is not allowed. Default: false.
        downgrade: bool,
        /// How many releases above the file's are looked at, from the newest down, until one may be proposed. Default: 20.
        look_back: NonZeroU32,
        /// What happens to a release that lacks what the release before had, or whose images wait to be promoted. Default: hold.
        incomplete: GateMode,
        /// How long an incomplete release is waited for, from its newest image on, before it is proposed as a draft. Default:
        /// 72h.
        #[schemars(example = "72h")]
        incomplete_timeout: String,
        /// What happens to a release whose names or annotations are wrong. Default: hold.
        inconsistent: GateMode,
        /// What happens to a release that would keep or rename fewer than half of the listed keys. Default: hold.
        big_jump: GateMode,
        /// What happens to a release whose images would have other Kubernetes versions than others that are listed, whichever builder made them. Default: hold.
        disagreeing: GateMode,
        /// What happens if an update would add errors to the findings of `check`. Default: draft.
        on_new_findings: OnNewFindings,
        /// What is asked of the signatures of images that would be listed. Default: required where a public key is known (warn
        /// where it comes from a values file that skips the check itself), else off.
        signatures: Demand,
        /// What the annotations of a signed image must prove. Default: proven.
        identity: IdentityDemand,
    }
}

impl RawPolicy {
    /// What holds where nothing is written, written out.
    pub(in crate::config) fn defaults() -> Self {
        let default = Policy::default();
        Self {
            ignore: Some(Vec::new()),
            include: Some(Vec::new()),
            exclude: Some(Vec::new()),
            prereleases: Some(default.prereleases),
            allow: Some(default.allow),
            unknown_age: Some(default.unknown_age),
            step: Some(default.step),
            downgrade: Some(default.downgrade),
            look_back: u32::try_from(default.look_back).ok().and_then(NonZeroU32::new),
            incomplete: Some(default.gates.incomplete),
            incomplete_timeout: Some(format!("{}h", default.gates.incomplete_timeout.as_hours())),
            inconsistent: Some(default.gates.inconsistent),
            big_jump: Some(default.gates.big_jump),
            disagreeing: Some(default.gates.disagreeing),
            on_new_findings: Some(default.on_new_findings),
            identity: Some(default.identity),
            // Without them there is no default: no range, no minimum age, and signatures as the known keys suggest.
            range: None,
            minimum_age: None,
            signatures: None,
        }
    }
}
