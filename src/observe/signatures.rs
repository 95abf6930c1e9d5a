//! The signatures of images: fetched as far as needed, judged in `signature`.
//!
//! The classic layout is asked first, because that is what producers publish; bundles only where it does not verify.

use std::collections::BTreeMap;

use super::releases::Producer;
use crate::ending::sentence;
use crate::registry::{Registry, RegistryError};
use crate::release::{Digest, ImageKey, Prefix};
use crate::signature::{Evidence, Keys, Layout, Verdict, verify};
use crate::store::Store;

/// Where the images are, and what is remembered of them.
#[derive(Clone, Copy)]
pub(super) struct SignedPlace<'a> {
    pub(super) prefix: &'a Prefix,
    pub(super) registry: &'a dyn Registry,
    pub(super) store: &'a dyn Store,
}

/// One image and what was found beside it.
struct Image {
    key: ImageKey,
    digest: Digest,
    evidence: Vec<Evidence>,
    /// What could not be asked.
    failed: Option<String>,
    verdict: Verdict,
}

/// The verdict on each image. What could not be fetched is unknown, and never unsigned.
pub(super) async fn verdicts(
    place: SignedPlace<'_>,
    images: &[(ImageKey, Digest)],
    keys: &Keys,
) -> BTreeMap<Digest, Verdict> {
    let mut all = Vec::with_capacity(images.len());
    for (key, digest) in images {
        let evidence = place.store.signatures(place.prefix, digest).await;
        let verdict = verify(digest, &evidence, keys);
        // What is remembered and does not verify may be out of date.
        let evidence = if verdict.is_verified() { evidence } else { Vec::new() };
        all.push(Image { key: key.clone(), digest: digest.clone(), evidence, failed: None, verdict });
    }
    for layout in [Layout::Classic, Layout::Bundle] {
        let mut open: Vec<&mut Image> = all.iter_mut().filter(|image| !image.verdict.is_verified()).collect();
        let asked: Vec<_> =
            open.iter().map(|image| (place.prefix.repository(&image.key), image.digest.clone())).collect();
        let answers = place.registry.signatures(&asked, layout).await;
        for (image, answer) in open.iter_mut().zip(answers) {
            image.learn(answer, keys);
            if image.verdict.is_verified() {
                place.store.keep_signatures(place.prefix, &image.digest, &image.evidence).await;
            }
        }
    }
    all.into_iter().map(|image| (image.digest, image.verdict)).collect()
}

impl<'a> From<&'a Producer> for SignedPlace<'a> {
    fn from(producer: &'a Producer) -> Self {
        Self { prefix: &producer.prefix, registry: &*producer.registry, store: &*producer.store }
    }
}

impl Image {
    /// A signature that verifies is enough; without one, what could not be asked might have been it.
    fn learn(&mut self, answer: Result<Vec<Evidence>, RegistryError>, keys: &Keys) {
        match answer {
            Ok(evidence) => self.evidence.extend(evidence),
            Err(error) => self.failed = Some(sentence(&error)),
        }
        self.verdict = match (verify(&self.digest, &self.evidence, keys), &self.failed) {
            (verdict @ Verdict::Verified(_), _) | (verdict, None) => verdict,
            (_, Some(reason)) => Verdict::Unknown { reason: reason.clone() },
        };
    }
}
