//! The functions: Go's own (text/template, "Functions") and those of sprig and Helm, with their order of arguments.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use regex::Regex;
use serde_json::Number;

use super::evaluate::Given;
use super::format::{formatted, quoted};
use super::shared::Shared;
use super::{LONGEST, TemplateError};
use crate::budget::{Budget, Of};

/// What a function gives, or why it gives nothing.
type Answer<'v> = Result<Given<'v>, TemplateError>;

/// A function by its name.
pub(super) struct Function {
    pub(super) name: &'static str,
    least: usize,
    most: usize,
    run: for<'v> fn(&Arguments<'_, 'v>) -> Answer<'v>,
}

const ANY: usize = usize::MAX;

const fn of(
    name: &'static str,
    least: usize,
    most: usize,
    run: for<'v> fn(&Arguments<'_, 'v>) -> Answer<'v>,
) -> Function {
    Function { name, least, most, run }
}

static FUNCTIONS: [Function; 50] = [
    of("and", 1, ANY, last),
    of("or", 1, ANY, last),
    of("not", 1, 1, |a| Ok(Given::new(is_empty(&a.given[0])))),
    of("eq", 2, ANY, |a| a.any_equal().map(Given::new)),
    of("ne", 2, 2, |a| a.any_equal().map(|equal| Given::new(!equal))),
    of("lt", 2, 2, |a| a.compared(Ordering::is_lt)),
    of("le", 2, 2, |a| a.compared(Ordering::is_le)),
    of("gt", 2, 2, |a| a.compared(Ordering::is_gt)),
    of("ge", 2, 2, |a| a.compared(Ordering::is_ge)),
    of("index", 1, ANY, index),
    of("len", 1, 1, len),
    of("print", 1, ANY, print),
    of("printf", 1, ANY, printf),
    of("println", 1, ANY, |a| Ok(Given::new(format!("{}\n", a.all_printed()?.join(" "))))),
    of("default", 1, 2, default),
    of("empty", 1, 1, |a| Ok(Given::new(is_empty(&a.given[0])))),
    of("coalesce", 1, ANY, coalesce),
    of("ternary", 3, 3, ternary),
    of("dig", 3, ANY, dig),
    of("required", 2, 2, required),
    of("quote", 0, ANY, |a| a.each_in_quotes(|text| quoted(&text))),
    of("squote", 0, ANY, |a| a.each_in_quotes(|text| format!("'{text}'"))),
    of("replace", 3, 3, replace),
    of("trim", 1, 1, |a| Ok(Given::new(a.text(0)?.trim()))),
    of("trimPrefix", 2, 2, |a| Ok(Given::new(a.text(1)?.strip_prefix(a.text(0)?).unwrap_or(a.text(1)?)))),
    of("trimSuffix", 2, 2, |a| Ok(Given::new(a.text(1)?.strip_suffix(a.text(0)?).unwrap_or(a.text(1)?)))),
    of("hasPrefix", 2, 2, |a| Ok(Given::new(a.text(1)?.starts_with(a.text(0)?)))),
    of("hasSuffix", 2, 2, |a| Ok(Given::new(a.text(1)?.ends_with(a.text(0)?)))),
    of("contains", 2, 2, |a| Ok(Given::new(a.text(1)?.contains(a.text(0)?)))),
    of("lower", 1, 1, |a| Ok(Given::new(a.text(0)?.chars().map(lower).collect::<String>()))),
    of("upper", 1, 1, |a| Ok(Given::new(a.text(0)?.chars().map(upper).collect::<String>()))),
    of("toString", 1, 1, |a| a.printed(a.given[0].demanded()?).map(Given::new)),
    of("regexFind", 2, 2, |a| Ok(Given::new(a.regex()?.find(a.text(1)?).map_or("", |found| found.as_str())))),
    of("regexMatch", 2, 2, |a| Ok(Given::new(a.regex()?.is_match(a.text(1)?)))),
    of("regexReplaceAll", 3, 3, regex_replace_all),
    of("trunc", 2, 2, trunc),
    of("splitList", 2, 2, |a| Ok(Given::Value(Shared::list(a.split()?.into_iter().map(Shared::from))))),
    of("split", 2, 2, split),
    of("join", 2, 2, join),
    of("list", 0, ANY, |a| Ok(Given::Value(Shared::list(a.given.iter().map(or_null))))),
    of("first", 1, 1, |a| Ok(Given::at(a.list(0)?.item(0), "first"))),
    of("last", 1, 1, |a| a.list(0).map(|list| Given::at(list.items().last(), "last"))),
    of("has", 2, 2, has),
    of("dict", 0, ANY, dict),
    of("get", 2, 2, |a| {
        Ok(a.map(0)?.entry(a.text(1)?).map_or_else(|| Given::new(""), |found| Given::at(Some(found), "null")))
    }),
    of("hasKey", 2, 2, |a| Ok(Given::new(a.map(0)?.entry(a.text(1)?).is_some()))),
    of("int", 1, 1, int),
    of("b64enc", 1, 1, |a| Ok(Given::new(BASE64.encode(a.text(0)?)))),
    of("indent", 2, 2, |a| a.indented().map(Given::new)),
    of("nindent", 2, 2, |a| a.indented().map(|text| Given::new(format!("\n{text}")))),
];

