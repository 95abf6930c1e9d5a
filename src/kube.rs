//! Adapter: the Kubernetes API, for one ConfigMap.
//!
//! Requests go over the client of the crate `kube`, because kubeconfigs bring client certificates, plugins for
//! credentials and tokens that are renewed. Nothing is repeated: whoever writes looks again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::kube::api::{Api, Patch, PatchParams};
use ::kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use ::kube::core::Status;
use ::kube::{Client, Config, Error};
use async_trait::async_trait;
use k8s_openapi::api::core::v1;
use serde_json::json;

use secrecy::ExposeSecret as _;

use crate::cluster::{Apply, Cluster, ClusterError, ConfigMap};
use crate::http::{Mask, Secret};

/// Who sets the fields that we apply.
const MANAGER: &str = "dibump";
/// What a ConfigMap may have (Kubernetes, "ConfigMaps": "The data stored in a ConfigMap cannot exceed 1 MiB").
const LARGEST: usize = 1 << 20;

/// How a cluster is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The kubeconfigs, of which the first wins; none for the service account of the pod that we run in.
    pub kubeconfigs: Vec<PathBuf>,
    /// The context, where it is not the current one.
    pub context: Option<String>,
    /// How long to wait for a connection, and for each part of an answer.
    pub timeout: Duration,
}

/// A cluster.
#[derive(Clone)]
pub struct KubeCluster {
    client: Client,
    mask: Arc<Mask>,
}

impl KubeCluster {
    /// The cluster that the settings name. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`ClusterError::NoAccess`].
    pub async fn open(settings: &Settings) -> Result<Self, ClusterError> {
        let no_access = |reason: String| ClusterError::NoAccess { reason };
        let mut config = match settings.kubeconfigs.is_empty() {
            true => Config::incluster().map_err(|error| no_access(outside(&error)))?,
            false => of_files(settings).await.map_err(|error| no_access(error.to_string()))?,
        };
        config.connect_timeout = Some(settings.timeout);
        config.read_timeout = Some(settings.timeout);
        config.write_timeout = Some(settings.timeout);
        config.default_retry = false;
        let mask = Arc::new(Mask::over(secrets(&config)));
        let client = Client::try_from(config).map_err(|error| no_access(error.to_string()))?;
        Ok(Self { client, mask })
    }

    fn api(&self, namespace: Option<&str>) -> Api<v1::ConfigMap> {
        match namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::default_namespaced(self.client.clone()),
        }
    }

    /// What an error means for whoever asked; the server's words without what it was sent.
    fn refusal(&self, verb: &'static str, subject: String, error: Error) -> ClusterError {
        let masked = |text: &str| self.mask.hide(text).into_owned();
        match error {
            Error::Api(mut status) => {
                status.message = masked(&status.message);
                status.reason = masked(&status.reason);
                of_status(verb, subject, *status)
            }
            Error::SerdeError(error) => ClusterError::Invalid { subject, reason: masked(&error.to_string()) },
            Error::Auth(error) => ClusterError::Refused { verb, subject, reason: masked(&error.to_string()) },
            error => ClusterError::Unavailable { verb, subject, source: Arc::new(error) },
        }
    }

    /// How errors call a ConfigMap.
    fn subject(&self, namespace: Option<&str>, name: &str) -> String {
        format!("ConfigMap {}/{name}", namespace.unwrap_or(self.client.default_namespace()))
    }
}

/// What the client will send, as far as it is known before it asks a plugin.
#[expect(clippy::disallowed_methods, reason = "the client reads the service account's token by itself, too")]
fn secrets(config: &Config) -> Vec<Secret> {
    let account = &config.auth_info;
    let held = [&account.token, &account.password].into_iter().flatten();
    let held = held.map(|secret| Secret::new(secret.expose_secret()));
    let file = account.token_file.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    held.chain(file.map(|token| Secret::new(token.trim()))).collect()
}

fn outside(error: &dyn std::error::Error) -> String {
    format!("there is no kubeconfig, and this is no pod with a service account ({error})")
}

async fn of_files(settings: &Settings) -> Result<Config, KubeconfigError> {
    let mut merged: Option<Kubeconfig> = None;
    for path in &settings.kubeconfigs {
        let next = Kubeconfig::read_from(path)?;
        merged = Some(match merged {
            None => next,
            Some(first) => first.merge(next)?,
        });
    }
    let options = KubeConfigOptions { context: settings.context.clone(), ..KubeConfigOptions::default() };
    Config::from_custom_kubeconfig(merged.unwrap_or_default(), &options).await
}

#[async_trait]
impl Cluster for KubeCluster {
    async fn config_map(
        &self,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<ConfigMap>, ClusterError> {
        let found = self.api(namespace).get_opt(name).await;
        let found = found.map_err(|error| self.refusal("get", self.subject(namespace, name), error))?;
        Ok(found.map(|found| ConfigMap {
            name: name.to_owned(),
            namespace: found.metadata.namespace,
            labels: found.metadata.labels.unwrap_or_default(),
            data: found.data.unwrap_or_default(),
        }))
    }

    async fn apply(&self, map: &ConfigMap, how: Apply) -> Result<(), ClusterError> {
        let namespace = map.namespace.as_deref();
        let subject = self.subject(namespace, &map.name);
        let size: usize = map.data.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > LARGEST {
            let reason = format!("it has {size} bytes, and a ConfigMap takes {LARGEST}");
            return Err(ClusterError::Rejected { subject, reason });
        }
        let parameters = PatchParams {
            dry_run: how.dry_run,
            force: how.force,
            field_manager: Some(MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let applied = self.api(namespace).patch(&map.name, &parameters, &Patch::Apply(wire(map))).await;
        applied.map(drop).map_err(|error| self.refusal("patch", subject, error))
    }
}

fn wire(map: &ConfigMap) -> serde_json::Value {
    let labels: &BTreeMap<String, String> = &map.labels;
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": map.name, "labels": labels},
        "data": map.data,
    })
}

fn of_status(verb: &'static str, subject: String, status: Status) -> ClusterError {
    let reason = if status.message.is_empty() { status.reason.clone() } else { status.message.clone() };
    match status.code {
        401 | 403 => ClusterError::Refused { verb, subject, reason },
        409 => ClusterError::Conflict { subject, reason },
        400 | 404 | 405 | 413 | 415 | 422 => ClusterError::Rejected { subject, reason },
        _ => ClusterError::Unavailable { verb, subject, source: Arc::new(Error::Api(Box::new(status))) },
    }
}
