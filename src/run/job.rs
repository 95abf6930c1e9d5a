//! What a run is asked to do for one target branch, and what it says of it.

use std::sync::Arc;

use crate::forge::{Branch, Forge, MergeRequestSettings};
use crate::merge_request::template::Templates;
use crate::merge_request::{BranchPrefix, Outcome, Upkeep};
use crate::plan::{PlanView, Target};
use crate::release::Version;
use crate::release::policy::Policy;

/// One target branch of one project, to be kept in step with one producer.
pub struct Job {
    /// The project, as people know it.
    pub project: String,
    /// The project on its forge.
    pub forge: Arc<dyn Forge>,
    /// The name of the producer.
    pub producer: String,
    /// The target branch; `None` for the project's default branch.
    pub branch: Option<Branch>,
    /// Its files.
    pub target: Target,
    /// Its update policy.
    pub policy: Policy,
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

/// Whether a target branch's time has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    /// The producer's name.
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
            branch: default_branch(),
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
    /// The source branch of a merge request into `target`, at a version; the first ones are versions 0 as a rule.
    pub fn source(&self, target: &Branch, version: Option<&Version>) -> Branch {
        self.branch_prefix.source(target, &self.producer, version.map_or(0, |version| version.triple().0))
    }

    pub(super) fn report(&self, outcome: Outcome) -> JobReport {
        let branch = self.branch.clone().unwrap_or_else(default_branch);
        let found = self.found.is_some();
        JobReport { branch, found, ..JobReport::unread(&self.project, &self.producer, outcome) }
    }
}

/// How a default branch is called as long as nobody said its name.
fn default_branch() -> Branch {
    Branch("HEAD".to_owned())
}
