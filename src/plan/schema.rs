//! Whether a chart's `values.schema.json` allows the keys that a plan introduces. Helm refuses the whole chart otherwise.
//!
//! Only the question of the key is asked, of the keywords that say something about keys: `properties`,
//! `patternProperties`, `additionalProperties`, `propertyNames`, `allOf` and local `$ref`s (JSON Schema drafts 7 and
//! 2020-12). What else a schema says is not judged, and then the reviewer is told so.

use std::collections::HashMap;

use serde_json::Value;

use crate::budget::{Budget, Exceeded, Of};
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

    /// What it says of the keys in the mapping at `path`.
    ///
    /// # Errors
    /// Its rules are more than anybody asks for.
    pub fn at<'a>(&'a self, path: &KeyPath, budget: &'a Budget) -> Result<Mapping<'a>, Exceeded> {
        let mut here = Mapping { root: &self.0, schemas: vec![&self.0], unjudged: None, budget };
        for step in &path.0 {
            // That the mapping itself is not allowed was so before.
            let next = here.step(step)?;
            here = Mapping { schemas: next.schemas, unjudged: here.unjudged.or(next.unjudged), ..here };
        }
        Ok(here)
    }
}

/// A mapping of values, and the schemas that hold for it.
#[derive(Debug)]
pub struct Mapping<'a> {
    root: &'a Value,
    schemas: Vec<&'a Value>,
    unjudged: Option<String>,
    budget: &'a Budget,
}

impl<'a> Mapping<'a> {
    /// Whether `key` may stand in it.
    ///
    /// # Errors
    /// As [`Schema::at`].
    pub fn allows(&self, key: &str) -> Result<Answer, Exceeded> {
        let last = self.step(key)?;
        Ok(match (last.forbidden, last.unjudged.or_else(|| self.unjudged.clone())) {
            (Some(rule), _) => Answer::Forbidden(rule),
            (None, Some(keyword)) => Answer::Unjudged(keyword),
            (None, None) => Answer::Allowed,
        })
    }

    /// The schemas of the value under `key`, by all of these that hold for its mapping.
    fn step(&self, key: &str) -> Result<Judgement<'a>, Exceeded> {
        let judging = Judging { root: self.root, key, budget: self.budget };
        let mut judgement = Judgement::default();
        for schema in &self.schemas {
            judgement.judge(&judging, schema, MOST_REFERENCES)?;
        }
        Ok(judgement)
    }
}

/// What is judged, by what, and how much work that may be.
struct Judging<'a, 'k> {
    root: &'a Value,
    key: &'k str,
    budget: &'a Budget,
}

impl Judging<'_, '_> {
    fn spend(&self, steps: usize) -> Result<(), Exceeded> {
        self.budget.spend(Of::Schema, steps as u64)
    }

    /// Whether the key fits a pattern; `None` where the pattern is not ours.
    fn fits(&self, pattern: &str) -> Result<Option<bool>, Exceeded> {
        self.spend(self.key.len())?;
        Ok(self.budget.regex(pattern)?.map(|regex| regex.is_match(self.key)))
    }
}

/// How far a schema was judged for a key. Each is judged once: what refers to it twice says nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    Begun,
    Done,
}

/// What some schemas say of a key.
#[derive(Debug, Default)]
struct Judgement<'a> {
    /// What holds for the value under it.
    schemas: Vec<&'a Value>,
    forbidden: Option<String>,
    unjudged: Option<String>,
    /// By the place of a schema in memory, which is where it stands in the file.
    judged: HashMap<*const Value, Judged>,
}