/// The function called `name`.
pub(super) fn named(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The names of all functions.
pub(super) fn names() -> Vec<&'static str> {
    FUNCTIONS.iter().map(|function| function.name).collect()
}

impl Function {
    /// Whether it takes so many arguments.
    pub(super) fn takes(&self, count: usize) -> Result<(), TemplateError> {
        if (self.least..=self.most).contains(&count) {
            return Ok(());
        }
        let wanted = match (self.least, self.most) {
            (least, ANY) => format!("at least {least}"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        Err(self.unfit(format!("takes {wanted} arguments and has {count}")))
    }

    /// What it gives for arguments of the right number.
    pub(super) fn call<'v>(&self, given: &[Given<'v>], budget: &Budget) -> Answer<'v> {
        let texts = given.iter().filter_map(Given::value).filter_map(Shared::text);
        budget.spend(Of::TemplateBytes, texts.map(|text| text.len() as u64).sum())?;
        let answer = (self.run)(&Arguments { function: self, given, budget })?;
        match answer.value().and_then(Shared::text) {
            Some(text) if text.len() > LONGEST => Err(TemplateError::TooLong(LONGEST)),
            _ => Ok(answer),
        }
    }

    fn unfit(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Unfit { name: self.name.to_owned(), problem: problem.into() }
    }
}

/// What Go and sprig take for empty; nothing is, too.
pub(super) fn is_empty(given: &Given<'_>) -> bool {
    given.value().is_none_or(Shared::is_empty)
}

/// The arguments of a call, in the number that the function takes.
struct Arguments<'a, 'v> {
    function: &'a Function,
    given: &'a [Given<'v>],
    budget: &'a Budget,
}

