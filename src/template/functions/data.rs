//! Values as text and back: JSON as Go's `encoding/json` writes it, and YAML as Helm reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Number, Value};

use super::Answer;
use super::arguments::{Arguments, or_null};
use crate::budget::Counted;
use crate::template::given::Given;
use crate::template::shared::{DEEPEST, Output, Shared};
use crate::template::{LONGEST, TemplateError};

pub(super) fn to_json<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    let mut text = String::new();
    let mut output = Output { text: &mut text, most: LONGEST, budget: arguments.budget };
    write(&or_null(&arguments.given[0]), &mut output, DEEPEST)?;
    Ok(Given::new(text))
}

/// The mapping that a text is in YAML. Of a text that is none, Helm gives a mapping with the words of its parser.
pub(super) fn from_yaml<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    match (arguments.read_yaml)(arguments.text(0)?) {
        Ok(map) => read(arguments, map),
        Err(error) => Err(arguments.unfit(format!("has no mapping in YAML: {error}"))),
    }
}

pub(super) fn from_json<'v>(arguments: &Arguments<'_, 'v>) -> Answer<'v> {
    match serde_json::from_str(arguments.text(0)?) {
        Ok(map @ Value::Object(_)) => read(arguments, map),
        Ok(other) => {
            Err(arguments.unfit(format!("has {} in JSON, not a mapping", crate::template::kind(&other))))
        }
        Err(error) => Err(arguments.unfit(format!("has no JSON: {error}"))),
    }
}

fn read<'v>(arguments: &Arguments<'_, 'v>, value: Value) -> Answer<'v> {
    Ok(Given::Value(shared(value, &mut |amount| Ok(arguments.budget.spend(Counted::Template, amount)?))?))
}

/// A value of its own that can be changed. Its numbers are floats, as of all that Go reads.
fn shared<'v>(
    value: Value,
    spend: &mut impl FnMut(u64) -> Result<(), TemplateError>,
) -> Result<Shared<'v>, TemplateError> {
    spend(1)?;
    Ok(match value {
        Value::Array(items) => {
            Shared::list(items.into_iter().map(|item| shared(item, spend)).collect::<Result<Vec<_>, _>>()?)
        }
        Value::Object(map) => {
            let entry = |(key, value)| Ok((key, shared(value, spend)?));
            Shared::map(map.into_iter().map(entry).collect::<Result<BTreeMap<_, _>, TemplateError>>()?)
        }
        Value::Number(number) => {
            Shared::from(Value::Number(number.as_f64().and_then(Number::from_f64).unwrap_or(number)))
        }
        scalar => Shared::from(scalar),
    })
}

fn write(value: &Shared<'_>, output: &mut Output<'_>, depth: usize) -> Result<(), TemplateError> {
    let before = output.text.len();
    let depth = depth.checked_sub(1).ok_or(TemplateError::TooDeep)?;
    if let Some(text) = value.text() {
        string(text, output.text);
    } else if let Some(number) = value.number() {
        output.text.push_str(&number_in_json(number));
    } else if let Some(flag) = value.bool() {
        output.text.push_str(if flag { "true" } else { "false" });
    } else if value.is_list() {
        let mut between = '[';
        for item in value.items() {
            output.text.push(std::mem::replace(&mut between, ','));
            write(&item, output, depth)?;
        }
        output.text.push_str(if between == '[' { "[]" } else { "]" });
    } else if value.is_map() {
        let mut between = '{';
        for (key, value) in value.entries() {
            output.text.push(std::mem::replace(&mut between, ','));
            string(&key, output.text);
            output.text.push(':');
            write(&value, output, depth)?;
        }
        output.text.push_str(if between == '{' { "{}" } else { "}" });
    } else {
        output.text.push_str("null");
    }
    output.written(before)
}

/// A string with what HTML takes for its own written by number.
fn string(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                // Writing to text does not fail.
                let _ = write!(text, "\\u{:04x}", u32::from(c));
            }
            _ => text.push(c),
        }
    }
    text.push('"');
}

/// Floats without an exponent where they are from 1e-6 to 1e21, and the exponent without zeros in front.
fn number_in_json(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else { return number.to_string() };
    if float == 0.0 || (1e-6..1e21).contains(&float.abs()) {
        return float.to_string();
    }
    let text = format!("{float:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}
