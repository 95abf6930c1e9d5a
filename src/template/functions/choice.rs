//! Functions that hand one of their arguments on, or demand one.

use super::arguments::Arguments;
use super::{Answer, is_empty};
use crate::template::TemplateError;
use crate::template::given::Given;

/// What `and` and `or` give when no argument before the last one decided.
pub(super) fn last<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    Ok(arguments.given[arguments.given.len() - 1].clone())
}

pub(super) fn default<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let given = arguments.given.get(1).filter(|given| !is_empty(given));
    Ok(given.unwrap_or(&arguments.given[0]).clone())
}

pub(super) fn coalesce<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let given = arguments.given.iter().find(|given| !is_empty(given));
    Ok(given.cloned().unwrap_or_else(|| Given::Nothing("coalesce".to_owned())))
}

pub(super) fn ternary<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let decides = arguments.given[2].demanded()?;
    match decides.bool() {
        Some(true) => Ok(arguments.given[0].clone()),
        Some(false) => Ok(arguments.given[1].clone()),
        None => Err(arguments.unfit(format!("decides by a boolean and has {}", decides.kind()))),
    }
}

pub(super) fn required<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let why = arguments.text(0)?;
    match arguments.given[1].value() {
        None => Err(TemplateError::Required(why.to_owned())),
        Some(value) if value.text() == Some("") => Err(TemplateError::Required(why.to_owned())),
        Some(_) => Ok(arguments.given[1].clone()),
    }
}
