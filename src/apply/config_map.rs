//! Applying a ConfigMap to a cluster.

use crate::cluster::{Apply, ApplyResult, ClusterError, ConfigMap, KubernetesApi};

/// Makes the cluster's ConfigMap say this, and says what that changed. Whatever the answer to the write was, the cluster
/// is looked at again: a write whose answer was lost is done where the ConfigMap says what it should.
///
/// # Errors
/// The cluster cannot be read, or does not take it.
pub async fn config_map(
    cluster: &dyn KubernetesApi,
    map: &ConfigMap,
    how: &Apply,
) -> Result<ApplyResult, ClusterError> {
    let look = || cluster.config_map(map.namespace.as_deref(), &map.name);
    let before = look().await?;
    let written = cluster.apply(map, how).await;
    let is_certain = !matches!(written, Err(ClusterError::Unavailable { .. } | ClusterError::Invalid { .. }));
    if how.dry_run || (is_certain && written.is_err()) {
        written?;
    } else {
        let after = look().await;
        if !matches!(&after, Ok(Some(after)) if says(after, map)) {
            written.and(after)?;
            return Err(ClusterError::Invalid {
                subject: format!("ConfigMap {}", map.name),
                reason: "the cluster accepted it and has other content".to_owned(),
            });
        }
    }
    Ok(match before {
        None => ApplyResult::Created,
        Some(before) if says(&before, map) => ApplyResult::Unchanged,
        Some(_) => ApplyResult::Changed,
    })
}

/// Whether a ConfigMap has all that another one says; other managers may have more in it.
fn says(there: &ConfigMap, map: &ConfigMap) -> bool {
    map.data.iter().all(|(key, value)| there.data.get(key) == Some(value))
        && map.labels.iter().all(|(key, value)| there.labels.get(key) == Some(value))
}
