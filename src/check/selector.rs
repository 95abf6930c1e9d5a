//! Image selectors: does each choose exactly one of the listed images.
//!
//! What the machines of a role do not say comes from the cluster. A value that only Helm knows narrows the choice in a
//! way that nobody knows here: then none is still none, and several may be one.

use std::collections::{BTreeMap, BTreeSet};

use super::images::Shelf;
use super::notes::{Note, Notes};
use super::places::{deployments, key_place};
use super::{Id, Read};
use crate::os_image::cluster::{IMAGE_KEYS, Role, SELECTOR, Scope, is_in_cluster, is_template};
use crate::os_image::selector::{Candidate, Condition, EXTRA_KEYS, KEYS, Outcome, choose, defaults};
use crate::sylva::{BOOTSTRAP_PROVIDER, K8S_VERSION, MACHINE_IMAGE_URL};
use crate::values::Field;

/// The selectors of one cluster for one infrastructure.
type Selectors<'r, 'a> = BTreeMap<Role<'a>, Selector<'r, 'a>>;

/// A selector as it is written.
struct Selector<'r, 'a> {
    field: &'r Field<'a>,
    conditions: BTreeMap<&'a str, Condition>,
}

/// Judges every selector of a file.
pub(super) fn judge(read: &Read<'_>, shelf: &Shelf, notes: &mut Notes) {
    let mut clusters: BTreeMap<(Vec<&str>, Option<&str>), Selectors<'_, '_>> = BTreeMap::new();
    for (i, field) in read.fields.iter().enumerate() {
        let Some((&SELECTOR, above)) = field.path.split_last() else { continue };
        // A template, or nothing.
        if !is_in_cluster(above) || field.text.is_some() {
            if field.text.is_some_and(is_template) {
                notes.skip(Id::Selector, key_place(read, field), "it is a template");
            }
            continue;
        }
        let scope = Scope::of(above);
        let conditions = conditions(read, i, notes);
        let selectors = clusters.entry((scope.cluster, scope.infrastructure)).or_default();
        selectors.insert(scope.role, Selector { field, conditions });
    }
    if shelf.images.is_empty() {
        return;
    }
    for ((cluster, infrastructure), selectors) in &clusters {
        judge_cluster(read, cluster, *infrastructure, selectors, shelf, notes);
    }
}

/// The conditions of the selector at `fields[at]`, whose own fields follow it.
fn conditions<'a>(read: &Read<'a>, at: usize, notes: &mut Notes) -> BTreeMap<&'a str, Condition> {
    let selector = &read.fields[at];
    let own = read.fields[at + 1..].iter().take_while(|field| field.path.starts_with(&selector.path));
    let own: Vec<&Field<'a>> = own.filter(|field| field.path.len() == selector.path.len() + 1).collect();
    let has_extra = own.iter().any(|field| field.path.last() == Some(&EXTRA_KEYS));
    let mut conditions = BTreeMap::new();
    for field in own {
        let Some(key) = field.path.last().copied() else { continue };
        if !has_extra && !KEYS.contains(&key) {
            let message = format!("a selector has no `{key}` (it has {})", KEYS.join(", "));
            notes.find(note(read, field, message, None));
        } else if key != EXTRA_KEYS {
            conditions.insert(key, condition(read, field, key, notes));
        }
    }
    conditions
}

fn condition(read: &Read<'_>, field: &Field<'_>, key: &str, notes: &mut Notes) -> Condition {
    let text = match field.text {
        Some(text) if !is_template(text) => text,
        _ => {
            notes.skip(Id::Selector, key_place(read, field), "it is a template");
            return Condition::Unknown;
        }
    };
    if !field.quoted && text.parse::<f64>().is_ok() {
        let message = format!("`{key}` is a number, and a selector wants a text");
        notes.find(note(read, field, message, Some(format!("write \"{text}\""))));
        return Condition::Unknown;
    }
    // Which name the chart gives its registries is not known here.
    if key == "oci-image-registry-key" && text != ".*" {
        return Condition::Unknown;
    }
    let condition = Condition::new(if field.quoted { text } else { boolean(text) });
    if matches!(condition, Condition::Unknown) {
        notes.skip(Id::Selector, key_place(read, field), "its regular expression cannot be read here");
    }
    condition
}

