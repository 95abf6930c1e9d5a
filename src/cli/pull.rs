//! `dibump pull`: the images that have to be served, verified and unpacked, in a folder.

pub(super) mod line;
mod own;
mod unwanted;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::args::images::{KeepArg, PullArgs as Args, PullFormat};
use super::deployment::Deployment;
use super::exit::Exit;
use super::failure::Failure;
use super::reached::{Reached, fallback};
use super::served::{ServedChoice, served};
use super::{Context, generations};
use crate::blob::{Blobs, RegistryBlob};
use crate::disk::images::DiskImages;
use crate::ending::{Ending, Ends as _, sentence};
use crate::image_folder::ImageFolder;
use crate::image_store::index::{WANTED_SCHEMA, WantedImage};
use crate::image_store::routes::{check_key, conflicts, routes};
use crate::image_store::{ExpectedImage, UnacceptableImage, WantedImages};
use crate::os_image::info::{Fault, FoundImage};
use crate::os_image::{ImageOrigin, OsImage, Published, attributes};
use crate::pull::{Clock, PullError, PullJob, PullOptions, Pulled, pull, want};
use crate::release::Prefix;
use crate::report;
use crate::report::pull::{PullReport, PulledReport};
use own::OwnImage;
use unwanted::{Tidied, Tidying};

/// How often a download is begun again that gets nowhere.
const TRIES: u32 = 5;

/// When an image was built (image-spec, annotations.md).
const CREATED: &str = "org.opencontainers.image.created";

/// What becomes of each image, by its key.
type Outcomes = BTreeMap<String, Result<Pulled, PullError>>;

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let end = pulled(context, args)?;
    end.print(context, args.format)?;
    Ok(end.exit())
}

/// What a pull did.
pub(in crate::cli) struct PullEnd {
    pub(super) report: PullReport,
    pub(super) tidied: Tidied,
    /// How the images ended.
    images: Exit,
    /// So many bytes were downloaded.
    pub(super) bytes: u64,
}

impl PullEnd {
    /// The worst of all that happened.
    pub(super) fn exit(&self) -> Exit {
        self.tidied.failures.iter().map(|failure| failure.exit).fold(self.images, Ord::max)
    }

    /// Says what went wrong beside the images.
    pub(super) fn complain(&self, context: &Context) {
        for failure in &self.tidied.failures {
            context.output.complain(&failure.render());
        }
    }

    fn print(&self, context: &Context, format: PullFormat) -> Result<(), Failure> {
        match format {
            PullFormat::Text => context.output.print(&(self.report.text() + &self.tidied.text()))?,
            PullFormat::Json => context.output.json(&self.report)?,
            PullFormat::ConfigMap => {
                let yaml = report::os_images_info::yaml(&self.tidied.map).map_err(Failure::person)?;
                context.output.print(&yaml)?;
            }
        }
        self.complain(context);
        Ok(())
    }
}

/// Pulls, and leaves it to the caller to tell of it. Told already is what is wrong with images.
pub(super) fn pulled(context: &Context, args: &Args) -> Result<PullEnd, Failure> {
    let config = context.config()?;
    let (reach, deployment) = (&args.deployment.reach, Deployment::read_some(&args.deployment)?);
    let mut images = deployment.selection(fallback(reach, config.as_ref())?.as_ref())?.images;
    let there = generations::published(context, reach, config.as_ref(), &deployment, images);
    images = context.block_on(there)?;
    if !args.all {
        let (known, workload_clusters) = (&args.known, args.workload_cluster.as_slice());
        let config = config.as_ref();
        let choice = ServedChoice { known, workload_clusters, reach, config, offline: false };
        images = context.block_on(served(context, &choice, &deployment, images))?;
    }
    deployment.say_lookups(context);
    if images.is_empty() && !args.allow_empty {
        let error = anyhow::anyhow!("no image is wanted; nothing was changed");
        return Err(Failure::ending(Ending::Refused, error).hint("--allow-empty accepts it"));
    }
    let tidying = Tidying::new(context, args)?;
    let opened = DiskImages::open(&args.into);
    let folder: Arc<dyn ImageFolder> =
        Arc::new(opened.map_err(|error| Failure::of_folder("write to", &args.into, error))?);
    context.online(config.as_ref(), reach, async |session| {
        let reached = Reached { context, args: reach, config: config.as_ref(), session };
        let pulling = Pulling { context, args, deployment: &deployment, images: &images, folder };
        pulling.pull(&reached, tidying).await
    })
}

