//! What is known of the images that machines may get: from a ConfigMap, from the values and the registry, or of one
//! artifact that was named outright.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Chosen;
use crate::cli::args::consumer::MachineImage as Args;
use crate::cli::deployment::Deployment;
use crate::cli::failure::Failure;
use crate::cli::os_images_info;
use crate::cli::reached::{Reached, fallback};
use crate::cli::{Context, cluster};
use crate::config::Config;
use crate::ending::Ends as _;
use crate::os_image::config_map::{DATA_KEY, of_text};
use crate::os_image::info::{Entry, Fault, Info, entry};
use crate::os_image::machine::{Choice, conditions};
use crate::os_image::machine_image::{ApiVersion, Demands, Refusal};
use crate::os_image::selector::{Candidate, Condition, Outcome, choose};
use crate::os_image::url::UrlTemplate;
use crate::os_image::{Form, Origin, OsImage, Published, nearest};
use crate::release::{Facets, ImageKey};
use crate::values::KeyPath;

/// Images by their keys, each with what is known of it or why nothing is.
pub(super) struct Shelf {
    form: Form,
    images: BTreeMap<String, Result<Entry, Fault>>,
    url: UrlTemplate,
}

/// What is known of an image.
pub(super) enum Known<'a> {
    /// What its manifest says.
    Attributes(&'a Entry),
    /// What a machine gets, as somebody wrote it.
    Fields(&'a Entry),
}

impl Known<'_> {
    /// What the manifest says; nothing where only the result is known.
    pub(super) fn attributes(&self) -> &Entry {
        static NONE: Entry = BTreeMap::new();
        match self {
            Self::Attributes(attributes) => attributes,
            Self::Fields(_) => &NONE,
        }
    }
}

impl Shelf {
    /// Reads as much as the choices need.
    pub(super) async fn open(
        context: &Context,
        args: &Args,
        config: Option<&Config>,
        deployment: &Deployment,
        chosen: &[Chosen],
    ) -> Result<Self, Failure> {
        let url = url(args, &deployment.values);
        if chosen.iter().all(|chosen| matches!(chosen.choice, Choice::Raw(_))) {
            return Ok(Self { form: Form::SylvaCore, images: BTreeMap::new(), url });
        }
        if let Some(info) = info(context, args).await? {
            let images = info.images.into_iter().map(|(key, entry)| (key, Ok(entry))).collect();
            return Ok(Self { form: info.form, images, url });
        }
        let mut images = match args.deployment.files.is_empty() {
            true => vec![outright(args, config, chosen)?],
            false => deployment.selection(fallback(&args.deployment.reach, config)?.as_ref())?.images,
        };
        // A manifest that nobody chooses needs not be read; a selector looks at all.
        if chosen.iter().all(|chosen| matches!(chosen.choice, Choice::Key(_))) {
            let is_chosen = |image: &OsImage| {
                chosen.iter().any(|chosen| matches!(&chosen.choice, Choice::Key(key) if *key == image.key))
            };
            let keys: Vec<OsImage> = images.iter().filter(|image| is_chosen(image)).cloned().collect();
            // Where the one that is asked for is not enabled, all are there to name the nearest.
            images = if keys.is_empty() { images } else { keys };
        }
        let images = read(context, args, config, deployment, &images).await?;
        Ok(Self { form: Form::SylvaCore, images, url })
    }

