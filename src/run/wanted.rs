//! From a plan to the desired state of its merge request.

use std::sync::Arc;

use super::job::Job;
use super::read::Read;
use super::{fates, summary};
use crate::forge::MergeRequestSettings;
use crate::merge_request::marker::Digests;
use crate::merge_request::template::Facts;
use crate::merge_request::text::Summary;
use crate::merge_request::{FileChange, Outcome, Patch, Place, Update, Upkeep, Wanted, Work, text};
use crate::observe::releases::{Producer, Snapshot};
use crate::plan::{Plan, Planned};
use crate::reconcile::Reconciliation;
use crate::release::policy::UpdateType;

/// What should be there. `withheld` is how the target ends where a merge request would be opened and may not.
pub(super) fn wanted(
    job: &Job,
    read: &Read,
    producer: &Producer,
    snapshot: &Snapshot,
    plan: &Plan,
    withheld: Option<Outcome>,
) -> Wanted {
    let nothing = |outcome, note| Work::Nothing { outcome, note };
    let work = match &plan.verdict {
        Planned::Held { gate, reason } => nothing(Outcome::Held((*gate).to_owned()), Some(reason.clone())),
        Planned::Unknown { reason } => nothing(Outcome::Unknown(reason.clone()), None),
        Planned::UpToDate => nothing(Outcome::UpToDate, None),
        Planned::Update { .. } | Planned::Align { .. } => {
            Work::Update(Box::new(update(job, read, producer, snapshot, plan)))
        }
    };
    Wanted {
        place: Place::new(&job.branch_prefix, &read.branch, &read.head, &job.producer, plan.to()),
        work,
        fates: fates::fates(plan, snapshot),
        description_limit: job.forge.description_limit(),
        withheld,
    }
}

fn update(job: &Job, read: &Read, producer: &Producer, snapshot: &Snapshot, plan: &Plan) -> Update {
    let change = |(path, (before, after)): (&str, (&Arc<str>, &Arc<str>))| {
        let (before, after) = (Arc::clone(before).into(), Arc::clone(after).into());
        (path.to_owned(), FileChange { before, after })
    };
    let summary = summary::summary(job, producer, snapshot, plan);
    let digests = summary.images.iter().filter_map(|row| Some((row.key.as_str(), row.digest.as_ref()?)));
    // New errors, what was waited for in vain, and an OS release that nobody expects to change are for a person to judge.
    let has_errors = plan.has_errors_to_judge(job.policy.on_new_findings);
    let needs_a_person =
        has_errors || plan.choice.overdue().is_some() || plan.has_unexpected_os_change(&job.policy);
    let words = job.templates.write(&facts(job, read, plan, &summary), job.forge.title_limit());
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
        settings: MergeRequestSettings {
            draft: job.settings.draft || needs_a_person,
            ..job.settings.clone()
        },
        needs_a_person,
        upkeep: Upkeep { auto_merge: job.upkeep.auto_merge && !has_errors, ..job.upkeep },
    }
}

/// What a template may say of an update.
fn facts(job: &Job, read: &Read, plan: &Plan, summary: &Summary) -> Facts {
    let count =
        |kind: fn(&Reconciliation) -> usize| plan.files.iter().map(|file| kind(&file.reconciliation)).sum();
    let update_type = match plan.verdict {
        Planned::Align { .. } => "align".to_owned(),
        _ => UpdateType::between(&plan.from, plan.to()).to_string(),
    };
    Facts {
        producer: job.producer.clone(),
        project: job.project.clone(),
        target_branch: read.branch.to_string(),
        from: plan.from.to_string(),
        to: plan.to().to_string(),
        update_type,
        keys: [count(|r| r.renamed.len()), count(|r| r.added.len()), count(|r| r.removed.len())],
        title: text::title(&job.producer, Some(&plan.from), plan.to()),
        text: text::describe(summary),
    }
}
