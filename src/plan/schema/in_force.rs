//! The rules that hold at one place of a schema: what stands there, in its `allOf`, and in what its `$ref`s name.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::Reading;
use crate::budget::{Counted, Exceeded};

/// Longer chains of references go in circles.
const MOST_REFERENCES: usize = 32;

/// Keywords that can allow or forbid something by what its neighbours are.
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

/// The rules that hold at one place, each once, however often it is referred to.
#[derive(Debug, Default)]
pub(super) struct InForce<'a> {
    /// The schemas whose own keywords count.
    pub(super) rules: Vec<&'a Map<String, Value>>,
    /// Whether one of them is `false`, which allows nothing.
    pub(super) allows_nothing: bool,
    /// A keyword that we do not judge.
    pub(super) unjudged: Option<String>,
    /// By the place of a schema in memory, which is where it stands in the file.
    seen: HashMap<*const Value, Seen>,
}

/// How far a schema was read. Each is read once: what refers to it twice says nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Begun,
    Done,
}

impl Reading<'_> {
    pub(super) fn spend(self, steps: usize) -> Result<(), Exceeded> {
        self.budget.spend(Counted::Schema, steps as u64)
    }

    /// Whether a text fits a pattern; `None` where the pattern is not ours.
    pub(super) fn fits(self, text: &str, pattern: &str) -> Result<Option<bool>, Exceeded> {
        self.spend(text.len())?;
        Ok(self.budget.regex(pattern)?.map(|regex| regex.is_match(text)))
    }
}

impl<'a> InForce<'a> {
    /// What holds where all of these schemas do.
    pub(super) fn of(reading: Reading<'a>, schemas: &[&'a Value]) -> Result<Self, Exceeded> {
        let mut found = Self::default();
        for schema in schemas {
            found.add(reading, schema, MOST_REFERENCES)?;
        }
        Ok(found)
    }

    fn add(&mut self, reading: Reading<'a>, schema: &'a Value, references: usize) -> Result<(), Exceeded> {
        reading.spend(1)?;
        let Some(rules) = schema.as_object() else {
            self.allows_nothing |= *schema == Value::Bool(false);
            return Ok(());
        };
        if self.seen.insert(schema, Seen::Begun) == Some(Seen::Done) {
            self.seen.insert(schema, Seen::Done);
            return Ok(());
        }
        if let Some(keyword) = UNJUDGED.iter().find(|keyword| rules.contains_key(**keyword)) {
            self.unjudged.get_or_insert((*keyword).to_owned());
        }
        let draft = || reading.root["$schema"].as_str().is_some_and(|draft| draft.contains("draft-0"));
        let reference = rules.get("$ref");
        if let Some(reference) = reference {
            self.refer(reading, reference, references)?;
        }
        // Up to draft 7 nothing beside a reference counts.
        if reference.is_none() || !draft() {
            for part in rules.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                self.add(reading, part, references)?;
            }
            self.rules.push(rules);
        }
        self.seen.insert(schema, Seen::Done);
        Ok(())
    }

    /// Follows a reference that leads on. One into a schema that is just being read goes in circles.
    fn refer(&mut self, reading: Reading<'a>, reference: &'a Value, left: usize) -> Result<(), Exceeded> {
        let local = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let target = local.and_then(|pointer| reading.root.pointer(pointer));
        let is_circle = |target: &&Value| self.seen.get(&(*target as *const _)) == Some(&Seen::Begun);
        match (target.filter(|target| !is_circle(target)), left.checked_sub(1)) {
            (Some(target), Some(left)) => self.add(reading, target, left),
            _ => {
                self.unjudged.get_or_insert_with(|| format!("$ref {reference}"));
                Ok(())
            }
        }
    }
}