struct Pulling<'a> {
    context: &'a Context,
    args: &'a Args,
    deployment: &'a Deployment,
    images: &'a [OsImage],
    folder: Arc<dyn ImageFolder>,
}

impl Pulling<'_> {
    async fn pull(&self, reached: &Reached<'_>, tidying: Tidying<'_>) -> Result<PullEnd, Failure> {
        let _lock = self.lock().await?;
        let mut outcomes = Outcomes::new();
        let jobs = self.jobs(reached, &mut outcomes).await?;
        let wanted = self.wanted(&jobs);
        let unwanted = want(&*self.folder, &wanted, self.context.environment.now).map_err(Failure::from)?;
        let sha256: BTreeMap<String, String> =
            jobs.iter().map(|job| (job.key.clone(), job.expected.sha256.hex().to_owned())).collect();
        let options = PullOptions {
            jobs: usize::from(self.args.jobs),
            tries: TRIES,
            backoff: reached.session.transport().settings().backoff,
            spools: self.args.spool,
            packs: self.args.keep == KeepArg::Compressed,
            clock: self.clock(),
        };
        outcomes.extend(pull(jobs, &self.folder, &options).await);
        let is_whole = outcomes.values().all(Result::is_ok);
        let tidied = tidying.tidy(&*self.folder, &wanted, unwanted, is_whole).await?;
        let endings = outcomes.values().filter_map(|outcome| outcome.as_ref().err());
        let images = endings.map(|error| error.ending().into()).max().unwrap_or(Exit::Done);
        let report = self.report(&outcomes, &sha256, &tidied);
        Ok(PullEnd { report, tidied, images, bytes: reached.session.transport().streamed() })
    }

    fn clock(&self) -> Clock {
        let environment = self.context.environment.clone();
        Arc::new(move || environment.clock())
    }

    /// Waits until no other pull stores images in the folder.
    async fn lock(&self) -> Result<std::fs::File, Failure> {
        let unusable = |error| Failure::of_folder("write to", &self.args.into, error);
        if let Some(lock) = self.folder.try_lock().map_err(unusable)? {
            return Ok(lock);
        }
        let folder = self.args.into.display();
        self.context.note(&format!("waiting for another pull into {folder} to end"));
        let folder = Arc::clone(&self.folder);
        let locked = tokio::task::spawn_blocking(move || folder.lock()).await.map_err(Failure::person)?;
        locked.map_err(unusable)
    }

    /// What is to be pulled; an image of which that cannot be said has its outcome already.
    async fn jobs(&self, reached: &Reached<'_>, outcomes: &mut Outcomes) -> Result<Vec<PullJob>, Failure> {
        let published: Vec<&Published> = self.images.iter().filter_map(OsImage::published).collect();
        let mut found = reached.found(self.deployment, &published).await?.into_iter();
        let mut registries: BTreeMap<&Prefix, Arc<dyn Blobs>> = BTreeMap::new();
        let mut jobs = Vec::new();
        for image in self.images {
            let published = match &image.origin {
                ImageOrigin::Published(published) => published,
                ImageOrigin::Own(properties) => {
                    match (OwnImage { key: &image.key, properties }).job(reached, self.args).await? {
                        Ok(job) => jobs.push(job),
                        Err(error) => drop(outcomes.insert(image.key.clone(), Err(error))),
                    }
                    continue;
                }
            };
            if !registries.contains_key(&published.prefix) {
                let settings = reached.settings(&published.prefix)?;
                registries.insert(&published.prefix, reached.session.blobs(&settings).await?);
            }
            let found = found.next().unwrap_or(Err(Fault::Missing));
            match self.job(image, published, found, &registries[&published.prefix]) {
                Ok(job) => jobs.push(job),
                Err(error) => drop(outcomes.insert(image.key.clone(), Err(error))),
            }
        }
        Ok(without_conflicts(jobs, outcomes))
    }

    fn job(
        &self,
        image: &OsImage,
        published: &Published,
        found: Result<FoundImage, Fault>,
        blobs: &Arc<dyn Blobs>,
    ) -> Result<PullJob, PullError> {
        let found = found?;
        check_key(&image.key)?;
        let created = found.annotations.get(CREATED).map(String::as_str);
        let (layer, attributes) = (found.only_layer.as_ref(), attributes(&found.annotations));
        let expected = ExpectedImage::new(layer, &attributes, created, self.args.max_image_size.0)?;
        let layer = expected.layer.as_ref().ok_or(UnacceptableImage::Layers)?;
        let source = Arc::new(RegistryBlob {
            registry: Arc::clone(blobs),
            repository: published.repository(),
            digest: layer.digest.clone(),
        });
        let (key, uri) = (image.key.clone(), published.uri());
        Ok(PullJob { key, uri, manifest: Some(found.digest), expected, source })
    }

    /// What is wanted, which is said before the first byte comes. Of an image whose manifest was not read, the routes are
    /// those that are known from before.
    fn wanted(&self, jobs: &[PullJob]) -> WantedImages {
        let known_before = |key: &str| {
            let known = self.folder.image(key).ok().flatten();
            known.map(|image| image.routes().to_vec()).unwrap_or_default()
        };
        let wanted = |image: &OsImage| {
            let job = jobs.iter().find(|job| job.key == image.key);
            let routes = job.map_or_else(|| known_before(&image.key), |job| routes_of(job).to_vec());
            let sha256 = job.map(|job| job.expected.sha256.hex().to_owned());
            (image.key.clone(), WantedImage { uri: uri(image), sha256, routes })
        };
        let images = self.images.iter().map(wanted).collect();
        let arguments = line::storable(&self.context.arguments);
        WantedImages { schema: WANTED_SCHEMA.to_owned(), arguments, images }
    }

    /// What became of each image; what is wrong with one is told on the way.
    fn report(&self, outcomes: &Outcomes, sha256: &BTreeMap<String, String>, tidied: &Tidied) -> PullReport {
        let mut reports = Vec::with_capacity(self.images.len());
        for image in self.images {
            let Some(outcome) = outcomes.get(&image.key) else { continue };
            if let Err(error) = outcome {
                self.complain(image, error);
            }
            let outcome = outcome.as_ref().copied().map_err(|error| sentence(error));
            let sha256 = sha256.get(&image.key).map(String::as_str);
            reports.push(PulledReport::new(&image.key, &uri(image), sha256, outcome));
        }
        PullReport::new(reports, tidied.reports(), tidied.applied)
    }

    fn complain(&self, image: &OsImage, error: &PullError) {
        let what = format!("`{}` {}", image.key, sentence(error));
        let what = match error {
            PullError::Manifest(Fault::Missing) => {
                let what = format!("{what} ({})", uri(image));
                self.deployment.with_advice(&what, &image.at, &image.key, None)
            }
            _ => what,
        };
        self.context.error(&self.deployment.said(&image.at, &what));
        if let Some(hint) = error.hint() {
            self.context.note(&hint);
        }
    }
}

