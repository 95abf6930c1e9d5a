//! The cluster that has the ConfigMap, as far as this build can reach one.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Environment, WiringError};
use crate::cluster::KubernetesApi;

/// Which cluster is meant.
#[derive(Debug, Clone, Default)]
pub struct ClusterSettings {
    /// The kubeconfig; `None` to look for it as kubectl does.
    pub kubeconfig: Option<PathBuf>,
    /// The context in it; `None` for the current one.
    pub context: Option<String>,
}

/// The cluster of the kubeconfig, else that of the pod that we run in.
#[cfg(feature = "kube")]
pub async fn cluster(
    environment: &Environment,
    settings: &ClusterSettings,
) -> Result<Arc<dyn KubernetesApi>, WiringError> {
    let settings = crate::kube::KubeSettings {
        kubeconfigs: kubeconfigs(environment, settings),
        context: settings.context.clone(),
        timeout: crate::http::TransportSettings::default().request_timeout,
    };
    Ok(Arc::new(crate::kube::KubeCluster::open(&settings).await?))
}

/// As kubectl looks for them.
#[cfg(feature = "kube")]
fn kubeconfigs(environment: &Environment, settings: &ClusterSettings) -> Vec<PathBuf> {
    if let Some(path) = &settings.kubeconfig {
        return vec![path.clone()];
    }
    if let Some(paths) = environment.get("KUBECONFIG") {
        return std::env::split_paths(&paths).collect();
    }
    let usual = environment.get("HOME").map(|home| std::path::Path::new(&home).join(".kube/config"));
    usual.filter(|path| crate::disk::exists(path)).into_iter().collect()
}

/// This build knows no cluster.
#[cfg(not(feature = "kube"))]
pub async fn cluster(_: &Environment, _: &ClusterSettings) -> Result<Arc<dyn KubernetesApi>, WiringError> {
    Err(WiringError::NoKube)
}
