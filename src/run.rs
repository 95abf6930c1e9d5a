//! One run: every target branch is observed, planned and brought in step, each by itself.
//!
//! Over ports only. What is written is decided in `merge_request` and done in `apply`.

mod fates;
pub mod look_up;
mod references;
mod summary;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::StreamExt;
use jiff::Timestamp;

use crate::apply::{Applied, Patience, apply, foresee};
use crate::forge::{Branch, CommitId, Forge, ForgeError, MergeRequestSettings};
use crate::merge_request::marker::Digests;
use crate::merge_request::template::{Facts, Templates};
use crate::merge_request::text::Summary;
use crate::merge_request::{
    FileChange, Outcome, Patch, Update, Upkeep, Wanted, Work, source_branch, source_prefix, text,
};
use crate::observe::chain;
use crate::observe::merge_request::Place;
use crate::observe::releases::{ObserveError, Producer, Snapshot};
use crate::plan::{Plan, PlanError, Planned, Survey, Target, Trust, survey};
use crate::reconcile::Reconciliation;
use crate::release::choice::Known;
use crate::release::policy::{Policy, UpdateType};
use crate::release::{ImageKey, Version};
pub use look_up::{LookUpError, Wish, look_up};

/// How many targets are observed at once.
const WIDTH: usize = 8;

/// One target branch of one project, to be kept in step with one producer.
pub struct Job {
    /// The project, as people know it.
    pub project: String,
    /// The project on its forge.
    pub forge: Arc<dyn Forge>,
    /// The name of the producer.
    pub producer: String,
    /// The target branch.
    pub branch: Branch,
    /// Its files.
    pub target: Target,
    /// Its update policy.
    pub policy: Policy,
    /// Settings of its merge request.
    pub settings: MergeRequestSettings,
    /// How an open merge request is kept.
    pub upkeep: Upkeep,
    /// What the user wants it to say.
    pub templates: Templates,
}

/// How a run goes about it.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Stop before anything is written.
    pub dry_run: bool,
    /// When the run began.
    pub now: Timestamp,
    /// How long a forge that lags is waited for.
    pub patience: Patience,
}

/// What became of one target branch.
#[derive(Debug)]
pub struct Report {
    /// The project.
    pub project: String,
    /// The target branch.
    pub branch: Branch,
    /// The producer's name.
    pub producer: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What a person should know about it.
    pub note: Option<String>,
    /// The merge request's number and page, where there is one.
    pub merge_request: Option<(u64, String)>,
    /// The plan and what it was made from, where it came to one.
    pub plan: Option<(Plan, Known)>,
}

impl Report {
    /// Of a project whose default branch could not be told, so that there is no job.
    pub fn unread(project: &str, producer: &str, error: &ForgeError) -> Self {
        Self {
            project: project.to_owned(),
            branch: Branch("HEAD".to_owned()),
            producer: producer.to_owned(),
            outcome: of_forge(error),
            note: None,
            merge_request: None,
            plan: None,
        }
    }
}

/// The producers by name; of one that could not be made ready, how its jobs end.
pub type Producers = BTreeMap<String, Result<Producer, Outcome>>;

/// Runs all jobs. One that fails never stops the others, and neither does a producer.
pub async fn run(jobs: &[Job], producers: &Producers, options: Options) -> Vec<Report> {
    let surveys = futures::stream::iter(jobs.iter().map(look)).buffered(WIDTH).collect::<Vec<_>>().await;
    let mut surveyed: Vec<(&Job, Result<Seen, Outcome>)> = jobs.iter().zip(surveys).collect();
    let mut reports = Vec::new();
    for (name, producer) in producers {
        let (mine, rest) = surveyed.into_iter().partition(|(job, _)| &job.producer == name);
        surveyed = rest;
        match producer {
            Ok(producer) => reports.extend(run_producer(producer, mine, options).await),
            Err(outcome) => reports.extend(mine.into_iter().map(|(job, _)| job.report(outcome.clone()))),
        }
    }
    let nobodys = |(job, _): &(&Job, _)| {
        job.report(Outcome::Failed(format!("there is no producer `{}`", job.producer)))
    };
    reports.extend(surveyed.iter().map(nobodys));
    reports
}

