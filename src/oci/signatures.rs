//! What stands beside an image as its signatures: cosign's tag, and referrers with sigstore bundles.
//!
//! Everything is handed on as it was received; whether it counts is `signature`'s matter. What could not be asked is an
//! error, so that it is never taken for "no signature".

use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderValue, StatusCode};
use serde::Deserialize;

use super::allowance::too_many;
use super::answer::{cut, unexpected};
use super::client::Client;
use super::manifest::{self, FoundManifest};
use super::paging;
use super::session::AccessScope;
use crate::http::{Request, Response, redacted};
use crate::registry::{RegistryError, Repository};
use crate::release::Digest;
use crate::signature::{Evidence, Layout, wanted_blobs};

/// The type of a list of referrers (distribution-spec 1.1, "Listing Referrers").
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// More referrers of one image than this, and more pages of them, are not looked through; an image has one for each
/// signature, scan and bill of materials.
const MOST_REFERRERS: usize = 100;

/// The most bytes of all that stands beside one image; a signature has a few thousand.
const MOST_BYTES: usize = 8 << 20;

/// The signatures of `subject` in one layout; none where the registry lets us in and has none.
pub(super) async fn read(
    client: &Client,
    repository: &Repository,
    subject: &Digest,
    layout: Layout,
) -> Result<Vec<Evidence>, RegistryError> {
    let scope = AccessScope::Pull(repository.path.clone());
    let beside = Beside { client, repository, scope, left: AtomicUsize::new(MOST_BYTES) };
    let manifests = match layout {
        Layout::Classic => {
            let tagged = beside.tag(&format!("sha256-{}.sig", subject.hex())).await?;
            let kept = tagged.into_iter().map(|found| beside.kept(&found.response));
            kept.collect::<Result<_, _>>()?
        }
        Layout::Bundle => beside.referrers(subject).await?,
    };
    let mut evidence = Vec::with_capacity(manifests.len());
    for manifest in manifests {
        evidence.push(beside.with_blobs(layout, manifest).await?);
    }
    Ok(evidence)
}

/// One repository, to be asked for what stands beside its images.
struct Beside<'a> {
    client: &'a Client,
    repository: &'a Repository,
    scope: AccessScope,
    /// How many bytes may still come.
    left: AtomicUsize,
}

/// What the API for referrers says.
enum Listed {
    All(Vec<Digest>),
    /// The registry has no such API.
    NoApi,
    /// Something else. Some registries mean by it that they have no such API.
    Odd(RegistryError),
}

/// A list of referrers, or the index that stands for it.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

/// Only the digest is believed: indexes that cosign wrote until 2026 lack the right type (cosign#4641).
#[derive(Deserialize)]
struct Descriptor {
    digest: String,
}

