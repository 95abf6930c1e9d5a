//! A producer that a target branch follows, opened: what its plan is made of.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Common;
use super::job::FollowedProducer;
use super::look_up::{ProducerQuery, Releases};
use crate::budget::Budget;
use crate::merge_request::Outcome;
use crate::observe::releases::{Producer, ReleaseCache, Snapshot};
use crate::plan::{Decided, KeyPlan, PlanInput, Survey};
use crate::signature::Requirement;

/// What is read of each producer that a job may follow; of one that could not be made ready, how that ends.
pub(super) type Shelves = BTreeMap<String, Result<Arc<ReleaseCache>, Outcome>>;

/// A producer that a target branch follows.
pub(super) struct Opened<'a> {
    pub(super) followed: &'a FollowedProducer,
    pub(super) producer: &'a Producer,
    /// What was seen of its releases.
    pub(super) snapshot: Snapshot,
    survey: &'a Survey,
    required: Requirement,
    budget: &'a Budget,
    now: Timestamp,
}

impl<'a> Opened<'a> {
    pub(super) async fn new(
        followed: &'a FollowedProducer,
        survey: &'a Survey,
        shelves: &'a Shelves,
        common: &Common,
        budget: &'a Budget,
    ) -> Result<Self, Outcome> {
        let shelf = match shelves.get(&followed.producer) {
            Some(shelf) => shelf.as_ref().map_err(Outcome::clone)?,
            None => {
                let why = format!("the configuration names no producer `{}`", followed.producer);
                return Err(Outcome::Failed(why));
            }
        };
        let producer = shelf.producer();
        let snapshot = Snapshot::from_shelf(shelf, survey.listed()).await;
        let snapshot = snapshot.map_err(|error| Outcome::of(&error))?;
        let (keys, demand) = (producer.keys.as_ref(), followed.policy.signatures);
        let required = survey.signature_requirement(keys, demand, budget);
        let required = required.map_err(|error| Outcome::of(&error))?;
        Ok(Self { followed, producer, snapshot, survey, required, budget, now: common.options.now })
    }

    /// What is looked up of it.
    pub(super) fn query(&mut self) -> ProducerQuery<'_> {
        let Self { followed, producer, snapshot, survey, required, budget, now } = self;
        let input = input(followed, survey, producer, required, budget, *now);
        ProducerQuery { name: &followed.producer, input, releases: Releases::Registry(snapshot) }
    }

    /// What became of that.
    pub(super) fn decided(&self, keys: KeyPlan) -> Decided<'_> {
        let Self { followed, producer, snapshot, survey, required, budget, now } = self;
        let input = input(followed, survey, producer, required, budget, *now);
        Decided { input, known: snapshot.known(), keys }
    }
}

fn input<'i>(
    FollowedProducer { target, policy, .. }: &'i FollowedProducer,
    survey: &'i Survey,
    producer: &'i Producer,
    signatures: &'i Requirement,
    budget: &'i Budget,
    now: Timestamp,
) -> PlanInput<'i> {
    PlanInput {
        survey,
        policy,
        images: target.images,
        default_enabled: target.default_enabled,
        kubernetes_versions: &target.kubernetes_versions,
        values_from: &target.values_from,
        naming: &producer.naming,
        to: None,
        signatures,
        severities: &target.severities,
        budget,
        now,
    }
}
