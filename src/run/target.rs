//! One target branch, from its files to its merge request. Each step is entered once:
//! read the files → decide the keys → read what stands beside → write the texts → the desired state → apply.

use super::Common;
use super::job::{Job, JobReport};
use super::look_up::look_up;
use super::opened::{Opened, Shelves};
use super::read::Read;
use super::turns::Turns;
use super::wanted::{PlannedFor, wanted};
use crate::apply::{Ended, apply, foresee};
use crate::budget::Budget;
use crate::forge::Branch;
use crate::merge_request::{DesiredState, Outcome};
use crate::plan::{self, Beside, Decided, PlanView, Planned};
use crate::release::Version;

/// Reads the files, with the work on them within a budget; or says how it ends.
pub(super) async fn read(job: &Job, turns: &Turns, budget: &Budget) -> Result<Read, JobReport> {
    let branch = target_branch(job).await.map_err(|outcome| job.report(outcome))?;
    let read = Read::target(job, &branch, turns, budget).await;
    read.map_err(|outcome| JobReport { branch, ..job.report(outcome) })
}

/// Observes, plans and applies. `withheld` is how it ends where it would open a merge request and may not.
pub(super) async fn bring(
    job: &Job,
    read: &Read,
    shelves: &Shelves,
    common: &Common,
    withheld: Option<Outcome>,
    budget: &Budget,
) -> JobReport {
    let report = run_job(job, read, shelves, common, withheld, budget).await;
    JobReport { branch: read.branch.clone(), ..report.unwrap_or_else(|outcome| job.report(outcome)) }
}

/// Reads a target branch as a run does, and nothing else: the releases that its files name, and the source branch of a
/// merge request; or how a run would end there.
pub async fn try_read(job: &Job) -> (Branch, Result<(Vec<Version>, Branch), Outcome>) {
    let branch = match target_branch(job).await {
        Ok(branch) => branch,
        Err(outcome) => return (job.report(Outcome::UpToDate).branch, Err(outcome)),
    };
    let read = Read::target(job, &branch, &Turns::default(), &Budget::default()).await;
    let read = read.map(|read| {
        let versions = read.releases().map(|(_, version)| version.clone()).collect();
        (versions, job.place(&read.branch, &read.head, read.releases()).source)
    });
    (branch, read)
}

async fn target_branch(job: &Job) -> Result<Branch, Outcome> {
    match &job.branch {
        Some(branch) => Ok(branch.clone()),
        None => job.forge.default_branch().await.map_err(|error| Outcome::of(&error)),
    }
}

/// Plans one target branch, for all producers that it follows, and brings its merge request in step.
async fn run_job(
    job: &Job,
    read: &Read,
    shelves: &Shelves,
    common: &Common,
    withheld: Option<Outcome>,
    budget: &Budget,
) -> Result<JobReport, Outcome> {
    let mut opened = Vec::with_capacity(read.members.len());
    for (followed, survey) in &read.members {
        opened.push(Opened::new(followed, survey, shelves, common, budget).await?);
    }
    let keys = look_up(opened.iter_mut().map(Opened::query).collect()).await;
    let keys = keys.map_err(|error| Outcome::of(&error))?;
    let decided: Vec<Decided<'_>> = opened.iter().zip(keys).map(|(own, keys)| own.decided(keys)).collect();
    let lists = plan::wanted_lists(&decided).map_err(|error| Outcome::of(&error))?;
    let lists = common.lists.read_all(lists).await;
    let beside = Beside { lists, ..read.beside(job, &decided).await? };
    let plans = plan::write(decided, beside).map_err(|error| Outcome::of(&error))?;
    let planned: Vec<PlannedFor<'_>> =
        opened.iter().zip(&plans).map(|(opened, plan)| PlannedFor { opened, plan }).collect();
    let view = PlanView::new(&planned.iter().map(PlannedFor::to_view).collect::<Vec<_>>());
    let report = match &view.lead().verdict {
        Planned::Unknown { reason } => job.report(Outcome::Unknown(reason.clone())),
        _ => propose(job, &wanted(job, read, &planned, &view, withheld), common).await,
    };
    let producer = view.steps[0].producer.clone();
    Ok(JobReport { plan: Some(view), producer, ..report })
}

/// Makes the merge request what is wanted, or says what would be written.
async fn propose(job: &Job, wanted: &DesiredState, common: &Common) -> JobReport {
    let Common { options, checks, .. } = common;
    let applied = match job.dry_run {
        true => foresee(job.forge.as_ref(), wanted).await,
        false => apply(job.forge.as_ref(), wanted, options.patience, checks).await,
    };
    match applied {
        Ok(Ended { outcome, note, merge_request, .. }) => {
            JobReport { note, merge_request, ..job.report(outcome) }
        }
        Err(error) => job.report(Outcome::of(&error)),
    }
}
