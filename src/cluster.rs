//! Port: a Kubernetes API, as far as one ConfigMap needs it, and the machines that boot from images.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

/// A ConfigMap, as far as we say something of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigMap {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` for that of the credentials.
    pub namespace: Option<String>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its data. What it has as bytes is not read, and stays as it is.
    pub data: BTreeMap<String, String>,
}

/// The form of the names of most objects: a DNS subdomain (Kubernetes, "Object Names and IDs").
pub fn is_object_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// The form of the name of a namespace: a DNS label.
pub fn is_namespace_name(text: &str) -> bool {
    text.len() <= 63 && is_dns_label(text)
}

fn is_dns_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(allowed) && !text.starts_with('-') && !text.ends_with('-')
}

/// How a ConfigMap is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Apply {
    /// The cluster checks, and writes nothing.
    pub dry_run: bool,
    /// Takes over what another manager set.
    pub force: bool,
    /// Takes over all that these managers wrote without server-side apply, also what is wanted no more: that goes.
    pub take_over_from: Vec<String>,
}

/// What the cluster made of a ConfigMap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApplyResult {
    /// There was none.
    Created,
    /// It said something else.
    Changed,
    /// It said the same.
    Unchanged,
}

/// Why a cluster did not do what was asked. Absence is no error: it is `None`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// There are no credentials, or none that can be read.
    #[error("no cluster can be reached: {reason}")]
    NoAccess {
        /// What is missing, with the file that should have it.
        reason: String,
    },
    /// The API server shows a certificate that is not trusted, or speaks no TLS at all.
    #[error("couldn't {verb} {subject}: the cluster's API server cannot be trusted: {reason}")]
    Untrusted {
        /// `get`, `list` or `patch`.
        verb: &'static str,
        /// The ConfigMap, or the kind of objects.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The credentials are none of the cluster's.
    #[error("couldn't {verb} {subject}: the cluster does not accept the credentials: {reason}")]
    Unauthenticated {
        /// `get`, `list` or `patch`.
        verb: &'static str,
        /// The ConfigMap, or the kind of objects.
        subject: String,
        /// The cluster's words.
        reason: String,
    },
    /// The credentials do not suffice.
    #[error("the cluster refuses to {verb} {subject}: {reason}")]
    Refused {
        /// `get`, `list` or `patch`.
        verb: &'static str,
        /// The ConfigMap, or the kind of objects.
        subject: String,
        /// The cluster's words.
        reason: String,
    },
    /// Somebody else manages what would change.
    #[error("{subject} has other managers: {reason}")]
    Conflict {
        /// The ConfigMap, or the kind of objects.
        subject: String,
        /// The cluster's words, which name the managers.
        reason: String,
        /// Those that wrote without server-side apply.
        clients: Vec<String>,
        /// Whether there are more.
        others: bool,
    },
    /// The cluster does not take it.
    #[error("the cluster does not accept {subject}: {reason}")]
    Rejected {
        /// The ConfigMap, or the kind of objects.
        subject: String,
        /// The cluster's words.
        reason: String,
    },
    /// The cluster has no objects of this kind.
    #[error("the cluster does not know {resource}")]
    NotServed {
        /// The kind, in the plural, and its API group.
        resource: String,
    },
    /// The answer breaks the protocol.
    #[error("unexpected answer of the cluster about {subject}: {reason}")]
    Invalid {
        /// The ConfigMap, or the kind of objects.
        subject: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// No answer, or one that a retry may change: time-out, 5xx, rate limit, cut body.
    #[error("couldn't {verb} {subject}")]
    Unavailable {
        /// `get`, `list` or `patch`.
        verb: &'static str,
        /// The ConfigMap, or the kind of objects.
        subject: String,
        /// What happened.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

/// A Kubernetes API.
#[async_trait]
pub trait KubernetesApi: Send + Sync {
    /// A ConfigMap; `None` where the cluster lets us in and has none. Without a namespace it is that of the credentials.
    async fn config_map(
        &self,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<ConfigMap>, ClusterError>;

    /// The objects of all namespaces that name the images of bare-metal machines: hosts, machines and templates of
    /// machines.
    async fn machines(&self) -> Result<Vec<serde_json::Value>, ClusterError>;

    /// Makes the cluster's ConfigMap say this (server-side apply); what other managers set stays. It may have been
    /// written although the answer is an error.
    async fn apply(&self, map: &ConfigMap, how: &Apply) -> Result<(), ClusterError>;
}
