//! A place in the text of a template: what stands there is taken or left.

use crate::template::TemplateError;

pub(super) struct Cursor<'t> {
    text: &'t str,
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// `-}}` behind white space.
    pub(super) fn closes_trimming(&self) -> bool {
        self.rest().starts_with("-}}") && self.text[..self.at].ends_with(is_space)
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(super) fn take(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    pub(super) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let taken = &rest[..rest.find(|c| !fits(c)).unwrap_or(rest.len())];
        self.at += taken.len();
        taken
    }

    /// Skips white space, and says whether there was any.
    pub(super) fn space(&mut self) -> bool {
        !self.take_while(is_space).is_empty()
    }

    pub(super) fn word(&mut self) -> &'t str {
        self.take_while(is_word)
    }

    /// The name of a variable, `$name`; `$` alone is none.
    pub(super) fn variable(&mut self) -> Option<&'t str> {
        let start = self.at;
        let name = if self.take("$") { self.word() } else { "" };
        if name.is_empty() {
            self.at = start;
            return None;
        }
        Some(name)
    }

    pub(super) fn unexpected(&self) -> TemplateError {
        match self.rest().chars().next() {
            Some(c) => self.wrong(&format!("`{}` is not expected here", c.escape_debug())),
            None => self.wrong("an action that is not closed"),
        }
    }

    pub(super) fn wrong(&self, problem: &str) -> TemplateError {
        self.wrong_at(self.at, problem)
    }

    pub(super) fn wrong_at(&self, at: usize, problem: &str) -> TemplateError {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        TemplateError::Syntax { line, column, problem: problem.to_owned() }
    }
}

/// What Go's templates take for white space.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

pub(super) fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
