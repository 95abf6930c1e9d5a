//! The images that machines choose: does each selector choose exactly one of the listed images, does a key beside it agree,
//! is the image enabled, and is it for the cluster's Kubernetes.
//!
//! Judged is what the machines get, by the resolver that `machine-image` has: what one file says over another, and the
//! control plane or a machine deployment over the cluster. What only Helm knows narrows a choice in a way that nobody knows
//! here: then none is still none, and several may be one.

use std::collections::{BTreeMap, HashMap};

use super::Id;
use super::deployment::{CheckedDeployment, Extent};
use super::images::ImageShelf;
use super::notes::{Notes, PendingFinding, TOO_MANY};
use crate::os_image::Problem;
use crate::os_image::cluster::SELECTOR;
use crate::os_image::definition::{ImageChoice, Selector};
use crate::os_image::kubernetes::{Fit, kubernetes_fit};
use crate::os_image::machine::{Machines, machines};
use crate::os_image::selector::{Selectable, Selected, SelectorTerm, choose, defaults};
use crate::release::named;
use crate::sylva::INFRASTRUCTURES;
use crate::values::KeyPath;

/// Judges what the machines of a deployment choose.
pub(super) fn judge(deployment: &CheckedDeployment<'_>, shelf: &ImageShelf, notes: &mut Notes) {
    let machines = machines(deployment.values());
    if machines.as_ref().is_ok_and(Vec::is_empty) {
        return;
    }
    let judging = Judging::new(deployment, shelf);
    match machines {
        Err(problem) => judging.problem(&problem, notes),
        Ok(all) => all.iter().filter(|it| boots_images(it)).for_each(|it| judging.machines(it, notes)),
    }
}

/// Whether the machines boot images that are listed here.
fn boots_images(machines: &Machines) -> bool {
    machines.cluster.infrastructure.as_deref().is_none_or(|name| INFRASTRUCTURES.contains(&name))
}

struct Judging<'a> {
    deployment: &'a CheckedDeployment<'a>,
    shelf: &'a ImageShelf,
    /// Those images of the shelf that the deployment may have.
    images: Vec<&'a Selectable>,
    by_name: HashMap<&'a str, &'a Selectable>,
}

impl<'a> Judging<'a> {
    fn new(deployment: &'a CheckedDeployment<'a>, shelf: &'a ImageShelf) -> Self {
        let may_have = |image: &&Selectable| {
            deployment.listed().is_none_or(|listed| listed.get(&image.key) == Some(&true))
        };
        let images = shelf.images.iter().map(|image| &image.candidate).filter(may_have);
        let images: Vec<&Selectable> = images.collect();
        // Of equal names the first counts.
        let names = |image: &&'a Selectable| image.names.iter().zip(std::iter::repeat(*image));
        let by_name =
            images.iter().rev().flat_map(names).map(|(name, image)| (name.as_str(), image)).collect();
        Self { deployment, shelf, images, by_name }
    }

    fn machines(&self, machines: &Machines, notes: &mut Notes) {
        let (choice, at) = match &machines.choice {
            Ok(Some((choice, at))) => (choice, at),
            Ok(None) => return,
            Err(problem) => return self.problem(problem, notes),
        };
        match choice {
            ImageChoice::Raw(_) => {}
            ImageChoice::Key(key) => {
                self.enabled(key, at, notes);
                self.kubernetes(machines, key, at, notes);
            }
            ImageChoice::Selector(_) | ImageChoice::Both(..) if self.deployment.extent == Extent::Laid => {}
            ImageChoice::Selector(selector) => {
                let outcome = self.outcome(machines, selector, at, notes);
                self.report(outcome, at, notes);
            }
            ImageChoice::Both(key, selector) => {
                self.enabled(key, at, notes);
                match self.outcome(machines, selector, at, notes) {
                    Some(Selected::One(chosen)) if chosen != *key => {
                        self.disagree(key, Some(&chosen), at, notes)
                    }
                    Some(Selected::Unknown(_)) if self.excludes(machines, selector, key) => {
                        self.disagree(key, None, at, notes);
                    }
                    // A key that is not listed is a finding of its own.
                    Some(Selected::None { .. } | Selected::Several(_)) if !self.is_listed(key) => {}
                    outcome => self.report(outcome, at, notes),
                }
            }
        }
    }

    /// What a selector with what it inherits chooses; `None` where there is nothing to choose from.
    fn outcome(
        &self,
        machines: &Machines,
        selector: &Selector,
        at: &KeyPath,
        notes: &mut Notes,
    ) -> Option<Selected> {
        // Where no image is known at all, nothing can be said to be missing.
        if self.shelf.images.is_empty() {
            return None;
        }
        if !notes.may_compare(self.images.len()) {
            return Some(Selected::Unknown(TOO_MANY));
        }
        let conditions = self.conditions(machines, selector);
        for (key, text) in selector {
            if matches!(SelectorTerm::new(text), SelectorTerm::Unknown) {
                let why = format!("the regular expression of `{key}` cannot be read here");
                notes.skip(Id::Selector, self.deployment.key_place(at), why);
            }
        }
        let conditions = conditions.iter().map(|(key, condition)| (key.as_str(), condition)).collect();
        Some(choose(&conditions, &self.images, self.shelf.is_open))
    }

