//! The cluster that has the ConfigMap, as far as this build can reach one.

use std::sync::Arc;

use super::Context;
use super::args::consumer::ConfigMapArgs;
use super::exit::Exit;
use super::failure::{Failure, LATER};
use crate::cluster::{Applied, Cluster, ClusterError};

/// The cluster of the kubeconfig, else that of the pod that we run in.
#[cfg(feature = "kube")]
pub(super) async fn open(context: &Context, args: &ConfigMapArgs) -> Result<Arc<dyn Cluster>, Failure> {
    let settings = crate::kube::Settings {
        kubeconfigs: kubeconfigs(context, args),
        context: args.context.clone(),
        timeout: crate::http::Settings::default().request_timeout,
    };
    Ok(Arc::new(crate::kube::KubeCluster::open(&settings).await?))
}

/// As kubectl looks for them.
#[cfg(feature = "kube")]
fn kubeconfigs(context: &Context, args: &ConfigMapArgs) -> Vec<std::path::PathBuf> {
    if let Some(path) = &args.kubeconfig {
        return vec![path.clone()];
    }
    if let Some(paths) = context.environment.get("KUBECONFIG").filter(|paths| !paths.is_empty()) {
        return std::env::split_paths(&paths).collect();
    }
    let usual = context.environment.get("HOME").map(|home| std::path::Path::new(&home).join(".kube/config"));
    usual.filter(|path| crate::disk::exists(path)).into_iter().collect()
}

/// This build knows no cluster.
#[cfg(not(feature = "kube"))]
pub(super) async fn open(_: &Context, _: &ConfigMapArgs) -> Result<Arc<dyn Cluster>, Failure> {
    Err(Failure::usage("this dibump was built without the feature `kube`")
        .hint("kubectl apply -f takes the output"))
}

/// What the cluster made of a ConfigMap, in one word.
pub(super) fn word(applied: Applied) -> &'static str {
    match applied {
        Applied::Created => "created",
        Applied::Changed => "changed",
        Applied::Unchanged => "unchanged",
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        let (exit, hint) = match &error {
            ClusterError::NoAccess { .. } => (
                Exit::Person,
                Some("name a kubeconfig with --kubeconfig or KUBECONFIG, and a --context in it"),
            ),
            ClusterError::Refused { .. } => (
                Exit::Person,
                Some("grant `get`, `patch` and, to make it, `create` of configmaps in that namespace"),
            ),
            ClusterError::Conflict { .. } => (Exit::Refused, Some("--force-conflicts takes them over")),
            ClusterError::Rejected { .. } => (Exit::Person, None),
            ClusterError::Invalid { .. } | ClusterError::Unavailable { .. } => (Exit::Retry, Some(LATER)),
        };
        Self { exit, error: error.into(), hint: hint.map(str::to_owned) }
    }
}
