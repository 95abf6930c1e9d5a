//! Whether a chart's `values.schema.json` allows the keys that a plan introduces. Helm refuses the whole chart otherwise.
//!
//! Only the question of the key is asked, of the keywords that say something about keys: `properties`,
//! `patternProperties`, `additionalProperties`, `propertyNames`, `allOf` and local `$ref`s (JSON Schema drafts 7 and
//! 2020-12). What else a schema says is not judged, and then the reviewer is told so.

use regex::Regex;
use serde_json::Value;

use crate::values::{KeyPath, Position};

/// The name that Helm gives the file.
const NAME: &str = "values.schema.json";

/// Longer chains of references go in circles.
const MOST_REFERENCES: usize = 32;

/// Keywords that can allow or forbid a key by what its neighbours are.
const UNJUDGED: [&str; 8] = [
    "anyOf",
    "oneOf",
    "not",
    "if",
    "dependentSchemas",
    "unevaluatedProperties",
    "$dynamicRef",
    "$recursiveRef",
];

/// A chart's schema.
#[derive(Debug, Clone)]
pub struct Schema(Value);

/// A schema file that is no JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: not JSON: {message}")]
pub struct InvalidSchema {
    /// Where reading stopped.
    pub at: Position,
    /// What is wrong there.
    pub message: String,
}

/// What a schema says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The key may stand there.
    Allowed,
    /// The rule that it breaks, as it stands in the schema.
    Forbidden(String),
    /// A keyword that we do not judge has a say.
    Unjudged(String),
}

impl Schema {
    /// Reads a schema file.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidSchema> {
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            let at = Position { line: error.line(), column: error.column() };
            let text = error.to_string();
            let message = text.split(" at line ").next().unwrap_or_default().to_owned();
            InvalidSchema { at, message }
        })
    }

    /// Whether `key` may stand in the mapping at `path`.
    pub fn allows(&self, path: &KeyPath, key: &str) -> Answer {
        let mut here = Judgement { schemas: vec![&self.0], ..Judgement::default() };
        for step in &path.0 {
            let next = self.step(&here.schemas, step);
            // That the mapping itself is not allowed was so before.
            here = Judgement { forbidden: None, unjudged: here.unjudged.or(next.unjudged.clone()), ..next };
        }
        let last = self.step(&here.schemas, key);
        match (last.forbidden, last.unjudged.or(here.unjudged)) {
            (Some(rule), _) => Answer::Forbidden(rule),
            (None, Some(keyword)) => Answer::Unjudged(keyword),
            (None, None) => Answer::Allowed,
        }
    }

    /// The schemas of the value under `key`, by all of these that hold for its mapping.
    fn step<'a>(&'a self, schemas: &[&'a Value], key: &str) -> Judgement<'a> {
        let mut judgement = Judgement::default();
        for schema in schemas {
            judgement.judge(&self.0, schema, key, MOST_REFERENCES);
        }
        judgement
    }
}

/// What some schemas say of a key.
#[derive(Debug, Clone, Default)]
struct Judgement<'a> {
    /// What holds for the value under it.
    schemas: Vec<&'a Value>,
    forbidden: Option<String>,
    unjudged: Option<String>,
}

impl<'a> Judgement<'a> {
    fn judge(&mut self, root: &'a Value, schema: &'a Value, key: &str, references: usize) {
        let Some(rules) = schema.as_object() else {
            if *schema == Value::Bool(false) {
                self.forbid("false");
            }
            return;
        };
        if let Some(keyword) = UNJUDGED.iter().find(|keyword| rules.contains_key(**keyword)) {
            self.unjudged.get_or_insert((*keyword).to_owned());
        }
        if let Some(reference) = rules.get("$ref") {
            self.refer(root, reference, key, references);
            if root["$schema"].as_str().is_some_and(|draft| draft.contains("draft-0")) {
                // Up to draft 7 nothing beside a reference counts.
                return;
            }
        }
        for part in rules.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.judge(root, part, key, references);
        }
        self.names(&schema["propertyNames"], key);
        self.properties(schema, key);
    }

    fn refer(&mut self, root: &'a Value, reference: &Value, key: &str, left: usize) {
        let local = reference.as_str().and_then(|text| text.strip_prefix('#'));
        match (local.and_then(|pointer| root.pointer(pointer)), left.checked_sub(1)) {
            (Some(target), Some(left)) => self.judge(root, target, key, left),
            _ => drop(self.unjudged.get_or_insert(format!("$ref {reference}"))),
        }
    }

    fn properties(&mut self, schema: &'a Value, key: &str) {
        let before = self.schemas.len();
        self.schemas.extend(schema["properties"].get(key));
        let mut unread = false;
        for (pattern, value) in schema["patternProperties"].as_object().into_iter().flatten() {
            match Regex::new(pattern) {
                Ok(regex) if regex.is_match(key) => self.schemas.push(value),
                Ok(_) => {}
                Err(_) => unread = true,
            }
        }
        if unread {
            self.unjudged.get_or_insert("patternProperties".to_owned());
        } else if self.schemas.len() == before {
            match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => self.forbid("additionalProperties: false"),
                more => self.schemas.extend(more),
            }
        }
        let found = self.schemas.get(before..).unwrap_or_default();
        if found.iter().any(|schema| **schema == Value::Bool(false)) {
            self.forbid("false");
        }
    }

    fn names(&mut self, rule: &Value, key: &str) {
        let Some(rules) = rule.as_object() else { return };
        for (keyword, value) in rules {
            let length = || value.as_u64().and_then(|limit| usize::try_from(limit).ok());
            let characters = key.chars().count();
            let holds = match keyword.as_str() {
                "pattern" => value.as_str().and_then(|p| Regex::new(p).ok()).map(|regex| regex.is_match(key)),
                "maxLength" => length().map(|limit| characters <= limit),
                "minLength" => length().map(|limit| characters >= limit),
                "enum" => value.as_array().map(|names| names.iter().any(|name| name == key)),
                "type" | "description" | "title" | "$comment" => Some(true),
                _ => None,
            };
            match holds {
                Some(true) => {}
                Some(false) => self.forbid(&format!("propertyNames: {{{keyword}: {value}}}")),
                None => drop(self.unjudged.get_or_insert(format!("propertyNames: {keyword}"))),
            }
        }
    }

    fn forbid(&mut self, rule: &str) {
        self.forbidden.get_or_insert(rule.to_owned());
    }
}

