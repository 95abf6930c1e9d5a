//! The names in one file: where they stand, and what becomes of each.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use super::{Claim, Dangling, Followed, Here, Move, Moves, References, Stays};
use crate::reconcile::Reconciliation;
use crate::reconcile::ownership::is_template;
use crate::release::Facets;
use crate::values::{Change, Document, Mapping, MappingId, Replacement, Text, TextId};

/// A name as it stands in a file.
struct Named<'d> {
    text: Text<'d>,
    /// The name of the key, with the registry's before it where that is written.
    said: &'d str,
    /// The bytes of the file, if it is only a part of the text.
    part: Option<Range<usize>>,
}

/// The scalars that a reconciliation of the mapping itself has decided on, in their order: its keys, and entries that go.
pub fn entries(document: &Document, mapping: &Mapping, done: &Reconciliation) -> Vec<Range<TextId>> {
    let goes = |change: &Change| match change {
        Change::Remove { entry, .. } => Some(*entry),
        _ => None,
    };
    let goes: BTreeSet<usize> = done.changes.iter().filter_map(goes).collect();
    let all = document.entry_texts(&mapping.path).into_iter().enumerate();
    let decided = |(i, texts): (usize, Range<TextId>)| match goes.contains(&i) {
        true => texts,
        false => texts.start..texts.start.next(),
    };
    all.map(decided).collect()
}

impl<'a> Moves<'a> {
    /// Follows the moves in a file: a scalar or mapping key that is exactly a key becomes the new one, and so does a text
    /// in quotes inside of a template. `decided` are scalars that are decided on otherwise, in their order.
    pub fn follow(&self, document: &Document, here: &Here<'_>, decided: &[Range<TextId>]) -> References {
        let unlisted = self.of_here(here);
        // Most texts and words of a file are shorter than any name, and their length is all that is asked of them.
        let shortest = unlisted.keys().map(|name| name.len()).min().unwrap_or(usize::MAX).min(self.shortest);
        let is_moving = |said: &str| {
            let name = if said.len() < shortest { return false } else { self.bare(said) };
            !here.foreign.contains_key(name)
                && match self.decided.get(name) {
                    Some(fate) => *fate != Move::Stays,
                    None => unlisted.contains_key(name),
                }
        };
        let named = named(document, decided, shortest, is_moving);
        let names: BTreeMap<&str, Facets> = named
            .iter()
            .filter_map(|named| unlisted.get_key_value(self.bare(named.said)))
            .map(|(name, facets)| (*name, facets.clone()))
            .collect();
        let by_line = self.by_line(&names, &here.listed);
        let fate = |named: &Named<'_>| {
            let name = self.bare(named.said);
            self.decided.get(name).or_else(|| by_line.get(name)).cloned().unwrap_or(Move::Stays)
        };
        let fates = named.into_iter().map(|named| (fate(&named), named));
        let mut found = self.outcome(document, fates.collect());
        found.dangling.extend(self.of_other_registries(document, here));
        found.dangling.sort_by_key(|dangling| dangling.at);
        found
    }

    /// Entries of the file that say of a key of ours that another registry has it: what the mapping does to the key is
    /// nothing to that registry.
    fn of_other_registries(&self, document: &Document, here: &Here<'_>) -> Vec<Dangling> {
        let moves = |said: &str| self.decided.get(said).is_some_and(|fate| *fate != Move::Stays);
        let keys = document.texts(|said| here.foreign.contains_key(said) && moves(said));
        let keys = keys.filter(|text| document.mapping_of(text.id).is_some());
        let dangling = keys.filter_map(|text| {
            let why = Stays::OfRegistry((*here.foreign.get(text.value)?).to_owned());
            Some(Dangling { key: text.value.to_owned(), at: text.at, why })
        });
        dangling.collect()
    }

    /// The names that no mapping of the target speaks of and this file may name: those of the release before, and those
    /// that the file lists itself.
    fn of_here<'h>(&'h self, here: &'h Here<'_>) -> BTreeMap<&'h str, Facets> {
        let published = self.undecided.iter().map(|(name, facets)| (*name, (*facets).clone()));
        let listed = here.listed.iter().filter(|name| !self.decided.contains_key(*name));
        let listed = listed.filter_map(|name| Some((*name, self.releases.naming.facets(name)?)));
        let all = listed.chain(published);
        all.filter(|(name, _)| here.listed.contains(name) || !here.own_images.contains(name)).collect()
    }

    /// A name without that of our registry before it.
    fn bare<'d>(&self, said: &'d str) -> &'d str {
        let ours = |registry: &str| self.releases.ownership.registries().any(|our| our == registry);
        said.split_once("--").filter(|(registry, _)| ours(registry)).map_or(said, |(_, name)| name)
    }

    fn outcome(&self, document: &Document, named: Vec<(Move, Named<'_>)>) -> References {
        let to = |(fate, named): &(Move, Named<'_>)| match fate {
            Move::Becomes(key, claim) => Some((*claim, self.written(named.said, key.as_str()))),
            _ => None,
        };
        let to: Vec<Option<(Claim, String)>> = named.iter().map(to).collect();
        let claims = Keys::beside(document, &named, &to).claims(&named, &to);
        let mut found = References::default();
        for (i, ((fate, named), to)) in named.iter().zip(to).enumerate() {
            let (from, at) = (named.said.to_owned(), document.position(named.begin()));
            let why = match (fate, to) {
                (Move::Goes(why), _) => why.clone(),
                (_, None) => continue,
                (_, Some((_, to))) => match named.change(document, &to, claims.contains(&i)) {
                    Ok(change) => {
                        found.changes.push(change);
                        found.followed.push(Followed { from, to, at });
                        continue;
                    }
                    Err(why) => why,
                },
            };
            found.dangling.push(Dangling { key: from, at, why });
        }
        found
    }

    /// A key as it is written in the place of `said`.
    fn written(&self, said: &str, key: &str) -> String {
        format!("{}{key}", &said[..said.len() - self.bare(said).len()])
    }
}

