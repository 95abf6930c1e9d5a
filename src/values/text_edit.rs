//! Replacements of byte ranges, in order and apart from one another.

use std::ops::Range;

/// One replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The bytes that go; empty for an insertion.
    pub range: Range<usize>,
    /// What comes in their place.
    pub text: String,
}

/// Replacements sorted by place, of which no two touch the same byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextEdit(Vec<Replacement>);

/// Replacements that touch the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two changes touch the same bytes at {offset}")]
pub struct Overlap {
    /// Where they meet.
    pub offset: usize,
}

impl TextEdit {
    /// Sorts the replacements.
    ///
    /// # Errors
    /// [`Overlap`] where two share a byte, insert at the same place, or a range runs backwards.
    pub fn new(mut replacements: Vec<Replacement>) -> Result<Self, Overlap> {
        replacements.sort_by_key(|r| (r.range.start, r.range.end));
        let mut end = 0;
        let mut inserted_at = None;
        for Replacement { range, .. } in &replacements {
            let twice = range.is_empty() && inserted_at == Some(range.start);
            if range.start < end || range.end < range.start || twice {
                return Err(Overlap { offset: range.start });
            }
            end = range.end;
            inserted_at = range.is_empty().then_some(range.start);
        }
        Ok(Self(replacements))
    }

    /// The replacements in the order of the text.
    pub fn replacements(&self) -> &[Replacement] {
        &self.0
    }

    /// Whether nothing is replaced.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with the replacements made; `None` if a range does not lie in it on character boundaries.
    pub fn apply(&self, text: &str) -> Option<String> {
        let grown: usize = self.0.iter().map(|r| r.text.len()).sum();
        let mut out = String::with_capacity(text.len() + grown);
        let mut at = 0;
        for Replacement { range, text: new } in &self.0 {
            out.push_str(text.get(at..range.start)?);
            out.push_str(new);
            at = range.end;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }

    /// Whether `new` is `old` outside the ranges, byte for byte: read from both, without building either.
    pub fn leaves_the_rest(&self, old: &str, new: &str) -> bool {
        let (old, new) = (old.as_bytes(), new.as_bytes());
        let (mut from, mut to) = (0, 0);
        for Replacement { range, text } in &self.0 {
            let kept = range.start - from;
            if old.get(from..range.start) != new.get(to..to + kept) {
                return false;
            }
            (from, to) = (range.end, to + kept + text.len());
        }
        old.get(from..).is_some_and(|rest| new.get(to..) == Some(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(parts: &[(Range<usize>, &str)]) -> Result<TextEdit, Overlap> {
        let replacement = |(range, text): &(Range<usize>, &str)| Replacement {
            range: range.clone(),
            text: (*text).to_owned(),
        };
        TextEdit::new(parts.iter().map(replacement).collect())
    }

    #[test]
    fn replacements_are_made_in_the_order_of_the_text() {
        let edit = edit(&[(4..5, "E"), (0..1, ""), (2..2, "--")]).expect("apart");
        assert_eq!(edit.apply("abcde").as_deref(), Some("b--cdE"));
        assert!(edit.leaves_the_rest("abcde", "b--cdE"));
        assert!(!edit.leaves_the_rest("abcde", "b--cxE"));
        assert!(!edit.leaves_the_rest("abcde", "b--cdEf"));
    }

    #[test]
    fn replacements_that_share_a_byte_are_refused() {
        assert_eq!(edit(&[(0..3, ""), (2..4, "")]), Err(Overlap { offset: 2 }));
        assert_eq!(edit(&[(2..2, "a"), (2..2, "b")]), Err(Overlap { offset: 2 }));
        assert!(edit(&[(2..2, "a"), (2..3, "b")]).is_ok());
    }

    #[test]
    fn a_range_outside_the_text_gives_nothing() {
        assert_eq!(edit(&[(1..2, "")]).expect("one").apply("é"), None);
        assert_eq!(edit(&[(3..9, "")]).expect("one").apply("abc"), None);
    }
}