impl<'a> Judgement<'a> {
    fn judge(
        &mut self,
        judging: &Judging<'a, '_>,
        schema: &'a Value,
        references: usize,
    ) -> Result<(), Exceeded> {
        judging.spend(1)?;
        let Some(rules) = schema.as_object() else {
            if *schema == Value::Bool(false) {
                self.forbid("false");
            }
            return Ok(());
        };
        if self.judged.insert(schema, Judged::Begun) == Some(Judged::Done) {
            self.judged.insert(schema, Judged::Done);
            return Ok(());
        }
        if let Some(keyword) = UNJUDGED.iter().find(|keyword| rules.contains_key(**keyword)) {
            self.unjudged.get_or_insert((*keyword).to_owned());
        }
        let draft = || judging.root["$schema"].as_str().is_some_and(|draft| draft.contains("draft-0"));
        let reference = rules.get("$ref");
        if let Some(reference) = reference {
            self.refer(judging, reference, references)?;
        }
        // Up to draft 7 nothing beside a reference counts.
        if reference.is_none() || !draft() {
            for part in rules.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                self.judge(judging, part, references)?;
            }
            self.names(judging, &schema["propertyNames"])?;
            self.properties(judging, schema)?;
        }
        self.judged.insert(schema, Judged::Done);
        Ok(())
    }

    /// Follows a reference that leads on. One into a schema that is just being judged goes in circles.
    fn refer(
        &mut self,
        judging: &Judging<'a, '_>,
        reference: &'a Value,
        left: usize,
    ) -> Result<(), Exceeded> {
        let local = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let target = local.and_then(|pointer| judging.root.pointer(pointer));
        let is_circle = |target: &&Value| self.judged.get(&(*target as *const _)) == Some(&Judged::Begun);
        match (target.filter(|target| !is_circle(target)), left.checked_sub(1)) {
            (Some(target), Some(left)) => self.judge(judging, target, left),
            _ => {
                self.unjudged.get_or_insert_with(|| format!("$ref {reference}"));
                Ok(())
            }
        }
    }

    fn properties(&mut self, judging: &Judging<'a, '_>, schema: &'a Value) -> Result<(), Exceeded> {
        let before = self.schemas.len();
        self.schemas.extend(schema["properties"].get(judging.key));
        let mut unread = false;
        for (pattern, value) in schema["patternProperties"].as_object().into_iter().flatten() {
            match judging.fits(pattern)? {
                Some(true) => self.schemas.push(value),
                Some(false) => {}
                None => unread = true,
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
        Ok(())
    }

    fn names(&mut self, judging: &Judging<'a, '_>, rule: &'a Value) -> Result<(), Exceeded> {
        let Some(rules) = rule.as_object() else { return Ok(()) };
        let key = judging.key;
        for (keyword, value) in rules {
            judging.spend(1 + value.as_array().map_or(0, Vec::len))?;
            let length = || value.as_u64().and_then(|limit| usize::try_from(limit).ok());
            let characters = key.chars().count();
            let holds = match keyword.as_str() {
                "pattern" => value.as_str().map_or(Ok(None), |pattern| judging.fits(pattern))?,
                "maxLength" => length().map(|limit| characters <= limit),
                "minLength" => length().map(|limit| characters >= limit),
                "enum" => value.as_array().map(|names| names.iter().any(|name| name == key)),
                "type" | "description" | "title" | "$comment" => Some(true),
                _ => None,
            };
            match holds {
                Some(true) => {}
                Some(false) => self.forbid(&format!("propertyNames: {{{keyword}: {value}}}")),
                None => drop(self.unjudged.get_or_insert_with(|| format!("propertyNames: {keyword}"))),
            }
        }
        Ok(())
    }

    fn forbid(&mut self, rule: &str) {
        self.forbidden.get_or_insert_with(|| rule.to_owned());
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
        let budget = Budget::default();
        match schema.at(&"images".parse().unwrap(), &budget).unwrap().allows(key).unwrap() {
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

    /// `$defs/0` refers twice to `$defs/1`, and so on.
    fn doubling(levels: usize) -> Value {
        let twice = |to: usize| json!({"allOf": vec![json!({"$ref": format!("#/$defs/{to}")}); 2]});
        let defs = (0..levels).map(|level| (level.to_string(), twice(level + 1)));
        let last = (levels.to_string(), json!({"additionalProperties": {}}));
        json!({"$ref": "#/$defs/0", "$defs": defs.chain([last]).collect::<serde_json::Map<_, _>>()})
    }

    /// The steps that a schema costs, and whether they are too many.
    fn steps(schema: &Value, keys: usize) -> (u64, Result<(), Exceeded>) {
        let (schema, budget) = (Schema::parse(schema.to_string().as_bytes()).unwrap(), Budget::default());
        let all = || {
            let mapping = schema.at(&"images".parse().unwrap(), &budget)?;
            (0..keys).try_for_each(|key| mapping.allows(&format!("a-{key}")).map(drop))
        };
        let ended = all();
        (budget.spent(Of::Schema), ended)
    }

    #[test]
    fn each_rule_is_judged_once_however_often_it_is_referred_to() {
        let (ten, ended) = steps(&doubling(10), 1);
        assert_eq!(ended, Ok(()));
        let (twenty, ended) = steps(&doubling(20), 1);
        assert_eq!(ended, Ok(()));
        assert!(twenty < 3 * ten, "{ten} {twenty}");
        assert_eq!(ask(json!({"allOf": [{"$ref": "#"}, {"$ref": "#"}]}), KEY), "not judged for $ref \"#\"");
    }

    #[test]
    fn rules_for_keys_are_counted_and_end() {
        let enum_of = |count: usize| (0..count).map(|n| n.to_string().into()).collect::<Vec<Value>>();
        let names = json!({"additionalProperties": {"propertyNames": {"enum": enum_of(20_000)}}});
        let (_, ended) = steps(&names, 600);
        assert!(matches!(ended, Err(Exceeded::TooLarge { .. })), "{ended:?}");
        let patterns = (0..2_000).map(|n| (format!("^x{n}$"), json!({})));
        let patterns = json!({"patternProperties": patterns.collect::<serde_json::Map<_, _>>()});
        let (_, ended) = steps(&patterns, 1);
        assert!(matches!(ended, Err(Exceeded::TooLarge { limit: 1_000, .. })), "{ended:?}");
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
