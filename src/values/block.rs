//! Byte ranges of changes to a block mapping: whole lines for entries, parts of lines for their values.

use super::copied::pair_text;
use super::fields::new_value;
use super::planned::{MappingPlan, NewEntry};
use super::quotes::{written, written_like};
use super::text_edit::Replacement;
use super::tree::{Kind, Pair};
use super::{Document, EditError, EditNote};
use granit_parser::ScalarStyle;

/// The changes of entries of a block mapping.
pub(crate) fn replacements(
    document: &Document,
    plan: &MappingPlan<'_>,
    notes: &mut Vec<EditNote>,
) -> Result<Vec<Replacement>, EditError> {
    let mut lines = Vec::new();
    let mut inside = Vec::new();
    // Lines of a value before entries that come below it at the same place.
    for (entry, pairs) in &plan.enabled {
        let (line, part) = enabling(document, plan.pairs[*entry], pairs)?;
        lines.extend(line);
        inside.extend(part);
    }
    for new in &plan.inserted {
        lines.push(insertion(document, plan, new)?);
    }
    for (entry, with_comments) in &plan.removed {
        lines.push(removal(document, plan, *entry, *with_comments, notes)?);
    }
    refuse_open_end(document, plan, &lines)?;
    Ok(below(inside, joined(document, lines)))
}

/// In a file without a last line end, the last value and the lines below it may begin at the same byte.
fn below(mut inside: Vec<Replacement>, lines: Vec<Replacement>) -> Vec<Replacement> {
    for line in lines {
        match inside.iter_mut().find(|part| part.range == line.range && part.range.is_empty()) {
            Some(part) => part.text += &line.text,
            None => inside.push(line),
        }
    }
    inside
}

/// Readers differ about a block scalar in the last line of a file without a last line end (libyaml adds none to its
/// text), so no such scalar may come to stand there or leave.
fn refuse_open_end(
    document: &Document,
    plan: &MappingPlan<'_>,
    lines: &[Replacement],
) -> Result<(), EditError> {
    let (text, tree) = (document.text(), document.tree());
    if text.ends_with(['\n', '\r']) || lines.iter().all(|line| line.range.end < text.len()) {
        return Ok(());
    }
    let block = |node| matches!(tree.kind(node), Kind::Scalar(ScalarStyle::Literal | ScalarStyle::Folded));
    match plan.pairs.iter().find(|pair| block(tree.next(pair.value) - 1)) {
        Some(pair) => {
            Err(document.layout(tree.head(pair.value), "a block scalar, and the file has no last line end"))
        }
        None => Ok(()),
    }
}

/// The first entries of a mapping that is `{}` or null: `{}` goes, the entries stand below the key.
pub(crate) fn first_entries(
    document: &Document,
    plan: &MappingPlan<'_>,
) -> Result<Vec<Replacement>, EditError> {
    let owner = plan.owner;
    let indentation = format!("{}  ", document.indentation(owner)?);
    let (mut replacements, below) = emptied(document, owner)?;
    let end = document.line_end(below.saturating_sub(1));
    let mut text = String::new();
    for new in &plan.inserted {
        let key = written(new.key, ScalarStyle::Plain, false);
        let value = new_value(document, plan, new.value)?;
        text += &format!("{indentation}{key}:{value}{end}");
    }
    replacements.extend(joined(document, vec![Replacement { range: below..below, text }]));
    Ok(replacements)
}

/// Takes away the `{}` or null of an entry, so that lines below can be its value, and says where these begin.
fn emptied(document: &Document, pair: Pair) -> Result<(Vec<Replacement>, usize), EditError> {
    let start = document.value_start(pair)?;
    let end = document.entry_end(pair);
    let gone = document.slice(start..end);
    if gone.contains(['\n', '\r', '#']) {
        return Err(document.layout(start, "an empty value that is not written beside its key"));
    }
    let below = document.entry_lines(pair)?.end;
    let gone = Replacement { range: start..end, text: String::new() };
    Ok((if start < end { vec![gone] } else { Vec::new() }, below))
}

fn insertion(
    document: &Document,
    plan: &MappingPlan<'_>,
    new: &NewEntry<'_>,
) -> Result<Replacement, EditError> {
    let last = plan.pairs.len().saturating_sub(1);
    let neighbour = plan.pairs[new.before.min(last)];
    let lines = document.entry_lines(neighbour)?;
    let at = if new.before > last {
        lines.end
    } else if new.above_comments {
        above(document, plan, new.before, lines.start)?
    } else {
        lines.start
    };
    // Quotes are those of the entry that it is modelled after: at the end of a group the neighbour is another group's.
    let style = match document.tree().kind(new.value.like().unwrap_or(neighbour).key) {
        Kind::Scalar(style) => style,
        _ => ScalarStyle::Plain,
    };
    let key = match new.value.like() {
        Some(like) => written_like(new.key, document.text_of(like.key), style),
        None => written(new.key, style, false),
    };
    let value = new_value(document, plan, new.value)?;
    let (indentation, end) = (document.indentation(neighbour)?, document.line_end(lines.start));
    Ok(Replacement { range: at..at, text: format!("{indentation}{key}:{value}{end}") })
}

