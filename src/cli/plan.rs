//! `dibump plan`: what would change in local files, and with `--write` the change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::args::{DefaultEnabledArg, DemandArg, PlanArgs as Args, PlanFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::local::{self, Local};
use super::producers::{AskedFile, Asking, ReleasesFrom};
use super::{Context, lookup, references};
use crate::budget::Budget;
use crate::config::Config;
use crate::disk::checkout::path_in_patch;
use crate::disk::values_file::ValuesFile;
use crate::merge_request::text::{self, Background, Merging};
use crate::observe::releases::Snapshot;
use crate::plan::view::ToView;
use crate::plan::{self, Beside, Decided, KeyPlan, Lists, PlanInput, PlanView, Planned, Survey};
use crate::reconcile::DefaultEnabled;
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::release::Naming;
use crate::release::accepted::Accepted;
use crate::release::data::ReleaseData;
use crate::report;
use crate::run::background;
use crate::run::look_up::{ProducerQuery, Releases, look_up};
use crate::signature::{Requirement, Unverified};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    under(context, args, context.config()?.as_ref())
}

/// The plans under a configuration.
fn under(context: &Context, args: &Args, config: Option<&Config>) -> Result<Exit, Failure> {
    handed(context, args, config, |_| ())
}

/// The same; each plan is handed over once it is told.
pub(super) fn handed(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    mut hand: impl FnMut(PlanView),
) -> Result<Exit, Failure> {
    let mut worst = Exit::Done;
    // Targets may share a file: each sees what became of it before.
    let mut planned = Vec::new();
    for mut locals in local::groups(context, &args.files, config)? {
        let flags = [("--to", args.to.is_some())];
        let asking = Asking { context, args: &args.files, config, flags: &flags };
        for local in &mut locals {
            if !args.kubernetes_versions.is_empty() {
                local.target.kubernetes_versions = kubernetes_versions(args)?;
            }
            local.target.default_enabled = match args.default_enabled {
                Some(DefaultEnabledArg::Stay) => DefaultEnabled::Stay,
                Some(DefaultEnabledArg::Follow) => DefaultEnabled::Follow,
                None => local.target.default_enabled,
            };
            local.files.iter_mut().for_each(|file| file.after(&planned));
        }
        let mut asked = asking.all(locals)?;
        if asked.len() > 1 {
            asking.refuse_flags()?;
        }
        accept(&args.accept, &mut asked)?;
        if let Some(view) = plan_file(context, args, config, asked, &mut planned)? {
            worst = worst.max(exit(args, &view));
            hand(view);
        }
    }
    Ok(worst)
}

/// Leaves to each producer what is accepted of its releases, by the configuration and by flags.
fn accept(flags: &[Accepted], asked: &mut [AskedFile<'_>]) -> Result<(), Failure> {
    let names: Vec<String> = asked.iter().map(|asked| asked.name.clone()).collect();
    let is_known = |name: &String| names.contains(name);
    if let Some(unknown) = flags.iter().find(|flag| !flag.producer.as_ref().is_none_or(is_known)) {
        let problem = format!("--accept {unknown}: no such producer is looked up");
        let hint = match names.iter().any(|name| !name.is_empty()) {
            true => format!("looked up: {}", names.join(", ")),
            false => "the only one has no name here; write the version alone".to_owned(),
        };
        return Err(Failure::usage(problem).hint(hint));
    }
    for AskedFile { local, name, .. } in asked {
        // What the configuration accepts in a target of one producer is that one's, however it is called here.
        if local.producer.is_none() {
            local.policy = std::mem::take(&mut local.policy).of_producer(name);
        }
        let own = flags.iter().filter(|flag| flag.producer.as_ref().is_none_or(|producer| producer == name));
        local.policy.accept.extend(own.cloned());
    }
    Ok(())
}

fn kubernetes_versions(args: &Args) -> Result<KubernetesVersions, Failure> {
    let setting = KubernetesVersions::from_texts(&args.kubernetes_versions);
    setting.map_err(|error| Failure::usage(format!("--kubernetes-versions: {error}")))
}

/// Plans one file, for all of its producers that are asked.
fn plan_file(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    asked: Vec<AskedFile<'_>>,
    planned: &mut Vec<ValuesFile>,
) -> Result<Option<PlanView>, Failure> {
    let surveys = asked.iter().map(|asked| asked.survey(args.files.from.as_ref()));
    let surveys = surveys.collect::<Result<Vec<Survey>, _>>()?;
    let Some(first) = asked.first() else { return Ok(None) };
    let (local, budget) = (first.local.clone(), Budget::default());
    let planning = Planning { context, args, local: &local, budget: &budget, planned };
    let made = match &first.source {
        ReleasesFrom::File(..) => planning.observed(&asked, &surveys)?,
        ReleasesFrom::Registry(_) => planning.in_registry(config, &asked, &surveys)?,
    };
    for (file, after) in changed(local.files.iter().chain(&made.others), &made.view) {
        if args.write {
            file.write(after.as_bytes())?;
        }
        let mut file = file.clone();
        file.bytes = after.as_bytes().to_vec();
        planned.push(file);
    }
    print(context, args, &made)?;
    Ok(Some(made.view))
}

struct Planning<'a> {
    context: &'a Context,
    args: &'a Args,
    /// The file, whatever its producers are.
    local: &'a Local<'a>,
    budget: &'a Budget,
    /// The files that targets before this one change, as they will be.
    planned: &'a [ValuesFile],
}

