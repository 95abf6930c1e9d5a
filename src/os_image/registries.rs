//! The registries that values name for their images (sylva-units, `os_images_oci_registries`).

use std::collections::{HashMap, HashSet};

use super::{Problem, Wrong};
use crate::release::{InvalidPrefix, Prefix, Tag, Version, named};
use crate::signature::requirement::registry_path;
use crate::sylva::{COSIGN_KEY, REGISTRIES, TAG, VERSION, registries_of, usual_registry};
use crate::values::{KeyPath, Rendered, ValueError};

/// Where the images of an entry are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ImageRegistry {
    pub(super) prefix: Prefix,
    pub(super) tag: Tag,
    /// Its entries in the values; several where the command line names the prefix, and several follow the version.
    pub(super) entries: Vec<KeyPath>,
    /// The public key that the entry hands on.
    pub(super) cosign_key: Result<Option<String>, Problem>,
}

/// The registry of an entry: the one that it names; `fallback` or the usual one if it names none. `None` where it is
/// switched off.
pub(super) fn registry(
    values: Rendered<'_>,
    name: Option<&str>,
    fallback: Option<&Prefix>,
    entry: &KeyPath,
) -> Result<Option<ImageRegistry>, Problem> {
    let name = match (name, fallback) {
        (Some(name), _) if is_known(values, name) => name,
        (Some(name), _) => {
            let known = names(values)?;
            let known = if known.is_empty() { "none".to_owned() } else { named(known) };
            return Err(Wrong::UnknownRegistry { name: name.to_owned(), known }.at(entry.clone()));
        }
        (None, Some(prefix)) => return of_prefix(values, prefix).map(Some),
        (None, None) => {
            usual_registry(names(values)?.into_iter()).ok_or_else(|| Wrong::NoRegistry.at(entry.clone()))?
        }
    };
    of_entry(values, registry_path(name))
}

fn is_known(values: Rendered<'_>, name: &str) -> bool {
    values.at(&path(REGISTRIES)).is_some_and(|registries| registries.get(name).is_some())
}

fn names(values: Rendered<'_>) -> Result<Vec<&str>, ValueError> {
    Ok(values.mapping(&path(REGISTRIES))?.into_iter().map(|(name, _)| name.as_str()).collect())
}

impl ImageRegistry {
    /// The entry of the values, where there is one.
    pub(super) fn name(&self) -> Option<&str> {
        self.entries.first()?.0.last().map(String::as_str)
    }
}

/// The entries whose tag is a release that is written out, by their address.
#[derive(Debug, Clone)]
pub(super) struct Generations(HashMap<Prefix, Vec<(String, ImageRegistry)>>);

impl Generations {
    /// Those of some values.
    ///
    /// # Errors
    /// One of them cannot be read: whose generation it is cannot be told.
    pub(super) fn of(values: Rendered<'_>) -> Result<Self, Problem> {
        let mut all: HashMap<Prefix, Vec<(String, ImageRegistry)>> = HashMap::new();
        for name in names(values)?.into_iter().filter(|name| is_written_out(values, name)) {
            if let Some(found) = of_entry(values, registry_path(name))? {
                all.entry(found.prefix.clone()).or_default().push((name.to_owned(), found));
            }
        }
        Ok(Self(all))
    }

    /// The generations of a registry, each with its name. A generation by itself has no others.
    pub(super) fn of_registry(&self, own: &str, registry: &ImageRegistry) -> &[(String, ImageRegistry)] {
        let all = self.0.get(&registry.prefix).map(Vec::as_slice).unwrap_or_default();
        if all.iter().any(|(name, _)| name == own) { &[] } else { all }
    }
}

/// Whether an entry is a generation of another one. What cannot be read is none.
pub(super) fn has_generations(values: Rendered<'_>) -> bool {
    let address = |name: &str| values.text(&registry_path(name).below(&["url"])).ok().flatten();
    let (generations, followers): (Vec<&str>, Vec<&str>) =
        names(values).unwrap_or_default().into_iter().partition(|name| is_written_out(values, name));
    let addresses: HashSet<String> = followers.into_iter().filter_map(address).collect();
    generations.into_iter().filter_map(address).any(|address| addresses.contains(&address))
}

/// Whether the tag of an entry is a release that is written out.
fn is_written_out(values: Rendered<'_>, name: &str) -> bool {
    let tag = values.at(&registry_path(name).below(&[TAG])).and_then(serde_json::Value::as_str);
    tag.is_some_and(|tag| tag.parse::<Version>().is_ok())
}

/// Entries that name no registry follow the version, and so do the registries that the values have for it.
fn of_prefix(values: Rendered<'_>, prefix: &Prefix) -> Result<ImageRegistry, Problem> {
    let (version, registries) = (path(VERSION), values.at(&path(REGISTRIES)));
    let mut followed: Vec<&str> = registries_of(registries, &version).collect();
    if followed.is_empty() {
        followed.extend(usual_registry(names(values)?.into_iter()));
    }
    let entries = followed.into_iter().map(registry_path).collect();
    Ok(ImageRegistry { prefix: prefix.clone(), tag: tag(values, &version)?, entries, cosign_key: Ok(None) })
}

fn of_entry(values: Rendered<'_>, entry: KeyPath) -> Result<Option<ImageRegistry>, Problem> {
    if values.flag(&entry.below(&["enabled"]))? == Some(false) {
        return Ok(None);
    }
    let at = entry.below(&["url"]);
    let url = values.required(&at)?;
    if !url.starts_with("oci://") {
        return Err(Wrong::Prefix(InvalidPrefix(url)).at(at));
    }
    let prefix = url.parse().map_err(|error| Wrong::Prefix(error).at(at))?;
    let tag = tag(values, &entry.below(&[TAG]))?;
    let cosign_key = cosign_key(values, &entry);
    Ok(Some(ImageRegistry { prefix, tag, entries: vec![entry], cosign_key }))
}

/// The public key of an entry, as text. Whether it counts, and is one, is the matter of [`crate::signature::requirement`].
pub(super) fn cosign_key(values: Rendered<'_>, entry: &KeyPath) -> Result<Option<String>, Problem> {
    let text = values.text(&entry.below(&[COSIGN_KEY]))?;
    Ok(text.filter(|key| !key.trim().is_empty()))
}

fn tag(values: Rendered<'_>, path: &KeyPath) -> Result<Tag, Problem> {
    values.required(path)?.parse().map_err(|error| Wrong::Tag(error).at(path.clone()))
}

fn path(key: &str) -> KeyPath {
    KeyPath::default().below(&[key])
}