/// The keys of the mappings in which names are keys, as far as a name is to become one of them.
struct Keys<'d> {
    document: &'d Document,
    there: BTreeSet<(MappingId, &'d str)>,
}

impl<'d> Keys<'d> {
    /// Those that are there.
    fn beside(document: &'d Document, named: &[(Move, Named<'_>)], to: &[Option<(Claim, String)>]) -> Self {
        let keys = named.iter().zip(to).filter(|((_, named), _)| named.is_key(document));
        let wanted: HashSet<&str> = keys.filter_map(|(_, to)| Some(to.as_ref()?.1.as_str())).collect();
        let there = match wanted.is_empty() {
            true => BTreeSet::new(),
            false => document
                .texts(|said| wanted.contains(said))
                .filter_map(|text| Some((document.mapping_of(text.id)?, text.value)))
                .collect(),
        };
        Self { document, there }
    }

    /// Which of the names may have their new key: one that no other key of the mapping has, and of several that want
    /// the same one the first by right.
    fn claims<'t>(&self, named: &[(Move, Named<'_>)], to: &'t [Option<(Claim, String)>]) -> BTreeSet<usize> {
        let mut order: Vec<(Claim, usize, &'t str)> = to
            .iter()
            .enumerate()
            .filter_map(|(i, to)| to.as_ref().map(|(claim, to)| (*claim, i, to.as_str())))
            .collect();
        order.sort();
        let mut taken: BTreeSet<(MappingId, &str)> = BTreeSet::new();
        let mut may = |i: usize, to: &'t str| match self.document.mapping_of(named[i].1.text.id) {
            Some(mapping) => !self.there.contains(&(mapping, to)) && taken.insert((mapping, to)),
            None => true,
        };
        order.into_iter().filter(|(_, i, to)| may(*i, to)).map(|(_, i, _)| i).collect()
    }
}

impl Named<'_> {
    /// Whether it is a key of a mapping, as a whole.
    fn is_key(&self, document: &Document) -> bool {
        self.part.is_none() && document.mapping_of(self.text.id).is_some()
    }

    fn begin(&self) -> usize {
        self.part.as_ref().map_or(self.text.span.start, |part| part.start)
    }

    /// The change that makes the name another, or why it must stay.
    fn change(&self, document: &Document, to: &str, has_claim: bool) -> Result<Change, Stays> {
        let (text, to) = (self.text.id, to.to_owned());
        match &self.part {
            None if !has_claim => Err(Stays::HasNewKey(to)),
            None if !self.text.is_one_line => Err(Stays::NotInOneLine(to)),
            None => Ok(Change::SetText { text, value: to }),
            Some(part) if self.is_literal(document, part) => {
                let parts = vec![Replacement { range: part.clone(), text: to }];
                Ok(Change::ReplaceParts { text, parts })
            }
            Some(_) => Err(Stays::InText(to)),
        }
    }

    /// Whether the part is a text in quotes of a template that stands in a value.
    fn is_literal(&self, document: &Document, part: &Range<usize>) -> bool {
        let text = document.text();
        let quote = |c: &char| matches!(c, '"' | '\'' | '`');
        let before = text[..part.start].chars().next_back().filter(quote);
        let is_quoted = before.is_some() && before == text[part.end..].chars().next();
        is_quoted && is_template(self.text.value) && document.mapping_of(self.text.id).is_none()
    }
}

/// Every name in the file that moves, in its order.
fn named<'d>(
    document: &'d Document,
    decided: &[Range<TextId>],
    shortest: usize,
    is_moving: impl Fn(&str) -> bool,
) -> Vec<Named<'d>> {
    let says = |said: &str| {
        said.len() >= shortest && (is_moving(said) || words(said).any(|(_, word)| is_moving(word)))
    };
    let is_decided = |text: TextId| {
        let before = decided.partition_point(|texts| texts.start <= text);
        before.checked_sub(1).and_then(|last| decided.get(last)).is_some_and(|texts| texts.contains(&text))
    };
    let texts = document.texts(says).filter(|text| !is_decided(text.id));
    let names = |text: Text<'d>| -> Vec<Named<'d>> {
        if is_moving(text.value) {
            return vec![Named { said: text.value, text, part: None }];
        }
        let raw = document.text().get(text.span.clone()).unwrap_or_default();
        let part = |at: usize, word: &str| text.span.start + at..text.span.start + at + word.len();
        let named = |said, part| Named { text: text.clone(), said, part: Some(part) };
        let found = words(raw).filter(|(_, word)| is_moving(word));
        let found: Vec<Named<'_>> = found.map(|(at, said)| named(said, part(at, said))).collect();
        // Escapes may hide where in the text it stands.
        let somewhere = words(text.value).filter(|(_, word)| found.is_empty() && is_moving(word));
        let somewhere: Vec<Named<'_>> = somewhere.map(|(_, said)| named(said, text.span.clone())).collect();
        found.into_iter().chain(somewhere).collect()
    };
    texts.flat_map(names).collect()
}

/// The words of a text that may be names, and where they begin.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let mut at = 0;
    text.split(move |c: char| !is_part(c)).map(move |word| {
        let begin = at;
        at += word.len() + text[at + word.len()..].chars().next().map_or(0, char::len_utf8);
        // A full stop ends a sentence, and no name.
        (begin, word.trim_end_matches('.'))
    })
}
