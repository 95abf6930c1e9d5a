//! Generations of a registry publish what their release has: the chart names every listed image for each of them, and what
//! one does not publish is not an image.

use std::collections::BTreeMap;

use super::Context;
use super::args::Reach;
use super::deployment::Deployment;
use super::failure::Failure;
use super::reached::Reached;
use crate::config::Config;
use crate::os_image::{OsImage, Published};

/// The images that there are: those of a generation are asked for, and what it does not publish is told once.
pub(super) async fn published(
    context: &Context,
    reach: &Reach,
    config: Option<&Config>,
    deployment: &Deployment,
    images: Vec<OsImage>,
) -> Result<Vec<OsImage>, Failure> {
    let may_lack: Vec<&Published> =
        images.iter().filter(|image| image.generation.is_some()).filter_map(OsImage::published).collect();
    if may_lack.is_empty() {
        return Ok(images);
    }
    let answers = context.in_session(config, reach, async |session| {
        Reached { context, args: reach, config, session }.exist(deployment, &may_lack).await
    });
    let mut answers = answers.await?.into_iter();
    let mut left_out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut there = Vec::with_capacity(images.len());
    for image in images {
        let lacks = match &image.generation {
            Some(_) => !answers.next().transpose()?.unwrap_or_default(),
            None => false,
        };
        match (image.generation.clone(), image.published()) {
            (Some(generation), Some(published)) if lacks => {
                let release = format!("{generation} ({}:{})", published.prefix, published.tag);
                left_out.entry(release).or_default().push(published.key.to_string());
            }
            _ => there.push(image),
        }
    }
    for (release, keys) in left_out {
        context.note(&format!("{release} does not publish {}: left out", keys.join(", ")));
    }
    Ok(there)
}

/// The images of registries that follow a version, where nothing is asked.
pub(super) fn without(context: &Context, images: &mut Vec<OsImage>) {
    let mut left_out: Vec<String> = images.iter().filter_map(|image| image.generation.clone()).collect();
    left_out.sort();
    left_out.dedup();
    if !left_out.is_empty() {
        images.retain(|image| image.generation.is_none());
        let names = left_out.join(", ");
        context
            .note(&format!("images of {names} are left out: with --offline it cannot be told which exist"));
    }
}