    fn conditions(&self, machines: &Machines, selector: &Selector) -> BTreeMap<String, SelectorTerm> {
        let cluster = &machines.cluster;
        let version = cluster.k8s_version.as_ref().ok().and_then(Option::as_deref);
        let defaults = defaults(version, cluster.bootstrap_provider.as_deref()).into_iter();
        let own = selector.iter().map(|(key, text)| {
            // Which name the chart gives its registries is not known here.
            let is_known = key != "oci-image-registry-key" || text == ".*";
            (key.clone(), if is_known { SelectorTerm::new(text) } else { SelectorTerm::Unknown })
        });
        defaults.map(|(key, condition)| (key.to_owned(), condition)).chain(own).collect()
    }

    /// Whether a selector cannot choose an image, whatever is not known.
    fn excludes(&self, machines: &Machines, selector: &Selector, key: &str) -> bool {
        let conditions = self.conditions(machines, selector);
        let conditions = conditions.iter().map(|(key, condition)| (key.as_str(), condition)).collect();
        let image = self.by_name.get(key).map(|image| choose(&conditions, &[*image], false));
        matches!(image, Some(Selected::None { .. }))
    }

    fn is_listed(&self, key: &str) -> bool {
        self.shelf.keys.contains(key) || self.shelf.keys.contains(bare(key))
    }

    fn report(&self, outcome: Option<Selected>, at: &KeyPath, notes: &mut Notes) {
        match outcome {
            None | Some(Selected::One(_)) => {}
            Some(Selected::None { hint }) => {
                let message = format!("{} matches no listed image", selector_at(at));
                self.find(Id::Selector, at, message, hint, notes);
            }
            Some(Selected::Several(images)) => {
                let message = format!("{} matches {} listed images", selector_at(at), images.len());
                let names = named(images.iter().map(|key| format!("`{key}`")));
                let help = Some(format!("they are {names}"));
                self.find(Id::Selector, at, message, help, notes);
            }
            Some(Selected::Unknown(why)) => notes.skip(Id::Selector, self.deployment.key_place(at), why),
        }
    }

    fn disagree(&self, key: &str, chosen: Option<&str>, at: &KeyPath, notes: &mut Notes) {
        let message = match chosen {
            Some(chosen) => format!("the image key is `{key}`, and the selector chooses `{chosen}`"),
            None => format!("the image key is `{key}`, which the selector does not choose"),
        };
        let help = "remove one of them; the settings of a cluster apply to all its machines".to_owned();
        self.find(Id::Selector, at, message, Some(help), notes);
    }

    fn enabled(&self, key: &str, at: &KeyPath, notes: &mut Notes) {
        let Some(listed) = self.deployment.listed() else { return };
        match listed.get(key).or(listed.get(bare(key))) {
            Some(true) => {}
            Some(false) => {
                let message =
                    format!("`{key}` is listed but not enabled, so the deployment does not have it");
                let help = Some("set `enabled: true` for it".to_owned());
                self.find(Id::ImageNotEnabled, at, message, help, notes);
            }
            // Another file takes away what the chart lists.
            None if self.shelf.keys.contains(key) => {
                let message = format!("the deployment does not have the image `{key}`");
                self.find(Id::UnknownImageKey, at, message, None, notes);
            }
            None => {}
        }
    }

    fn kubernetes(&self, machines: &Machines, key: &str, at: &KeyPath, notes: &mut Notes) {
        let version = machines.cluster.k8s_version.as_ref().ok().and_then(Option::as_deref);
        let Some(wanted) = version.and_then(|text| text.parse().ok()) else { return };
        let Some(image) = self.by_name.get(key) else { return };
        let none = BTreeMap::new();
        let attributes = image.attributes.as_ref().unwrap_or(&none);
        if let Fit::Differs(has) = kubernetes_fit(&wanted, bare(key), attributes) {
            let message = format!("`{key}` is for Kubernetes {has}, and the cluster has {wanted}");
            let help = "choose an image of the cluster's version".to_owned();
            self.find(Id::KubernetesMismatch, at, message, Some(help), notes);
        }
    }

    /// A template is not judged; a selector that no chart takes is wrong.
    fn problem(&self, problem: &Problem, notes: &mut Notes) {
        let (at, name) = (&problem.at, problem.at.0.last().map(String::as_str).unwrap_or_default());
        let is_laid = self.deployment.extent == Extent::Laid;
        let is_selector = !is_laid && at.0.iter().any(|key| key == SELECTOR);
        match problem.is_of_template() {
            true if is_selector => {
                notes.skip(Id::Selector, self.deployment.key_place(at), "it is a template")
            }
            false if is_selector => {
                let message = format!("`{name}` {}", problem.wrong);
                self.find(Id::Selector, at, message, None, notes);
            }
            _ => {}
        }
    }

    /// Several machines may get it from one place.
    fn find(&self, id: Id, at: &KeyPath, message: String, help: Option<String>, notes: &mut Notes) {
        let place = match id {
            Id::Selector => self.deployment.key_place(at),
            _ => self.deployment.value_place(at),
        };
        let subject = place.key.0.join(".");
        self.deployment.find(PendingFinding { id, place, subject, message, help, fix: None }, notes);
    }
}

/// The selector that counts where an image is chosen, perhaps by a key.
fn selector_at(at: &KeyPath) -> &'static str {
    match at.0.last().is_some_and(|name| name == SELECTOR) {
        true => "the selector",
        false => "the selector that counts beside this key",
    }
}

/// A key without the registry's name, which newer charts put before it.
fn bare(key: &str) -> &str {
    key.split_once("--").map_or(key, |(_, bare)| bare)
}
