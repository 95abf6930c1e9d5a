//! `dibump os-images-info`: what is known of the enabled images, to stdout, a file or a cluster.

use std::path::Path;

use super::args::consumer::{DataFormat, OnErrorArg, OsImagesInfoArgs as Args};
use super::deployment::{Deployment, document};
use super::exit::Exit;
use super::failure::Failure;
use super::reached::{Reached, fallback};
use super::{Context, cluster, generations};
use crate::cluster::{Apply, ConfigMap};
use crate::ending::{Ending, Ends as _};
use crate::os_image::config_map::{self, DATA_KEY};
use crate::os_image::info::{Fault, Gathered, ImageInfo, Info, OnError, entry, gather};
use crate::os_image::machine_image::{ApiVersion, Demands};
use crate::os_image::{EnabledImages, OsImage, Published};
use crate::release::counted;
use crate::report;

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let config = context.config()?;
    let deployment = Deployment::read_some(&args.deployment)?;
    if args.on_error == OnErrorArg::Keep && args.output.is_none() && !args.apply {
        return Err(Failure::usage("--on-error keep keeps what --output or --apply has: name one of them"));
    }
    let reach = &args.deployment.reach;
    let mut selection = deployment.selection(fallback(reach, config.as_ref())?.as_ref())?;
    deployment.say_lookups(context);
    let images = std::mem::take(&mut selection.images);
    let there = generations::published(context, reach, config.as_ref(), &deployment, images);
    selection.images = context.block_on(there)?;
    let informing = Informing { context, args, deployment: &deployment, selection: &selection };
    context.online(config.as_ref(), reach, async |session| {
        informing.inform(&Reached { context, args: reach, config: config.as_ref(), session }).await
    })
}

struct Informing<'a> {
    context: &'a Context,
    args: &'a Args,
    deployment: &'a Deployment,
    selection: &'a EnabledImages,
}

