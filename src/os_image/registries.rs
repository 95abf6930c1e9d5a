//! The registries that values name for their images (sylva-units, `os_images_oci_registries`).

use super::{Problem, Wrong};
use crate::release::{InvalidPrefix, Prefix, Tag, Version};
use crate::signature::requirement::registry_path;
use crate::sylva::{COSIGN_KEY, REGISTRIES, TAG, VERSION, registries_of, usual_registry};
use crate::values::{KeyPath, Rendered};

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
    let known = values.mapping(&path(REGISTRIES))?;
    let known = known.into_iter().map(|(name, _)| name.as_str());
    let name = match (name, fallback) {
        (Some(name), _) if known.clone().any(|known| known == name) => name,
        (Some(name), _) => {
            let wrong =
                Wrong::UnknownRegistry { name: name.to_owned(), known: known.map(str::to_owned).collect() };
            return Err(wrong.at(entry.clone()));
        }
        (None, Some(prefix)) => return of_prefix(values, prefix).map(Some),
        (None, None) => usual_registry(known).ok_or_else(|| Wrong::NoRegistry.at(entry.clone()))?,
    };
    of_entry(values, registry_path(name))
}

impl ImageRegistry {
    /// The entry of the values, where there is one.
    pub(super) fn name(&self) -> Option<&str> {
        self.entries.first()?.0.last().map(String::as_str)
    }
}

/// The generations of a registry: the entries with its address whose tag is a release that is written out, but itself.
pub(super) fn generations<'v>(
    values: Rendered<'v>,
    own: &str,
    registry: &ImageRegistry,
) -> Result<Vec<(&'v str, ImageRegistry)>, Problem> {
    let mut all = Vec::new();
    // A generation by itself has no others.
    if !is_written_out(values, own) {
        for (name, _) in values.mapping(&path(REGISTRIES))? {
            if name != own && is_written_out(values, name) {
                let found = of_entry(values, registry_path(name))?;
                all.extend(
                    found.filter(|found| found.prefix == registry.prefix).map(|found| (&**name, found)),
                );
            }
        }
    }
    Ok(all)
}

/// Whether an entry is a generation of another one. What cannot be read is none.
pub(super) fn has_generations(values: Rendered<'_>) -> bool {
    let names = values.mapping(&path(REGISTRIES)).unwrap_or_default();
    let address = |name: &str| values.text(&registry_path(name).below(&["url"])).ok().flatten();
    let (generations, followers): (Vec<&str>, Vec<&str>) =
        names.iter().map(|(name, _)| name.as_str()).partition(|name| is_written_out(values, name));
    let addresses: Vec<String> = followers.into_iter().filter_map(address).collect();
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
    let mut names: Vec<&str> = registries_of(registries, &version).collect();
    if names.is_empty() {
        let known = values.mapping(&path(REGISTRIES))?;
        names.extend(usual_registry(known.into_iter().map(|(name, _)| name.as_str())));
    }
    let entries = names.into_iter().map(registry_path).collect();
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
