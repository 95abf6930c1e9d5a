//! Merged values as charts read them: what stands at a path, its templates rendered until none is left.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use super::KeyPath;
use super::data::read_mapping;
use crate::budget::{Budget, Exceeded};
use crate::template::{TemplateError, With, kind, paths, resolve};

/// So deep is it looked for the value that is to blame.
const NESTED: usize = 8;

/// Merged values, and how much may be spent on the templates in them.
#[derive(Debug, Clone, Copy)]
pub struct Rendered<'a> {
    values: &'a Value,
    budget: &'a Budget,
    lookups: Option<&'a Lookups>,
}

/// Where values asked a cluster (`lookup`) on their way to what was rendered. There was none, so they found nothing.
#[derive(Debug, Default)]
pub struct Lookups(Mutex<BTreeSet<KeyPath>>);

impl Lookups {
    /// The values that asked.
    pub fn paths(&self) -> Vec<KeyPath> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// A value that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{at}`: {wrong}")]
pub struct ValueError {
    /// Where it stands.
    pub at: KeyPath,
    /// What is wrong with it.
    pub wrong: WrongValue,
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WrongValue {
    /// A template that cannot be rendered here.
    #[error("{0}")]
    Template(#[from] TemplateError),
    /// Something else than what was expected.
    #[error("is {found} (expected {expected})")]
    Unexpected {
        /// What stands there.
        found: &'static str,
        /// What should.
        expected: &'static str,
    },
    /// There is nothing.
    #[error("is missing")]
    Missing,
}

impl WrongValue {
    /// What a template is too large in, if that is what is wrong.
    pub fn exceeded(&self) -> Option<&Exceeded> {
        match self {
            Self::Template(TemplateError::Exceeded(exceeded)) => Some(exceeded),
            _ => None,
        }
    }

    /// A value of another kind.
    pub fn unexpected(found: &Value, expected: &'static str) -> Self {
        Self::Unexpected { found: kind(found), expected }
    }

    fn at(self, at: &KeyPath) -> ValueError {
        ValueError { at: at.clone(), wrong: self }
    }
}

impl<'a> Rendered<'a> {
    /// These values, rendered within this budget.
    pub fn new(values: &'a Value, budget: &'a Budget) -> Self {
        Self { values, budget, lookups: None }
    }

    /// The same, with a place for the values that ask a cluster.
    #[must_use]
    pub fn noting(self, lookups: &'a Lookups) -> Self {
        Self { lookups: Some(lookups), ..self }
    }

    /// The same, for a template.
    pub fn with(self) -> With<'a> {
        With { values: self.values, budget: self.budget, read_yaml: read_mapping }
    }

    /// All of them, as they stand.
    pub fn values(self) -> &'a Value {
        self.values
    }

    /// A text with its templates rendered until none is left.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    pub fn resolve(self, text: &str) -> Result<String, TemplateError> {
        self.resolved(text, &KeyPath::default())
    }

    fn resolved(self, text: &str, path: &KeyPath) -> Result<String, TemplateError> {
        let resolved = resolve(text, self.with())?;
        if let (Some(Lookups(noted)), true) = (self.lookups, resolved.asked_a_cluster) {
            let asking = self.asking(text, path, NESTED).into_iter().filter(|path| !path.0.is_empty());
            noted.lock().unwrap_or_else(PoisonError::into_inner).extend(asking);
        }
        Ok(resolved.text)
    }

    /// The values for which this one at `path` asks a cluster: those that its template names and that ask, else itself.
    fn asking(self, text: &str, path: &KeyPath, deep: usize) -> Vec<KeyPath> {
        let asks = |text: &str| resolve(text, self.with()).is_ok_and(|it| it.asked_a_cluster);
        let named = paths(text).into_iter().map(KeyPath).filter(|_| deep > 0);
        let texts = named.filter_map(|path| Some((self.at(&path)?.as_str()?, path)));
        let asking = texts.filter(|(text, _)| asks(text));
        let deeper: Vec<_> = asking.flat_map(|(text, path)| self.asking(text, &path, deep - 1)).collect();
        if deeper.is_empty() { vec![path.clone()] } else { deeper }
    }

    /// What stands at a path; null is nothing.
    pub fn at(self, path: &KeyPath) -> Option<&'a Value> {
        let found = path.0.iter().try_fold(self.values, |value, key| value.get(key));
        found.filter(|value| !value.is_null())
    }

    /// A mapping; nothing is an empty one.
    ///
    /// # Errors
    /// Something else stands there.
    pub fn mapping(self, path: &KeyPath) -> Result<Vec<(&'a String, &'a Value)>, ValueError> {
        match self.at(path) {
            None => Ok(Vec::new()),
            Some(Value::Object(map)) => Ok(map.iter().collect()),
            Some(other) => Err(WrongValue::unexpected(other, "a mapping").at(path)),
        }
    }

    /// A text; an empty one may be as good as none.
    ///
    /// # Errors
    /// Something else stands there, or a template that cannot be rendered.
    pub fn text(self, path: &KeyPath) -> Result<Option<String>, ValueError> {
        match self.at(path) {
            None => Ok(None),
            Some(Value::String(text)) => self.render(text, path).map(Some),
            Some(other) => Err(WrongValue::unexpected(other, "text; write it in quotes").at(path)),
        }
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// As [`Rendered::text`], and where there is none.
    pub fn required(self, path: &KeyPath) -> Result<String, ValueError> {
        self.text(path)?.filter(|text| !text.is_empty()).ok_or_else(|| WrongValue::Missing.at(path))
    }

    /// A boolean, or a text that becomes one.
    ///
    /// # Errors
    /// As [`Rendered::text`], and text that is neither `true` nor `false`.
    pub fn flag(self, path: &KeyPath) -> Result<Option<bool>, ValueError> {
        match self.at(path) {
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            _ => match self.text(path)?.as_deref() {
                None => Ok(None),
                Some("true") => Ok(Some(true)),
                Some("false") => Ok(Some(false)),
                Some(_) => Err(WrongValue::Unexpected { found: "text", expected: "true or false" }.at(path)),
            },
        }
    }

    /// A text that stands at `path`, rendered. The error names the value that is to blame, which `text` may only refer to.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    pub fn render(self, text: &str, path: &KeyPath) -> Result<String, ValueError> {
        self.resolved(text, path).map_err(|error| {
            let culprit = self.culprit(text, NESTED);
            WrongValue::from(error).at(culprit.as_ref().unwrap_or(path))
        })
    }

    /// The value that a template names and that cannot be rendered itself.
    fn culprit(self, text: &str, deep: usize) -> Option<KeyPath> {
        paths(text).into_iter().map(KeyPath).find_map(|path| {
            let Some(Value::String(text)) = self.at(&path) else { return None };
            self.resolve(text).err()?;
            let deeper = (deep > 0).then(|| self.culprit(text, deep - 1)).flatten();
            Some(deeper.unwrap_or(path))
        })
    }

    /// A value with all its texts rendered.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    pub fn render_all(self, value: &Value, path: &KeyPath) -> Result<Value, ValueError> {
        Ok(match value {
            Value::String(text) => self.render(text, path)?.into(),
            Value::Array(items) => {
                items.iter().map(|item| self.render_all(item, path)).collect::<Result<_, _>>()?
            }
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| {
                    Ok((key.clone(), self.render_all(value, &path.below(&[key]))?))
                };
                Value::Object(map.iter().map(entry).collect::<Result<Map<_, _>, ValueError>>()?)
            }
            plain => plain.clone(),
        })
    }
}
