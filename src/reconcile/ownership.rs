//! Whose an entry of the mapping is: this producer's, another registry's, or nobody can tell.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::values::{Entry, KeyPath, Mapping};

/// The field of an entry that names an entry of `os_images_oci_registries` (sylva-units, `values.schema.yaml`).
pub const REGISTRY_FIELD: &str = "os_images_oci_registry";

/// The registries whose entries follow this producer's version; none where nothing says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ownership {
    registries: BTreeSet<String>,
}

/// Whose an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owner {
    /// This producer's.
    Ours {
        /// Whether the entry itself names a registry that is known to be ours.
        explicit: bool,
    },
    /// Another registry's, which is named.
    Foreign(String),
    /// Several registries are named and nothing says which is ours.
    Undetermined(String),
    /// The key is a template.
    Template,
}

impl Ownership {
    /// The registries that `os_images_oci_registries` ties to the version: those whose `tag` refers to `version_key`.
    pub fn from_values(registries: Option<&Value>, version_key: &KeyPath) -> Self {
        let tied = |entry: &Value| {
            entry.get("tag").and_then(Value::as_str).is_some_and(|tag| refers_to(tag, version_key))
        };
        let registries = registries.and_then(Value::as_object).into_iter().flatten();
        Self {
            registries: registries.filter(|(_, entry)| tied(entry)).map(|(name, _)| name.clone()).collect(),
        }
    }

    /// The registry that the target's `registry_key:` names, whatever the file says.
    pub fn of_registry(name: impl Into<String>) -> Self {
        Self { registries: BTreeSet::from([name.into()]) }
    }

    /// The registries that are ours by name.
    pub fn registries(&self) -> impl Iterator<Item = &str> {
        self.registries.iter().map(String::as_str)
    }

    /// Whose each entry of the mapping is.
    ///
    /// Entries without the field are ours. Where no registry is known to be ours, the entries of the only registry
    /// that is named are ours if every entry names it.
    pub(super) fn owners(&self, mapping: &Mapping) -> Vec<Owner> {
        let only_kind = self.registries.is_empty() && is_one_kind(&mapping.entries);
        mapping.entries.iter().map(|entry| self.owner(entry, only_kind)).collect()
    }

    fn owner(&self, entry: &Entry, only_kind: bool) -> Owner {
        match registry(entry) {
            _ if is_template(&entry.key) => Owner::Template,
            None => Owner::Ours { explicit: false },
            Some(name) if self.registries.contains(name) => Owner::Ours { explicit: true },
            Some(_) if only_kind => Owner::Ours { explicit: false },
            Some(name) if self.registries.is_empty() => Owner::Undetermined(name.to_owned()),
            Some(name) => Owner::Foreign(name.to_owned()),
        }
    }
}

/// Whether a key is made by a template when the chart is rendered.
pub(super) fn is_template(key: &str) -> bool {
    key.contains("{{")
}

fn registry(entry: &Entry) -> Option<&str> {
    entry.value.get(REGISTRY_FIELD).and_then(Value::as_str)
}

fn is_one_kind(entries: &[Entry]) -> bool {
    let mut kinds = entries.iter().filter(|entry| !is_template(&entry.key)).map(registry);
    let first = kinds.next();
    kinds.all(|kind| Some(kind) == first)
}

/// Whether a template reads the version key. The file may hold the chart's values below a path of its own
/// (`spec.values` of a HelmRelease), so a template's path is compared with the end of the key's.
fn refers_to(template: &str, version_key: &KeyPath) -> bool {
    is_template(template)
        && template.split(".Values.").skip(1).any(|rest| {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
            let path: Vec<&str> = rest[..end.unwrap_or(rest.len())].split('.').collect();
            let key = &version_key.0;
            key.len() >= path.len() && key[key.len() - path.len()..] == path[..]
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_registry_is_ours_when_its_tag_reads_the_version_key() {
        let table = [
            ("{{ .Values.sylva_diskimagebuilder_version }}", "sylva_diskimagebuilder_version", true),
            ("{{.Values.sylva_diskimagebuilder_version}}", "sylva_diskimagebuilder_version", true),
            ("{{- $.Values.dib.version | quote -}}", "dib.version", true),
            ("{{ .Values.dib_version }}", "spec.values.dib_version", true),
            ("{{ .Values.dib_version_old }}", "dib_version", false),
            ("{{ .Values.kiwi_version }}", "dib_version", false),
            ("{{ .Values.dib.version }}", "version", false),
            ("0.4.12", "dib_version", false),
            (".Values.dib_version", "dib_version", false),
        ];
        for (tag, key, ours) in table {
            let registries = json!({"sylva": {"url": "oci://r.example/p", "tag": tag}});
            let ownership = Ownership::from_values(Some(&registries), &key.parse().unwrap());
            assert_eq!(ownership != Ownership::default(), ours, "{tag}");
        }
    }

    #[test]
    fn a_registry_without_a_tag_or_no_registries_at_all_is_nobodys() {
        let key = "v".parse().unwrap();
        assert_eq!(Ownership::from_values(None, &key), Ownership::default());
        assert_eq!(Ownership::from_values(Some(&json!({"a": {}, "b": null})), &key), Ownership::default());
        assert_eq!(Ownership::from_values(Some(&json!([1])), &key), Ownership::default());
    }
}