/// Booleans as Helm's reader (YAML 1.1) has them.
fn boolean(text: &str) -> &str {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => "true",
        "false" | "no" | "off" | "n" => "false",
        _ => text,
    }
}

fn judge_cluster(
    read: &Read<'_>,
    cluster: &[&str],
    infrastructure: Option<&str>,
    selectors: &Selectors<'_, '_>,
    shelf: &Shelf,
    notes: &mut Notes,
) {
    let defaults = defaults_of(read, cluster);
    let images: Vec<&Candidate> = shelf.images.iter().map(|image| &image.candidate).collect();
    let deployments = deployments(&read.fields, cluster);
    let deployments =
        deployments.iter().map(|name| vec![Role::All, Role::AnyDeployment, Role::Deployment(name)]);
    let any = deployments.len() == 0;
    let chains = std::iter::once(vec![Role::All, Role::ControlPlane]).chain(deployments);
    let chains = chains.chain(any.then(|| vec![Role::All, Role::AnyDeployment]));
    let mut judged = BTreeSet::new();
    for chain in chains {
        let written: Vec<&Selector<'_, '_>> = chain.iter().filter_map(|role| selectors.get(role)).collect();
        let Some(last) = written.last() else { continue };
        // An image that is named for fewer machines than the selector is for takes its place.
        let mut narrower = chain.iter().rev().take_while(|role| !selectors.contains_key(role));
        let named = narrower.any(|role| has_image_key(read, cluster, infrastructure, *role));
        if named || !judged.insert(written.iter().map(|selector| selector.field.key_at).collect::<Vec<_>>()) {
            continue;
        }
        let mut effective: BTreeMap<&str, &Condition> = defaults.iter().map(|(key, c)| (*key, c)).collect();
        effective.extend(written.iter().flat_map(|selector| &selector.conditions).map(|(key, c)| (*key, c)));
        report(read, last.field, choose(&effective, &images, shelf.is_open), notes);
    }
}

/// What every selector of a cluster gets unless it has its own.
fn defaults_of(read: &Read<'_>, cluster: &[&str]) -> BTreeMap<&'static str, Condition> {
    let text = |below: &[&str]| {
        let at = |path: &[&str]| path.strip_prefix(cluster) == Some(below);
        let field = read.fields.iter().find(|field| at(&field.path))?;
        field.text.filter(|text| !text.is_empty() && !is_template(text))
    };
    defaults(text(&[K8S_VERSION]), text(&BOOTSTRAP_PROVIDER))
}

/// Whether an image is named outright for these machines: then no selector chooses.
fn has_image_key(read: &Read<'_>, cluster: &[&str], infrastructure: Option<&str>, role: Role<'_>) -> bool {
    read.fields.iter().any(|field| {
        let Some((name, above)) = field.path.split_last() else { return false };
        let chooses = IMAGE_KEYS.contains(name) || *name == MACHINE_IMAGE_URL;
        let set = field.text.is_some_and(|text| !matches!(text, "" | "~" | "null"));
        let scope = Scope::of(above);
        chooses
            && set
            && scope.role == role
            && scope.cluster == cluster
            && scope.infrastructure == infrastructure
    })
}

fn report(read: &Read<'_>, field: &Field<'_>, outcome: Outcome, notes: &mut Notes) {
    match outcome {
        Outcome::One(_) => {}
        Outcome::None { hint } => {
            notes.find(note(read, field, "the selector matches no listed image".to_owned(), hint));
        }
        Outcome::Several(images) => {
            let message = format!("the selector matches {} listed images", images.len());
            let names: Vec<String> = images.iter().map(|key| format!("`{key}`")).collect();
            notes.find(note(read, field, message, Some(format!("they are {}", names.join(", ")))));
        }
        Outcome::Unknown(why) => notes.skip(Id::Selector, key_place(read, field), why),
    }
}

fn note(read: &Read<'_>, field: &Field<'_>, message: String, help: Option<String>) -> Note {
    let (place, subject) = (key_place(read, field), field.path.join("."));
    Note { id: Id::Selector, place, subject, message, help, fix: None }
}
