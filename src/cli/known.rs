//! What is known of a deployment's images: from a ConfigMap, or from the values and the registry.

use std::collections::{BTreeMap, BTreeSet};

use super::args::Reach;
use super::args::consumer::KnownImagesArgs as Args;
use super::deployment::Deployment;
use super::failure::Failure;
use super::reached::Reached;
use super::{Context, cluster, os_images_info};
use crate::config::Config;
use crate::ending::Ends as _;
use crate::os_image::config_map::{DATA_KEY, of_text};
use crate::os_image::info::{Fault, ImageInfo, Info, entry};
use crate::os_image::machine_image::{ApiVersion, Demands};
use crate::os_image::selector::{Selectable, Selected, SelectorTerm, choose};
use crate::os_image::url::UrlTemplate;
use crate::os_image::{Form, OsImage, Published, nearest};
use crate::release::Facets;
use crate::sylva::IMAGE_REGISTRY_KEY;

/// Images by their keys, each with what is known of it or why nothing is.
pub(super) struct KnownImages {
    form: Form,
    images: BTreeMap<String, Result<ImageInfo, Fault>>,
}

/// What is known of an image.
pub(super) enum Knowledge<'a> {
    /// What its manifest says.
    Attributes(&'a ImageInfo),
    /// What a machine gets, as somebody wrote it.
    Fields(&'a ImageInfo),
}

impl Knowledge<'_> {
    /// What the manifest says; nothing where only the result is known.
    pub(super) fn attributes(&self) -> &ImageInfo {
        static NONE: ImageInfo = BTreeMap::new();
        match self {
            Self::Attributes(attributes) => attributes,
            Self::Fields(_) => &NONE,
        }
    }
}

impl KnownImages {
    /// Nothing, where nothing is asked.
    pub(super) fn nothing() -> Self {
        Self { form: Form::SylvaCore, images: BTreeMap::new() }
    }

    /// What the ConfigMap says, where one was named.
    pub(super) async fn of_config_map(context: &Context, args: &Args) -> Result<Option<Self>, Failure> {
        let info = match (&args.os_images_info, args.from_cluster) {
            (Some(path), _) => os_images_info::read(path)?,
            (None, true) => of_cluster(context, args).await?,
            (None, false) => return Ok(None),
        };
        let images = info.images.into_iter().map(|(key, entry)| (key, Ok(entry))).collect();
        Ok(Some(Self { form: info.form, images }))
    }

    /// What the registry says of these images, and the values of the user's own.
    pub(super) async fn of_registry(
        context: &Context,
        reach: &Reach,
        config: Option<&Config>,
        deployment: &Deployment,
        images: &[OsImage],
    ) -> Result<Self, Failure> {
        let published: Vec<&Published> = images.iter().filter_map(OsImage::published).collect();
        let found = context.in_session(config, reach, async |session| {
            Reached { context, args: reach, config, session }.found(deployment, &published).await
        });
        let mut found = found.await?.into_iter();
        let (unused, demands) =
            (UrlTemplate::default(), Demands { https: false, capm3: ApiVersion::V1Beta1.usual_capm3() });
        let entry = |image: &OsImage| {
            let found = image.published().and_then(|_| found.next()).transpose()?;
            entry(image, found.as_ref(), Form::SylvaCore, &unused, &demands)
        };
        let images = images.iter().map(|image| image.key.clone()).zip(images.iter().map(entry)).collect();
        Ok(Self { form: Form::SylvaCore, images })
    }

