//! Whose an entry of the mapping is: this producer's, another registry's, or nobody can tell.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sylva::{REGISTRY_FIELD, registries_of, usual_registry};
use crate::values::{Entry, KeyPath, Mapping};

/// The registries whose entries follow this producer's version; none where nothing says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ownership {
    registries: BTreeSet<String>,
    /// The registry that serves entries which name none, where the file tells.
    usual: Option<String>,
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
        let ours = registries_of(registries, version_key).map(str::to_owned).collect();
        Self { registries: ours, usual: None }.in_values(registries)
    }

    /// The same in a file that has these registries.
    #[must_use]
    pub fn in_values(self, registries: Option<&Value>) -> Self {
        let names =
            registries.and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name.as_str());
        Self { usual: usual_registry(names).map(str::to_owned), ..self }
    }

    /// The registry that the target's `registry_key:` names, whatever the file says.
    pub fn of_registry(name: impl Into<String>) -> Self {
        Self { registries: BTreeSet::from([name.into()]), usual: None }
    }

    /// The registries that are ours by name.
    pub fn registries(&self) -> impl Iterator<Item = &str> + Clone {
        self.registries.iter().map(String::as_str)
    }

    /// The registry that a new entry of ours names, where no entry of ours shows it.
    pub(super) fn of_new_entry(&self) -> Option<&str> {
        usual_registry(self.registries()).or_else(|| self.registries().next())
    }

    /// The only registry that the entries of the mapping name, where every one of them names it.
    pub fn only_registry(mapping: &Mapping) -> Option<&str> {
        is_one_kind(&mapping.entries).then(|| registry(mapping.entries.first()?)).flatten()
    }

    /// The same, known from the mapping where nothing else tells: a registry that all of its entries name is ours.
    #[must_use]
    pub fn settled_by(&self, mapping: &Mapping) -> Self {
        match Self::only_registry(mapping).filter(|_| self.registries.is_empty()) {
            Some(only) => Self::of_registry(only),
            None => self.clone(),
        }
    }

    /// Whose each entry of the mapping is.
    ///
    /// Entries without the field are those of the registry that serves them; ours, where the file does not tell. Where no registry is known to be ours, the entries of the only registry
    /// that is named are ours if every entry names it.
    pub(super) fn owners(&self, mapping: &Mapping) -> Vec<Owner> {
        let only_kind = self.registries.is_empty() && is_one_kind(&mapping.entries);
        mapping.entries.iter().map(|entry| self.owner(entry, only_kind)).collect()
    }

    /// The keys of the mapping that are ours or may be, and those of other registries, each with its registry.
    pub fn split<'m>(&self, mapping: &'m Mapping) -> (Vec<&'m str>, Vec<(String, &'m str)>) {
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for (entry, owner) in mapping.entries.iter().zip(self.owners(mapping)) {
            match owner {
                Owner::Ours { .. } | Owner::Undetermined(_) => ours.push(entry.key.as_str()),
                Owner::Foreign(registry) => others.push((registry, entry.key.as_str())),
                Owner::Template => {}
            }
        }
        (ours, others)
    }

    /// Whose an entry is by itself.
    pub(super) fn owner_alone(&self, entry: &Entry) -> Owner {
        self.owner(entry, false)
    }

    fn owner(&self, entry: &Entry, only_kind: bool) -> Owner {
        match registry(entry) {
            _ if is_template(&entry.key) => Owner::Template,
            None => match self.usual.as_ref().filter(|_| !self.registries.is_empty()) {
                Some(usual) if !self.registries.contains(usual) => Owner::Foreign(usual.clone()),
                _ => Owner::Ours { explicit: false },
            },
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
