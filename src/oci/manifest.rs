//! Manifests: whether there is one, and what it says. The bytes that are hashed are the bytes that are parsed.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderValue, StatusCode};
use oci_distribution::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor,
};
use serde::Deserialize;

use super::annotations::{Annotations, Untaken};
use super::answer::{cut, not_understood, unexpected, unreadable};
use super::client::Client;
use super::index::{self, IndexEntry, Platform};
use super::session::AccessScope;
use crate::http::{Request, Response, redacted};
use crate::registry::{Manifest, RegistryError, Repository};
use crate::release::{Digest, ImageLayer, InvalidDigest, Tag};

/// Every type that we can read; without the header old registries answer Docker's schema 1.
const ACCEPT: &str = concat!(
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, ",
    "application/vnd.docker.distribution.manifest.v2+json, ",
    "application/vnd.docker.distribution.manifest.list.v2+json"
);

/// The size up to which registries must take manifests (distribution-spec, "Pushing Manifests").
const BODY_CAP: usize = 4 << 20;

/// The largest index of several images: an entry of one takes less than a kilobyte.
const SEVERAL_CAP: usize = 32 << 10;

/// The fields of a manifest or an index that we read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
struct Wire {
    media_type: Option<String>,
    layers: Option<Vec<OciDescriptor>>,
    manifests: Option<Vec<IndexEntry>>,
    annotations: Option<Annotations>,
}

/// Whether the repository has a manifest tagged `tag`.
pub(super) async fn exists(
    client: &Client,
    repository: &Repository,
    tag: &Tag,
) -> Result<bool, RegistryError> {
    let url = client.endpoint(repository, &format!("manifests/{tag}"))?;
    let scope = AccessScope::Pull(repository.path.clone());
    let head = Request::head(url.clone()).header(http::header::ACCEPT, HeaderValue::from_static(ACCEPT));
    let mut response = client.send(&scope, head).await?;
    if matches!(response.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
        response = get(client, &scope, url).await?;
    }
    match response.status {
        StatusCode::OK => client.confirm_speaker(&response).map(|()| true),
        StatusCode::NOT_FOUND => client.confirm_absence(&response).await.map(|()| false),
        _ => Err(unexpected(&response)),
    }
}

/// What stands at a tag.
pub(super) enum Tagged {
    Nothing,
    /// An image, and its platform where an index says it.
    Image(Manifest, Option<Platform>),
    /// An index of images for several platforms.
    Several(Box<FoundManifest>),
}

/// The manifest of a repository at `tag`. An index with exactly one image stands for that image; the digest is what
/// the tag stands for, which is what a deployment pulls and what a signer signs.
pub(super) async fn read(
    client: &Client,
    repository: &Repository,
    tag: &Tag,
) -> Result<Tagged, RegistryError> {
    let Some(found) = tagged(client, repository, tag.as_str()).await? else { return Ok(Tagged::Nothing) };
    if !found.is_index() {
        let digest = found.digest.clone();
        return Ok(Tagged::Image(manifest(client, found, digest)?, None));
    }
    match found.images().as_slice() {
        [] => Err(found.wrong("an index of 0 images, expected one".to_owned())),
        [image] => {
            let (digest, platform) = (image.digest.clone(), image.platform.clone());
            Ok(Tagged::Image(within(client, repository, found, &digest).await?, platform))
        }
        _ if found.response.body.len() > SEVERAL_CAP => {
            Err(found.wrong(format!("an index of several images and more than {SEVERAL_CAP} bytes")))
        }
        _ => Ok(Tagged::Several(Box::new(found.without_bytes()))),
    }
}

/// The image of an index that is for the platform of the images around it.
pub(super) async fn of_platform(
    client: &Client,
    repository: &Repository,
    index: FoundManifest,
    around: &BTreeSet<Platform>,
) -> Result<Manifest, RegistryError> {
    let image = index::of_platform(&index.images(), around).map(|image| image.digest.clone());
    let digest = image.map_err(|reason| index.wrong(reason))?;
    within(client, repository, index, &digest).await
}

/// The image with this digest, which an index names.
async fn within(
    client: &Client,
    repository: &Repository,
    index: FoundManifest,
    digest: &str,
) -> Result<Manifest, RegistryError> {
    // A stranger wrote it: anything else than a digest would be a path, and what it leads to would be bound to nothing.
    let digest: Digest = digest
        .parse()
        .map_err(|error: InvalidDigest| index.wrong(format!("an index of one manifest: {error}")))?;
    let inner = digested(client, repository, &digest).await?;
    let inner = inner.ok_or_else(|| index.wrong(format!("an index of {digest}, which does not exist")))?;
    if inner.is_index() {
        return Err(inner.wrong("an index within an index".to_owned()));
    }
    manifest(client, inner, index.digest)
}

/// A manifest or an index that was found.
pub(super) struct FoundManifest {
    /// The answer; its body is what was hashed.
    pub(super) response: Response,
    pub(super) digest: Digest,
    wire: Wire,
    /// Whether somebody had said the digest before: then these are the bytes, and not some other answer.
    is_certain: bool,
}

impl FoundManifest {
    /// The images of an index.
    fn images(&self) -> Vec<&IndexEntry> {
        self.wire.manifests.iter().flatten().filter(|entry| entry.is_image()).collect()
    }

