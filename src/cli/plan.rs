//! `dibump plan`: what would change in local files, and with `--write` the change.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::args::{DemandArg, Plan as Args, PlanFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::local::{self, Local};
use super::{Context, lookup, references};
use crate::config::Config;
use crate::disk::values_file::ValuesFile;
use crate::observe::releases::Snapshot;
use crate::plan::{Plan, Planned, Survey, survey};
use crate::reconcile::kubernetes_versions::KubernetesVersions;
use crate::release::Naming;
use crate::release::choice::Known;
use crate::report;
use crate::run::look_up::{Wish, look_up, plan_observed, request};
use crate::signature::{Requirement, Unverified};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let mut worst = Exit::Done;
    for mut local in local::locals(context, &args.files, config.as_ref())? {
        if !args.kubernetes_versions.is_empty() {
            let setting = KubernetesVersions::from_texts(&args.kubernetes_versions);
            let setting =
                setting.map_err(|error| Failure::usage(format!("--kubernetes-versions: {error}")))?;
            local.target.kubernetes_versions = setting;
        }
        let exit = plan_one(context, args, config.as_ref(), &local)?;
        worst = worst.max(exit);
    }
    Ok(worst)
}

fn plan_one(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    local: &Local<'_>,
) -> Result<Exit, Failure> {
    let survey = survey(&local.target, local.contents(), args.files.from.as_ref(), local.policy.prereleases)?;
    let images = local.images(&survey);
    let wish = Wish {
        policy: &local.policy,
        images,
        kubernetes_versions: &local.target.kubernetes_versions,
        to: args.to.as_ref(),
        signatures: &Requirement::NotRequired(Unverified::FromFile),
        now: context.environment.now,
    };
    let (mut plan, known, naming) = match &args.files.lookup.observed {
        Some(observed) => observed_plan(args, observed, &survey, &wish)?,
        None => registry_plan(context, args, config, local.producer, &survey, wish)?,
    };
    plan.obey(&schemas(&plan)?)?;
    let request = request(&survey, &naming, &wish);
    let others = references::follow(&local.target.references, &local.files, request, &known, &mut plan)?;
    if args.write && plan.is_change() {
        write(local.files.iter().chain(&others), &plan)?;
    }
    print(context, args, &plan, &known);
    Ok(exit(args, &plan))
}

/// The charts' schemas beside the files that get new keys.
fn schemas(plan: &Plan) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let there = plan.schemas().into_iter().filter(|path| crate::disk::exists(Path::new(path)));
    there.map(|path| Ok((path.clone(), crate::disk::read_small(Path::new(&path))?))).collect()
}

fn observed_plan(
    args: &Args,
    observed: &Path,
    survey: &Survey,
    wish: &Wish<'_>,
) -> Result<(Plan, Known, Naming), Failure> {
    if args.files.lookup.reach.signatures.is_some_and(|demand| demand != DemandArg::Off) {
        return Err(Failure::usage("signatures cannot be checked with --observed: it asks no registry"));
    }
    let naming = lookup::naming(args.files.lookup.names_pattern.as_deref())?;
    let mut known = crate::disk::releases::read(observed, &naming)?;
    let plan = plan_observed(survey, &mut known, &naming, wish)?;
    Ok((plan, known, naming))
}

fn registry_plan(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    producer: Option<&str>,
    survey: &Survey,
    wish: Wish<'_>,
) -> Result<(Plan, Known, Naming), Failure> {
    let settings = lookup::settings(&args.files.lookup, config, producer)?;
    context.online(config, &args.files.lookup.reach, async |session| {
        let producer = session.producer(&settings).await?;
        let signatures = survey.signature_requirement(producer.keys.as_ref(), wish.policy.signatures)?;
        let mut snapshot = Snapshot::open(&producer, survey.listed()).await?;
        let wish = Wish { signatures: &signatures, ..wish };
        let plan = look_up(survey, &mut snapshot, &producer.naming, &wish).await?;
        Ok((plan, snapshot.into_known(), settings.naming.clone()))
    })
}

fn write<'a>(files: impl Iterator<Item = &'a ValuesFile>, plan: &Plan) -> Result<(), Failure> {
    let files: BTreeMap<String, &ValuesFile> =
        files.map(|file| (file.path.display().to_string(), file)).collect();
    for (path, (_, after)) in plan.changes() {
        if let Some(file) = files.get(path) {
            file.write(after.as_bytes())?;
        }
    }
    Ok(())
}

fn print(context: &Context, args: &Args, plan: &Plan, known: &Known) {
    match args.format {
        PlanFormat::Text => context.output.print(&report::plan::text(plan, known, context.width())),
        PlanFormat::Json => context.output.json(&report::plan_json::report(plan, known)),
        PlanFormat::Diff => {
            let own = plan.files.iter().map(|file| (file.path.as_str(), (&file.before, &file.after)));
            let diff = |(path, (before, after)): (&str, (&Arc<str>, &Arc<str>))| {
                report::diff::coloured(path, before, after)
            };
            context.output.print(&own.chain(plan.references.changes()).map(diff).collect::<String>());
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
