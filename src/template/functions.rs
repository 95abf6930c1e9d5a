//! The functions: Go's own (text/template, "Functions") and those of sprig and Helm, with their order of arguments.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use regex::Regex;
use serde_json::{Map, Value};

use super::evaluate::Given;
use super::format::{formatted, kind, printed, quoted};
use super::{LONGEST, TemplateError};

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
    of("toString", 1, 1, |a| Ok(Given::new(printed(a.given[0].demanded()?)))),
    of("regexFind", 2, 2, |a| Ok(Given::new(a.regex()?.find(a.text(1)?).map_or("", |found| found.as_str())))),
    of("regexMatch", 2, 2, |a| Ok(Given::new(a.regex()?.is_match(a.text(1)?)))),
    of("regexReplaceAll", 3, 3, regex_replace_all),
    of("trunc", 2, 2, trunc),
    of("splitList", 2, 2, |a| Ok(Given::new(a.split()?))),
    of("split", 2, 2, split),
    of("join", 2, 2, join),
    of("list", 0, ANY, |a| Ok(Given::new(a.given.iter().map(or_null).collect::<Vec<_>>()))),
    of("first", 1, 1, |a| a.items(0)?.first().map_or_else(|| Ok(nothing("first")), given)),
    of("last", 1, 1, |a| a.items(0)?.last().map_or_else(|| Ok(nothing("last")), given)),
    of("has", 2, 2, has),
    of("dict", 0, ANY, dict),
    of("get", 2, 2, |a| Ok(a.map(0)?.get(a.text(1)?).map_or_else(|| Given::new(""), some))),
    of("hasKey", 2, 2, |a| Ok(Given::new(a.map(0)?.contains_key(a.text(1)?)))),
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
    pub(super) fn call<'v>(&self, given: &[Given<'v>]) -> Answer<'v> {
        let answer = (self.run)(&Arguments { function: self, given })?;
        match answer.value() {
            Some(Value::String(text)) if text.len() > LONGEST => Err(TemplateError::TooLong(LONGEST)),
            _ => Ok(answer),
        }
    }

    fn unfit(&self, problem: impl Into<String>) -> TemplateError {
        TemplateError::Unfit { name: self.name.to_owned(), problem: problem.into() }
    }
}

/// What Go and sprig take for empty: nothing, false, zero, and what has no length.
pub(super) fn is_empty(given: &Given<'_>) -> bool {
    match given.value() {
        None | Some(Value::Null) => true,
        Some(Value::Bool(value)) => !value,
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
    }
}

/// The arguments of a call, in the number that the function takes.
struct Arguments<'a, 'v> {
    function: &'a Function,
    given: &'a [Given<'v>],
}

impl<'a, 'v> Arguments<'a, 'v> {
    /// The text at a position; Go's functions on text take nothing else.
    fn text(&self, at: usize) -> Result<&'a str, TemplateError> {
        match self.given[at].demanded()? {
            Value::String(text) => Ok(text),
            other => Err(self.unfit(format!("takes text and has {}", kind(other)))),
        }
    }

    fn unfit(&self, problem: impl Into<String>) -> TemplateError {
        self.function.unfit(problem)
    }

    fn items(&self, at: usize) -> Result<&'a [Value], TemplateError> {
        match self.given[at].demanded()? {
            Value::Array(items) => Ok(items),
            other => Err(self.unfit(format!("takes a list and has {}", kind(other)))),
        }
    }

    fn map(&self, at: usize) -> Result<&'a Map<String, Value>, TemplateError> {
        match self.given[at].demanded()? {
            Value::Object(map) => Ok(map),
            other => Err(self.unfit(format!("takes a mapping and has {}", kind(other)))),
        }
    }

    /// The first argument as a regular expression. Ours and Go's have nearly the same syntax.
    fn regex(&self) -> Result<Regex, TemplateError> {
        Regex::new(self.text(0)?).map_err(|_| self.unfit("has a regular expression that cannot be read here"))
    }

    fn split(&self) -> Result<Vec<&'a str>, TemplateError> {
        let (separator, text) = (self.text(0)?, self.text(1)?);
        match separator {
            "" => Err(self.unfit("needs something to split at")),
            separator => Ok(text.split(separator).collect()),
        }
    }

    fn all_printed(&self) -> Result<Vec<String>, TemplateError> {
        self.given.iter().map(|given| given.demanded().map(printed)).collect()
    }

    /// What is there, each in quotes and apart by a blank; what is not there is left out.
    fn each_in_quotes(&self, quote: impl Fn(String) -> String) -> Answer<'v> {
        let words = self.given.iter().filter_map(Given::value).map(|value| quote(printed(value)));
        Ok(Given::new(words.collect::<Vec<_>>().join(" ")))
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
            (Some(Value::Bool(one)), Some(Value::Bool(other))) => Ok(one == other),
            (Some(one), Some(other)) => self.order(one, other).map(Ordering::is_eq),
        }
    }

    fn compared(&self, holds: impl Fn(Ordering) -> bool) -> Answer<'v> {
        let order = self.order(self.given[0].demanded()?, self.given[1].demanded()?)?;
        Ok(Given::new(holds(order)))
    }

    /// Text with text, by bytes, and number with number; whole numbers and floating ones, as all numbers of values are,
    /// Go does not compare.
    fn order(&self, one: &Value, other: &Value) -> Result<Ordering, TemplateError> {
        let order = match (one, other) {
            (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
            (Value::Number(one), Value::Number(other)) if one.is_f64() == other.is_f64() => {
                match (one.as_i64(), other.as_i64()) {
                    (Some(one), Some(other)) => Some(one.cmp(&other)),
                    _ => one.as_f64().zip(other.as_f64()).and_then(|(one, other)| one.partial_cmp(&other)),
                }
            }
            _ => None,
        };
        order.ok_or_else(|| self.unfit(format!("cannot compare {} with {}", kind(one), kind(other))))
    }

    fn indented(&self) -> Result<String, TemplateError> {
        let (width, text) = (self.given[0].demanded()?, self.text(1)?);
        let Some(width) = width.as_u64().and_then(|width| usize::try_from(width).ok()) else {
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
        let found = match (given.demanded()?, key.demanded()?) {
            (Value::Object(map), Value::String(key)) => map.get(key),
            (Value::Array(items), Value::Number(at)) => {
                let item = at.as_u64().and_then(|at| items.get(usize::try_from(at).ok()?));
                Some(item.ok_or_else(|| arguments.unfit("goes beyond its list"))?)
            }
            (holder, _) => return Err(arguments.unfit(format!("cannot look into {} so", kind(holder)))),
        };
        let found = found.cloned().unwrap_or_default();
        given = if found.is_null() { nothing("index") } else { Given::new(found) };
    }
    Ok(given)
}

fn len<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    match arguments.given[0].demanded()? {
        Value::String(text) => Ok(Given::new(text.len())),
        Value::Array(items) => Ok(Given::new(items.len())),
        Value::Object(map) => Ok(Given::new(map.len())),
        other => Err(arguments.unfit(format!("takes what has a length and has {}", kind(other)))),
    }
}

