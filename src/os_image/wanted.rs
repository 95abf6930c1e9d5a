//! Which entries of its mapping a chart makes images of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Form, Problem, Wrong};
use crate::sylva::{
    BOOTSTRAP_IMAGES, BOOTSTRAP_RULE, IMAGE_KEY, INFRASTRUCTURES, OS_IMAGES, REGISTRIES, REGISTRY_FIELD,
};
use crate::values::{ENABLING, KeyPath, Rendered};

/// What makes an image of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryRule {
    /// It is enabled (the proposal).
    Enabled,
    /// It is enabled, or enabled by default and the user has no images (sylva-core from 2024-01 to 2025-03).
    EnabledOrDefault {
        /// Whether the user has images.
        has_own: bool,
    },
    /// It is named (the bootstrap cluster of the same charts).
    Named(BTreeSet<String>),
    /// It is listed (sylva-core since 2025-03). Flags are left over from the charts before.
    Listed,
}

impl EntryRule {
    /// The rule of the chart that these values are for.
    ///
    /// # Errors
    /// The bootstrap cluster names an image by a template that cannot be rendered.
    pub(super) fn of(
        values: Rendered<'_>,
        form: Form,
        entries: &[(&String, &Value)],
    ) -> Result<Self, Problem> {
        if form == Form::Proposal {
            return Ok(Self::Enabled);
        }
        if all_name_their_registry(entries) {
            return Ok(Self::Listed);
        }
        let named = named_by_bootstrap(values)?;
        if !named.is_empty() {
            return Ok(Self::Named(named));
        }
        let has_own = !values.mapping(&path(&[OS_IMAGES]))?.is_empty();
        Ok(Self::EnabledOrDefault { has_own })
    }

    /// Whether an entry is wanted, whose key renders to `key`.
    ///
    /// # Errors
    /// A flag that is neither true nor false.
    pub(super) fn wants(&self, values: Rendered<'_>, at: &KeyPath, key: &str) -> Result<bool, Problem> {
        let [enabled, default_enabled] = ENABLING;
        let flag = |field: &str| values.flag(&at.below(&[field]));
        Ok(match self {
            Self::Listed => true,
            Self::Named(names) => names.contains(key),
            Self::Enabled => flag(enabled)?.or(flag(default_enabled)?) == Some(true),
            Self::EnabledOrDefault { has_own } => {
                flag(enabled)? == Some(true) || (flag(default_enabled)? == Some(true) && !has_own)
            }
        })
    }

    /// Whether one of the user's own images is wanted.
    pub(super) fn wants_own(&self, key: &str) -> bool {
        !matches!(self, Self::Named(names) if !names.contains(key))
    }

    /// Images that are named, and that none of `known` is.
    pub(super) fn lacking(&self, known: &BTreeSet<String>) -> Vec<Problem> {
        let Self::Named(names) = self else { return Vec::new() };
        let lacking = names.difference(known).cloned();
        lacking.map(|name| Wrong::NotListed { name }.at(path(&[BOOTSTRAP_IMAGES]))).collect()
    }
}

/// The keys of the mapping's entries, and whether each becomes an image. Where no entry says so, as in a chart whose
/// deployments enable its images, each may.
///
/// # Errors
/// A key or a flag that cannot be read.
pub fn listed(values: Rendered<'_>, form: Form) -> Result<BTreeMap<String, bool>, Problem> {
    let mapping = path(&[form.mapping()]);
    let entries = values.mapping(&mapping)?;
    let says_so = |(_, entry): &(&String, &Value)| ENABLING.iter().any(|flag| has(entry, flag));
    let rule = match entries.iter().any(says_so) {
        true => EntryRule::of(values, form, &entries)?,
        false => EntryRule::Listed,
    };
    let mut listed = BTreeMap::new();
    for (key, entry) in entries {
        let at = mapping.below(&[key]);
        let key = values.render(key, &at)?;
        let is_wanted = rule.wants(values, &at, &key)? && !is_switched_off(values, entry, &at)?;
        *listed.entry(key).or_insert(false) |= is_wanted;
    }
    Ok(listed)
}

/// Whether the registry that an entry names gives no images at all.
fn is_switched_off(values: Rendered<'_>, entry: &Value, at: &KeyPath) -> Result<bool, Problem> {
    if !has(entry, REGISTRY_FIELD) {
        return Ok(false);
    }
    let registry = values.text(&at.below(&[REGISTRY_FIELD]))?;
    let flag = registry.map(|name| values.flag(&path(&[REGISTRIES, &name, "enabled"]))).transpose()?;
    Ok(flag.flatten() == Some(false))
}

