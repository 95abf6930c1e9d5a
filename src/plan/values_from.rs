//! Values in the files that follow the Kubernetes versions of images by lists of others: which lists a plan needs, and what
//! they make of it.

use std::collections::BTreeMap;

use super::decided::Decided;
use super::{PlanError, Survey, kubernetes_versions};
use crate::check::KnownValue;
use crate::reconcile::kubernetes_versions::{
    BroughtVersions, ImagesBothSides, ImagesSide, KubernetesVersions, MapLines,
};
use crate::reconcile::values_from::{FollowedMap, ListAnswer, ListedValue, NoList, ValuesFrom, VersionMap};
use crate::release::hold::Hold;
use crate::release::{K8sVersion, Naming, Release};
use crate::values::{Document, KeyPath};

/// The lists that were read, by their URLs.
pub type Lists = BTreeMap<String, ListAnswer>;

/// The lists that are wanted, by their URLs, with what is to be taken from each.
pub type WantedLists = BTreeMap<String, Vec<ValuesFrom>>;

/// What the lists make of a plan.
pub(super) enum FollowedLists {
    /// What becomes of each file, and what the lists say.
    Followed(Vec<FollowedMap>, Vec<KnownValue>),
    /// They do not tell everything.
    Untold(Untold),
}

/// What a list that tells no value does to a plan.
pub(super) enum Untold {
    /// It holds it.
    Held(Box<Hold>),
    /// It cannot be told.
    Unknown(String),
}