/// The schema file that belongs to a values file: beside it.
pub fn path_of(values: &str) -> String {
    match values.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{NAME}"),
        None => NAME.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "ubuntu-noble-plain-rke2-1-31-8";

    fn ask(schema: Value, key: &str) -> String {
        let schema = Schema::parse(schema.to_string().as_bytes()).unwrap();
        match schema.allows(&"images".parse().unwrap(), key) {
            Answer::Allowed => "allowed".to_owned(),
            Answer::Forbidden(rule) => format!("forbidden by {rule}"),
            Answer::Unjudged(keyword) => format!("not judged for {keyword}"),
        }
    }

    #[test]
    fn keys_are_asked_of_every_keyword_that_says_something_about_them() {
        let images = |rules: Value| json!({"properties": {"images": rules}});
        let pattern = "^[a-z0-9][a-z0-9-]{1,50}[a-z0-9]$";
        let closed = json!({"additionalProperties": false});
        for (name, schema, expected) in [
            ("no schema at all", json!({}), "allowed"),
            ("nothing about the mapping", json!({"additionalProperties": false}), "allowed"),
            ("listed", images(json!({"properties": {KEY: {}}, "additionalProperties": false})), "allowed"),
            ("not listed", images(closed.clone()), "forbidden by additionalProperties: false"),
            (
                "of the pattern",
                images(json!({"patternProperties": {pattern: {}}, "additionalProperties": false})),
                "allowed",
            ),
            (
                "of no pattern",
                images(json!({"patternProperties": {"^debian": {}}, "additionalProperties": false})),
                "forbidden by additionalProperties: false",
            ),
            (
                "more properties of a kind",
                images(json!({"additionalProperties": {"type": "object"}})),
                "allowed",
            ),
            ("a forbidden one", images(json!({"properties": {KEY: false}})), "forbidden by false"),
            (
                "a name too long",
                images(json!({"propertyNames": {"maxLength": 10}})),
                "forbidden by propertyNames: {maxLength: 10}",
            ),
            ("a name of the pattern", images(json!({"propertyNames": {"pattern": "^ubuntu"}})), "allowed"),
            (
                "by reference",
                json!({"properties": {"images": {"$ref": "#/$defs/images"}}, "$defs": {"images": closed}}),
                "forbidden by additionalProperties: false",
            ),
            (
                "one of all",
                images(json!({"allOf": [{}, closed]})),
                "forbidden by additionalProperties: false",
            ),
            (
                "beside a reference of draft 7",
                json!({
                    "$schema": "http://json-schema.org/draft-07/schema#",
                    "properties": {"images": {"$ref": "#/definitions/any", "additionalProperties": false}},
                    "definitions": {"any": {}},
                }),
                "allowed",
            ),
            ("a choice", images(json!({"anyOf": [closed]})), "not judged for anyOf"),
            (
                "a reference elsewhere",
                images(json!({"$ref": "https://example.com/x.json"})),
                "not judged for $ref \"https://example.com/x.json\"",
            ),
            ("a reference in a circle", json!({"$ref": "#"}), "not judged for $ref \"#\""),
            (
                "a pattern that is not ours",
                images(json!({"patternProperties": {"^(?=ubuntu)": {}}, "additionalProperties": false})),
                "not judged for patternProperties",
            ),
        ] {
            assert_eq!(ask(schema, KEY), expected, "{name}");
        }
    }

    #[test]
    fn a_schema_that_is_no_json_says_where() {
        let error = Schema::parse(b"{\n  \"properties\": }").unwrap_err();
        assert_eq!(error.to_string(), "2:17: not JSON: expected value");
    }

    #[test]
    fn the_schema_lies_beside_the_values() {
        assert_eq!(path_of("charts/units/values.yaml"), "charts/units/values.schema.json");
        assert_eq!(path_of("values.yaml"), "values.schema.json");
    }
}