/// Charts since 2025-03 fail on an entry without its registry, and those before list such entries. Beside those, an entry
/// with a registry and without a flag would never be an image.
fn all_name_their_registry(entries: &[(&String, &Value)]) -> bool {
    let has_flag = |entry: &Value| ENABLING.iter().any(|field| has(entry, field));
    let names_registry = |entry: &Value| has(entry, REGISTRY_FIELD);
    entries.iter().all(|(_, entry)| names_registry(entry))
        && entries.iter().any(|(_, entry)| !has_flag(entry))
}

fn has(entry: &Value, field: &str) -> bool {
    entry.get(field).is_some_and(|value| !value.is_null())
}

/// The images that the bootstrap cluster keeps: those that its values name, and those that the cluster's machines use
/// (sylva-units, `bootstrap.values.yaml`).
fn named_by_bootstrap(values: Rendered<'_>) -> Result<BTreeSet<String>, Problem> {
    let mut names = BTreeSet::new();
    if values.at(&path(&BOOTSTRAP_RULE)).is_none() {
        return Ok(names);
    }
    let listed = path(&[BOOTSTRAP_IMAGES]);
    for name in values.at(&listed).and_then(Value::as_array).into_iter().flatten() {
        let name = name.as_str().ok_or_else(|| Wrong::unexpected(name, "text").at(listed.clone()))?;
        names.insert(values.render(name, &listed)?);
    }
    let cluster = path(&["cluster"]);
    let deployments = cluster.below(&["machine_deployments"]);
    let of_deployment = |(name, _): (&String, _)| deployments.below(&[name]);
    let machines = values.mapping(&deployments)?.into_iter().map(of_deployment);
    for machines in [cluster.clone(), cluster.below(&["control_plane"])].into_iter().chain(machines) {
        for infrastructure in INFRASTRUCTURES {
            let key = values.text(&machines.below(&[infrastructure, IMAGE_KEY]))?;
            names.extend(key.filter(|key| !key.is_empty()));
        }
    }
    Ok(names)
}

fn path(keys: &[&str]) -> KeyPath {
    KeyPath::default().below(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::budget::Budget;

    /// Which of these entries are wanted, by their keys.
    fn wanted(values: &Value) -> String {
        let budget = Budget::default();
        let values = Rendered::new(values, &budget);
        let mapping = path(&["sylva_diskimagebuilder_images"]);
        let entries = values.mapping(&mapping).unwrap();
        let rule = EntryRule::of(values, Form::SylvaCore, &entries).unwrap();
        let is_wanted = |key: &str| rule.wants(values, &mapping.below(&[key]), key).unwrap();
        entries.iter().map(|(key, _)| key.as_str()).filter(|key| is_wanted(key)).collect()
    }

    #[test]
    fn the_chart_decides_what_becomes_an_image() {
        let registry = |flag: Value| json!({"os_images_oci_registry": "r", "enabled": flag});
        let new = json!({"os_images_oci_registry": "r"});
        for (entries, own, expected) in [
            (json!({"a": {}, "b": {"default_enabled": true}, "c": {"enabled": true}}), json!({}), "bc"),
            (json!({"a": {}, "b": {"default_enabled": true}, "c": {"enabled": true}}), json!({"x": {}}), "c"),
            (json!({"a": {}, "b": {"enabled": false, "default_enabled": true}}), json!(null), "b"),
            (json!({"a": {}, "b": registry(json!(true)), "c": registry(json!(false))}), json!({}), "b"),
            (json!({"a": {}, "b": {}}), json!({}), ""),
            (json!({"a": new, "b": registry(json!(false))}), json!({"x": {}}), "ab"),
            (json!({"a": new, "b": registry(json!(true))}), json!({}), "ab"),
            (json!({}), json!({}), ""),
        ] {
            let values = json!({"sylva_diskimagebuilder_images": entries, "os_images": own});
            assert_eq!(wanted(&values), expected, "{values}");
        }
    }

    #[test]
    fn a_bootstrap_cluster_keeps_what_is_named_or_used() {
        let values = json!({
            "_internal": {"_bootstrap_os_images_override_enabled": "{{ … }}"},
            "bootstrap_os_images_override_enabled": ["a", "{{ .Values.other }}"],
            "other": "b",
            "cluster": {
                "control_plane": {"capm3": {"image_key": "c"}},
                "machine_deployments": {"md0": {"capo": {"image_key": "d"}}, "md1": {}},
            },
            "sylva_diskimagebuilder_images": {
                "a": {}, "b": {}, "c": {}, "d": {}, "e": {"enabled": true}, "f": {"default_enabled": true},
            },
        });
        assert_eq!(wanted(&values), "abcd");
    }
}
