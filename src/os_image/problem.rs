//! What is wrong with values, and at which path of them. The place in a file is found by whoever has the files.

use std::fmt;

use serde_json::Value;

use crate::budget::Exceeded;
use crate::release::{InvalidImageKey, InvalidPrefix, InvalidTag};
use crate::template::TemplateError;
use crate::values::{KeyPath, ValueError, WrongValue};

/// A value that cannot be used as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Where it stands.
    pub at: KeyPath,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Wrong {
    /// A value that cannot be read as it is.
    #[error(transparent)]
    Value(#[from] WrongValue),
    /// A key that no artifact can have.
    #[error("{0}")]
    Key(#[from] InvalidImageKey),
    /// An address that names no registry prefix.
    #[error("{0}")]
    Prefix(#[from] InvalidPrefix),
    /// A tag that is none.
    #[error("{0}")]
    Tag(#[from] InvalidTag),
    /// A registry that the values do not have.
    #[error("names the registry `{name}`, which is not in os_images_oci_registries (it has {known})")]
    UnknownRegistry {
        /// Its name.
        name: String,
        /// The names that are there, as a message has room for them.
        known: String,
    },
    /// An image whose registry nobody names.
    #[error(
        "names no registry, and os_images_oci_registries does not have exactly one; name one with --registry"
    )]
    NoRegistry,
    /// An image that is named, and that the values do not have.
    #[error("names the image `{name}`, which neither sylva_diskimagebuilder_images nor os_images has")]
    NotListed {
        /// Its key.
        name: String,
    },
    /// Nothing says which images are served.
    #[error("has no selector, and no machine chooses an image, so it is not known what to serve")]
    NothingServed,
    /// A key that another entry has as well.
    #[error("gives the key `{key}`, which {other} has as well")]
    Repeated {
        /// The key.
        key: String,
        /// The other entry.
        other: KeyPath,
    },
}

impl Wrong {
    /// A value of another kind.
    pub fn unexpected(found: &Value, expected: &'static str) -> Self {
        WrongValue::unexpected(found, expected).into()
    }

    /// Something that is there, and cannot be.
    pub fn instead(found: &'static str, expected: &'static str) -> Self {
        WrongValue::Unexpected { found, expected }.into()
    }

    /// The same with its place.
    pub fn at(self, at: KeyPath) -> Problem {
        Problem { at, wrong: self }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.at, self.wrong)
    }
}

impl std::error::Error for Problem {}

impl Problem {
    /// Whether Helm refuses the values for the same reason (`required`), so that nothing is deployed.
    pub fn is_helms_refusal(&self) -> bool {
        matches!(&self.wrong, Wrong::Value(WrongValue::Template(TemplateError::Required(_))))
    }

    /// Whether a template is what is wrong: it may be right where more is known.
    pub fn is_of_template(&self) -> bool {
        matches!(&self.wrong, Wrong::Value(WrongValue::Template(_)))
    }

    /// What a template is too large in, if that is what is wrong.
    pub fn exceeded(&self) -> Option<&Exceeded> {
        match &self.wrong {
            Wrong::Value(wrong) => wrong.exceeded(),
            _ => None,
        }
    }
}

impl From<ValueError> for Problem {
    fn from(error: ValueError) -> Self {
        Self { at: error.at, wrong: error.wrong.into() }
    }
}
