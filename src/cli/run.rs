//! `dibump run`: every target branch of the configuration, as a dry run or for good.

use std::collections::BTreeMap;
use std::path::Path;

use super::Context;
use super::args::{Reach, Run as Args, RunFormat};
use super::exit::Exit;
use super::failure::Failure;
use crate::http::Origin;
use crate::merge_request::Outcome;
use crate::plan::view::ReleaseView;
use crate::release::selection::SelectionVerdict;
use crate::report;
use crate::report::run::Detail;
use crate::report::run_json::{self, RunReport};
use crate::report::run_summary::{self, SummaryLine};
use crate::run::{JobReport, Shard};
use crate::wiring::{Session, TargetSelection, WiringError};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.required_config()?;
    let told = context.online(Some(&config), &Reach::default(), async |session| {
        tell(context, args, detail(context), session).await
    })?;
    for output in &args.output {
        let text = told.rendered(output.format.unwrap_or(args.format), args)?;
        write(context, &output.path, &anstream::adapter::strip_str(&text).to_string())?;
    }
    context.output.print(&told.rendered(args.format, args)?)?;
    Ok(told.exit(args))
}

/// What a step of GitHub Actions collects from several commands is added to, everything else replaced.
fn write(context: &Context, path: &Path, text: &str) -> Result<(), Failure> {
    let collected = ["GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"].map(|name| context.environment.get(name));
    match collected.iter().flatten().any(|collected| Path::new(collected) == path) {
        true => Ok(crate::disk::append_report(path, text)?),
        false => Ok(crate::disk::write_whole(path, text.as_bytes())?),
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
    line: SummaryLine,
    /// Whether there is nothing for us in a project that nobody named.
    passed_over: bool,
    text: String,
    json: Option<run_json::BranchReport>,
}

/// Everything with `-v`, what needs a person with `-q`.
fn detail(context: &Context) -> Detail {
    match (context.global.quiet, context.global.verbose) {
        (true, _) => Detail::ForPeople,
        (false, 0) => Detail::News,
        (false, _) => Detail::Everything,
    }
}

pub(super) async fn tell(
    context: &Context,
    args: &Args,
    detail: Detail,
    session: &Session<'_>,
) -> Result<Told, Failure> {
    let paused = is_paused(context);
    let selection = TargetSelection {
        projects: args.project.clone(),
        shard: shard(context, args)?,
        dry_run: args.dry_run || paused,
    };
    let mut fleet = session.fleet(&selection).await.map_err(|error| match error {
        WiringError::NoTarget { .. } => Failure::misused(error),
        error => error.into(),
    })?;
    let mut told = Told { shard: fleet.shard, paused, ..Told::default() };
    let first = fleet.failed.len();
    let told_of = |report: JobReport| Branch::of(&report, args, context.width(), detail);
    told.branches.extend(std::mem::take(&mut fleet.failed).into_iter().map(told_of).enumerate());
    let why = if paused { "DIBUMP_PAUSED is set" } else { "it is not enabled" };
    let tell = |index: usize, mut report: JobReport| {
        if fleet.jobs[index].dry_run && !args.dry_run {
            report.note.get_or_insert_with(|| format!("nothing is written: {why}"));
        }
        told.releases.extend(releases(&report));
        told.branches.insert(first + index, told_of(report));
    };
    session.run(&fleet, session.patience(), tell).await;
    told.requests = session.transport().requests();
    Ok(told)
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

/// How many releases of each producer a target branch saw, and how many of those were held.
fn releases(report: &JobReport) -> impl Iterator<Item = (String, [usize; 2])> {
    let steps = report.plan.iter().flat_map(|plan| &plan.steps);
    steps.map(|step| {
        let is_held = |release: &&ReleaseView| matches!(release.verdict, SelectionVerdict::Held(_));
        (step.producer.clone(), [step.releases.len(), step.releases.iter().filter(is_held).count()])
    })
}

impl Branch {
    fn of(report: &JobReport, args: &Args, width: Option<usize>, detail: Detail) -> Self {
        let wants =
            |format| args.format == format || args.output.iter().any(|output| output.format == Some(format));
        let text =
            if wants(RunFormat::Text) { report::run::one(report, width, detail) } else { String::new() };
        let json = wants(RunFormat::Json).then(|| run_json::branch(report));
        let line = SummaryLine::of(report);
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
        let lines: Vec<SummaryLine> = self.branches.values().map(|branch| branch.line.clone()).collect();
        match format {
            RunFormat::Text => Ok(self.text()),
            RunFormat::Json => report::json::text(&self.json(args)).map_err(Failure::person),
            RunFormat::Markdown => Ok(run_summary::markdown(&lines)),
            RunFormat::Annotations => {
                report::json::text(&run_summary::annotations(&lines)).map_err(Failure::person)
            }
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
        let of = |branch: &Branch| match (&branch.outcome, branch.outcome.ending()) {
            (Outcome::NoTarget(_), _) if branch.passed_over => Exit::Done,
            (_, Some(ending)) => ending.into(),
            (outcome, None) if args.detailed_exitcode && outcome.is_pending() => Exit::Pending,
            (_, None) => Exit::Done,
        };
        self.branches.values().map(of).max().unwrap_or(Exit::Done)
    }
}
