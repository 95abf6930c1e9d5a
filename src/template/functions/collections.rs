//! Functions of lists and mappings.

use super::Answer;
use super::arguments::{Arguments, or_null};
use crate::budget::Counted;
use crate::template::given::Given;
use crate::template::shared::Shared;
use crate::template::{LONGEST, TemplateError};

pub(super) fn index<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let mut given = arguments.given[0].clone();
    for key in &arguments.given[1..] {
        let (holder, key) = (given.demanded()?, key.demanded()?);
        let found = match (key.text(), key.number()) {
            (Some(key), _) if holder.is_map() => holder.entry(key),
            (_, Some(at)) if holder.is_list() => {
                let item = at.as_u64().and_then(|at| holder.item(usize::try_from(at).ok()?));
                Some(item.ok_or_else(|| arguments.unfit("goes beyond its list"))?)
            }
            _ => return Err(arguments.unfit(format!("cannot look into {} so", holder.kind()))),
        };
        given = Given::at(found, "index");
    }
    Ok(given)
}

pub(super) fn len<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let value = arguments.given[0].demanded()?;
    let length = value.text().map(str::len).or_else(|| value.count());
    let unfit = || arguments.unfit(format!("takes what has a length and has {}", value.kind()));
    length.map(Given::new).ok_or_else(unfit)
}

/// Keys, a default, and last the mapping to dig in.
pub(super) fn dig<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let default = arguments.given.len() - 2;
    let mut value = arguments.given[default + 1].demanded()?.clone();
    for at in 0..default {
        let key = arguments.text(at)?;
        if !value.is_map() {
            return Err(arguments.unfit(format!("looks for `{key}` in {}", value.kind())));
        }
        match value.entry(key) {
            Some(found) => value = found,
            None => return Ok(arguments.given[default].clone()),
        }
    }
    Ok(Given::at(Some(value), "dig"))
}

/// The parts as a mapping with the keys `_0`, `_1`, …
pub(super) fn split<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let parts = arguments.split()?.into_iter().enumerate();
    Ok(Given::Value(Shared::map(parts.map(|(i, part)| (format!("_{i}"), Shared::from(part))))))
}

pub(super) fn join<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (separator, list) = (arguments.text(0)?, arguments.list(1)?);
    let mut text = String::new();
    for (at, item) in list.items().filter(|item| !item.is_null()).enumerate() {
        if at > 0 {
            text.push_str(separator);
        }
        item.print(&mut text, LONGEST, arguments.budget)?;
    }
    Ok(Given::new(text))
}

pub(super) fn has<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let wanted = or_null(&arguments.given[0]);
    for item in arguments.list(1)?.items() {
        if item.equals(&wanted, arguments.budget)? {
            return Ok(Given::new(true));
        }
    }
    Ok(Given::new(false))
}

/// Keys and values in turn; a last key without a value has an empty one.
pub(super) fn dict<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let pair = |pair: &[Given<'v>]| {
        let key = arguments.printed(pair[0].demanded()?)?;
        Ok((key, pair.get(1).map_or_else(|| Shared::from(""), or_null)))
    };
    let pairs = arguments.given.chunks(2).map(pair).collect::<Result<Vec<_>, TemplateError>>()?;
    Ok(Given::Value(Shared::map(pairs)))
}

/// The list with one more item.
pub(super) fn append<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    arguments.budget.spend(Counted::Template, arguments.list(0)?.count().unwrap_or_default() as u64)?;
    let items = arguments.list(0)?.items().chain([or_null(&arguments.given[1])]);
    Ok(Given::Value(Shared::list(items)))
}
