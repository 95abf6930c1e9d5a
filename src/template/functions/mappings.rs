//! Functions that change a mapping or take a part of it. What they are given is what they change, as in Go: everybody who
//! holds the mapping sees it.

use std::cell::RefCell;
use std::rc::Rc;

use super::Answer;
use super::arguments::{Arguments, or_null};
use crate::budget::Counted;
use crate::template::TemplateError;
use crate::template::given::Given;
use crate::template::shared::{DEEPEST, MadeMapping, Shared};

/// Puts a value at a key.
pub(super) fn set<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let map = own(arguments, arguments.map(0)?)?;
    map.borrow_mut().insert(arguments.text(1)?.to_owned(), or_null(&arguments.given[2]));
    Ok(arguments.given[0].clone())
}

pub(super) fn unset<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let map = own(arguments, arguments.map(0)?)?;
    map.borrow_mut().remove(arguments.text(1)?);
    Ok(arguments.given[0].clone())
}

/// The mapping with those of its entries whose keys are named, or with those that are not.
pub(super) fn part<'v>(arguments: &Arguments<'_, 'v>, named: bool) -> Answer<'v> {
    let map = arguments.map(0)?;
    let keys = (1..arguments.given.len()).map(|at| arguments.text(at)).collect::<Result<Vec<_>, _>>()?;
    arguments.budget.spend(Counted::Template, map.count().unwrap_or_default() as u64)?;
    let entries = map.entries().into_iter().filter(|(key, _)| keys.contains(&key.as_ref()) == named);
    Ok(Given::Value(Shared::map(entries.map(|(key, value)| (key.into_owned(), value)))))
}

/// Merges the other mappings into the first one, as mergo does (`deepMerge`, for mappings of anything): an entry that is
/// there and not empty stays, or is overwritten.
pub(super) fn merge<'v>(arguments: &Arguments<'_, 'v>, overwrites: bool) -> Answer<'v> {
    let into = arguments.map(0)?;
    for at in 1..arguments.given.len() {
        Merging { arguments, overwrites }.merge(into, arguments.map(at)?, DEEPEST)?;
    }
    Ok(arguments.given[0].clone())
}

struct Merging<'a, 'v> {
    arguments: &'a Arguments<'a, 'v>,
    overwrites: bool,
}

impl<'v> Merging<'_, 'v> {
    fn merge(&self, into: &Shared<'v>, from: &Shared<'v>, depth: usize) -> Result<(), TemplateError> {
        let depth = depth.checked_sub(1).ok_or(TemplateError::TooDeep)?;
        let entries = from.entries();
        self.arguments.budget.spend(Counted::Template, 1 + entries.len() as u64)?;
        for (key, value) in entries {
            let there = into.entry(&key);
            if let Some(there) = there.as_ref().filter(|there| there.is_map() && value.is_map()) {
                self.merge(there, &value, depth)?;
            }
            // What was empty may have been filled just now.
            let is_full = there.as_ref().is_some_and(|there| !there.is_empty());
            let replaces = match (&there, value.is_null()) {
                (_, true) => self.overwrites,
                (Some(there), _) if is_full => self.overwrites && !(there.is_map() && value.is_map()),
                _ => true,
            };
            if replaces {
                own(self.arguments, into)?.borrow_mut().insert(key.into_owned(), value);
            }
        }
        Ok(())
    }
}

/// The mapping, if it may be changed.
fn own<'a, 'v>(
    arguments: &Arguments<'_, 'v>,
    map: &'a Shared<'v>,
) -> Result<&'a Rc<RefCell<MadeMapping<'v>>>, TemplateError> {
    match map {
        Shared::Map(map) => Ok(map),
        _ => {
            Err(arguments.unfit("would change values that other templates read; change a `deepCopy` of them"))
        }
    }
}