/// Without images that would have to be served under the route of another one.
fn without_conflicts(mut jobs: Vec<PullJob>, outcomes: &mut Outcomes) -> Vec<PullJob> {
    let all: Vec<(String, [String; 2], String)> = jobs
        .iter()
        .map(|job| (job.key.clone(), routes_of(job), job.expected.sha256.hex().to_owned()))
        .collect();
    let all = all.iter().map(|(key, routes, sha256)| (key.as_str(), routes.clone(), sha256.as_str()));
    let found = conflicts(all);
    let keys: BTreeSet<String> = found.keys().map(|key| (*key).to_owned()).collect();
    outcomes.extend(found.into_iter().map(|(key, conflict)| (key.to_owned(), Err(conflict.into()))));
    jobs.retain(|job| !keys.contains(&job.key));
    jobs
}

fn routes_of(job: &PullJob) -> [String; 2] {
    routes(&job.key, &job.expected.format.to_string(), &job.expected.filename)
}

fn uri(image: &OsImage) -> String {
    match &image.origin {
        ImageOrigin::Published(published) => published.uri(),
        ImageOrigin::Own(properties) => {
            let uri = properties.get("uri").and_then(serde_json::Value::as_str);
            crate::release::without_user_info(uri.unwrap_or_default()).into_owned()
        }
    }
}
