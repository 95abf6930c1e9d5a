//! Where values choose the image of a machine, and which one they choose.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cluster::{IMAGE_KEYS, Role, SELECTOR, Scope};
use super::machine_image::Raw;
use super::selector::{Condition, EXTRA_KEYS, KEYS, defaults};
use super::{Problem, Wrong};
use crate::release::{Facets, K8sVersion};
use crate::sylva::{BOOTSTRAP_PROVIDER, K8S_VERSION, MACHINE_IMAGE_URL};
use crate::values::{KeyPath, Rendered};

/// The infrastructure whose machines these are.
const METAL3: &str = "capm3";
/// The fields of raw mode.
const RAW: [&str; 4] =
    [MACHINE_IMAGE_URL, "machine_image_format", "machine_image_checksum", "machine_image_checksum_type"];

/// A place that chooses an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Where it is.
    pub at: KeyPath,
    /// Whose machines: `cluster`, `control_plane`, `machine_deployments.md0`.
    pub machines: String,
    /// What it says.
    pub choice: Choice,
    /// What its cluster says.
    pub cluster: Cluster,
}

/// What a cluster says of its machines.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// The Kubernetes version, where there is one; it matters only to who asks.
    pub k8s_version: Result<Option<String>, Problem>,
    /// Who sets the machines up, where it is said.
    pub bootstrap_provider: Option<String>,
}

/// How an image is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// By its key.
    Key(String),
    /// By what it is: regular expressions over its attributes.
    Selector(BTreeMap<String, String>),
    /// By its key, to which a selector must agree.
    Both(String, BTreeMap<String, String>),
    /// Outright.
    Raw(Raw),
}

/// Every place of merged values that chooses an image for Metal3, by its path.
pub fn places(values: Rendered<'_>) -> (Vec<Place>, Vec<Problem>) {
    let mut found = Vec::new();
    metal3(values.values(), &mut Vec::new(), &mut found);
    let reading = Reading { values, found: &found };
    let (mut places, mut problems) = (Vec::new(), Vec::new());
    for path in &found {
        match reading.place(path) {
            Ok(place) => places.extend(place),
            Err(problem) => problems.push(problem),
        }
    }
    (places, problems)
}

/// What the values' own cluster says.
pub fn cluster(values: Rendered<'_>) -> Cluster {
    Reading { values, found: &[] }.cluster(&[])
}

/// The mappings called `capm3`, wherever values have them.
fn metal3<'a>(value: &'a Value, path: &mut Vec<&'a str>, found: &mut Vec<Vec<&'a str>>) {
    let Value::Object(map) = value else { return };
    for (key, below) in map {
        path.push(key);
        if key == METAL3 && below.is_object() {
            found.push(path.clone());
        }
        metal3(below, path, found);
        path.pop();
    }
}

struct Reading<'a> {
    values: Rendered<'a>,
    found: &'a [Vec<&'a str>],
}