/// How a plan is told.
struct Made {
    view: PlanView,
    /// What the merge request would say beside it.
    background: Background,
    /// Files that may name image keys, as they were read.
    others: Vec<ValuesFile>,
}

impl<'a> Planning<'a> {
    fn observed(&self, asked: &[AskedFile<'_>], surveys: &[Survey]) -> Result<Made, Failure> {
        if self.args.files.lookup.reach.signatures.is_some_and(|demand| demand != DemandArg::Off) {
            return Err(Failure::usage("signatures cannot be checked with --observed: it asks no registry"));
        }
        let naming = lookup::naming(self.args.files.lookup.names_pattern.as_deref())?;
        let signatures = Requirement::NotRequired(Unverified::FromFile);
        let inputs: Vec<PlanInput<'_>> = surveys
            .iter()
            .zip(asked)
            .map(|(survey, asked)| self.input(asked, survey, &naming, &signatures))
            .collect();
        let mut known: Vec<ReleaseData> = asked.iter().filter_map(AskedFile::observed).cloned().collect();
        let members = inputs.iter().zip(asked).zip(&mut known).map(|((input, asked), known)| ProducerQuery {
            name: &asked.name,
            input: *input,
            releases: Releases::Observed(known),
        });
        let keys = futures::executor::block_on(look_up(members.collect()))?;
        let known: Vec<&ReleaseData> = known.iter().collect();
        let decided = decided(&inputs, &known, keys);
        // What a list says is not observed: the maps stay, and the plan says so.
        plan::wanted_lists(&decided)?;
        let (view, others) = self.write(asked, &inputs, &known, decided, Lists::default())?;
        let source = asked.iter().filter_map(AskedFile::observed_path);
        let source =
            source.map(|path| format!("--observed {}", background::quoted(&path.display().to_string())));
        let source = source.collect::<Vec<_>>().join(" ");
        let background = Background {
            reproduce: background::reproduce(Some(&source), &self.local.target, &view),
            merging: self.merging(&view),
            ..Background::default()
        };
        Ok(Made { view, background, others })
    }

    fn in_registry(
        &self,
        config: Option<&Config>,
        asked: &[AskedFile<'_>],
        surveys: &[Survey],
    ) -> Result<Made, Failure> {
        self.context.online(config, &self.args.files.lookup.reach, async |session| {
            let (mut producers, mut signatures, mut snapshots) = (Vec::new(), Vec::new(), Vec::new());
            for (asked, survey) in asked.iter().zip(surveys) {
                let Some(settings) = asked.settings() else { continue };
                let demand = asked.local.policy.signatures;
                let producer = session.producer(settings).await?;
                signatures.push(survey.signature_requirement(producer.keys.as_ref(), demand, self.budget)?);
                snapshots.push(Snapshot::open(&producer, survey.listed()).await?);
                producers.push(producer);
            }
            let inputs = asked.iter().zip(surveys).zip(producers.iter().zip(&signatures));
            let inputs: Vec<PlanInput<'_>> = inputs
                .map(|((asked, survey), (producer, signatures))| {
                    self.input(asked, survey, &producer.naming, signatures)
                })
                .collect();
            let members = inputs.iter().zip(asked).zip(&mut snapshots).map(|((input, asked), snapshot)| {
                ProducerQuery { name: &asked.name, input: *input, releases: Releases::Registry(snapshot) }
            });
            let keys = look_up(members.collect()).await?;
            let known: Vec<&ReleaseData> = snapshots.iter().map(Snapshot::known).collect();
            let decided = decided(&inputs, &known, keys);
            let lists = session.lists().read_all(plan::wanted_lists(&decided)?).await;
            let (view, others) = self.write(asked, &inputs, &known, decided, lists)?;
            let looked_up: Vec<_> = producers.iter().map(|producer| &**producer).zip(&snapshots).collect();
            let background =
                background::background(&self.local.target, &looked_up, &view, self.merging(&view));
            Ok(Made { view, background, others })
        })
    }

    fn merging(&self, plan: &PlanView) -> Merging {
        let [draft, auto_merge] = self.local.merging;
        Merging::of(plan, draft, auto_merge)
    }

    fn input<'i>(
        &'i self,
        AskedFile { local, .. }: &'i AskedFile<'_>,
        survey: &'i Survey,
        naming: &'i Naming,
        signatures: &'i Requirement,
    ) -> PlanInput<'i> {
        PlanInput {
            survey,
            policy: &local.policy,
            images: local.images(survey),
            default_enabled: local.target.default_enabled,
            kubernetes_versions: &local.target.kubernetes_versions,
            values_from: &local.target.values_from,
            naming,
            to: self.args.to.as_ref(),
            signatures,
            severities: &local.target.severities,
            budget: self.budget,
            now: self.context.environment.now,
        }
    }

