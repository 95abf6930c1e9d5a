//! Offers the first configuration of a project as a merge request.

use std::collections::BTreeSet;

use super::JobReport;
use crate::apply::{Ended, Patience, SharedWait, apply};
use crate::ending::{Ending, Ends};
use crate::forge::{Branch, CommitId, Forge, ForgeError};
use crate::merge_request::onboarding::FirstConfiguration;
use crate::merge_request::{BranchPrefix, Offered, Place};

/// Why no merge request is offered.
#[derive(Debug, thiserror::Error)]
pub enum NotOffered {
    /// The forge cannot be read, or does not take it.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// The default branch has no commit.
    #[error("{project} has no commit on branch {branch}")]
    Empty {
        /// The project.
        project: String,
        /// Its default branch.
        branch: Branch,
    },
    /// The target branch is configured already.
    #[error("{}: already there on branch {branch} of {project}; nothing was opened", .files.join(", "))]
    Configured {
        /// The files that are there.
        files: Vec<String>,
        /// The project.
        project: String,
        /// Its default branch.
        branch: Branch,
    },
    /// A file that is to be kept in step is here, and not on the target branch.
    #[error("{}: not on branch {branch} of {project}; nothing was opened", .files.join(", "))]
    NotPushed {
        /// The files that are missing.
        files: Vec<String>,
        /// The project.
        project: String,
        /// Its default branch.
        branch: Branch,
    },
}

impl Ends for NotOffered {
    fn ending(&self) -> Ending {
        match self {
            Self::Forge(error) => error.ending(),
            Self::Empty { .. } | Self::Configured { .. } | Self::NotPushed { .. } => Ending::Person,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Forge(error) => error.hint(),
            Self::Empty { .. } => Some("push a first commit".to_owned()),
            Self::Configured { .. } => Some("see what would be offered with --print".to_owned()),
            Self::NotPushed { .. } => Some("push them first, or name other paths".to_owned()),
        }
    }
}

/// A project without a configuration.
pub struct Unconfigured<'a> {
    /// Its path.
    pub project: &'a str,
    /// The project on its forge.
    pub forge: &'a dyn Forge,
    /// Paths at which a configuration would be found; none of them may be there.
    pub configurations: &'a [&'a str],
}

impl Unconfigured<'_> {
    /// Makes the merge request what it should be, as for any other: what is right is left alone, and so is what a person
    /// touched or closed.
    ///
    /// # Errors
    /// The default branch has a configuration or lacks a values file, or the forge does not take it.
    pub async fn offer(
        &self,
        first: &FirstConfiguration,
        patience: Patience,
    ) -> Result<JobReport, NotOffered> {
        let branch = self.forge.default_branch().await?;
        let Some(head) = self.forge.head(&branch).await? else {
            return Err(NotOffered::Empty { project: self.project.to_owned(), branch });
        };
        self.check(first, &branch, &head).await?;
        let place = Place::of_configuration(&BranchPrefix::default(), &branch, &head);
        let wanted = first.wanted(place, self.forge.description_limit());
        let applied = apply(self.forge, &wanted, patience, &SharedWait::new(patience.checks)).await;
        let name = Offered::Configuration.written();
        let report = |outcome| JobReport { branch, ..JobReport::unread(self.project, &name, outcome) };
        let Ended { outcome, note, merge_request, .. } = applied?;
        Ok(JobReport { note, merge_request, ..report(outcome) })
    }

    async fn check(
        &self,
        first: &FirstConfiguration,
        branch: &Branch,
        head: &CommitId,
    ) -> Result<(), NotOffered> {
        let there: BTreeSet<String> = self.forge.paths(head).await?.into_iter().collect();
        let new = first.files.iter().map(|(path, _)| path.as_str());
        let files: BTreeSet<&str> = new.chain(self.configurations.iter().copied()).collect();
        let files: Vec<String> =
            files.into_iter().filter(|path| there.contains(*path)).map(str::to_owned).collect();
        let (project, branch) = (self.project.to_owned(), branch.clone());
        if !files.is_empty() {
            return Err(NotOffered::Configured { files, project, branch });
        }
        let watched: BTreeSet<&String> = first.watched.iter().map(|(path, ..)| path).collect();
        let files: Vec<String> = watched.into_iter().filter(|path| !there.contains(*path)).cloned().collect();
        match files.is_empty() {
            true => Ok(()),
            false => Err(NotOffered::NotPushed { files, project, branch }),
        }
    }
}