/// Blanks stand only between two arguments of which neither is text.
fn print<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let mut text = String::new();
    let mut after_text = true;
    for given in arguments.given {
        let value = given.demanded()?;
        if !after_text && !value.is_string() {
            text.push(' ');
        }
        after_text = value.is_string();
        text.push_str(&printed(value));
        within(text.len())?;
    }
    Ok(Given::new(text))
}

fn printf<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let values = arguments.given[1..].iter().map(Given::demanded).collect::<Result<Vec<_>, _>>()?;
    formatted(arguments.text(0)?, &values).map(Given::new)
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
    match arguments.given[2].demanded()? {
        Value::Bool(true) => Ok(arguments.given[0].clone()),
        Value::Bool(false) => Ok(arguments.given[1].clone()),
        other => Err(arguments.unfit(format!("decides by a boolean and has {}", kind(other)))),
    }
}

/// Keys, a default, and last the mapping to dig in.
fn dig<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (keys, default) = (&arguments.given[..arguments.given.len() - 2], arguments.given.len() - 2);
    let mut value = last(arguments)?.demanded()?.clone();
    for at in 0..keys.len() {
        let key = arguments.text(at)?;
        let Value::Object(mut map) = value else {
            return Err(arguments.unfit(format!("looks for `{key}` in {}", kind(&value))));
        };
        match map.remove(key) {
            Some(found) => value = found,
            None => return Ok(arguments.given[default].clone()),
        }
    }
    Ok(if value.is_null() { nothing("dig") } else { Given::new(value) })
}

fn required<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let why = arguments.text(0)?;
    match arguments.given[1].value() {
        None => Err(TemplateError::Required(why.to_owned())),
        Some(Value::String(text)) if text.is_empty() => Err(TemplateError::Required(why.to_owned())),
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
    let Some(number) = number.as_i64() else { return Err(arguments.unfit("takes a whole number")) };
    let count = usize::try_from(number.unsigned_abs()).unwrap_or(usize::MAX);
    let all = text.chars().count();
    let (skip, take) = if number < 0 { (all.saturating_sub(count), all) } else { (0, count) };
    Ok(Given::new(text.chars().skip(skip).take(take).collect::<String>()))
}

/// The parts as a mapping with the keys `_0`, `_1`, …
fn split<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let parts = arguments.split()?.into_iter().enumerate();
    Ok(Given::new(parts.map(|(i, part)| (format!("_{i}"), part.into())).collect::<Map<_, _>>()))
}

fn join<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let (separator, items) = (arguments.text(0)?, arguments.items(1)?);
    let words: Vec<String> = items.iter().filter(|item| !item.is_null()).map(printed).collect();
    within(words.iter().map(String::len).sum::<usize>() + separator.len().saturating_mul(words.len()))?;
    Ok(Given::new(words.join(separator)))
}

fn has<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let wanted = or_null(&arguments.given[0]);
    Ok(Given::new(arguments.items(1)?.contains(&wanted)))
}

/// Keys and values in turn; a last key without a value has an empty one.
fn dict<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let mut map = Map::new();
    for pair in arguments.given.chunks(2) {
        let key = printed(pair[0].demanded()?);
        map.insert(key, pair.get(1).map_or_else(|| Value::from(""), or_null));
    }
    Ok(Given::new(map))
}

/// A number without its fraction; a text that is no number is 0 (spf13/cast).
fn int<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let number = match arguments.given[0].value() {
        Some(Value::Number(number)) => number.as_i64().or_else(|| number.as_f64().map(truncated)),
        Some(Value::String(text)) => text.parse().ok(),
        Some(Value::Bool(value)) => Some(i64::from(*value)),
        _ => None,
    };
    Ok(Given::new(number.unwrap_or_default()))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond the range is as wrong as what Go makes of it"
)]
fn truncated(float: f64) -> i64 {
    float as i64
}

/// An item of a list, which may be null.
fn given<'v>(value: &Value) -> Answer<'v> {
    Ok(some(value))
}

fn some<'v>(value: &Value) -> Given<'v> {
    if value.is_null() { nothing("null") } else { Given::new(value.clone()) }
}

fn or_null(given: &Given<'_>) -> Value {
    given.value().cloned().unwrap_or_default()
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
