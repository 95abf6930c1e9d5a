//! The registries that values name for their images (sylva-units, `os_images_oci_registries`), and text in values.

use serde_json::{Map, Value};

use super::{Problem, Wrong};
use crate::release::{Prefix, Tag};
use crate::template::{paths, resolve};
use crate::values::KeyPath;

/// Where a chart names its registries.
pub(super) const REGISTRIES: &str = "os_images_oci_registries";
/// The public key of one registry's images.
pub(super) const COSIGN_KEY: &str = "cosign_publickey";
/// The registry of an entry that names none, where there are several (sylva-core before 2025).
const USUAL: &str = "sylva";
/// So deep is it looked for the value that is to blame.
const NESTED: usize = 8;
/// The release of an image whose registry has no tag of its own.
const VERSION: &str = "sylva_diskimagebuilder_version";

/// Where the images of an entry are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Registry {
    pub(super) prefix: Prefix,
    pub(super) tag: Tag,
    pub(super) cosign_key: Option<String>,
}

/// The merged values, read with their templates resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a>(pub(super) &'a Value);

impl<'a> Values<'a> {
    /// What stands at a path; null is nothing.
    pub(super) fn at(self, path: &KeyPath) -> Option<&'a Value> {
        let found = path.0.iter().try_fold(self.0, |value, key| value.get(key));
        found.filter(|value| !value.is_null())
    }

    /// A mapping; nothing is an empty one.
    pub(super) fn mapping(self, path: &KeyPath) -> Result<Vec<(&'a String, &'a Value)>, Problem> {
        match self.at(path) {
            None => Ok(Vec::new()),
            Some(Value::Object(map)) => Ok(map.iter().collect()),
            Some(other) => Err(Wrong::unexpected(other, "a mapping").at(path.clone())),
        }
    }

    /// A text, templates resolved.
    pub(super) fn text(self, path: &KeyPath) -> Result<Option<String>, Problem> {
        match self.at(path) {
            None => Ok(None),
            Some(Value::String(text)) => self.resolved(text, path).map(Some),
            Some(other) => Err(Wrong::unexpected(other, "text; write it in quotes").at(path.clone())),
        }
    }

    /// A text that must be there.
    fn demanded(self, path: &KeyPath) -> Result<String, Problem> {
        self.text(path)?.filter(|text| !text.is_empty()).ok_or_else(|| Wrong::Missing.at(path.clone()))
    }

    /// A boolean, or a text that becomes one.
    pub(super) fn flag(self, path: &KeyPath) -> Result<Option<bool>, Problem> {
        match self.at(path) {
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            _ => match self.text(path)?.as_deref() {
                None => Ok(None),
                Some("true") => Ok(Some(true)),
                Some("false") => Ok(Some(false)),
                Some(_) => {
                    let wrong = Wrong::Unexpected { found: "text", expected: "true or false" };
                    Err(wrong.at(path.clone()))
                }
            },
        }
    }

    pub(super) fn resolved(self, text: &str, path: &KeyPath) -> Result<String, Problem> {
        resolve(text, self.0).map_err(|error| {
            let culprit = self.culprit(text, NESTED);
            Wrong::from(error).at(culprit.unwrap_or_else(|| path.clone()))
        })
    }

    /// The value that a template names and that cannot be rendered itself.
    fn culprit(self, text: &str, deep: usize) -> Option<KeyPath> {
        paths(text).into_iter().map(KeyPath).find_map(|path| {
            let Some(Value::String(text)) = self.at(&path) else { return None };
            resolve(text, self.0).err()?;
            let deeper = (deep > 0).then(|| self.culprit(text, deep - 1)).flatten();
            Some(deeper.unwrap_or(path))
        })
    }

    /// A value with all its texts resolved.
    pub(super) fn all_resolved(self, value: &Value, path: &KeyPath) -> Result<Value, Problem> {
        Ok(match value {
            Value::String(text) => self.resolved(text, path)?.into(),
            Value::Array(items) => {
                items.iter().map(|item| self.all_resolved(item, path)).collect::<Result<_, _>>()?
            }
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| {
                    Ok((key.clone(), self.all_resolved(value, &path.below(&[key]))?))
                };
                Value::Object(map.iter().map(entry).collect::<Result<Map<_, _>, Problem>>()?)
            }
            plain => plain.clone(),
        })
    }

    /// The registry of an entry: the one that it names; `fallback` or the usual one if it names none. `None` where it
    /// is switched off.
    pub(super) fn registry(
        self,
        name: Option<&str>,
        fallback: Option<&Prefix>,
        entry: &KeyPath,
    ) -> Result<Option<Registry>, Problem> {
        let path = KeyPath(vec![REGISTRIES.to_owned()]);
        let known: Vec<String> = self.mapping(&path)?.into_iter().map(|(name, _)| name.clone()).collect();
        let name = match (name, fallback) {
            (Some(name), _) if known.iter().any(|known| known == name) => name,
            (Some(name), _) => {
                return Err(Wrong::UnknownRegistry { name: name.to_owned(), known }.at(entry.clone()));
            }
            (None, Some(prefix)) => return self.of_prefix(prefix).map(Some),
            (None, None) => match known.as_slice() {
                [only] => only,
                several if several.iter().any(|name| name == USUAL) => USUAL,
                _ => return Err(Wrong::NoRegistry.at(entry.clone())),
            },
        };
        self.of_entry(&path.below(&[name]))
    }

    fn of_prefix(self, prefix: &Prefix) -> Result<Registry, Problem> {
        let path = KeyPath(vec![VERSION.to_owned()]);
        Ok(Registry { prefix: prefix.clone(), tag: self.tag(&path)?, cosign_key: None })
    }

    fn of_entry(self, path: &KeyPath) -> Result<Option<Registry>, Problem> {
        if self.flag(&path.below(&["enabled"]))? == Some(false) {
            return Ok(None);
        }
        let at = path.below(&["url"]);
        let url = self.demanded(&at)?;
        if !url.starts_with("oci://") {
            return Err(Wrong::Prefix(crate::release::InvalidPrefix(url)).at(at));
        }
        let prefix = url.parse().map_err(|error| Wrong::Prefix(error).at(at))?;
        let cosign_key = self.text(&path.below(&[COSIGN_KEY]))?.filter(|key| !key.trim().is_empty());
        Ok(Some(Registry { prefix, tag: self.tag(&path.below(&["tag"]))?, cosign_key }))
    }

    fn tag(self, path: &KeyPath) -> Result<Tag, Problem> {
        self.demanded(path)?.parse().map_err(|error| Wrong::Tag(error).at(path.clone()))
    }
}
