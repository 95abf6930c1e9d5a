//! A value of a template: shared with where it stands, never copied, however often a template names it.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Number, Value};

use super::TemplateError;
use super::format::number_printed;
use crate::budget::{Budget, Of};

static NULL: Value = Value::Null;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Shared<'v> {
    /// As it stands in the values.
    At(&'v Value),
    /// Text, a number or a boolean that a function gave.
    Made(Rc<Value>),
    /// A list that a function made of others.
    List(Rc<[Shared<'v>]>),
    /// A mapping that a function made of others.
    Map(Rc<BTreeMap<String, Shared<'v>>>),
}

impl<'v> Shared<'v> {
    pub(super) fn null() -> Self {
        Self::At(&NULL)
    }

    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    pub(super) fn map(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Map(Rc::new(entries.into_iter().collect()))
    }

    /// The value, unless it is a list or a mapping that a function made.
    fn plain(&self) -> Option<&Value> {
        match self {
            Self::At(value) => Some(value),
            Self::Made(value) => Some(value),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.plain().is_some_and(Value::is_null)
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.plain()?.as_str()
    }

    pub(super) fn bool(&self) -> Option<bool> {
        self.plain()?.as_bool()
    }

    pub(super) fn number(&self) -> Option<&Number> {
        self.plain()?.as_number()
    }

    /// How many items or entries it has; `None` if it is no list and no mapping.
    pub(super) fn count(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(items.len()),
            Self::Map(map) => Some(map.len()),
            Self::At(Value::Array(items)) => Some(items.len()),
            Self::At(Value::Object(map)) => Some(map.len()),
            Self::At(_) | Self::Made(_) => None,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::List(_) | Self::At(Value::Array(_)))
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self, Self::Map(_) | Self::At(Value::Object(_)))
    }

    /// The item of a list.
    pub(super) fn item(&self, at: usize) -> Option<Self> {
        match self {
            Self::List(items) => items.get(at).cloned(),
            Self::At(Value::Array(items)) => items.get(at).map(Self::At),
            _ => None,
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> {
        let count = if self.is_list() { self.count() } else { None };
        (0..count.unwrap_or_default()).filter_map(|at| self.item(at))
    }

    /// The value at a key of a mapping.
    pub(super) fn entry(&self, key: &str) -> Option<Self> {
        match self {
            Self::Map(map) => map.get(key).cloned(),
            Self::At(Value::Object(map)) => map.get(key).map(Self::At),
            _ => None,
        }
    }

    /// What `range` goes through: the items of a list with their numbers, the entries of a mapping by their keys in order.
    /// `None` for anything else.
    pub(super) fn numbered(&self) -> Option<Vec<(Self, Self)>> {
        if self.is_list() {
            let number = |at: usize| Self::from(Value::from(at));
            return Some(self.items().enumerate().map(|(at, item)| (number(at), item)).collect());
        }
        let entry = |key: &str| Some((Self::from(key), self.entry(key)?));
        self.is_map().then(|| self.keys().into_iter().filter_map(entry).collect())
    }

    /// The kind of the value as Go's reflection calls it (sprig, `kindIs`). Numbers of values are floating ones.
    pub(super) fn go_kind(&self) -> &'static str {
        match self.plain() {
            None if self.is_list() => "slice",
            None => "map",
            Some(Value::Null) => "invalid",
            Some(Value::Bool(_)) => "bool",
            Some(Value::Number(number)) if number.is_f64() => "float64",
            Some(Value::Number(_)) => "int",
            Some(Value::String(_)) => "string",
            Some(Value::Array(_)) => "slice",
            Some(Value::Object(_)) => "map",
        }
    }

    /// The keys of a mapping, in their order; none of anything else.
    fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = match self {
            Self::Map(map) => map.keys().map(String::as_str).collect(),
            Self::At(Value::Object(map)) => map.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        keys.sort_unstable();
        keys
    }

    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::At(value) => super::kind(value),
            Self::Made(value) => super::kind(value),
        }
    }

    /// What Go and sprig take for empty: nothing, false, zero, and what has no length.
    pub(super) fn is_empty(&self) -> bool {
        match self.plain() {
            Some(Value::Null) => true,
            Some(Value::Bool(value)) => !value,
            Some(Value::Number(number)) => number.as_f64() == Some(0.0),
            Some(Value::String(text)) => text.is_empty(),
            _ => self.count() == Some(0),
        }
    }

    /// Whether both are the same, item by item; each costs a step.
    pub(super) fn equals(&self, other: &Self, budget: &Budget) -> Result<bool, TemplateError> {
        budget.spend(Of::Template, 1)?;
        if let (Some(one), Some(other)) = (self.text(), other.text()) {
            budget.spend(Of::TemplateBytes, one.len().min(other.len()) as u64)?;
            return Ok(one == other);
        }
        if self.count() != other.count() || self.is_list() != other.is_list() {
            return Ok(false);
        }
        if self.count().is_none() {
            return Ok(self.plain() == other.plain());
        }
        for (one, other) in self.items().zip(other.items()) {
            if !one.equals(&other, budget)? {
                return Ok(false);
            }
        }
        budget.spend(Of::Template, self.keys().len() as u64)?;
        for key in self.keys() {
            match (self.entry(key), other.entry(key)) {
                (Some(one), Some(other)) if one.equals(&other, budget)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The order of two numbers or two texts; whole numbers and floating ones, as all numbers of values are, Go does not
    /// compare.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        if let (Some(one), Some(other)) = (self.text(), other.text()) {
            return Some(one.cmp(other));
        }
        let (one, other) = (self.number()?, other.number()?);
        if one.is_f64() != other.is_f64() {
            return None;
        }
        match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => Some(one.cmp(&other)),
            _ => one.as_f64().zip(other.as_f64()).and_then(|(one, other)| one.partial_cmp(&other)),
        }
    }

    /// Adds the value as `%v` prints it, as far as a text may become that long.
    pub(super) fn print(&self, text: &mut String, most: usize, budget: &Budget) -> Result<(), TemplateError> {
        let before = text.len();
        match self.plain() {
            Some(Value::Null) => text.push_str("<nil>"),
            Some(Value::Bool(value)) => text.push_str(if *value { "true" } else { "false" }),
            Some(Value::Number(number)) => text.push_str(&number_printed(number)),
            Some(Value::String(value)) => text.push_str(value),
            _ if self.is_list() => self.print_items(text, most, budget)?,
            _ => self.print_entries(text, most, budget)?,
        }
        budget.spend(Of::Template, 1)?;
        budget.spend(Of::TemplateBytes, (text.len() - before) as u64)?;
        if text.len() > most { Err(TemplateError::TooLong(most)) } else { Ok(()) }
    }

    fn print_items(&self, text: &mut String, most: usize, budget: &Budget) -> Result<(), TemplateError> {
        text.push('[');
        for (at, item) in self.items().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            item.print(text, most, budget)?;
        }
        text.push(']');
        Ok(())
    }

    fn print_entries(&self, text: &mut String, most: usize, budget: &Budget) -> Result<(), TemplateError> {
        text.push_str("map[");
        budget.spend(Of::Template, self.count().unwrap_or_default() as u64)?;
        for (at, key) in self.keys().into_iter().enumerate() {
            if at > 0 {
                text.push(' ');
            }
            text.push_str(key);
            text.push(':');
            self.entry(key).unwrap_or_else(Self::null).print(text, most, budget)?;
        }
        text.push(']');
        Ok(())
    }
}

impl<'v, T: Into<Value>> From<T> for Shared<'v> {
    fn from(value: T) -> Self {
        Self::Made(Rc::new(value.into()))
    }
}
