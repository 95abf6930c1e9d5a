//! Why nothing is found at a path: it leads through a list or a text, or what is looked for stands elsewhere.

use super::tree::{Kind, Pair};
use super::{Document, Field, KeyPath, ValuesError};

impl Document {
    /// What is in the way of a path at which nothing was found: a list, or a text that may hold YAML of its own.
    pub fn obstacle(&self, path: &KeyPath) -> Option<ValuesError> {
        self.tree().roots.iter().find_map(|root| self.obstacle_in(*root, path))
    }

    fn obstacle_in(&self, root: usize, path: &KeyPath) -> Option<ValuesError> {
        let mut node = root;
        let mut above = KeyPath(Vec::new());
        for key in &path.0 {
            let (path, at) = (above.clone(), self.at(node));
            match self.tree().kind(node) {
                Kind::Mapping { .. } => {}
                _ if path.0.is_empty() => return None,
                Kind::Sequence { .. } => return Some(ValuesError::ThroughList { path, at }),
                Kind::Scalar(_) if !self.is_null(node) => return Some(ValuesError::ThroughText { path, at }),
                Kind::Scalar(_) | Kind::Alias => return None,
            }
            let named = self.tree().pairs(node).find(|pair| self.text_of(pair.key) == key);
            let pair = named.or_else(|| self.indexed(node, key))?;
            above.0.push(self.text_of(pair.key).to_owned());
            node = pair.value;
        }
        None
    }

    /// The list that `key[0]` or `key[*]` speaks of.
    fn indexed(&self, mapping: usize, key: &str) -> Option<Pair> {
        let (name, _) = key.strip_suffix(']')?.split_once('[')?;
        let is_list = |pair: &Pair| matches!(self.tree().kind(pair.value), Kind::Sequence { .. });
        self.tree().pairs(mapping).find(|pair| self.text_of(pair.key) == name).filter(is_list)
    }

    /// The text of which a line begins with `key:`, YAML inside of YAML.
    pub fn text_with(&self, key: &str) -> Option<ValuesError> {
        let begins = |line: &str| {
            line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(':'))
        };
        let holds = |field: &Field<'_>| field.text.is_some_and(|text| text.lines().any(begins));
        let field = self.fields().into_iter().find(holds)?;
        let path = KeyPath(field.path.iter().map(|key| (*key).to_owned()).collect());
        Some(ValuesError::ThroughText { path, at: field.at })
    }
}
