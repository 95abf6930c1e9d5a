//! The images that a deployment can choose from: those of the mapping, and the user's own (`os_images`).

use std::collections::{BTreeMap, HashMap, HashSet};

use smol_str::SmolStr;

use super::Read;
use crate::os_image::attributes;
use crate::os_image::cluster::is_template;
use crate::os_image::selector::Selectable;
use crate::reconcile::{Is, Stand, Standing};
use crate::release::{Facets, K8sVersion, Release};
use crate::sylva::{OS_IMAGES, REGISTRY_FIELD};

/// Images to choose from.
#[derive(Debug)]
pub(super) struct ImageShelf {
    pub(super) images: Vec<KnownImage>,
    /// Every key that may be referred to, of images that exist or not.
    pub(super) keys: HashSet<String>,
    /// Whether a template may make further images, so that nothing can be said to be missing.
    pub(super) is_open: bool,
}

/// One image, as far as it is known.
#[derive(Debug)]
pub(super) struct KnownImage {
    /// What a selector and a reference see.
    pub(super) candidate: Selectable,
    pub(super) k8s_flavor: Option<SmolStr>,
    pub(super) k8s_version: Option<K8sVersion>,
}

impl ImageShelf {
    /// The images of the mapping and its overlays. A dead key is no image, but it can be referred to.
    pub(super) fn new(wanted: &Release, standings: &[&Standing<'_>]) -> Self {
        let mut shelf = Self { images: Vec::new(), keys: HashSet::new(), is_open: false };
        for stand in standings.iter().flat_map(|standing| &standing.entries) {
            if stand.is == Is::Template {
                shelf.is_open = true;
                continue;
            }
            let is_new = shelf.keys.insert(stand.entry.key.clone());
            if is_new && !matches!(stand.is, Is::Dead { .. }) {
                shelf.images.push(KnownImage::listed(stand, wanted));
            }
        }
        shelf
    }

    /// The same with the user's own images, which stand beside the mapping or in the file itself.
    pub(super) fn with_own_images(mut self, reads: &[&Read<'_>]) -> Self {
        for read in reads {
            self.add_own(read);
        }
        self
    }

    fn add_own(&mut self, read: &Read<'_>) {
        let is_own = |path: &[&str]| matches!(path, [OS_IMAGES] | ["spec", "values", OS_IMAGES]);
        let attributes = attributes_of_own(read, is_own);
        for field in &read.fields {
            match field.path.as_slice() {
                path if is_own(path) => self.is_open |= field.text.is_some_and(|text| !is_null(text)),
                [above @ .., key] if is_own(above) && (is_template(key) || *key == "<<") => {
                    self.is_open = true
                }
                [above @ .., key] if is_own(above) => {
                    let image = KnownImage::own(key, attributes.get(field.path.as_slice()));
                    self.keys.insert(image.candidate.key.clone());
                    self.images.push(image);
                }
                _ => {}
            }
        }
    }
}

impl KnownImage {
    fn listed(stand: &Stand<'_>, wanted: &Release) -> Self {
        let key = stand.entry.key.clone();
        let artifact = match stand.is {
            Is::Living => wanted.artifacts.get(key.as_str()),
            _ => None,
        };
        let annotations = artifact.map(|artifact| &artifact.annotations).filter(|all| !all.is_empty());
        let registry = stand.entry.value.get(REGISTRY_FIELD).and_then(serde_json::Value::as_str);
        let facets = stand.facets.clone();
        Self {
            k8s_flavor: facets.as_ref().map(|facets| facets.k8s_flavor.clone()),
            k8s_version: facets.as_ref().map(|facets| facets.k8s_version.clone()),
            candidate: Selectable {
                names: registry
                    .map(|registry| format!("{registry}--{key}"))
                    .into_iter()
                    .chain([key.clone()])
                    .collect(),
                key,
                attributes: annotations.map(|all| attributes(all)),
                is_whole: artifact.is_some_and(|artifact| artifact.digest.is_some()),
                facets,
            },
        }
    }

    fn own(key: &str, attributes: Option<&BTreeMap<String, String>>) -> Self {
        let attributes = attributes.cloned().unwrap_or_default();
        let facets = Facets::from_name(key);
        let of_name = || facets.as_ref().map(|facets| facets.k8s_flavor.clone());
        Self {
            k8s_flavor: attributes.get("k8s-flavor").map(SmolStr::from).or_else(of_name),
            k8s_version: match attributes.get("k8s-version") {
                Some(version) => version.parse().ok(),
                None => facets.as_ref().map(|facets| facets.k8s_version.clone()),
            },
            candidate: Selectable {
                key: key.to_owned(),
                names: vec![key.to_owned()],
                attributes: Some(attributes),
                is_whole: true,
                facets,
            },
        }
    }
}

/// The attributes of the user's own images, by the path of the image.
fn attributes_of_own<'r>(
    read: &'r Read<'_>,
    is_own: impl Fn(&[&str]) -> bool,
) -> HashMap<&'r [&'r str], BTreeMap<String, String>> {
    let mut attributes: HashMap<_, BTreeMap<String, String>> = HashMap::new();
    for field in &read.fields {
        if let ([image @ .., name], Some(text)) = (field.path.as_slice(), field.text)
            && image.split_last().is_some_and(|(_, above)| is_own(above))
        {
            attributes.entry(image).or_default().insert((*name).to_owned(), text.to_owned());
        }
    }
    attributes
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}
