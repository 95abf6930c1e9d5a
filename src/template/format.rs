//! Text as Go's `fmt` writes it: `%v`, `%q` and the verbs of `printf` that values files use. Where Go would write
//! `%!d(string=x)`, this is an error.

use std::fmt::Write;

use serde_json::Number;

use super::shared::Shared;
use super::{LONGEST, TemplateError};
use crate::budget::Budget;

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
pub(super) fn formatted(
    format: &str,
    arguments: &[&Shared<'_>],
    budget: &Budget,
) -> Result<String, TemplateError> {
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
        directive.write(value, &mut text, budget)?;
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

    fn write(&self, value: &Shared<'_>, text: &mut String, budget: &Budget) -> Result<(), TemplateError> {
        let number = value.number();
        let word = match (self.verb, self.precision) {
            ('v', None) => {
                let mut word = String::new();
                value.print(&mut word, LONGEST, budget)?;
                Some(word)
            }
            ('s', None) => value.text().map(str::to_owned),
            ('s', Some(precision)) => value.text().map(|text| text.chars().take(precision).collect()),
            ('q', None) => value.text().map(quoted),
            ('t', None) => value.bool().map(|value| value.to_string()),
            ('d', None) => number.filter(|number| !number.is_f64()).map(Number::to_string),
            ('f', precision) => {
                let float = number.filter(|number| number.is_f64()).and_then(Number::as_f64);
                float.map(|float| format!("{float:.precision$}", precision = precision.unwrap_or(6)))
            }
            _ => None,
        };
        match word {
            Some(word) => self.pad(&word, number.is_some(), text),
            None if matches!(self.verb, 's' | 'q' | 't' | 'd' | 'f') => {
                return Err(unfit(&format!("has {} for `%{}`", value.kind(), self.verb)));
            }
            None => {
                let verb = self.verb.escape_debug();
                return Err(unfit(&format!("has the verb `%{verb}`, which is not understood here")));
            }
        }
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

fn unfit(problem: &str) -> TemplateError {
    TemplateError::Unfit { name: "printf".to_owned(), problem: problem.to_owned() }
}
