//! `dibump plan`: what would change in local files, and with `--write` the change.

use std::collections::BTreeMap;
use std::path::Path;

use super::args::{Plan as Args, PlanFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::local::{self, Local};
use super::progress::Progress;
use super::{Context, lookup};
use crate::config::{Config, Network};
use crate::disk::values_file::ValuesFile;
use crate::observe::releases::Snapshot;
use crate::plan::{Plan, Planned, Survey, survey};
use crate::release::choice::Known;
use crate::report;
use crate::run::look_up::{Wish, look_up, plan_observed};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let mut worst = Exit::Done;
    for local in local::locals(context, &args.files, config.as_ref())? {
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
    let survey = survey(&local.target, local.contents(), args.files.from.as_ref(), local.policy.prereleases)
        .map_err(|error| Failure::from(crate::plan::PlanError::from(error)))?;
    let images = local.images(&survey);
    let wish = Wish { policy: &local.policy, images, to: args.to.as_ref(), now: context.environment.now };
    let (mut plan, known) = match &args.files.lookup.observed {
        Some(observed) => observed_plan(args, observed, &survey, &wish)?,
        None => context.block_on(registry_plan(context, args, config, local.producer, &survey, &wish))?,
    };
    plan.obey(&schemas(&plan)?)?;
    if args.write && plan.is_change() {
        write(local, &plan)?;
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
) -> Result<(Plan, Known), Failure> {
    let naming = lookup::naming(args.files.lookup.names_pattern.as_deref())?;
    let mut known = crate::disk::releases::read(observed, &naming)?;
    let plan = plan_observed(survey, &mut known, &naming, wish)?;
    Ok((plan, known))
}

async fn registry_plan(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    producer: Option<&str>,
    survey: &Survey,
    wish: &Wish<'_>,
) -> Result<(Plan, Known), Failure> {
    let settings = lookup::settings(&args.files.lookup, config, producer)?;
    let network = config.map_or_else(Network::default, |config| config.network.clone());
    let transport = lookup::transport(context, &args.files.lookup, &network)?;
    let _progress = Progress::start(context, &transport);
    let store = lookup::store(&args.files.lookup, config, &settings.naming);
    let producer = lookup::producer(&context.environment, config, &settings, &transport, store).await?;
    let mut snapshot = Snapshot::open(&producer, survey.listed()).await?;
    let plan = look_up(survey, &mut snapshot, &producer.naming, wish).await?;
    context.requests(&transport);
    Ok((plan, snapshot.into_known()))
}

fn write(local: &Local<'_>, plan: &Plan) -> Result<(), Failure> {
    let files: BTreeMap<String, &ValuesFile> =
        local.files.iter().map(|file| (file.path.display().to_string(), file)).collect();
    for (path, (_, after)) in plan.changes() {
        if let Some(file) = files.get(path) {
            file.write(after.as_bytes())?;
        }
    }
    Ok(())
}

fn print(context: &Context, args: &Args, plan: &Plan, known: &Known) {
    match args.format {
        PlanFormat::Text => context.output.print(&report::plan::text(plan, known)),
        PlanFormat::Json => context.output.json(&report::plan_json::report(plan, known)),
        PlanFormat::Diff => {
            let diff = |file: &crate::plan::PlannedFile| {
                report::diff::coloured(&file.path, &file.before, &file.after)
            };
            context.output.print(&plan.files.iter().map(diff).collect::<String>());
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
