//! The cluster that has the ConfigMap.

use std::sync::Arc;

use super::Context;
use super::args::consumer::ConfigMapArgs;
use super::failure::Failure;
use crate::cluster::{ApplyResult, KubernetesApi};
use crate::wiring::{ClusterSettings, WiringError, cluster};

/// The cluster that the flags name.
pub(super) async fn open(context: &Context, args: &ConfigMapArgs) -> Result<Arc<dyn KubernetesApi>, Failure> {
    let settings = ClusterSettings { kubeconfig: args.kubeconfig.clone(), context: args.context.clone() };
    cluster(&context.environment, &settings).await.map_err(|error| match error {
        WiringError::NoKube => Failure::misused(error),
        error => error.into(),
    })
}

/// What the cluster made of a ConfigMap, in one word.
pub(super) fn word(applied: ApplyResult) -> &'static str {
    match applied {
        ApplyResult::Created => "created",
        ApplyResult::Changed => "changed",
        ApplyResult::Unchanged => "unchanged",
    }
}