/// The lists that plans of the same files need; none where nothing changes.
///
/// # Errors
/// A map that is not there, or none that can follow a list.
pub fn wanted_lists(members: &[Decided<'_>]) -> Result<WantedLists, PlanError> {
    let mut wanted = WantedLists::new();
    let Some(first) = members.first() else { return Ok(wanted) };
    for rule in first.input.values_from {
        must_have_map(first.input.survey, rule)?;
        let brought = brought(members, rule);
        for (_, version) in &brought.brought {
            wanted.entry(rule.url.of(version)).or_default().push(rule.clone());
        }
    }
    Ok(wanted)
}

/// Puts what lists say into the files. What a list does not tell holds the plan, unless a person accepted its releases.
pub(super) fn follow(members: &[Decided<'_>], lists: &Lists) -> Result<FollowedLists, PlanError> {
    let Some(first) = members.first() else { return Ok(FollowedLists::Followed(Vec::new(), Vec::new())) };
    let lines = match first.input.kubernetes_versions {
        KubernetesVersions::Auto(lines) => *lines,
        KubernetesVersions::Off | KubernetesVersions::Rules(_) => MapLines::default(),
    };
    let is_accepted = changing(members)
        .all(|member| member.input.to.is_some() || member.input.policy.accepts(member.keys.to()));
    let mut files: Vec<FollowedMap> = first.input.survey.files().map(|_| FollowedMap::default()).collect();
    let mut known = Vec::new();
    for rule in first.input.values_from {
        let brought = brought(members, rule);
        let mut told = Told::default();
        for (from, to) in &brought.brought {
            match told.listed(rule, (from.as_ref(), to), lists) {
                Ok(()) => {}
                Err(untold) if !is_accepted => return Ok(FollowedLists::Untold(untold)),
                Err(Untold::Held(hold)) => told.notes.push(stays(rule, &hold.to_string())),
                Err(Untold::Unknown(why)) => told.notes.push(stays(rule, &why)),
            }
        }
        told.notes.extend(brought.open.iter().map(|why| stays(rule, why)));
        for (file, followed) in first.input.survey.files().zip(&mut files) {
            let Some(map) = map(&file.path, &file.document, rule)? else { continue };
            let done = map.follow(&brought, &told.listed, lines);
            followed.changes.extend(done.changes);
            followed.set.extend(done.set);
            followed.notes.extend(done.notes);
        }
        if let Some(primary) = files.first_mut() {
            primary.notes.append(&mut told.notes);
        }
        known.extend(told.listed.into_iter().map(|listed| KnownValue {
            rule: rule.clone(),
            version: listed.to,
            value: listed.value,
        }));
    }
    Ok(FollowedLists::Followed(files, known))
}

/// The URLs of the lists of the images that files list now, each with the Kubernetes version that it is of. `listed` are the
/// producers of the files, each with the release that they name.
///
/// # Errors
/// A map that is not there, or none that can follow a list.
pub fn lists_of_now(
    listed: &[(&Survey, &Release, &Naming)],
    rule: &ValuesFrom,
) -> Result<Vec<(K8sVersion, String)>, PlanError> {
    let Some((survey, ..)) = listed.first() else { return Ok(Vec::new()) };
    must_have_map(survey, rule)?;
    let sides = listed.iter().map(|(survey, release, naming)| {
        let side = ImagesSide::new(Some(release), survey.own_keys(), [], naming);
        ImagesBothSides::new(side.clone(), side)
    });
    let images = sides.reduce(ImagesBothSides::beside);
    let versions = images.map(|images| images.brought(&rule.k8s_flavor).stay).unwrap_or_default();
    Ok(versions.into_iter().map(|version| (version.clone(), rule.url.of(&version))).collect())
}

/// What the lists of one rule tell.
#[derive(Default)]
struct Told {
    listed: Vec<ListedValue>,
    notes: Vec<String>,
}

impl Told {
    fn listed(
        &mut self,
        rule: &ValuesFrom,
        (from, to): (Option<&K8sVersion>, &K8sVersion),
        lists: &Lists,
    ) -> Result<(), Untold> {
        let url = rule.url.of(to);
        let of_list = |why: &dyn std::fmt::Display| format!("{url}, the list of Kubernetes {to}: {why}");
        let held = |why: &dyn std::fmt::Display| {
            Untold::Held(Box::new(Hold::NoValue { map: rule.to.to_string(), reason: of_list(why) }))
        };
        let list = match lists.get(&url) {
            Some(Ok(list)) => list,
            Some(Err(NoList::Unusable(why))) => return Err(held(why)),
            Some(Err(NoList::Unread(why))) => return Err(Untold::Unknown(of_list(why))),
            Some(Err(NoList::NotAsked)) | None => {
                self.notes.push(stays(rule, &format!("{url} was not asked for Kubernetes {to}")));
                return Ok(());
            }
        };
        let value = list.value(rule).map_err(|why| held(&why))?.to_owned();
        let (from, digest) = (from.cloned(), list.digest.clone());
        self.listed.push(ListedValue { from, to: to.clone(), value, url, digest });
        Ok(())
    }
}

fn stays(rule: &ValuesFrom, why: &str) -> String {
    format!("`{}` does not follow its list: {why}", rule.to)
}

fn changing<'m, 'a>(members: &'m [Decided<'a>]) -> impl Iterator<Item = &'m Decided<'a>> {
    members.iter().filter(|member| member.keys.is_change())
}

/// The Kubernetes versions that plans bring; none where nothing changes, or nothing may follow.
fn brought(members: &[Decided<'_>], rule: &ValuesFrom) -> BroughtVersions {
    if changing(members).next().is_none() {
        return BroughtVersions::default();
    }
    let images = kubernetes_versions::of_all(members.iter().map(Decided::listing));
    images.map(|images| images.brought(&rule.k8s_flavor)).unwrap_or_default()
}

fn map<'d>(
    path: &'d str,
    document: &'d Document,
    rule: &ValuesFrom,
) -> Result<Option<VersionMap<'d>>, PlanError> {
    let map = VersionMap::read(path, document, &rule.to);
    map.map_err(|error| PlanError::Map { path: path.to_owned(), to: rule.to.clone(), error: Box::new(error) })
}

/// The map of a rule stands in one of the files at least.
fn must_have_map(survey: &Survey, rule: &ValuesFrom) -> Result<(), PlanError> {
    let mut is_there = false;
    for file in survey.files() {
        is_there |= map(&file.path, &file.document, rule)?.is_some();
    }
    if is_there {
        return Ok(());
    }
    let file = &survey.primary;
    let above = (0..rule.to.0.len()).rev().map(|keys| KeyPath(rule.to.0[..keys].to_vec()));
    let nearest = above.filter(|path| !path.0.is_empty());
    let found = nearest.filter_map(|path| Some((file.document.key_at(&path)?, path))).next();
    Err(PlanError::NoMap { path: file.path.clone(), to: rule.to.clone(), found: found.map(Box::new) })
}
