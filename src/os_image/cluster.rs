//! Where a cluster speaks of images: the places of sylva-capi-cluster's values (`image_key`, `os_image_selector`,
//! `k8s_version`), below whatever a file nests them in.

use crate::sylva::{IMAGE_KEY, INFRASTRUCTURES};

pub use crate::sylva::SELECTOR;

/// Keys of an image in `os_images`.
pub const IMAGE_KEYS: [&str; 2] = [IMAGE_KEY, "os_image_key"];
/// The parts of a cluster that have images.
const PARTS: [&str; 4] = ["cluster", CONTROL_PLANE, DEPLOYMENTS, DEPLOYMENT_DEFAULT];
/// The control plane of a cluster.
pub const CONTROL_PLANE: &str = "control_plane";
/// The machine deployments of a cluster, by their names.
pub const DEPLOYMENTS: &str = "machine_deployments";
/// What all machine deployments of a cluster have in common.
pub const DEPLOYMENT_DEFAULT: &str = "machine_deployment_default";

/// Which machines of a cluster something is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role<'a> {
    /// All of them.
    All,
    /// Those of the control plane.
    ControlPlane,
    /// Those of every machine deployment.
    AnyDeployment,
    /// Those of one machine deployment.
    Deployment(&'a str),
}

/// Of which machines of which cluster a place speaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterScope<'a> {
    /// The path of the cluster.
    pub cluster: Vec<&'a str>,
    /// The infrastructure, where one is named.
    pub infrastructure: Option<&'a str>,
    /// The machines.
    pub role: Role<'a>,
}

impl<'a> ClusterScope<'a> {
    /// The scope of what stands below `path`.
    pub fn of(path: &[&'a str]) -> Self {
        let (path, infrastructure) = match path.split_last() {
            Some((last, above)) if INFRASTRUCTURES.contains(last) => (above, Some(*last)),
            _ => (path, None),
        };
        let (cluster, role) = match path {
            [cluster @ .., CONTROL_PLANE] => (cluster, Role::ControlPlane),
            [cluster @ .., DEPLOYMENT_DEFAULT] => (cluster, Role::AnyDeployment),
            [cluster @ .., DEPLOYMENTS, name] => (cluster, Role::Deployment(name)),
            cluster => (cluster, Role::All),
        };
        Self { cluster: cluster.to_vec(), infrastructure, role }
    }
}

/// Whether a path leads through a part of a cluster.
pub fn is_in_cluster(path: &[&str]) -> bool {
    path.iter().any(|key| is_of_cluster(key))
}

/// Whether what stands below a key is of a part of a cluster.
pub fn is_of_cluster(key: &str) -> bool {
    PARTS.contains(&key) || INFRASTRUCTURES.contains(&key)
}

/// Whether a text is made when the chart is rendered.
pub fn is_template(text: &str) -> bool {
    text.contains("{{")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_of_which_machines_it_speaks() {
        let table: [(&str, &str); 7] = [
            ("cluster.capm3", "cluster Some(\"capm3\") All"),
            ("cluster.control_plane.capm3", "cluster Some(\"capm3\") ControlPlane"),
            (
                "spec.values.cluster.machine_deployments.md0.capo",
                "spec.values.cluster Some(\"capo\") Deployment(\"md0\")",
            ),
            ("cluster.machine_deployment_default.capm3", "cluster Some(\"capm3\") AnyDeployment"),
            ("capm3", " Some(\"capm3\") All"),
            ("control_plane.capm3", " Some(\"capm3\") ControlPlane"),
            ("cluster", "cluster None All"),
        ];
        for (path, meant) in table {
            let scope = ClusterScope::of(&path.split('.').collect::<Vec<_>>());
            let said = format!("{} {:?} {:?}", scope.cluster.join("."), scope.infrastructure, scope.role);
            assert_eq!(said, meant, "{path}");
        }
    }
}
