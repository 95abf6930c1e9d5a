//! A node as data, with scalars resolved as Helm's reader (YAML 1.1) does.

use std::collections::HashMap;

use granit_parser::ScalarStyle;
use serde_json::{Map, Number, Value};

use super::tree::{Kind, Pair};
use super::{Document, KeyPath, ValuesError};

/// So many nodes may be read through aliases before it counts as an attack.
const NODES: usize = 1_000_000;
/// So deep may aliases nest; an alias inside its own anchor nests without end.
const DEPTH: usize = 512;

impl Document {
    /// What the whole file says, as data; nothing is an empty mapping.
    pub(crate) fn top_level(&self) -> Result<Map<String, Value>, ValuesError> {
        let wrong = |node, found| Err(ValuesError::TopLevel { at: self.at(node), found });
        match self.tree().roots.as_slice() {
            [] => return Ok(Map::new()),
            [_, second, ..] => return wrong(*second, "two documents"),
            [root] if self.is_null(*root) => return Ok(Map::new()),
            [root] => self.refuse_contradictions(*root, &mut Vec::new())?,
        }
        let root = self.tree().roots[0];
        match self.data(root)? {
            Value::Object(map) => Ok(map),
            Value::Array(_) => wrong(root, "a list"),
            _ => wrong(root, "a scalar"),
        }
    }

    /// A key with two values, and a template that stands there without quotes, so that YAML takes it for a mapping.
    fn refuse_contradictions<'a>(&'a self, node: usize, path: &mut Vec<&'a str>) -> Result<(), ValuesError> {
        let named = |path: &[&str]| KeyPath(path.iter().map(|key| (*key).to_owned()).collect());
        if self.is_template(node) {
            return Err(ValuesError::Template { path: named(path), at: self.at(node) });
        }
        if let Kind::Sequence { .. } = self.tree().kind(node) {
            return self.tree().items(node).try_for_each(|item| self.refuse_contradictions(item, path));
        }
        let Kind::Mapping { .. } = self.tree().kind(node) else { return Ok(()) };
        let mut seen: HashMap<&str, Pair> = HashMap::new();
        for pair in self.tree().pairs(node) {
            path.push(self.text_of(pair.key));
            if let Some(first) = seen.insert(self.text_of(pair.key), pair)
                && self.data(first.value)? != self.data(pair.value)?
            {
                let (first, second) = (self.at(first.key), self.at(pair.key));
                return Err(ValuesError::WrittenTwice { path: named(path), first, second });
            }
            self.refuse_contradictions(pair.value, path)?;
            path.pop();
        }
        Ok(())
    }

    pub(crate) fn data(&self, node: usize) -> Result<Value, ValuesError> {
        let mut left = NODES;
        self.data_within(node, &mut left, DEPTH)
            .ok_or_else(|| ValuesError::TooManyAliases { at: self.at(node) })
    }

    fn data_within(&self, node: usize, left: &mut usize, depth: usize) -> Option<Value> {
        *left = left.checked_sub(1)?;
        let depth = depth.checked_sub(1)?;
        match self.tree().kind(node) {
            Kind::Alias => self.data_within(self.tree().target(node)?, left, depth),
            Kind::Sequence { .. } => {
                self.tree().items(node).map(|item| self.data_within(item, left, depth)).collect()
            }
            Kind::Mapping { .. } => self.mapping_data(node, left, depth),
            Kind::Scalar(style) => Some(self.scalar_data(node, style)),
        }
    }

    fn mapping_data(&self, node: usize, left: &mut usize, depth: usize) -> Option<Value> {
        let (mut own, mut merged) = (Map::new(), Map::new());
        for pair in self.tree().pairs(node) {
            let value = self.data_within(pair.value, left, depth)?;
            match self.tree().kind(pair.key) {
                Kind::Scalar(ScalarStyle::Plain) if self.text_of(pair.key) == "<<" => {
                    merge(&mut merged, value)
                }
                Kind::Scalar(style) => {
                    own.insert(self.key_data(pair.key, style), value);
                }
                _ => {
                    own.insert(self.slice(self.tree().span(pair.key)).to_owned(), value);
                }
            }
        }
        for (key, value) in merged {
            own.entry(key).or_insert(value);
        }
        Some(Value::Object(own))
    }

    /// A key as a text. Helm reads `on:` as `true`, and `1.10:` as `1.1`.
    fn key_data(&self, node: usize, style: ScalarStyle) -> String {
        match self.scalar_data(node, style) {
            Value::Bool(key) => key.to_string(),
            Value::Number(key) => key.to_string(),
            _ => self.text_of(node).to_owned(),
        }
    }

    fn scalar_data(&self, node: usize, style: ScalarStyle) -> Value {
        let text = self.text_of(node);
        match self.tree().tag(node) {
            Some("tag:yaml.org,2002:str" | "!") => Value::String(text.to_owned()),
            _ if style == ScalarStyle::Plain => resolve(text),
            _ => Value::String(text.to_owned()),
        }
    }
}

/// Merges what `<<` names: a mapping, or a list of mappings of which the earlier win.
fn merge(into: &mut Map<String, Value>, value: Value) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                into.entry(key).or_insert(value);
            }
        }
        Value::Array(items) => items.into_iter().for_each(|item| merge(into, item)),
        _ => {}
    }
}

/// What a text by itself says, as data: a mapping.
pub(super) fn read_mapping(text: &str) -> Result<Value, String> {
    let document = Document::parse(text.as_bytes().to_vec()).map_err(|error| error.to_string())?;
    document.top_level().map(Value::Object).map_err(|error| error.to_string())
}

/// What a plain scalar means: null, boolean, number, or text.
pub(crate) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y" | "Y" => {
            Value::Bool(true)
        }
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" | "n" | "N" => {
            Value::Bool(false)
        }
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

/// Integers (decimal, `0x`, `0o`, `0b`, octal with a leading zero, underscores) and floats.
/// `.inf` and `.nan` stay text, as JSON has no such numbers.
fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (radix, digits) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) => {
            (8, digits)
        }
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let signed = format!("{sign}{digits}");
    if let Ok(whole) = i64::from_str_radix(&signed, radix) {
        return Some(whole.into());
    }
    if let Ok(whole) = u64::from_str_radix(digits, radix) {
        return sign.is_empty().then(|| whole.into());
    }
    // `0b2` is no number of any base, and `0x1.5` no fraction.
    if digits.len() < plain.trim_start_matches(['+', '-']).len() {
        return None;
    }
    let float = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    (float && digits.bytes().any(|b| b.is_ascii_digit()))
        .then(|| signed.parse().ok())
        .flatten()
        .and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_mean_what_helm_reads() {
        let cases = [
            ("0.4.12", json!("0.4.12")),
            ("0.10", json!(0.1)),
            ("1_000", json!(1000)),
            ("010", json!(8)),
            ("0x1F", json!(31)),
            ("0b2", json!("0b2")),
            ("-0o9", json!("-0o9")),
            ("0x1.5", json!("0x1.5")),
            ("09", json!(9.0)),
            ("no", json!(false)),
            ("On", json!(true)),
            ("~", json!(null)),
            ("-", json!("-")),
            ("--1", json!("--1")),
            ("1.31.8", json!("1.31.8")),
            (".inf", json!(".inf")),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ];
        for (text, meant) in cases {
            assert_eq!(resolve(text), meant, "{text}");
        }
    }
}
