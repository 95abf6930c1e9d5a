//! From what the files say to a plan of keys: what a dry run at a terminal and a run over merge requests share.

use crate::ending::{Ending, Ends};
use crate::observe::releases::{ObserveError, Snapshot};
use crate::plan::gates::{Ask, Found, Signatures, ask};
use crate::plan::{KeyPlan, PlanError, PlanInput, decide};
use crate::release::Release;
use crate::release::choice::{Choice, Known, Next, next_wanted};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    /// The releases could not be looked up.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The plan cannot be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl Ends for LookUpError {
    fn ending(&self) -> Ending {
        match self {
            Self::Observe(error) => error.ending(),
            Self::Plan(error) => error.ending(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Observe(error) => error.hint(),
            Self::Plan(error) => error.hint(),
        }
    }
}

/// Looks up what the keys need, and decides. What came from the cache may only lead to "nothing to do".
///
/// # Errors
/// Releases that cannot be looked up, files that cannot be brought in step, and a release that a person asked for whose
/// images are not signed as required.
pub async fn look_up(input: &PlanInput<'_>, snapshot: &mut Snapshot<'_>) -> Result<KeyPlan, LookUpError> {
    if input.is_pinned() {
        return Ok(decide(input, &Known::default(), Choice::default())?);
    }
    let listed = input.survey.lines(input.naming);
    let (mut found, mut signatures) = (Found::new(), Signatures::new());
    let mut fresh = false;
    loop {
        let choice = snapshot.answer(&input.query(&listed, &found), fresh).await?;
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
pub fn decide_observed(input: &PlanInput<'_>, known: &mut Known) -> Result<KeyPlan, PlanError> {
    known.settle(&input.survey.listed());
    if input.is_pinned() {
        return decide(input, known, Choice::default());
    }
    let listed = input.survey.lines(input.naming);
    let mut found = Found::new();
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
