//! What a run reads of a project: the files of a target, and those beside them that a plan needs.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};

use super::WIDTH;
use super::job::{FollowedProducer, Follows, Job, QueriedProject};
use super::turns::Turns;
use crate::budget::Budget;
use crate::forge::{Branch, CommitId, ForgeError};
use crate::merge_request::Outcome;
use crate::plan::{Beside, Decided, FileProducer, Parsed, Survey, producers};
use crate::release::Version;

/// A file by which a project says that it wants nothing from a bot that searches for projects.
const OPT_OUT: &str = ".dibump-ignore";

/// What a target branch holds.
pub(super) struct Read {
    pub(super) branch: Branch,
    /// The commit at which everything is read.
    pub(super) head: CommitId,
    /// The producers that it follows, each with what the files say for it; there is one at least.
    pub(super) members: Vec<(FollowedProducer, Survey)>,
}

impl Read {
    /// Reads the files of the target at the head of the branch; parses them in turn with the other targets.
    pub(super) async fn target(
        job: &Job,
        branch: &Branch,
        turns: &Turns,
        budget: &Budget,
    ) -> Result<Self, Outcome> {
        let head = job.forge.head(branch).await.map_err(|error| Outcome::of(&error))?;
        let head = head.ok_or_else(|| Outcome::NoTarget(format!("branch {branch} was not found")))?;
        if let Some(found) = &job.found {
            is_ours(job, found, &head).await?;
        }
        let mut contents = BTreeMap::new();
        let target = job.target();
        for spec in &target.files {
            contents.insert(spec.path.clone(), required(job, &spec.path, &head).await?);
        }
        let turn = turns.take().await;
        let parsed = Parsed::new(target, contents).map_err(|error| Outcome::of(&error))?;
        let survey = |member: FollowedProducer| {
            let survey = parsed.survey(&member.target, None, member.policy.prereleases);
            Ok((member, survey.map_err(|error| Outcome::of(&error))?))
        };
        let members = members(job, &parsed, budget)?.into_iter().map(survey).collect::<Result<_, _>>()?;
        drop(turn);
        Ok(Self { branch: branch.clone(), head, members })
    }

    /// The releases that the files name, by the names of their producers.
    pub(super) fn releases(&self) -> impl Iterator<Item = (&str, &Version)> {
        self.members.iter().map(|(member, survey)| (member.producer.as_str(), survey.version()))
    }

    /// What stands beside the files, as far as the plan needs it. Nothing is asked for where nothing changes. A list of
    /// files that was cut is unknown: nothing is proposed then.
    pub(super) async fn beside(&self, job: &Job, decided: &[Decided<'_>]) -> Result<Beside, Outcome> {
        let schemas: BTreeSet<String> = decided.iter().flat_map(Decided::schemas).collect();
        let schemas = read_all(job, schemas.into_iter().collect(), &self.head).await?;
        let globs = &job.target().references;
        if globs.is_empty() || !decided.iter().any(|decided| decided.keys.is_change()) {
            return Ok(Beside { schemas, references: BTreeMap::new() });
        }
        let is_own = |path: &str| job.target().files.iter().any(|spec| spec.path == path);
        let paths = job.forge.paths(&self.head).await.map_err(|error| Outcome::of(&error))?;
        let paths = paths.into_iter().filter(|path| globs.match_path(path) && !is_own(path)).collect();
        Ok(Beside { schemas, references: read_all(job, paths, &self.head).await? })
    }
}

/// The producers that a job follows. What its files name must be configured: no file of a project makes a run ask a
/// registry.
fn members(job: &Job, parsed: &Parsed, budget: &Budget) -> Result<Vec<FollowedProducer>, Outcome> {
    let (all, configured) = match &job.follows {
        Follows::Named(members) => return Ok(members.clone()),
        Follows::OfItsFiles(all, configured) => (all, configured),
    };
    let found = producers(&all.target, parsed, budget).map_err(|error| Outcome::of(&error))?;
    if found.is_empty() {
        let why = "its files name no producer; name one with `producer:`".to_owned();
        return Err(Outcome::NoTarget(why));
    }
    let member = |found: FileProducer| {
        let FileProducer { prefix, version_key, place, .. } = found;
        let Some((producer, _)) = configured.iter().find(|(_, known)| *known == prefix) else {
            return Err(Outcome::Refused(format!("registry {prefix} ({place}) is not configured")));
        };
        let mut target = all.target.clone();
        let primary = target.files.iter_mut().find(|file| !file.overlay);
        primary.into_iter().for_each(|file| file.version_key = Some(version_key.clone()));
        Ok(FollowedProducer { producer: producer.clone(), target, policy: all.policy.clone() })
    };
    found.into_iter().map(member).collect()
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
    let is_read = |path: &str| job.target().files.iter().any(|spec| spec.path == path);
    match found.has.as_deref().filter(|path| !is_read(path)) {
        Some(path) => required(job, path, head).await.map(drop),
        None => Ok(()),
    }
}
