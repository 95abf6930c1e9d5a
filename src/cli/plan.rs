//! `dibump plan`: what would change in local files, and with `--write` the change.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::args::{DemandArg, PlanArgs as Args, PlanFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::local::{self, Local};
use super::producers::{AskedFile, Asking, ReleasesFrom};
use super::{Context, lookup, references};
use crate::budget::Budget;
use crate::config::{Config, ConfiguredProducer as Settings};
use crate::disk::checkout::path_in_patch;
use crate::disk::values_file::ValuesFile;
use crate::merge_request::text::{self, Background, Merging};
use crate::observe::releases::Snapshot;
use crate::plan::{Beside, KeyPlan, Plan, PlanInput, PlanView, Planned, Survey};
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::release::Naming;
use crate::release::data::ReleaseData;
use crate::report;
use crate::run::background;
use crate::run::look_up::{decide_observed, look_up};
use crate::signature::{Requirement, Unverified};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let mut worst = Exit::Done;
    // Targets may share a file: each sees what became of it before.
    let mut planned = Vec::new();
    for mut local in local::locals(context, &args.files, config.as_ref())? {
        if !args.kubernetes_versions.is_empty() {
            let setting = KubernetesVersions::from_texts(&args.kubernetes_versions);
            let setting =
                setting.map_err(|error| Failure::usage(format!("--kubernetes-versions: {error}")))?;
            local.target.kubernetes_versions = setting;
        }
        let flags = [("--to", args.to.is_some())];
        let asking = Asking { context, args: &args.files, config: config.as_ref(), flags: &flags };
        local.files.iter_mut().for_each(|file| file.after(&planned));
        for mut asked in asking.each(local)? {
            asked.local.files.iter_mut().for_each(|file| file.after(&planned));
            let exit = plan_one(context, args, config.as_ref(), &asked, &mut planned)?;
            worst = worst.max(exit);
        }
    }
    Ok(worst)
}

fn plan_one(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    asked: &AskedFile<'_>,
    planned: &mut Vec<ValuesFile>,
) -> Result<Exit, Failure> {
    let local = &asked.local;
    let survey = asked.survey(args.files.from.as_ref())?;
    let budget = Budget::default();
    let planning = Planning { context, args, local, survey: &survey, budget: &budget, planned };
    let made = match &asked.source {
        ReleasesFrom::File(path, known) => planning.observed(path, known.clone())?,
        ReleasesFrom::Registry(settings) => planning.in_registry(config, settings)?,
    };
    for (file, after) in changed(local.files.iter().chain(&made.others), &made.plan) {
        if args.write {
            file.write(after.as_bytes())?;
        }
        let mut file = file.clone();
        file.bytes = after.as_bytes().to_vec();
        planned.push(file);
    }
    if let (PlanFormat::Text, Some(heading)) = (args.format, &asked.heading) {
        context.output.print(&report::plan::heading(heading))?;
    }
    print(context, args, &made)?;
    Ok(exit(args, &made.plan))
}

struct Planning<'a> {
    context: &'a Context,
    args: &'a Args,
    local: &'a Local<'a>,
    survey: &'a Survey,
    budget: &'a Budget,
    /// The files that targets before this one change, as they will be.
    planned: &'a [ValuesFile],
}

/// A plan, and how it is told.
struct Made {
    plan: Plan,
    view: PlanView,
    /// What the merge request would say beside it.
    background: Background,
    /// Files that may name image keys, as they were read.
    others: Vec<ValuesFile>,
}

impl<'a> Planning<'a> {
    fn observed(&self, observed: &Path, mut known: ReleaseData) -> Result<Made, Failure> {
        if self.args.files.lookup.reach.signatures.is_some_and(|demand| demand != DemandArg::Off) {
            return Err(Failure::usage("signatures cannot be checked with --observed: it asks no registry"));
        }
        let naming = lookup::naming(self.args.files.lookup.names_pattern.as_deref())?;
        let signatures = Requirement::NotRequired(Unverified::FromFile);
        let input = self.input(&naming, &signatures);
        let keys = decide_observed(&input, &mut known)?;
        let source = format!("--observed {}", background::quoted(&observed.display().to_string()));
        self.write(&input, &known, keys, |plan| Background {
            producer: self.local.producer.unwrap_or_default().to_owned(),
            reproduce: background::reproduce(&source, &self.local.target, plan),
            merging: self.merging(plan),
            ..Background::default()
        })
    }

