//! The machines of a deployment's clusters, and how the image of each is chosen.
//!
//! What is said of a machine stands in several mappings, each laid over those before: the cluster's own, then that of the
//! control plane, or the default of all machine deployments and the one of its own (sylva-library,
//! `find-cluster-image-selectors`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::cluster::{CONTROL_PLANE, ClusterScope, DEPLOYMENT_DEFAULT, DEPLOYMENTS};
use super::definition::{Definition, ImageChoice, Server, text_of_cluster};
use super::{Problem, Wrong};
use crate::sylva::{BOOTSTRAP_PROVIDER, INFRA_PROVIDER, INFRASTRUCTURES, K8S_VERSION};
use crate::values::{KeyPath, Rendered};

/// The infrastructure whose machines boot the images that are made here.
pub const METAL3: &str = "capm3";

/// Machines that get the same image.
#[derive(Debug, Clone, PartialEq)]
pub struct Machines {
    /// Which: `control_plane`, `machine_deployments.md0`.
    pub name: String,
    /// Where their own mapping is, or would be.
    pub at: KeyPath,
    /// What chooses their image, and where; `None` where nothing does.
    pub choice: Result<Option<(ImageChoice, KeyPath)>, Problem>,
    /// Where their image is served.
    pub server: Result<Option<Server>, Problem>,
    /// What their cluster says.
    pub cluster: Arc<ClusterMachines>,
}

/// What a cluster says of its machines.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterMachines {
    /// Where it is.
    pub at: KeyPath,
    /// Whose machines it has, where that is said.
    pub infrastructure: Option<String>,
    /// The Kubernetes version, where there is one; it matters only to who asks.
    pub k8s_version: Result<Option<String>, Problem>,
    /// Who sets the machines up, where it is said.
    pub bootstrap_provider: Option<String>,
}

/// The machines of every cluster that values have. A cluster elsewhere than at `cluster` counts where it chooses an image.
///
/// # Errors
/// A cluster whose infrastructure cannot be told.
pub fn machines(values: Rendered<'_>) -> Result<Vec<Machines>, Problem> {
    let mut places = BTreeSet::new();
    clusters(values.values(), &mut Vec::new(), &mut places);
    let own = KeyPath::default().below(&["cluster"]);
    let mut clusters = Vec::new();
    for at in places {
        let machines = of_cluster(values, &at)?;
        let chooses = |machines: &Machines| !matches!(machines.choice, Ok(None));
        if at == own || machines.iter().any(chooses) {
            clusters.push((at, machines));
        }
    }
    let several = clusters.len() > 1;
    let named = |(at, mut machines): (KeyPath, Vec<Machines>)| {
        if several && at != own {
            machines.iter_mut().for_each(|machines| machines.name = format!("{at}.{}", machines.name));
        }
        machines
    };
    Ok(clusters.into_iter().flat_map(named).collect())
}

/// What the values' own cluster says, for an image that is named outright.
pub fn own_cluster(values: Rendered<'_>) -> (Arc<ClusterMachines>, Result<Option<Server>, Problem>) {
    let at = KeyPath::default().below(&["cluster"]);
    let cluster = ClusterMachines::read(values, &at, None);
    let definition = Definition::new(values, vec![at.below(&[METAL3])]);
    (Arc::new(cluster), definition.server(&at))
}

/// The mappings that have those of an infrastructure, or parts that do.
fn clusters(value: &Value, path: &mut Vec<String>, found: &mut BTreeSet<KeyPath>) {
    let Value::Object(map) = value else { return };
    for (key, below) in map.iter().filter(|(_, below)| below.is_object()) {
        path.push(key.clone());
        if INFRASTRUCTURES.contains(&key.as_str()) {
            let keys: Vec<&str> = path.iter().map(String::as_str).collect();
            found.insert(KeyPath::default().below(&ClusterScope::of(&keys).cluster));
        }
        clusters(below, path, found);
        path.pop();
    }
}

fn of_cluster(values: Rendered<'_>, at: &KeyPath) -> Result<Vec<Machines>, Problem> {
    let said = text_of_cluster(values, at, &INFRA_PROVIDER)?;
    // Where nobody says it, it is the one of which something is said.
    let spoken_of = INFRASTRUCTURES.iter().find(|name| values.at(&at.below(&[name])).is_some());
    let infrastructure = said.or_else(|| spoken_of.map(|name| (*name).to_owned()));
    let name = infrastructure.as_deref().unwrap_or(METAL3);
    let control_plane = (vec![], vec![CONTROL_PLANE]);
    let deployments = match values.at(&at.below(&[DEPLOYMENTS])) {
        Some(Value::Object(map)) => {
            map.iter().filter(|(_, own)| !own.is_null()).map(|(key, _)| key).collect()
        }
        None => Vec::new(),
        Some(other) => return Err(Wrong::unexpected(other, "a mapping").at(at.below(&[DEPLOYMENTS]))),
    };
    let deployments = deployments
        .into_iter()
        .map(|deployment| (vec![DEPLOYMENT_DEFAULT], vec![DEPLOYMENTS, deployment.as_str()]));
    let cluster = Arc::new(ClusterMachines::read(values, at, infrastructure.clone()));
    let machines = |(default, own): (Vec<&str>, Vec<&str>)| {
        let mut layers = vec![at.below(&[name])];
        layers.extend(
            [default].iter().filter(|keys| !keys.is_empty()).map(|keys| at.below(keys).below(&[name])),
        );
        let own_at = at.below(&own).below(&[name]);
        layers.push(own_at.clone());
        let definition = Definition::new(values, layers);
        Machines {
            name: own.join("."),
            at: own_at,
            choice: definition.choice(),
            server: definition.server(at),
            cluster: Arc::clone(&cluster),
        }
    };
    Ok(std::iter::once(control_plane).chain(deployments).map(machines).collect())
}

impl ClusterMachines {
    fn read(values: Rendered<'_>, at: &KeyPath, infrastructure: Option<String>) -> Self {
        Self {
            at: at.clone(),
            infrastructure,
            k8s_version: text_of_cluster(values, at, &[K8S_VERSION]),
            bootstrap_provider: text_of_cluster(values, at, &BOOTSTRAP_PROVIDER).ok().flatten(),
        }
    }

    /// Whether its machines boot images by Metal3.
    pub fn is_metal3(&self) -> bool {
        self.infrastructure.as_deref().is_none_or(|name| name == METAL3)
    }
}
