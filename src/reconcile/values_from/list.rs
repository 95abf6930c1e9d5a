//! A list that was read: items with fields, of which one is meant.

use std::sync::Arc;

use super::rule::ValuesFrom;
use crate::release::Digest;
use crate::values::{Document, Record};

/// The longest value that is taken over.
const LONGEST: usize = 128;

/// A list as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionList {
    /// The digest of its bytes.
    pub digest: Digest,
    items: Vec<Record>,
}

/// What became of reading a list.
pub type ListAnswer = Result<Arc<VersionList>, NoList>;

/// Why there is no list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoList {
    /// It cannot be used, today and tomorrow.
    Unusable(String),
    /// It could not be read; another time it may be.
    Unread(String),
    /// It was not asked for.
    NotAsked,
}

/// Why a list does not tell a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// No item is the one.
    #[error("it has no item whose `{0}` is `{1}`")]
    NoItem(String, String),
    /// Several items are.
    #[error("{count} items have the `{field}` `{text}` and different values of `{take}`")]
    Ambiguous {
        /// How many.
        count: usize,
        /// The field.
        field: String,
        /// What it says.
        text: String,
        /// The field that was to be taken.
        take: String,
    },
    /// The item lacks the field, or holds something else than a text in it.
    #[error("its item has no text in `{0}`")]
    NoField(String),
    /// The text cannot stand in a values file as it is.
    #[error("its `{0}` is {1:?}, which cannot be a version")]
    Odd(String, String),
}

impl VersionList {
    /// Reads a list: a list of mappings, or a mapping of which one key holds one.
    ///
    /// # Errors
    /// It is anything else.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let digest = Digest::of(bytes);
        let document = Document::parse(bytes.to_vec()).map_err(|error| error.to_string())?;
        let items = document.records().ok_or("it holds no list of mappings (or several of them)")?;
        Ok(Self { digest, items })
    }

    /// The value that a rule takes from it.
    ///
    /// # Errors
    /// The item or its field is not there, or there are several items.
    pub fn value(&self, rule: &ValuesFrom) -> Result<&str, NoValue> {
        let (field, text) = &rule.find;
        let items: Vec<&Record> =
            self.items.iter().filter(|item| item.field(field) == Some(text.as_str())).collect();
        let Some(first) = items.first() else {
            return Err(NoValue::NoItem(field.clone(), text.clone()));
        };
        if items.iter().any(|item| item.field(&rule.take) != first.field(&rule.take)) {
            let (count, field, text, take) = (items.len(), field.clone(), text.clone(), rule.take.clone());
            return Err(NoValue::Ambiguous { count, field, text, take });
        }
        let value = first.field(&rule.take).ok_or_else(|| NoValue::NoField(rule.take.clone()))?;
        match is_version(value) {
            true => Ok(value),
            false => Err(NoValue::Odd(rule.take.clone(), value.to_owned())),
        }
    }
}

/// Whether a text from outside may be written: letters, digits and the marks of versions, and nothing that YAML takes for a
/// number.
fn is_version(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+' | '_');
    text.len() <= LONGEST
        && text.chars().all(is_plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.contains(|c: char| c.is_ascii_digit())
        && text.replace('_', "").parse::<f64>().is_err()
}
