//! What the registry has of the images that a deployment enables: each tag is resolved once, and everything after it
//! speaks of the digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;

use super::signatures::{SignedPlace, verdicts};
use crate::ending::{Ends as _, sentence};
use crate::os_image::info::{Fault, FoundImage};
use crate::registry::{Manifest, Registry, RegistryError, Repository};
use crate::release::identity::{Asked, ImageIdentity};
use crate::release::policy::IdentityDemand;
use crate::release::{Digest, ImageKey, Naming, Prefix, Tag};
use crate::signature::{Keys, Verdict};
use crate::store::Store;

/// Images of one producer with one tag, which the same keys must have signed.
pub struct Batch {
    /// Where they are.
    pub prefix: Prefix,
    /// Their tag.
    pub tag: Tag,
    /// Their names.
    pub images: Vec<ImageKey>,
    /// How their names are read.
    pub naming: Naming,
    /// The keys, where signatures are asked for.
    pub keys: Option<Keys>,
    /// What a signed image must prove of itself.
    pub identity: IdentityDemand,
    /// Answers for the prefix.
    pub registry: Arc<dyn Registry>,
    /// Remembers signatures.
    pub store: Arc<dyn Store>,
}

/// Whether each image of each batch exists, in their order.
pub async fn exist(batches: &[Batch]) -> Vec<Vec<Result<bool, RegistryError>>> {
    join_all(batches.iter().map(async |batch| batch.registry.exists(&batch.repositories(), &batch.tag).await))
        .await
}

/// What there is of each image of each batch, in their order.
pub async fn found(batches: &[Batch]) -> Vec<Vec<Result<FoundImage, Fault>>> {
    join_all(batches.iter().map(Batch::found)).await
}

impl Batch {
    async fn found(&self) -> Vec<Result<FoundImage, Fault>> {
        let manifests = self.registry.manifests(&self.repositories(), &self.tag).await;
        let answers = self.images.iter().zip(manifests);
        let mut found: Vec<Result<FoundImage, Fault>> = answers
            .map(|(name, answer)| match answer {
                Ok(Some(Manifest { digest, annotations, only_layer, .. })) => {
                    let contradiction =
                        ImageIdentity::of(&self.asked(name), &annotations).contradiction().cloned();
                    let annotations = Arc::unwrap_or_clone(annotations);
                    Ok(FoundImage { digest, annotations, only_layer, contradiction, verdict: None })
                }
                Ok(None) => Err(Fault::Missing),
                Err(error) => Err(fault(&error)),
            })
            .collect();
        let verdicts = self.verdicts(&found).await;
        for (name, found) in self.images.iter().zip(&mut found) {
            if let Ok(found) = found {
                let verdict = verdicts.get(&found.digest).cloned();
                let judged = |verdict: Verdict| {
                    verdict.judged_as(&self.asked(name), &found.annotations, self.identity)
                };
                found.verdict = verdict.map(judged);
            }
        }
        found
    }

    fn asked<'a>(&'a self, name: &'a ImageKey) -> Asked<'a> {
        Asked { name, tag: self.tag.as_str(), naming: &self.naming }
    }

    async fn verdicts(&self, found: &[Result<FoundImage, Fault>]) -> BTreeMap<Digest, Verdict> {
        let Some(keys) = &self.keys else { return BTreeMap::new() };
        let place = SignedPlace { prefix: &self.prefix, registry: &*self.registry, store: &*self.store };
        let images = self.images.iter().zip(found);
        let images: Vec<(ImageKey, Digest)> = images
            .filter_map(|(key, found)| Some((key.clone(), found.as_ref().ok()?.digest.clone())))
            .collect();
        verdicts(place, &images, keys).await
    }

    fn repositories(&self) -> Vec<Repository> {
        self.images.iter().map(|key| self.prefix.repository(key)).collect()
    }
}

/// Why nothing is known of an image whose manifest was not received.
pub fn fault(error: &RegistryError) -> Fault {
    let reason = sentence(error);
    match error {
        RegistryError::Unusable { .. } | RegistryError::NotUnderstood { .. } => {
            Fault::Unusable(match error.hint() {
                Some(hint) => format!("{reason} ({hint})"),
                None => reason,
            })
        }
        RegistryError::Broken { .. } => Fault::Broken(reason),
        RegistryError::Refused { .. } | RegistryError::Denied { .. } => Fault::Refused(reason),
        RegistryError::Invalid { .. } | RegistryError::Unavailable { .. } => Fault::Unknown(reason),
    }
}
