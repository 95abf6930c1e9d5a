//! The arguments of a function, as it takes them.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::Number;

use super::{Answer, Function};
use crate::budget::Budget;
use crate::template::given::Given;
use crate::template::shared::Shared;
use crate::template::{LONGEST, ReadYaml, TemplateError};

/// The arguments of a call, in the number that the function takes.
pub(super) struct Arguments<'a, 'v> {
    pub(super) function: &'a Function,
    pub(super) given: &'a [Given<'v>],
    pub(super) budget: &'a Budget,
    pub(super) read_yaml: ReadYaml,
}

impl<'a, 'v> Arguments<'a, 'v> {
    /// The text at a position; Go's functions on text take nothing else.
    pub(super) fn text(&self, at: usize) -> Result<&'a str, TemplateError> {
        let value = self.given[at].demanded()?;
        value.text().ok_or_else(|| self.unfit(format!("takes text and has {}", value.kind())))
    }

    pub(super) fn unfit(&self, problem: impl Into<String>) -> TemplateError {
        self.function.unfit(problem)
    }

    pub(super) fn list(&self, at: usize) -> Result<&'a Shared<'v>, TemplateError> {
        let value = self.given[at].demanded()?;
        match value.is_list() {
            true => Ok(value),
            false => Err(self.unfit(format!("takes a list and has {}", value.kind()))),
        }
    }

    pub(super) fn map(&self, at: usize) -> Result<&'a Shared<'v>, TemplateError> {
        let value = self.given[at].demanded()?;
        match value.is_map() {
            true => Ok(value),
            false => Err(self.unfit(format!("takes a mapping and has {}", value.kind()))),
        }
    }

    pub(super) fn printed(&self, value: &Shared<'_>) -> Result<String, TemplateError> {
        let mut text = String::new();
        value.print(&mut text, LONGEST, self.budget)?;
        Ok(text)
    }

    /// The first argument as a regular expression. Ours and Go's have nearly the same syntax.
    pub(super) fn regex(&self) -> Result<Regex, TemplateError> {
        let regex = self.budget.regex(self.text(0)?)?;
        regex.ok_or_else(|| self.unfit("has a regular expression that cannot be read here"))
    }

    pub(super) fn split(&self) -> Result<Vec<&'a str>, TemplateError> {
        let (separator, text) = (self.text(0)?, self.text(1)?);
        match separator {
            "" => Err(self.unfit("needs something to split at")),
            separator => Ok(text.split(separator).collect()),
        }
    }

    pub(super) fn all_printed(&self) -> Result<Vec<String>, TemplateError> {
        self.given.iter().map(|given| self.printed(given.demanded()?)).collect()
    }

    /// What is there, each in quotes and apart by a blank; what is not there is left out.
    pub(super) fn each_in_quotes(&self, quote: impl Fn(String) -> String) -> Answer<'v> {
        let words = self.given.iter().filter_map(Given::value).map(|value| self.printed(value).map(&quote));
        Ok(Given::new(words.collect::<Result<Vec<_>, _>>()?.join(" ")))
    }

    pub(super) fn any_equal(&self) -> Result<bool, TemplateError> {
        for other in &self.given[1..] {
            if self.equal(&self.given[0], other)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn equal(&self, one: &Given<'v>, other: &Given<'v>) -> Result<bool, TemplateError> {
        match (one.value(), other.value()) {
            (None, None) => Ok(true),
            (None, Some(_)) | (Some(_), None) => Ok(false),
            (Some(one), Some(other)) => match (one.bool(), other.bool()) {
                (Some(one), Some(other)) => Ok(one == other),
                _ => self.order(one, other).map(Ordering::is_eq),
            },
        }
    }

    pub(super) fn compared(&self, holds: impl Fn(Ordering) -> bool) -> Answer<'v> {
        let order = self.order(self.given[0].demanded()?, self.given[1].demanded()?)?;
        Ok(Given::new(holds(order)))
    }

    /// Text with text, by bytes, and number with number.
    pub(super) fn order(&self, one: &Shared<'v>, other: &Shared<'v>) -> Result<Ordering, TemplateError> {
        let unfit = || self.unfit(format!("cannot compare {} with {}", one.kind(), other.kind()));
        one.order(other).ok_or_else(unfit)
    }

    pub(super) fn indented(&self) -> Result<String, TemplateError> {
        let (width, text) = (self.given[0].demanded()?, self.text(1)?);
        let width = width.number().and_then(Number::as_u64);
        let Some(width) = width.and_then(|width| usize::try_from(width).ok()) else {
            return Err(self.unfit("takes a number of blanks"));
        };
        let lines = text.matches('\n').count() + 1;
        within(lines.saturating_mul(width).saturating_add(text.len()))?;
        let blanks = " ".repeat(width);
        Ok(format!("{blanks}{}", text.replace('\n', &format!("\n{blanks}"))))
    }
}

/// Whether a function may give a text of this length, in bytes.
pub(super) fn within(length: usize) -> Result<(), TemplateError> {
    if length > LONGEST { Err(TemplateError::TooLong(LONGEST)) } else { Ok(()) }
}

pub(super) fn or_null<'v>(given: &Given<'v>) -> Shared<'v> {
    given.value().cloned().unwrap_or_else(Shared::null)
}
