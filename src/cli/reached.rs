//! From enabled images to the registries that have them, with credentials, memory and keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::args::Reach;
use super::deployment::Deployment;
use super::failure::Failure;
use super::{Context, lookup};
use crate::config::{Config, KeySource, Network, Producer as Settings};
use crate::http::Transport;
use crate::observe::os_images::{Batch, exist, found};
use crate::oci::OciRegistry;
use crate::os_image::Published;
use crate::os_image::info::{Fault, Found};
use crate::registry::RegistryError;
use crate::release::policy::Demand;
use crate::release::{Prefix, Tag};
use crate::signature::{Requirement, Unverified, requirement};
use crate::values::KeyPath;

/// How registries are reached.
pub(super) struct Reached<'a> {
    context: &'a Context,
    pub(super) args: &'a Reach,
    config: Option<&'a Config>,
    /// What all requests go over.
    pub(super) transport: Transport,
}

/// What is asked, and in which order the images were named.
struct Questions {
    batches: Vec<Batch>,
    requirements: Vec<Requirement>,
    /// The images of each batch, by their place in what was asked.
    places: Vec<Vec<usize>>,
}

impl<'a> Reached<'a> {
    pub(super) fn new(
        context: &'a Context,
        args: &'a Reach,
        config: Option<&'a Config>,
    ) -> Result<Self, Failure> {
        let network = config.map_or_else(Network::default, |config| config.network.clone());
        let transport = lookup::transport(context, args, &network)?;
        Ok(Self { context, args, config, transport })
    }

    /// Whether each image exists, in their order.
    pub(super) async fn exist(
        &self,
        deployment: &Deployment,
        images: &[&Published],
    ) -> Result<Vec<Result<bool, RegistryError>>, Failure> {
        let questions = self.questions(deployment, images, Some(Demand::Off)).await?;
        let answers = exist(&questions.batches).await;
        self.context.requests(&self.transport);
        Ok(questions.in_order(answers))
    }

    /// What there is of each image, in their order; one that is not signed as demanded is a fault.
    pub(super) async fn found(
        &self,
        deployment: &Deployment,
        images: &[&Published],
    ) -> Result<Vec<Result<Found, Fault>>, Failure> {
        let demand = self.args.signatures.map(Demand::from).or_else(|| self.policy());
        let questions = self.questions(deployment, images, demand).await?;
        let mut answers = found(&questions.batches).await;
        self.context.requests(&self.transport);
        for ((answers, required), batch) in
            answers.iter_mut().zip(&questions.requirements).zip(&questions.batches)
        {
            match required {
                Requirement::Required(_) => answers.iter_mut().for_each(Found::demand_signature),
                Requirement::Warned(_) => self.warn(answers, batch),
                Requirement::NotRequired(Unverified::NoKeyToWarnBy) => {
                    self.context
                        .warn(&format!("{}: no signature is verified, no public key is known", batch.prefix));
                }
                Requirement::NotRequired(_) => {}
            }
        }
        Ok(questions.in_order(answers))
    }

    /// What the configuration asks of signatures, in its first branch.
    fn policy(&self) -> Option<Demand> {
        self.config?.targets.first()?.branches.first()?.policy.signatures
    }

    fn warn(&self, answers: &[Result<Found, Fault>], batch: &Batch) {
        for (answer, key) in answers.iter().zip(&batch.images) {
            let verdict = answer.as_ref().ok().and_then(|found| found.verdict.as_ref());
            if let Some(verdict) = verdict.filter(|verdict| !verdict.is_verified()) {
                self.context.warn(&format!("`{key}` is {verdict}"));
            }
        }
    }

    async fn questions(
        &self,
        deployment: &Deployment,
        images: &[&Published],
        demand: Option<Demand>,
    ) -> Result<Questions, Failure> {
        let mut groups: BTreeMap<(&Prefix, &Tag, &[KeyPath]), Vec<usize>> = BTreeMap::new();
        for (place, image) in images.iter().enumerate() {
            groups.entry((&image.prefix, &image.tag, &*image.registries)).or_default().push(place);
        }
        let mut registries: BTreeMap<&Prefix, OciRegistry> = BTreeMap::new();
        let mut questions = Questions { batches: Vec::new(), requirements: Vec::new(), places: Vec::new() };
        for ((prefix, tag, entries), places) in groups {
            let settings = self.settings(prefix);
            if !registries.contains_key(prefix) {
                let registry =
                    lookup::registry(&self.context.environment, &settings, &self.transport).await?;
                registries.insert(prefix, registry);
            }
            let configured = lookup::keys(&settings.keys)?;
            let required = requirement(&deployment.values, entries, configured.as_ref(), demand)
                .map_err(|error| deployment.unsigned(&error))?;
            questions.batches.push(Batch {
                prefix: prefix.clone(),
                tag: tag.clone(),
                images: places.iter().map(|place| images[*place].key.clone()).collect(),
                keys: required.keys().cloned(),
                registry: Arc::new(registries[prefix].clone()),
                store: lookup::store(self.args, self.config, &settings.naming),
            });
            questions.requirements.push(required);
            questions.places.push(places);
        }
        Ok(questions)
    }

    /// The producer that the configuration has for a prefix, with the flags laid over it.
    pub(super) fn settings(&self, prefix: &Prefix) -> Settings {
        let producers = self.config.map(|config| config.producers.as_slice()).unwrap_or_default();
        let configured = producers.iter().find(|producer| producer.registry == *prefix);
        let mut settings = configured.cloned().unwrap_or_else(|| Settings::of_registry(prefix.clone()));
        settings.plain_http |= self.args.plain_http;
        if !self.args.cosign_key.is_empty() {
            settings.keys = self.args.cosign_key.iter().cloned().map(KeySource::File).collect();
        }
        settings
    }
}

/// The registry of images whose values name none: that of the flags, else the only one of the configuration.
pub(super) fn fallback(args: &Reach, config: Option<&Config>) -> Result<Option<Prefix>, Failure> {
    if let Some(registry) = &args.registry {
        return registry
            .parse()
            .map(Some)
            .map_err(|error: crate::release::InvalidPrefix| Failure::usage(error.to_string()));
    }
    let producers = config.map(|config| config.producers.as_slice()).unwrap_or_default();
    match (&args.producer, producers) {
        (Some(name), producers) => match producers.iter().find(|producer| producer.name == *name) {
            Some(producer) => Ok(Some(producer.registry.clone())),
            None => Err(Failure::usage(format!("the configuration has no producer `{name}`"))),
        },
        (None, [only]) => Ok(Some(only.registry.clone())),
        (None, _) => Ok(None),
    }
}

impl Questions {
    /// The answers as the images were named.
    fn in_order<T>(&self, answers: Vec<Vec<T>>) -> Vec<T> {
        let places = self.places.iter().flatten().copied();
        let mut all: Vec<(usize, T)> = places.zip(answers.into_iter().flatten()).collect();
        all.sort_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, answer)| answer).collect()
    }
}
