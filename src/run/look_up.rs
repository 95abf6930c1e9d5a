//! From what the files say to a plan: the step that a dry run at a terminal and a run over merge requests share.

use jiff::Timestamp;

use crate::observe::releases::{ObserveError, Snapshot};
use crate::plan::{Current, Plan, PlanError, Request, Survey, plan};
use crate::reconcile::Images;
use crate::reconcile::kubernetes_versions::Rule;
use crate::release::choice::{Choice, Known, Next, Question, next_wanted};
use crate::release::policy::Policy;
use crate::release::{Naming, Release, Version};

/// What a target asks for, beside what its files say.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The update policy.
    pub policy: &'a Policy,
    /// Which keys the mapping lists.
    pub images: Images,
    /// Which Kubernetes versions elsewhere in the file follow the images.
    pub kubernetes_versions: &'a [Rule],
    /// A person's own choice of the release.
    pub to: Option<&'a Version>,
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
    let question = question(survey, wish, &listed);
    let choice = snapshot.answer(&question, false).await?;
    let plan = planned(survey, naming, wish, snapshot.known(), choice)?;
    if !plan.is_change() || !snapshot.forget_cached() {
        return Ok(plan);
    }
    let choice = snapshot.answer(&question, true).await?;
    Ok(planned(survey, naming, wish, snapshot.known(), choice)?)
}

/// Plans from releases that were looked up elsewhere. A release that is not among them is unknown.
pub fn plan_observed(
    survey: &Survey,
    known: &mut Known,
    naming: &Naming,
    wish: &Wish<'_>,
) -> Result<Plan, PlanError> {
    if is_pinned(survey, wish) {
        return planned(survey, naming, wish, known, Choice::default());
    }
    let listed = survey.lines(naming);
    let question = question(survey, wish, &listed);
    loop {
        match next_wanted(&question, known) {
            Next::Decided(choice) => return planned(survey, naming, wish, known, choice),
            Next::Read(versions) => known.releases.extend(versions.into_iter().map(|version| {
                (version.clone(), Release::unknown(version, "it is not among the observed releases"))
            })),
        }
    }
}

fn is_pinned(survey: &Survey, wish: &Wish<'_>) -> bool {
    matches!(survey.current, Current::Pinned(_)) && wish.to.is_none()
}

fn question<'a>(
    survey: &'a Survey,
    wish: &Wish<'a>,
    listed: &'a std::collections::BTreeSet<crate::release::Line>,
) -> Question<'a> {
    let current = match &survey.current {
        Current::Release(version) => Some(version),
        Current::Pinned(_) => None,
    };
    Question { policy: wish.policy, current, to: wish.to, listed, now: wish.now }
}

fn planned(
    survey: &Survey,
    naming: &Naming,
    wish: &Wish<'_>,
    known: &Known,
    choice: Choice,
) -> Result<Plan, PlanError> {
    let Wish { images, kubernetes_versions, to, .. } = *wish;
    plan(Request { survey, images, kubernetes_versions, naming, forced: to.is_some() }, known, choice)
}
