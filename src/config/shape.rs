//! Whether a text has the shape of a configuration: names, types, words and limits, all of them at once.
//!
//! The judge is the JSON schema that editors use. It is generated from the structs of [`super::raw`], so it cannot drift;
//! only the part of JSON Schema that such a schema uses is understood here.

use serde_json::{Map, Value};

use super::place::FieldPath;

/// Something that does not fit, before it has a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) field: FieldPath,
    /// What stands in the place of what does not fit: the same field, or one that was missing.
    pub(super) mended: FieldPath,
    /// Whether the field's name is wrong and not its value.
    pub(super) name: bool,
    pub(super) problem: String,
    /// A name or word that may have been meant.
    pub(super) nearest: Option<String>,
}

/// Everything in `value` that does not fit `schema`. Something that fits takes its place, so that the rest can be read.
pub(super) fn misfits(schema: &Value, value: &mut Value) -> Vec<Misfit> {
    let mut checker = Checker { root: schema, misfits: Vec::new() };
    checker.check(schema, value, &FieldPath::default());
    checker.misfits
}

/// Keys and words of `policy:` by their former names.
const RENAMED: [(&str, &str); 5] = [
    ("complete", "incomplete"),
    ("complete_timeout", "incomplete_timeout"),
    ("sane", "inconsistent"),
    ("jump", "big_jump"),
    ("line", "series"),
];

/// The one of `names` that `written` was most likely meant to be.
pub(super) fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.into_iter().collect();
    let renamed = RENAMED.iter().find(|(old, new)| *old == written && names.contains(new));
    if let Some((_, new)) = renamed {
        return Some((*new).to_owned());
    }
    let folded = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    let likeness = |name: &str| strsim::jaro_winkler(&folded(written), &folded(name));
    let scored = names.iter().map(|name| (likeness(name), *name));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= 0.8).then(|| best.1.to_owned())
}

struct Checker<'a> {
    root: &'a Value,
    misfits: Vec<Misfit>,
}

impl<'a> Checker<'a> {
    fn check(&mut self, schema: &'a Value, value: &mut Value, field: &FieldPath) {
        let mut alternatives = Vec::new();
        self.flatten(schema, &mut alternatives);
        let fitting: Vec<_> = alternatives.iter().copied().filter(|a| is_type(a, value)).collect();
        let before = self.misfits.len();
        match (fitting.first(), &mut *value) {
            (Some(shape), Value::Object(entries)) => return self.mapping(shape, entries, field),
            (Some(shape), Value::Array(items)) => return self.list(shape, items, field),
            (None, value) => self.misfit(field, wrong_type(&alternatives, value)),
            (Some(_), Value::String(word)) => self.word(&fitting, word, field),
            (Some(shape), Value::Number(number)) => self.number(shape, number.as_f64(), field),
            (Some(_), Value::Null | Value::Bool(_)) => {}
        }
        if self.misfits.len() > before {
            *value = self.stand_in(schema);
        }
    }

    /// A value of this schema; nothing, where that is allowed.
    fn stand_in(&self, schema: &'a Value) -> Value {
        let mut alternatives = Vec::new();
        self.flatten(schema, &mut alternatives);
        let Some(shape) = alternatives.first() else { return Value::Null };
        if alternatives.iter().any(|shape| types(shape).any(|name| name == "null")) {
            return Value::Null;
        }
        if let Some(word) = words(&alternatives).first() {
            return Value::from(*word);
        }
        match types(shape).next() {
            Some("object") => {
                let required = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                let entry = |key: &str| (key.to_owned(), self.stand_in(&shape["properties"][key]));
                Value::Object(required.map(entry).collect())
            }
            Some("array") if shape["minItems"].as_u64() > Some(0) => {
                Value::Array(vec![self.stand_in(&shape["items"])])
            }
            Some("array") => Value::Array(Vec::new()),
            Some("boolean") => Value::Bool(false),
            Some("integer" | "number") => shape["minimum"].as_u64().unwrap_or_default().into(),
            _ => Value::from("x"),
        }
    }

