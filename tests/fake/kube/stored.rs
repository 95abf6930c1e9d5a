//! A ConfigMap as the API server keeps it: fields, and who set each (Kubernetes, "Server-Side Apply").

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::status;
use crate::fake::wire::Answer;

/// A ConfigMap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Labels, annotations and data by their path, `data.values.yaml`.
    pub fields: BTreeMap<String, String>,
    /// What each manager set, by its name and how.
    pub managers: BTreeMap<(String, Operation), BTreeSet<String>>,
    pub version: u64,
}

/// How a manager set its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Operation {
    Apply,
    Update,
}

/// Managers in their order, each with its fields (apimachinery, `managedfields/internal/conflict.go`).
pub(super) fn conflict_message(conflicts: &[(String, String)]) -> String {
    if let [(other, field)] = conflicts {
        return format!("Apply failed with 1 conflict: conflict with {other}: .{field}");
    }
    let mut by_manager: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (other, field) in conflicts {
        by_manager.entry(other).or_default().push(format!("- .{field}"));
    }
    let told = by_manager
        .into_iter()
        .map(|(other, fields)| format!("conflicts with {other}:\n{}", fields.join("\n")));
    let told = told.collect::<Vec<_>>().join("\n");
    format!("Apply failed with {} conflicts: {told}", conflicts.len())
}

/// Labels and data by their path, or the field that is no text.
pub(super) fn fields(object: &Value) -> Result<BTreeMap<String, String>, (String, Value)> {
    let mut all = BTreeMap::new();
    for (above, map) in [("metadata.labels", &object["metadata"]["labels"]), ("data", &object["data"])] {
        for (key, value) in map.as_object().into_iter().flatten() {
            let field = format!("{above}.{key}");
            let text = value.as_str().ok_or_else(|| (field.clone(), value.clone()))?;
            all.insert(field, text.to_owned());
        }
    }
    Ok(all)
}

/// What managers are said to have set (`fieldsV1`), as paths; of a mapping itself its own path.
fn paths(tree: &Value, above: &str) -> BTreeSet<String> {
    let path = |name: &str| [above, name].join(".").trim_start_matches('.').to_owned();
    let below = |(name, below): (&String, &Value)| match (name.strip_prefix("f:"), below.as_object()) {
        (Some(name), Some(map)) if !map.is_empty() => paths(below, &path(name)),
        (Some(name), _) => [path(name)].into(),
        (None, _) => [above.to_owned()].into(),
    };
    tree.as_object().into_iter().flatten().flat_map(below).collect()
}

/// The same the other way round.
fn tree(paths: &BTreeSet<String>) -> Value {
    let mut tree = json!({});
    for path in paths {
        let above = ["metadata.labels", "metadata.annotations", "data"]
            .into_iter()
            .find(|above| path.starts_with(above))
            .expect("a field of a ConfigMap");
        let mut node = &mut tree;
        for name in above.split('.') {
            node = &mut node[format!("f:{name}")];
        }
        let name =
            path[above.len()..].strip_prefix('.').map_or_else(|| ".".to_owned(), |name| format!("f:{name}"));
        node[name] = json!({});
    }
    tree
}

impl Stored {
    /// Fields that others set to something else, each with the manager as the server calls it.
    pub(super) fn conflicts(
        &self,
        wanted: &BTreeMap<String, String>,
        manager: &str,
    ) -> Vec<(String, String)> {
        let is_other = |(name, how): &(String, Operation)| name != manager || *how != Operation::Apply;
        let differs = |field: &&String| self.fields.get(*field).is_some_and(|there| *there != wanted[*field]);
        let others = self.managers.iter().filter(|(other, _)| is_other(other));
        let conflicts = others.flat_map(|((name, how), theirs)| {
            let said = match how {
                Operation::Apply => format!("\"{name}\""),
                Operation::Update => format!("\"{name}\" using v1"),
            };
            let fields = theirs.iter().filter(|field| wanted.contains_key(*field)).filter(differs);
            fields.map(move |field| (said.clone(), field.clone()))
        });
        conflicts.collect()
    }

    /// The wanted fields, without those that this manager applied before and wants no more. What others set to something
    /// else is theirs no more.
    pub(super) fn take(&mut self, wanted: &BTreeMap<String, String>, manager: &str, empty: BTreeSet<String>) {
        for (field, value) in wanted {
            if self.fields.get(field) != Some(value) {
                for fields in self.managers.values_mut() {
                    fields.remove(field);
                }
            }
        }
        let own = wanted.keys().cloned().chain(empty).collect();
        let before = self.managers.insert((manager.to_owned(), Operation::Apply), own).unwrap_or_default();
        self.fields.extend(wanted.iter().map(|(field, value)| (field.clone(), value.clone())));
        let is_held = |field: &String| self.managers.values().any(|fields| fields.contains(field));
        let left: Vec<String> = before.into_iter().filter(|field| !is_held(field)).collect();
        self.fields.retain(|field, _| !left.contains(field));
        self.managers.retain(|_, fields| !fields.is_empty());
    }

    /// A merge patch of `metadata.managedFields`, which must be of this version.
    pub(super) fn with_managers(mut self, name: &str, patch: &Value) -> Result<Self, Answer> {
        let metadata = patch["metadata"].as_object().expect("a patch of the metadata");
        let known = ["managedFields", "resourceVersion"];
        assert!(metadata.keys().all(|key| known.contains(&key.as_str())), "another patch: {patch}");
        if metadata["resourceVersion"].as_str() != Some(self.version.to_string().as_str()) {
            let message = format!(
                "Operation cannot be fulfilled on configmaps \"{name}\": the object has been modified; please apply your changes to the latest version and try again"
            );
            return Err(status(409, "Conflict", &message, Vec::new()));
        }
        let entry = |entry: &Value| {
            let operation = serde_json::from_value(entry["operation"].clone()).expect("an operation");
            let manager = entry["manager"].as_str().expect("a manager").to_owned();
            ((manager, operation), paths(&entry["fieldsV1"], ""))
        };
        self.managers = metadata["managedFields"].as_array().expect("a list").iter().map(entry).collect();
        Ok(self)
    }

    pub(super) fn json(&self, namespace: &str, name: &str) -> Value {
        let below = |above: &str| -> BTreeMap<&str, &String> {
            self.fields
                .iter()
                .filter_map(|(field, value)| Some((field.strip_prefix(above)?, value)))
                .collect()
        };
        let manager = |((manager, operation), fields): (&(String, Operation), &BTreeSet<String>)| json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": tree(fields)});
        json!({
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "resourceVersion": self.version.to_string(),
                "labels": below("metadata.labels."),
                "annotations": below("metadata.annotations."),
                "managedFields": self.managers.iter().map(manager).collect::<Vec<_>>(),
            },
            "data": below("data."),
        })
    }
}