    /// Once it was read, its bytes are not needed: many indexes are kept until their platform is known.
    fn without_bytes(mut self) -> Self {
        self.response.body = bytes::Bytes::new();
        self
    }

    pub(super) fn is_index(&self) -> bool {
        self.wire.manifests.is_some()
    }

    fn wrong(&self, reason: String) -> RegistryError {
        match self.is_certain {
            true => RegistryError::Broken { subject: redacted(&self.response.url), reason },
            false => not_understood(&self.response, reason),
        }
    }
}

/// The manifest at a tag; `None` where the registry lets us in and has none.
pub(super) async fn tagged(
    client: &Client,
    repository: &Repository,
    tag: &str,
) -> Result<Option<FoundManifest>, RegistryError> {
    find(client, repository, tag, None).await
}

/// The manifest with a digest, which is that of its bytes; `None` where the registry lets us in and has none.
pub(super) async fn digested(
    client: &Client,
    repository: &Repository,
    digest: &Digest,
) -> Result<Option<FoundManifest>, RegistryError> {
    find(client, repository, digest.as_str(), Some(digest)).await
}

async fn find(
    client: &Client,
    repository: &Repository,
    reference: &str,
    wanted: Option<&Digest>,
) -> Result<Option<FoundManifest>, RegistryError> {
    let scope = AccessScope::Pull(repository.path.clone());
    let url = client.endpoint(repository, &format!("manifests/{reference}"))?;
    let response = get(client, &scope, url).await?;
    if response.status == StatusCode::NOT_FOUND {
        client.confirm_absence(&response).await?;
        return Ok(None);
    }
    client.confirm_speaker(&response)?;
    checked(response, wanted).map(Some)
}

async fn get(client: &Client, scope: &AccessScope, url: url::Url) -> Result<Response, RegistryError> {
    let accept = HeaderValue::from_static(ACCEPT);
    client.send(scope, Request::get(url).header(http::header::ACCEPT, accept).body_cap(BODY_CAP)).await
}

/// Hashes and parses the body, and compares it with everything that was said about it.
fn checked(response: Response, wanted: Option<&Digest>) -> Result<FoundManifest, RegistryError> {
    if response.status != StatusCode::OK {
        return Err(unexpected(&response));
    }
    let digest = Digest::of(&response.body);
    // A digest of another algorithm cannot be compared; ours is over the same bytes.
    let announced = response.header("docker-content-digest").filter(|text| text.starts_with("sha256:"));
    let is_certain = announced.is_some() || wanted.is_some();
    for expected in announced.into_iter().chain(wanted.map(Digest::as_str)) {
        if expected != digest.as_str() {
            let reason = format!("its bytes have the digest {digest}, announced was {expected}");
            return Err(RegistryError::Invalid { subject: redacted(&response.url), reason });
        }
    }
    let wire: Wire = response.json().map_err(|error| unreadable(&response, "a manifest", &error))?;
    // Whoever answers another question with JSON does not know the digest either.
    if !is_certain && wire.layers.is_none() && wire.manifests.is_none() {
        return Err(not_understood(&response, "a manifest without layers".to_owned()));
    }
    let content_type = response.header(http::header::CONTENT_TYPE).unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    match &wire.media_type {
        // A general type such as `application/json` contradicts nothing.
        Some(media_type) if is_manifest_type(content_type) && media_type != content_type => {
            Err(not_understood(&response, format!("sent as {content_type}, but calls itself {media_type}")))
        }
        _ => Ok(FoundManifest { response, digest, wire, is_certain }),
    }
}

fn is_manifest_type(media_type: &str) -> bool {
    [
        OCI_IMAGE_MEDIA_TYPE,
        OCI_IMAGE_INDEX_MEDIA_TYPE,
        IMAGE_MANIFEST_MEDIA_TYPE,
        IMAGE_MANIFEST_LIST_MEDIA_TYPE,
    ]
    .contains(&media_type)
}

/// The manifest that was found, under the digest that its tag stands for.
fn manifest(client: &Client, mut found: FoundManifest, digest: Digest) -> Result<Manifest, RegistryError> {
    let (layers, annotations) = (found.wire.layers.take(), found.wire.annotations.take());
    let layers = layers.ok_or_else(|| found.wrong("a manifest without layers".to_owned()))?;
    let mut size = 0_u64;
    for layer in &layers {
        let bytes = u64::try_from(layer.size).ok().and_then(|bytes| size.checked_add(bytes));
        size = bytes.ok_or_else(|| found.wrong("layers of impossible size".to_owned()))?;
    }
    let annotations = annotations.unwrap_or_default().texts(&client.allowance);
    let annotations = annotations.map_err(|untaken| match untaken {
        Untaken::Wrong(reason) => found.wrong(reason),
        Untaken::TooMany(reason) => cut(&found.response, reason),
        Untaken::UsedUp(error) => error,
    });
    let only_layer = match <[OciDescriptor; 1]>::try_from(layers) {
        Ok([OciDescriptor { digest, media_type, .. }]) => Some(ImageLayer { digest, size, media_type }),
        Err(_) => None,
    };
    Ok(Manifest { digest, annotations: Arc::new(annotations?), size, only_layer })
}
