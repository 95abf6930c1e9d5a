//! `dibump init --merge-request`: the files as a merge request, in place of files on this machine.

use std::path::{Component, Path};

use super::{CONFIG, Init};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::found;
use crate::config::{Config, Draft};
use crate::merge_request::onboarding::FirstConfiguration;
use crate::onboarding::NewFile;
use crate::plan::PlanView;
use crate::report;
use crate::report::run::Detail;
use crate::run::Unconfigured;

impl Init<'_> {
    /// What is offered: the files, and what they lead to.
    pub(super) fn first(&self, draft: &Draft, files: &[NewFile], plans: Vec<PlanView>) -> FirstConfiguration {
        let registry = |name: &str| {
            let producer = draft.producers.iter().find(|producer| producer.name == name);
            producer.map(|producer| producer.registry.to_string()).unwrap_or_default()
        };
        let watched = draft.targets.iter().flat_map(|target| {
            let producer = &target.producer;
            let files = target.target.files.iter();
            files.map(move |file| (file.path.clone(), producer.clone(), registry(producer)))
        });
        FirstConfiguration {
            files: files.iter().map(|file| (file.path.clone(), file.text.as_bytes().into())).collect(),
            watched: watched.collect(),
            next: files.iter().flat_map(|file| file.next.clone()).collect(),
            plans,
        }
    }

    /// Opens it, or brings it up to date.
    pub(super) fn offer(
        &self,
        config: &Config,
        project: &str,
        first: &FirstConfiguration,
    ) -> Result<Exit, Failure> {
        let path = first.files.first().map_or(CONFIG, |(path, _)| path);
        if Path::new(path).components().any(|part| !matches!(part, Component::Normal(_))) {
            let problem =
                format!("--config {path}: with --merge-request it must be a path within the repository");
            return Err(Failure::usage(problem));
        }
        let report = self.context.online(Some(config), &self.args.reach, async |session| {
            let forge = session.forge(project)?;
            let is_named = self.context.global.config.is_some();
            let configurations: &[&str] = if is_named { &[] } else { &found::NAMES };
            let unconfigured = Unconfigured { project, forge: forge.as_ref(), configurations };
            Ok(unconfigured.offer(first, session.patience()).await?)
        })?;
        let told = report::run::one(&report, self.context.width(), Detail::Everything);
        self.context.output.print(&format!("\n{told}"))?;
        Ok(report.outcome.ending().map_or(Exit::Done, Into::into))
    }
}
