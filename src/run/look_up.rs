//! From what the files say to a plan: the step that a dry run at a terminal and a run over merge requests share.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::ending::{Ending, Ends};
use crate::observe::releases::{ObserveError, Snapshot};
use crate::plan::gates::{Ask, Found, Signatures, ask};
use crate::plan::{Current, Plan, PlanError, Request, Survey, plan};
use crate::reconcile::Images;
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::release::choice::{Choice, Known, Next, Question, next_wanted};
use crate::release::policy::Policy;
use crate::release::{Line, Naming, Release, Version};
use crate::signature::Requirement;

/// What a target asks for, beside what its files say.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The update policy.
    pub policy: &'a Policy,
    /// Which keys the mapping lists.
    pub images: Images,
    /// Which Kubernetes versions elsewhere in the files follow the images.
    pub kubernetes_versions: &'a KubernetesVersions,
    /// A person's own choice of the release.
    pub to: Option<&'a Version>,
    /// What is required of signatures.
    pub signatures: &'a Requirement,
    /// The time of asking.
    pub now: Timestamp,
}

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

/// Looks up what the plan needs, and plans. What came from the cache may only lead to "nothing to do".
pub async fn look_up(
    survey: &Survey,
    snapshot: &mut Snapshot<'_>,
    naming: &Naming,
    wish: &Wish<'_>,
) -> Result<Plan, LookUpError> {
    if is_pinned(survey, wish) {
        return Ok(planned(survey, naming, wish, &Known::default(), Choice::default())?);
    }
    let listed = survey.lines(naming);
    let (mut found, mut signatures) = (Found::new(), Signatures::new());
    let mut fresh = false;
    loop {
        let question = question(survey, naming, wish, &listed, &found);
        let choice = snapshot.answer(&question, fresh).await?;
        let mut plan = planned(survey, naming, wish, snapshot.known(), choice)?;
        fresh = plan.is_change();
        if fresh && snapshot.forget_cached() {
            continue;
        }
        match ask(&mut plan, snapshot.known(), wish.policy, wish.signatures, &signatures, &found) {
            None => return Ok(plan),
            // A person's word overrides every gate but this one: what was asked for is refused.
            Some(Ask::Choice(version, hold)) if wish.to.is_some() && !hold.ends_by_word() => {
                let (version, reason) = (version.to_string(), hold.to_string());
                return Err(PlanError::Unsigned { version, reason }.into());
            }
            Some(Ask::Choice(version, hold)) => found.entry(version).or_default().push(hold),
            Some(Ask::Signatures(images)) => {
                signatures.extend(snapshot.signatures(&images, wish.signatures.keys()).await);
            }
        }
    }
}

/// Plans from releases that were looked up elsewhere. A release that is not among them is unknown.
pub fn plan_observed(
    survey: &Survey,
    known: &mut Known,
    naming: &Naming,
    wish: &Wish<'_>,
) -> Result<Plan, PlanError> {
    known.settle(&survey.listed());
    if is_pinned(survey, wish) {
        return planned(survey, naming, wish, known, Choice::default());
    }
    let listed = survey.lines(naming);
    let mut found = Found::new();
    loop {
        let question = question(survey, naming, wish, &listed, &found);
        let choice = match next_wanted(&question, known) {
            Next::Decided(choice) => choice,
            Next::Read(versions) => {
                known.releases.extend(versions.into_iter().map(|version| {
                    (version.clone(), Release::unknown(version, "it is not among the observed releases"))
                }));
                continue;
            }
        };
        let mut plan = planned(survey, naming, wish, known, choice)?;
        match ask(&mut plan, known, wish.policy, wish.signatures, &Signatures::new(), &found) {
            Some(Ask::Choice(version, hold)) => found.entry(version).or_default().push(hold),
            // Signatures are not observed; whoever demands them has a registry asked.
            None | Some(Ask::Signatures(_)) => return Ok(plan),
        }
    }
}

fn is_pinned(survey: &Survey, wish: &Wish<'_>) -> bool {
    matches!(survey.current, Current::Pinned(_)) && wish.to.is_none()
}

fn question<'a>(
    survey: &'a Survey,
    naming: &'a Naming,
    wish: &Wish<'a>,
    listed: &'a BTreeSet<Line>,
    found: &'a Found,
) -> Question<'a> {
    let current = match &survey.current {
        Current::Release(version) => Some(version),
        Current::Pinned(_) => None,
    };
    Question { policy: wish.policy, current, to: wish.to, listed, naming, found, now: wish.now }
}

/// What a plan is made of.
pub fn request<'a>(survey: &'a Survey, naming: &'a Naming, wish: &Wish<'a>) -> Request<'a> {
    let Wish { images, kubernetes_versions, to, .. } = *wish;
    Request { survey, images, kubernetes_versions, naming, forced: to.is_some() }
}

fn planned(
    survey: &Survey,
    naming: &Naming,
    wish: &Wish<'_>,
    known: &Known,
    choice: Choice,
) -> Result<Plan, PlanError> {
    plan(request(survey, naming, wish), known, choice)
}
