//! `dibump os-images`: which images the values enable, each of which exists.

use std::collections::BTreeSet;

use super::Context;
use super::args::consumer::{DataFormat, OsImagesArgs as Args};
use super::deployment::Deployment;
use super::exit::Exit;
use super::failure::Failure;
use super::known::KnownImages;
use super::reached::{Reached, fallback};
use crate::config::Config;
use crate::observe::releases::Snapshot;
use crate::os_image::selector::Selectable;
use crate::os_image::served::{ImageRequest, ServedImages, by_machines, wanted};
use crate::os_image::{EnabledImages, OsImage, Published};
use crate::release::{Release, Version};
use crate::report;
use crate::sylva::ADDITIONAL_SELECTORS;

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let (reach, deployment) = (&args.deployment.reach, Deployment::read_some(&args.deployment)?);
    let mut selection = deployment.selection(fallback(reach, config.as_ref())?.as_ref())?;
    if args.served {
        selection.images =
            context.block_on(served(context, args, config.as_ref(), &deployment, selection.images))?;
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

/// The images of which the values say that they are served. What is asked for and matches no image is told.
async fn served(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    deployment: &Deployment,
    mut images: Vec<OsImage>,
) -> Result<Vec<OsImage>, Failure> {
    let clusters = args.workload_cluster.iter().map(Deployment::of_cluster).collect::<Result<Vec<_>, _>>()?;
    let wanted = wanted(deployment.rendered(), deployment.form());
    let wanted = wanted.map_err(|problem| deployment.refused(&[problem]))?;
    let known = KnownImages::of_config_map(context, &args.known).await?;
    let (known, asked) = match (known, wanted) {
        (None, ServedImages::All) => return Ok(images),
        (Some(known), ServedImages::All) => {
            images.retain(|image| known.has(&image.key));
            return Ok(images);
        }
        (Some(known), ServedImages::Asked(asked)) => (known, asked),
        (None, ServedImages::Asked(_)) if args.offline => {
            let error =
                "--served asks the registry what the images are; with --offline, name --os-images-info";
            return Err(Failure::usage(error));
        }
        (None, ServedImages::Asked(asked)) => {
            let reach = &args.deployment.reach;
            (KnownImages::of_registry(context, reach, config, deployment, &images).await?, asked)
        }
    };
    let candidates = known.candidates()?;
    let candidates: Vec<&Selectable> = candidates.iter().collect();
    let mut keys = asked_for(context, deployment, &asked, &candidates, None)?;
    let served = keys.clone();
    for cluster in &clusters {
        let asked = by_machines(cluster.rendered()).map_err(|problem| cluster.refused(&[problem]))?;
        keys.extend(asked_for(context, cluster, &asked, &candidates, Some(&served))?);
        cluster.say_lookups(context);
    }
    images.retain(|image| keys.contains(&image.key));
    Ok(images)
}

/// The images that the values of a cluster ask for. Told is what matches none and, of a cluster without a server of its
/// own, what is not among those `served` already.
fn asked_for(
    context: &Context,
    deployment: &Deployment,
    asked: &[ImageRequest],
    candidates: &[&Selectable],
    served: Option<&BTreeSet<String>>,
) -> Result<BTreeSet<String>, Failure> {
    let (mut keys, mut notes) = (BTreeSet::new(), Vec::new());
    for asked in asked {
        let matches = asked.matches(candidates);
        let matches = matches.map_err(|why| deployment.refused_at(vec![(&asked.at, why)]))?;
        if matches.is_empty() {
            notes.push(deployment.said(&asked.at, "no image matches it, so none is served for it"));
        }
        for key in matches.iter().filter(|key| served.is_some_and(|served| !served.contains(*key))) {
            let what = format!(
                "`{key}` is not served yet: give {ADDITIONAL_SELECTORS} of the management cluster a selector that matches it"
            );
            notes.push(deployment.said(&asked.at, &what));
        }
        keys.extend(matches);
    }
    // Machines that inherit their choice ask from the same place.
    notes.dedup();
    notes.iter().for_each(|note| context.note(note));
    Ok(keys)
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
