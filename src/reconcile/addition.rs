//! Which artifacts are added to a mapping, and which are only suggested.

use std::collections::HashSet;
use std::fmt;

use super::listing::Listing;
use super::pairing::EntryAction;
use super::policy::not_read;
use super::{Images, Inputs, Note, Suggested, Unlisted};
use crate::release::pairing::{compare_k8s, compare_os_releases};
use crate::release::{Artifact, Coverage, Facets, ImageKey, OfFamily, OfLine, Release};

/// What is added, what is suggested, and what is to be said about it.
#[derive(Debug, Default)]
pub(super) struct Additions<'a> {
    /// To be added, by family and from the newest Kubernetes down.
    pub(super) added: Vec<&'a Artifact>,
    /// To be suggested, in the same order.
    pub(super) suggested: Vec<Suggested>,
    /// What is to be said.
    pub(super) notes: Vec<Note>,
}

/// Decides about every artifact of the wanted release that no entry has.
pub(super) fn additions<'a>(
    inputs: &Inputs<'a>,
    listing: &Listing<'_>,
    fates: &[EntryAction],
    policy: Images,
) -> Additions<'a> {
    let unknown = unknown(inputs.current);
    let mut result =
        Additions { notes: notes(policy, inputs.wanted, unknown.as_deref()), ..Additions::default() };
    let kept: HashSet<&ImageKey> =
        listing.items.iter().zip(fates).filter_map(|(item, fate)| fate.key_after(item)).collect();
    let unlisted = inputs.wanted.artifacts.values().filter(|artifact| !kept.contains(&artifact.key));
    let unlisted = in_order(unlisted);
    // Where nothing is listed and nothing is to be added, all that is published is no news.
    if unlisted.is_empty() || (policy == Images::Listed && listing.items.is_empty()) {
        return result;
    }
    let choice = Choice::new(inputs, listing, fates, policy, unknown.is_none());
    for artifact in unlisted {
        if listing.is_taken(artifact.key.as_str()) {
            if policy == Images::All {
                result.notes.push(Note::KeyTaken { key: artifact.key.clone() });
            }
            continue;
        }
        match choice.unlisted(artifact) {
            None => result.added.push(artifact),
            Some(why) => {
                let line = artifact.facets.as_ref().map(Facets::line);
                result.suggested.push(Suggested { key: artifact.key.clone(), line, why });
            }
        }
    }
    result
}

/// Why nothing can be told to be new.
fn unknown(current: Option<&Release>) -> Option<String> {
    match current {
        None => Some("the file names no release to compare with".to_owned()),
        Some(release) => {
            not_read(release).map(|why| format!("{} is not completely known ({why})", release.version))
        }
    }
}

fn notes(policy: Images, wanted: &Release, unknown: Option<&str>) -> Vec<Note> {
    match (&wanted.coverage, unknown) {
        (Coverage::Partial { reason }, _) => {
            vec![Note::InPart { version: wanted.version.clone(), reason: reason.clone() }]
        }
        (_, Some(reason)) if policy == Images::Follow => {
            vec![Note::AddsNothing { reason: reason.to_owned() }]
        }
        _ => Vec::new(),
    }
}

/// What the choice of new entries rests on.
struct Choice<'a> {
    policy: Images,
    /// Whether it can be told what is new.
    tells_new: bool,
    wanted_is_complete: bool,
    families: HashSet<OfFamily<'a>>,
    listed: HashSet<OfLine<'a>>,
    old: HashSet<OfLine<'a>>,
}

impl<'a> Choice<'a> {
    fn new(
        inputs: &Inputs<'a>,
        listing: &'a Listing<'_>,
        fates: &[EntryAction],
        policy: Images,
        tells_new: bool,
    ) -> Self {
        let facets = || listing.items.iter().zip(fates).filter_map(|(i, f)| Some((i.facets.as_ref()?, f)));
        let old = inputs.current.filter(|_| !matches!(policy, Images::All | Images::Listed));
        Self {
            policy,
            tells_new,
            wanted_is_complete: inputs.wanted.is_complete(),
            families: facets().map(|(facets, _)| facets.of_line().family()).collect(),
            listed: facets().filter(|(_, fate)| fate.remains()).map(|(facets, _)| facets.of_line()).collect(),
            old: old.into_iter().flat_map(Release::of_lines).collect(),
        }
    }

    /// Why an artifact is not added; `None` where it is.
    fn unlisted(&self, artifact: &Artifact) -> Option<Unlisted> {
        let line = artifact.facets.as_ref().map(Facets::of_line);
        match (self.policy, line) {
            (Images::Listed, _) => Some(Unlisted::NothingIsAdded),
            _ if !self.wanted_is_complete => Some(Unlisted::NotKnown),
            (Images::All, _) => None,
            (_, None) => Some(Unlisted::OtherFamily),
            (_, Some(line)) if !self.families.contains(&line.family()) => Some(Unlisted::OtherFamily),
            (_, Some(line)) if self.listed.contains(&line) => Some(Unlisted::LineIsListed),
            _ if !self.tells_new => Some(Unlisted::NotKnown),
            (_, Some(line)) => self.old.contains(&line).then_some(Unlisted::LeftOut),
        }
    }
}

/// Artifacts by family (os, flavor, k8s flavor by the alphabet), from the newest Kubernetes and OS release down;
/// those of which nothing is known last, by name.
fn in_order<'a>(artifacts: impl Iterator<Item = &'a Artifact>) -> Vec<&'a Artifact> {
    let mut artifacts: Vec<&Artifact> = artifacts.collect();
    artifacts.sort_by(|a, b| match (&a.facets, &b.facets) {
        (Some(x), Some(y)) => (x.of_line().family().cmp(&y.of_line().family()))
            .then_with(|| compare_k8s(y, x))
            .then_with(|| compare_os_releases(&y.os_release, &x.os_release)),
        (x, y) => y.is_some().cmp(&x.is_some()),
    });
    artifacts
}

impl fmt::Display for Unlisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::NothingIsAdded => "the policy `listed` adds nothing",
            Self::OtherFamily => "its family is not listed",
            Self::LeftOut => "its series was there before and is not listed",
            Self::LineIsListed => "another key of its series is listed",
            Self::NotKnown => "it is not known whether its series is new",
        })
    }
}
