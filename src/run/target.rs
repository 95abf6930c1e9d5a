//! One target branch, from its files to its merge request.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::job::{Due, Found, Job, Report};
use super::look_up::{Wish, look_up, request};
use super::{Options, Shelves, fates, references, summary};
use crate::apply::{Applied, apply, foresee};
use crate::forge::{Branch, CommitId, MergeRequestSettings};
use crate::merge_request::marker::Digests;
use crate::merge_request::template::Facts;
use crate::merge_request::text::Summary;
use crate::merge_request::{FileChange, Outcome, Patch, Place, Update, Wanted, Work, text};
use crate::observe::releases::{Producer, Shelf, Snapshot};
use crate::plan::{Plan, Planned, Survey, Target, survey};
use crate::reconcile::Reconciliation;
use crate::release::policy::UpdateType;

/// A file by which a project says that it wants nothing from a bot that searches for projects.
const OPT_OUT: &str = ".dibump-ignore";

/// Observes, plans and applies. `withheld` is how it ends where it would open a merge request and may not.
pub(super) async fn bring(
    job: &Job,
    shelves: &Shelves<'_>,
    options: Options,
    withheld: Option<Outcome>,
) -> Report {
    let withheld = match job.due {
        Due::Now => withheld,
        Due::Upkeep => Some(Outcome::NotScheduled),
        Due::Later => return job.report(Outcome::NotScheduled),
    };
    let shelf = match shelves.get(job.producer.as_str()) {
        Some(Ok(shelf)) => shelf,
        Some(Err(outcome)) => return job.report((*outcome).clone()),
        None => {
            return job.report(Outcome::Failed(format!("there is no producer `{}`", job.producer)));
        }
    };
    let branch = match &job.branch {
        Some(branch) => Ok(branch.clone()),
        None => job.forge.default_branch().await,
    };
    let branch = match branch {
        Ok(branch) => branch,
        Err(error) => return job.report(Outcome::of(&error)),
    };
    let report = match look(job, &branch).await {
        Ok(seen) => run_job(job, &seen, shelf, options, withheld).await,
        Err(outcome) => job.report(outcome),
    };
    Report { branch, ..report }
}

/// What a target branch holds.
struct Seen {
    branch: Branch,
    head: CommitId,
    survey: Survey,
}

async fn look(job: &Job, branch: &Branch) -> Result<Seen, Outcome> {
    let head = job.forge.head(branch).await.map_err(|error| Outcome::of(&error))?;
    let head = head.ok_or_else(|| Outcome::NoTarget(format!("there is no branch {branch}")))?;
    if let Some(found) = &job.found {
        is_ours(job, found, &head).await?;
    }
    let mut contents = BTreeMap::new();
    for spec in &job.target.files {
        let bytes = job.forge.file(&spec.path, &head).await.map_err(|error| Outcome::of(&error))?;
        let bytes = bytes.ok_or_else(|| Outcome::NoTarget(format!("there is no file {}", spec.path)))?;
        contents.insert(spec.path.clone(), bytes);
    }
    let survey = survey(&job.target, contents, None, job.policy.prereleases);
    let survey = survey.map_err(|error| Outcome::of(&error))?;
    Ok(Seen { branch: branch.clone(), head, survey })
}

/// Whether a project that was found has what the query asks for, and did not opt out.
async fn is_ours(job: &Job, found: &Found, head: &CommitId) -> Result<(), Outcome> {
    if job.forge.file(OPT_OUT, head).await.map_err(|error| Outcome::of(&error))?.is_some() {
        return Err(Outcome::NoTarget(format!("it has a file {OPT_OUT}")));
    }
    // A file of the target is read anyway.
    let is_read = |path: &str| job.target.files.iter().any(|spec| spec.path == path);
    let Some(path) = found.has.as_deref().filter(|path| !is_read(path)) else { return Ok(()) };
    let there = job.forge.file(path, head).await.map_err(|error| Outcome::of(&error))?;
    there.map(drop).ok_or_else(|| Outcome::NoTarget(format!("there is no file {path}")))
}

