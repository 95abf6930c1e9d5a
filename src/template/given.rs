//! What an expression gives.

use serde_json::Value;

use super::TemplateError;
use super::shared::Shared;

/// What an expression gives.
#[derive(Clone)]
pub(super) enum Given<'v> {
    /// A value, never null.
    Value(Shared<'v>),
    /// Nothing, and what gave it: a path or a function. It is no error before it is printed or demanded.
    Nothing(String),
}

impl<'v> Given<'v> {
    /// A value of our own.
    pub(super) fn new(value: impl Into<Value>) -> Self {
        Self::Value(Shared::from(value))
    }

    /// What stands at `name`; null is nothing.
    pub(super) fn at(value: Option<Shared<'v>>, name: &str) -> Self {
        match value.filter(|value| !value.is_null()) {
            Some(value) => Self::Value(value),
            None => Self::Nothing(name.to_owned()),
        }
    }

    /// The value, if there is one.
    pub(super) fn value(&self) -> Option<&Shared<'v>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing(_) => None,
        }
    }

    /// The value, which must be there.
    pub(super) fn demanded(&self) -> Result<&Shared<'v>, TemplateError> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Nothing(name) => Err(TemplateError::Missing(name.clone())),
        }
    }
}
