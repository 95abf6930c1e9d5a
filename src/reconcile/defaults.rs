//! Entries that are enabled by default, while a newer Kubernetes of their family comes in: people move the default by hand.

use std::collections::BTreeMap;

use super::Note;
use super::listing::{Item, Listing};
use super::pairing::EntryAction;
use crate::release::{Artifact, Facets, Family, K8sMinor};

/// A note for each entry that has `default_enabled`, was the newest of its family, and will not be.
pub(super) fn outdated(listing: &Listing<'_>, fates: &[EntryAction], added: &[&Artifact]) -> Vec<Note> {
    let remaining = listing.items.iter().zip(fates).filter(|(_, fate)| fate.remains());
    let mut newest_listed: BTreeMap<Family, K8sMinor> = BTreeMap::new();
    for facets in remaining.clone().filter_map(|(item, _)| item.facets.as_ref()) {
        let newest = newest_listed.entry(facets.family()).or_insert(minor(facets));
        *newest = minor(facets).max(*newest);
    }
    let mut newest_added: BTreeMap<Family, (&Artifact, K8sMinor)> = BTreeMap::new();
    for (artifact, facets) in added.iter().filter_map(|artifact| Some((*artifact, artifact.facets.as_ref()?)))
    {
        let newest = newest_added.entry(facets.family()).or_insert((artifact, minor(facets)));
        if minor(facets) >= newest.1 {
            *newest = (artifact, minor(facets));
        }
    }
    let note = |(item, fate): (&Item<'_>, &EntryAction)| {
        let facets = item.facets.as_ref()?;
        let family = facets.family();
        let is_newest = newest_listed.get(&family).is_none_or(|newest| *newest <= minor(facets));
        let (newest, _) =
            newest_added.get(&family).filter(|(_, newest)| is_newest && *newest > minor(facets))?;
        Some(Note::DefaultStays {
            key: fate.key_after(item)?,
            newest: newest.key.clone(),
            at: item.written.at,
        })
    };
    remaining.filter(|(item, _)| is_default(item)).filter_map(note).collect()
}

fn is_default(item: &Item<'_>) -> bool {
    item.written.value.get("default_enabled") == Some(&serde_json::Value::Bool(true))
}

fn minor(facets: &Facets) -> K8sMinor {
    facets.k8s_version.minor
}
