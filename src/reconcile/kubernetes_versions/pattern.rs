//! A pattern over the text of a values file, for versions that stand at no path of their own.

use std::ops::Range;

use regex::Regex;

/// The group that holds the version.
const VERSION: &str = "version";

/// A regular expression with a group `version`.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// Text that is no such pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// No regular expression.
    #[error("{0}")]
    Syntax(String),
    /// It does not say where the version is.
    #[error("the pattern lacks the group (?<version>…)")]
    NoGroup,
}

impl Pattern {
    /// Compiles a pattern; `^` and `$` are the ends of lines.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(pattern: &str) -> Result<Self, InvalidPattern> {
        let regex = regex::RegexBuilder::new(pattern).multi_line(true).build();
        let regex = regex.map_err(|error| InvalidPattern::Syntax(error.to_string()))?;
        if !regex.capture_names().any(|name| name == Some(VERSION)) {
            return Err(InvalidPattern::NoGroup);
        }
        Ok(Self(regex))
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The bytes of the versions that it finds in a text.
    pub(super) fn versions(&self, text: &str) -> Vec<Range<usize>> {
        let version =
            |captures: regex::Captures<'_>| captures.name(VERSION).map(|found| found.start()..found.end());
        self.0.captures_iter(text).filter_map(version).collect()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}
