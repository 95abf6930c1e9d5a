//! `os_images`: what a deployment's values enable, for Helm and for programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Number, Value};

use super::yaml;
use crate::os_image::{EnabledImages, Form, OsImage};

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.os-images/1";

/// The images that values enable.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump os-images")]
pub struct OsImages {
    /// `dibump.os-images/1`.
    pub schema: &'static str,
    /// `proposal`, `sylva-core` or `sylva-1.6`.
    pub form: &'static str,
    /// The images and their properties, by their keys.
    pub os_images: BTreeMap<String, Map<String, Value>>,
}

/// The values as Helm reads them.
///
/// # Errors
/// What cannot be written as YAML.
pub fn yaml(selection: &EnabledImages) -> Result<String, yaml::Error> {
    yaml::text(&BTreeMap::from([("os_images", images(selection))]))
}

/// The same for programs.
pub fn json(selection: &EnabledImages) -> OsImages {
    OsImages { schema: SCHEMA, form: name(selection.form), os_images: images(selection) }
}

/// The name of a form.
pub fn name(form: Form) -> &'static str {
    match form {
        Form::Proposal => "proposal",
        Form::SylvaCore => "sylva-core",
        Form::Sylva16 => "sylva-1.6",
    }
}

fn images(selection: &EnabledImages) -> BTreeMap<String, Map<String, Value>> {
    let properties = |image: &OsImage| {
        let written = image.properties(selection.form).into_iter();
        (image.key.clone(), written.map(|(name, value)| (name, as_written(value))).collect())
    };
    selection.images.iter().map(properties).collect()
}

/// Whole numbers without the fraction that Helm's reading gives them.
fn as_written(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(whole(&number).unwrap_or(number)),
        Value::Array(items) => items.into_iter().map(as_written).collect(),
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, as_written(value))).collect(),
        plain => plain,
    }
}

/// Beyond these a float is no longer every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

#[expect(clippy::cast_possible_truncation, reason = "it has no fraction, and is small enough to be exact")]
fn whole(number: &Number) -> Option<Number> {
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT)?;
    Some(Number::from(float as i64))
}
