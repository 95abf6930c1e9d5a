//! Scalars that change by themselves, and what each of them will say.
//!
//! What a scalar will say is told from what it says, not from its bytes: text and check are made from it apart.

use std::ops::Range;

use super::{Document, EditError, Overlap, Replacement, TextEdit, TextId};

/// Scalars that change by themselves, in the order in which changes name them.
#[derive(Debug, Default)]
pub(crate) struct PlannedTexts<'a>(Vec<PlannedText<'a>>);

/// One scalar.
#[derive(Debug)]
pub(crate) struct PlannedText<'a> {
    pub(crate) node: usize,
    /// What it will say.
    pub(crate) value: String,
    pub(crate) how: How<'a>,
}

/// How much of it changes.
#[derive(Debug)]
pub(crate) enum How<'a> {
    /// All of it.
    Whole,
    /// These bytes of the file.
    Parts(Vec<&'a Replacement>),
}

impl<'a> PlannedTexts<'a> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &PlannedText<'a>> {
        self.0.iter()
    }

    pub(crate) fn set(&mut self, document: &Document, text: TextId, value: &str) -> Result<(), EditError> {
        if self.0.iter().any(|planned| planned.node == text.0) {
            return Err(EditError::ChangedTwice { at: document.at(text.0) });
        }
        self.0.push(PlannedText { node: text.0, value: value.to_owned(), how: How::Whole });
        Ok(())
    }

    /// Several changes may each replace parts of one scalar.
    pub(crate) fn replace(
        &mut self,
        document: &Document,
        text: TextId,
        more: &'a [Replacement],
    ) -> Result<(), EditError> {
        let at = match self.0.iter().position(|planned| planned.node == text.0) {
            Some(at) => at,
            None => {
                let how = How::Parts(Vec::new());
                self.0.push(PlannedText { node: text.0, value: String::new(), how });
                self.0.len() - 1
            }
        };
        let planned = &mut self.0[at];
        let How::Parts(parts) = &mut planned.how else {
            return Err(EditError::ChangedTwice { at: document.at(text.0) });
        };
        parts.extend(more);
        planned.value = said(document, text.0, parts)?;
        Ok(())
    }
}

/// What a scalar says once parts of its bytes are replaced.
fn said(document: &Document, node: usize, parts: &[&Replacement]) -> Result<String, EditError> {
    let meant = parts.iter().map(|part| {
        let range = meant(document, node, &part.range).ok_or_else(|| {
            document.layout(part.range.start, "the text is written otherwise than it is read")
        })?;
        Ok(Replacement { range, text: part.text.clone() })
    });
    let edit = TextEdit::new(meant.collect::<Result<_, EditError>>()?)?;
    let offset = document.tree().span(node).start;
    edit.apply(document.text_of(node)).ok_or(EditError::Overlap(Overlap { offset }))
}

/// The part of what a scalar says that bytes of the file stand for. Escapes and folded lines may stand around it: it is
/// found by counting how often the same text stands before it, which must be as often in the one as in the other.
fn meant(document: &Document, node: usize, bytes: &Range<usize>) -> Option<Range<usize>> {
    let span = document.tree().span(node);
    let raw = document.text().get(span.clone())?;
    let begin = bytes.start.checked_sub(span.start)?;
    let part = raw.get(begin..bytes.end.checked_sub(span.start)?).filter(|part| !part.is_empty())?;
    let number = raw.match_indices(part).position(|(at, _)| at == begin)?;
    let value = document.text_of(node);
    let same = value.matches(part).count() == raw.matches(part).count();
    let (at, _) = value.match_indices(part).nth(number).filter(|_| same)?;
    Some(at..at + part.len())
}
