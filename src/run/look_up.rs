//! From what the files say to a plan of keys: what a dry run at a terminal and a run over merge requests share.

use std::collections::BTreeSet;

use crate::ending::{Ending, Ends};
use crate::observe::releases::{ObserveError, Snapshot};
use crate::plan::gates::{Ask, ask};
use crate::plan::images::{ImagesOf, images_of_others};
use crate::plan::signed::{self, Signatures};
use crate::plan::{KeyPlan, PlanError, PlanInput, Planned, decide};
use crate::release::accepted::{Accepted, AmbiguousAcceptance, must_be_clear};
use crate::release::agreement::{
    Disagreement, MOST_NEWER, ProducerOptions, ReleaseOption, SetStep, next_set,
};
use crate::release::data::{FoundHolds, ReleaseData, SelectionQuery};
use crate::release::gates::published;
use crate::release::hold::Hold;
use crate::release::policy::Policy;
use crate::release::selection::{Choice, Next, next_wanted};
use crate::release::{Coverage, Digest, ImageKey, Release, Version};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum LookUpError {
    /// The releases could not be looked up.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The plan cannot be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It is open which release a person accepted.
    #[error(transparent)]
    Accepted(#[from] AmbiguousAcceptance),
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
            Self::Accepted(_) | Self::NoSuchRelease { .. } => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Observe(error) => error.hint(),
            Self::Plan(error) => error.hint(),
            Self::Accepted(error) => Some(error.remedy()),
            Self::NoSuchRelease { .. } => None,
        }
    }
}

/// A producer of the files, and where its releases are looked up.
pub struct ProducerQuery<'a> {
    /// How people call it; empty where nothing says.
    pub name: &'a str,
    /// What its plan is made of.
    pub input: PlanInput<'a>,
    /// Where its releases are looked up.
    pub releases: Releases<'a>,
}

