//! What the rules of a place say of the value that stands there: mappings and texts, as values of image keys are.

use serde_json::{Map, Value};

use super::in_force::InForce;
use super::{Reading, SchemaAnswer};
use crate::budget::Exceeded;

/// Keywords of lists and numbers, which are not judged where a value is one.
const OF_LISTS: [&str; 6] = ["items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"];
const OF_NUMBERS: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
/// Keywords of mappings that are not judged.
const OF_MAPPINGS: [&str; 2] = ["dependencies", "dependentRequired"];

/// Whether schemas allow a value.
pub(super) fn judge<'a>(
    reading: Reading<'a>,
    schemas: &[&'a Value],
    value: &Value,
) -> Result<SchemaAnswer, Exceeded> {
    let mut judgement = Judgement::default();
    judgement.judge(reading, schemas, value, &mut Vec::new())?;
    Ok(SchemaAnswer::of(judgement.forbidden, judgement.unjudged))
}

#[derive(Default)]
struct Judgement {
    forbidden: Option<String>,
    unjudged: Option<String>,
}

impl Judgement {
    /// `path` leads from the entry's value to this one.
    fn judge<'a>(
        &mut self,
        reading: Reading<'a>,
        schemas: &[&'a Value],
        value: &Value,
        path: &mut Vec<String>,
    ) -> Result<(), Exceeded> {
        let here = InForce::of(reading, schemas)?;
        if here.allows_nothing {
            self.forbid(path, "false".to_owned());
        }
        if let Some(keyword) = &here.unjudged {
            self.unjudged.get_or_insert_with(|| keyword.clone());
        }
        for rules in &here.rules {
            for (keyword, rule) in *rules {
                reading.spend(1 + rule.as_array().map_or(0, Vec::len))?;
                if let Some(broken) = broken(reading, keyword, rule, value)? {
                    self.forbid(path, broken);
                }
            }
            self.leave_unjudged(rules, value);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let child = here.child(reading, key)?;
            path.push(key.clone());
            if let Some(rule) = child.forbidden {
                self.forbid(path, rule);
            }
            self.unjudged = self.unjudged.take().or(child.unjudged);
            self.judge(reading, &child.schemas, value, path)?;
            path.pop();
        }
        Ok(())
    }

    fn leave_unjudged(&mut self, rules: &Map<String, Value>, value: &Value) {
        let keywords: &[&str] = match value {
            Value::Array(_) => &OF_LISTS,
            Value::Number(_) => &OF_NUMBERS,
            Value::Object(_) => &OF_MAPPINGS,
            Value::Null | Value::Bool(_) | Value::String(_) => &[],
        };
        if let Some(keyword) = keywords.iter().find(|keyword| rules.contains_key(**keyword)) {
            self.unjudged.get_or_insert_with(|| (*keyword).to_owned());
        }
    }

    fn forbid(&mut self, path: &[String], rule: String) {
        let path: String = path.iter().map(|key| format!("{key}: ")).collect();
        self.forbidden.get_or_insert_with(|| format!("{path}{rule}"));
    }
}

/// A keyword with its rule, where the value breaks it.
fn broken(
    reading: Reading<'_>,
    keyword: &str,
    rule: &Value,
    value: &Value,
) -> Result<Option<String>, Exceeded> {
    let limit = || rule.as_u64().and_then(|limit| usize::try_from(limit).ok());
    let holds = match (keyword, value) {
        ("type", _) => is_of_type(rule, value),
        ("enum", _) => rule.as_array().is_none_or(|values| values.contains(value)),
        ("const", _) => rule == value,
        ("required", Value::Object(fields)) => {
            let mut names = rule.as_array().into_iter().flatten().filter_map(Value::as_str);
            return Ok(names
                .find(|name| !fields.contains_key(*name))
                .map(|name| format!("required: {name}")));
        }
        ("minProperties", Value::Object(fields)) => limit().is_none_or(|limit| fields.len() >= limit),
        ("maxProperties", Value::Object(fields)) => limit().is_none_or(|limit| fields.len() <= limit),
        ("minLength", Value::String(text)) => limit().is_none_or(|limit| text.chars().count() >= limit),
        ("maxLength", Value::String(text)) => limit().is_none_or(|limit| text.chars().count() <= limit),
        ("pattern", Value::String(text)) => match rule.as_str() {
            Some(pattern) => reading.fits(text, pattern)? != Some(false),
            None => true,
        },
        _ => true,
    };
    Ok((!holds).then(|| format!("{keyword}: {rule}")))
}

fn is_of_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("string") => value.is_string(),
        Some("array") => value.is_array(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    };
    match rule {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}
