//! What the rules of a mapping say of one key.

use serde_json::{Map, Value};

use super::Reading;
use super::in_force::InForce;
use crate::budget::Exceeded;

/// What stands under a key.
#[derive(Debug, Default)]
pub(super) struct Child<'a> {
    /// The schemas of its value.
    pub(super) schemas: Vec<&'a Value>,
    /// The rule that forbids the key.
    pub(super) forbidden: Option<String>,
    /// A keyword that we do not judge.
    pub(super) unjudged: Option<String>,
}

impl<'a> InForce<'a> {
    /// What these rules say of `key`.
    pub(super) fn child(&self, reading: Reading<'a>, key: &str) -> Result<Child<'a>, Exceeded> {
        let mut child = Child::default();
        if self.allows_nothing {
            child.forbid("false");
        }
        for rules in &self.rules {
            reading.spend(1)?;
            if let Some(Value::Object(names)) = rules.get("propertyNames") {
                child.names(reading, key, names)?;
            }
            child.properties(reading, key, rules)?;
        }
        Ok(child)
    }
}

impl<'a> Child<'a> {
    fn properties(
        &mut self,
        reading: Reading<'a>,
        key: &str,
        rules: &'a Map<String, Value>,
    ) -> Result<(), Exceeded> {
        let before = self.schemas.len();
        self.schemas.extend(rules.get("properties").and_then(|properties| properties.get(key)));
        let mut unread = false;
        let patterns = rules.get("patternProperties").and_then(Value::as_object);
        for (pattern, value) in patterns.into_iter().flatten() {
            match reading.fits(key, pattern)? {
                Some(true) => self.schemas.push(value),
                Some(false) => {}
                None => unread = true,
            }
        }
        if unread {
            self.unjudged.get_or_insert("patternProperties".to_owned());
        } else if self.schemas.len() == before {
            match rules.get("additionalProperties") {
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

    fn names(&mut self, reading: Reading<'a>, key: &str, rules: &Map<String, Value>) -> Result<(), Exceeded> {
        for (keyword, value) in rules {
            reading.spend(1 + value.as_array().map_or(0, Vec::len))?;
            let length = || value.as_u64().and_then(|limit| usize::try_from(limit).ok());
            let characters = key.chars().count();
            let holds = match keyword.as_str() {
                "pattern" => value.as_str().map_or(Ok(None), |pattern| reading.fits(key, pattern))?,
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
