//! `dibump run`: every target branch of the configuration, as a dry run or for good.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use url::Url;

use super::args::{Reach, Run as Args, RunFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::fleet::Fleet;
use super::progress::Progress;
use super::{Context, github, lookup};
use crate::apply::Patience;
use crate::config::{Config, ForgeKind, Target as Configured, TargetFile};
use crate::forge::{Forge, Projects};
use crate::gitlab::{GitLab, Groups, Token};
use crate::http::{Origin, Transport};
use crate::merge_request::Outcome;
use crate::plan::{FileSpec, Target};
use crate::release::choice::Verdict;
use crate::report;
use crate::report::run_json::{self, RunReport};
use crate::report::run_summary::{self, Line};
use crate::run::{Job, Options, Producers, Report, Shard, run as run_jobs};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?.ok_or_else(no_configuration)?;
    let told = context.block_on(tell(context, args, &config))?;
    for output in &args.output {
        let text = told.rendered(output.format.unwrap_or(args.format), args)?;
        write(context, &output.path, &anstream::adapter::strip_str(&text).to_string())?;
    }
    context.output.print(&told.rendered(args.format, args)?);
    Ok(told.exit(args))
}

/// What a step of GitHub Actions collects from several commands is added to, everything else replaced.
fn write(context: &Context, path: &Path, text: &str) -> Result<(), Failure> {
    let collected = ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"].map(|name| context.environment.get(name));
    match collected.iter().flatten().any(|collected| Path::new(collected) == path) {
        true => Ok(crate::disk::append_report(path, text)?),
        false => Ok(crate::disk::write_report(path, text)?),
    }
}

/// What is kept of the reports, by their places: plans hold whole files, and a fleet has many.
#[derive(Default)]
pub(super) struct Told {
    shard: Option<(Shard, usize, usize)>,
    paused: bool,
    branches: BTreeMap<usize, Branch>,
    /// By producer, how many releases are known, and how many of those are held.
    pub(super) releases: BTreeMap<String, [usize; 2]>,
    /// How many requests went to each host, by status.
    pub(super) requests: BTreeMap<(Origin, Option<u16>), u64>,
}

/// One target branch as it is printed.
struct Branch {
    outcome: Outcome,
    line: Line,
    /// Whether there is nothing for us in a project that nobody named.
    passed_over: bool,
    text: String,
    json: Option<run_json::BranchReport>,
}

pub(super) async fn tell(context: &Context, args: &Args, config: &Config) -> Result<Told, Failure> {
    let transport = lookup::transport(context, &Reach::default(), &config.network)?;
    let _progress = Progress::start(context, &transport);
    let Fleet { jobs, failed, shard, paused } = Fleet::gather(context, args, config, &transport).await?;
    let producers = producers(context, config, &jobs, &transport).await;
    let options =
        Options { now: context.environment.now, patience: Patience::default(), limits: config.limits };
    let mut told = Told { shard, paused, ..Told::default() };
    let first = failed.len();
    let told_of = |report: Report| Branch::of(&report, args, context.width());
    told.branches.extend(failed.into_iter().map(told_of).enumerate());
    let why = if paused { "DIBUMP_PAUSED is set" } else { "it is not enabled" };
    run_jobs(&jobs, &producers, options, |index, mut report| {
        if jobs[index].dry_run && !args.dry_run {
            report.note.get_or_insert_with(|| format!("nothing is written: {why}"));
        }
        told.releases.extend(releases(&report));
        told.branches.insert(first + index, told_of(report));
    })
    .await;
    context.requests(&transport);
    told.requests = transport.requests();
    Ok(told)
}

/// How many releases of its producer a target branch saw, and how many of those were held.
fn releases(report: &Report) -> Option<(String, [usize; 2])> {
    let (plan, _) = report.plan.as_ref()?;
    let verdicts = &plan.choice.verdicts;
    let held = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Held(_)));
    Some((report.producer.clone(), [verdicts.len(), held.count()]))
}

impl Branch {
    fn of(report: &Report, args: &Args, width: Option<usize>) -> Self {
        let wants =
            |format| args.format == format || args.output.iter().any(|output| output.format == Some(format));
        let text = if wants(RunFormat::Text) { report::run::one(report, width) } else { String::new() };
        let json = wants(RunFormat::Json).then(|| run_json::branch(report));
        let line = Line::of(report);
        let passed_over = report.found && matches!(report.outcome, Outcome::NoTarget(_));
        Self { outcome: report.outcome.clone(), line, passed_over, text, json }
    }
}