    /// The alternatives of a schema, references and nested alternatives followed.
    fn flatten(&self, schema: &'a Value, into: &mut Vec<&'a Value>) {
        if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
            return self.flatten(&self.root["$defs"][name], into);
        }
        match schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
            Some(alternatives) => alternatives.iter().for_each(|a| self.flatten(a, into)),
            None => into.push(schema),
        }
    }

    fn mapping(&mut self, shape: &'a Value, entries: &mut Map<String, Value>, field: &FieldPath) {
        let Some(known) = shape["properties"].as_object() else { return };
        entries.retain(|key, value| {
            match known.get(key) {
                Some(schema) => self.check(schema, value, &field.key(key)),
                None => self.unknown_key(known, key, field),
            }
            known.contains_key(key)
        });
        for key in shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !entries.contains_key(key) {
                self.misfit(field, format!("`{key}` is missing"));
                if let Some(misfit) = self.misfits.last_mut() {
                    misfit.mended = field.key(key);
                }
                entries.insert(key.to_owned(), self.stand_in(&known[key]));
            }
        }
    }

    fn unknown_key(&mut self, known: &Map<String, Value>, key: &str, field: &FieldPath) {
        let nearest = nearest(key, known.keys().map(String::as_str));
        let names: Vec<_> = known.keys().map(String::as_str).collect();
        let problem = match nearest {
            Some(_) => format!("unknown key `{key}`"),
            None => format!("unknown key `{key}` (known here: {})", names.join(", ")),
        };
        let field = field.key(key);
        self.misfits.push(Misfit { mended: field.clone(), field, name: true, problem, nearest });
    }

    fn list(&mut self, shape: &'a Value, items: &mut Vec<Value>, field: &FieldPath) {
        for (i, item) in items.iter_mut().enumerate() {
            self.check(&shape["items"], item, &field.index(i));
        }
        if shape["minItems"].as_u64().is_some_and(|least| (items.len() as u64) < least) {
            self.misfit(field, "is an empty list".to_owned());
            items.push(self.stand_in(&shape["items"]));
        }
    }

    /// A text fits if any text does, or if it is one of the words.
    fn word(&mut self, fitting: &[&'a Value], word: &str, field: &FieldPath) {
        if fitting.iter().any(|shape| shape.get("const").or_else(|| shape.get("enum")).is_none()) {
            return;
        }
        let words = words(fitting);
        if !words.contains(&word) {
            let problem = format!("`{word}` is none of {}", words.join(", "));
            let nearest = nearest(word, words);
            self.misfits.push(Misfit {
                field: field.clone(),
                mended: field.clone(),
                name: false,
                problem,
                nearest,
            });
        }
    }

    fn number(&mut self, shape: &'a Value, number: Option<f64>, field: &FieldPath) {
        let (least, most) = (shape["minimum"].as_f64(), shape["maximum"].as_f64());
        let Some(number) = number else { return };
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let problem = match (least, most) {
                (Some(least), Some(most)) if least == most => format!("{number} is not {most}"),
                (least, Some(most)) => format!("{number} is not within {} to {most}", least.unwrap_or(0.0)),
                (least, None) => format!("{number} is less than {}", least.unwrap_or(0.0)),
            };
            self.misfit(field, problem);
        }
    }

    fn misfit(&mut self, field: &FieldPath, problem: String) {
        let (field, mended) = (field.clone(), field.clone());
        self.misfits.push(Misfit { field, mended, name: false, problem, nearest: None });
    }
}

/// The words of alternatives that are words.
fn words<'a>(alternatives: &[&'a Value]) -> Vec<&'a str> {
    let of = |shape: &'a Value| match shape.get("const") {
        Some(word) => vec![word],
        None => shape["enum"].as_array().into_iter().flatten().collect(),
    };
    alternatives.iter().flat_map(|shape| of(shape)).filter_map(Value::as_str).collect()
}

fn is_type(shape: &Value, value: &Value) -> bool {
    types(shape).any(|name| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => false,
    })
}

fn types(shape: &Value) -> impl Iterator<Item = &str> {
    let listed = shape["type"].as_array().into_iter().flatten();
    listed.chain(std::iter::once(&shape["type"])).filter_map(Value::as_str)
}

/// What was expected and what was found. Texts are not repeated: a secret may stand in the wrong place.
fn wrong_type(alternatives: &[&Value], value: &Value) -> String {
    let mut expected: Vec<&str> = Vec::new();
    for name in alternatives.iter().flat_map(|shape| types(shape)).filter_map(type_in_words) {
        if !expected.contains(&name) {
            expected.push(name);
        }
    }
    let is_bare = expected.contains(&"a text") && (value.is_number() || value.is_boolean());
    let example = alternatives.iter().find_map(|shape| shape["examples"][0].as_str());
    let hint = match example {
        Some(example) if is_bare => format!("; write it like `{example}`"),
        _ if is_bare => "; put it in quotes".to_owned(),
        _ => String::new(),
    };
    let found = match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    };
    format!("expected {}, found {found}{hint}", expected.join(" or "))
}

fn type_in_words(name: &str) -> Option<&'static str> {
    Some(match name {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["range", "ignore", "include", "minimum_age", "labels", "incomplete", "big_jump"];
        let table = [
            ("rnge", Some("range")),
            ("minimumAge", Some("minimum_age")),
            ("minimum-age", Some("minimum_age")),
            ("label", Some("labels")),
            ("complete", Some("incomplete")),
            ("jump", Some("big_jump")),
            ("cooldown", None),
        ];
        for (written, expected) in table {
            assert_eq!(nearest(written, names).as_deref(), expected, "{written}");
        }
    }
}
