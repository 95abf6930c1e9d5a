//! From enabled images to the registries that have them, with credentials, memory and keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::args::Reach;
use super::deployment::Deployment;
use super::failure::Failure;
use super::{Context, lookup};
use crate::config::{Config, ConfiguredProducer as Settings, CredentialSource};
use crate::observe::os_images::{Batch, exist, found};
use crate::os_image::Published;
use crate::os_image::info::{Fault, FoundImage};
use crate::registry::{Registry, RegistryError};
use crate::release::policy::GateMode;
use crate::release::policy::{Demand, Policy};
use crate::release::{Prefix, Tag};
use crate::signature::{Lacks, Requirement, Unverified, requirement};
use crate::values::KeyPath;
use crate::wiring::{Session, keys};

/// How registries are reached.
pub(super) struct Reached<'a> {
    pub(super) context: &'a Context,
    pub(super) args: &'a Reach,
    pub(super) config: Option<&'a Config>,
    pub(super) session: &'a Session<'a>,
}

/// What is asked, and in which order the images were named.
struct Questions {
    batches: Vec<Batch>,
    requirements: Vec<Requirement>,
    /// The images of each batch, by their place in what was asked.
    places: Vec<Vec<usize>>,
}

impl Reached<'_> {
    /// Whether each image exists, in their order.
    pub(super) async fn exist(
        &self,
        deployment: &Deployment,
        images: &[&Published],
    ) -> Result<Vec<Result<bool, RegistryError>>, Failure> {
        let questions = self.questions(deployment, images, Some(Demand::Off)).await?;
        Ok(questions.in_order(exist(&questions.batches).await))
    }

    /// What there is of each image, in their order; one that is not signed as expected is a fault.
    pub(super) async fn found(
        &self,
        deployment: &Deployment,
        images: &[&Published],
    ) -> Result<Vec<Result<FoundImage, Fault>>, Failure> {
        let policy = self.policy();
        let demand = self.args.signatures.map(Demand::from).or(policy.signatures);
        let questions = self.questions(deployment, images, demand).await?;
        let mut answers = found(&questions.batches).await;
        for ((answers, required), batch) in
            answers.iter_mut().zip(&questions.requirements).zip(&questions.batches)
        {
            self.demand_identity(answers, required, batch, policy.gates.inconsistent);
            self.tell_unproven(answers, batch);
            match required {
                Requirement::Required(_) => answers.iter_mut().for_each(FoundImage::demand_signature),
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

    /// The policy of the configuration's first branch.
    fn policy(&self) -> Policy {
        let target = self.config.and_then(|config| config.targets.first());
        let branch = target.and_then(|target| target.branches.first());
        branch.map(|branch| branch.policy.clone()).unwrap_or_default()
    }

    /// Where a signature is required, an image that is another one than the one asked for is refused; elsewhere it is as
    /// inconsistent as the gate of this name takes it.
    fn demand_identity(
        &self,
        answers: &mut [Result<FoundImage, Fault>],
        required: &Requirement,
        batch: &Batch,
        inconsistent: GateMode,
    ) {
        match (required, inconsistent) {
            (Requirement::Required(_), _) | (_, GateMode::Hold) => {
                answers.iter_mut().for_each(FoundImage::demand_identity);
            }
            // The verdict on its signature says it.
            (Requirement::Warned(_), _) | (_, GateMode::Off) => {}
            (Requirement::NotRequired(_), GateMode::Warn) => {
                for (answer, key) in answers.iter().zip(&batch.images) {
                    let contradiction = answer.as_ref().ok().and_then(|found| found.contradiction.as_ref());
                    if let Some(contradiction) = contradiction {
                        self.context.warn(&format!("`{key}` is {contradiction}"));
                    }
                }
            }
        }
    }

    /// What signed images do not prove of themselves.
    fn tell_unproven(&self, answers: &[Result<FoundImage, Fault>], batch: &Batch) {
        for (answer, key) in answers.iter().zip(&batch.images) {
            let verdict = answer.as_ref().ok().and_then(|found| found.verdict.as_ref());
            if let Some(verdict) = verdict.filter(|verdict| verdict.lacks().is_some_and(Lacks::is_any)) {
                self.context.note(&format!("`{key}` is {verdict}"));
            }
        }
    }

    fn warn(&self, answers: &[Result<FoundImage, Fault>], batch: &Batch) {
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
        let identity = self.policy().identity;
        let mut groups: BTreeMap<(&Prefix, &Tag, &[KeyPath]), Vec<usize>> = BTreeMap::new();
        for (place, image) in images.iter().enumerate() {
            groups.entry((&image.prefix, &image.tag, &*image.registries)).or_default().push(place);
        }
        let mut registries: BTreeMap<&Prefix, Arc<dyn Registry>> = BTreeMap::new();
        let mut questions = Questions { batches: Vec::new(), requirements: Vec::new(), places: Vec::new() };
        for ((prefix, tag, entries), places) in groups {
            let settings = self.settings(prefix)?;
            if !registries.contains_key(prefix) {
                registries.insert(prefix, self.session.registry(&settings).await?);
            }
            let configured = keys(&settings.keys)?;
            let required = requirement(deployment.rendered(), entries, configured.as_ref(), demand)
                .map_err(|error| deployment.unsigned(&error))?;
            questions.batches.push(Batch {
                prefix: prefix.clone(),
                tag: tag.clone(),
                images: places.iter().map(|place| images[*place].key.clone()).collect(),
                naming: settings.naming.clone(),
                keys: required.keys().cloned(),
                identity,
                registry: Arc::clone(&registries[prefix]),
                store: self.session.store(&settings.naming),
            });
            questions.requirements.push(required);
            questions.places.push(places);
        }
        Ok(questions)
    }

    /// The producer that the configuration has for a prefix, with the flags laid over it. Whoever writes values names
    /// any host: the variables that name none are for the one that the command line names.
    pub(super) fn settings(&self, prefix: &Prefix) -> Result<Settings, Failure> {
        let flag = self.args.prefix()?;
        let usual = match flag.is_some_and(|flag| flag.host() == prefix.host()) {
            true => CredentialSource::Usual,
            false => CredentialSource::ByHost,
        };
        let producers = self.config.map(|config| config.producers.as_slice()).unwrap_or_default();
        let configured = producers.iter().find(|producer| producer.registry == *prefix);
        let mut settings = match configured {
            Some(configured) => configured.clone(),
            None => Settings::of_registry(prefix.clone(), usual.clone()),
        };
        if !matches!(settings.credentials, CredentialSource::Named(_)) {
            settings.credentials = usual;
        }
        Ok(self.args.over(settings))
    }
}

/// The registry of images whose values name none: that of the flags, else the only one of the configuration.
pub(super) fn fallback(args: &Reach, config: Option<&Config>) -> Result<Option<Prefix>, Failure> {
    if let Some(registry) = args.prefix()? {
        return Ok(Some(registry));
    }
    let producers = config.map(|config| config.producers.as_slice()).unwrap_or_default();
    Ok(match (lookup::asked(args, config)?, producers) {
        (Some(producer), _) | (None, [producer]) => Some(producer.registry.clone()),
        (None, _) => None,
    })
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
