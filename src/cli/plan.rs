//! `dibump plan`: what would change in local files, and with `--write` the change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{DemandArg, ImagesArg, Plan as Args, PlanFormat};
use super::exit::Exit;
use super::failure::Failure;
use super::progress::Progress;
use super::{Context, lookup, references};
use crate::config::{Config, Network, Target as Configured, TargetBranch};
use crate::disk::values_file::ValuesFile;
use crate::observe::releases::Snapshot;
use crate::plan::{FileSpec, Plan, Planned, Survey, Target, Trust, survey};
use crate::reconcile::Images;
use crate::reconcile::references::Globs;
use crate::release::choice::Known;
use crate::release::policy::Policy;
use crate::report;
use crate::run::look_up::{Wish, look_up, plan_observed};

/// Files that are planned together, and by which settings.
struct Local<'a> {
    target: Target,
    files: Vec<ValuesFile>,
    policy: Policy,
    producer: Option<&'a str>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let mut worst = Exit::Done;
    for mut local in locals(context, args, config.as_ref())? {
        following(args, &mut local.target)?;
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
    let contents =
        local.files.iter().map(|file| (file.path.display().to_string(), file.bytes.clone())).collect();
    let survey = survey(&local.target, contents, args.from.as_ref(), local.policy.prereleases)
        .map_err(|error| Failure::from(crate::plan::PlanError::from(error)))?;
    let images = images(&local.target, &survey);
    let wish = Wish {
        policy: &local.policy,
        images,
        kubernetes_versions: &local.target.kubernetes_versions,
        to: args.to.as_ref(),
        trust: &Trust::unasked("the releases come from a file"),
        now: context.environment.now,
    };
    let (mut plan, known) = match &args.lookup.observed {
        Some(observed) => observed_plan(args, observed, &survey, &wish)?,
        None => context.block_on(registry_plan(context, args, config, local.producer, &survey, wish))?,
    };
    plan.obey(&schemas(&plan)?)?;
    let others = references::follow(&local.target.references, &local.files, &mut plan)?;
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
) -> Result<(Plan, Known), Failure> {
    if args.lookup.signatures.is_some_and(|demand| demand != DemandArg::Off) {
        return Err(Failure::usage("signatures cannot be checked with --observed: it asks no registry"));
    }
    let naming = lookup::naming(args.lookup.names_pattern.as_deref())?;
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
    wish: Wish<'_>,
) -> Result<(Plan, Known), Failure> {
    let settings = lookup::settings(&args.lookup, config, producer)?;
    let network = config.map_or_else(Network::default, |config| config.network.clone());
    let transport = lookup::transport(context, &args.lookup, &network)?;
    let _progress = Progress::start(context, &transport);
    let store = lookup::store(&args.lookup, config, &settings.naming);
    let producer = lookup::producer(&context.environment, config, &settings, &transport, store).await?;
    let trust = Trust::of(wish.policy.signatures, producer.keys.as_ref(), survey);
    let trust = trust.map_err(crate::plan::PlanError::from)?;
    let mut snapshot = Snapshot::open(&producer, survey.listed()).await?;
    let wish = Wish { trust: &trust, ..wish };
    let plan = look_up(survey, &mut snapshot, &producer.naming, &wish).await?;
    context.requests(&transport);
    Ok((plan, snapshot.into_known()))
}

/// A file that has only the mapping is an overlay: its keys are renamed and dropped, nothing is added.
fn images(target: &Target, survey: &Survey) -> Images {
    match (target.images, &survey.primary.version) {
        (Images::Auto, None) => Images::Listed,
        (images, _) => images,
    }
}

/// The file that was named, or the local files of the configuration's targets.
fn locals<'a>(context: &Context, args: &Args, config: Option<&'a Config>) -> Result<Vec<Local<'a>>, Failure> {
    if let Some(path) = &args.values {
        let configured = config.and_then(|config| of_file(config, path));
        return Ok(vec![named(args, path, configured)?]);
    }
    let Some(config) = config else {
        return Err(Failure::usage("name a values file, or a configuration with --config"));
    };
    let mut locals = Vec::new();
    for target in config.targets.iter().filter(|target| crate::disk::exists(Path::new(&target.file.path))) {
        locals.push(from_config(args, target, branch(context, target))?);
    }
    if locals.is_empty() {
        let error = anyhow::anyhow!("no target of the configuration has its file here");
        return Err(Failure::person(error).hint("run in the checkout of a target, or name a values file"));
    }
    Ok(locals)
}

fn named<'a>(args: &Args, path: &Path, configured: Option<&'a Configured>) -> Result<Local<'a>, Failure> {
    let mut local = match configured {
        Some(target) => from_config(args, target, target.branches.first())?,
        None => Local {
            target: Target { images: args.images.map_or(Images::Auto, Images::from), ..Target::default() },
            files: Vec::new(),
            policy: lookup::policy(&args.lookup, None),
            producer: None,
        },
    };
    if local.files.is_empty() {
        local.files.push(ValuesFile::read(path)?);
        local.target.files.push(FileSpec {
            path: path.display().to_string(),
            overlay: false,
            version_key: None,
            images_key: None,
        });
    }
    let primary = &mut local.target.files[0];
    primary.version_key = args.version_key.clone().or(primary.version_key.take());
    primary.images_key = args.images_key.clone().or(primary.images_key.take());
    local.target.registry_key = args.registry_key.clone().or(local.target.registry_key);
    Ok(local)
}

fn from_config<'a>(
    args: &Args,
    target: &'a Configured,
    branch: Option<&'a TargetBranch>,
) -> Result<Local<'a>, Failure> {
    let mut meant = super::run::target(target);
    meant.images = args.images.map_or(meant.images, Images::from);
    let files = meant.files.iter().map(|file| ValuesFile::read(Path::new(&file.path)));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let policy = lookup::policy(&args.lookup, branch.map(|branch| &branch.policy));
    Ok(Local { target: meant, files, policy, producer: Some(&target.producer) })
}

/// What follows the image keys elsewhere: the flags take the place of the configuration's.
fn following(args: &Args, target: &mut Target) -> Result<(), Failure> {
    if !args.references.is_empty() {
        let globs = Globs::new(args.references.clone());
        target.references = globs.map_err(|error| Failure::usage(format!("--references: {error}")))?;
    }
    if !args.kubernetes_versions.is_empty() {
        target.kubernetes_versions.clone_from(&args.kubernetes_versions);
    }
    Ok(())
}

/// The target that has this file, by its path from the folder that the command runs in.
fn of_file<'a>(config: &'a Config, path: &Path) -> Option<&'a Configured> {
    let path: PathBuf =
        path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    config.targets.iter().find(|target| Path::new(&target.file.path) == path)
}

/// The branch that a merge request's pipeline is for, else the first.
fn branch<'a>(context: &Context, target: &'a Configured) -> Option<&'a TargetBranch> {
    let here = context.environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
    let is_here = |branch: &&TargetBranch| branch.name.as_ref().map(|name| &name.0) == here.as_ref();
    target.branches.iter().find(is_here).or(target.branches.first())
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
            let own = plan.files.iter().map(|file| (file.path.as_str(), (&*file.before, &*file.after)));
            let diff = |(path, (before, after))| report::diff::coloured(path, before, after);
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

impl From<ImagesArg> for Images {
    fn from(images: ImagesArg) -> Self {
        match images {
            ImagesArg::Auto => Self::Auto,
            ImagesArg::All => Self::All,
            ImagesArg::Follow => Self::Follow,
            ImagesArg::Listed => Self::Listed,
        }
    }
}
