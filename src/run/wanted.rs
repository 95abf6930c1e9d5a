//! From a plan to the desired state of its merge request.

use std::sync::Arc;

use super::background::background;
use super::fates;
use super::job::Job;
use super::read::Read;
use crate::forge::MergeRequestSettings;
use crate::merge_request::marker::Digests;
use crate::merge_request::template::UpdateFacts;
use crate::merge_request::text::Merging;
use crate::merge_request::{DesiredState, FileChange, Outcome, Patch, Place, Update, Upkeep, Work, text};
use crate::observe::releases::{Producer, Snapshot};
use crate::plan::view::KeyAction;
use crate::plan::{Plan, PlanView, Planned};

/// What should be there. `withheld` is how the target ends where a merge request would be opened and may not.
pub(super) fn wanted(
    job: &Job,
    read: &Read,
    producer: &Producer,
    snapshot: &Snapshot,
    plan: &Plan,
    view: &PlanView,
    withheld: Option<Outcome>,
) -> DesiredState {
    let nothing = |outcome, note| Work::Nothing { outcome, note };
    let work = match &plan.verdict {
        Planned::Held { gate, reason } => nothing(Outcome::Held((*gate).to_owned()), Some(reason.clone())),
        Planned::Unknown { reason } => nothing(Outcome::Unknown(reason.clone()), None),
        Planned::UpToDate => nothing(Outcome::UpToDate, None),
        Planned::Update { .. } | Planned::Align { .. } => {
            Work::Update(Box::new(update(job, read, producer, snapshot, plan, view)))
        }
    };
    DesiredState {
        place: Place::new(&job.branch_prefix, &read.branch, &read.head, &job.producer, plan.to()),
        work,
        fates: fates::fates(plan, snapshot),
        description_limit: job.forge.description_limit(),
        withheld,
    }
}

fn update(
    job: &Job,
    read: &Read,
    producer: &Producer,
    snapshot: &Snapshot,
    plan: &Plan,
    view: &PlanView,
) -> Update {
    let change = |(path, (before, after)): (&str, (&Arc<str>, &Arc<str>))| {
        let (before, after) = (Arc::clone(before).into(), Arc::clone(after).into());
        (path.to_owned(), FileChange { before, after })
    };
    let digests =
        view.listed.iter().filter_map(|artifact| Some((artifact.key.as_str(), artifact.digest.as_ref()?)));
    let needs_a_person = view.to_judge.any();
    let settings =
        MergeRequestSettings { draft: job.settings.draft || needs_a_person, ..job.settings.clone() };
    let auto_merge = job.upkeep.auto_merge && !view.to_judge.errors;
    let merging = Merging::of(view, job.settings.draft, auto_merge);
    let words = job.templates.write(
        &UpdateFacts {
            producer: job.producer.clone(),
            project: job.project.clone(),
            target_branch: read.branch.to_string(),
            from: plan.from.to_string(),
            to: plan.to().to_string(),
            update_type: view.update_type(),
            keys: [KeyAction::Rename, KeyAction::Add, KeyAction::Remove].map(|action| view.count(action)),
            title: text::title(&job.producer, &plan.from, plan.to()),
            text: text::describe(
                view,
                &background(&job.producer, &job.target, producer, snapshot, view, merging),
            ),
        },
        job.forge.title_limit(),
    );
    Update {
        producer: job.producer.clone(),
        current: Some(plan.from.clone()),
        version: plan.to().clone(),
        patch: Patch::new(plan.changes().into_iter().map(change).collect()),
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
