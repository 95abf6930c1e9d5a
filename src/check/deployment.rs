//! What files say together, as Helm merges them: all of a deployment, or one file by itself, of which much stands elsewhere.

use std::collections::BTreeMap;

use serde_json::Value;

use super::notes::{Notes, PendingFinding};
use super::references::VALUES;
use super::{FindingPlace, Read};
use crate::budget::Budget;
use crate::os_image::cluster::{
    CONTROL_PLANE, ClusterScope, DEPLOYMENT_DEFAULT, DEPLOYMENTS, IMAGE_KEYS, SELECTOR,
};
use crate::os_image::{form, listed};
use crate::sylva::{
    ADDITIONAL_SELECTORS, BOOTSTRAP_RULE, CAPI_PROVIDERS, IMAGES, INFRA_PROVIDER, INFRASTRUCTURES,
    K8S_VERSION, K8S_VERSION_SHORT, MACHINE_IMAGE_URL, OS_IMAGES, REGISTRIES,
};
use crate::values::{KeyPath, Layer, Rendered, excerpt, place};

/// How much of a deployment files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// One file by itself. What it does not say may stand in any other.
    Part,
    /// One file over the target's own, as far as nothing stands in others: what it says of versions and keys is judged.
    Laid,
}

/// Files with what they say together of images and machines.
pub(super) struct CheckedDeployment<'a> {
    reads: Vec<&'a Read<'a>>,
    roots: Vec<KeyPath>,
    values: Value,
    budget: Budget,
    listed: Option<BTreeMap<String, bool>>,
    pub(super) extent: Extent,
}

impl<'a> CheckedDeployment<'a> {
    /// The files, merged in this order; `None` where one cannot be read as values.
    pub(super) fn of(reads: &[&'a Read<'a>], extent: Extent) -> Option<Self> {
        let roots: Vec<KeyPath> = reads.iter().map(|read| root(read)).collect();
        let mut wanted = clusters(reads, &roots);
        if extent != Extent::Part {
            let whole = [IMAGES.as_slice(), &[OS_IMAGES, REGISTRIES, K8S_VERSION_SHORT]].concat();
            wanted.extend(whole.iter().map(|key| path(&[key])));
            wanted.push(path(&BOOTSTRAP_RULE));
        }
        wanted.push(path(&[ADDITIONAL_SELECTORS]));
        let layers = layers(reads, &roots);
        let (values, budget) = (excerpt(&layers, &wanted).ok()?, Budget::default());
        let listed = match extent {
            Extent::Part => None,
            Extent::Whole | Extent::Laid => all_listed(Rendered::new(&values, &budget)),
        };
        Some(Self { reads: reads.to_vec(), roots, values, budget, listed, extent })
    }

    pub(super) fn values(&self) -> Rendered<'_> {
        Rendered::new(&self.values, &self.budget)
    }

    /// The images that there are, and whether each is enabled; `None` where that cannot be told.
    pub(super) fn listed(&self) -> Option<&BTreeMap<String, bool>> {
        self.listed.as_ref()
    }

    /// Notes what is found, unless it stands in a file that is not judged here, or was found there before.
    pub(super) fn find(&self, note: PendingFinding, notes: &mut Notes) {
        let is_judged =
            self.extent != Extent::Laid || self.reads.last().is_some_and(|it| it.path == note.place.path);
        if is_judged {
            notes.find_once(note);
        }
    }

    /// Whether the machines of its own cluster boot images that are listed here.
    pub(super) fn boots_images(&self) -> bool {
        let at = path(&["cluster"]).below(&INFRA_PROVIDER);
        let infrastructure = self.values().text(&at).ok().flatten().filter(|name| !name.is_empty());
        infrastructure.is_none_or(|name| INFRASTRUCTURES.contains(&name.as_str()))
    }

    /// The place of a key, in the last file that has it.
    pub(super) fn key_place(&self, at: &KeyPath) -> FindingPlace {
        let found = place(&layers(&self.reads, &self.roots), at);
        let (index, position) = found.unwrap_or((0, FindingPlace::of_file(String::new()).at));
        let (read, root) = (&self.reads[index], &self.roots[index]);
        let length = at.0.last().map_or(1, |key| key.chars().count().max(1));
        FindingPlace { path: read.path.to_owned(), key: root.below(&at.0), at: position, length }
    }

    /// The place of a text, or of its key where it is written elsewhere.
    pub(super) fn value_place(&self, at: &KeyPath) -> FindingPlace {
        let key = self.key_place(at);
        let read = self.reads.iter().find(|read| read.path == key.path);
        let field = read.and_then(|read| Some((read, read.field_at(&key)?)));
        field.map_or(key, |(read, field)| super::places::value_place(read, field))
    }
}

/// The images of the mapping and the user's own.
fn all_listed(values: Rendered<'_>) -> Option<BTreeMap<String, bool>> {
    let mut all = listed(values, form(values).ok()??).ok()?;
    let own = values.mapping(&path(&[OS_IMAGES])).ok()?;
    all.extend(own.into_iter().map(|(key, _)| (key.clone(), true)));
    Some(all)
}

fn layers<'d>(reads: &[&'d Read<'_>], roots: &'d [KeyPath]) -> Vec<Layer<'d>> {
    reads.iter().zip(roots).map(|(read, root)| Layer { document: read.document, root }).collect()
}

/// Where the chart's values begin in a file.
fn root(read: &Read<'_>) -> KeyPath {
    let values = path(&VALUES);
    if read.document.key_at(&values).is_some() { values } else { KeyPath::default() }
}

/// What decides about machines, in every cluster that chooses an image.
fn clusters(reads: &[&Read<'_>], roots: &[KeyPath]) -> Vec<KeyPath> {
    let mut clusters = vec![path(&["cluster"])];
    for (read, root) in reads.iter().zip(roots) {
        for field in &read.fields {
            let Some((name, above)) = field.path.split_last() else { continue };
            let chooses = IMAGE_KEYS.contains(name) || [SELECTOR, MACHINE_IMAGE_URL].contains(name);
            let is_below = above.len() >= root.0.len() && above.iter().zip(&root.0).all(|(a, b)| a == b);
            if chooses && is_below {
                clusters.push(path(&ClusterScope::of(&above[root.0.len()..]).cluster));
            }
        }
    }
    clusters.sort();
    clusters.dedup();
    let parts = [CONTROL_PLANE, DEPLOYMENT_DEFAULT, DEPLOYMENTS, K8S_VERSION, CAPI_PROVIDERS];
    let of = |cluster: KeyPath| parts.iter().chain(&INFRASTRUCTURES).map(move |part| cluster.below(&[part]));
    clusters.into_iter().flat_map(of).collect()
}

fn path(keys: &[&str]) -> KeyPath {
    KeyPath::default().below(keys)
}
