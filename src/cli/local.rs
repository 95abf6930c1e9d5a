//! The local files of a command: those that were named, or those of the configuration's targets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{ImagesArg, TargetFileArgs};
use super::failure::Failure;
use super::{Context, lookup};
use crate::check::Severities;
use crate::config::{Config, ConfiguredTarget as Configured, TargetBranch};
use crate::disk::values_file::ValuesFile;
use crate::plan::{FileSpec, Survey, Target};
use crate::reconcile::Images;
use crate::reconcile::references::Globs;
use crate::release::policy::Policy;
use crate::values::KeyPath;

/// Files that belong together, and by which settings.
#[derive(Clone)]
pub(super) struct Local<'a> {
    pub(super) target: Target,
    pub(super) files: Vec<ValuesFile>,
    pub(super) policy: Policy,
    pub(super) producer: Option<&'a str>,
    /// The project of its target, where a configuration has it.
    project: Option<&'a str>,
    /// The name of its group, likewise.
    group: Option<&'a str>,
    /// Whether its merge request is to be a draft, and whether the forge is to merge it.
    pub(super) merging: [bool; 2],
}

impl Local<'_> {
    /// The files' bytes by their paths.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.iter().map(|file| (file.path.display().to_string(), file.bytes.clone())).collect()
    }

    /// Reads the files again, which another target of the same files may have changed.
    pub(super) fn read_again(&mut self) -> Result<(), Failure> {
        for file in &mut self.files {
            *file = ValuesFile::read(&file.path)?;
        }
        Ok(())
    }

    /// The same files with their version at this place.
    pub(super) fn at(mut self, version_key: KeyPath) -> Self {
        self.target = self.target.at(version_key);
        if self.target.is_generation() {
            self.policy = self.policy.of_generation();
        }
        self
    }

    /// A file that has only the mapping is an overlay: its keys are renamed and dropped, nothing is added.
    pub(super) fn images(&self, survey: &Survey) -> Images {
        match (self.target.images, &survey.primary.version) {
            (Images::Auto, None) => Images::Listed,
            (images, _) => images,
        }
    }
}

/// The same, those together whose releases go together.
pub(super) fn groups<'a>(
    context: &Context,
    args: &TargetFileArgs,
    config: Option<&'a Config>,
) -> Result<Vec<Vec<Local<'a>>>, Failure> {
    let same_group = |one: &Local<'_>, other: &Local<'_>| one.group == other.group;
    Ok(together(locals(context, args, config)?, same_group))
}

/// Those of the same files, each with a version of its own in them, as far as `joins` has them together.
pub(super) fn together<'a>(
    locals: Vec<Local<'a>>,
    joins: impl Fn(&Local<'_>, &Local<'_>) -> bool,
) -> Vec<Vec<Local<'a>>> {
    let mut groups: Vec<Vec<Local<'a>>> = Vec::new();
    for local in locals {
        let is_one = |other: &Local<'_>| {
            other.project == local.project && other.target.goes_with(&local.target) && joins(other, &local)
        };
        match groups.iter_mut().find(|group| group.iter().all(is_one)) {
            Some(group) => group.push(local),
            None => groups.push(vec![local]),
        }
    }
    groups
}

/// The file that was named, or the local files of the configuration's targets.
pub(super) fn locals<'a>(
    context: &Context,
    args: &TargetFileArgs,
    config: Option<&'a Config>,
) -> Result<Vec<Local<'a>>, Failure> {
    let mut locals = chosen(context, args, config)?;
    if !args.references.is_empty() {
        let globs = Globs::new(args.references.clone());
        let globs = globs.map_err(|error| Failure::usage(format!("--references: {error}")))?;
        // The flag takes the place of the configuration's.
        locals.iter_mut().for_each(|local| local.target.references = globs.clone());
    }
    Ok(locals)
}

