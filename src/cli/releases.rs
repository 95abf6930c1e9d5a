//! `dibump releases` and `dibump artifacts`: what the registry has. Their JSON is what `plan --observed` reads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::args::{Artifacts, Format, Lookup, Releases};
use super::exit::Exit;
use super::failure::Failure;
use super::progress::Progress;
use super::{Context, lookup};
use crate::config::Network;
use crate::disk::releases::ReleasesFile;
use crate::observe::releases::Snapshot;
use crate::release::choice::{Known, Question};
use crate::release::{Coverage, Version};
use crate::report;

pub(super) fn releases(context: &Context, args: &Releases) -> Result<Exit, Failure> {
    let config = context.config()?;
    let configured =
        config.as_ref().and_then(|config| config.targets.first()).and_then(|t| t.branches.first());
    let policy = lookup::policy(&args.lookup, configured.map(|branch| &branch.policy));
    let (known, registry) = match &args.lookup.observed {
        Some(file) => (observed(&args.lookup, file)?, None),
        None => context.block_on(looked_up(context, &args.lookup, None))?,
    };
    let question = Question {
        policy: &policy,
        current: args.from.as_ref(),
        to: None,
        listed: &BTreeSet::new(),
        naming: &lookup::naming(args.lookup.names_pattern.as_deref())?,
        found: &BTreeMap::new(),
        now: context.environment.now,
    };
    match args.format {
        Format::Text => context.output.print(&report::releases::table(&question, &known)),
        Format::Json => context.output.json(&ReleasesFile::new(registry, &known)),
    }
    Ok(Exit::Done)
}

pub(super) fn artifacts(context: &Context, args: &Artifacts) -> Result<Exit, Failure> {
    let (mut known, registry) = match &args.lookup.observed {
        Some(file) => (observed(&args.lookup, file)?, None),
        None => context.block_on(looked_up(context, &args.lookup, Some(&args.version)))?,
    };
    known.releases.retain(|version, _| version == &args.version);
    let Some(release) = known.releases.get(&args.version) else {
        return Err(Failure::person(anyhow::anyhow!("there is no release {}", args.version)));
    };
    match args.format {
        Format::Text => context.output.print(&report::releases::artifacts(release)),
        Format::Json => context.output.json(&ReleasesFile::new(registry, &known)),
    }
    Ok(match &release.coverage {
        Coverage::Unknown { .. } => Exit::Retry,
        _ => Exit::Done,
    })
}

fn observed(args: &Lookup, file: &Path) -> Result<Known, Failure> {
    Ok(crate::disk::releases::read(file, &lookup::naming(args.names_pattern.as_deref())?)?)
}

/// All releases by the names of their artifacts, or one with its manifests.
async fn looked_up(
    context: &Context,
    args: &Lookup,
    version: Option<&Version>,
) -> Result<(Known, Option<String>), Failure> {
    let config = context.config()?;
    let settings = lookup::settings(args, config.as_ref(), None)?;
    let network = config.as_ref().map_or_else(Network::default, |config| config.network.clone());
    let transport = lookup::transport(context, args, &network)?;
    let _progress = Progress::start(context, &transport);
    let store = lookup::store(args, config.as_ref(), &settings.naming);
    let producer =
        lookup::producer(&context.environment, config.as_ref(), &settings, &transport, store).await?;
    let mut snapshot = Snapshot::open(&producer, BTreeSet::new()).await?;
    match version {
        Some(version) => snapshot.read(version, context.environment.now).await?,
        None => snapshot.read_names().await?,
    }
    context.requests(&transport);
    Ok((snapshot.into_known(), Some(producer.prefix.to_string())))
}
