//! Which of a deployment's images are served: what its machines choose, and what is asked for besides.

use std::collections::BTreeSet;

use super::Context;
use super::args::Reach;
use super::args::consumer::{ClusterFiles, KnownImagesArgs};
use super::deployment::Deployment;
use super::failure::Failure;
use super::known::KnownImages;
use crate::config::Config;
use crate::os_image::OsImage;
use crate::os_image::selector::Selectable;
use crate::os_image::served::{ImageRequest, ServedImages, by_machines, wanted};
use crate::sylva::ADDITIONAL_SELECTORS;

/// What chooses beside the values of the deployment itself.
pub(super) struct ServedChoice<'a> {
    pub(super) known: &'a KnownImagesArgs,
    pub(super) workload_clusters: &'a [ClusterFiles],
    pub(super) reach: &'a Reach,
    pub(super) config: Option<&'a Config>,
    pub(super) offline: bool,
}

/// The images of which the values say that they are served. What is asked for and matches no image is told.
pub(super) async fn served(
    context: &Context,
    args: &ServedChoice<'_>,
    deployment: &Deployment,
    mut images: Vec<OsImage>,
) -> Result<Vec<OsImage>, Failure> {
    let clusters =
        args.workload_clusters.iter().map(Deployment::of_cluster).collect::<Result<Vec<_>, _>>()?;
    let wanted = wanted(deployment.rendered(), deployment.form());
    let wanted = wanted.map_err(|problem| deployment.refused(&[problem]))?;
    let known = KnownImages::of_config_map(context, args.known).await?;
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
            (KnownImages::of_registry(context, args.reach, args.config, deployment, &images).await?, asked)
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
