//! Images of one's own (`os_images`): of a registry or a web server, and only as the values' own checksum says.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use url::Url;

use super::CREATED;
use crate::blob::{BlobSource, RegistryBlob};
use crate::cli::args::images::PullArgs as Args;
use crate::cli::failure::Failure;
use crate::cli::reached::Reached;
use crate::http::is_allowed;
use crate::image_store::routes::check_key;
use crate::image_store::{ExpectedImage, UnacceptableImage};
use crate::os_image::info::Fault;
use crate::os_image::machine_image::{UnusableImage, sha256};
use crate::os_image::{artifact, attributes};
use crate::pull::{PullError, PullJob};
use crate::release::{ImageKey, Prefix, Tag, without_user_info};

/// An image of one's own, as the values say it.
pub(super) struct OwnImage<'a> {
    pub(super) key: &'a str,
    pub(super) properties: &'a Map<String, Value>,
}

impl OwnImage<'_> {
    /// What is to be pulled. The outer error is that of the command, the inner one that of this image.
    pub(super) async fn job(
        &self,
        reached: &Reached<'_>,
        args: &Args,
    ) -> Result<Result<PullJob, PullError>, Failure> {
        let attributes = self.attributes();
        if let Err(error) = self.checked(&attributes) {
            return Ok(Err(error));
        }
        let uri = attributes.get("uri").cloned().unwrap_or_default();
        match artifact(&uri) {
            Some(named) => self.of_registry(reached, args, &uri, named, attributes).await,
            None => Ok(self.of_web(reached, args, &uri, attributes)),
        }
    }

    /// Its properties as annotations say them.
    fn attributes(&self) -> BTreeMap<String, String> {
        let text = |(name, value): (&String, &Value)| match value {
            Value::String(text) => Some((name.clone(), text.clone())),
            // As in Helm, numbers are floating once files were merged.
            Value::Number(number) => {
                let number = number.to_string();
                Some((name.clone(), number.strip_suffix(".0").unwrap_or(&number).to_owned()))
            }
            _ => None,
        };
        self.properties.iter().filter_map(text).collect()
    }

    /// It is not signed: the values say what it must be.
    fn checked(&self, attributes: &BTreeMap<String, String>) -> Result<(), PullError> {
        check_key(self.key)?;
        sha256(attributes).map_err(unusable)?;
        Ok(())
    }

    async fn of_registry(
        &self,
        reached: &Reached<'_>,
        args: &Args,
        uri: &str,
        (prefix, name, tag): (Prefix, ImageKey, Tag),
        own: BTreeMap<String, String>,
    ) -> Result<Result<PullJob, PullError>, Failure> {
        let settings = reached.settings(&prefix)?;
        let registry = reached.session.registry(&settings).await?;
        let repository = prefix.repository(&name);
        let found = registry.manifests(std::slice::from_ref(&repository), &tag).await.pop();
        let manifest = match found {
            Some(Ok(Some(manifest))) => manifest,
            Some(Ok(None)) | None => return Ok(Err(Fault::Missing.into())),
            Some(Err(error)) => return Ok(Err(error.into())),
        };
        let mut known = attributes(&manifest.annotations);
        known.extend(own);
        let created = manifest.annotations.get(CREATED).map(String::as_str);
        let layer = manifest.only_layer.as_ref();
        let expected = match ExpectedImage::new(layer, &known, created, args.max_image_size.0) {
            Ok(expected) => expected,
            Err(unexpected) => return Ok(Err(unexpected.into())),
        };
        let Some(layer) = &expected.layer else { return Ok(Err(UnacceptableImage::Layers.into())) };
        let digest = layer.digest.clone();
        let registry = reached.session.blobs(&settings).await?;
        let source = Arc::new(RegistryBlob { registry, repository, digest });
        Ok(Ok(self.pulled_from(uri, source, Some(manifest.digest), expected)))
    }

    fn of_web(
        &self,
        reached: &Reached<'_>,
        args: &Args,
        uri: &str,
        mut own: BTreeMap<String, String>,
    ) -> Result<PullJob, PullError> {
        let odd = || UnacceptableImage::Source(without_user_info(uri).into_owned());
        let url: Url = uri.parse().map_err(|_| odd())?;
        let is_web = matches!(url.scheme(), "http" | "https");
        if !is_web || !url.username().is_empty() || url.password().is_some() {
            return Err(odd().into());
        }
        if !is_allowed(&url, &args.allow_host) {
            return Err(UnacceptableImage::Host(url.host_str().unwrap_or_default().to_owned()).into());
        }
        if !own.contains_key("filename") {
            let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
            let name = percent_encoding::percent_decode_str(last).decode_utf8_lossy().into_owned();
            own.insert("filename".to_owned(), name);
        }
        let expected = ExpectedImage::of_file(&own, None, args.max_image_size.0)?;
        let source = reached.session.web_file(url, args.allow_host.clone().into());
        Ok(self.pulled_from(uri, source, None, expected))
    }

    fn pulled_from(
        &self,
        uri: &str,
        source: Arc<dyn BlobSource>,
        manifest: Option<crate::release::Digest>,
        expected: ExpectedImage,
    ) -> PullJob {
        PullJob { key: self.key.to_owned(), uri: uri.to_owned(), manifest, expected, source }
    }
}

fn unusable(unusable: UnusableImage) -> PullError {
    PullError::Manifest(Fault::Unfit(unusable))
}
