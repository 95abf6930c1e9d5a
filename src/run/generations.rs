//! Generations: registries of a target's files that are at a release of their own. Each is a job by itself, beside the job
//! of the files, and asks no registry that the run may not ask.

use std::collections::BTreeMap;

use super::job::{FollowedProducer, Follows, Job, JobReport, Reads};
use super::read::not_allowed;
use super::registries::{AskedAs, Registries};
use crate::budget::Budget;
use crate::plan::{FileProducer, Parsed, generations as of_files};

/// The jobs of the generations that the files of a job name, and what does not come to a job. Files that cannot be read
/// have none: the job of the files says so.
pub async fn generations(job: &Job) -> Vec<Result<Job, Box<JobReport>>> {
    let Some(registries) = &job.generations else { return Vec::new() };
    let Some(found) = found(job).await else { return Vec::new() };
    found.into_iter().filter_map(|found| of(job, registries, found)).collect()
}

async fn found(job: &Job) -> Option<Vec<FileProducer>> {
    let branch = match &job.branch {
        Some(branch) => branch.clone(),
        None => job.forge.default_branch().await.ok()?,
    };
    let head = job.forge.head(&branch).await.ok()??;
    let mut contents = BTreeMap::new();
    for spec in &job.target().files {
        contents.insert(spec.path.clone(), job.forge.file(&spec.path, &head).await.ok()??);
    }
    let parsed = Parsed::new(job.target(), contents).ok()?;
    of_files(&parsed, &Budget::default()).ok()
}

/// The job of a generation; none where it is of a producer that the job does not follow.
fn of(job: &Job, registries: &Registries, found: FileProducer) -> Option<Result<Job, Box<JobReport>>> {
    let all = match &job.follows {
        Follows::Named(members) => members.first()?,
        Follows::OfItsFiles(all, _) => all,
    };
    let is_followed = |reads: &Reads| match &job.follows {
        Follows::Named(members) => members.iter().any(|member| member.reads == *reads),
        Follows::OfItsFiles(..) => true,
    };
    let reads = match registries.asked_as(&found.prefix) {
        Some(AskedAs::Configured(name)) => Reads::Configured(name.to_owned()),
        Some(AskedAs::OnlyNamed) => Reads::OnlyNamed(found.prefix),
        None => {
            let refused = JobReport::unread(&job.project, &found.name, not_allowed(&found));
            return is_followed(&Reads::OnlyNamed(found.prefix)).then(|| Err(Box::new(refused)));
        }
    };
    if !is_followed(&reads) {
        return None;
    }
    let is_taken = registries.configured.iter().any(|(name, _)| *name == found.name);
    let member = FollowedProducer {
        // What a producer is called is the name of another branch.
        producer: if is_taken { format!("{}-generation", found.name) } else { found.name },
        reads,
        target: all.target.clone().at(found.version_key),
        policy: all.policy.clone().of_generation(),
    };
    let follows = Follows::Named(vec![member]);
    Some(Ok(Job { follows, group: None, generations: None, ..job.clone() }))
}