/// Above the comments of an entry. Blank lines between it and the entry above are a gap between groups: what comes here
/// belongs to the upper one.
fn above(
    document: &Document,
    plan: &MappingPlan<'_>,
    entry: usize,
    first_line: usize,
) -> Result<usize, EditError> {
    let top = document.comments_above(plan.owner, &plan.pairs, entry).unwrap_or(first_line);
    let Some(previous) = entry.checked_sub(1) else { return Ok(top) };
    let end = document.entry_lines(plan.pairs[previous])?.end;
    let is_blank = end <= top && document.slice(end..top).trim().is_empty();
    Ok(if is_blank { end } else { top })
}

fn removal(
    document: &Document,
    plan: &MappingPlan<'_>,
    entry: usize,
    with_comments: bool,
    notes: &mut Vec<EditNote>,
) -> Result<Replacement, EditError> {
    let pair = plan.pairs[entry];
    let mut range = document.entry_lines(pair)?;
    let key = document.text_of(pair.key);
    match document.comments_above(plan.owner, &plan.pairs, entry) {
        Some(above) if with_comments => range.start = above,
        Some(above) => {
            let at = document.position(above + document.indentation(pair)?.len());
            notes.push(EditNote::CommentAboveStays { key: key.to_owned(), at });
        }
        None => {}
    }
    if let Some(below) = document.comment_below(pair) {
        notes.push(EditNote::CommentBelowStays { key: key.to_owned(), at: document.position(below) });
    }
    Ok(Replacement { range, text: String::new() })
}

/// Writes the enabling pairs into an entry: lines of a block value, or a part of a flow value.
fn enabling(
    document: &Document,
    to: Pair,
    pairs: &[Pair],
) -> Result<(Option<Replacement>, Vec<Replacement>), EditError> {
    let children = document.entry_pairs(to.value);
    match document.tree().kind(to.value) {
        Kind::Mapping { flow: true } if !children.is_empty() => {
            Ok((None, vec![super::flow::in_front(document, children[0], pairs)]))
        }
        Kind::Mapping { flow: false } => {
            let at = document.next_line(document.value_start(to)?);
            let indentation = document.indentation(children[0])?.to_owned();
            let text = pair_lines(document, pairs, &indentation, document.line_end(at));
            Ok((Some(Replacement { range: at..at, text }), Vec::new()))
        }
        Kind::Mapping { flow: true } => enabling_empty(document, to, pairs),
        Kind::Scalar(_) if document.is_null(to.value) => enabling_empty(document, to, pairs),
        _ => {
            Err(document.layout(document.tree().head(to.value), "the value has no room for what enables it"))
        }
    }
}

/// A value that is `{}` or null gets the form of the value that was enabled.
fn enabling_empty(
    document: &Document,
    to: Pair,
    pairs: &[Pair],
) -> Result<(Option<Replacement>, Vec<Replacement>), EditError> {
    if document.in_flow(pairs[0].key) {
        return Ok((None, vec![super::flow::filled(document, to, pairs)?]));
    }
    let indentation = document.indentation(pairs[0])?.to_owned();
    let (gone, below) = emptied(document, to)?;
    let end = document.line_end(document.tree().head(to.key));
    let text = pair_lines(document, pairs, &indentation, end);
    Ok((Some(Replacement { range: below..below, text }), gone))
}

fn pair_lines(document: &Document, pairs: &[Pair], indentation: &str, end: &str) -> String {
    pairs.iter().map(|pair| format!("{indentation}{}{end}", pair_text(document, *pair))).collect()
}

/// Joins changes of whole lines that touch, in the order of their places, so that lines that come take the place of
/// lines that go; and keeps a missing line end at the end of the file missing.
fn joined(document: &Document, mut lines: Vec<Replacement>) -> Vec<Replacement> {
    lines.sort_by_key(|line| line.range.start);
    let mut joined: Vec<Replacement> = Vec::new();
    for line in lines {
        match joined.last_mut() {
            Some(last) if line.range.start <= last.range.end => {
                last.range.end = last.range.end.max(line.range.end);
                last.text += &line.text;
            }
            _ => joined.push(line),
        }
    }
    if let Some(last) = joined.last_mut().filter(|last| last.range.end == document.text().len()) {
        without_last_line_end(document, last);
    }
    joined
}

/// Line ends separate lines in a file without a last one, and a change at its end must not add one.
fn without_last_line_end(document: &Document, last: &mut Replacement) {
    let text = document.text();
    if text.ends_with(['\n', '\r']) {
        return;
    }
    let trimmed = last.text.strip_suffix('\n').unwrap_or(&last.text);
    let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed).len();
    let end = last.text.split_off(trimmed);
    if last.range.is_empty() && !text.is_empty() {
        last.text.insert_str(0, &end);
    } else if last.text.is_empty() {
        let before = &text[..last.range.start];
        let before = before.strip_suffix('\n').unwrap_or(before);
        last.range.start = before.strip_suffix('\r').unwrap_or(before).len();
    }
}
