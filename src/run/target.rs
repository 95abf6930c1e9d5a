//! One target branch, from its files to its merge request. Each step is entered once:
//! read the files → decide the keys → read what stands beside → write the texts → the desired state → apply.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Common;
use super::job::{FollowedProducer, Job, JobReport};
use super::look_up::{self, Releases, look_up};
use super::read::Read;
use super::turns::Turns;
use super::wanted::{PlannedFor, wanted};
use crate::apply::{Ended, apply, foresee};
use crate::budget::Budget;
use crate::forge::Branch;
use crate::merge_request::{DesiredState, Outcome};
use crate::observe::releases::{ReleaseCache, Snapshot};
use crate::plan::{self, Decided, PlanInput, PlanView, Planned};
use crate::release::Version;

/// What is read of each producer that a job may follow; of one that could not be made ready, how that ends.
pub(super) type Shelves = BTreeMap<String, Result<Arc<ReleaseCache>, Outcome>>;

/// Observes, plans and applies, with the work on the files within a budget. `withheld` is how it ends where it would open
/// a merge request and may not.
pub(super) async fn bring(
    job: &Job,
    shelves: &Shelves,
    common: &Common,
    withheld: Option<Outcome>,
    budget: &Budget,
) -> JobReport {
    let branch = match target_branch(job).await {
        Ok(branch) => branch,
        Err(outcome) => return job.report(outcome),
    };
    let report = run_job(job, &branch, shelves, common, withheld, budget).await;
    JobReport { branch, ..report.unwrap_or_else(|outcome| job.report(outcome)) }
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
    branch: &Branch,
    shelves: &Shelves,
    common: &Common,
    withheld: Option<Outcome>,
    budget: &Budget,
) -> Result<JobReport, Outcome> {
    let read = Read::target(job, branch, &common.turns, budget).await?;
    let (mut producers, mut snapshots, mut required) = (Vec::new(), Vec::new(), Vec::new());
    for (FollowedProducer { producer, policy, .. }, survey) in &read.members {
        let shelf = shelf(shelves, producer)?;
        producers.push(shelf.producer());
        let snapshot = Snapshot::from_shelf(shelf, survey.listed()).await;
        snapshots.push(snapshot.map_err(|error| Outcome::of(&error))?);
        let keys = shelf.producer().keys.as_ref();
        let signatures = survey.signature_requirement(keys, policy.signatures, budget);
        required.push(signatures.map_err(|error| Outcome::of(&error))?);
    }
    let inputs: Vec<PlanInput<'_>> = (0..read.members.len())
        .map(|place| {
            let (FollowedProducer { target, policy, .. }, survey) = &read.members[place];
            PlanInput {
                survey,
                policy,
                images: target.images,
                kubernetes_versions: &target.kubernetes_versions,
                naming: &producers[place].naming,
                to: None,
                signatures: &required[place],
                severities: &target.severities,
                budget,
                now: common.options.now,
            }
        })
        .collect();
    let asked = read.members.iter().zip(&inputs).zip(&mut snapshots);
    let asked = asked.map(|(((member, _), input), snapshot)| look_up::ProducerQuery {
        name: &member.producer,
        input: *input,
        releases: Releases::Registry(snapshot),
    });
    let keys = look_up(asked.collect()).await.map_err(|error| Outcome::of(&error))?;
    let decided = inputs.iter().zip(&snapshots).zip(keys);
    let decided =
        decided.map(|((input, snapshot), keys)| Decided { input: *input, known: snapshot.known(), keys });
    let decided: Vec<Decided<'_>> = decided.collect();
    let beside = read.beside(job, &decided).await?;
    let plans = plan::write(decided, beside).map_err(|error| Outcome::of(&error))?;
    let planned: Vec<PlannedFor<'_>> = (0..plans.len())
        .map(|place| PlannedFor {
            member: &read.members[place].0,
            producer: producers[place],
            snapshot: &snapshots[place],
            plan: &plans[place],
        })
        .collect();
    let view = PlanView::new(&planned.iter().map(PlannedFor::to_view).collect::<Vec<_>>());
    let report = match &view.lead().verdict {
        Planned::Unknown { reason } => job.report(Outcome::Unknown(reason.clone())),
        _ => propose(job, &wanted(job, &read, &planned, &view, withheld), common).await,
    };
    let producer = read.members[0].0.producer.clone();
    Ok(JobReport { plan: Some(view), producer, ..report })
}

/// The shelf of a producer.
fn shelf<'a>(shelves: &'a Shelves, producer: &str) -> Result<&'a Arc<ReleaseCache>, Outcome> {
    match shelves.get(producer) {
        Some(shelf) => shelf.as_ref().map_err(Outcome::clone),
        None => Err(Outcome::Failed(format!("the configuration names no producer `{producer}`"))),
    }
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