impl<'a, 'v> Arguments<'a, 'v> {
    /// The text at a position; Go's functions on text take nothing else.
    fn text(&self, at: usize) -> Result<&'a str, TemplateError> {
        let value = self.given[at].demanded()?;
        value.text().ok_or_else(|| self.unfit(format!("takes text and has {}", value.kind())))
    }

    fn unfit(&self, problem: impl Into<String>) -> TemplateError {
        self.function.unfit(problem)
    }

    fn list(&self, at: usize) -> Result<&'a Shared<'v>, TemplateError> {
        let value = self.given[at].demanded()?;
        match value.is_list() {
            true => Ok(value),
            false => Err(self.unfit(format!("takes a list and has {}", value.kind()))),
        }
    }

    fn map(&self, at: usize) -> Result<&'a Shared<'v>, TemplateError> {
        let value = self.given[at].demanded()?;
        match value.is_map() {
            true => Ok(value),
            false => Err(self.unfit(format!("takes a mapping and has {}", value.kind()))),
        }
    }

    fn printed(&self, value: &Shared<'_>) -> Result<String, TemplateError> {
        let mut text = String::new();
        value.print(&mut text, LONGEST, self.budget)?;
        Ok(text)
    }

    /// The first argument as a regular expression. Ours and Go's have nearly the same syntax.
    fn regex(&self) -> Result<Regex, TemplateError> {
        let regex = self.budget.regex(self.text(0)?)?;
        regex.ok_or_else(|| self.unfit("has a regular expression that cannot be read here"))
    }

    fn split(&self) -> Result<Vec<&'a str>, TemplateError> {
        let (separator, text) = (self.text(0)?, self.text(1)?);
        match separator {
            "" => Err(self.unfit("needs something to split at")),
            separator => Ok(text.split(separator).collect()),
        }
    }

    fn all_printed(&self) -> Result<Vec<String>, TemplateError> {
        self.given.iter().map(|given| self.printed(given.demanded()?)).collect()
    }

    /// What is there, each in quotes and apart by a blank; what is not there is left out.
    fn each_in_quotes(&self, quote: impl Fn(String) -> String) -> Answer<'v> {
        let words = self.given.iter().filter_map(Given::value).map(|value| self.printed(value).map(&quote));
        Ok(Given::new(words.collect::<Result<Vec<_>, _>>()?.join(" ")))
    }

    fn any_equal(&self) -> Result<bool, TemplateError> {
        for other in &self.given[1..] {
            if self.equal(&self.given[0], other)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn equal(&self, one: &Given<'v>, other: &Given<'v>) -> Result<bool, TemplateError> {
        match (one.value(), other.value()) {
            (None, None) => Ok(true),
            (None, Some(_)) | (Some(_), None) => Ok(false),
            (Some(one), Some(other)) => match (one.bool(), other.bool()) {
                (Some(one), Some(other)) => Ok(one == other),
                _ => self.order(one, other).map(Ordering::is_eq),
            },
        }
    }

    fn compared(&self, holds: impl Fn(Ordering) -> bool) -> Answer<'v> {
        let order = self.order(self.given[0].demanded()?, self.given[1].demanded()?)?;
        Ok(Given::new(holds(order)))
    }

    /// Text with text, by bytes, and number with number.
    fn order(&self, one: &Shared<'_>, other: &Shared<'_>) -> Result<Ordering, TemplateError> {
        let unfit = || self.unfit(format!("cannot compare {} with {}", one.kind(), other.kind()));
        one.order(other).ok_or_else(unfit)
    }

    fn indented(&self) -> Result<String, TemplateError> {
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

fn within(length: usize) -> Result<(), TemplateError> {
    if length > LONGEST { Err(TemplateError::TooLong(LONGEST)) } else { Ok(()) }
}

/// What `and` and `or` give when no argument before the last one decided.
fn last<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    Ok(arguments.given[arguments.given.len() - 1].clone())
}

fn index<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
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

fn len<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let value = arguments.given[0].demanded()?;
    let length = value.text().map(str::len).or_else(|| value.count());
    let unfit = || arguments.unfit(format!("takes what has a length and has {}", value.kind()));
    length.map(Given::new).ok_or_else(unfit)
}

/// Blanks stand only between two arguments of which neither is text.
fn print<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
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

fn printf<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let values = arguments.given[1..].iter().map(Given::demanded).collect::<Result<Vec<_>, _>>()?;
    formatted(arguments.text(0)?, &values, arguments.budget).map(Given::new)
}

fn default<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let given = arguments.given.get(1).filter(|given| !is_empty(given));
    Ok(given.unwrap_or(&arguments.given[0]).clone())
}

fn coalesce<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let given = arguments.given.iter().find(|given| !is_empty(given));
    Ok(given.cloned().unwrap_or_else(|| nothing("coalesce")))
}

