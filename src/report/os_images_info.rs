//! What is known of the enabled images: the ConfigMap, its values, and the same for programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::os_images::name;
use super::yaml::{self, Ordered};
use crate::cluster::ConfigMap;
use crate::os_image::config_map::{DATA_KEY, LABEL};
use crate::os_image::info::{Fault, Gathered, ImageInfo, Info};

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.os-images-info/1";

/// The fields that a machine needs.
const MACHINE: [&str; 4] = ["url", "checksum", "checksumType", "format"];

/// What is known of the images.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump os-images-info")]
pub struct OsImagesInfo {
    /// `dibump.os-images-info/1`.
    pub schema: &'static str,
    /// `proposal` or `sylva-core`.
    pub form: &'static str,
    /// What is known of each image; missing where nothing may be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<BTreeMap<String, ImageInfo>>,
    /// Images of which nothing can be said.
    pub faults: Vec<FaultReport>,
    /// What the cluster made of it: `created`, `changed` or `unchanged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<&'static str>,
}

/// An image of which nothing can be said.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FaultReport {
    /// Its key.
    pub key: String,
    /// `missing`, `wrong-image`, `signature`, `unfit`, `broken`, `refused` or `unknown`.
    pub fault: &'static str,
    /// Why, as it follows the key.
    pub reason: String,
    /// Whether what was said of it before stays.
    pub kept: bool,
}

/// The ConfigMap of what is known.
///
/// # Errors
/// What cannot be written as YAML.
pub fn config_map(info: &Info, name: &str, namespace: Option<&str>) -> Result<ConfigMap, yaml::Error> {
    let images: BTreeMap<&String, Ordered<&String, &String>> =
        info.images.iter().map(|(key, entry)| (key, ordered(entry))).collect();
    let values = yaml::text(&BTreeMap::from([(info.form.info_key(), images)]))?;
    Ok(ConfigMap {
        name: name.to_owned(),
        namespace: namespace.map(str::to_owned),
        labels: BTreeMap::from([(LABEL.0.to_owned(), LABEL.1.to_owned())]),
        data: BTreeMap::from([(DATA_KEY.to_owned(), values)]),
    })
}

/// What a machine needs in the order of its API, everything else by name.
fn ordered(entry: &ImageInfo) -> Ordered<&String, &String> {
    let mut fields: Vec<(&String, &String)> = entry.iter().collect();
    let place = |name: &String| MACHINE.iter().position(|known| known == name).unwrap_or(MACHINE.len());
    fields.sort_by_key(|(name, _)| place(name));
    Ordered(fields)
}

/// A ConfigMap as `kubectl apply` reads it.
///
/// # Errors
/// What cannot be written as YAML.
pub fn yaml(map: &ConfigMap) -> Result<String, yaml::Error> {
    yaml::text(&Manifest {
        api_version: "v1",
        kind: "ConfigMap",
        metadata: Metadata { name: &map.name, namespace: map.namespace.as_deref(), labels: &map.labels },
        data: &map.data,
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata<'a>,
    data: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
}

/// The same for programs.
pub fn json(form: crate::os_image::Form, gathered: &Gathered, applied: Option<&'static str>) -> OsImagesInfo {
    let fault = |(key, fault, kept): &(String, Fault, bool)| FaultReport {
        key: key.clone(),
        fault: word(fault),
        reason: fault.to_string(),
        kept: *kept,
    };
    OsImagesInfo {
        schema: SCHEMA,
        form: name(form),
        images: gathered.info.as_ref().map(|info| info.images.clone()),
        faults: gathered.faults.iter().map(fault).collect(),
        applied,
    }
}

fn word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Missing => "missing",
        Fault::WrongImage(_) => "wrong-image",
        Fault::Signature(_) => "signature",
        Fault::Unfit(_) => "unfit",
        Fault::Broken(_) => "broken",
        Fault::Refused(_) => "refused",
        Fault::Unusable(_) => "unusable",
        Fault::Unknown(_) => "unknown",
    }
}
