//! `dibump run`: every target branch of the configuration, as a dry run or for good.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::args::{Format, Reach, Run as Args};
use super::exit::Exit;
use super::failure::Failure;
use super::progress::Progress;
use super::{Context, github, lookup};
use crate::apply::Patience;
use crate::config::{Config, ForgeKind, Target as Configured, TargetFile};
use crate::forge::{Branch, Forge, ForgeError};
use crate::gitlab::GitLab;
use crate::http::Transport;
use crate::merge_request::Outcome;
use crate::plan::{FileSpec, Target};
use crate::report;
use crate::run::{Job, Options, Producers, Report, run as run_jobs};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?.ok_or_else(no_configuration)?;
    let reports = context.block_on(reports(context, args, &config))?;
    match args.format {
        Format::Text => context.output.print(&report::run::text(&reports, context.width())),
        Format::Json => context.output.json(&report::run_json::report(&reports, args.dry_run)),
    }
    Ok(exit(args, &reports))
}

async fn reports(context: &Context, args: &Args, config: &Config) -> Result<Vec<Report>, Failure> {
    let transport = lookup::transport(context, &Reach::default(), &config.network)?;
    let _progress = Progress::start(context, &transport);
    let wanted = |target: &&Configured| {
        target.enabled && args.project.as_ref().is_none_or(|project| *project == target.project)
    };
    let targets: Vec<&Configured> = config.targets.iter().filter(wanted).collect();
    if let (Some(project), true) = (&args.project, targets.is_empty()) {
        return Err(Failure::usage(format!(
            "the configuration has no enabled target in project `{project}`"
        )));
    }
    let (mut jobs, mut failed) = (Vec::new(), Vec::new());
    for target in &targets {
        let forge = forge(context, config, &target.project, &transport)?;
        match of_target(target, &forge).await {
            Ok(more) => jobs.extend(more),
            Err(error) => failed.push(Report::unread(&target.project, &target.producer, &error)),
        }
    }
    let producers = producers(context, config, &targets, &transport).await;
    let options =
        Options { dry_run: args.dry_run, now: context.environment.now, patience: Patience::default() };
    let reports = run_jobs(&jobs, &producers, options).await;
    context.requests(&transport);
    Ok(failed.into_iter().chain(reports).collect())
}

/// The producers of the targets. One that cannot be made ready fails its own targets only.
async fn producers(
    context: &Context,
    config: &Config,
    targets: &[&Configured],
    transport: &Transport,
) -> Producers {
    let names: BTreeSet<&str> = targets.iter().map(|target| target.producer.as_str()).collect();
    let mut producers = Producers::new();
    for settings in config.producers.iter().filter(|producer| names.contains(producer.name.as_str())) {
        let store = lookup::store(&Reach::default(), Some(config), &settings.naming);
        let producer = lookup::producer(&context.environment, Some(config), settings, transport, store).await;
        producers.insert(settings.name.clone(), producer.map_err(of_failure));
    }
    producers
}

fn of_failure(failure: Failure) -> Outcome {
    let reason = format!("{:#}", failure.error);
    if failure.exit == Exit::Retry { Outcome::Unknown(reason) } else { Outcome::Failed(reason) }
}

/// A job for each branch of the target; a branch without a name is the project's default branch.
async fn of_target(configured: &Configured, forge: &Arc<dyn Forge>) -> Result<Vec<Job>, ForgeError> {
    let mut jobs = Vec::new();
    for branch in &configured.branches {
        let name: Branch = match &branch.name {
            Some(name) => name.clone(),
            None => forge.default_branch().await?,
        };
        jobs.push(Job {
            project: configured.project.clone(),
            forge: Arc::clone(forge),
            producer: configured.producer.clone(),
            branch: name,
            target: target(configured),
            policy: branch.policy.clone(),
            settings: configured.merge_request.clone(),
            upkeep: configured.upkeep,
            templates: configured.templates.clone(),
        });
    }
    Ok(jobs)
}

/// The one place that chooses the forge.
pub(super) fn forge(
    context: &Context,
    config: &Config,
    project: &str,
    transport: &Transport,
) -> Result<Arc<dyn Forge>, Failure> {
    match config.forge.kind {
        ForgeKind::Gitlab => {
            let found = lookup::gitlab_at_home(&context.environment, Some(&config.forge))?;
            let api = found.api.clone().ok_or_else(|| Failure::usage("no GitLab"))?;
            let token = found.token_for(&api);
            let gitlab = GitLab::new(transport.clone(), &api, token, lookup::project_id(project));
            Ok(Arc::new(gitlab.map_err(Failure::person)?))
        }
        ForgeKind::Github => Ok(Arc::new(github::repository(context, &config.forge, project, transport)?)),
    }
}

/// The target as the core means it: the file with version and mapping first, then its overlays.
pub(super) fn target(configured: &Configured) -> Target {
    let spec = |file: &TargetFile, overlay| FileSpec {
        path: file.path.clone(),
        overlay,
        version_key: file.version_key.clone(),
        images_key: file.images_key.clone(),
    };
    let overlays = configured.overlays.iter().map(|file| spec(file, true));
    Target {
        files: std::iter::once(spec(&configured.file, false)).chain(overlays).collect(),
        images: configured.images,
        registry_key: configured.file.registry_key.clone(),
        kubernetes_versions: configured.kubernetes_versions.clone(),
        references: configured.references.clone(),
    }
}

/// The first of bug, person, refused, retry that occurred.
fn exit(args: &Args, reports: &[Report]) -> Exit {
    let of = |outcome: &Outcome| match outcome {
        Outcome::Failed(_) | Outcome::NoTarget(_) => Exit::Person,
        Outcome::Refused(_) => Exit::Refused,
        Outcome::Unknown(_) => Exit::Retry,
        Outcome::WouldCreate | Outcome::WouldUpdate | Outcome::WouldClose if args.detailed_exitcode => {
            Exit::Pending
        }
        _ => Exit::Done,
    };
    reports.iter().map(|report| of(&report.outcome)).max().unwrap_or(Exit::Done)
}

fn no_configuration() -> Failure {
    Failure::person(anyhow::anyhow!("there is no configuration file (dibump.yaml)"))
        .hint("config/example.yaml shows every key; --config names another file")
}
