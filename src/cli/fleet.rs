//! From the configuration to the jobs of a run: targets by name and by query, those of this shard, each with its forge.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Context;
use super::args::Run as Args;
use super::failure::Failure;
use super::run::{forge, of_failure, projects, target};
use crate::config::{Config, Query, Target as Configured, TargetBranch};
use crate::forge::{Branch, Forge};
use crate::http::Transport;
use crate::run::{Due, Found, Job, Report, Shard, select};

/// What a run is about.
pub(super) struct Fleet {
    /// Every target branch of this shard.
    pub(super) jobs: Vec<Job>,
    /// What did not come to a job.
    pub(super) failed: Vec<Report>,
    /// The shard, how many targets are its own, and how many there are.
    pub(super) shard: Option<(Shard, usize, usize)>,
    /// Whether `DIBUMP_PAUSED` keeps all targets from being written to.
    pub(super) paused: bool,
}

/// A target, and the branch that is its default where a query said so.
struct Member<'a> {
    configured: &'a Configured,
    project: String,
    found: Option<(Found, Option<Branch>)>,
}

impl Fleet {
    /// Asks the forge only where there are queries.
    pub(super) async fn gather(
        context: &Context,
        args: &Args,
        config: &Config,
        transport: &Transport,
    ) -> Result<Self, Failure> {
        let shard = shard(context, args)?;
        let paused = is_paused(context);
        let mut fleet = Self { jobs: Vec::new(), failed: Vec::new(), shard: None, paused };
        let mut members: Vec<Member<'_>> = config.targets.iter().map(Member::named).collect();
        for query in &config.queries {
            fleet.search(context, config, query, transport, &mut members).await;
        }
        let is_there = |project: &&String| members.iter().any(|member| member.project == **project);
        if let Some(project) = args.project.iter().find(|project| !is_there(project)) {
            return Err(Failure::usage(format!("there is no target in project `{project}`")));
        }
        members.retain(|member| args.project.is_empty() || args.project.contains(&member.project));
        let all = members.len();
        if let Some(shard) = shard {
            members.retain(|member| shard.takes(&member.project, &member.configured.producer));
            fleet.shard = Some((shard, members.len(), all));
        }
        let mut refused = None;
        for member in members {
            match forge(context, config, &member.project, transport) {
                Ok(forge) => fleet.jobs.extend(member.jobs(&forge, context, args.dry_run || paused)),
                Err(failure) => {
                    let (project, producer) = (&member.project, &member.configured.producer);
                    fleet.failed.push(Report::unread(project, producer, of_failure(&failure)));
                    refused.get_or_insert(failure);
                }
            }
        }
        // What keeps every target from its forge is said once, with what to do.
        match refused {
            Some(failure) if fleet.jobs.is_empty() => Err(failure),
            _ => Ok(fleet),
        }
    }

    /// A query that fails is reported like a target.
    async fn search<'a>(
        &mut self,
        context: &Context,
        config: &'a Config,
        query: &'a Query,
        transport: &Transport,
        members: &mut Vec<Member<'a>>,
    ) {
        let group = format!("{}/*", query.group);
        let producer = &query.target.producer;
        let projects = match projects(context, config, transport) {
            Ok(projects) => projects,
            Err(failure) => {
                self.failed.push(Report::unread(&group, producer, of_failure(&failure)));
                return;
            }
        };
        match projects.projects(&query.group).await {
            Ok(found) => {
                let same = members.iter().filter(|member| member.configured.producer == *producer);
                let named: BTreeSet<String> = same.map(|member| member.project.to_lowercase()).collect();
                let found = select(found, query.topic.as_deref(), &named);
                members.extend(found.into_iter().map(|project| Member {
                    configured: &query.target,
                    project: project.path,
                    found: Some((Found { has: query.has.clone() }, project.default_branch)),
                }));
            }
            Err(error) => self.failed.push(Report::of_forge(&group, producer, &error)),
        }
    }
}

impl<'a> Member<'a> {
    fn named(configured: &'a Configured) -> Self {
        Self { configured, project: configured.project.clone(), found: None }
    }

    /// A job for each branch.
    fn jobs(self, forge: &Arc<dyn Forge>, context: &Context, dry_run: bool) -> Vec<Job> {
        let configured = self.configured;
        let job = |branch: &TargetBranch| Job {
            project: self.project.clone(),
            forge: Arc::clone(forge),
            producer: configured.producer.clone(),
            branch: branch.name.clone().or(self.found.as_ref().and_then(|(_, default)| default.clone())),
            target: target(configured),
            policy: branch.policy.clone(),
            settings: configured.merge_request.clone(),
            upkeep: configured.upkeep,
            templates: configured.templates.clone(),
            dry_run: dry_run || !configured.enabled,
            due: due(branch, context),
            found: self.found.as_ref().map(|(found, _)| found.clone()),
        };
        configured.branches.iter().map(job).collect()
    }
}

fn due(branch: &TargetBranch, context: &Context) -> Due {
    match &branch.schedule {
        Some(schedule) if !schedule.is_open(context.environment.now) => {
            if schedule.update_outside() {
                Due::Upkeep
            } else {
                Due::Later
            }
        }
        _ => Due::Now,
    }
}

/// As the flag says, else as CI or the Kubernetes Job does.
fn shard(context: &Context, args: &Args) -> Result<Option<Shard>, Failure> {
    match args.shard {
        Some(shard) => Ok(Some(shard)),
        None => Shard::from_environment(&|name| context.environment.get(name)).map_err(|error| {
            Failure::usage(error.to_string()).hint("or say which shard this is with --shard i/n")
        }),
    }
}

/// Whatever it is set to pauses, because whoever sets it is in a hurry; only a clear no does not.
fn is_paused(context: &Context) -> bool {
    let paused = context.environment.get("DIBUMP_PAUSED");
    paused.is_some_and(|paused| !matches!(paused.as_str(), "0" | "false" | "no"))
}
