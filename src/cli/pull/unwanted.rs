//! After the images: what is not wanted any more, and the ConfigMap of what is served.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::cli::args::consumer::ConfigMapArgs;
use crate::cli::args::images::{KeepUsed, ObjectPlace, PullArgs as Args};
use crate::cli::deployment::document;
use crate::cli::failure::Failure;
use crate::cli::{Context, cluster};
use crate::cluster::{Apply, ConfigMap, KubernetesApi};
use crate::ending::Ending;
use crate::image_folder::ImageFolder;
use crate::image_store::unwanted::{RemovalRule, UnwantedFate};
use crate::image_store::{UnwantedImages, WantedImages};
use crate::os_image::used::UsedImages;
use crate::pull::{offered, remove};
use crate::release::counted;
use crate::report;
use crate::report::pull::UnwantedReport;

/// The ConfigMap that sylva-core's charts read (`sylva-units`, `_internal.os_image_server_images_configmap`).
const MAP: &str = "capm3-os-image-server-os-images";

/// What is done once the images are there.
pub(super) struct Tidying<'a> {
    context: &'a Context,
    args: &'a Args,
    /// What machines use, where a file says it.
    of_file: Option<UsedImages>,
}

/// What was done.
pub(in crate::cli) struct Tidied {
    /// What was not wanted before.
    pub(in crate::cli) unwanted: UnwantedImages,
    /// What became of each, by its sha256.
    pub(in crate::cli) fates: BTreeMap<String, UnwantedFate>,
    /// The images that are served, keys by their sha256.
    pub(in crate::cli) served: BTreeMap<String, String>,
    /// The ConfigMap of them.
    pub(in crate::cli) map: ConfigMap,
    /// What the cluster made of it.
    pub(in crate::cli) applied: Option<&'static str>,
    /// What went wrong beside the images.
    pub(in crate::cli) failures: Vec<Failure>,
}

impl Tidied {
    /// What became of each image that is not wanted.
    pub(in crate::cli) fn reports(&self) -> Vec<UnwantedReport> {
        let fate = |sha256: &String| self.fates.get(sha256).copied().unwrap_or(UnwantedFate::Spared);
        let images = self.unwanted.images.iter();
        images.map(|(sha256, image)| UnwantedReport::new(sha256, image, fate(sha256))).collect()
    }

    /// What became of the ConfigMap, where it was changed.
    pub(in crate::cli) fn news(&self) -> String {
        if self.applied == Some("unchanged") { String::new() } else { self.text() }
    }

    /// What became of the ConfigMap.
    pub(in crate::cli) fn text(&self) -> String {
        let images = counted(self.served.len(), "image");
        let line = |word| format!("ConfigMap {}: {word}, {images}\n", self.map.name);
        self.applied.map(line).unwrap_or_default()
    }
}

impl<'a> Tidying<'a> {
    /// Reads the file of what is used, where one is named: before anything is changed.
    pub(super) fn new(context: &'a Context, args: &'a Args) -> Result<Self, Failure> {
        let of_file = match &args.unwanted.keep_used {
            Some(KeepUsed::File(path)) => {
                let (name, document) = document(path)?;
                let used = UsedImages::of_document(&document).map_err(|error| {
                    Failure::person(anyhow::anyhow!("{name}: {error}")).hint(
                        "write it with `kubectl get metal3machinetemplates,metal3machines,baremetalhosts -A -o yaml`",
                    )
                })?;
                context.note(&format!("{name}: machines use {}", counted(used.len(), "image")));
                Some(used)
            }
            _ => None,
        };
        Ok(Self { context, args, of_file })
    }

    /// Removes what may go, after the cluster was told what is served then.
    pub(super) async fn tidy(
        &self,
        folder: &dyn ImageFolder,
        wanted: &WantedImages,
        unwanted: UnwantedImages,
        is_whole: bool,
    ) -> Result<Tidied, Failure> {
        let mut failures = Vec::new();
        let rule = match self.rule(&unwanted, is_whole).await {
            Ok(rule) => rule,
            Err(failure) => {
                failures.push(failure);
                None
            }
        };
        let fates = unwanted.fates(rule.as_ref());
        let offer = offered(folder, wanted, &unwanted, &fates).map_err(Failure::from)?;
        let served: BTreeMap<String, String> = offer
            .complete()
            .iter()
            .map(|(sha256, image)| ((*sha256).to_owned(), image.key.clone()))
            .collect();
        let place = self.place();
        let map = report::served_images::config_map(&served, &place.name, place.namespace.as_deref());
        let map = map.map_err(Failure::person)?;
        let mut tidied = Tidied { unwanted, fates, served, map, applied: None, failures };
        if self.args.served.apply {
            match self.apply(&tidied.map, tidied.served.is_empty()).await {
                Ok(word) => tidied.applied = Some(word),
                Err(failure) => {
                    // What the cluster still calls available stays.
                    tidied.failures.push(failure);
                    tidied.fates = tidied.unwanted.fates(None);
                }
            }
        }
        if let Err(error) = remove(folder, tidied.unwanted.clone(), &tidied.fates) {
            tidied.failures.push(error.into());
        }
        Ok(tidied)
    }

    /// By which rule images go; none where nothing may go.
    async fn rule(&self, unwanted: &UnwantedImages, is_whole: bool) -> Result<Option<RemovalRule>, Failure> {
        let args = &self.args.unwanted;
        if unwanted.images.is_empty() || args.keep_unwanted {
            return Ok(None);
        }
        if !is_whole {
            self.context.note("nothing is removed, because not all wanted images are complete");
            return Ok(None);
        }
        let used = match (&self.of_file, &args.keep_used) {
            (Some(used), _) => used.clone(),
            (None, Some(KeepUsed::Cluster)) => {
                UsedImages::of_objects(&self.cluster().await?.machines().await.map_err(Failure::from)?)
            }
            (None, _) => UsedImages::default(),
        };
        let grace = SignedDuration::try_from(args.grace).unwrap_or(SignedDuration::MAX);
        Ok(Some(RemovalRule { used, grace, now: self.context.environment.now }))
    }

    async fn apply(&self, map: &ConfigMap, is_empty: bool) -> Result<&'static str, Failure> {
        let cluster = self.cluster().await?;
        if is_empty && !self.args.allow_empty {
            let found =
                cluster.config_map(map.namespace.as_deref(), &map.name).await.map_err(Failure::from)?;
            if found.is_some_and(|found| !found.data.is_empty() && found.data != map.data) {
                let what =
                    format!("ConfigMap {} has images, and none would be left; it was not changed", map.name);
                return Err(Failure::ending(Ending::Refused, anyhow::anyhow!(what))
                    .hint("--allow-empty writes it all the same"));
            }
        }
        let how = Apply {
            dry_run: false,
            force: self.args.served.force_conflicts,
            take_over_from: self.args.served.take_over_from.clone(),
        };
        let applied = crate::apply::config_map(&*cluster, map, &how).await.map_err(Failure::from)?;
        Ok(cluster::word(applied))
    }

    async fn cluster(&self) -> Result<std::sync::Arc<dyn KubernetesApi>, Failure> {
        cluster::open(self.context, self.reached()).await
    }

    fn reached(&self) -> &ConfigMapArgs {
        &self.args.known.config_map
    }

    fn place(&self) -> ObjectPlace {
        let usual = || ObjectPlace { namespace: None, name: MAP.to_owned() };
        self.args.served.apply_to.clone().unwrap_or_else(usual)
    }
}
