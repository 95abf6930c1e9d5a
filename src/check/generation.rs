//! Images of generations: a registry at a release of its own serves what that release published. Not every listed name is
//! among it, which matters only where a machine, or what is to be served, chooses it there.

use std::collections::{BTreeMap, BTreeSet};

use super::Id;
use super::deployment::{CheckedDeployment, Extent};
use super::finding::{GenerationImage, LackedImage};
use super::images::ImageShelf;
use super::notes::{Notes, PendingFinding};
use crate::os_image::definition::ImageChoice;
use crate::os_image::machine::machines;
use crate::os_image::selector::{Selectable, Selected, SelectorTerm, choose};
use crate::release::{Facets, Version, named};
use crate::sylva::{ADDITIONAL_SELECTORS, IMAGE_REGISTRY_KEY, REGISTRIES, TAG};
use crate::values::KeyPath;

/// Notes what is chosen of generations, and finds what is chosen and lacks there.
pub(super) fn judge(
    deployment: &CheckedDeployment<'_>,
    shelf: &ImageShelf,
    lacking: &[LackedImage],
    notes: &mut Notes,
) {
    let judging = Judging { deployment, shelf, lacking, generations: generations(deployment) };
    if deployment.extent == Extent::Part || judging.generations.is_empty() {
        return;
    }
    // What cannot be told of machines is found elsewhere.
    for machines in machines(deployment.values()).unwrap_or_default() {
        let Ok(Some((choice, at))) = &machines.choice else { continue };
        match choice {
            ImageChoice::Raw(_) => {}
            ImageChoice::Key(key) | ImageChoice::Both(key, _) => judging.key(key, at, notes),
            ImageChoice::Selector(selector) => judging.selector(selector, at, notes),
        }
    }
    if deployment.extent == Extent::Whole {
        judging.served(notes);
    }
}

/// The entries of the registries whose tag is a release that is written out.
fn generations(deployment: &CheckedDeployment<'_>) -> BTreeSet<String> {
    let values = deployment.values();
    let entries = values.mapping(&KeyPath::default().below(&[REGISTRIES])).unwrap_or_default();
    let is_one = |entry: &serde_json::Value| {
        let tag = entry.get(TAG).and_then(serde_json::Value::as_str);
        tag.is_some_and(|tag| tag.parse::<Version>().is_ok())
    };
    entries.into_iter().filter(|(_, entry)| is_one(entry)).map(|(name, _)| name.clone()).collect()
}

struct Judging<'a> {
    deployment: &'a CheckedDeployment<'a>,
    shelf: &'a ImageShelf,
    lacking: &'a [LackedImage],
    generations: BTreeSet<String>,
}

impl Judging<'_> {
    fn key(&self, key: &str, at: &KeyPath, notes: &mut Notes) {
        let Some((generation, bare)) = key.split_once("--") else { return };
        if self.generations.contains(generation) && self.shelf.keys.contains(bare) {
            self.chosen(generation, &[bare.to_owned()], at, notes);
        }
    }

    /// A selector that names a generation chooses among all listed names, as far as the names tell.
    fn selector(&self, selector: &BTreeMap<String, String>, at: &KeyPath, notes: &mut Notes) {
        let Some(generation) =
            selector.get(IMAGE_REGISTRY_KEY).filter(|name| self.generations.contains(*name))
        else {
            return;
        };
        if !notes.may_compare(self.shelf.images.len()) {
            return;
        }
        let others = selector.iter().filter(|(key, _)| *key != IMAGE_REGISTRY_KEY);
        let terms: Vec<(&str, SelectorTerm)> =
            others.map(|(key, text)| (key.as_str(), SelectorTerm::new(text))).collect();
        let conditions: BTreeMap<&str, &SelectorTerm> =
            terms.iter().map(|(key, term)| (*key, term)).collect();
        let may_be = |key: &&String| {
            let facets = Facets::from_name(key);
            let image = Selectable {
                key: (*key).clone(),
                names: Vec::new(),
                attributes: None,
                is_whole: false,
                facets,
            };
            !matches!(choose(&conditions, &[&image], false), Selected::None { .. })
        };
        let listed = self.shelf.images.iter().map(|image| &image.candidate.key);
        let names: Vec<String> = listed.filter(may_be).cloned().collect();
        self.chosen(generation, &names, at, notes);
    }

    /// What is served besides.
    fn served(&self, notes: &mut Notes) {
        let (values, all) = (self.deployment.values(), KeyPath::default().below(&[ADDITIONAL_SELECTORS]));
        for (name, selector) in values.mapping(&all).unwrap_or_default() {
            let at = all.below(&[name]);
            let Some(conditions) = selector.as_object() else { continue };
            let text = |key: &String| Some((key.clone(), values.text(&at.below(&[key])).ok()??));
            let selector: BTreeMap<String, String> = conditions.keys().filter_map(text).collect();
            self.selector(&selector, &at, notes);
        }
    }

    /// One of these names is chosen of a generation: if it lacks all of them, the choice comes to nothing.
    fn chosen(&self, generation: &str, keys: &[String], at: &KeyPath, notes: &mut Notes) {
        let image = |key: &String| GenerationImage { generation: generation.to_owned(), key: key.clone() };
        notes.chosen.extend(keys.iter().map(image));
        let lacked = |key: &String| self.lacking.iter().find(|lacked| lacked.image == image(key));
        let Some(lacked) = keys.iter().map(lacked).collect::<Option<Vec<&LackedImage>>>() else { return };
        let Some(first) = lacked.first() else { return };
        let names = named(keys.iter().map(|key| format!("`{key}`")));
        let place = self.deployment.key_place(at);
        let note = PendingFinding {
            id: Id::GenerationImage,
            subject: place.key.0.join("."),
            place,
            message: format!("the generation `{generation}` ({}) does not publish {names}", first.release),
            help: Some("choose an image that it has, or one of another registry".to_owned()),
            fix: None,
        };
        self.deployment.find(note, notes);
    }
}
