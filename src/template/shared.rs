//! A value of a template: shared with where it stands, never copied, however often a template names it.
//!
//! As Go's maps are, a mapping that a function made is one thing under all its names: what `set` and `merge` put into it is
//! seen wherever it is held. A mapping of the values is not changed: other templates read it, in an order that only the
//! chart knows.

use std::borrow::Cow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Number, Value};

use super::TemplateError;
use crate::budget::{Budget, Counted};

static NULL: Value = Value::Null;

/// No values file nests so deep, and nothing that is walked through may: a mapping can be put into itself.
pub(super) const DEEPEST: usize = 600;

/// The entries of a mapping that a function made.
pub(super) type MadeMapping<'v> = BTreeMap<String, Shared<'v>>;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Shared<'v> {
    /// As it stands in the values.
    At(&'v Value),
    /// Text, a number or a boolean that a function gave.
    Made(Rc<Value>),
    /// A list that a function made of others.
    List(Rc<[Shared<'v>]>),
    /// A mapping that a function made of others. Clones are the same mapping.
    Map(Rc<RefCell<MadeMapping<'v>>>),
}

impl<'v> Shared<'v> {
    pub(super) fn null() -> Self {
        Self::At(&NULL)
    }

    pub(super) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    pub(super) fn map(entries: impl IntoIterator<Item = (String, Self)>) -> Self {
        Self::Map(Rc::new(RefCell::new(entries.into_iter().collect())))
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

    /// How many items or entries it has; `None` if it is neither a list nor a mapping.
    pub(super) fn count(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(items.len()),
            Self::Map(map) => Some(map.borrow().len()),
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
            Self::Map(map) => map.borrow().get(key).cloned(),
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
        let entry = |(key, value): (Cow<'v, str>, Self)| (Self::from(key.into_owned()), value);
        self.is_map().then(|| self.entries().into_iter().map(entry).collect())
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

    /// The entries of a mapping in the order of their keys, as they are now; none of anything else.
    pub(super) fn entries(&self) -> Vec<(Cow<'v, str>, Self)> {
        let mut entries: Vec<_> = match self {
            Self::Map(map) => {
                map.borrow().iter().map(|(key, value)| (Cow::Owned(key.clone()), value.clone())).collect()
            }
            Self::At(Value::Object(map)) => {
                map.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), Self::At(value))).collect()
            }
            _ => Vec::new(),
        };
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        entries
    }

    /// What it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::At(value) => kind(value),
            Self::Made(value) => kind(value),
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
        self.equals_within(other, budget, DEEPEST)
    }

    fn equals_within(&self, other: &Self, budget: &Budget, depth: usize) -> Result<bool, TemplateError> {
        budget.spend(Counted::Template, 1)?;
        let depth = depth.checked_sub(1).ok_or(TemplateError::TooDeep)?;
        if let (Some(one), Some(other)) = (self.text(), other.text()) {
            budget.spend(Counted::TemplateBytes, one.len().min(other.len()) as u64)?;
            return Ok(one == other);
        }
        if self.count() != other.count() || self.is_list() != other.is_list() {
            return Ok(false);
        }
        if self.count().is_none() {
            return Ok(self.plain() == other.plain());
        }
        for (one, other) in self.items().zip(other.items()) {
            if !one.equals_within(&other, budget, depth)? {
                return Ok(false);
            }
        }
        budget.spend(Counted::Template, self.count().unwrap_or_default() as u64)?;
        for (key, one) in self.entries() {
            match other.entry(&key) {
                Some(other) if one.equals_within(&other, budget, depth)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The same again, of which nothing is shared with this one; each item costs a step.
    pub(super) fn copied(&self, budget: &Budget) -> Result<Self, TemplateError> {
        self.copied_within(budget, DEEPEST)
    }

    fn copied_within(&self, budget: &Budget, depth: usize) -> Result<Self, TemplateError> {
        budget.spend(Counted::Template, 1)?;
        let depth = depth.checked_sub(1).ok_or(TemplateError::TooDeep)?;
        let copied = |value: &Self| value.copied_within(budget, depth);
        if self.is_list() {
            let items = self.items().map(|item| copied(&item));
            return Ok(Self::list(items.collect::<Result<Vec<_>, _>>()?));
        }
        if self.is_map() {
            let entry = |(key, value): (Cow<'_, str>, Self)| Ok((key.into_owned(), copied(&value)?));
            let entries = self.entries().into_iter().map(entry);
            return Ok(Self::map(entries.collect::<Result<Vec<_>, TemplateError>>()?));
        }
        Ok(self.clone())
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
        self.print_within(&mut Output { text, most, budget }, DEEPEST)
    }

    fn print_within(&self, output: &mut Output<'_>, depth: usize) -> Result<(), TemplateError> {
        let before = output.text.len();
        let text = &mut *output.text;
        match self.plain() {
            Some(Value::Null) => text.push_str("<nil>"),
            Some(Value::Bool(value)) => text.push_str(if *value { "true" } else { "false" }),
            Some(Value::Number(number)) => text.push_str(&number_printed(number)),
            Some(Value::String(value)) => text.push_str(value),
            _ => {
                let depth = depth.checked_sub(1).ok_or(TemplateError::TooDeep)?;
                if self.is_list() {
                    self.print_items(output, depth)?;
                } else {
                    self.print_entries(output, depth)?;
                }
            }
        }
        output.written(before)
    }

    fn print_items(&self, output: &mut Output<'_>, depth: usize) -> Result<(), TemplateError> {
        output.text.push('[');
        for (at, item) in self.items().enumerate() {
            if at > 0 {
                output.text.push(' ');
            }
            item.print_within(output, depth)?;
        }
        output.text.push(']');
        Ok(())
    }

    fn print_entries(&self, output: &mut Output<'_>, depth: usize) -> Result<(), TemplateError> {
        output.text.push_str("map[");
        output.budget.spend(Counted::Template, self.count().unwrap_or_default() as u64)?;
        for (at, (key, value)) in self.entries().into_iter().enumerate() {
            if at > 0 {
                output.text.push(' ');
            }
            output.text.push_str(&key);
            output.text.push(':');
            value.print_within(output, depth)?;
        }
        output.text.push(']');
        Ok(())
    }
}

/// A text that grows, how long it may become, and what it costs.
pub(super) struct Output<'o> {
    pub(super) text: &'o mut String,
    pub(super) most: usize,
    pub(super) budget: &'o Budget,
}

impl Output<'_> {
    /// Pays for what was written behind `before`.
    pub(super) fn written(&self, before: usize) -> Result<(), TemplateError> {
        self.budget.spend(Counted::Template, 1)?;
        self.budget.spend(Counted::TemplateBytes, (self.text.len() - before) as u64)?;
        if self.text.len() > self.most { Err(TemplateError::TooLong(self.most)) } else { Ok(()) }
    }
}

/// The lists and mappings that functions made while a template was rendered.
///
/// They may hold each other, also in a circle or thousands deep. So they are let go one by one: mappings are emptied, and
/// then the newest go first, as a list holds only what is older.
#[derive(Default)]
pub(super) struct Made<'v>(RefCell<Vec<Shared<'v>>>);

impl<'v> Made<'v> {
    pub(super) fn keep(&self, value: Option<&Shared<'v>>) {
        if let Some(made @ (Shared::List(_) | Shared::Map(_))) = value {
            self.0.borrow_mut().push(made.clone());
        }
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let made = self.0.get_mut();
        for value in made.iter() {
            if let Shared::Map(map) = value {
                drop(map.take());
            }
        }
        while made.pop().is_some() {}
    }
}

impl<'v, T: Into<Value>> From<T> for Shared<'v> {
    fn from(value: T) -> Self {
        Self::Made(Rc::new(value.into()))
    }
}

/// What a value is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a floating number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// The shortest form that reads back as the same number, with an exponent where that is below -4 or above 5. Numbers of
/// values files are floats to Helm, so that 1234567 is printed as 1.234567e+06.
pub(super) fn number_printed(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    if float == 0.0 || (1e-4..1e6).contains(&float.abs()) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            format!("{mantissa}e{sign}{digits:0>2}")
        }
        None => text,
    }
}
