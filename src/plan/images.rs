//! The images that the files list, as far as their agreement asks: as they are, and as a plan of keys has them.

use std::collections::BTreeSet;

use super::{KeyPlan, PlanInput, Survey};
use crate::reconcile::{Ownership, Reconciliation};
use crate::release::agreement::ListedImage;
use crate::release::data::ReleaseData;
use crate::release::{Naming, Release, Version};

/// A producer, as far as its images can be told apart from others'.
#[derive(Debug, Clone, Copy)]
pub struct ImagesOf<'a> {
    /// How people call it.
    pub producer: &'a str,
    /// What is known of its releases.
    pub known: &'a ReleaseData,
    /// How names are read.
    pub naming: &'a Naming,
}

impl ImagesOf<'_> {
    /// What keys stand for at a release; a key that a complete release does not have is no image.
    fn listed<'k>(&self, keys: impl IntoIterator<Item = &'k str>, version: &Version) -> Vec<ListedImage> {
        let release = self.known.releases.get(version);
        let of = Some(format!("{} {version}", self.producer).trim_start().to_owned());
        let keys: BTreeSet<&str> = keys.into_iter().collect();
        let image = |key: &str| {
            let artifact = release.and_then(|release| release.artifacts.get(key));
            let may_exist = artifact.is_some() || !release.is_some_and(Release::is_complete);
            let facets = artifact.and_then(|artifact| artifact.facets.clone());
            let facets = facets.or_else(|| self.naming.facets(key)).filter(|_| may_exist)?;
            Some(ListedImage::new(key, of.clone(), &facets))
        };
        keys.into_iter().filter_map(image).collect()
    }
}

impl Survey {
    /// The keys of the producer's images that the files list, or that may be its.
    pub(super) fn own_keys(&self) -> impl Iterator<Item = &str> {
        let ownership = self.ownership.settled_by(&self.primary.mapping);
        self.files().flat_map(move |file| ownership.split(&file.mapping).0)
    }

    /// The registries and keys of images that are none of these producers', where the registry follows a version.
    pub(super) fn keys_of_others(&self, producers: &[&Ownership]) -> impl Iterator<Item = (String, &str)> {
        let is_known =
            |registry: &str| producers.iter().any(|own| own.registries().any(|name| name == registry));
        let foreign = self.files().flat_map(|file| self.ownership.split(&file.mapping).1);
        foreign.filter(move |(name, _)| !is_known(name) && self.follows_a_version(name))
    }

    /// The images of the producer that the files list now.
    pub fn present_images(&self, of: ImagesOf<'_>) -> Vec<ListedImage> {
        of.listed(self.own_keys(), self.version())
    }
}

/// The images that the files list and that are none of these producers', as their names tell; where the registry follows a
/// version.
pub fn images_of_others(producers: &[&PlanInput<'_>]) -> Vec<ListedImage> {
    let Some(PlanInput { survey, naming, .. }) = producers.first() else { return Vec::new() };
    let ownerships: Vec<&Ownership> = producers.iter().map(|input| &input.survey.ownership).collect();
    let others: BTreeSet<(String, &str)> = survey.keys_of_others(&ownerships).collect();
    let image =
        |(registry, key): (String, &str)| Some(ListedImage::new(key, Some(registry), &naming.facets(key)?));
    others.into_iter().filter_map(image).collect()
}

impl KeyPlan {
    /// The images of the producer that the files will list.
    pub fn images(&self, survey: &Survey, of: ImagesOf<'_>) -> Vec<ListedImage> {
        if self.files.is_empty() {
            return survey.present_images(of);
        }
        of.listed(self.reconciliations().flat_map(Reconciliation::listed_after), self.to())
    }
}
