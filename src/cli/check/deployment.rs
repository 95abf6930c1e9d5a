//! The files of one deployment: the first holds version and mapping, those that list images too are laid over it, and the
//! others speak of them.

use std::path::PathBuf;

use crate::cli::args::TargetFileArgs;
use crate::cli::deployment::document;
use crate::cli::failure::Failure;
use crate::cli::local::{self, Local};
use crate::config::Config;
use crate::disk::values_file::ValuesFile;
use crate::plan::FileSpec;
use crate::release::Version;
use crate::sylva::{IMAGES, VERSION};
use crate::values::{Document, KeyPath};

/// The files of a deployment, by what they are.
pub(super) struct DeploymentFiles<'a> {
    /// Those with a mapping of images.
    pub(super) local: Local<'a>,
    /// The others.
    pub(super) others: Vec<(String, Document)>,
    /// The version of the last file that has one, where that is not the first.
    pub(super) version: Option<Version>,
}

impl<'a> DeploymentFiles<'a> {
    pub(super) fn read(
        args: &TargetFileArgs,
        files: &[PathBuf],
        config: Option<&'a Config>,
    ) -> Result<Self, Failure> {
        let (first, rest) = files.split_first().ok_or_else(|| Failure::usage("no values file is named"))?;
        let local = local::of_file_alone(args, first, config)?;
        let mut deployment = Self { local, others: Vec::new(), version: None };
        for path in rest {
            let (name, document) = document(path)?;
            deployment.version = version(&document).or(deployment.version);
            if lists_images(&document) {
                deployment.local.files.push(ValuesFile::read(path)?);
                let overlay = FileSpec { path: name, overlay: true, version_key: None, images_key: None };
                deployment.local.target.files.push(overlay);
            } else {
                deployment.others.push((name, document));
            }
        }
        Ok(deployment)
    }
}

/// What cannot be read is told by whoever reads it as an overlay.
fn lists_images(document: &Document) -> bool {
    IMAGES.iter().any(|name| !matches!(document.mapping(&KeyPath(vec![(*name).to_owned()])), Ok(None)))
}

fn version(document: &Document) -> Option<Version> {
    let scalar = document.scalar(&KeyPath(vec![VERSION.to_owned()])).ok()??;
    scalar.value.parse().ok()
}
