//! `dibump machine-image`: the image of each Metal3 machine that the values speak of, or of one that is named.

mod shelf;

use std::collections::BTreeMap;

use super::Context;
use super::args::consumer::{ApiVersionArg, MachineFormat, MachineImage as Args, MismatchArg};
use super::deployment::Deployment;
use super::exit::Exit;
use super::failure::Failure;
use crate::config::Config;
use crate::ending::{Ending, Ends as _};
use crate::os_image::machine::{Choice, Cluster, Fit, Place, cluster, kubernetes_fit, places};
use crate::os_image::machine_image::{ApiVersion, Demands, MachineImage, Raw, Refusal};
use crate::release::K8sVersion;
use crate::report::machine_image::{Machines, json, patch, yaml};
use crate::values::KeyPath;
use shelf::{Known, Shelf};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let deployment = Deployment::read(&args.deployment)?;
    let chosen = Chosen::of(args, &deployment)?;
    let making = Making { context, args, config: config.as_ref(), deployment: &deployment };
    let machines = context.block_on(making.machines(&chosen))?;
    deployment.say_lookups(context);
    let version = ApiVersion::from(args.api_version);
    let text = match args.format {
        MachineFormat::Yaml => yaml(&machines, version).map_err(Failure::person)?,
        MachineFormat::Patch => patch(&machines, version).map_err(Failure::person)?,
        MachineFormat::Json => {
            context.output.json(&json(&machines, version))?;
            return Ok(Exit::Done);
        }
    };
    context.output.print(&text)?;
    Ok(Exit::Done)
}

/// What was chosen, and for which machines.
pub(super) struct Chosen {
    machines: Option<String>,
    /// Where the values choose it.
    at: Option<KeyPath>,
    choice: Choice,
    cluster: Cluster,
}

impl Chosen {
    /// The image of the command line, else every place of the values that chooses one.
    fn of(args: &Args, deployment: &Deployment) -> Result<Vec<Self>, Failure> {
        let outright =
            |choice| vec![Self { machines: None, at: None, choice, cluster: cluster(deployment.rendered()) }];
        if let Some(key) = &args.key {
            return Ok(outright(Choice::Key(key.clone())));
        }
        if !args.selector.is_empty() {
            return Ok(outright(Choice::Selector(selector(&args.selector)?)));
        }
        let (places, problems) = places(deployment.rendered());
        if !problems.is_empty() {
            return Err(deployment.refused(&problems));
        }
        let names: Vec<String> = places.iter().map(|place| place.machines.clone()).collect();
        let wanted = |place: &Place| args.machines.as_ref().is_none_or(|name| *name == place.machines);
        let chosen: Vec<Self> = places.into_iter().filter(wanted).map(Self::from).collect();
        match (chosen.is_empty(), &args.machines) {
            (false, _) => Ok(chosen),
            (true, Some(name)) if !names.is_empty() => Err(Failure::person(anyhow::anyhow!(
                "the values choose no image for `{name}` (they do for {})",
                names.join(", ")
            ))),
            (true, _) => Err(Failure::usage(
                "name an image, a --selector, or values in which a cluster has one",
            )
            .hint("dibump machine-image -f values.yaml, where cluster.capm3.os_image_key names an image")),
        }
    }
}

impl From<Place> for Chosen {
    fn from(place: Place) -> Self {
        let Place { at, machines, choice, cluster } = place;
        Self { machines: Some(machines), at: Some(at), choice, cluster }
    }
}

/// `NAME=REGEX`, several by commas.
fn selector(words: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let word = |word: &String| {
        let (name, value) = word.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--selector {word}: expected NAME=REGEX, as in os=ubuntu,k8s-flavor=rke2"))
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    words.iter().map(word).collect()
}

struct Making<'a> {
    context: &'a Context,
    args: &'a Args,
    config: Option<&'a Config>,
    deployment: &'a Deployment,
}