    /// The texts, with what stands beside the files on this machine.
    fn write(
        &self,
        asked: &[AskedFile<'_>],
        inputs: &[PlanInput<'_>],
        known: &[&ReleaseData],
        decided: Vec<Decided<'_>>,
        lists: Lists,
    ) -> Result<(PlanView, Vec<ValuesFile>), Failure> {
        let schemas: BTreeSet<String> = decided.iter().flat_map(Decided::schemas).collect();
        let schemas = schemas.into_iter().filter(|path| crate::disk::exists(Path::new(path)));
        let schemas = schemas.map(|path| Ok((path.clone(), crate::disk::read_small(Path::new(&path))?)));
        let schemas = schemas.collect::<Result<_, Failure>>()?;
        let globs = &self.local.target.references;
        let mut others = match globs.is_empty() || !decided.iter().any(|decided| decided.keys.is_change()) {
            true => Vec::new(),
            false => references::matched(globs, &self.local.files)?,
        };
        others.iter_mut().for_each(|file| file.after(self.planned));
        let references = others.iter().map(|file| (file.path.display().to_string(), file.bytes.clone()));
        let beside = Beside { schemas, references: references.collect(), lists };
        let plans = plan::write(decided, beside)?;
        let to_view = plans.iter().zip(asked).zip(inputs.iter().zip(known));
        let to_view = to_view.map(|((plan, asked), (input, known))| ToView {
            producer: &asked.name,
            plan,
            known,
            naming: input.naming,
            policy: input.policy,
        });
        Ok((PlanView::new(&to_view.collect::<Vec<_>>()), others))
    }
}

/// What becomes of the keys of each producer, with what it was decided by.
fn decided<'a>(inputs: &[PlanInput<'a>], known: &[&'a ReleaseData], keys: Vec<KeyPlan>) -> Vec<Decided<'a>> {
    let each = inputs.iter().zip(known).zip(keys);
    each.map(|((input, known), keys)| Decided { input: *input, known, keys }).collect()
}

/// The files that change, each with its new text.
fn changed<'a>(
    files: impl Iterator<Item = &'a ValuesFile>,
    plan: &'a PlanView,
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
        PlanFormat::Text if view.lead().verdict == Planned::UpToDate && context.global.verbose == 0 => {
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

fn exit(args: &Args, plan: &PlanView) -> Exit {
    match plan.lead().verdict {
        Planned::Unknown { .. } => Exit::Retry,
        Planned::Update { .. } | Planned::Align { .. } if args.detailed_exitcode => Exit::Pending,
        _ => Exit::Done,
    }
}