fn chosen<'a>(
    context: &Context,
    args: &TargetFileArgs,
    config: Option<&'a Config>,
) -> Result<Vec<Local<'a>>, Failure> {
    let asked = match (lookup::asked(&args.lookup.reach, config), &args.values) {
        // A file that is named may know it.
        (Err(_), Some(_)) => None,
        (asked, _) => asked?.map(|producer| producer.name.as_str()),
    };
    let mut targets = config.map(|config| config.targets.iter().collect::<Vec<_>>()).unwrap_or_default();
    targets
        .retain(|target| asked.is_none_or(|name| target.producer.as_deref().is_none_or(|own| own == name)));
    if let Some(path) = &args.values {
        let severities = config.map(|config| config.severities.clone()).unwrap_or_default();
        let of_file = of_file(&targets, path);
        if of_file.len() > 1 && args.version_key.is_none() {
            return of_file.into_iter().map(|target| named(args, path, Some(target), &severities)).collect();
        }
        let mut local = named(args, path, of_file.first().copied(), &severities)?;
        local.producer = local.producer.or(asked);
        return Ok(vec![local]);
    }
    if config.is_none() {
        return Err(Failure::usage("name a values file, or a configuration with --config"));
    }
    let mut locals = Vec::new();
    let is_here = |target: &&'a Configured| {
        target.files.primary().is_some_and(|file| crate::disk::exists(Path::new(&file.path)))
    };
    for target in targets.into_iter().filter(is_here) {
        locals.push(from_config(args, target, branch(context, target))?);
    }
    if locals.is_empty() {
        let of = asked.map(|name| format!(" of producer `{name}`")).unwrap_or_default();
        let error = anyhow::anyhow!("no target{of} of the configuration has its file here");
        return Err(Failure::person(error).hint("run in the checkout of a target, or name a values file"));
    }
    Ok(locals)
}

/// The file that was named, whatever the configuration's targets say of it.
pub(super) fn of_file_alone<'a>(
    args: &TargetFileArgs,
    path: &Path,
    config: Option<&'a Config>,
) -> Result<Local<'a>, Failure> {
    let severities = config.map(|config| config.severities.clone()).unwrap_or_default();
    let mut local = named(args, path, None, &severities)?;
    local.producer = lookup::asked(&args.lookup.reach, config)?.map(|producer| producer.name.as_str());
    Ok(local)
}

fn named<'a>(
    args: &TargetFileArgs,
    path: &Path,
    configured: Option<&'a Configured>,
    severities: &Severities,
) -> Result<Local<'a>, Failure> {
    let mut local = match configured {
        Some(target) => from_config(args, target, target.branches.first())?,
        None => Local {
            target: Target {
                images: args.images.map_or(Images::Auto, Images::from),
                severities: severities.clone(),
                ..Target::default()
            },
            files: Vec::new(),
            policy: lookup::policy(&args.lookup, None),
            producer: None,
            project: None,
            group: None,
            merging: [false; 2],
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
    primary.images_key = args.images_key.clone().or(primary.images_key.take());
    local.target.registry_key = args.registry_key.clone().or(local.target.registry_key);
    Ok(match &args.version_key {
        Some(version_key) => local.at(version_key.clone()),
        None => local,
    })
}

fn from_config<'a>(
    args: &TargetFileArgs,
    target: &'a Configured,
    branch: Option<&'a TargetBranch>,
) -> Result<Local<'a>, Failure> {
    let mut meant = target.files.clone();
    meant.images = args.images.map_or(meant.images, Images::from);
    let files = meant.files.iter().map(|file| ValuesFile::read(Path::new(&file.path)));
    let files = files.collect::<Result<Vec<_>, _>>()?;
    let policy = lookup::policy(&args.lookup, branch.map(|branch| &branch.policy));
    let merging = [target.merge_request.draft, target.upkeep.auto_merge];
    let (producer, project) = (target.producer.as_deref(), Some(target.project.as_str()));
    let group = target.update_group.as_deref();
    Ok(Local { target: meant, files, policy, producer, project, group, merging })
}

/// The first target that has this file, by its path from the folder that the command runs in, and those that go with it.
fn of_file<'a>(targets: &[&'a Configured], path: &Path) -> Vec<&'a Configured> {
    let path: PathBuf =
        path.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    let holds =
        |target: &&'a Configured| target.files.primary().is_some_and(|file| Path::new(&file.path) == path);
    let mut found: Vec<&'a Configured> = Vec::new();
    for target in targets.iter().copied().filter(holds) {
        if found.iter().all(|other| other.project == target.project && other.files.goes_with(&target.files)) {
            found.push(target);
        }
    }
    found
}

/// The branch that a merge request's pipeline is for, else the first.
fn branch<'a>(context: &Context, target: &'a Configured) -> Option<&'a TargetBranch> {
    let here = context.environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME");
    let is_here = |branch: &&TargetBranch| branch.name.as_ref().map(|name| &name.0) == here.as_ref();
    target.branches.iter().find(is_here).or(target.branches.first())
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
