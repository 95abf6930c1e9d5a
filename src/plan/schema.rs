//! Whether a chart's `values.schema.json` allows the entries that a plan introduces. Helm refuses the whole chart otherwise.
//!
//! Asked are the keywords that say something about a key and about its value (JSON Schema drafts 7 and 2020-12): those that
//! stand in the schemas of the place, in their `allOf`, and in what local `$ref`s name (`in_force`). What else a schema
//! says is not judged, and then the reviewer is told so.

mod in_force;
mod key;
mod value;

use serde_json::Value;

use crate::budget::{Budget, Exceeded};
use crate::values::{KeyPath, Position};
use in_force::InForce;
use key::Child;

/// The name that Helm gives the file.
const NAME: &str = "values.schema.json";

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

/// What a schema says of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaAnswer {
    /// It may stand there.
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

    /// What it says of the entries of the mapping at `path`.
    ///
    /// # Errors
    /// Its rules are more than anybody asks for.
    pub fn at<'a>(&'a self, path: &KeyPath, budget: &'a Budget) -> Result<MappingSchemas<'a>, Exceeded> {
        let reading = Reading { root: &self.0, budget };
        let mut here = InForce::of(reading, &[&self.0])?;
        for step in &path.0 {
            // That the mapping itself is not allowed was so before.
            let Child { schemas, unjudged, .. } = here.child(reading, step)?;
            let before = here.unjudged.or(unjudged);
            here = InForce::of(reading, &schemas)?;
            here.unjudged = before.or(here.unjudged);
        }
        Ok(MappingSchemas { reading, here })
    }
}

/// A schema that is read, and how much work that may be.
#[derive(Debug, Clone, Copy)]
struct Reading<'a> {
    root: &'a Value,
    budget: &'a Budget,
}

/// A mapping of values, and the schemas that hold for it.
#[derive(Debug)]
pub struct MappingSchemas<'a> {
    reading: Reading<'a>,
    here: InForce<'a>,
}

impl MappingSchemas<'_> {
    /// Whether `key` may stand in it, whatever its value is.
    ///
    /// # Errors
    /// As [`Schema::at`].
    pub fn allows(&self, key: &str) -> Result<SchemaAnswer, Exceeded> {
        let child = self.here.child(self.reading, key)?;
        let unjudged = child.unjudged.or_else(|| self.here.unjudged.clone());
        Ok(SchemaAnswer::of(child.forbidden, unjudged))
    }

    /// Whether `key` may stand in it with this value.
    ///
    /// # Errors
    /// As [`Schema::at`].
    pub fn allows_entry(&self, key: &str, value: &Value) -> Result<SchemaAnswer, Exceeded> {
        let answer = self.allows(key)?;
        if let SchemaAnswer::Forbidden(_) = answer {
            return Ok(answer);
        }
        let child = self.here.child(self.reading, key)?;
        match (value::judge(self.reading, &child.schemas, value)?, answer) {
            (SchemaAnswer::Allowed, answer) => Ok(answer),
            (of_value, _) => Ok(of_value),
        }
    }
}

impl SchemaAnswer {
    fn of(forbidden: Option<String>, unjudged: Option<String>) -> Self {
        match (forbidden, unjudged) {
            (Some(rule), _) => Self::Forbidden(rule),
            (None, Some(keyword)) => Self::Unjudged(keyword),
            (None, None) => Self::Allowed,
        }
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
    use crate::budget::Counted;

    const KEY: &str = "ubuntu-noble-plain-rke2-1-31-8";

    fn ask(schema: Value, key: &str) -> String {
        said(schema, |mapping| mapping.allows(key))
    }

    fn ask_entry(schema: Value, key: &str, value: &Value) -> String {
        said(schema, |mapping| mapping.allows_entry(key, value))
    }

    fn said(schema: Value, ask: impl Fn(&MappingSchemas<'_>) -> Result<SchemaAnswer, Exceeded>) -> String {
        let schema = Schema::parse(schema.to_string().as_bytes()).unwrap();
        let budget = Budget::default();
        match ask(&schema.at(&"images".parse().unwrap(), &budget).unwrap()).unwrap() {
            SchemaAnswer::Allowed => "allowed".to_owned(),
            SchemaAnswer::Forbidden(rule) => format!("forbidden by {rule}"),
            SchemaAnswer::Unjudged(keyword) => format!("not judged for {keyword}"),
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
    fn values_are_asked_of_what_stands_below_their_keys() {
        let registry = json!({"type": "object", "additionalProperties": false, "required": ["registry"],
            "properties": {"registry": {"type": "string", "pattern": "^[a-z-]+$"}, "size": {"maximum": 3}}});
        for (name, rules, value, expected) in [
            ("what is required", registry.clone(), json!({"registry": "kiwi"}), "allowed"),
            ("nothing", registry.clone(), json!({}), "forbidden by required: registry"),
            ("null", registry.clone(), json!(null), "forbidden by type: \"object\""),
            (
                "another field",
                registry.clone(),
                json!({"registry": "a", "b": 1}),
                "forbidden by b: additionalProperties: false",
            ),
            (
                "a field of another type",
                registry.clone(),
                json!({"registry": 1}),
                "forbidden by registry: type: \"string\"",
            ),
            (
                "a text of no pattern",
                registry.clone(),
                json!({"registry": "A"}),
                "forbidden by registry: pattern: \"^[a-z-]+$\"",
            ),
            ("a number", registry.clone(), json!({"registry": "a", "size": 9}), "not judged for maximum"),
            ("a choice", json!({"oneOf": [registry.clone()]}), json!({}), "not judged for oneOf"),
            (
                "by all and by reference",
                json!({"allOf": [{"$ref": "#/$defs/r"}]}),
                json!({}),
                "forbidden by required: registry",
            ),
            ("one of several", json!({"enum": [{}, {"a": 1}]}), json!({"a": 1}), "allowed"),
            ("none of several", json!({"const": {}}), json!({"a": 1}), "forbidden by const: {}"),
            ("too few fields", json!({"minProperties": 1}), json!({}), "forbidden by minProperties: 1"),
            ("one of two types", json!({"type": ["null", "object"]}), json!(null), "allowed"),
        ] {
            let schema = json!({"properties": {"images": {"patternProperties": {".*": rules}}}, "$defs": {"r": registry}});
            assert_eq!(ask_entry(schema, KEY, &value), expected, "{name}");
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
        (budget.spent(Counted::Schema), ended)
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