impl Making<'_> {
    async fn machines(&self, all: &[Chosen]) -> Result<Vec<Machines>, Failure> {
        let shelf = Shelf::open(self.context, self.args, self.config, self.deployment, all).await?;
        all.iter().map(|chosen| self.machine(chosen, &shelf)).collect()
    }

    fn machine(&self, chosen: &Chosen, shelf: &Shelf) -> Result<Machines, Failure> {
        let machines = chosen.machines.clone();
        if let Choice::Raw(raw) = &chosen.choice {
            return Ok(Machines { machines, key: None, k8s_version: None, image: self.raw(raw, chosen)? });
        }
        let key = self.key(chosen, shelf)?;
        let known = shelf.known(&key).map_err(|failure| self.placed(chosen, failure))?;
        let attributes = known.attributes();
        self.fits_kubernetes(chosen, &key, attributes)?;
        let image = match &known {
            Known::Attributes(attributes) => shelf
                .url(&key, attributes)
                .and_then(|url| MachineImage::new(attributes, &url, &self.demands())),
            Known::Fields(fields) => MachineImage::of_fields(fields, &self.demands()),
        };
        let image = image.map_err(|refusal| self.refused(chosen, &format!("`{key}`"), &refusal))?;
        Ok(Machines { machines, k8s_version: attributes.get("k8s-version").cloned(), key: Some(key), image })
    }

    fn raw(&self, raw: &Raw, chosen: &Chosen) -> Result<MachineImage, Failure> {
        let image = MachineImage::raw(raw, &self.demands());
        let image = image.map_err(|refusal| self.refused(chosen, "the image of raw mode", &refusal))?;
        if image.is_md5() {
            self.context.warn("Ironic refuses md5 unless it is told otherwise ([agent] allow_md5_checksum)");
        }
        Ok(image)
    }

    /// The key of the image, to which a selector must agree where there are both.
    fn key(&self, chosen: &Chosen, shelf: &Shelf) -> Result<String, Failure> {
        let select = |selector| {
            let version = match (&self.args.k8s_version, &chosen.cluster.k8s_version) {
                (Some(version), _) => Some(version.to_string()),
                (None, Err(problem)) => {
                    return Err(self.deployment.refused(std::slice::from_ref(problem)));
                }
                (None, Ok(version)) => version.clone(),
            };
            let provider = chosen.cluster.bootstrap_provider.as_deref();
            shelf
                .select(selector, version.as_deref(), provider)
                .map_err(|failure| self.placed(chosen, failure))
        };
        match &chosen.choice {
            Choice::Key(key) => Ok(key.clone()),
            Choice::Selector(selector) => select(selector),
            Choice::Both(key, selector) => match select(selector)? {
                selected if selected == *key => Ok(selected),
                selected => Err(self.placed(
                    chosen,
                    Failure::person(anyhow::anyhow!(
                        "the image key is `{key}`, and the selector beside it chooses `{selected}`"
                    )),
                )),
            },
            Choice::Raw(_) => Ok(String::new()),
        }
    }

    /// Whether the image is for the cluster's Kubernetes, as severely as was asked.
    fn fits_kubernetes(
        &self,
        chosen: &Chosen,
        key: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        let Some(wanted) = self.kubernetes(chosen)? else { return Ok(()) };
        let what = match kubernetes_fit(&wanted, key, attributes) {
            Fit::Fits => return Ok(()),
            Fit::AnyRevision(has) => {
                self.context
                    .note(&format!("`{key}` has Kubernetes {has}; {wanted} leaves the revision open"));
                return Ok(());
            }
            Fit::Differs(has) => format!("`{key}` is for Kubernetes {has}, wanted is {wanted}"),
            Fit::Unknown => {
                format!("nothing says which Kubernetes `{key}` is for, wanted is {wanted}")
            }
        };
        match self.args.k8s_mismatch {
            MismatchArg::Off => {}
            MismatchArg::Warn => self.context.warn(&self.said(chosen, &what)),
            MismatchArg::Error => {
                let failure = Failure::ending(Ending::Refused, anyhow::anyhow!(what));
                let hint =
                    "name an image of this version, or say that it does not matter with --k8s-mismatch warn";
                return Err(self.placed(chosen, failure).hint(hint));
            }
        }
        Ok(())
    }

    fn kubernetes(&self, chosen: &Chosen) -> Result<Option<K8sVersion>, Failure> {
        if self.args.k8s_mismatch == MismatchArg::Off || self.args.k8s_version.is_some() {
            return Ok(self.args.k8s_version.clone().filter(|_| self.args.k8s_mismatch != MismatchArg::Off));
        }
        match &chosen.cluster.k8s_version {
            Ok(None) => Ok(None),
            Ok(Some(text)) => text.parse().map(Some).map_err(|()| {
                let what = format!("the cluster's k8s_version is `{text}` (expected something like v1.31.8)");
                self.placed(chosen, Failure::person(anyhow::anyhow!(what)))
            }),
            Err(problem) => Err(self
                .deployment
                .refused(std::slice::from_ref(problem))
                .hint("name the version with --k8s-version, or leave it out with --k8s-mismatch off")),
        }
    }

    fn demands(&self) -> Demands {
        let capm3 = self.args.capm3.unwrap_or(ApiVersion::from(self.args.api_version).usual_capm3());
        Demands { https: self.args.served.https_only, capm3 }
    }

    fn refused(&self, chosen: &Chosen, what: &str, refusal: &Refusal) -> Failure {
        let error = anyhow::anyhow!("{}", self.said(chosen, &format!("{what} is refused: {refusal}")));
        Failure::ending(refusal.ending(), error)
    }

    fn placed(&self, chosen: &Chosen, failure: Failure) -> Failure {
        Failure { error: anyhow::anyhow!("{}", self.said(chosen, &failure.sentence())), ..failure }
    }

    fn said(&self, chosen: &Chosen, what: &str) -> String {
        chosen.at.as_ref().map_or_else(|| what.to_owned(), |at| self.deployment.said(at, what))
    }
}

impl From<ApiVersionArg> for ApiVersion {
    fn from(version: ApiVersionArg) -> Self {
        match version {
            ApiVersionArg::V1beta1 => Self::V1Beta1,
            ApiVersionArg::V1beta2 => Self::V1Beta2,
        }
    }
}
