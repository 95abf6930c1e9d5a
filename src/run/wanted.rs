//! From the plans of all producers to the desired state of their merge request.

use std::sync::Arc;

use super::background::background;
use super::fates;
use super::job::{FollowedProducer, Job};
use super::opened::Opened;
use super::read::Read;
use crate::forge::MergeRequestSettings;
use crate::merge_request::fate::{Fates, ProducerFates};
use crate::merge_request::marker::Digests;
use crate::merge_request::template::UpdateFacts;
use crate::merge_request::text::Merging;
use crate::merge_request::{DesiredState, FileChange, Offered, Outcome, Patch, Update, Upkeep, Work, text};
use crate::plan::view::{KeyAction, StepView, ToView};
use crate::plan::{Plan, PlanView, Planned};
use crate::release::Version;

/// The plan for one of the producers that a target follows.
pub(super) struct PlannedFor<'a> {
    pub(super) opened: &'a Opened<'a>,
    pub(super) plan: &'a Plan,
}

impl PlannedFor<'_> {
    pub(super) fn to_view(&self) -> ToView<'_> {
        let Opened { followed, producer, snapshot, .. } = self.opened;
        let FollowedProducer { producer: name, policy, .. } = followed;
        ToView { producer: name, plan: self.plan, known: snapshot.known(), naming: &producer.naming, policy }
    }

    /// Its name, and the release that the files will be at.
    fn release(&self) -> (&str, &Version) {
        (&self.opened.followed.producer, self.plan.to())
    }

    fn fates(&self) -> (String, ProducerFates) {
        (self.opened.followed.producer.clone(), fates::fates(self.plan, &self.opened.snapshot))
    }
}

/// What should be there. `withheld` is how the target ends where a merge request would be opened and may not.
pub(super) fn wanted(
    job: &Job,
    read: &Read,
    planned: &[PlannedFor<'_>],
    view: &PlanView,
    withheld: Option<Outcome>,
) -> DesiredState {
    let nothing = |outcome, note| Work::Nothing { outcome, note };
    let work = match &view.lead().verdict {
        Planned::Held { gate, reason } => nothing(Outcome::Held((*gate).to_owned()), Some(reason.clone())),
        Planned::Unknown { reason } => nothing(Outcome::Unknown(reason.clone()), None),
        Planned::UpToDate => nothing(Outcome::UpToDate, None),
        Planned::Update { .. } | Planned::Align { .. } => {
            Work::Update(Box::new(update(job, read, planned, view)))
        }
    };
    DesiredState {
        place: job.place(&read.branch, &read.head, planned.iter().map(PlannedFor::release)),
        work,
        fates: Fates::new(planned.iter().map(PlannedFor::fates)),
        description_limit: job.forge.description_limit(),
        withheld,
    }
}

fn update(job: &Job, read: &Read, planned: &[PlannedFor<'_>], view: &PlanView) -> Update {
    let change = |(path, (before, after)): (&str, (&Arc<str>, &Arc<str>))| {
        let (before, after) = (Some(Arc::clone(before).into()), Arc::clone(after).into());
        (path.to_owned(), FileChange { before, after })
    };
    let digests =
        view.listed.iter().filter_map(|artifact| Some((artifact.key.as_str(), artifact.digest.as_ref()?)));
    let needs_a_person = view.to_judge.any();
    let settings =
        MergeRequestSettings { draft: job.settings.draft || needs_a_person, ..job.settings.clone() };
    let auto_merge = job.upkeep.auto_merge && !view.to_judge.errors;
    let merging = Merging::of(view, job.settings.draft, auto_merge);
    let looked_up = planned.iter().map(|planned| (planned.opened.producer, &planned.opened.snapshot));
    let looked_up: Vec<_> = looked_up.collect();
    let (from, to) = (offered(view, |step| &step.from), offered(view, |step| &step.to));
    let steps = view.changing().map(|step| (step.producer.as_str(), &step.from, &step.to));
    let words = job.templates.write(
        &UpdateFacts {
            producer: called(view),
            project: job.project.clone(),
            target_branch: read.branch.to_string(),
            from: from.to_string(),
            to: to.to_string(),
            update_type: view.lead().update_type(),
            keys: [KeyAction::Rename, KeyAction::Add, KeyAction::Remove].map(|action| view.count(action)),
            title: text::title(steps),
            text: text::describe(view, &background(job.target(), &looked_up, view, merging)),
        },
        job.forge.title_limit(),
    );
    Update {
        producer: job.group.clone().unwrap_or_else(|| called(view)),
        current: Some(from),
        version: to,
        patch: Patch::new(view.changes().map(change).collect()),
        title: words.title,
        text: words.text,
        commit_message: words.commit_message,
        trailers: job.templates.trailers.clone(),
        digests: Digests::of(digests),
        settings,
        needs_a_person,
        upkeep: Upkeep { auto_merge, ..job.upkeep },
    }
}

/// How an update is called: after its producer, or after the first of several.
fn called(view: &PlanView) -> String {
    view.steps.first().map(|step| step.producer.clone()).unwrap_or_default()
}

fn offered(view: &PlanView, of: impl Fn(&StepView) -> &Version) -> Offered {
    match view.steps.as_slice() {
        [only] => Offered::One(of(only).clone()),
        several => {
            Offered::Several(several.iter().map(|step| (step.producer.clone(), of(step).clone())).collect())
        }
    }
}
