//! The functions: Go's own (text/template, "Functions") and those of sprig and Helm, with their order of arguments.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

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

static FUNCTIONS: [Function; 35] = [
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

    /// Text with text, by bytes, and number with number.
    fn order(&self, one: &Value, other: &Value) -> Result<Ordering, TemplateError> {
        let order = match (one, other) {
            (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
            (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
                (Some(one), Some(other)) => Some(one.cmp(&other)),
                _ => one.as_f64().zip(other.as_f64()).and_then(|(one, other)| one.partial_cmp(&other)),
            },
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
