//! What is wrong with the values of a deployment beside its machines: registries that nobody knows, a Kubernetes that has no
//! version, and selectors that let nothing be served.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Id;
use super::deployment::{CheckedDeployment, Extent};
use super::images::ImageShelf;
use super::notes::{Notes, PendingFinding, TOO_MANY};
use crate::os_image::selector::{Selectable, Selected, SelectorTerm, choose};
use crate::release::named;
use crate::sylva::{
    ADDITIONAL_SELECTORS, IMAGES, K8S_VERSION, K8S_VERSION_SHORT, REGISTRIES, REGISTRY_FIELD,
};
use crate::values::{ENABLING, KeyPath, Rendered};

/// Judges a deployment.
pub(super) fn judge(deployment: &CheckedDeployment<'_>, shelf: &ImageShelf, notes: &mut Notes) {
    if deployment.extent != Extent::Part {
        registries(deployment, notes);
        kubernetes(deployment, notes);
    }
    if deployment.extent != Extent::Laid {
        additional_selectors(deployment, shelf, notes);
    }
}

/// Entries that become images, and whose registry is not there. Without any registry the values are no chart's.
fn registries(deployment: &CheckedDeployment<'_>, notes: &mut Notes) {
    let values = deployment.values();
    let known = values.mapping(&path(&[REGISTRIES])).unwrap_or_default();
    let known: BTreeSet<&str> = known.into_iter().map(|(name, _)| name.as_str()).collect();
    let help = format!("it has {}", named(&known));
    let (mapping, Some(listed)) = (path(&[IMAGES[1]]), deployment.listed()) else { return };
    let entries = values.mapping(&mapping).unwrap_or_default();
    // Charts in which an entry may name no registry make images only of those that say so.
    let all_name_theirs = entries.iter().all(|(_, entry)| entry.get(REGISTRY_FIELD).is_some());
    let says_so = |entry: &Value| ENABLING.iter().any(|flag| entry.get(*flag).is_some());
    let is_image = |key: &str| values.resolve(key).is_ok_and(|key| listed.get(&key) == Some(&true));
    for (key, entry) in entries {
        if entry.get(REGISTRY_FIELD).is_none() || !(all_name_theirs || says_so(entry)) {
            continue;
        }
        let at = mapping.below(&[key, REGISTRY_FIELD]);
        let Ok(Some(name)) = values.text(&at) else { continue };
        if known.is_empty() || name.is_empty() || known.contains(name.as_str()) || !is_image(key) {
            continue;
        }
        let message = format!("`{key}` names the registry `{name}`, which {REGISTRIES} does not have");
        find(deployment, Id::UnknownRegistry, &at, message, Some(help.clone()), notes);
    }
}

/// The chart looks the version up by the minor, and fails where there is none.
fn kubernetes(deployment: &CheckedDeployment<'_>, notes: &mut Notes) {
    let values = deployment.values();
    let Err(error) = values.text(&path(&["cluster", K8S_VERSION])) else { return };
    let problem = crate::os_image::Problem::from(error);
    if problem.is_helms_refusal() {
        let short = path(&[K8S_VERSION_SHORT]);
        let at = if values.at(&short).is_some() { short } else { problem.at.clone() };
        let message = format!("no Kubernetes version is defined ({})", problem.wrong);
        let help = "name a minor of _internal.k8s_version_map, or set cluster.k8s_version".to_owned();
        find(deployment, Id::UndefinedKubernetesVersion, &at, message, Some(help), notes);
    }
}

/// Each is there to let images be served.
fn additional_selectors(deployment: &CheckedDeployment<'_>, shelf: &ImageShelf, notes: &mut Notes) {
    let (values, all) = (deployment.values(), path(&[ADDITIONAL_SELECTORS]));
    if shelf.images.is_empty() {
        return;
    }
    for (name, selector) in values.mapping(&all).unwrap_or_default() {
        let at = all.below(&[name]);
        if !notes.may_compare(shelf.images.len()) {
            notes.skip(Id::ServedSelector, deployment.key_place(&at), TOO_MANY);
            continue;
        }
        let Some(conditions) = conditions(values, selector, &at) else { continue };
        let conditions = conditions.iter().map(|(key, condition)| (key.as_str(), condition)).collect();
        let images: Vec<&Selectable> = shelf.images.iter().map(|image| &image.candidate).collect();
        if let Selected::None { hint } = choose(&conditions, &images, shelf.is_open) {
            let message = "the selector matches no listed image, so that none is served for it".to_owned();
            find(deployment, Id::ServedSelector, &at, message, hint, notes);
        }
    }
}

/// The conditions of a selector; one that cannot be told may match anything.
fn conditions(
    values: Rendered<'_>,
    selector: &Value,
    at: &KeyPath,
) -> Option<BTreeMap<String, SelectorTerm>> {
    let condition = |(key, value): (&String, &Value)| match value {
        Value::Bool(flag) => (key.clone(), SelectorTerm::new(&flag.to_string())),
        _ => {
            let text = values.text(&at.below(&[key])).ok().flatten();
            (key.clone(), text.map_or(SelectorTerm::Unknown, |text| SelectorTerm::new(&text)))
        }
    };
    let written = selector.as_object()?.iter().filter(|(key, _)| !key.starts_with("_use_extra_keys"));
    Some(written.map(condition).collect())
}

fn find(
    deployment: &CheckedDeployment<'_>,
    id: Id,
    at: &KeyPath,
    message: String,
    help: Option<String>,
    notes: &mut Notes,
) {
    let place = deployment.value_place(at);
    let subject = place.key.0.join(".");
    deployment.find(PendingFinding { id, place, subject, message, help, fix: None }, notes);
}

fn path(keys: &[&str]) -> KeyPath {
    KeyPath::default().below(keys)
}
