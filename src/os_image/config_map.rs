//! The ConfigMap `os-images-info` as somebody wrote it: the whole object, or the values in it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Form;
use super::info::{ImageInfo, Info};
use crate::template::kind;
use crate::values::{Document, KeyPath, ValuesError, merged};

/// The name of the ConfigMap.
pub const NAME: &str = "os-images-info";
/// What marks it for those who look for all of its kind (sylva-core, `create-os-images-info.sh`).
pub const LABEL: (&str, &str) = ("sylva.os-images-info", "");
/// The key of its data under which Flux's `valuesFrom` looks, so that nobody must name one.
pub const DATA_KEY: &str = "values.yaml";

/// Why a text is no such ConfigMap.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotOsImagesInfo {
    /// The text is no YAML that we read.
    #[error("{0}")]
    Values(ValuesError),
    /// The values in it are no YAML that we read; lines are those of the values.
    #[error("data.\"values.yaml\": {0}")]
    Inner(ValuesError),
    /// An object without the values.
    #[error("it has no data.\"values.yaml\"")]
    NoValues,
    /// Values of something else.
    #[error("it has neither os_images_info nor os_images")]
    NoImages,
    /// Something that is not a mapping.
    #[error("`{at}` is {found} (expected a mapping)")]
    NotMapping {
        /// Where it is.
        at: KeyPath,
        /// What it is.
        found: &'static str,
    },
    /// Something that is no text.
    #[error("`{at}` is {found} (expected text; write it in quotes)")]
    NotText {
        /// Where it is.
        at: KeyPath,
        /// What it is.
        found: &'static str,
    },
}

/// What a ConfigMap says.
///
/// # Errors
/// It is none, or says something that is no text.
pub fn read(document: &Document) -> Result<Info, NotOsImagesInfo> {
    let values = merged(&[document]).map_err(|(_, error)| NotOsImagesInfo::Values(error))?;
    if values.get("kind").and_then(Value::as_str) != Some("ConfigMap") {
        return of_values(&values);
    }
    let inner = values.get("data").and_then(|data| data.get(DATA_KEY)).and_then(Value::as_str);
    of_text(inner.ok_or(NotOsImagesInfo::NoValues)?)
}

/// What the values in a ConfigMap say.
///
/// # Errors
/// They are none, or say something that is no text.
pub fn of_text(values: &str) -> Result<Info, NotOsImagesInfo> {
    let inner = Document::parse(values.as_bytes().to_vec()).map_err(NotOsImagesInfo::Inner)?;
    of_values(&merged(&[&inner]).map_err(|(_, error)| NotOsImagesInfo::Inner(error))?)
}

fn of_values(values: &Value) -> Result<Info, NotOsImagesInfo> {
    let form =
        [Form::Proposal, Form::SylvaCore].into_iter().find(|form| values.get(form.info_key()).is_some());
    let form = form.ok_or(NotOsImagesInfo::NoImages)?;
    let at = KeyPath(vec![form.info_key().to_owned()]);
    let mut images = BTreeMap::new();
    for (key, fields) in mapping(&values[form.info_key()], &at)? {
        let at = at.below(&[key]);
        images.insert(key.clone(), entry(fields, &at)?);
    }
    Ok(Info { form, images })
}

fn entry(fields: &Value, at: &KeyPath) -> Result<ImageInfo, NotOsImagesInfo> {
    let text = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        other => Err(NotOsImagesInfo::NotText { at: at.below(&[name]), found: kind(other) }),
    };
    mapping(fields, at)?.into_iter().map(text).collect()
}

fn mapping<'a>(value: &'a Value, at: &KeyPath) -> Result<Vec<(&'a String, &'a Value)>, NotOsImagesInfo> {
    match value {
        Value::Object(map) => Ok(map.iter().collect()),
        other => Err(NotOsImagesInfo::NotMapping { at: at.clone(), found: kind(other) }),
    }
}
