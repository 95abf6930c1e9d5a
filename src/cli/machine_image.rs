//! `dibump machine-image`: the image of each Metal3 machine of a deployment, or of one that is named.

mod chosen;

use std::collections::BTreeMap;

use super::args::consumer::{ApiVersionArg, MachineFormat, MachineImageArgs as Args, MismatchArg};
use super::deployment::Deployment;
use super::exit::Exit;
use super::failure::Failure;
use super::known::{Knowledge, KnownImages};
use super::reached::fallback;
use super::{Context, generations};
use crate::config::Config;
use crate::ending::{Ending, Ends as _};
use crate::os_image::definition::{ImageChoice, Selector};
use crate::os_image::kubernetes::{Fit, kubernetes_fit};
use crate::os_image::machine_image::{ApiVersion, Demands, MachineImage, Raw, UnusableImage};
use crate::os_image::selector::complete;
use crate::os_image::url::UrlTemplate;
use crate::os_image::{Form, OsImage};
use crate::release::K8sVersion;
use crate::report::machine_image::{MachinesReport, json, patch, yaml};
use chosen::{Chosen, chosen};

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let deployment = Deployment::read(&args.deployment)?;
    let chosen = chosen(context, args, &deployment)?;
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

struct Making<'a> {
    context: &'a Context,
    args: &'a Args,
    config: Option<&'a Config>,
    deployment: &'a Deployment,
}

impl Making<'_> {
    async fn machines(&self, all: &[Chosen]) -> Result<Vec<MachinesReport>, Failure> {
        let known = self.known(all).await?;
        all.iter().map(|chosen| self.machine(chosen, &known)).collect()
    }

    /// As much as the choices need.
    async fn known(&self, all: &[Chosen]) -> Result<KnownImages, Failure> {
        let Self { context, args, config, deployment } = *self;
        if all.iter().all(|chosen| matches!(chosen.choice, ImageChoice::Raw(_))) {
            return Ok(KnownImages::nothing());
        }
        if let Some(known) = KnownImages::of_config_map(context, &args.known).await? {
            return Ok(known);
        }
        let reach = &args.deployment.reach;
        let mut images = match args.deployment.files.is_empty() {
            true => vec![chosen::outright(args, config, all)?],
            false => deployment.selection(fallback(reach, config)?.as_ref())?.images,
        };
        images = generations::published(context, reach, config, deployment, images).await?;
        // A manifest that nobody chooses needs not be read; a selector looks at all.
        if all.iter().all(|chosen| matches!(chosen.choice, ImageChoice::Key(_))) {
            let is_chosen = |image: &OsImage| {
                all.iter().any(|chosen| matches!(&chosen.choice, ImageChoice::Key(key) if *key == image.key))
            };
            let keys: Vec<OsImage> = images.iter().filter(|image| is_chosen(image)).cloned().collect();
            // Where the one that is asked for is not enabled, all are there to name the nearest.
            images = if keys.is_empty() { images } else { keys };
        }
        KnownImages::of_registry(context, reach, config, deployment, &images).await
    }

    fn machine(&self, chosen: &Chosen, known: &KnownImages) -> Result<MachinesReport, Failure> {
        let machines = chosen.machines.clone();
        if let ImageChoice::Raw(raw) = &chosen.choice {
            return Ok(MachinesReport {
                machines,
                key: None,
                k8s_version: None,
                image: self.raw(raw, chosen)?,
            });
        }
        let key = self.key(chosen, known)?;
        let known = known.of(&key).map_err(|failure| self.placed(chosen, failure))?;
        let attributes = known.attributes();
        self.fits_kubernetes(chosen, &key, attributes)?;
        let image = match &known {
            Knowledge::Attributes(attributes) => self
                .url_template(chosen)?
                .url(&key, attributes)
                .and_then(|url| MachineImage::new(attributes, &url, &self.demands())),
            Knowledge::Fields(fields) => MachineImage::of_fields(fields, &self.demands()),
        };
        let image = image.map_err(|refusal| self.refused(chosen, &format!("`{key}`"), &refusal))?;
        Ok(MachinesReport {
            machines,
            k8s_version: attributes.get("k8s-version").cloned(),
            key: Some(key),
            image,
        })
    }

    /// By what the flags say, else by the host that the values name. Only the proposal has services of its own.
    fn url_template(&self, chosen: &Chosen) -> Result<UrlTemplate, Failure> {
        if let Some(template) = &self.args.served.url_template {
            return Ok(template.clone());
        }
        let server = chosen.server.as_ref();
        match server.map_err(|problem| self.deployment.refused(std::slice::from_ref(problem)))? {
            Some(server) => Ok(UrlTemplate::by_filename(&server.scheme, &server.host)),
            None if self.args.deployment.files.is_empty() || self.deployment.form() == Form::Proposal => {
                Ok(UrlTemplate::default())
            }
            None => {
                let error = anyhow::anyhow!("nothing says where images are served");
                let hint = "set cluster.capm3.image_provisioning_host, or name the URL with --url-template";
                Err(self.placed(chosen, Failure::person(error)).hint(hint))
            }
        }
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
    fn key(&self, chosen: &Chosen, known: &KnownImages) -> Result<String, Failure> {
        let select = |selector: &Selector| {
            let version = match (&self.args.k8s_version, &chosen.cluster.k8s_version) {
                (Some(version), _) => Some(version.to_string()),
                (None, Err(problem)) => {
                    return Err(self.deployment.refused(std::slice::from_ref(problem)));
                }
                (None, Ok(version)) => version.clone(),
            };
            let provider = chosen.cluster.bootstrap_provider.as_deref();
            let conditions = complete(selector, version.as_deref(), provider);
            let conditions = conditions.map_err(|error| Failure::person(anyhow::anyhow!(error)));
            conditions
                .and_then(|conditions| known.select(&conditions))
                .map_err(|failure| self.placed(chosen, failure))
        };
        match &chosen.choice {
            ImageChoice::Key(key) => Ok(key.clone()),
            ImageChoice::Selector(selector) => select(selector),
            ImageChoice::Both(key, selector) => match select(selector)? {
                selected if selected == *key => Ok(selected),
                selected => Err(self.placed(
                    chosen,
                    Failure::person(anyhow::anyhow!(
                        "the image key is `{key}`, and the selector beside it chooses `{selected}`"
                    )),
                )),
            },
            ImageChoice::Raw(_) => Ok(String::new()),
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
        let is_off = self.args.k8s_mismatch == MismatchArg::Off;
        if self.args.k8s_version.is_some() {
            return Ok(self.args.k8s_version.clone().filter(|_| !is_off));
        }
        match &chosen.cluster.k8s_version {
            Ok(None) => Ok(None),
            // A deployment that Helm refuses has no machines, whatever their version is.
            Err(problem) if is_off && !problem.is_helms_refusal() => Ok(None),
            Ok(_) if is_off => Ok(None),
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

    fn refused(&self, chosen: &Chosen, what: &str, refusal: &UnusableImage) -> Failure {
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