/// What a target branch holds.
struct Seen {
    head: CommitId,
    survey: Survey,
}

async fn look(job: &Job) -> Result<Seen, Outcome> {
    let head = job.forge.head(&job.branch).await.map_err(|error| of_forge(&error))?;
    let head = head.ok_or_else(|| Outcome::NoTarget(format!("there is no branch {}", job.branch)))?;
    let mut contents = BTreeMap::new();
    for spec in &job.target.files {
        let bytes = job.forge.file(&spec.path, &head).await.map_err(|error| of_forge(&error))?;
        let bytes = bytes.ok_or_else(|| Outcome::NoTarget(format!("there is no file {}", spec.path)))?;
        contents.insert(spec.path.clone(), bytes);
    }
    let survey = survey(&job.target, contents, None, job.policy.prereleases);
    let survey = survey.map_err(|error| Outcome::Failed(error.to_string()))?;
    Ok(Seen { head, survey })
}

/// One look-up serves all targets of a producer; the keys that any of them lists are asked for.
async fn run_producer(
    producer: &Producer,
    jobs: Vec<(&Job, Result<Seen, Outcome>)>,
    options: Options,
) -> Vec<Report> {
    let seen = jobs.iter().filter_map(|(_, seen)| seen.as_ref().ok());
    let listed: BTreeSet<ImageKey> = seen.flat_map(|seen| seen.survey.listed()).collect();
    let mut snapshot = Snapshot::open(producer, listed).await;
    let mut reports = Vec::new();
    for (job, seen) in jobs {
        let report = match (seen, &mut snapshot) {
            (Err(outcome), _) => job.report(outcome),
            (Ok(_), Err(error)) => job.report(of_look_up(error)),
            (Ok(seen), Ok(snapshot)) => run_job(job, &seen, producer, snapshot, options).await,
        };
        reports.push(report);
    }
    reports
}

/// Plans one target branch and brings its merge request in step.
async fn run_job(
    job: &Job,
    seen: &Seen,
    producer: &Producer,
    snapshot: &mut Snapshot<'_>,
    options: Options,
) -> Report {
    let trust = match Trust::of(job.policy.signatures, producer.keys.as_ref(), &seen.survey) {
        Ok(trust) => trust,
        Err(error) => return job.report(of_plan(&error.into())),
    };
    let Target { images, kubernetes_versions, .. } = &job.target;
    let (images, to, now) = (*images, None, options.now);
    let wish = Wish { policy: &job.policy, images, kubernetes_versions, to, trust: &trust, now };
    let mut plan = match look_up(&seen.survey, snapshot, &producer.naming, &wish).await {
        Ok(plan) => plan,
        Err(LookUpError::Observe(error)) => return job.report(of_look_up(&error)),
        Err(LookUpError::Plan(error)) => return job.report(of_plan(&error)),
    };
    if let Err(outcome) = obey_schemas(job, &mut plan, &seen.head).await {
        return job.report(outcome);
    }
    if let Err(outcome) = references::follow(job, &mut plan, &seen.head).await {
        return job.report(outcome);
    }
    let known = snapshot.known().clone();
    let work = match &plan.verdict {
        Planned::Unknown { reason } => {
            let report = job.report(Outcome::Unknown(reason.clone()));
            return Report { plan: Some((plan, known)), ..report };
        }
        Planned::Held { gate, reason } => {
            Work::Nothing { outcome: Outcome::Held((*gate).to_owned()), note: Some(reason.clone()) }
        }
        Planned::UpToDate => Work::Nothing { outcome: Outcome::UpToDate, note: None },
        Planned::Update { .. } | Planned::Align { .. } => {
            Work::Update(Box::new(update(job, seen, producer, snapshot, &plan)))
        }
    };
    let wanted = Wanted {
        target: job.branch.clone(),
        work,
        fates: fates::fates(&plan, snapshot),
        description_limit: job.forge.description_limit(),
    };
    let report = propose(job, seen, &wanted, plan.to(), options).await;
    Report { plan: Some((plan, known)), ..report }
}

