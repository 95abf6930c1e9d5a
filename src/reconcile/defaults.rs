//! Entries that are enabled by default, while a newer Kubernetes of their family comes in: people move the default by hand.

use super::Note;
use super::listing::{Item, Listing};
use super::pairing::Fate;
use crate::release::{Artifact, Facets, K8sMinor};

/// A note for each entry that has `default_enabled`, was the newest of its family, and will not be.
pub(super) fn outdated(listing: &Listing<'_>, fates: &[Fate], added: &[&Artifact]) -> Vec<Note> {
    let remains = || listing.items.iter().zip(fates).filter(|(_, fate)| fate.remains());
    let defaults = remains().filter(|(item, _)| is_default(item));
    let note = |(item, fate): (&Item<'_>, &Fate)| {
        let facets = item.facets.as_ref()?;
        let newer = |other: &Facets| other.family() == facets.family() && minor(other) > minor(facets);
        if remains().any(|(other, _)| other.facets.as_ref().is_some_and(newer)) {
            return None;
        }
        let added = added.iter().filter_map(|artifact| Some((*artifact, artifact.facets.as_ref()?)));
        let (newest, _) = added.filter(|(_, other)| newer(other)).max_by_key(|(_, other)| minor(other))?;
        Some(Note::DefaultStays {
            key: fate.key_after(item)?,
            newest: newest.key.clone(),
            at: item.written.at,
        })
    };
    defaults.filter_map(note).collect()
}

fn is_default(item: &Item<'_>) -> bool {
    item.written.value.get("default_enabled") == Some(&serde_json::Value::Bool(true))
}

fn minor(facets: &Facets) -> K8sMinor {
    facets.k8s_version.minor
}
