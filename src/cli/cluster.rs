//! The cluster that has the ConfigMap.

use std::sync::Arc;

use super::Context;
use super::args::consumer::ConfigMapArgs;
use super::exit::Exit;
use super::failure::{Failure, LATER};
use crate::cluster::{Applied, Cluster, ClusterError};
use crate::wiring::{ClusterSettings, cluster};

/// The cluster that the flags name.
pub(super) async fn open(context: &Context, args: &ConfigMapArgs) -> Result<Arc<dyn Cluster>, Failure> {
    let settings = ClusterSettings { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    Ok(cluster(&context.environment, &settings).await?)
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
