//! The objects of Metal3, in whichever version of their API the cluster prefers.

use ::kube::Error;
use http::Request;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIGroup;
use serde::Deserialize;
use serde_json::Value;

use super::KubeCluster;
use crate::cluster::ClusterError;

/// The groups of the API, each with its kinds in the plural.
const KINDS: [(&str, &[&str]); 2] = [
    ("infrastructure.cluster.x-k8s.io", &["metal3machines", "metal3machinetemplates"]),
    ("metal3.io", &["baremetalhosts"]),
];

/// So many objects are asked for at once.
const PAGE: u32 = 250;

/// Part of a list (Kubernetes, "API Concepts", "Retrieving large results sets in chunks").
#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct PageMetadata {
    #[serde(rename = "continue", default)]
    next: Option<String>,
}

/// All of them, in all namespaces.
pub(super) async fn all(cluster: &KubeCluster) -> Result<Vec<Value>, ClusterError> {
    let mut objects = Vec::new();
    for (group, kinds) in KINDS {
        let version = preferred(cluster, group, kinds).await?;
        for kind in kinds {
            list(cluster, &version, group, kind, &mut objects).await?;
        }
    }
    Ok(objects)
}

/// The version of a group that the cluster prefers.
async fn preferred(cluster: &KubeCluster, group: &str, kinds: &[&str]) -> Result<String, ClusterError> {
    let subject = || format!("{} ({group})", kinds.join(", "));
    let found: APIGroup = match cluster.client.request(get(format!("/apis/{group}"), &subject())?).await {
        Err(Error::Api(status)) if status.code == 404 => {
            return Err(ClusterError::NotServed { resource: subject() });
        }
        found => found.map_err(|error| cluster.refusal("list", subject(), error))?,
    };
    let version = found.preferred_version.or_else(|| found.versions.into_iter().next());
    version
        .map(|version| version.group_version)
        .ok_or_else(|| ClusterError::NotServed { resource: subject() })
}

async fn list(
    cluster: &KubeCluster,
    version: &str,
    group: &str,
    kind: &str,
    objects: &mut Vec<Value>,
) -> Result<(), ClusterError> {
    let subject = || format!("{kind} ({group})");
    let mut next = None::<String>;
    loop {
        let request = get(format!("/apis/{version}/{kind}?{}", query(next.as_deref())), &subject())?;
        let page: Page = match cluster.client.request(request).await {
            Err(Error::Api(status)) if status.code == 404 => {
                return Err(ClusterError::NotServed { resource: subject() });
            }
            page => page.map_err(|error| cluster.refusal("list", subject(), error))?,
        };
        objects.extend(page.items);
        next = page.metadata.next.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(());
        }
    }
}

/// Which part of a list.
fn query(next: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &PAGE.to_string());
    query.extend_pairs(next.map(|next| ("continue", next)));
    query.finish()
}

fn get(path: String, subject: &str) -> Result<Request<Vec<u8>>, ClusterError> {
    Request::get(path)
        .body(Vec::new())
        .map_err(|error| ClusterError::Invalid { subject: subject.to_owned(), reason: error.to_string() })
}
