//! Where a new entry stands, and whose value it copies.

use std::cell::{LazyCell, OnceCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::Ownership;
use super::listing::{Item, Listing};
use super::pairing::EntryAction;
use crate::release::pairing::compare_k8s;
use crate::release::{Artifact, Facets, Family};
use crate::sylva::REGISTRY_FIELD;
use crate::values::{Change, ENABLING, NewValue};

/// A new entry's place among the entries of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The entry before which it stands; the number of entries for the end.
    before: usize,
    /// Whether it stands below the comments of that entry.
    below_comments: bool,
    /// 0 where it follows its family, 1 where it precedes a neighbour, 2 where its family is new.
    turn: u8,
}

/// The insertions for `added`, which come by family and from the newest Kubernetes down, in the order of the file.
pub(super) fn inserts<'a>(
    listing: &Listing<'_>,
    fates: &[EntryAction],
    added: &[&'a Artifact],
    ownership: &Ownership,
) -> Vec<(Change, &'a Artifact)> {
    let families = families(listing, fates);
    let mut placed: Vec<(Place, &Artifact, Option<&Layout<'_>>)> = Vec::new();
    for artifact in added {
        let layout = artifact.facets.as_ref().and_then(|facets| families.get(&facets.family()));
        let place = match (layout, &artifact.facets) {
            (Some(layout), Some(facets)) => layout.place(facets),
            _ => Place { before: listing.mapping.entries.len(), below_comments: false, turn: 2 },
        };
        placed.push((place, artifact, layout));
    }
    let ascends = |layout: &Option<&Layout<'_>>| layout.is_some_and(|layout| layout.ascends);
    placed.sort_by(|(a, x, layout), (b, y, _)| {
        a.cmp(b).then_with(|| match (&x.facets, &y.facets) {
            (Some(x), Some(y)) if ascends(layout) && x.family() == y.family() => compare_k8s(x, y),
            _ => std::cmp::Ordering::Equal,
        })
    });
    let of_any = LazyCell::new(|| usual(ours(listing)));
    let value = |layout: Option<&Layout<'_>>| {
        let copied = layout.and_then(Layout::usual);
        copied.or_else(|| *of_any).map_or_else(|| demanded(ownership), NewValue::Like)
    };
    placed
        .into_iter()
        .map(|(place, artifact, layout)| (place.insert(listing, artifact, value(layout)), artifact))
        .collect()
}

/// The value of an entry that no other one of ours shows: charts look for its image in the registry that it names.
fn demanded(ownership: &Ownership) -> NewValue {
    let field = |name: &str| (REGISTRY_FIELD.to_owned(), name.to_owned());
    NewValue::Fields(ownership.of_new_entry().map(field).into_iter().collect())
}

/// How a family stands in the file.
struct Layout<'a> {
    items: Vec<&'a Item<'a>>,
    /// Those beside which a new entry may stand: what remains of the family, or where nothing remains, what goes.
    neighbours: Vec<&'a Item<'a>>,
    /// Of each neighbour and those before it what comes last in the family's order.
    reached: Vec<&'a Facets>,
    ascends: bool,
    usual: OnceCell<Option<usize>>,
}

fn families<'a>(listing: &'a Listing<'a>, fates: &[EntryAction]) -> BTreeMap<Family, Layout<'a>> {
    let mut families: BTreeMap<Family, Layout<'a>> = BTreeMap::new();
    for (item, fate) in listing.items.iter().zip(fates).filter(|(item, _)| item.is_ours()) {
        let Some(facets) = &item.facets else { continue };
        let layout = families.entry(facets.family()).or_insert_with(|| Layout {
            items: Vec::new(),
            neighbours: Vec::new(),
            reached: Vec::new(),
            ascends: false,
            usual: OnceCell::new(),
        });
        layout.items.push(item);
        if fate.remains() {
            layout.neighbours.push(item);
        }
    }
    for layout in families.values_mut() {
        if layout.neighbours.is_empty() {
            layout.neighbours.clone_from(&layout.items);
        }
        layout.ascends = ascends(&layout.items);
        layout.reached = layout.reached();
    }
    families
}

/// Whether the Kubernetes versions of a family go up from entry to entry.
fn ascends(items: &[&Item<'_>]) -> bool {
    let facets: Vec<&Facets> = items.iter().filter_map(|item| item.facets.as_ref()).collect();
    let up = |pair: &[&Facets]| compare_k8s(pair[0], pair[1]).is_le();
    let rises = |pair: &[&Facets]| compare_k8s(pair[0], pair[1]).is_lt();
    facets.windows(2).all(up) && facets.windows(2).any(rises)
}

impl<'a> Layout<'a> {
    /// Before the first neighbour that comes later in the family's order, else behind its last.
    fn place(&self, facets: &Facets) -> Place {
        let later = self.reached.partition_point(|reached| !self.is_before(facets, reached));
        if let Some(neighbour) = self.neighbours.get(later) {
            // The comment above the first entry of a mapping or a family may be a heading.
            let heading = neighbour.entry == 0
                || self.items.first().is_some_and(|first| first.entry == neighbour.entry);
            return Place { before: neighbour.entry, below_comments: heading, turn: 1 };
        }
        let last = self.neighbours.last().map_or(0, |last| last.entry + 1);
        Place { before: last, below_comments: false, turn: 0 }
    }

    fn is_before(&self, one: &Facets, other: &Facets) -> bool {
        let (first, second) = if self.ascends { (one, other) } else { (other, one) };
        compare_k8s(first, second).is_lt()
    }

    fn reached(&self) -> Vec<&'a Facets> {
        let last = |last: &mut Option<&'a Facets>, item: &&'a Item<'a>| {
            let facets = item.facets.as_ref()?;
            *last = Some(last.filter(|last| !self.is_before(last, facets)).unwrap_or(facets));
            *last
        };
        self.neighbours.iter().scan(None, last).collect()
    }

    /// The entry whose value a new one copies.
    fn usual(&self) -> Option<usize> {
        *self.usual.get_or_init(|| usual(self.items.iter().copied()))
    }
}

impl Place {
    fn insert(self, listing: &Listing<'_>, artifact: &Artifact, value: NewValue) -> Change {
        let mapping = listing.mapping;
        Change::Insert {
            mapping: mapping.path.clone(),
            before: (self.before < mapping.entries.len()).then_some(self.before),
            above_comments: !self.below_comments,
            key: artifact.key.to_string(),
            value,
        }
    }
}

fn ours<'a>(listing: &'a Listing<'a>) -> impl Iterator<Item = &'a Item<'a>> {
    listing.items.iter().filter(|item| item.is_ours())
}

/// The entry with the most frequent value, where switches do not count; the first of several, one without switches
/// before others. An entry with an anchor or an alias is never copied.
fn usual<'a>(items: impl Iterator<Item = &'a Item<'a>>) -> Option<usize> {
    let mut values: HashMap<Value, Vec<&Item<'_>>> = HashMap::new();
    for item in items.filter(|item| !item.written.has_alias_or_anchor) {
        values.entry(without_switches(&item.written.value)).or_default().push(item);
    }
    let first = |same: &[&Item<'_>]| same.first().map(|item| item.entry);
    let (value, same) = values.into_iter().max_by_key(|(_, same)| (same.len(), Reverse(first(same))))?;
    let plain = same.iter().find(|item| item.written.value == value);
    plain.or(same.first()).map(|item| item.entry)
}

fn without_switches(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(fields) = &mut value {
        fields.retain(|name, _| !ENABLING.contains(&name.as_str()));
    }
    value
}
