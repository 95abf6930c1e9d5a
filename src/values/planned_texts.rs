//! Scalars that change by themselves, and what each of them will say.
//!
//! What a scalar will say is told from what it says, not from its bytes: text and check are made from it apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use aho_corasick::AhoCorasick;

use super::{Document, EditError, Overlap, Replacement, TextEdit, TextId};

/// Scalars that change by themselves, by node.
#[derive(Debug, Default)]
pub(crate) struct PlannedTexts<'a>(BTreeMap<usize, PlannedText<'a>>);

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
        self.0.values()
    }

    pub(crate) fn set(&mut self, document: &Document, text: TextId, value: &str) -> Result<(), EditError> {
        let planned = PlannedText { node: text.0, value: value.to_owned(), how: How::Whole };
        match self.0.insert(text.0, planned) {
            Some(_) => Err(EditError::ChangedTwice { at: document.at(text.0) }),
            None => Ok(()),
        }
    }

    /// Several changes may each replace parts of one scalar; once all are known, it is [`said`](Self::say).
    pub(crate) fn replace(
        &mut self,
        document: &Document,
        text: TextId,
        more: &'a [Replacement],
    ) -> Result<(), EditError> {
        let new = PlannedText { node: text.0, value: String::new(), how: How::Parts(Vec::new()) };
        match &mut self.0.entry(text.0).or_insert(new).how {
            How::Parts(parts) => parts.extend(more),
            How::Whole => return Err(EditError::ChangedTwice { at: document.at(text.0) }),
        }
        Ok(())
    }

    /// Tells what the scalars of which parts are replaced will say.
    pub(crate) fn say(&mut self, document: &Document) -> Result<(), EditError> {
        for planned in self.0.values_mut() {
            if let How::Parts(parts) = &planned.how {
                planned.value = said(document, planned.node, parts)?;
            }
        }
        Ok(())
    }
}

/// What a scalar says once parts of its bytes are replaced.
fn said(document: &Document, node: usize, parts: &[&Replacement]) -> Result<String, EditError> {
    let span = document.tree().span(node);
    let spelling = Spelling::new(document, node, parts);
    let meant = parts.iter().map(|part| {
        let range = spelling.meant(&part.range).ok_or_else(|| {
            document.layout(part.range.start, "the text is written otherwise than it is read")
        })?;
        Ok(Replacement { range, text: part.text.clone() })
    });
    let edit = TextEdit::new(meant.collect::<Result<_, EditError>>()?)?;
    edit.apply(document.text_of(node)).ok_or(EditError::Overlap(Overlap { offset: span.start }))
}

/// Where parts stand in the bytes of a scalar, and where in what it says. Escapes and folded lines may stand around a
/// part: it is found by counting how often the same text stands before it, which must be as often in the one as in the
/// other.
struct Spelling<'d> {
    document: &'d Document,
    begin: usize,
    /// The places of each part's text, in the bytes of the file's scalar and in what it says.
    places: HashMap<&'d str, [Vec<usize>; 2]>,
}

impl<'d> Spelling<'d> {
    fn new(document: &'d Document, node: usize, parts: &[&Replacement]) -> Self {
        let span = document.tree().span(node);
        let texts: BTreeSet<&str> = parts.iter().map(|part| document.slice(part.range.clone())).collect();
        let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
        let mut places: HashMap<&str, [Vec<usize>; 2]> = HashMap::new();
        // It fails where there is more text than memory.
        if let Ok(search) = AhoCorasick::new(&texts) {
            for (i, said) in [document.slice(span.clone()), document.text_of(node)].iter().enumerate() {
                for found in search.find_overlapping_iter(said) {
                    let places = places.entry(texts[found.pattern()]).or_default();
                    places[i].push(found.start());
                }
            }
        }
        Self { document, begin: span.start, places }
    }

    /// The part of what the scalar says that these bytes of the file stand for.
    fn meant(&self, bytes: &Range<usize>) -> Option<Range<usize>> {
        let [written, said] = self.places.get(self.document.slice(bytes.clone()))?;
        let number = written.binary_search(&bytes.start.checked_sub(self.begin)?).ok()?;
        let at = *said.get(number).filter(|_| written.len() == said.len())?;
        Some(at..at + bytes.len())
    }
}