/// Where releases are looked up.
pub enum Releases<'a> {
    /// In the registry and in what announces them.
    Registry(&'a mut Snapshot),
    /// Among those that were looked up elsewhere: one that is not among them is unknown, and so are signatures.
    Observed(&'a mut ReleaseData),
}

/// Looks up what the keys of each producer need, and decides. What came from the cache may only lead to "nothing to do".
///
/// The producers of one file go together: each to the newest release that may be proposed and whose images agree with
/// those that the others go to ([`next_set`]). What could not be told of one leaves all of them where they are.
///
/// # Errors
/// Releases that cannot be looked up, files that cannot be brought in step, and a release that a person asked for whose
/// images are not signed as required.
pub async fn look_up(members: Vec<ProducerQuery<'_>>) -> Result<Vec<KeyPlan>, LookUpError> {
    let mut searches = Vec::with_capacity(members.len());
    for member in members {
        searches.push(Search::begin(member).await?);
    }
    accepted_are_clear(&searches)?;
    let inputs: Vec<&PlanInput<'_>> = searches.iter().map(|search| &search.member.input).collect();
    let others = images_of_others(&inputs);
    // A release that disagrees with itself is *inconsistent*.
    let is_alone = searches.len() == 1 && others.is_empty();
    loop {
        if let Some(reason) = unknown(&searches) {
            return Ok(searches.into_iter().map(|search| search.unknown(&reason)).collect());
        }
        if is_alone {
            return Ok(searches.into_iter().map(|search| search.plan(None)).collect());
        }
        let options: Vec<ProducerOptions> = searches.iter().map(Search::options).collect();
        match next_set(&options, &others) {
            SetStep::LookFurther { producer, against } => searches[producer].look_further(against).await?,
            SetStep::Decided(set) => {
                return Ok(searches.into_iter().zip(set).map(|(search, place)| search.plan(place)).collect());
            }
        }
    }
}

/// A version that a person accepted must be that of one producer.
fn accepted_are_clear(searches: &[Search<'_>]) -> Result<(), AmbiguousAcceptance> {
    let accepted: Vec<(&Search<'_>, &[Accepted])> =
        searches.iter().map(|search| (search, &search.policy.accept[..])).collect();
    let has = |search: &Search<'_>, version: &Version| {
        search.member.releases.known().candidates.contains_key(version)
    };
    must_be_clear(&accepted, has, |search| search.member.name)
}

/// What could not be told, of whichever producer.
fn unknown(searches: &[Search<'_>]) -> Option<String> {
    searches.iter().find_map(|search| match &search.plans.last()?.verdict {
        Planned::Unknown { reason } if searches.len() > 1 => Some(format!("{} {reason}", search.member.name)),
        Planned::Unknown { reason } => Some(reason.clone()),
        _ => None,
    })
}

/// The look-up for one producer.
struct Search<'a> {
    member: ProducerQuery<'a>,
    policy: Policy,
    listed: BTreeSet<ImageKey>,
    /// What planning found against releases.
    found: FoundHolds,
    signatures: Signatures,
    /// The plans that came of it, to the newest release first; the last may be to stay.
    plans: Vec<KeyPlan>,
    /// Whether the last plan stands although its images disagree with others.
    may_disagree: bool,
}

impl<'a> Search<'a> {
    async fn begin(member: ProducerQuery<'a>) -> Result<Self, LookUpError> {
        let listed = member.input.survey.listed();
        let policy = member.input.policy.clone();
        let mut search = Self {
            member,
            policy,
            listed,
            found: FoundHolds::new(),
            signatures: Signatures::new(),
            plans: Vec::new(),
            may_disagree: false,
        };
        search.member.releases.settle(&search.listed);
        let plan = search.next().await?;
        search.plans.push(plan);
        Ok(search)
    }

    /// The plan to the newest release against which nothing was found.
    async fn next(&mut self) -> Result<KeyPlan, LookUpError> {
        let Self { member: ProducerQuery { input, releases, .. }, policy, listed, found, signatures, .. } =
            self;
        let input = PlanInput { policy, ..*input };
        if input.is_pinned() {
            return Ok(decide(&input, &ReleaseData::default(), Choice::default())?);
        }
        let mut fresh = false;
        loop {
            let choice = releases.answer(&input.query(listed, found), fresh).await?;
            let mut keys = decide(&input, releases.known(), choice)?;
            fresh = keys.is_change();
            if fresh && releases.forget_cached() {
                continue;
            }
            match ask(&mut keys, &input, releases.known(), signatures, found) {
                None => return Ok(keys),
                // A person's word overrides every gate but this one: what was asked for is refused.
                Some(Ask::Choice(version, hold)) if input.to.is_some() && !hold.can_be_overridden() => {
                    let (version, reason) = (version.to_string(), hold.to_string());
                    return Err(PlanError::Unsigned { version, reason }.into());
                }
                Some(Ask::Choice(version, hold)) => found.entry(version).or_default().push(hold),
                Some(Ask::Signatures(images)) => {
                    signatures.extend(releases.signatures(&images, &input).await);
                }
            }
        }
    }

    /// Its last plan disagrees with what is listed beside it: takes the next lower release, or the same one again where
    /// that is no reason to hold it.
    async fn look_further(&mut self, against: Box<Disagreement>) -> Result<(), LookUpError> {
        let Some(version) = self.plans.last().map(|plan| plan.to().clone()) else { return Ok(()) };
        let hold =
            Hold::Disagreeing { images: against, since: published(self.member.releases.known(), &version) };
        self.found.entry(version.clone()).or_default().push(hold);
        self.policy.look_back = self.policy.look_back.min(MOST_NEWER);
        let next = self.next().await?;
        self.may_disagree = *next.to() == version;
        if self.may_disagree {
            self.plans.pop();
        }
        self.plans.push(next);
        Ok(())
    }

    fn options(&self) -> ProducerOptions {
        let moves = |plan: &&KeyPlan| plan.to() != &plan.from;
        let newer = self.plans.iter().filter(moves);
        let option = |(place, plan): (usize, &KeyPlan)| ReleaseOption {
            listed: plan.images(self.member.input.survey, self.images()),
            may_disagree: self.may_disagree && place + 1 == self.plans.len(),
        };
        ProducerOptions {
            newer: newer.enumerate().map(option).collect(),
            may_have_more: self.plans.last().is_some_and(|plan| moves(&plan)) && !self.may_disagree,
            present: self.member.input.survey.present_images(self.images()),
        }
    }

    fn images(&self) -> ImagesOf<'_> {
        let ProducerQuery { name, input, releases } = &self.member;
        ImagesOf { producer: name, known: releases.known(), naming: input.naming }
    }

    /// The plan at a place; the last one where the producer stays.
    fn plan(mut self, place: Option<usize>) -> KeyPlan {
        let last = self.plans.len() - 1;
        self.plans.swap_remove(place.unwrap_or(last))
    }

    /// The last plan, which comes to nothing where another producer's could not be told.
    fn unknown(self, reason: &str) -> KeyPlan {
        let mut plan = self.plan(None);
        if !matches!(plan.verdict, Planned::Unknown { .. }) {
            plan.become_unknown(reason.to_owned());
        }
        plan
    }
}

impl Releases<'_> {
    fn known(&self) -> &ReleaseData {
        match self {
            Self::Registry(snapshot) => snapshot.known(),
            Self::Observed(known) => known,
        }
    }

    fn settle(&mut self, listed: &BTreeSet<ImageKey>) {
        if let Self::Observed(known) = self {
            known.settle(listed);
        }
    }

    /// The answer; what a person asks for by name must be there.
    async fn answer(&mut self, query: &SelectionQuery<'_>, fresh: bool) -> Result<Choice, LookUpError> {
        match self {
            Self::Registry(snapshot) => {
                let choice = snapshot.answer(query, fresh).await?;
                must_exist(query.to, snapshot.known(), "the registry").map(|()| choice)
            }
            Self::Observed(known) => {
                must_exist(query.to, known, "the observed releases")?;
                Ok(answer_of_observed(query, known))
            }
        }
    }

    fn forget_cached(&mut self) -> bool {
        match self {
            Self::Registry(snapshot) => snapshot.forget_cached(),
            Self::Observed(_) => false,
        }
    }

    async fn signatures(&self, images: &[(ImageKey, Digest)], input: &PlanInput<'_>) -> Signatures {
        match self {
            Self::Registry(snapshot) => snapshot.signatures(images, input.signatures.keys()).await,
            Self::Observed(_) => signed::unknown(images, "signatures are not observed"),
        }
    }
}

fn answer_of_observed(query: &SelectionQuery<'_>, known: &mut ReleaseData) -> Choice {
    loop {
        match next_wanted(query, known) {
            Next::Decided(choice) => return choice,
            Next::Read(versions) => known.releases.extend(versions.into_iter().map(|version| {
                (version.clone(), Release::unknown(version, "it is not among the observed releases"))
            })),
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