/// The charts' schemas are read only where new keys come in.
async fn obey_schemas(job: &Job, plan: &mut Plan, head: &CommitId) -> Result<(), Outcome> {
    let mut schemas = BTreeMap::new();
    for path in plan.schemas() {
        let bytes = job.forge.file(&path, head).await.map_err(|error| of_forge(&error))?;
        schemas.extend(bytes.map(|bytes| (path, bytes)));
    }
    plan.obey(&schemas).map_err(|error| of_plan(&error))
}

/// Makes the merge request what is wanted, or says what would be written.
async fn propose(job: &Job, seen: &Seen, wanted: &Wanted, version: &Version, options: Options) -> Report {
    let source = source_branch(&job.branch, &job.producer, version);
    let prefix = source_prefix(&job.branch, &job.producer);
    let place = Place { source, prefix, head: seen.head.clone() };
    let applied = match options.dry_run {
        true => foresee(job.forge.as_ref(), &place, wanted).await,
        false => apply(job.forge.as_ref(), &place, wanted, options.patience).await,
    };
    match applied {
        Ok(Applied { outcome, note, merge_request, .. }) => {
            Report { note, merge_request, ..job.report(outcome) }
        }
        Err(error) => job.report(of_forge(&error)),
    }
}

fn update(job: &Job, seen: &Seen, producer: &Producer, snapshot: &Snapshot<'_>, plan: &Plan) -> Update {
    let change = |(path, (before, after)): (&str, (&str, &str))| {
        (path.to_owned(), FileChange { before: before.as_bytes().to_vec(), after: after.as_bytes().to_vec() })
    };
    let summary = summary::summary(job, producer, snapshot, plan);
    let digests = summary.images.iter().filter_map(|row| Some((row.key.as_str(), row.digest.as_ref()?)));
    // What was waited for in vain is for a person to judge.
    let is_draft = plan.choice.overdue().is_some();
    let words = job.templates.write(&facts(job, plan, &summary));
    Update {
        producer: job.producer.clone(),
        source: source_branch(&job.branch, &job.producer, plan.to()),
        target: job.branch.clone(),
        parent: seen.head.clone(),
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
        description_limit: job.forge.description_limit(),
    }
}

/// What a template may say of an update.
fn facts(job: &Job, plan: &Plan, summary: &Summary) -> Facts {
    let count =
        |kind: fn(&Reconciliation) -> usize| plan.files.iter().map(|file| kind(&file.reconciliation)).sum();
    let update_type = match plan.verdict {
        Planned::Align { .. } => "align".to_owned(),
        _ => UpdateType::between(&plan.from, plan.to()).to_string(),
    };
    Facts {
        producer: job.producer.clone(),
        project: job.project.clone(),
        target_branch: job.branch.to_string(),
        from: plan.from.to_string(),
        to: plan.to().to_string(),
        update_type,
        keys: [count(|r| r.renamed.len()), count(|r| r.added.len()), count(|r| r.removed.len())],
        title: text::title(&job.producer, Some(&plan.from), plan.to()),
        text: text::describe(summary),
    }
}

impl Job {
    fn report(&self, outcome: Outcome) -> Report {
        Report {
            project: self.project.clone(),
            branch: self.branch.clone(),
            producer: self.producer.clone(),
            outcome,
            note: None,
            merge_request: None,
            plan: None,
        }
    }
}

fn of_forge(error: &ForgeError) -> Outcome {
    match error {
        ForgeError::Refused { hint: Some(hint), .. } => Outcome::Failed(format!("{}; {hint}", chain(error))),
        ForgeError::Refused { .. } | ForgeError::Rejected { .. } => Outcome::Failed(chain(error)),
        ForgeError::NotYet { .. } | ForgeError::Unavailable { .. } | ForgeError::Invalid { .. } => {
            Outcome::Unknown(chain(error))
        }
    }
}

fn of_look_up(error: &ObserveError) -> Outcome {
    if error.is_refusal() { Outcome::Failed(chain(error)) } else { Outcome::Unknown(chain(error)) }
}

fn of_plan(error: &PlanError) -> Outcome {
    match error {
        PlanError::Survey(_) | PlanError::Schema { .. } | PlanError::NoKey(_) => {
            Outcome::Failed(chain(error))
        }
        PlanError::Refused { .. }
        | PlanError::LeavesSchema { .. }
        | PlanError::Unsigned { .. }
        | PlanError::Edit { .. } => Outcome::Refused(chain(error)),
    }
}
