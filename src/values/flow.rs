//! Byte ranges of changes to a flow mapping. Between two entries that stay everything is replaced or nothing.

use std::ops::Range;

use super::copied::pair_text;
use super::fields::new_value;
use super::planned::{MappingPlan, NewEntry};
use super::quotes::written;
use super::text_edit::Replacement;
use super::tree::{Kind, Pair};
use super::{Document, EditError};
use granit_parser::ScalarStyle;

/// The changes of entries of a flow mapping that has some.
pub(crate) fn replacements(
    document: &Document,
    plan: &MappingPlan<'_>,
) -> Result<Vec<Replacement>, EditError> {
    let mut replacements = Vec::new();
    for (entry, pairs) in &plan.enabled {
        replacements.push(enabling(document, plan.pairs[*entry], pairs)?);
    }
    let kept: Vec<usize> = (0..plan.pairs.len()).filter(|i| !plan.removed.contains_key(i)).collect();
    for gap in 0..=kept.len() {
        let left = gap.checked_sub(1).map(|i| kept[i]);
        let right = kept.get(gap).copied();
        if let Some(change) = between(document, plan, left, right)? {
            // A value that comes after a bare colon stands where the next entry begins.
            let same = |r: &&mut Replacement| r.range == change.range && change.range.is_empty();
            match replacements.iter_mut().find(same) {
                Some(value) => value.text += &change.text,
                None => replacements.push(change),
            }
        }
    }
    Ok(replacements)
}

/// The first entries of `{}` or of a key without a value inside of a flow mapping.
pub(crate) fn first_entries(
    document: &Document,
    plan: &MappingPlan<'_>,
) -> Result<Vec<Replacement>, EditError> {
    let entries: Result<Vec<_>, _> = plan.inserted.iter().map(|new| new_entry(document, plan, new)).collect();
    let text = format!("{{{}}}", entries?.join(", "));
    Ok(vec![in_place(document, plan.owner, text)?])
}

/// Pairs in front of a flow mapping's first one.
pub(crate) fn in_front(document: &Document, first: Pair, pairs: &[Pair]) -> Replacement {
    let at = document.tree().head(first.key);
    let text = pairs.iter().map(|pair| format!("{}, ", pair_text(document, *pair))).collect();
    Replacement { range: at..at, text }
}

/// Pairs in the place of `{}` or null.
pub(crate) fn filled(document: &Document, to: Pair, pairs: &[Pair]) -> Result<Replacement, EditError> {
    let pairs: Vec<String> = pairs.iter().map(|pair| pair_text(document, *pair)).collect();
    in_place(document, to, format!("{{{}}}", pairs.join(", ")))
}

fn in_place(document: &Document, pair: Pair, text: String) -> Result<Replacement, EditError> {
    let span = document.tree().span(pair.value);
    if document.slice(span.clone()).contains('#') {
        return Err(document.layout(span.start, "a comment between the braces"));
    }
    if span.is_empty() {
        let at = document.value_start(pair)?;
        return Ok(Replacement { range: at..at, text: format!(" {text}") });
    }
    Ok(Replacement { range: span, text })
}

fn enabling(document: &Document, to: Pair, pairs: &[Pair]) -> Result<Replacement, EditError> {
    let children = document.entry_pairs(to.value);
    match document.tree().kind(to.value) {
        Kind::Mapping { .. } if !children.is_empty() => Ok(in_front(document, children[0], pairs)),
        Kind::Mapping { .. } => filled(document, to, pairs),
        Kind::Scalar(_) if document.is_null(to.value) => filled(document, to, pairs),
        _ => {
            Err(document.layout(document.tree().head(to.value), "the value has no room for what enables it"))
        }
    }
}

/// What changes between two entries that stay and follow one another, or at either end.
fn between(
    document: &Document,
    plan: &MappingPlan<'_>,
    left: Option<usize>,
    right: Option<usize>,
) -> Result<Option<Replacement>, EditError> {
    let (pairs, count) = (&plan.pairs, plan.pairs.len());
    let indices = left.map_or(0, |i| i + 1)..=right.unwrap_or(count);
    let new: Vec<&NewEntry<'_>> = plan.inserted.iter().filter(|new| indices.contains(&new.before)).collect();
    let removed = right.unwrap_or(count) > *indices.start();
    if new.is_empty() && !removed {
        return Ok(None);
    }
    let start = left.map_or(document.tree().head(pairs[0].key), |i| document.entry_end(pairs[i]));
    let end = right.map_or(document.entry_end(pairs[count - 1]), |i| document.tree().head(pairs[i].key));
    refuse_comments(document, start..end)?;
    let separator = separator(document, plan);
    let mut text = String::new();
    for (index, new) in new.iter().enumerate() {
        if left.is_some() || index > 0 {
            text += &separator;
        }
        text += &new_entry(document, plan, new)?;
    }
    if let Some(right) = right.filter(|_| left.is_some() || !new.is_empty()) {
        let own = right.checked_sub(1).map(|before| {
            document.slice(document.entry_end(pairs[before])..document.tree().head(pairs[right].key))
        });
        text += own.map_or(&*separator, str::trim_start);
    }
    // libyaml takes `a:,` and `a:}` for a text.
    let after = document.slice(end..document.text().len()).chars().next();
    let missing = document.slice(0..start).ends_with(':');
    if missing && !text.chars().next().or(after).is_some_and(char::is_whitespace) {
        text.insert(0, ' ');
    }
    Ok(Some(Replacement { range: start..end, text }))
}

fn refuse_comments(document: &Document, range: Range<usize>) -> Result<(), EditError> {
    // A `#` inside of a scalar counts as well: rarely a refusal too many, never a comment lost.
    match document.slice(range.clone()).find('#') {
        Some(at) => Err(document.layout(range.start + at, "a comment between entries in braces")),
        None => Ok(()),
    }
}

/// What stands between the first two entries; for a single one a comma and what stands before it.
fn separator(document: &Document, plan: &MappingPlan<'_>) -> String {
    let head = |pair: Pair| document.tree().head(pair.key);
    let plain = |text: &&str| !text.contains('#');
    if let [first, second, ..] = plan.pairs[..] {
        let between = document.slice(document.entry_end(first)..head(second));
        return Some(between.trim_start()).filter(plain).unwrap_or(", ").to_owned();
    }
    let lead = document.slice(document.tree().span(plan.owner.value).start + 1..head(plan.pairs[0]));
    if lead.contains('\n') && plain(&lead) { format!(",{lead}") } else { ", ".to_owned() }
}

fn new_entry(document: &Document, plan: &MappingPlan<'_>, new: &NewEntry<'_>) -> Result<String, EditError> {
    let neighbour =
        plan.pairs.get(new.before).or(plan.pairs.last()).map(|pair| document.tree().kind(pair.key));
    let style = match neighbour {
        Some(Kind::Scalar(style)) => style,
        _ => ScalarStyle::Plain,
    };
    let value = new_value(document, plan, new.value)?;
    let value = if value.is_empty() { " " } else { &value };
    Ok(format!("{}:{value}", written(new.key, style, true)))
}
