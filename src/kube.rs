//! Adapter: the Kubernetes API, for one ConfigMap and the machines that boot from images.
//!
//! Requests go over the client of the crate `kube`, because kubeconfigs bring client certificates, plugins for
//! credentials and tokens that are renewed. Nothing is repeated: whoever writes looks again.

mod hand_over;
mod machines;

use std::collections::{BTreeMap, BTreeSet};
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

use crate::cluster::{Apply, ClusterError, ConfigMap, KubernetesApi};
use crate::http::{Mask, Secret, distrust};
use hand_over::handed_over;

/// Who sets the fields that we apply.
const MANAGER: &str = "dibump";
/// What a ConfigMap may have (Kubernetes, "ConfigMaps": "The data stored in a ConfigMap cannot exceed 1 MiB").
const LARGEST: usize = 1 << 20;

/// How a cluster is reached.
#[derive(Debug, Clone)]
pub struct KubeSettings {
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
    pub async fn open(settings: &KubeSettings) -> Result<Self, ClusterError> {
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
            error => match distrust(&error) {
                Some(reason) => ClusterError::Untrusted { verb, subject, reason },
                None => ClusterError::Unavailable { verb, subject, source: Arc::new(error) },
            },
        }
    }

    async fn patch(&self, map: &ConfigMap, dry_run: bool, force: bool) -> Result<(), ClusterError> {
        let namespace = map.namespace.as_deref();
        let parameters = PatchParams { force, ..by_us(dry_run) };
        let applied = self.api(namespace).patch(&map.name, &parameters, &Patch::Apply(wire(map))).await;
        applied.map(drop).map_err(|error| self.refusal("patch", self.subject(namespace, &map.name), error))
    }

    /// Makes ours what the managers wrote without server-side apply. The fields themselves stay as they are.
    async fn take_over(&self, map: &ConfigMap, managers: &[String]) -> Result<(), ClusterError> {
        let (namespace, name) = (map.namespace.as_deref(), &map.name);
        let refusal = |verb, error| self.refusal(verb, self.subject(namespace, name), error);
        let found = self.api(namespace).get_opt(name).await.map_err(|error| refusal("get", error))?;
        let Some(metadata) = found.map(|found| found.metadata) else { return Ok(()) };
        let entries = metadata.managed_fields.unwrap_or_default();
        let Some(entries) = handed_over(entries, managers, MANAGER) else { return Ok(()) };
        // Whoever wrote since then is not overwritten: the version is that of what was read.
        let handed =
            json!({"metadata": {"managedFields": entries, "resourceVersion": metadata.resource_version}});
        match self.api(namespace).patch(name, &by_us(false), &Patch::Merge(handed)).await {
            Ok(_) => Ok(()),
            Err(Error::Api(status)) if status.code == 409 => Err(ClusterError::Unavailable {
                verb: "patch",
                subject: self.subject(namespace, name),
                source: Arc::new(Error::Api(status)),
            }),
            Err(error) => Err(refusal("patch", error)),
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
    format!("no kubeconfig was found, and this is not a pod with a service account ({error})")
}

async fn of_files(settings: &KubeSettings) -> Result<Config, KubeconfigError> {
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
impl KubernetesApi for KubeCluster {
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

    async fn machines(&self) -> Result<Vec<serde_json::Value>, ClusterError> {
        machines::all(self).await
    }

    async fn apply(&self, map: &ConfigMap, how: &Apply) -> Result<(), ClusterError> {
        let namespace = map.namespace.as_deref();
        let subject = self.subject(namespace, &map.name);
        let size: usize = map.data.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > LARGEST {
            let reason = format!("it has {size} bytes, and a ConfigMap takes {LARGEST}");
            return Err(ClusterError::Rejected { subject, reason });
        }
        if how.take_over_from.is_empty() {
            return self.patch(map, how.dry_run, how.force).await;
        }
        // Nobody's fields are taken where somebody else is in the way as well.
        let is_given = |client: &String| how.take_over_from.contains(client);
        match self.patch(map, true, how.force).await {
            Err(ClusterError::Conflict { clients, others: false, .. }) if clients.iter().all(is_given) => {}
            tried => tried?,
        }
        if how.dry_run {
            return Ok(());
        }
        self.take_over(map, &how.take_over_from).await?;
        self.patch(map, false, how.force).await
    }
}

fn by_us(dry_run: bool) -> PatchParams {
    PatchParams { dry_run, field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
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
        401 => ClusterError::Unauthenticated { verb, subject, reason },
        403 => ClusterError::Refused { verb, subject, reason },
        409 => conflict(subject, reason, &status),
        400 | 404 | 405 | 413 | 415 | 422 => ClusterError::Rejected { subject, reason },
        // The API server's words; the client would print its own structure of them.
        code => {
            let words = if reason.is_empty() { format!("it answered {code}") } else { reason };
            ClusterError::Unavailable { verb, subject, source: Arc::from(Box::from(words)) }
        }
    }
}

/// Who set what is in the way. Of a manager that wrote without server-side apply, the version of the API is told as well
/// (apimachinery, `managedfields/internal/conflict.go`).
fn conflict(subject: String, reason: String, status: &Status) -> ClusterError {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let managers = causes.filter_map(|cause| cause.message.strip_prefix("conflict with \""));
    let (clients, appliers): (Vec<_>, Vec<_>) = managers.partition(|manager| manager.contains("\" using "));
    let names = clients.into_iter().filter_map(|client| client.split('"').next()).map(str::to_owned);
    let clients: BTreeSet<String> = names.collect();
    let others = !appliers.is_empty() || clients.is_empty();
    ClusterError::Conflict { subject, reason, clients: clients.into_iter().collect(), others }
}
