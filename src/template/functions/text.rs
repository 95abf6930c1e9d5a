//! Functions of text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Number;

use super::Answer;
use super::arguments::{Arguments, within};
use crate::template::LONGEST;
use crate::template::format::formatted;
use crate::template::given::Given;

/// Blanks stand only between two arguments of which neither is text.
pub(super) fn print<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let mut text = String::new();
    let mut after_text = true;
    for given in arguments.given {
        let value = given.demanded()?;
        let is_text = value.text().is_some();
        if !after_text && !is_text {
            text.push(' ');
        }
        after_text = is_text;
        value.print(&mut text, LONGEST, arguments.budget)?;
    }
    Ok(Given::new(text))
}

pub(super) fn printf<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let values = arguments.given[1..].iter().map(Given::demanded).collect::<Result<Vec<_>, _>>()?;
    formatted(arguments.text(0)?, &values, arguments.budget).map(Given::new)
}

pub(super) fn replace<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (old, new, text) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let count = text.matches(old).count();
    within((text.len() - count * old.len()).saturating_add(count.saturating_mul(new.len())))?;
    Ok(Given::new(text.replace(old, new)))
}

pub(super) fn regex_replace_all<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (text, replacement) = (arguments.text(1)?, arguments.text(2)?);
    // An empty match may stand at every place of the text.
    within((text.len() + 1).saturating_mul(replacement.len().max(1)))?;
    Ok(Given::new(arguments.regex()?.replace_all(text, replacement)))
}

/// The first characters, or with a negative number the last ones.
pub(super) fn trunc<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (number, text) = (arguments.given[0].demanded()?, arguments.text(1)?);
    let Some(number) = number.number().and_then(Number::as_i64) else {
        return Err(arguments.unfit("takes a whole number"));
    };
    let count = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let all = text.chars().count();
    let (skip, take) = if number < 0 { (all.saturating_sub(count), all) } else { (0, count) };
    Ok(Given::new(text.chars().skip(skip).take(take).collect::<String>()))
}

/// Go maps character by character, and leaves those that would become several.
pub(super) fn lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    mapped.next().filter(|_| mapped.next().is_none()).unwrap_or(c)
}

pub(super) fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    mapped.next().filter(|_| mapped.next().is_none()).unwrap_or(c)
}

/// What base64 stands for; Go's words for what is none, as sprig gives them.
pub(super) fn base64_decoded<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let text = arguments.text(0)?;
    let decoded = BASE64.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.map(Given::new).ok_or_else(|| arguments.unfit("has no base64 of a text"))
}