    /// What is known of an image.
    pub(super) fn known(&self, key: &str) -> Result<Known<'_>, Failure> {
        match self.images.get(key) {
            Some(Ok(entry)) if self.form == Form::Proposal => Ok(Known::Fields(entry)),
            Some(Ok(entry)) => Ok(Known::Attributes(entry)),
            Some(Err(fault)) => Err(faulty(key, fault)),
            None => {
                let facets: Vec<(&String, Option<Facets>)> =
                    self.images.keys().map(|key| (key, Facets::from_name(key))).collect();
                let names = facets.iter().map(|(key, facets)| (key.as_str(), facets.as_ref()));
                let failure = Failure::person(anyhow::anyhow!("there is no enabled image `{key}`"));
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

    /// The one image that a selector chooses.
    pub(super) fn select(
        &self,
        selector: &BTreeMap<String, String>,
        k8s_version: Option<&str>,
        bootstrap_provider: Option<&str>,
    ) -> Result<String, Failure> {
        if self.form == Form::Proposal {
            let error =
                anyhow::anyhow!("the ConfigMap does not say what its images are, so no selector can choose");
            return Err(Failure::person(error).hint("name an image, or let the registry say it"));
        }
        // What could not be read might be the one, or a second one.
        if let Some((key, fault)) =
            self.images.iter().find_map(|(key, image)| Some((key, image.as_ref().err()?)))
        {
            return Err(faulty(key, fault));
        }
        let conditions = conditions(selector, k8s_version, bootstrap_provider)
            .map_err(|error| Failure::person(anyhow::anyhow!(error)))?;
        let conditions: BTreeMap<&str, &Condition> =
            conditions.iter().map(|(key, condition)| (key.as_str(), condition)).collect();
        let candidates: Vec<Candidate> = self.images.iter().filter_map(candidate).collect();
        match choose(&conditions, &candidates.iter().collect::<Vec<_>>(), false) {
            Outcome::One(key) => Ok(key),
            Outcome::None { hint } => {
                let failure = Failure::person(anyhow::anyhow!("the selector matches no enabled image"));
                Err(match hint {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                })
            }
            Outcome::Several(keys) => Err(Failure::person(anyhow::anyhow!(
                "the selector matches {} enabled images: {}",
                keys.len(),
                keys.join(", ")
            ))),
            Outcome::Unknown(why) => {
                Err(Failure::person(anyhow::anyhow!("the selector cannot be judged: {why}")))
            }
        }
    }

    /// The URL at which an image is served.
    pub(super) fn url(&self, key: &str, attributes: &Entry) -> Result<String, Refusal> {
        self.url.url(key, attributes)
    }
}

/// By what the flags say, else by the host that the values name, else that of the proposal's services.
fn url(args: &Args, values: &Value) -> UrlTemplate {
    let text = |name: &str| {
        let cluster = values.get("cluster").and_then(|cluster| cluster.get(name));
        cluster.or_else(|| values.get(name)).and_then(Value::as_str).filter(|text| !text.is_empty())
    };
    match (&args.served.url_template, text("image_provisioning_host")) {
        (Some(template), _) => template.clone(),
        (None, Some(host)) => {
            UrlTemplate::by_filename(text("image_provisioning_scheme").unwrap_or("https"), host)
        }
        (None, None) => UrlTemplate::default(),
    }
}

/// The ConfigMap, where one was named.
async fn info(context: &Context, args: &Args) -> Result<Option<Info>, Failure> {
    if let Some(path) = &args.os_images_info {
        return os_images_info::read(path).map(Some);
    }
    if !args.from_cluster {
        return Ok(None);
    }
    let map = &args.config_map;
    let cluster = cluster::open(context, map).await?;
    let found = cluster.config_map(map.namespace.as_deref(), &map.name).await.map_err(Failure::from)?;
    let name = &map.name;
    let found =
        found.ok_or_else(|| Failure::person(anyhow::anyhow!("the cluster has no ConfigMap {name} there")))?;
    let values = found.data.get(DATA_KEY).map(String::as_str).unwrap_or_default();
    let unreadable = |error| Failure::person(anyhow::anyhow!("ConfigMap {name}: {error}"));
    of_text(values).map(Some).map_err(unreadable)
}

/// The artifact that was named without any values.
fn outright(args: &Args, config: Option<&Config>, chosen: &[Chosen]) -> Result<OsImage, Failure> {
    let [Chosen { choice: Choice::Key(key), .. }] = chosen else {
        let hint = "dibump machine-image --selector os=ubuntu -f values.yaml";
        return Err(Failure::usage("a selector needs images to choose from").hint(hint));
    };
    let hint =
        "dibump machine-image KEY --registry oci://registry.example/path/diskimage-builder --tag 0.4.12";
    let (Some(prefix), Some(tag)) = (fallback(&args.deployment.reach, config)?, &args.tag) else {
        return Err(Failure::usage("an image without values needs --registry and --tag").hint(hint));
    };
    let image: ImageKey = key.parse().map_err(Failure::person)?;
    let published = Published {
        prefix,
        key: image,
        tag: tag.clone(),
        registries: Vec::new(),
        cosign_key: Ok(None),
        more: serde_json::Map::new(),
    };
    Ok(OsImage { key: key.clone(), at: KeyPath(Vec::new()), origin: Origin::Published(published) })
}

async fn read(
    context: &Context,
    args: &Args,
    config: Option<&Config>,
    deployment: &Deployment,
    images: &[OsImage],
) -> Result<BTreeMap<String, Result<Entry, Fault>>, Failure> {
    let reach = &args.deployment.reach;
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
    Ok(images.iter().map(|image| image.key.clone()).zip(images.iter().map(entry)).collect())
}

/// An image as a selector sees it.
fn candidate((key, image): (&String, &Result<Entry, Fault>)) -> Option<Candidate> {
    let attributes = image.as_ref().ok()?.clone();
    Some(Candidate {
        key: key.clone(),
        names: vec![key.clone()],
        facets: Facets::from_name(key),
        attributes: Some(attributes),
    })
}

/// Why there is no image of which something could be said.
fn faulty(key: &str, fault: &Fault) -> Failure {
    let failure = Failure::ending(fault.ending(), anyhow::anyhow!("`{key}` {fault}"));
    Failure { hint: fault.hint().or(failure.hint), ..failure }
}