/// Plans one target branch and brings its merge request in step.
async fn run_job(
    job: &Job,
    seen: &Seen,
    shelf: &Arc<Shelf<'_>>,
    options: Options,
    withheld: Option<Outcome>,
) -> Report {
    let producer = shelf.producer();
    let mut snapshot = match Snapshot::from_shelf(shelf, seen.survey.listed().into_iter().collect()).await {
        Ok(snapshot) => snapshot,
        Err(error) => return job.report(Outcome::of(&error)),
    };
    let signatures = match seen.survey.signature_requirement(producer.keys.as_ref(), job.policy.signatures) {
        Ok(requirement) => requirement,
        Err(error) => return job.report(Outcome::of(&error)),
    };
    let Target { images, kubernetes_versions, .. } = &job.target;
    let (images, to, now) = (*images, None, options.now);
    let wish = Wish { policy: &job.policy, images, kubernetes_versions, to, signatures: &signatures, now };
    let mut plan = match look_up(&seen.survey, &mut snapshot, &producer.naming, &wish).await {
        Ok(plan) => plan,
        Err(error) => return job.report(Outcome::of(&error)),
    };
    if let Err(outcome) = obey_schemas(job, &mut plan, &seen.head).await {
        return job.report(outcome);
    }
    let request = request(&seen.survey, &producer.naming, &wish);
    if let Err(outcome) = references::follow(job, request, snapshot.known(), &mut plan, &seen.head).await {
        return job.report(outcome);
    }
    let work = match &plan.verdict {
        Planned::Unknown { reason } => {
            let report = job.report(Outcome::Unknown(reason.clone()));
            return Report { plan: Some((plan, snapshot.into_known())), ..report };
        }
        Planned::Held { gate, reason } => {
            Work::Nothing { outcome: Outcome::Held((*gate).to_owned()), note: Some(reason.clone()) }
        }
        Planned::UpToDate => Work::Nothing { outcome: Outcome::UpToDate, note: None },
        Planned::Update { .. } | Planned::Align { .. } => {
            Work::Update(Box::new(update(job, seen, producer, &snapshot, &plan)))
        }
    };
    let wanted = Wanted {
        place: Place::new(&seen.branch, &seen.head, &job.producer, plan.to()),
        work,
        fates: fates::fates(&plan, &snapshot),
        description_limit: job.forge.description_limit(),
        withheld,
    };
    let report = propose(job, &wanted, options).await;
    Report { plan: Some((plan, snapshot.into_known())), ..report }
}

/// The charts' schemas are read only where new keys come in.
async fn obey_schemas(job: &Job, plan: &mut Plan, head: &CommitId) -> Result<(), Outcome> {
    let mut schemas = BTreeMap::new();
    for path in plan.schemas() {
        let bytes = job.forge.file(&path, head).await.map_err(|error| Outcome::of(&error))?;
        schemas.extend(bytes.map(|bytes| (path, bytes)));
    }
    plan.obey(&schemas).map_err(|error| Outcome::of(&error))
}

/// Makes the merge request what is wanted, or says what would be written.
async fn propose(job: &Job, wanted: &Wanted, options: Options) -> Report {
    let applied = match job.dry_run {
        true => foresee(job.forge.as_ref(), wanted).await,
        false => apply(job.forge.as_ref(), wanted, options.patience).await,
    };
    match applied {
        Ok(Applied { outcome, note, merge_request, .. }) => {
            Report { note, merge_request, ..job.report(outcome) }
        }
        Err(error) => job.report(Outcome::of(&error)),
    }
}

fn update(job: &Job, seen: &Seen, producer: &Producer, snapshot: &Snapshot<'_>, plan: &Plan) -> Update {
    let change = |(path, (before, after)): (&str, (&Arc<str>, &Arc<str>))| {
        let (before, after) = (Arc::clone(before).into(), Arc::clone(after).into());
        (path.to_owned(), FileChange { before, after })
    };
    let summary = summary::summary(job, producer, snapshot, plan);
    let digests = summary.images.iter().filter_map(|row| Some((row.key.as_str(), row.digest.as_ref()?)));
    // What was waited for in vain, and an OS release that nobody expects to change, are for a person to judge.
    let is_draft = plan.choice.overdue().is_some() || plan.has_unexpected_os_change(&job.policy);
    let words = job.templates.write(&facts(job, seen, plan, &summary));
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
        settings: MergeRequestSettings { draft: job.settings.draft || is_draft, ..job.settings.clone() },
        upkeep: job.upkeep,
    }
}

/// What a template may say of an update.
fn facts(job: &Job, seen: &Seen, plan: &Plan, summary: &Summary) -> Facts {
    let count =
        |kind: fn(&Reconciliation) -> usize| plan.files.iter().map(|file| kind(&file.reconciliation)).sum();
    let update_type = match plan.verdict {
        Planned::Align { .. } => "align".to_owned(),
        _ => UpdateType::between(&plan.from, plan.to()).to_string(),
    };
    Facts {
        producer: job.producer.clone(),
        project: job.project.clone(),
        target_branch: seen.branch.to_string(),
        from: plan.from.to_string(),
        to: plan.to().to_string(),
        update_type,
        keys: [count(|r| r.renamed.len()), count(|r| r.added.len()), count(|r| r.removed.len())],
        title: text::title(&job.producer, Some(&plan.from), plan.to()),
        text: text::describe(summary),
    }
}
