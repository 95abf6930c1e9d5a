//! What a run reads of a project: the files of a target, and those beside them that a plan needs.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};

use super::WIDTH;
use super::job::{Job, QueriedProject};
use super::turns::Turns;
use crate::forge::{Branch, CommitId, ForgeError};
use crate::merge_request::Outcome;
use crate::plan::{Beside, KeyPlan, PlanInput, Survey, survey};

/// A file by which a project says that it wants nothing from a bot that searches for projects.
const OPT_OUT: &str = ".dibump-ignore";

/// What a target branch holds.
pub(super) struct Read {
    pub(super) branch: Branch,
    /// The commit at which everything is read.
    pub(super) head: CommitId,
    pub(super) survey: Survey,
}

impl Read {
    /// Reads the files of the target at the head of the branch; parses them in turn with the other targets.
    pub(super) async fn target(job: &Job, branch: &Branch, turns: &Turns) -> Result<Self, Outcome> {
        let head = job.forge.head(branch).await.map_err(|error| Outcome::of(&error))?;
        let head = head.ok_or_else(|| Outcome::NoTarget(format!("branch {branch} was not found")))?;
        if let Some(found) = &job.found {
            is_ours(job, found, &head).await?;
        }
        let mut contents = BTreeMap::new();
        for spec in &job.target.files {
            contents.insert(spec.path.clone(), required(job, &spec.path, &head).await?);
        }
        let turn = turns.take().await;
        let survey = survey(&job.target, contents, None, job.policy.prereleases);
        drop(turn);
        let survey = survey.map_err(|error| Outcome::of(&error))?;
        Ok(Self { branch: branch.clone(), head, survey })
    }

    /// What stands beside the files, as far as the plan needs it. Nothing is asked for where nothing changes. A list of
    /// files that was cut is unknown: nothing is proposed then.
    pub(super) async fn beside(
        &self,
        job: &Job,
        input: &PlanInput<'_>,
        keys: &KeyPlan,
    ) -> Result<Beside, Outcome> {
        let schemas = read_all(job, keys.schemas(input), &self.head).await?;
        let globs = &job.target.references;
        if globs.is_empty() || !keys.is_change() {
            return Ok(Beside { schemas, references: BTreeMap::new() });
        }
        let is_own = |path: &str| job.target.files.iter().any(|spec| spec.path == path);
        let paths = job.forge.paths(&self.head).await.map_err(|error| Outcome::of(&error))?;
        let paths = paths.into_iter().filter(|path| globs.match_path(path) && !is_own(path)).collect();
        Ok(Beside { schemas, references: read_all(job, paths, &self.head).await? })
    }
}

/// The files that exist, several at once.
async fn read_all(
    job: &Job,
    paths: Vec<String>,
    head: &CommitId,
) -> Result<BTreeMap<String, Vec<u8>>, Outcome> {
    let read = |path: String| async move {
        let bytes = job.forge.file(&path, head).await?;
        Ok::<_, ForgeError>(bytes.map(|bytes| (path, bytes)))
    };
    let reads: Vec<_> = paths.into_iter().map(read).collect();
    let read = futures::stream::iter(reads).buffered(WIDTH).try_collect::<Vec<_>>().await;
    Ok(read.map_err(|error| Outcome::of(&error))?.into_iter().flatten().collect())
}

async fn required(job: &Job, path: &str, head: &CommitId) -> Result<Vec<u8>, Outcome> {
    let bytes = job.forge.file(path, head).await.map_err(|error| Outcome::of(&error))?;
    bytes.ok_or_else(|| Outcome::NoTarget(format!("file {path} was not found")))
}

/// Whether a project that was found has what the query asks for, and did not opt out.
async fn is_ours(job: &Job, found: &QueriedProject, head: &CommitId) -> Result<(), Outcome> {
    if job.forge.file(OPT_OUT, head).await.map_err(|error| Outcome::of(&error))?.is_some() {
        return Err(Outcome::NoTarget(format!("it has a file {OPT_OUT}")));
    }
    // A file of the target is read anyway.
    let is_read = |path: &str| job.target.files.iter().any(|spec| spec.path == path);
    match found.has.as_deref().filter(|path| !is_read(path)) {
        Some(path) => required(job, path, head).await.map(drop),
        None => Ok(()),
    }
}
