//! Kubernetes versions of listed images among each other: those of one flavor and minor have one version, whichever
//! producer made them. What names leave open is told by the releases that are known.

use std::collections::HashMap;

use super::notes::{Notes, PendingFinding, place};
use super::{CheckInputs, CheckedFile, Id};
use crate::reconcile::{Is, Stand, Standing};
use crate::release::agreement::{ListedImage, disagreements};
use crate::release::{Facets, Release};
use crate::sylva::REGISTRIES;
use crate::values::{Entry, KeyPath};

/// A listed image and where it is listed.
struct Listed<'a> {
    file: &'a CheckedFile<'a>,
    entry: &'a Entry,
    image: ListedImage,
}

/// Judges the images of the mapping, and of the mapping with each overlay of it.
pub(super) fn judge(
    inputs: &CheckInputs<'_>,
    primary: &Standing<'_>,
    overlays: &[Standing<'_>],
    notes: &mut Notes,
) {
    let own = listed(inputs, &inputs.primary, primary);
    judge_together(&own.iter().collect::<Vec<_>>(), notes);
    for (file, standing) in inputs.overlays.iter().zip(overlays) {
        let more = listed(inputs, file, standing);
        judge_together(&own.iter().chain(&more).collect::<Vec<_>>(), notes);
    }
}

fn judge_together(listed: &[&Listed<'_>], notes: &mut Notes) {
    let of_images: HashMap<&ListedImage, &Listed<'_>> =
        listed.iter().rev().map(|listed| (&listed.image, *listed)).collect();
    let found = |image: &ListedImage| of_images.get(image);
    for disagreement in disagreements(listed.iter().map(|listed| &listed.image)) {
        let (Some(lower), Some(higher)) = (found(&disagreement.lower), found(&disagreement.higher)) else {
            continue;
        };
        let ListedImage { k8s_flavor, k8s_version, .. } = &lower.image;
        let kind = format!("{k8s_flavor} {}", k8s_version.minor);
        let span = lower.entry.key_span.clone();
        notes.find_once(PendingFinding {
            id: Id::DisagreeingImages,
            // What it speaks of are all images of the kind, whatever they are called.
            place: place(lower.file.path, lower.file.document, lower.file.mapping.path.clone(), span),
            subject: kind.clone(),
            message: format!(
                "`{}` has Kubernetes {k8s_version}, and `{}` ({}:{}) has {}",
                lower.entry.key,
                higher.entry.key,
                higher.file.path,
                higher.entry.at,
                higher.image.k8s_version
            ),
            help: Some(format!(
                "list images of {kind} that have one version, or wait for the producer that is behind"
            )),
            fix: None,
        });
    }
}

fn listed<'a>(
    inputs: &CheckInputs<'_>,
    file: &'a CheckedFile<'a>,
    standing: &Standing<'a>,
) -> Vec<Listed<'a>> {
    let image = |stand: &Stand<'a>| {
        let facets = facets(inputs, stand)?;
        Some(Listed { file, entry: stand.entry, image: ListedImage::new(&stand.entry.key, None, &facets) })
    };
    standing.entries.iter().filter(|stand| stand.repeats.is_none()).filter_map(image).collect()
}

/// What an entry stands for, where it is an image: by its own producer's release where that is known, else by its name.
fn facets(inputs: &CheckInputs<'_>, stand: &Stand<'_>) -> Option<Facets> {
    let key = stand.entry.key.as_str();
    match &stand.is {
        Is::Dead { .. } | Is::Template => None,
        Is::Living | Is::Unproven | Is::Stray { .. } => stand.facets.clone(),
        Is::Foreign { registry } if is_generation(inputs, registry) => None,
        Is::Foreign { registry } => match release_of(inputs, registry) {
            Some(release) => match release.artifacts.get(key) {
                Some(artifact) => artifact.facets.clone().or_else(|| stand.facets.clone()),
                None => stand.facets.clone().filter(|_| !release.is_complete()),
            },
            None => stand.facets.clone(),
        },
    }
}

/// The release of the producer whose images an entry of the registries serves.
fn release_of<'a>(inputs: &CheckInputs<'a>, registry: &str) -> Option<&'a Release> {
    let mut others = inputs.others.iter();
    let other = others.find(|other| other.ownership.registries().any(|name| name == registry))?;
    Some(other.release)
}

/// Whether a registry is at a release of its own, written out, which no image of the mapping is asked of.
fn is_generation(inputs: &CheckInputs<'_>, registry: &str) -> bool {
    let CheckedFile { document, mapping, .. } = inputs.primary;
    let mut root: KeyPath = mapping.path.clone();
    root.0.pop();
    let tag = document.value(&root.below(&[REGISTRIES, registry, "tag"])).ok().flatten();
    tag.as_ref().and_then(serde_json::Value::as_str).is_some_and(|tag| !tag.contains("{{"))
}
