//! What a run reads of a project: the files of a target, and those beside them that a plan needs.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};

use super::WIDTH;
use super::job::{FollowedProducer, Follows, Job, QueriedProject, Reads};
use super::registries::{AskedAs, Registries};
use super::turns::Turns;
use crate::budget::Budget;
use crate::forge::{Branch, CommitId, ForgeError};
use crate::merge_request::Outcome;
use crate::plan::{Beside, Decided, FileProducer, Parsed, Survey, producers};
use crate::release::Version;
use crate::release::accepted::Accepted;

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
            return Ok(Beside { schemas, ..Beside::default() });
        }
        let is_own = |path: &str| job.target().files.iter().any(|spec| spec.path == path);
        let paths = job.forge.paths(&self.head).await.map_err(|error| Outcome::of(&error))?;
        let paths = paths.into_iter().filter(|path| globs.match_path(path) && !is_own(path)).collect();
        Ok(Beside { schemas, references: read_all(job, paths, &self.head).await?, ..Beside::default() })
    }
}

/// The producers that a job follows. No file of a project makes a run ask a registry that the configuration does not allow.
fn members(job: &Job, parsed: &Parsed, budget: &Budget) -> Result<Vec<FollowedProducer>, Outcome> {
    let (all, registries) = match &job.follows {
        Follows::Named(members) => return Ok(members.clone()),
        Follows::OfItsFiles(all, registries) => (all, registries),
    };
    let found = producers(&all.target, parsed, budget).map_err(|error| Outcome::of(&error))?;
    if found.is_empty() {
        let why = "its files name no producer; name one with `producer:`".to_owned();
        return Err(Outcome::NoTarget(why));
    }
    let member = |found: FileProducer| {
        let (producer, reads) = match registries.asked_as(&found.prefix) {
            Some(AskedAs::Configured(name)) => (name.to_owned(), Reads::Configured(name.to_owned())),
            Some(AskedAs::OnlyNamed) => (found.name, Reads::OnlyNamed(found.prefix)),
            None => return Err(not_allowed(&found)),
        };
        let target = all.target.clone().at(found.version_key);
        Ok(FollowedProducer { producer, reads, target, policy: all.policy.clone() })
    };
    let mut members = found.into_iter().map(member).collect::<Result<Vec<_>, _>>()?;
    name_apart(&mut members, registries);
    settle_accepted(&mut members, &all.policy.accept)?;
    Ok(members)
}

/// Leaves to each producer what a person accepted of its releases.
fn settle_accepted(members: &mut [FollowedProducer], accepted: &[Accepted]) -> Result<(), Outcome> {
    let names: Vec<&str> = members.iter().map(|member| member.producer.as_str()).collect();
    let is_known = |name: &String| names.contains(&name.as_str());
    if let Some(unknown) = accepted.iter().find(|accepted| !accepted.producer.as_ref().is_none_or(is_known)) {
        let why = format!("`accept: [{unknown}]`: the files name no such producer ({})", names.join(", "));
        return Err(Outcome::Failed(why));
    }
    for member in members {
        member.policy = member.policy.clone().of_producer(&member.producer);
    }
    Ok(())
}

/// A registry that a values file names, and that is not asked.
pub(super) fn not_allowed(FileProducer { prefix, place, .. }: &FileProducer) -> Outcome {
    let host = prefix.host();
    let why = format!(
        "registry {prefix} ({place}) is not configured; add it to `producers:`, or its host {host} to `registries_allowed:`"
    );
    Outcome::Refused(why)
}

/// One that only the files name may be called as another one of the configuration: then it is called by its path.
fn name_apart(members: &mut [FollowedProducer], registries: &Registries) {
    let is_configured = |name: &str| registries.configured.iter().any(|(known, _)| known == name);
    for member in members {
        if let Reads::OnlyNamed(prefix) = &member.reads
            && is_configured(&member.producer)
        {
            member.producer = prefix.path().replace('/', "-");
        }
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
    let is_read = |path: &str| job.target().files.iter().any(|spec| spec.path == path);
    match found.has.as_deref().filter(|path| !is_read(path)) {
        Some(path) => required(job, path, head).await.map(drop),
        None => Ok(()),
    }
}
