//! From the configuration to the jobs of a run: targets by name and by query, those of this shard, each with its forge.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Session, WiringError};
use crate::config::{Config, ConfiguredTarget as Configured, Query, TargetBranch};
use crate::forge::{Branch, Forge};
use crate::merge_request::Outcome;
use crate::run::{
    Due, FollowedProducer, Follows, Job, JobReport, QueriedProject, Reads, Registries, Shard, generations,
    select,
};

/// Which targets a run is about, and whether it writes.
#[derive(Debug, Clone, Default)]
pub struct TargetSelection {
    /// The projects; empty for all of them.
    pub projects: Vec<String>,
    /// One part of the targets; `None` for all of them.
    pub shard: Option<Shard>,
    /// Say what would be written, and write nothing.
    pub dry_run: bool,
}

/// What a run is about.
#[derive(Default)]
pub struct Fleet {
    /// Every target branch that was selected.
    pub jobs: Vec<Arc<Job>>,
    /// What did not come to a job.
    pub failed: Vec<JobReport>,
    /// Each query, and how many projects it found.
    pub searched: Vec<(String, usize)>,
    /// The shard, how many targets are its own, and how many there are.
    pub shard: Option<(Shard, usize, usize)>,
}

/// A target, and the branch that is its default where a query said so.
struct Member<'a> {
    configured: &'a Configured,
    project: String,
    found: Option<(QueriedProject, Option<Branch>)>,
}

impl Session<'_> {
    /// The jobs of a run. Asks the forge only where there are queries.
    ///
    /// # Errors
    /// If a project was named that has no target, or if nothing is left because the forge cannot be used.
    pub async fn fleet(&self, selection: &TargetSelection) -> Result<Fleet, WiringError> {
        let mut fleet = Fleet::default();
        let mut members: Vec<Member<'_>> = self.config.targets.iter().map(Member::named).collect();
        for query in &self.config.queries {
            fleet.search(self, query, &mut members).await;
        }
        let members = fleet.selected(members, selection)?;
        let (mut refused, mut jobs) = (None, Vec::new());
        for member in members {
            match self.forge(&member.project) {
                Ok(forge) => {
                    let new = member.jobs(&forge, self.environment.now, selection.dry_run, self.config);
                    new.for_each(|job| job.join(&mut jobs));
                }
                Err(error) => {
                    let (project, producer) = (&member.project, member.configured.called());
                    fleet.failed.push(JobReport::unread(project, producer, Outcome::of(&error)));
                    refused.get_or_insert(error);
                }
            }
        }
        for job in jobs {
            for generation in generations(&job).await {
                match generation {
                    Ok(generation) => fleet.jobs.push(Arc::new(generation)),
                    Err(refused) => fleet.failed.push(*refused),
                }
            }
            fleet.jobs.push(Arc::new(job));
        }
        // What keeps every target from its forge is said once, with what to do.
        match refused {
            Some(error) if fleet.jobs.is_empty() => Err(error),
            _ => Ok(fleet),
        }
    }
}