impl Beside<'_> {
    async fn tag(&self, tag: &str) -> Result<Option<FoundManifest>, RegistryError> {
        manifest::tagged(self.client, self.repository, tag).await
    }

    /// The manifests of all referrers, by the API or by the tag that stands for it where there is no such API.
    async fn referrers(&self, subject: &Digest) -> Result<Vec<Vec<u8>>, RegistryError> {
        let digests = match self.listed(subject).await? {
            Listed::All(digests) => digests,
            Listed::NoApi => self.tagged(subject).await?,
            Listed::Odd(error) => match self.tagged(subject).await? {
                // Perhaps there is an API, and this was another answer: then nothing is known.
                none if none.is_empty() => return Err(error),
                digests => digests,
            },
        };
        if digests.len() > MOST_REFERRERS {
            let subject = format!("{}@{subject}", self.repository);
            return Err(RegistryError::Invalid { subject, reason: format!("{} referrers", digests.len()) });
        }
        let mut manifests = Vec::new();
        for digest in digests {
            // A referrer that was deleted may still be listed.
            let found = manifest::digested(self.client, self.repository, &digest).await?;
            manifests.extend(found.map(|found| self.kept(&found.response)).transpose()?);
        }
        Ok(manifests)
    }

    async fn listed(&self, subject: &Digest) -> Result<Listed, RegistryError> {
        if self.client.has_no_referrers() {
            return Ok(Listed::NoApi);
        }
        let list = self.client.endpoint(self.repository, &format!("referrers/{subject}"))?;
        let (mut digests, mut page) = (Vec::new(), list.clone());
        for _ in 0..MOST_REFERRERS {
            let request = Request::get(page).header(http::header::ACCEPT, HeaderValue::from_static(INDEX));
            let response = self.client.send(&self.scope, request).await?;
            match response.status {
                StatusCode::OK if is_index(&response) => digests.extend(entries(&response)?),
                StatusCode::OK if digests.is_empty() => {
                    let reason = "an answer that is not a list of referrers".to_owned();
                    return Ok(Listed::Odd(invalid(&response, reason)));
                }
                // GitLab and Docker's registry have none, and say so in different ways.
                StatusCode::NOT_FOUND
                | StatusCode::METHOD_NOT_ALLOWED
                | StatusCode::BAD_REQUEST
                | StatusCode::NOT_ACCEPTABLE
                    if digests.is_empty() =>
                {
                    self.client.note_no_referrers();
                    return Ok(Listed::NoApi);
                }
                _ => return Err(unexpected(&response)),
            }
            match paging::next_page(&list, &response)? {
                None => return Ok(Listed::All(digests)),
                Some(next) => page = next,
            }
        }
        let reason = format!("more than {MOST_REFERRERS} pages");
        Err(RegistryError::Invalid { subject: redacted(&list), reason })
    }

    /// The referrers tag schema. GitLab resolves the tag as if it were the digest, and answers with the image itself
    /// (oras#2148): that is not a list of referrers.
    async fn tagged(&self, subject: &Digest) -> Result<Vec<Digest>, RegistryError> {
        let Some(found) = self.tag(&format!("sha256-{}", subject.hex())).await? else {
            return Ok(Vec::new());
        };
        if found.digest == *subject || !found.is_index() {
            return Ok(Vec::new());
        }
        entries(&found.response)
    }

    /// The bytes of an answer, which are kept until they were judged.
    fn kept(&self, response: &Response) -> Result<Vec<u8>, RegistryError> {
        let take = |left: usize| left.checked_sub(response.body.len());
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
            Ok(_) => Ok(response.body.to_vec()),
            Err(_) => Err(cut(response, too_many(MOST_BYTES, "bytes beside one image"))),
        }
    }

    async fn with_blobs(&self, layout: Layout, manifest: Vec<u8>) -> Result<Evidence, RegistryError> {
        let mut evidence = Evidence { layout, manifest, blobs: std::collections::BTreeMap::new() };
        // What is malformed needs no blobs to be refused.
        for wanted in wanted_blobs(layout, &evidence.manifest).unwrap_or_default() {
            let url = self.client.endpoint(self.repository, &format!("blobs/{}", wanted.digest))?;
            let cap = usize::try_from(wanted.size).unwrap_or(usize::MAX);
            let response = self.client.send(&self.scope, Request::get(url).body_cap(cap)).await?;
            match response.status {
                // Bytes of another digest are another answer, or a cut one: they say nothing about the signature.
                StatusCode::OK if Digest::of(&response.body) != wanted.digest => {
                    return Err(invalid(&response, format!("its bytes are not those of {}", wanted.digest)));
                }
                StatusCode::OK => drop(evidence.blobs.insert(wanted.digest, self.kept(&response)?)),
                StatusCode::NOT_FOUND => self.client.confirm_absence(&response).await?,
                _ => return Err(unexpected(&response)),
            }
        }
        Ok(evidence)
    }
}

fn is_index(response: &Response) -> bool {
    let content_type = response.header(http::header::CONTENT_TYPE).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim() == INDEX
}

fn entries(response: &Response) -> Result<Vec<Digest>, RegistryError> {
    let index: Index =
        response.json().map_err(|error| invalid(response, format!("not a list of referrers: {error}")))?;
    // A digest of another algorithm is not a signature that could count.
    Ok(index.manifests.iter().filter_map(|descriptor| descriptor.digest.parse().ok()).collect())
}

fn invalid(response: &Response, reason: String) -> RegistryError {
    RegistryError::Invalid { subject: redacted(&response.url), reason }
}