    /// Whether it is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.images.contains_key(key)
    }

    /// What is known of an image.
    pub(super) fn of(&self, key: &str) -> Result<Knowledge<'_>, Failure> {
        match self.images.get(key) {
            Some(Ok(entry)) if self.form == Form::Proposal => Ok(Knowledge::Fields(entry)),
            Some(Ok(entry)) => Ok(Knowledge::Attributes(entry)),
            Some(Err(fault)) => Err(faulty(key, fault)),
            None => {
                let facets: Vec<(&String, Option<Facets>)> =
                    self.images.keys().map(|key| (key, Facets::from_name(key))).collect();
                let names = facets.iter().map(|(key, facets)| (key.as_str(), facets.as_ref()));
                let failure = Failure::person(anyhow::anyhow!("no enabled image has the key `{key}`"));
                Err(match nearest(key, names) {
                    Some(nearest) => failure.hint(format!("the nearest that is enabled is `{nearest}`")),
                    None if self.images.is_empty() => failure,
                    None => {
                        let keys: Vec<&str> = self.images.keys().map(String::as_str).collect();
                        failure.hint(format!("enabled are {}", keys.join(", ")))
                    }
                })
            }
        }
    }

    /// The images as selectors see them.
    pub(super) fn candidates(&self) -> Result<Vec<Selectable>, Failure> {
        if self.form == Form::Proposal {
            let error =
                anyhow::anyhow!("the ConfigMap does not say what its images are, so no selector can choose");
            return Err(
                Failure::person(error).hint("name an image, or leave out the ConfigMap to ask the registry")
            );
        }
        // What could not be read might be the one, or a second one.
        let candidate = |(key, image): (&String, &Result<ImageInfo, Fault>)| {
            let attributes = image.as_ref().map_err(|fault| faulty(key, fault))?.clone();
            Ok(Selectable {
                key: key.clone(),
                names: vec![key.clone()],
                facets: Facets::from_name(key),
                attributes: Some(attributes),
                is_whole: true,
            })
        };
        self.images.iter().map(candidate).collect()
    }

    /// Whether these images are of one registry each.
    fn is_of_several_registries(&self, keys: &[String]) -> bool {
        let of = |key: &String| self.images.get(key)?.as_ref().ok()?.get(IMAGE_REGISTRY_KEY);
        let registries: BTreeSet<&String> = keys.iter().filter_map(of).collect();
        registries.len() == keys.len()
    }

    /// The one image that these conditions choose.
    pub(super) fn select(&self, conditions: &BTreeMap<String, SelectorTerm>) -> Result<String, Failure> {
        let conditions: BTreeMap<&str, &SelectorTerm> =
            conditions.iter().map(|(key, condition)| (key.as_str(), condition)).collect();
        let candidates = self.candidates()?;
        match choose(&conditions, &candidates.iter().collect::<Vec<_>>(), false) {
            Selected::One(key) => Ok(key),
            Selected::None { hint } => {
                let failure = Failure::person(anyhow::anyhow!("the selector matches no enabled image"));
                Err(match hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                })
            }
            Selected::Several(keys) => {
                let several =
                    format!("the selector matches {} enabled images: {}", keys.len(), keys.join(", "));
                let failure = Failure::person(anyhow::anyhow!(several));
                Err(match self.is_of_several_registries(&keys) {
                    true => failure.hint(format!("add `{IMAGE_REGISTRY_KEY}` to the selector")),
                    false => failure,
                })
            }
            Selected::Unknown(why) => {
                Err(Failure::person(anyhow::anyhow!("the selector cannot be judged: {why}")))
            }
        }
    }
}

/// What the ConfigMap in a cluster says.
async fn of_cluster(context: &Context, args: &Args) -> Result<Info, Failure> {
    let map = &args.config_map;
    let cluster = cluster::open(context, map).await?;
    let found = cluster.config_map(map.namespace.as_deref(), &map.name).await.map_err(Failure::from)?;
    let name = &map.name;
    let found =
        found.ok_or_else(|| Failure::person(anyhow::anyhow!("the cluster has no ConfigMap {name} there")))?;
    let values = found.data.get(DATA_KEY).map(String::as_str).unwrap_or_default();
    let unreadable = |error| Failure::person(anyhow::anyhow!("ConfigMap {name}: {error}"));
    of_text(values).map_err(unreadable)
}

/// Why there is no image of which something could be said.
fn faulty(key: &str, fault: &Fault) -> Failure {
    let failure = Failure::ending(fault.ending(), anyhow::anyhow!("`{key}` {fault}"));
    Failure { hint: fault.hint().or(failure.hint), ..failure }
}
