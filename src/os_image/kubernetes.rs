//! Whether an image is for the Kubernetes of a cluster.

use std::collections::BTreeMap;

use crate::release::{Facets, K8sVersion};

/// How the Kubernetes version of an image stands to that of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// It is the same as far as both say.
    Fits,
    /// The same, but the cluster leaves the distribution's revision open.
    AnyRevision(K8sVersion),
    /// Another one.
    Differs(String),
    /// Nothing says which one the image has.
    Unknown,
}

/// Whether an image is for a Kubernetes version: by its annotations, else by its key.
pub fn kubernetes_fit(wanted: &K8sVersion, key: &str, attributes: &BTreeMap<String, String>) -> Fit {
    let named = Facets::from_name(key);
    let annotated = attributes.get("k8s-flavor").map(String::as_str);
    let flavor = annotated.or(named.as_ref().map(|facets| facets.k8s_flavor.as_str()));
    let version = match attributes.get("k8s-version") {
        Some(version) => version.parse().ok(),
        None => named.as_ref().map(|facets| facets.k8s_version.clone()),
    };
    let Some(version): Option<K8sVersion> = version else { return Fit::Unknown };
    let of_other_flavor = match (&wanted.revision, &flavor) {
        (Some(revision), Some(flavor)) => !revision.starts_with(flavor),
        _ => false,
    };
    match (wanted.agrees_with(&version), of_other_flavor) {
        (true, false) if wanted.revision.is_none() && version.revision.is_some() => Fit::AnyRevision(version),
        (true, false) => Fit::Fits,
        (false, _) => Fit::Differs(version.to_string()),
        (true, true) => Fit::Differs(format!("{version} of {}", flavor.unwrap_or_default())),
    }
}