impl Informing<'_> {
    async fn inform(&self, reached: &Reached<'_>) -> Result<Exit, Failure> {
        let entries = self.entries(reached).await?;
        let before = if self.args.on_error == OnErrorArg::Keep { self.before().await? } else { None };
        let gathered = gather(self.selection.form, entries, self.args.on_error.into(), before.as_ref());
        self.complain(&gathered);
        let mut applied = None;
        if let Some(info) = &gathered.info {
            self.must_not_empty(info).await?;
            applied = self.write(info).await?;
        }
        if self.args.format == DataFormat::Json {
            self.context.output.json(&report::os_images_info::json(
                self.selection.form,
                &gathered,
                applied,
            ))?;
        }
        Ok(exit(&gathered))
    }

    async fn entries(
        &self,
        reached: &Reached<'_>,
    ) -> Result<Vec<(String, Result<ImageInfo, Fault>)>, Failure> {
        let images = &self.selection.images;
        let published: Vec<&Published> = images.iter().filter_map(OsImage::published).collect();
        let mut found = reached.found(self.deployment, &published).await?.into_iter();
        let url = self.args.served.url_template.clone().unwrap_or_default();
        let demands =
            Demands { https: self.args.served.https_only, capm3: ApiVersion::V1Beta1.usual_capm3() };
        let form = self.selection.form;
        let entry = |image: &OsImage| match image.published().and_then(|_| found.next()) {
            Some(Ok(found)) => entry(image, Some(&found), form, &url, &demands),
            Some(Err(fault)) => Err(fault),
            None => entry(image, None, form, &url, &demands),
        };
        let entries = images.iter().map(|image| image.key.clone()).zip(images.iter().map(entry));
        Ok(entries.collect())
    }

    /// What the file or the cluster has at present.
    async fn before(&self) -> Result<Option<Info>, Failure> {
        let map = &self.args.config_map;
        if self.args.apply {
            let cluster = cluster::open(self.context, map).await?;
            let found = cluster.config_map(map.namespace.as_deref(), &map.name).await?;
            let values = found.as_ref().and_then(|found| found.data.get(DATA_KEY));
            let unreadable = |error| Failure::person(anyhow::anyhow!("ConfigMap {}: {error}", map.name));
            return values.map(|values| config_map::of_text(values)).transpose().map_err(unreadable);
        }
        match self.args.output.as_deref().filter(|path| crate::disk::exists(path)) {
            Some(path) => read(path).map(Some),
            None => Ok(None),
        }
    }

    /// Refuses to write no image where there are some: machines boot by what is there.
    async fn must_not_empty(&self, info: &Info) -> Result<(), Failure> {
        if !info.images.is_empty() || self.args.allow_empty {
            return Ok(());
        }
        match self.before().await?.map_or(0, |before| before.images.len()) {
            0 => Ok(()),
            some => {
                let name = &self.args.config_map.name;
                let images = counted(some, "image");
                let what =
                    format!("ConfigMap {name} has {images}, and none would be left; nothing was written");
                Err(Failure::ending(Ending::Refused, anyhow::anyhow!(what))
                    .hint("--allow-empty writes it all the same"))
            }
        }
    }

    async fn write(&self, info: &Info) -> Result<Option<&'static str>, Failure> {
        let map = &self.args.config_map;
        let made = report::os_images_info::config_map(info, &map.name, map.namespace.as_deref());
        let made = made.map_err(Failure::person)?;
        if self.args.apply {
            return self.apply(&made, info.images.len()).await.map(Some);
        }
        let yaml = report::os_images_info::yaml(&made).map_err(Failure::person)?;
        match &self.args.output {
            Some(path) => crate::disk::write_whole(path, yaml.as_bytes())?,
            None if self.args.format == DataFormat::Yaml => self.context.output.print(&yaml)?,
            None => {}
        }
        Ok(None)
    }

    async fn apply(&self, map: &ConfigMap, images: usize) -> Result<&'static str, Failure> {
        let cluster = cluster::open(self.context, &self.args.config_map).await?;
        let args = self.args;
        let take_over_from = args.take_over_from.clone();
        let how = Apply { dry_run: args.dry_run, force: args.force_conflicts, take_over_from };
        let applied = crate::apply::config_map(&*cluster, map, &how).await.map_err(Failure::from)?;
        let word = cluster::word(applied);
        if self.args.format == DataFormat::Yaml {
            let dry = if self.args.dry_run { " (dry run)" } else { "" };
            self.context.output.print(&format!("ConfigMap {}: {word}{dry}, {images} images\n", map.name))?;
        }
        Ok(word)
    }

    /// Everything that is wrong, each with its place in the values.
    fn complain(&self, gathered: &Gathered) {
        for (key, fault, kept) in &gathered.faults {
            let what = match (fault, kept) {
                (fault, true) => format!("`{key}` {fault}; what was known of it before stays"),
                (fault, false) => format!("`{key}` {fault}"),
            };
            let image = self.selection.images.iter().find(|image| image.key == *key);
            let said = image.map_or(what.clone(), |image| match fault {
                Fault::Missing => {
                    let what = self.deployment.with_advice(&what, &image.at, key, None);
                    self.deployment.said(&image.at, &what)
                }
                _ => self.deployment.said(&image.at, &what),
            });
            self.context.error(&said);
        }
        if gathered.info.is_none() {
            self.context.note("nothing was written");
        }
    }
}

/// A ConfigMap in a file, or on stdin.
pub(super) fn read(path: &Path) -> Result<Info, Failure> {
    let (name, document) = document(path)?;
    config_map::read(&document).map_err(|error| Failure::person(anyhow::anyhow!("{name}: {error}")))
}

fn exit(gathered: &Gathered) -> Exit {
    gathered.faults.iter().map(|(_, fault, _)| fault.ending().into()).max().unwrap_or(Exit::Done)
}

impl From<OnErrorArg> for OnError {
    fn from(on_error: OnErrorArg) -> Self {
        match on_error {
            OnErrorArg::Omit => Self::Omit,
            OnErrorArg::Keep => Self::Keep,
            OnErrorArg::Fail => Self::Fail,
        }
    }
}
