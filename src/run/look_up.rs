//! From what the files say to a plan of keys: what a dry run at a terminal and a run over merge requests share.

use crate::ending::{Ending, Ends};
use crate::observe::releases::{ObserveError, Snapshot};
use crate::plan::gates::{Ask, ask};
use crate::plan::signed::Signatures;
use crate::plan::{KeyPlan, PlanError, PlanInput, decide};
use crate::release::data::{FoundHolds, ReleaseData};
use crate::release::selection::{Choice, Next, next_wanted};
use crate::release::{Coverage, Release, Version};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    /// The releases could not be looked up.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The plan cannot be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A person asked for a release that does not exist.
    #[error("{version} does not exist in {place}{}", newest.as_ref().map(|newest| format!("; the newest release is {newest}")).unwrap_or_default())]
    NoSuchRelease {
        /// The version.
        version: String,
        /// Where it was looked for.
        place: &'static str,
        /// The newest release that there is.
        newest: Option<String>,
    },
}

impl Ends for LookUpError {
    fn ending(&self) -> Ending {
        match self {
            Self::Observe(error) => error.ending(),
            Self::Plan(error) => error.ending(),
            Self::NoSuchRelease { .. } => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Observe(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::NoSuchRelease { .. } => None,
        }
    }
}

/// Looks up what the keys need, and decides. What came from the cache may only lead to "nothing to do".
///
/// # Errors
/// Releases that cannot be looked up, files that cannot be brought in step, and a release that a person asked for whose
/// images are not signed as required.
pub async fn look_up(input: &PlanInput<'_>, snapshot: &mut Snapshot) -> Result<KeyPlan, LookUpError> {
    if input.is_pinned() {
        return Ok(decide(input, &ReleaseData::default(), Choice::default())?);
    }
    let listed = input.survey.listed();
    let (mut found, mut signatures) = (FoundHolds::new(), Signatures::new());
    let mut fresh = false;
    loop {
        let choice = snapshot.answer(&input.query(&listed, &found), fresh).await?;
        must_exist(input.to, snapshot.known(), "the registry")?;
        let mut keys = decide(input, snapshot.known(), choice)?;
        fresh = keys.is_change();
        if fresh && snapshot.forget_cached() {
            continue;
        }
        match ask(&mut keys, input, snapshot.known(), &signatures, &found) {
            None => return Ok(keys),
            // A person's word overrides every gate but this one: what was asked for is refused.
            Some(Ask::Choice(version, hold)) if input.to.is_some() && !hold.can_be_overridden() => {
                let (version, reason) = (version.to_string(), hold.to_string());
                return Err(PlanError::Unsigned { version, reason }.into());
            }
            Some(Ask::Choice(version, hold)) => found.entry(version).or_default().push(hold),
            Some(Ask::Signatures(images)) => {
                signatures.extend(snapshot.signatures(&images, input.signatures.keys()).await);
            }
        }
    }
}

/// Decides by releases that were looked up elsewhere. A release that is not among them is unknown.
///
/// # Errors
/// Files that cannot be brought in step.
pub fn decide_observed(input: &PlanInput<'_>, known: &mut ReleaseData) -> Result<KeyPlan, LookUpError> {
    let listed = input.survey.listed();
    known.settle(&listed);
    if input.is_pinned() {
        return Ok(decide(input, known, Choice::default())?);
    }
    must_exist(input.to, known, "the observed releases")?;
    let mut found = FoundHolds::new();
    loop {
        let choice = match next_wanted(&input.query(&listed, &found), known) {
            Next::Decided(choice) => choice,
            Next::Read(versions) => {
                known.releases.extend(versions.into_iter().map(|version| {
                    (version.clone(), Release::unknown(version, "it is not among the observed releases"))
                }));
                continue;
            }
        };
        let mut keys = decide(input, known, choice)?;
        match ask(&mut keys, input, known, &Signatures::new(), &found) {
            Some(Ask::Choice(version, hold)) => found.entry(version).or_default().push(hold),
            // Signatures are not observed; whoever demands them has a registry asked.
            None | Some(Ask::Signatures(_)) => return Ok(keys),
        }
    }
}

/// What a person asks for by name must be there.
fn must_exist(to: Option<&Version>, known: &ReleaseData, place: &'static str) -> Result<(), LookUpError> {
    let Some(to) = to else { return Ok(()) };
    let is_unknown = |release: &Release| matches!(release.coverage, Coverage::Unknown { .. });
    match known.releases.get(to) {
        Some(release) if is_unknown(release) || !release.artifacts.is_empty() => Ok(()),
        _ => {
            let others = known.candidates.keys().filter(|other| *other != to && !other.is_prerelease());
            let newest = others.max().map(ToString::to_string);
            Err(LookUpError::NoSuchRelease { version: to.to_string(), place, newest })
        }
    }
}
