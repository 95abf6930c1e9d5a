//! The changes to one mapping put together: which entries it will have, in which order.
//! Text and check are both made from this, and from nothing of each other.

use std::collections::BTreeMap;

use super::planned_texts::PlannedTexts;
use super::tree::{Kind, Pair};
use super::{Change, Document, ENABLING, EditError, KeyPath, NewValue};

/// What becomes of one mapping.
#[derive(Debug)]
pub(crate) struct MappingPlan<'a> {
    pub(crate) path: &'a KeyPath,
    /// The key at the path, and the mapping.
    pub(crate) owner: Pair,
    /// The entries as they are.
    pub(crate) pairs: Vec<Pair>,
    pub(crate) renamed: BTreeMap<usize, &'a str>,
    /// Entries that go; whether with the comments above.
    pub(crate) removed: BTreeMap<usize, bool>,
    /// New entries, in the order in which they will stand.
    pub(crate) inserted: Vec<NewEntry<'a>>,
    /// Pairs of another entry that an entry gets.
    pub(crate) enabled: BTreeMap<usize, Vec<Pair>>,
}

/// A new entry.
#[derive(Debug, Clone)]
pub(crate) struct NewEntry<'a> {
    /// The index of the entry that it stands before; the number of entries for the end.
    pub(crate) before: usize,
    /// Whether above that entry's comments; `false` where it has none.
    pub(crate) above_comments: bool,
    pub(crate) key: &'a str,
    pub(crate) value: PlannedValue<'a>,
}

/// The value of a new entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PlannedValue<'a> {
    /// That of another entry.
    Like(Pair),
    /// The text of another entry with these words replaced.
    Reworded(Pair, &'a [(String, String)]),
    /// Fields of its own.
    Fields(&'a [(String, String)]),
}

impl PlannedValue<'_> {
    /// The entry whose value is copied.
    pub(crate) fn like(&self) -> Option<Pair> {
        match self {
            Self::Like(pair) | Self::Reworded(pair, _) => Some(*pair),
            Self::Fields(_) => None,
        }
    }
}

/// An entry of the mapping as it will be.
#[derive(Debug)]
pub(crate) enum PlannedEntry<'p> {
    /// One that is there, perhaps with another key and with pairs added in front of its value.
    Kept { pair: Pair, renamed: Option<&'p str>, enabled: &'p [Pair] },
    /// A new one.
    New { key: &'p str, value: PlannedValue<'p> },
}

/// Everything that will be different.
#[derive(Debug, Default)]
pub(crate) struct Plans<'a> {
    pub(crate) mappings: Vec<MappingPlan<'a>>,
    /// New values by the key and value that they replace.
    pub(crate) scalars: Vec<(&'a KeyPath, Pair, &'a str)>,
    /// Scalars that change by themselves.
    pub(crate) texts: PlannedTexts<'a>,
}

impl<'a> Plans<'a> {
    pub(crate) fn new(document: &Document, changes: &'a [Change]) -> Result<Self, EditError> {
        let mut plans = Self::default();
        for change in changes {
            match change {
                Change::SetScalar { path, value } => {
                    document.scalar(path)?;
                    let pair = only_pair(document, path)?;
                    plans.scalars.push((path, pair, value));
                }
                Change::SetText { text, value } => plans.texts.set(document, *text, value)?,
                Change::ReplaceParts { text, parts } => plans.texts.replace(document, *text, parts)?,
                Change::Rename { mapping, .. }
                | Change::Remove { mapping, .. }
                | Change::Insert { mapping, .. }
                | Change::Enable { mapping, .. } => {
                    plans.mapping(document, mapping)?.add(document, change)?
                }
            }
        }
        plans.texts.say(document)?;
        for plan in &mut plans.mappings {
            plan.inserted.sort_by_key(|new| (new.before, !new.above_comments));
            plan.refuse(document)?;
        }
        Ok(plans)
    }

    /// The nodes at which something changes.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = usize> {
        let mappings = self.mappings.iter().map(|plan| plan.owner.value);
        let scalars = self.scalars.iter().map(|(_, pair, _)| pair.value);
        mappings.chain(scalars).chain(self.texts.iter().map(|text| text.node))
    }

    fn mapping(&mut self, document: &Document, path: &'a KeyPath) -> Result<&mut MappingPlan<'a>, EditError> {
        let at = match self.mappings.iter().position(|plan| plan.path == path) {
            Some(at) => at,
            None => {
                self.mappings.push(MappingPlan::new(document, path)?);
                self.mappings.len() - 1
            }
        };
        Ok(&mut self.mappings[at])
    }
}

/// The one entry at a path.
fn only_pair(document: &Document, path: &KeyPath) -> Result<Pair, EditError> {
    let pair = document.locate(path)?.ok_or_else(|| EditError::NoSuchKey { path: path.clone() })?;
    match document.written_twice(path) {
        Some((first, second)) => Err(EditError::WrittenTwice { path: path.clone(), first, second }),
        None => Ok(pair),
    }
}

impl<'a> MappingPlan<'a> {
    fn new(document: &Document, path: &'a KeyPath) -> Result<Self, EditError> {
        // For its refusals: aliases, templates, merge keys, tabs.
        document.mapping(path)?;
        let owner = only_pair(document, path)?;
        Ok(Self {
            path,
            owner,
            pairs: document.entry_pairs(owner.value),
            renamed: BTreeMap::new(),
            removed: BTreeMap::new(),
            inserted: Vec::new(),
            enabled: BTreeMap::new(),
        })
    }

