//! `dibump os-images`: which images the values enable, each of which exists.

use std::collections::BTreeSet;

use super::args::consumer::{DataFormat, OsImagesArgs as Args};
use super::deployment::Deployment;
use super::exit::Exit;
use super::failure::Failure;
use super::reached::{Reached, fallback};
use super::served::{ServedChoice, served};
use super::{Context, generations};
use crate::observe::releases::Snapshot;
use crate::os_image::{EnabledImages, OsImage, Published};
use crate::release::{Release, Version};
use crate::report;

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let (reach, deployment) = (&args.deployment.reach, Deployment::read_some(&args.deployment)?);
    let mut selection = deployment.selection(fallback(reach, config.as_ref())?.as_ref())?;
    if args.offline {
        generations::without(context, &mut selection.images);
    } else {
        let images = std::mem::take(&mut selection.images);
        let there = generations::published(context, reach, config.as_ref(), &deployment, images);
        selection.images = context.block_on(there)?;
    }
    if args.served {
        let (known, workload_clusters) = (&args.known, args.workload_cluster.as_slice());
        let config = config.as_ref();
        let choice = ServedChoice { known, workload_clusters, reach, config, offline: args.offline };
        selection.images = context.block_on(served(context, &choice, &deployment, selection.images))?;
    }
    let keys = selection.images.iter().filter_map(|image| image.published()?.cosign_key.clone().err());
    match keys.collect::<Vec<_>>().as_slice() {
        [] => {}
        unreadable => return Err(deployment.refused(unreadable)),
    }
    if !args.offline {
        context.online(config.as_ref(), reach, async |session| {
            let reached = Reached { context, args: reach, config: config.as_ref(), session };
            proven(&reached, &deployment, &selection).await
        })?;
    }
    deployment.say_lookups(context);
    match args.format {
        DataFormat::Yaml => {
            let yaml = report::os_images::yaml(&selection).map_err(Failure::person)?;
            context.output.print(&yaml)?;
        }
        DataFormat::Json => context.output.json(&report::os_images::json(&selection))?,
    }
    Ok(Exit::Done)
}

/// Every image exists; one that does not is answered with what may have been meant.
async fn proven(
    reached: &Reached<'_>,
    deployment: &Deployment,
    selection: &EnabledImages,
) -> Result<(), Failure> {
    let images: Vec<(&OsImage, &Published)> =
        selection.images.iter().filter_map(|image| Some((image, image.published()?))).collect();
    let asked: Vec<&Published> = images.iter().map(|(_, published)| *published).collect();
    let answers = reached.exist(deployment, &asked).await?;
    let mut missing = Vec::new();
    for ((image, published), answer) in images.into_iter().zip(answers) {
        if !answer? {
            missing.push((image, published));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut said = Vec::with_capacity(missing.len());
    for (image, published) in missing {
        let release = release(reached, published).await;
        let what =
            format!("no artifact of {} is called `{}` at {}", published.prefix, image.key, published.tag);
        said.push((&image.at, deployment.with_advice(&what, &image.at, &image.key, release.as_ref())));
    }
    Err(deployment.refused_at(said))
}

/// The release of an image, to say what else there is in it; `None` where that cannot be told.
async fn release(reached: &Reached<'_>, image: &Published) -> Option<Release> {
    let version: Version = image.tag.as_str().parse().ok()?;
    let producer = reached.session.producer(&reached.settings(&image.prefix).ok()?).await.ok()?;
    let mut snapshot = Snapshot::open(&producer, BTreeSet::new()).await.ok()?;
    snapshot.read(&version, reached.context.environment.now).await.ok()?;
    snapshot.into_known().releases.remove(&version).filter(|release| !release.artifacts.is_empty())
}
