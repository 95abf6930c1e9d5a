//! Text as Go's `fmt` writes it: `%v`, `%q` and the verbs of `printf` that values files use. Where Go would write
//! `%!d(string=x)`, this is an error.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

use super::{LONGEST, TemplateError};

/// A value as `%v` prints it.
pub(super) fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_printed(number),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(printed).collect::<Vec<_>>().join(" "))
        }
        Value::Object(map) => format!("map[{}]", entries(map).join(" ")),
    }
}

fn entries(map: &Map<String, Value>) -> Vec<String> {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    keys.into_iter().map(|key| format!("{key}:{}", printed(&map[key]))).collect()
}

/// The shortest form that reads back as the same number, with an exponent where that is below -4 or above 5. Numbers of
/// values files are floats to Helm, so that 1234567 is printed as 1.234567e+06.
fn number_printed(number: &Number) -> String {
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

/// Text in double quotes as `strconv.Quote` writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            _ if !is_unprintable(c) => quoted.push(c),
            _ => quoted.push_str(&by_number(c)),
        }
    }
    quoted.push('"');
    quoted
}

fn by_number(c: char) -> String {
    match u32::from(c) {
        number @ 0..0x80 => format!("\\x{number:02x}"),
        number @ 0x80..0x1_0000 => format!("\\u{number:04x}"),
        number => format!("\\U{number:08x}"),
    }
}

/// Controls, white space other than the blank, format characters and private use: what a quoted text must not hide.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// What `printf` gives.
pub(super) fn formatted(format: &str, arguments: &[&Value]) -> Result<String, TemplateError> {
    let mut text = String::new();
    let mut arguments = arguments.iter();
    let mut rest = format;
    while let Some((before, directive)) = rest.split_once('%') {
        text.push_str(before);
        let (directive, behind) = Directive::read(directive)?;
        rest = behind;
        if directive.verb == '%' {
            text.push('%');
            continue;
        }
        let value = arguments.next().ok_or_else(|| unfit("has fewer arguments than verbs"))?;
        directive.write(value, &mut text)?;
        if text.len() > LONGEST {
            return Err(TemplateError::TooLong(LONGEST));
        }
    }
    text.push_str(rest);
    match arguments.next() {
        None => Ok(text),
        Some(_) => Err(unfit("has more arguments than verbs")),
    }
}

/// A verb with its flags.
struct Directive {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    verb: char,
}

impl Directive {
    /// The directive that `text`, which follows a `%`, begins with, and what is behind it.
    fn read(text: &str) -> Result<(Self, &str), TemplateError> {
        let flags = text.len() - text.trim_start_matches(['-', '0']).len();
        let (flags, rest) = text.split_at(flags);
        let (width, rest) = digits(rest)?;
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest).map(|(precision, rest)| (Some(precision), rest))?,
            None => (None, rest),
        };
        let mut chars = rest.chars();
        let verb = chars.next().ok_or_else(|| unfit("ends within a verb"))?;
        let left = flags.contains('-');
        Ok((Self { left, zeros: flags.contains('0') && !left, width, precision, verb }, chars.as_str()))
    }

    fn write(&self, value: &Value, text: &mut String) -> Result<(), TemplateError> {
        let word = match (self.verb, value, self.precision) {
            ('s', Value::String(text), None) => text.clone(),
            ('s', Value::String(text), Some(precision)) => text.chars().take(precision).collect(),
            ('q', Value::String(text), None) => quoted(text),
            ('v', value, None) => printed(value),
            ('t', Value::Bool(value), None) => value.to_string(),
            ('d', Value::Number(number), None) if !number.is_f64() => number.to_string(),
            ('f', Value::Number(number), precision) if number.is_f64() => {
                let precision = precision.unwrap_or(6);
                format!("{:.precision$}", number.as_f64().unwrap_or_default())
            }
            ('s' | 'q' | 't' | 'd' | 'f', value, _) => {
                return Err(unfit(&format!("has {} for `%{}`", kind(value), self.verb)));
            }
            _ => {
                return Err(unfit(&format!(
                    "has the verb `%{}`, which is not understood here",
                    self.verb.escape_debug()
                )));
            }
        };
        self.pad(&word, value.is_number(), text);
        Ok(())
    }

    fn pad(&self, word: &str, is_number: bool, text: &mut String) {
        let width = self.width;
        // Writing to text does not fail.
        let _ = match (self.left, self.zeros && is_number, word.strip_prefix('-')) {
            (true, ..) => write!(text, "{word:<width$}"),
            (false, true, Some(digits)) => {
                write!(text, "-{digits:0>width$}", width = width.saturating_sub(1))
            }
            (false, true, None) => write!(text, "{word:0>width$}"),
            (false, false, _) => write!(text, "{word:>width$}"),
        };
    }
}

/// The number that `text` begins with, 0 if none, and what is behind it. Three digits are enough for anybody.
fn digits(text: &str) -> Result<(usize, &str), TemplateError> {
    let (digits, rest) =
        text.split_at(text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    match digits.len() {
        0 => Ok((0, rest)),
        1..=3 => Ok((digits.parse().unwrap_or_default(), rest)),
        _ => Err(unfit("has a width of more than three digits")),
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

fn unfit(problem: &str) -> TemplateError {
    TemplateError::Unfit { name: "printf".to_owned(), problem: problem.to_owned() }
}