impl Told {
    /// How each target branch ended.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.branches.values().map(|branch| &branch.outcome)
    }

    pub(super) fn text(&self) -> String {
        let shard = self.shard.map(|(shard, ours, all)| format!("{shard}: {ours} of {all} targets\n\n"));
        let branches = self.branches.values().map(|branch| branch.text.as_str());
        let outcomes = self.outcomes();
        shard.into_iter().chain(branches.map(str::to_owned)).chain([report::run::counts(outcomes)]).collect()
    }

    fn rendered(&self, format: RunFormat, args: &Args) -> Result<String, Failure> {
        let lines: Vec<Line> = self.branches.values().map(|branch| branch.line.clone()).collect();
        let pretty = |json: serde_json::Result<String>| json.map(|json| json + "\n").map_err(Failure::person);
        match format {
            RunFormat::Text => Ok(self.text()),
            RunFormat::Json => pretty(serde_json::to_string_pretty(&self.json(args))),
            RunFormat::Markdown => Ok(run_summary::markdown(&lines)),
            RunFormat::Annotations => pretty(serde_json::to_string_pretty(&run_summary::annotations(&lines))),
            RunFormat::Dotenv => Ok(run_summary::variables(&lines, self.exit(args).code())),
        }
    }

    fn json(&self, args: &Args) -> RunReport<'_> {
        let shard = self.shard.map(|(shard, targets, of_targets)| run_json::ShardReport {
            index: shard.index(),
            of: shard.of(),
            targets,
            of_targets,
        });
        let branches = self.branches.values().filter_map(|branch| branch.json.as_ref()).collect();
        run_json::report(branches, args.dry_run || self.paused, shard)
    }

    /// The first of bug, person, refused, retry that occurred.
    pub(super) fn exit(&self, args: &Args) -> Exit {
        let of = |branch: &Branch| match branch.outcome {
            Outcome::NoTarget(_) if branch.passed_over => Exit::Done,
            Outcome::Failed(_) | Outcome::NoTarget(_) => Exit::Person,
            Outcome::Refused(_) => Exit::Refused,
            Outcome::Unknown(_) => Exit::Retry,
            Outcome::WouldCreate | Outcome::WouldUpdate | Outcome::WouldClose if args.detailed_exitcode => {
                Exit::Pending
            }
            _ => Exit::Done,
        };
        self.branches.values().map(of).max().unwrap_or(Exit::Done)
    }
}

/// The producers of the jobs. One that cannot be made ready fails its own targets only.
async fn producers(context: &Context, config: &Config, jobs: &[Job], transport: &Transport) -> Producers {
    let names: BTreeSet<&str> = jobs.iter().map(|job| job.producer.as_str()).collect();
    let mut producers = Producers::new();
    for settings in config.producers.iter().filter(|producer| names.contains(producer.name.as_str())) {
        let store = lookup::store(&Reach::default(), Some(config), &settings.naming);
        let producer = lookup::producer(&context.environment, Some(config), settings, transport, store).await;
        producers.insert(settings.name.clone(), producer.map_err(|failure| of_failure(&failure)));
    }
    producers
}

pub(super) fn of_failure(failure: &Failure) -> Outcome {
    let reason = format!("{:#}", failure.error);
    if failure.exit == Exit::Retry { Outcome::Unknown(reason) } else { Outcome::Failed(reason) }
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
            let (api, token) = gitlab_api(context, config)?;
            let gitlab = GitLab::new(transport.clone(), &api, token, lookup::project_id(project));
            Ok(Arc::new(gitlab.map_err(Failure::person)?))
        }
        ForgeKind::Github => Ok(Arc::new(github::repository(context, &config.forge, project, transport)?)),
    }
}

/// The same choice, for the projects that nobody named.
pub(super) fn projects(
    context: &Context,
    config: &Config,
    transport: &Transport,
) -> Result<Arc<dyn Projects>, Failure> {
    match config.forge.kind {
        ForgeKind::Gitlab => {
            let (api, token) = gitlab_api(context, config)?;
            Ok(Arc::new(Groups::new(transport.clone(), &api, token).map_err(Failure::person)?))
        }
        ForgeKind::Github => Ok(Arc::new(github::organisations(context, &config.forge, transport)?)),
    }
}

fn gitlab_api(context: &Context, config: &Config) -> Result<(Url, Option<Token>), Failure> {
    let found = lookup::gitlab_at_home(&context.environment, Some(&config.forge))?;
    let api = found.api.clone().ok_or_else(|| Failure::usage("no GitLab"))?;
    let token = found.token_for(&api);
    Ok((api, token))
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

pub(super) fn no_configuration() -> Failure {
    Failure::person(anyhow::anyhow!("there is no configuration file (dibump.yaml)"))
        .hint("config/example.yaml shows every key; --config names another file")
}
