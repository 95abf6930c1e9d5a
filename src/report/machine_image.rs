//! The images of Metal3 machines: as YAML, as a patch, and for programs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::yaml::{self, Ordered};
use crate::os_image::machine_image::{ApiVersion, MachineImage};

/// The shape's name and version.
pub const SCHEMA: &str = "dibump.machine-image/1";

/// The image of some machines.
#[derive(Debug, Clone)]
pub struct MachinesReport {
    /// Which machines: `control_plane`, `machine_deployments.md0`; `None` where an image was named outright.
    pub machines: Option<String>,
    /// The key of the image; `None` in raw mode.
    pub key: Option<String>,
    /// The Kubernetes version that the image says it is for.
    pub k8s_version: Option<String>,
    /// The image.
    pub image: MachineImage,
}

/// The images of machines.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "dibump machine-image")]
pub struct MachineImages {
    /// `dibump.machine-image/1`.
    pub schema: &'static str,
    /// `infrastructure.cluster.x-k8s.io/v1beta1` or `…/v1beta2`.
    pub api_version: String,
    /// The images.
    pub images: Vec<MachineImageReport>,
}

/// The image of some machines.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MachineImageReport {
    /// Which machines, where values say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machines: Option<String>,
    /// The key of the image; missing in raw mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The Kubernetes version that the image says it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub k8s_version: Option<String>,
    /// The `image` of `Metal3MachineTemplate.spec.template.spec`.
    pub image: BTreeMap<String, String>,
}

/// The `image` of each, a document for each.
///
/// # Errors
/// What cannot be written as YAML.
pub fn yaml(all: &[MachinesReport], version: ApiVersion) -> Result<String, yaml::Error> {
    documents(all, |machines| BTreeMap::from([("image", fields(machines, version))]))
}

/// A `Metal3MachineTemplate` with nothing but the image for each, as kustomize merges it.
///
/// # Errors
/// What cannot be written as YAML.
pub fn patch(all: &[MachinesReport], version: ApiVersion) -> Result<String, yaml::Error> {
    documents(all, |machines| Patch {
        api_version: group(version),
        kind: "Metal3MachineTemplate",
        metadata: BTreeMap::from([("name", object_name(machines))]),
        spec: BTreeMap::from([(
            "template",
            BTreeMap::from([("spec", BTreeMap::from([("image", fields(machines, version))]))]),
        )]),
    })
}

/// The fields of an image, in the order of the API.
type Fields = Ordered<&'static str, String>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    api_version: String,
    kind: &'static str,
    metadata: BTreeMap<&'static str, String>,
    spec: BTreeMap<&'static str, BTreeMap<&'static str, BTreeMap<&'static str, Fields>>>,
}

fn fields(machines: &MachinesReport, version: ApiVersion) -> Fields {
    Ordered(machines.image.fields(version))
}

/// The same for programs.
pub fn json(all: &[MachinesReport], version: ApiVersion) -> MachineImages {
    let image = |machines: &MachinesReport| MachineImageReport {
        machines: machines.machines.clone(),
        key: machines.key.clone(),
        k8s_version: machines.k8s_version.clone(),
        image: machines
            .image
            .fields(version)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    };
    MachineImages { schema: SCHEMA, api_version: group(version), images: all.iter().map(image).collect() }
}

fn group(version: ApiVersion) -> String {
    format!("infrastructure.cluster.x-k8s.io/{version}")
}

/// The name that a patch gives, which kustomize does not look at where it is told which objects are meant.
fn object_name(machines: &MachinesReport) -> String {
    let name = machines.machines.as_deref().or(machines.key.as_deref()).unwrap_or("machine");
    name.rsplit('.').next().unwrap_or(name).replace('_', "-")
}

/// A document for each, under a comment that says which machines it is for.
fn documents<D: Serialize>(
    all: &[MachinesReport],
    document: impl Fn(&MachinesReport) -> D,
) -> Result<String, yaml::Error> {
    let mut text = String::new();
    for machines in all {
        if !text.is_empty() {
            text.push_str("---\n");
        }
        if let Some(name) = &machines.machines {
            let key = machines.key.as_ref().map(|key| format!(": {key}")).unwrap_or_default();
            text.push_str(&format!("# {name}{key}\n"));
        }
        text.push_str(&yaml::text(&document(machines))?);
    }
    Ok(text)
}