impl Fleet {
    fn selected<'a>(
        &mut self,
        mut members: Vec<Member<'a>>,
        selection: &TargetSelection,
    ) -> Result<Vec<Member<'a>>, WiringError> {
        let is_there = |project: &&String| members.iter().any(|member| member.project == **project);
        if let Some(project) = selection.projects.iter().find(|project| !is_there(project)) {
            return Err(WiringError::NoTarget { project: project.clone() });
        }
        members
            .retain(|member| selection.projects.is_empty() || selection.projects.contains(&member.project));
        let all = members.len();
        if let Some(shard) = selection.shard {
            let groups: Vec<String> = members.iter().map(|member| group(member, &members)).collect();
            let mut groups = groups.iter();
            members.retain(|member| groups.next().is_none_or(|group| shard.takes(&member.project, group)));
            self.shard = Some((shard, members.len(), all));
        }
        Ok(members)
    }

    /// A query that fails is reported like a target.
    async fn search<'a>(&mut self, session: &Session<'_>, query: &'a Query, members: &mut Vec<Member<'a>>) {
        let group = format!("{}/*", query.group);
        let producer = query.target.called();
        let projects = match session.projects() {
            Ok(projects) => projects,
            Err(error) => return self.failed.push(JobReport::unread(&group, producer, Outcome::of(&error))),
        };
        match projects.projects(&query.group).await {
            Ok(found) => {
                let same = members.iter().filter(|member| member.configured.may_follow_as(&query.target));
                let named: BTreeSet<String> = same.map(|member| member.project.to_lowercase()).collect();
                let found = select(found, query.topic.as_deref(), &named);
                let topic =
                    query.topic.as_ref().map(|topic| format!(" with topic {topic}")).unwrap_or_default();
                self.searched.push((format!("{group}{topic}"), found.len()));
                members.extend(found.into_iter().map(|project| Member {
                    configured: &query.target,
                    project: project.path,
                    found: Some((QueriedProject { has: query.has.clone() }, project.default_branch)),
                }));
            }
            Err(error) => self.failed.push(JobReport::unread(&group, producer, Outcome::of(&error))),
        }
    }
}

impl<'a> Member<'a> {
    fn named(configured: &'a Configured) -> Self {
        Self { configured, project: configured.project.clone(), found: None }
    }

    /// A job for each branch.
    fn jobs(
        self,
        forge: &Arc<dyn Forge>,
        now: Timestamp,
        dry_run: bool,
        config: &Config,
    ) -> impl Iterator<Item = Job> {
        let configured = self.configured;
        let follows = |branch: &TargetBranch| {
            let (target, policy) = (configured.files.clone(), branch.policy.clone());
            let member = |producer: String| {
                let reads = Reads::Configured(producer.clone());
                FollowedProducer { producer, reads, target, policy }
            };
            match &configured.producer {
                Some(producer) => Follows::Named(vec![member(producer.clone())]),
                None => Follows::OfItsFiles(Box::new(member(String::new())), registries(config)),
            }
        };
        let job = |branch: &TargetBranch| Job {
            project: self.project.clone(),
            forge: Arc::clone(forge),
            follows: follows(branch),
            group: configured.update_group.clone(),
            generations: configured.generations.then(|| registries(config)),
            branch: branch.name.clone().or(self.found.as_ref().and_then(|(_, default)| default.clone())),
            settings: configured.merge_request.clone(),
            upkeep: configured.upkeep,
            branch_prefix: configured.branch_prefix.clone(),
            templates: configured.templates.clone(),
            dry_run: dry_run || !configured.enabled,
            due: due(branch, now),
            found: self.found.as_ref().map(|(found, _)| found.clone()),
        };
        configured.branches.iter().map(job).collect::<Vec<_>>().into_iter()
    }
}

/// The registries that a run may ask.
fn registries(config: &Config) -> Registries {
    let configured = config.producers.iter();
    let configured = configured.map(|producer| (producer.name.clone(), producer.registry.clone()));
    Registries { configured: configured.collect(), allowed: config.registries_allowed.clone() }
}

/// The name under which a target is counted in shards: targets of the same file stay together.
fn group(member: &Member<'_>, members: &[Member<'_>]) -> String {
    let path = |member: &Member<'_>| member.configured.files.primary().map(|file| file.path.clone());
    let is_same = |other: &&Member<'_>| other.project == member.project && path(other) == path(member);
    members.iter().find(is_same).unwrap_or(member).configured.called().to_owned()
}

fn due(branch: &TargetBranch, now: Timestamp) -> Due {
    match &branch.schedule {
        Some(schedule) if schedule.is_open(now) => Due::Now,
        Some(schedule) if schedule.update_outside() => Due::Upkeep,
        Some(_) => Due::Later,
        None => Due::Now,
    }
}