impl Reading<'_> {
    fn place(&self, path: &[&str]) -> Result<Option<Place>, Problem> {
        let (at, scope) = (path_of(path), Scope::of(path));
        let key = self.key(&at)?;
        let raw = self.raw(&at)?;
        let selector = self.selector(&at)?.map(|own| self.with_wider(own, &scope)).transpose()?;
        let choice = match (key, selector, raw.is_empty()) {
            (None, None, true) => return Ok(None),
            (Some(key), None, true) => Choice::Key(key),
            (None, Some(selector), true) => Choice::Selector(selector),
            (Some(key), Some(selector), true) => Choice::Both(key, selector),
            (None, None, false) => Choice::Raw(raw),
            (_, _, false) => {
                let expected = "either machine_image_url and what belongs to it, or an image key or selector";
                return Err(Wrong::instead("both", expected).at(at));
            }
        };
        Ok(Some(Place { at, machines: machines(scope.role), choice, cluster: self.cluster(&scope.cluster) }))
    }

    /// The key, under either of its names.
    fn key(&self, at: &KeyPath) -> Result<Option<String>, Problem> {
        let [newer, older] = IMAGE_KEYS.map(|name| self.text(&at.below(&[name])));
        match (newer?, older?) {
            (Some(newer), Some(older)) if newer != older => {
                let expected = "the same as os_image_key, or only one of them";
                Err(Wrong::instead("another key", expected).at(at.below(&[IMAGE_KEYS[0]])))
            }
            (newer, older) => Ok(newer.or(older)),
        }
    }

    fn raw(&self, at: &KeyPath) -> Result<Raw, Problem> {
        let [url, format, checksum, checksum_type] = RAW.map(|name| self.text(&at.below(&[name])));
        Ok(Raw { url: url?, format: format?, checksum: checksum?, checksum_type: checksum_type? })
    }

    /// The selector as it is written, of which a boolean is a text.
    fn selector(&self, at: &KeyPath) -> Result<Option<BTreeMap<String, String>>, Problem> {
        let at = at.below(&[SELECTOR]);
        match self.values.at(&at) {
            None => Ok(None),
            Some(Value::Object(written)) => self.conditions(written, &at).map(Some),
            Some(other) => Err(Wrong::unexpected(other, "a mapping").at(at)),
        }
    }

    fn conditions(
        &self,
        written: &Map<String, Value>,
        at: &KeyPath,
    ) -> Result<BTreeMap<String, String>, Problem> {
        let mut conditions = BTreeMap::new();
        for (key, value) in written {
            let at = at.below(&[key]);
            if !written.contains_key(EXTRA_KEYS) && !KEYS.contains(&key.as_str()) {
                let expected = "os, os-release, flavor, hardened, k8s-flavor, k8s-version, commit-tag, …";
                return Err(Wrong::instead("no attribute of an image", expected).at(at));
            }
            match value {
                _ if key == EXTRA_KEYS => {}
                Value::Bool(flag) => drop(conditions.insert(key.clone(), flag.to_string())),
                _ => drop(conditions.insert(key.clone(), self.text(&at)?.unwrap_or_default())),
            }
        }
        Ok(conditions)
    }

    /// What the selectors for more machines of the cluster say, where this one does not; and its Kubernetes.
    fn with_wider(
        &self,
        own: BTreeMap<String, String>,
        scope: &Scope<'_>,
    ) -> Result<BTreeMap<String, String>, Problem> {
        let wider = match scope.role {
            Role::All => [None, None],
            Role::ControlPlane | Role::AnyDeployment => [Some(Role::All), None],
            Role::Deployment(_) => [Some(Role::All), Some(Role::AnyDeployment)],
        };
        let mut all = BTreeMap::new();
        for role in wider.into_iter().flatten() {
            let of_role = |path: &&Vec<&str>| {
                let other = Scope::of(path);
                other.role == role && other.cluster == scope.cluster
            };
            for path in self.found.iter().filter(of_role) {
                all.extend(self.selector(&path_of(path))?.unwrap_or_default());
            }
        }
        all.extend(own);
        Ok(all)
    }

    fn cluster(&self, path: &[&str]) -> Cluster {
        Cluster {
            k8s_version: self.of_cluster(path, &[K8S_VERSION]),
            bootstrap_provider: self.of_cluster(path, &BOOTSTRAP_PROVIDER).ok().flatten(),
        }
    }

    /// What a cluster says, wherever values have their cluster.
    fn of_cluster(&self, path: &[&str], below: &[&str]) -> Result<Option<String>, Problem> {
        for cluster in [path, &["cluster"], &[]] {
            if let Some(text) = self.text(&path_of(cluster).below(below))? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn text(&self, at: &KeyPath) -> Result<Option<String>, Problem> {
        Ok(self.values.text(at)?.filter(|text| !text.is_empty()))
    }
}

/// What a selector asks for, with what every selector of its cluster gets.
///
/// # Errors
/// A condition that is no regular expression.
pub fn conditions(
    selector: &BTreeMap<String, String>,
    k8s_version: Option<&str>,
    bootstrap_provider: Option<&str>,
) -> Result<BTreeMap<String, Condition>, String> {
    let mut conditions: BTreeMap<String, Condition> = BTreeMap::new();
    let defaults = defaults(k8s_version, bootstrap_provider).into_iter();
    // What nobody says asks for nothing.
    let said = defaults.filter(|(_, condition)| !matches!(condition, Condition::Unknown));
    conditions.extend(said.map(|(key, condition)| (key.to_owned(), condition)));
    for (key, text) in selector {
        match Condition::new(text) {
            Condition::Unknown => return Err(format!("`{key}={text}` is no regular expression")),
            condition => drop(conditions.insert(key.clone(), condition)),
        }
    }
    Ok(conditions)
}

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
    let of_name = |of: fn(&Facets) -> String| named.as_ref().map(of);
    let flavor =
        attributes.get("k8s-flavor").cloned().or_else(|| of_name(|facets| facets.k8s_flavor.clone()));
    let version = match attributes.get("k8s-version") {
        Some(version) => version.parse().ok(),
        None => named.as_ref().map(|facets| facets.k8s_version.clone()),
    };
    let Some(version): Option<K8sVersion> = version else { return Fit::Unknown };
    let of_other_flavor = match (&wanted.revision, &flavor) {
        (Some(revision), Some(flavor)) => !revision.starts_with(flavor.as_str()),
        _ => false,
    };
    match (wanted.agrees_with(&version), of_other_flavor) {
        (true, false) if wanted.revision.is_none() && version.revision.is_some() => Fit::AnyRevision(version),
        (true, false) => Fit::Fits,
        (false, _) => Fit::Differs(version.to_string()),
        (true, true) => Fit::Differs(format!("{version} of {}", flavor.unwrap_or_default())),
    }
}

fn path_of(path: &[&str]) -> KeyPath {
    KeyPath(path.iter().map(|key| (*key).to_owned()).collect())
}

fn machines(role: Role<'_>) -> String {
    match role {
        Role::All => "cluster".to_owned(),
        Role::ControlPlane => "control_plane".to_owned(),
        Role::AnyDeployment => "machine_deployment_default".to_owned(),
        Role::Deployment(name) => format!("machine_deployments.{name}"),
    }
}
