//! A values file as bytes: what it says and where. Reading and refusing happens here, editing does not.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::error::{SIZE_LIMIT, ValuesError};
use super::keys::{LargeMappings, is_large};
use super::lines::Lines;
use super::tree::{Pair, Tree};
use super::{Position, diagnosis};

/// A values file that was read: its text, and a tree of what it says with the bytes of each node.
#[derive(Debug)]
pub struct Document {
    text: Arc<str>,
    tree: Tree,
    lines: Lines,
    /// Made when a key of a large mapping is first asked for.
    large: OnceLock<LargeMappings>,
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.tree == other.tree
    }
}

impl Eq for Document {}

impl Document {
    /// Reads a values file.
    ///
    /// # Errors
    /// [`ValuesError::TooLarge`], [`ValuesError::NotUtf8`], [`ValuesError::LfsPointer`], [`ValuesError::Tab`],
    /// [`ValuesError::TemplateLine`], [`ValuesError::Syntax`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, ValuesError> {
        if bytes.len() > SIZE_LIMIT {
            return Err(ValuesError::TooLarge { size: bytes.len() });
        }
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(&error))?;
        let lines = Lines::of(&text);
        if diagnosis::is_lfs_pointer(&text) {
            return Err(ValuesError::LfsPointer);
        }
        match Tree::parse(&text) {
            Ok(tree) => Ok(Self { text: text.into(), tree, lines, large: OnceLock::new() }),
            Err(error) => Err(diagnosis::syntax(&text, &lines, &error)),
        }
    }

    /// A text whose tree is known.
    pub(crate) fn with_tree(text: String, tree: Tree) -> Self {
        Self { lines: Lines::of(&text), tree, text: text.into(), large: OnceLock::new() }
    }

    /// The text as it was read, a byte order mark included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, to be kept without a copy.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        self.lines.position(&self.text, offset)
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The pairs of a mapping whose key has this text, in their order.
    pub(super) fn pairs_called(&self, mapping: usize, key: &str) -> impl Iterator<Item = Pair> {
        let (tree, text) = (&self.tree, &*self.text);
        let large = is_large(tree, mapping).then(|| {
            self.large.get_or_init(|| LargeMappings::of(tree, text)).called(tree, text, mapping, key)
        });
        let few = large.is_none().then(|| tree.pairs(mapping)).into_iter().flatten();
        let few = few.filter(move |pair| tree.scalar(text, pair.key) == key);
        large.unwrap_or_default().iter().copied().chain(few)
    }

    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    /// Where the line of an offset begins, after a byte order mark.
    pub(crate) fn line_start(&self, offset: usize) -> usize {
        let line = self.line_of(offset);
        if line == 0 && self.text.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            self.start_of(line)
        }
    }

    /// Where the line after that of an offset begins; the end of the text for the last line.
    pub(crate) fn next_line(&self, offset: usize) -> usize {
        self.start_of(self.line_of(offset) + 1)
    }

    /// The line of an offset, without its line end.
    pub(crate) fn line(&self, offset: usize) -> &str {
        self.slice(self.line_start(offset)..self.next_line(offset)).trim_end_matches(['\r', '\n'])
    }

    /// The line end that stands in the line of an offset, or else the first of the file.
    pub(crate) fn line_end(&self, offset: usize) -> &str {
        let own = &self.text[..self.next_line(offset)];
        let text = if own.ends_with(['\r', '\n']) { own } else { &self.text[..self.next_line(0)] };
        let end = text.trim_end_matches(['\r', '\n']).len();
        match &text[end..] {
            ends if ends.ends_with("\r\n") => "\r\n",
            ends if ends.ends_with('\r') => "\r",
            _ => "\n",
        }
    }

    /// A line by its number, from 1, without its line end.
    pub fn line_text(&self, line: usize) -> &str {
        match line.checked_sub(1) {
            Some(line) => self.lines.start(line).map_or("", |start| self.line(start)),
            None => "",
        }
    }

    fn line_of(&self, offset: usize) -> usize {
        self.lines.line_of(offset)
    }

    fn start_of(&self, line: usize) -> usize {
        self.lines.start(line).unwrap_or(self.text.len())
    }
}

fn not_utf8(error: &std::string::FromUtf8Error) -> ValuesError {
    let offset = error.utf8_error().valid_up_to();
    let valid = error.as_bytes().get(..offset).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let valid = valid.unwrap_or_default();
    ValuesError::NotUtf8 { at: Lines::of(valid).position(valid, offset), offset }
}
