//! Servers that do not answer, or not as asked.

use super::{CREDENTIALS, Ending, Ends};
use crate::catalogue::CatalogueError;
use crate::cluster::ClusterError;
use crate::forge::ForgeError;
use crate::registry::RegistryError;

impl Ends for RegistryError {
    fn ending(&self) -> Ending {
        match self {
            Self::Refused { .. }
            | Self::Denied { .. }
            | Self::NotUnderstood { .. }
            | Self::Broken { .. }
            | Self::Unusable { .. } => Ending::Person,
            Self::Invalid { .. } | Self::Unavailable { .. } => Ending::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { .. } => Some(CREDENTIALS.to_owned()),
            Self::Denied { .. } => Some(format!("it does not exist or is not public; {CREDENTIALS}")),
            Self::NotUnderstood { .. } | Self::Broken { .. } => Some(
                "have the image pushed again, or ask the operator of the registry; a retry does not help"
                    .to_owned(),
            ),
            Self::Unusable { hint, .. } => hint.clone(),
            Self::Invalid { .. } | Self::Unavailable { .. } => None,
        }
    }
}

impl Ends for CatalogueError {
    fn ending(&self) -> Ending {
        match self {
            Self::NotOffered { .. } | Self::Refused { .. } | Self::Broken { .. } | Self::Unusable { .. } => {
                Ending::Person
            }
            Self::Invalid { .. } | Self::Unavailable { .. } => Ending::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } => Some((*hint).to_owned()),
            Self::Unusable { hint, .. } | Self::Broken { hint, .. } => hint.clone(),
            Self::NotOffered { .. } | Self::Invalid { .. } | Self::Unavailable { .. } => None,
        }
    }
}

impl Ends for ForgeError {
    fn ending(&self) -> Ending {
        match self {
            Self::Refused { .. } | Self::Unusable { .. } | Self::Rejected { .. } => Ending::Person,
            Self::NotYet { .. }
            | Self::Unavailable { .. }
            | Self::Postponed { .. }
            | Self::Invalid { .. } => Ending::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } | Self::Unusable { hint, .. } | Self::Postponed { hint, .. } => {
                hint.clone()
            }
            _ => None,
        }
    }
}

impl Ends for ClusterError {
    fn ending(&self) -> Ending {
        match self {
            Self::NoAccess { .. }
            | Self::Untrusted { .. }
            | Self::Unauthenticated { .. }
            | Self::Refused { .. }
            | Self::NotServed { .. }
            | Self::Rejected { .. } => Ending::Person,
            Self::Conflict { .. } => Ending::Refused,
            Self::Invalid { .. } | Self::Unavailable { .. } => Ending::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoAccess { .. } => {
                "name a kubeconfig with --kubeconfig or KUBECONFIG, and a --context in it"
            }
            Self::Refused { verb: "list", .. } => {
                "grant `list` of baremetalhosts, metal3machines and metal3machinetemplates in all namespaces"
            }
            Self::NotServed { .. } => {
                "name the cluster that manages the machines with --kubeconfig or --context"
            }
            Self::Refused { .. } => {
                "grant `get`, `patch` and, to make it, `create` of configmaps in that namespace"
            }
            Self::Untrusted { .. } => {
                "in the kubeconfig, the cluster's `certificate-authority` names who signed it, and `server` or \
                 `tls-server-name` a name that it has"
            }
            Self::Unauthenticated { .. } => {
                "the token or certificate of the kubeconfig's user is missing, wrong or expired: renew it"
            }
            Self::Conflict { clients, others: false, .. } => return Some(take_over(clients)),
            Self::Conflict { .. } => "--force-conflicts takes them over",
            Self::Rejected { .. } | Self::Invalid { .. } | Self::Unavailable { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// How a ConfigMap is taken over from whoever wrote it without server-side apply.
fn take_over(clients: &[String]) -> String {
    let flags: Vec<String> = clients.iter().map(|client| format!("--take-over-from {client}")).collect();
    let flags = flags.join(" ");
    format!("`{flags}` takes over all that it wrote; --force-conflicts takes over only what is in the way")
}