    fn in_registry(&self, config: Option<&Config>, settings: &Settings) -> Result<Made, Failure> {
        self.context.online(config, &self.args.files.lookup.reach, async |session| {
            let producer = session.producer(settings).await?;
            let demand = self.local.policy.signatures;
            let signatures =
                self.survey.signature_requirement(producer.keys.as_ref(), demand, self.budget)?;
            let mut snapshot = Snapshot::open(&producer, self.survey.listed()).await?;
            let input = self.input(&producer.naming, &signatures);
            let keys = look_up(&input, &mut snapshot).await?;
            self.write(&input, snapshot.known(), keys, |plan| {
                let (name, target) = (&settings.name, &self.local.target);
                background::background(name, target, &producer, &snapshot, plan, self.merging(plan))
            })
        })
    }

    fn merging(&self, plan: &PlanView) -> Merging {
        let [draft, auto_merge] = self.local.merging;
        Merging::of(plan, draft, auto_merge)
    }

    fn input<'i>(&'i self, naming: &'i Naming, signatures: &'i Requirement) -> PlanInput<'i> {
        PlanInput {
            survey: self.survey,
            policy: &self.local.policy,
            images: self.local.images(self.survey),
            kubernetes_versions: &self.local.target.kubernetes_versions,
            naming,
            to: self.args.to.as_ref(),
            signatures,
            severities: &self.local.target.severities,
            budget: self.budget,
            now: self.context.environment.now,
        }
    }

    /// The texts, with what stands beside the files on this machine.
    fn write(
        &self,
        input: &PlanInput<'_>,
        known: &ReleaseData,
        keys: KeyPlan,
        background: impl FnOnce(&PlanView) -> Background,
    ) -> Result<Made, Failure> {
        let schemas = keys.schemas(input).into_iter().filter(|path| crate::disk::exists(Path::new(path)));
        let schemas = schemas.map(|path| Ok((path.clone(), crate::disk::read_small(Path::new(&path))?)));
        let schemas = schemas.collect::<Result<_, Failure>>()?;
        let globs = &self.local.target.references;
        let mut others = match globs.is_empty() || !keys.is_change() {
            true => Vec::new(),
            false => references::matched(globs, &self.local.files)?,
        };
        others.iter_mut().for_each(|file| file.after(self.planned));
        let references = others.iter().map(|file| (file.path.display().to_string(), file.bytes.clone()));
        let beside = Beside { schemas, references: references.collect() };
        let plan = keys.write(input, known, beside)?;
        let view = PlanView::new(&plan, known, input.naming, input.policy);
        let background = background(&view);
        Ok(Made { plan, view, background, others })
    }
}

/// The files that change, each with its new text.
fn changed<'a>(
    files: impl Iterator<Item = &'a ValuesFile>,
    plan: &'a Plan,
) -> impl Iterator<Item = (&'a ValuesFile, &'a str)> {
    let files: BTreeMap<String, &ValuesFile> =
        files.map(|file| (file.path.display().to_string(), file)).collect();
    let changes = plan.is_change().then(|| plan.changes()).into_iter().flatten();
    changes.filter_map(move |(path, (_, after))| Some((*files.get(path)?, &**after)))
}

fn print(context: &Context, args: &Args, Made { view, background, .. }: &Made) -> Result<(), Failure> {
    match args.format {
        PlanFormat::Markdown => context.output.print(&(text::describe(view, background) + "\n")),
        // Where all is up to date, the details are for those who ask for them.
        PlanFormat::Text if view.verdict == Planned::UpToDate && context.global.verbose == 0 => {
            match context.global.quiet {
                true => Ok(()),
                false => context.output.print(&report::plan::short(view)),
            }
        }
        PlanFormat::Text => context.output.print(&report::plan::text(view, context.width())),
        PlanFormat::Json => context.output.json(&report::plan_json::report(view)),
        PlanFormat::Diff => {
            let diff = |(path, (before, after)): (&str, (&Arc<str>, &Arc<str>))| {
                let path = path_in_patch(Path::new(path));
                report::diff::coloured(&path.display().to_string(), before, after)
            };
            context.output.print(&view.changes().map(diff).collect::<String>())
        }
    }
}

fn exit(args: &Args, plan: &Plan) -> Exit {
    match plan.verdict {
        Planned::Unknown { .. } => Exit::Retry,
        Planned::Update { .. } | Planned::Align { .. } if args.detailed_exitcode => Exit::Pending,
        _ => Exit::Done,
    }
}