    fn add(&mut self, document: &Document, change: &'a Change) -> Result<(), EditError> {
        match change {
            Change::SetScalar { .. } | Change::SetText { .. } | Change::ReplaceParts { .. } => {}
            Change::Rename { entry, to, .. } => {
                self.pair(*entry)?;
                if self.renamed.insert(*entry, to).is_some() {
                    return Err(self.contradiction(*entry));
                }
            }
            Change::Remove { entry, with_comments_above, .. } => {
                self.pair(*entry)?;
                if self.removed.insert(*entry, *with_comments_above).is_some() {
                    return Err(self.contradiction(*entry));
                }
            }
            Change::Insert { before, above_comments, key, value, .. } => {
                let value = match value {
                    NewValue::Like(entry) => PlannedValue::Like(self.pair(*entry)?),
                    NewValue::Reworded(entry, words) => PlannedValue::Reworded(self.pair(*entry)?, words),
                    NewValue::Fields(fields) => PlannedValue::Fields(fields),
                };
                let before = before.unwrap_or(self.pairs.len());
                if before < self.pairs.len() {
                    let block = document.tree().kind(self.owner.value) == (Kind::Mapping { flow: false });
                    let above_comments = *above_comments && block;
                    self.inserted.push(NewEntry { before, above_comments, key, value });
                } else if before == self.pairs.len() {
                    self.inserted.push(NewEntry { before, above_comments: false, key, value });
                } else {
                    return Err(self.no_entry(before));
                }
            }
            Change::Enable { from, to, .. } => self.enable(document, *from, *to)?,
        }
        Ok(())
    }

    fn enable(&mut self, document: &Document, from: usize, to: usize) -> Result<(), EditError> {
        let (from, target) = (self.pair(from)?, self.pair(to)?);
        let of = |pair: Pair| document.entry_pairs(pair.value);
        let has = document.entry_pairs(target.value);
        let added = self.enabled.entry(to).or_default();
        for pair in of(from) {
            let key = document.text_of(pair.key);
            let enables =
                ENABLING.contains(&key) && document.data(pair.value)? == serde_json::Value::Bool(true);
            let there = |other: &Pair| document.text_of(other.key) == key;
            if enables && !has.iter().any(there) && !added.iter().any(there) {
                added.push(pair);
            }
        }
        if added.is_empty() {
            self.enabled.remove(&to);
        }
        Ok(())
    }

    /// Refuses what contradicts itself or could not be undone by a person who reads the difference.
    fn refuse(&self, document: &Document) -> Result<(), EditError> {
        if let Some(entry) =
            self.removed.keys().find(|e| self.renamed.contains_key(e) || self.enabled.contains_key(e))
        {
            return Err(self.contradiction(*entry));
        }
        if !self.pairs.is_empty() && self.removed.len() == self.pairs.len() && self.inserted.is_empty() {
            let at = document.at(self.owner.key);
            return Err(EditError::EmptiesMapping { path: self.path.clone(), at });
        }
        for entry in self.removed.keys() {
            self.refuse_anchor(document, self.pairs[*entry])?;
        }
        for like in self.inserted.iter().filter_map(|new| new.value.like()) {
            self.refuse_anchor(document, like)?;
            if let Some(alias) = document.tree().alias_in(like.value..document.tree().next(like.value)) {
                let key = document.text_of(like.key).to_owned();
                return Err(EditError::CopiesAlias { key, at: document.at(alias) });
            }
        }
        Ok(())
    }

    fn refuse_anchor(&self, document: &Document, pair: Pair) -> Result<(), EditError> {
        let nodes = pair.key..document.tree().next(pair.value);
        match document.tree().used_elsewhere(nodes) {
            Some(node) => {
                let at = document.position(document.tree().head(node));
                Err(EditError::AnchorUsedElsewhere { key: document.text_of(pair.key).to_owned(), at })
            }
            None => Ok(()),
        }
    }

    /// The entries that get another key, go, or are copied, and those that others are enabled like.
    pub(crate) fn touched(&self) -> impl Iterator<Item = Pair> {
        let entries = self.renamed.keys().chain(self.removed.keys());
        let copied = self.inserted.iter().filter_map(|new| new.value.like());
        let enabling = self.enabled.values().flatten().copied();
        entries.filter_map(|entry| self.pairs.get(*entry).copied()).chain(copied).chain(enabling)
    }

    /// The entries of the mapping as it will be.
    pub(crate) fn entries(&self) -> Vec<PlannedEntry<'_>> {
        let mut entries = Vec::with_capacity(self.pairs.len() + self.inserted.len());
        let mut inserted = self.inserted.iter().peekable();
        for index in 0..=self.pairs.len() {
            let new = std::iter::from_fn(|| inserted.next_if(|new| new.before == index));
            entries.extend(new.map(|new| PlannedEntry::New { key: new.key, value: new.value }));
            if let Some(pair) = self.pairs.get(index).filter(|_| !self.removed.contains_key(&index)) {
                let renamed = self.renamed.get(&index).copied();
                let enabled = self.enabled.get(&index).map_or(&[][..], Vec::as_slice);
                entries.push(PlannedEntry::Kept { pair: *pair, renamed, enabled });
            }
        }
        entries
    }

    fn pair(&self, entry: usize) -> Result<Pair, EditError> {
        self.pairs.get(entry).copied().ok_or_else(|| self.no_entry(entry))
    }

    fn no_entry(&self, entry: usize) -> EditError {
        EditError::NoSuchEntry { path: self.path.clone(), entry }
    }

    fn contradiction(&self, entry: usize) -> EditError {
        EditError::Contradiction { path: self.path.clone(), entry }
    }
}
