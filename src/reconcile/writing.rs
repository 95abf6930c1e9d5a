//! Fates and new entries as changes and as a report.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::Value;

use super::listing::{Item, Listing};
use super::pairing::EntryAction;
use super::placement::inserts;
use super::{
    Added, Because, Dead, Departure, Images, Note, Ownership, Reconciliation, Refusal, Removed, Renamed,
};
use crate::release::{Artifact, Existence, Facets, Family, ImageKey, Version};
use crate::values::{Change, ENABLING, Entry};

/// A report without changes, which says what is left alone.
pub(super) fn blank(
    listing: &Listing<'_>,
    version: Version,
    policy: Images,
    because: Because,
) -> Reconciliation {
    Reconciliation {
        version,
        policy,
        because,
        changes: Vec::new(),
        version_may_move: true,
        kept: Vec::new(),
        renamed: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
        os_changes: Vec::new(),
        moved_defaults: Vec::new(),
        suggested: Vec::new(),
        foreign: listing.foreign.clone(),
        templates: listing.templates.clone(),
        dead: Vec::new(),
        notes: Vec::new(),
    }
}

/// The report of a pass that changes nothing; of an unknown release no key is called dead.
pub(super) fn unchanged(
    mut blank: Reconciliation,
    listing: &Listing<'_>,
    is_unknown: bool,
    note: Note,
) -> Reconciliation {
    for item in &listing.items {
        if is_unknown || item.existence == Existence::Exists {
            blank.kept.push(item.listed());
        } else {
            let proven = item.existence == Existence::Absent;
            blank.dead.push(Dead { key: item.written.key.clone(), at: item.written.at, proven });
        }
    }
    blank.version_may_move = !is_unknown && blank.dead.is_empty();
    blank.notes.push(note);
    blank
}

/// The report of a pass that changes nothing because these items would be left dead. What is proven to take the place of
/// others does not do so yet: they stay.
pub(super) fn held(mut blank: Reconciliation, listing: &Listing<'_>, stuck: &[&Item<'_>]) -> Reconciliation {
    let stuck: HashSet<usize> = stuck.iter().map(|item| item.entry).collect();
    for item in &listing.items {
        if stuck.contains(&item.entry) {
            let proven = item.existence == Existence::Absent;
            blank.dead.push(Dead { key: item.written.key.clone(), at: item.written.at, proven });
        } else {
            blank.kept.push(item.listed());
        }
    }
    blank.version_may_move = false;
    blank.notes.push(Note::Holds { version: blank.version.clone() });
    blank
}

/// Fills a report with the changes that the fates and the new entries ask for. `removes` says whether anything may go.
pub(super) fn write(
    blank: Reconciliation,
    listing: &Listing<'_>,
    fates: &[EntryAction],
    added: &[&Artifact],
    ownership: &Ownership,
    removes: bool,
) -> Result<Reconciliation, Refusal> {
    let families = added.iter().filter_map(|a| a.facets.as_ref()).map(Facets::family).collect();
    let listed_families = listed_families(listing, fates);
    let mut pass = Pass { listing, fates, listed_families, new_families: families, result: blank };
    pass.renames(!removes);
    if removes {
        pass.removals()?;
    }
    pass.switches();
    for (change, artifact) in inserts(listing, fates, added, ownership) {
        let line = artifact.facets.as_ref().map(Facets::line);
        pass.result.changes.push(change);
        pass.result.added.push(Added { key: artifact.key.clone(), line });
    }
    let listed = listing.mapping.entries.len();
    if listed > 0 && listed + pass.result.added.len() == pass.result.removed.len() {
        return Err(Refusal::EmptiesTheMapping { version: pass.result.version, listed });
    }
    Ok(pass.result)
}

/// Of each family the entry that is its first, and whether any remains.
fn listed_families(listing: &Listing<'_>, fates: &[EntryAction]) -> BTreeMap<Family, (usize, bool)> {
    let mut families = BTreeMap::new();
    for (item, fate) in listing.items.iter().zip(fates) {
        let Some(facets) = &item.facets else { continue };
        let (_, remains) = families.entry(facets.family()).or_insert((item.entry, false));
        *remains |= fate.remains();
    }
    families
}

struct Pass<'a> {
    listing: &'a Listing<'a>,
    fates: &'a [EntryAction],
    listed_families: BTreeMap<Family, (usize, bool)>,
    /// The families that get new entries.
    new_families: BTreeSet<Family>,
    result: Reconciliation,
}

