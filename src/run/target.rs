//! One target branch, from its files to its merge request. Each step is entered once:
//! read the files → decide the keys → read what stands beside → write the texts → the desired state → apply.

use std::sync::Arc;

use super::Common;
use super::job::{Job, JobReport};
use super::look_up::look_up;
use super::read::Read;
use super::turns::Turns;
use super::wanted::wanted;
use crate::apply::{Ended, apply, foresee};
use crate::budget::Budget;
use crate::forge::Branch;
use crate::merge_request::{DesiredState, Outcome};
use crate::observe::releases::{ReleaseCache, Snapshot};
use crate::plan::{PlanInput, PlanView, Planned};
use crate::release::Version;

/// Observes, plans and applies, with the work on the files within a budget. `withheld` is how it ends where it would open
/// a merge request and may not.
pub(super) async fn bring(
    job: &Job,
    shelf: &Arc<ReleaseCache>,
    common: &Common,
    withheld: Option<Outcome>,
    budget: &Budget,
) -> JobReport {
    let branch = match &job.branch {
        Some(branch) => Ok(branch.clone()),
        None => job.forge.default_branch().await,
    };
    let branch = match branch {
        Ok(branch) => branch,
        Err(error) => return job.report(Outcome::of(&error)),
    };
    let report = run_job(job, &branch, shelf, common, withheld, budget).await;
    JobReport { branch, ..report.unwrap_or_else(|outcome| job.report(outcome)) }
}

/// Reads a target branch as a run does, and nothing else: the release that its files are at, or how a run would end there.
pub async fn try_read(job: &Job) -> (Branch, Result<Version, Outcome>) {
    let branch = match &job.branch {
        Some(branch) => Ok(branch.clone()),
        None => job.forge.default_branch().await,
    };
    match branch {
        Ok(branch) => {
            let read = Read::target(job, &branch, &Turns::default()).await;
            (branch, read.map(|read| read.survey.version().clone()))
        }
        Err(error) => (job.report(Outcome::UpToDate).branch, Err(Outcome::of(&error))),
    }
}

/// Plans one target branch and brings its merge request in step.
async fn run_job(
    job: &Job,
    branch: &Branch,
    shelf: &Arc<ReleaseCache>,
    common: &Common,
    withheld: Option<Outcome>,
    budget: &Budget,
) -> Result<JobReport, Outcome> {
    let producer = shelf.producer();
    let read = Read::target(job, branch, &common.turns).await?;
    let listed = read.survey.listed().into_iter().collect();
    let mut snapshot = Snapshot::from_shelf(shelf, listed).await.map_err(|error| Outcome::of(&error))?;
    let demand = job.policy.signatures;
    let signatures = read.survey.signature_requirement(producer.keys.as_ref(), demand, budget);
    let signatures = signatures.map_err(|error| Outcome::of(&error))?;
    let input = PlanInput {
        survey: &read.survey,
        policy: &job.policy,
        images: job.target.images,
        kubernetes_versions: &job.target.kubernetes_versions,
        naming: &producer.naming,
        to: None,
        signatures: &signatures,
        severities: &job.target.severities,
        budget,
        now: common.options.now,
    };
    let keys = look_up(&input, &mut snapshot).await.map_err(|error| Outcome::of(&error))?;
    let beside = read.beside(job, &input, &keys).await?;
    let plan = keys.write(&input, snapshot.known(), beside).map_err(|error| Outcome::of(&error))?;
    let view = PlanView::new(&plan, snapshot.known(), &producer.naming, &job.policy);
    let report = match &plan.verdict {
        Planned::Unknown { reason } => job.report(Outcome::Unknown(reason.clone())),
        _ => {
            let wanted = wanted(job, &read, producer, &snapshot, &plan, &view, withheld);
            propose(job, &wanted, common).await
        }
    };
    Ok(JobReport { plan: Some(view), ..report })
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
