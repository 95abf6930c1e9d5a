//! What a run is asked to do for one target branch, and what it says of it.

use std::sync::Arc;

use super::registries::Registries;
use crate::forge::{Branch, CommitId, Forge, MergeRequestSettings};
use crate::merge_request::template::Templates;
use crate::merge_request::{BranchPrefix, Outcome, Place, Upkeep};
use crate::plan::{PlanView, Target};
use crate::release::policy::Policy;
use crate::release::{Prefix, Version};

/// One target branch of one project, to be kept in step with the producers of its files.
#[derive(Clone)]
pub struct Job {
    /// The project, as people know it.
    pub project: String,
    /// The project on its forge.
    pub forge: Arc<dyn Forge>,
    /// Whose releases it follows.
    pub follows: Follows,
    /// The name of the group in which its producers are offered together; `None` for that of the first producer.
    pub group: Option<String>,
    /// Where the generations of its files are kept in step, the registries that may be asked for them.
    pub generations: Option<Registries>,
    /// The target branch; `None` for the project's default branch.
    pub branch: Option<Branch>,
    /// Settings of its merge request.
    pub settings: MergeRequestSettings,
    /// How an open merge request is kept.
    pub upkeep: Upkeep,
    /// What the names of its source branches begin with.
    pub branch_prefix: BranchPrefix,
    /// What the user wants it to say.
    pub templates: Templates,
    /// Say what would be written, and write nothing.
    pub dry_run: bool,
    /// Whether its time has come.
    pub due: Due,
    /// Set where a query found the project and nobody named it.
    pub found: Option<QueriedProject>,
}

/// Whose releases a target branch follows.
#[derive(Debug, Clone)]
pub enum Follows {
    /// Those of these producers; there is one at least.
    Named(Vec<FollowedProducer>),
    /// Those of every producer that its files name, as far as these registries may be asked.
    OfItsFiles(Box<FollowedProducer>, Registries),
}

/// A producer that a target branch follows.
#[derive(Debug, Clone)]
pub struct FollowedProducer {
    /// Its name; empty as long as the files were not read.
    pub producer: String,
    /// Where its releases are.
    pub reads: Reads,
    /// The files, and where its version stands in them. All members have the same files.
    pub target: Target,
    /// Its update policy.
    pub policy: Policy,
}

/// Where the releases of a producer are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// At this producer of the configuration.
    Configured(String),
    /// In this registry, which only the files name.
    OnlyNamed(Prefix),
}

/// Whether a target branch's time has come; the later ones allow less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// It has.
    #[default]
    Now,
    /// What is open is kept right, and nothing is opened.
    Upkeep,
    /// It has not.
    Later,
}

/// What is asked of a project that a query found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueriedProject {
    /// A path that must exist on the branch.
    pub has: Option<String>,
}

/// What became of one target branch.
#[derive(Debug)]
pub struct JobReport {
    /// The project.
    pub project: String,
    /// The target branch.
    pub branch: Branch,
    /// The producer's name; of several that of the first.
    pub producer: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What a person should know about it.
    pub note: Option<String>,
    /// The merge request's number and page, where there is one.
    pub merge_request: Option<(u64, String)>,
    /// The plan, where it came to one.
    pub plan: Option<PlanView>,
    /// Whether a query found the project: then it is no mistake that there is nothing for us in it.
    pub found: bool,
}

impl JobReport {
    /// Of a project, or a query for projects, that did not come to a job.
    pub fn unread(project: &str, producer: &str, outcome: Outcome) -> Self {
        Self {
            project: project.to_owned(),
            branch: Branch::unnamed_default(),
            producer: producer.to_owned(),
            outcome,
            note: None,
            merge_request: None,
            plan: None,
            found: false,
        }
    }
}

impl Job {
    /// The files, whosever releases they follow.
    pub fn target(&self) -> &Target {
        match &self.follows {
            Follows::Named(members) => &members[0].target,
            Follows::OfItsFiles(member, _) => &member.target,
        }
    }

    /// Adds it to jobs: to one of the same branch that it goes with, else by itself. Together they may do what each of them
    /// may: one that is not enabled, or whose time has not come, keeps all from writing.
    pub fn join(self, jobs: &mut Vec<Self>) {
        for job in jobs.iter_mut() {
            let is_same = job.project == self.project && job.branch == self.branch && job.group == self.group;
            let (Follows::Named(known), Follows::Named(own), true) =
                (&mut job.follows, &self.follows, is_same)
            else {
                continue;
            };
            if own.iter().all(|own| known.iter().all(|known| known.target.goes_with(&own.target))) {
                known.extend(own.iter().cloned());
                job.dry_run |= self.dry_run;
                job.due = job.due.max(self.due);
                job.generations = job.generations.take().or(self.generations);
                return;
            }
        }
        jobs.push(self);
    }

    /// How it is called: after its producer, or after the first of several.
    pub fn name(&self) -> &str {
        match &self.follows {
            Follows::Named(members) => &members[0].producer,
            Follows::OfItsFiles(..) => "the producers of its files",
        }
    }

    /// Where its merge request goes, from a target branch at this commit to these releases. A group has its own name, or
    /// that of its first producer.
    pub fn place<'a>(
        &self,
        target: &Branch,
        head: &CommitId,
        releases: impl IntoIterator<Item = (&'a str, &'a Version)>,
    ) -> Place {
        let releases: Vec<(&str, &Version)> = releases.into_iter().collect();
        match (releases.as_slice(), &self.group) {
            ([(producer, version)], None) => Place::new(&self.branch_prefix, target, head, producer, version),
            (several, group) => {
                let producers = several.iter().map(|(producer, _)| *producer);
                let first = several.first().map_or(self.name(), |(producer, _)| *producer);
                let group = group.as_deref().unwrap_or(first);
                Place::of_group(&self.branch_prefix, target, head, group, producers)
            }
        }
    }

    pub(super) fn report(&self, outcome: Outcome) -> JobReport {
        let branch = self.branch.clone().unwrap_or_else(Branch::unnamed_default);
        let found = self.found.is_some();
        JobReport { branch, found, ..JobReport::unread(&self.project, self.name(), outcome) }
    }
}