impl Pass<'_> {
    /// Renames entries. Where a key is written twice and nothing may be removed, the second is renamed like the first.
    fn renames(&mut self, repeats_too: bool) {
        let mut repeats: HashMap<usize, Vec<usize>> = HashMap::new();
        for (entry, of) in self.listing.repeats.iter().filter(|_| repeats_too) {
            repeats.entry(*of).or_default().push(*entry);
        }
        for (i, (item, fate)) in self.listing.items.iter().zip(self.fates).enumerate() {
            match fate {
                EntryAction::Stays => self.result.kept.push(item.listed()),
                EntryAction::Becomes(to, facets) => {
                    self.rename(item, to, facets.as_ref());
                    for entry in repeats.remove(&i).into_iter().flatten() {
                        self.result.changes.push(self.renaming(entry, to));
                    }
                }
                EntryAction::Leaves(_) | EntryAction::Dead => {}
            }
        }
    }

    fn rename(&mut self, item: &Item<'_>, to: &ImageKey, after: Option<&Facets>) {
        let both = item.facets.as_ref().zip(after).filter(|(a, b)| !a.same_os_release(b));
        self.result.renamed.push(Renamed {
            from: item.written.key.clone(),
            to: to.clone(),
            line: item.facets.as_ref().map(Facets::line),
            os_release: both.map(|(a, b)| (a.os_release.to_string(), b.os_release.to_string())),
            at: item.written.at,
        });
        self.result.changes.push(self.renaming(item.entry, to));
    }

    fn renaming(&self, entry: usize, to: &ImageKey) -> Change {
        Change::Rename { mapping: self.listing.mapping.path.clone(), entry, to: to.to_string() }
    }

    fn removals(&mut self) -> Result<(), Refusal> {
        let leaving = self.listing.items.iter().zip(self.fates).filter_map(|(item, fate)| match fate {
            EntryAction::Leaves(why) => Some((item.entry, item, why.clone(), !self.heads_others(item))),
            _ => None,
        });
        let repeats = self.listing.repeats.iter().filter_map(|&(entry, item)| {
            let item = &self.listing.items[item];
            let why = Departure::Repeated { first: item.written.at };
            item.is_ours().then_some((entry, item, why, false))
        });
        let mut all: Vec<_> = leaving.chain(repeats).collect();
        all.sort_by_key(|(entry, ..)| *entry);
        all.into_iter().try_for_each(|(entry, item, why, with_comments)| {
            self.remove(entry, item.facets.as_ref(), why, with_comments)
        })
    }

    /// Whether the comment above an entry may be a heading: it is the first of the mapping, or the first of a family
    /// of which others remain or come.
    fn heads_others(&self, item: &Item<'_>) -> bool {
        let Some(family) = item.facets.as_ref().map(Facets::family) else {
            return item.entry == 0;
        };
        let (first, remains) = self.listed_families.get(&family).copied().unwrap_or((item.entry, false));
        let (is_first, others) = (first == item.entry, remains || self.new_families.contains(&family));
        item.entry == 0 || is_first && others
    }

    fn remove(
        &mut self,
        entry: usize,
        facets: Option<&Facets>,
        why: Departure,
        with_comments_above: bool,
    ) -> Result<(), Refusal> {
        let written = &self.listing.mapping.entries[entry];
        let (key, at) = (written.key.clone(), written.at);
        if written.anchor_used_elsewhere {
            return Err(Refusal::AnchorUsedElsewhere { key, at });
        }
        if written.comment_above && !with_comments_above {
            self.result.notes.push(Note::CommentStays { key: key.clone(), at });
        }
        let mapping = self.listing.mapping.path.clone();
        self.result.changes.push(Change::Remove { mapping, entry, with_comments_above });
        let (line, enabled) = (facets.map(Facets::line), !switches(written).is_empty());
        self.result.removed.push(Removed { key, line, why, enabled, at });
        Ok(())
    }

    /// What enables a superseded entry moves to the one that superseded it, unless that is enabled in the same way.
    fn switches(&mut self) {
        let mut moved: BTreeSet<(usize, &str)> = BTreeSet::new();
        let all = || self.listing.items.iter().zip(self.fates);
        // Of equal keys the first counts.
        let heirs: HashMap<&ImageKey, &Item<'_>> =
            all().rev().filter_map(|(item, fate)| Some((fate.key_after(item)?, item))).collect();
        for (item, fate) in all() {
            let EntryAction::Leaves(Departure::Superseded { by }) = fate else { continue };
            let Some(heir) = heirs.get(by) else { continue };
            let there = switches(heir.written);
            let news = switches(item.written)
                .into_iter()
                .filter(|switch| !there.contains(switch) && moved.insert((heir.entry, switch)))
                .count();
            if news > 0 {
                let mapping = self.listing.mapping.path.clone();
                self.result.changes.push(Change::Enable { mapping, from: item.entry, to: heir.entry });
            }
        }
    }
}

/// The keys by which an entry's value enables it.
fn switches(entry: &Entry) -> Vec<&'static str> {
    ENABLING.into_iter().filter(|switch| entry.value.get(switch) == Some(&Value::Bool(true))).collect()
}
