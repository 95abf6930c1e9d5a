//! Walking through a values file: every key with what stands at it, and every comment. Nothing here knows what a key means.

use std::ops::Range;

use super::tree::{Kind, Pair};
use super::{Document, KeyPath, Position};

/// A key and what stands at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field<'a> {
    /// The keys from the top of the document down to this one. Lists have no part in it.
    pub path: Vec<&'a str>,
    /// Where the key stands.
    pub key_at: Position,
    /// Where the value begins.
    pub at: Position,
    /// The bytes of the value, quotes included; of an alias, those of what it stands for.
    pub span: Range<usize>,
    /// The text of a scalar, quotes and escapes resolved; `None` for a mapping or a list.
    pub text: Option<&'a str>,
    /// Whether the scalar stands in quotes, so that `15.6` is a text and no number.
    pub quoted: bool,
}

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment<'a> {
    /// The text from `#` to the end of the line.
    pub text: &'a str,
    /// Where its `#` stands.
    pub at: Position,
    /// Whether nothing but blanks stands before it in its line.
    pub alone: bool,
}

impl Document {
    /// Every key of the file with what stands at it, in the order of the file. A key that is written twice is there
    /// twice; what an alias stands for is there once, where its anchor is, and as the alias's scalar.
    pub fn fields(&self) -> Vec<Field<'_>> {
        self.fields_where(|_| true)
    }

    /// Those of [`Document::fields`] whose path is wanted.
    pub fn fields_where(&self, mut wanted: impl FnMut(&[&str]) -> bool) -> Vec<Field<'_>> {
        let mut fields = Vec::new();
        for root in &self.tree().roots {
            self.fields_below(*root, &mut Vec::new(), &mut wanted, &mut fields);
        }
        fields
    }

    /// Those of [`Document::fields`] whose path leads through a wanted key.
    pub fn fields_through(&self, wanted: impl Fn(&str) -> bool) -> Vec<Field<'_>> {
        // A walk comes to what is below a key before anything else.
        let mut through = usize::MAX;
        self.fields_where(|path| {
            if path.len() <= through {
                through = if path.last().is_some_and(|key| wanted(key)) { path.len() } else { usize::MAX };
            }
            through < usize::MAX
        })
    }

    /// Where the key at a path stands; `None` where there is none, or more than one.
    pub fn key_at(&self, path: &KeyPath) -> Option<Position> {
        self.locate(path).ok().flatten().map(|pair| self.at(pair.key))
    }

    /// Every comment of the file, in its order. A `#` in a text is none.
    pub fn all_comments(&self) -> Vec<Comment<'_>> {
        let comment = |range: Range<usize>| Comment {
            alone: self.slice(self.line_start(range.start)..range.start).trim().is_empty(),
            at: self.position(range.start),
            text: self.slice(range).trim_end(),
        };
        self.comments(0..self.text().len(), 0..self.tree().len()).into_iter().map(comment).collect()
    }

    fn fields_below<'a>(
        &'a self,
        node: usize,
        path: &mut Vec<&'a str>,
        wanted: &mut impl FnMut(&[&str]) -> bool,
        fields: &mut Vec<Field<'a>>,
    ) {
        match self.tree().kind(node) {
            Kind::Mapping { .. } => {
                for pair in self.tree().pairs(node) {
                    path.push(self.text_of(pair.key));
                    if wanted(path) {
                        fields.push(self.field(pair, path));
                    }
                    // Most values are scalars.
                    if matches!(self.tree().kind(pair.value), Kind::Mapping { .. } | Kind::Sequence { .. }) {
                        self.fields_below(pair.value, path, wanted, fields);
                    }
                    path.pop();
                }
            }
            Kind::Sequence { .. } => {
                self.tree().items(node).for_each(|item| self.fields_below(item, path, wanted, fields));
            }
            Kind::Scalar(_) | Kind::Alias => {}
        }
    }

    fn field<'a>(&'a self, pair: Pair, path: &[&'a str]) -> Field<'a> {
        let tree = self.tree();
        let meant = match tree.kind(pair.value) {
            Kind::Alias => tree.target(pair.value).unwrap_or(pair.value),
            _ => pair.value,
        };
        let style = match tree.kind(meant) {
            Kind::Scalar(style) => Some(style),
            _ => None,
        };
        Field {
            path: path.to_vec(),
            key_at: self.at(pair.key),
            at: self.at(pair.value),
            span: tree.span(meant),
            text: style.map(|_| self.text_of(meant)),
            quoted: style.is_some_and(super::tree::quoted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(text: &str) -> Document {
        Document::parse(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn every_key_is_found_with_its_path_and_its_text() {
        let text = "a: &x 1\nb:\n  - c: 'two # no comment'\n    d: {e: *x, f: }\n---\na: |\n  # text\n";
        let document = document(text);
        let found: Vec<String> = document
            .fields()
            .iter()
            .map(|field| format!("{} {} {:?}", field.path.join("."), field.at, field.text))
            .collect();
        assert_eq!(
            found,
            [
                "a 1:7 Some(\"1\")",
                "b 3:3 None",
                "b.c 3:8 Some(\"two # no comment\")",
                "b.d 4:8 None",
                "b.d.e 4:12 Some(\"1\")",
                "b.d.f 4:17 Some(\"\")",
                "a 7:3 Some(\"# text\\n\")",
            ]
        );
    }

    #[test]
    fn what_stands_below_a_key_is_found_through_it() {
        let document = document("a: {b: {c: 1}, d: 2}\nb: 3\nl: [{b: {x: 1}}, {y: {b: }}]\nc: 4\n");
        let fields = document.fields_through(|key| key == "b");
        let found: Vec<String> = fields.iter().map(|field| field.path.join(".")).collect();
        assert_eq!(found, ["a.b", "a.b.c", "b", "l.b", "l.b.x", "l.y.b"]);
    }

    #[test]
    fn a_comment_is_no_text_and_a_text_is_no_comment() {
        let text = "# top\na: 1  # one\nb: 'x # no'\nc: |  # header\n  # text\n\n  # below\nd: 2\n# last";
        let document = document(text);
        let found: Vec<String> = document
            .all_comments()
            .iter()
            .map(|comment| format!("{} {} {}", comment.at, comment.alone, comment.text))
            .collect();
        assert_eq!(found, ["1:1 true # top", "2:7 false # one", "4:7 false # header", "9:1 true # last"]);
        assert_eq!(document.line_text(3), "b: 'x # no'");
        assert_eq!(document.line_text(99), "");
    }
}