fn ternary<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let decides = arguments.given[2].demanded()?;
    match decides.bool() {
        Some(true) => Ok(arguments.given[0].clone()),
        Some(false) => Ok(arguments.given[1].clone()),
        None => Err(arguments.unfit(format!("decides by a boolean and has {}", decides.kind()))),
    }
}

/// Keys, a default, and last the mapping to dig in.
fn dig<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
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

fn required<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let why = arguments.text(0)?;
    match arguments.given[1].value() {
        None => Err(TemplateError::Required(why.to_owned())),
        Some(value) if value.text() == Some("") => Err(TemplateError::Required(why.to_owned())),
        Some(_) => Ok(arguments.given[1].clone()),
    }
}

fn replace<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (old, new, text) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    let count = text.matches(old).count();
    within((text.len() - count * old.len()).saturating_add(count.saturating_mul(new.len())))?;
    Ok(Given::new(text.replace(old, new)))
}

fn regex_replace_all<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (text, replacement) = (arguments.text(1)?, arguments.text(2)?);
    // An empty match may stand at every place of the text.
    within((text.len() + 1).saturating_mul(replacement.len().max(1)))?;
    Ok(Given::new(arguments.regex()?.replace_all(text, replacement)))
}

/// The first characters, or with a negative number the last ones.
fn trunc<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (number, text) = (arguments.given[0].demanded()?, arguments.text(1)?);
    let Some(number) = number.number().and_then(Number::as_i64) else {
        return Err(arguments.unfit("takes a whole number"));
    };
    let count = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let all = text.chars().count();
    let (skip, take) = if number < 0 { (all.saturating_sub(count), all) } else { (0, count) };
    Ok(Given::new(text.chars().skip(skip).take(take).collect::<String>()))
}

/// The parts as a mapping with the keys `_0`, `_1`, …
fn split<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let parts = arguments.split()?.into_iter().enumerate();
    Ok(Given::Value(Shared::map(parts.map(|(i, part)| (format!("_{i}"), Shared::from(part))))))
}

fn join<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
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

fn has<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let wanted = or_null(&arguments.given[0]);
    for item in arguments.list(1)?.items() {
        if item.equals(&wanted, arguments.budget)? {
            return Ok(Given::new(true));
        }
    }
    Ok(Given::new(false))
}

/// Keys and values in turn; a last key without a value has an empty one.
fn dict<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let pair = |pair: &[Given<'v>]| {
        let key = arguments.printed(pair[0].demanded()?)?;
        Ok((key, pair.get(1).map_or_else(|| Shared::from(""), or_null)))
    };
    let pairs = arguments.given.chunks(2).map(pair).collect::<Result<Vec<_>, TemplateError>>()?;
    Ok(Given::Value(Shared::map(pairs)))
}

/// A number without its fraction; a text that is no number is 0 (spf13/cast).
fn int<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let Some(value) = arguments.given[0].value() else { return Ok(Given::new(0)) };
    let whole = |number: &Number| number.as_i64().or_else(|| number.as_f64().map(truncated));
    let number = value.number().and_then(whole);
    let number = number.or_else(|| value.text().and_then(|text| text.parse().ok()));
    Ok(Given::new(number.or_else(|| value.bool().map(i64::from)).unwrap_or_default()))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond the range is as wrong as what Go makes of it"
)]
fn truncated(float: f64) -> i64 {
    float as i64
}

fn or_null<'v>(given: &Given<'v>) -> Shared<'v> {
    given.value().cloned().unwrap_or_else(Shared::null)
}

fn nothing<'v>(function: &str) -> Given<'v> {
    Given::Nothing(function.to_owned())
}

/// Go maps character by character, and leaves those that would become several.
fn lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    mapped.next().filter(|_| mapped.next().is_none()).unwrap_or(c)
}

fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    mapped.next().filter(|_| mapped.next().is_none()).unwrap_or(c)
}
