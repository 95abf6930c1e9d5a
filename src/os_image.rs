//! The consumer's side: which images a deployment enables, what is known of them, and the image of a Metal3 machine.
//!
//! The rules are those of the charts that read the same values (sylva-core, sylva-capi-cluster and their library);
//! `check` judges by the same functions. Data flows one way: merged values → [`select`] → what the registry says of each
//! image → [`info`] → [`machine_image`].

mod advice;
mod attributes;
pub mod cluster;
pub mod config_map;
pub mod definition;
pub mod info;
pub mod kubernetes;
pub mod machine;
pub mod machine_image;
mod nearest;
mod problem;
mod registries;
mod select;
pub mod selector;
pub mod served;
pub mod url;
pub mod used;
mod wanted;

use serde_json::{Map, Value};

pub use advice::{ImageNames, advice};
pub use attributes::attributes;
pub use nearest::nearest;
pub use problem::{Problem, Wrong};
pub use select::{EnabledImages, artifact, form, select};
pub use wanted::listed;

use crate::release::{ImageKey, Prefix, Repository, Tag};
use crate::sylva::{COSIGN_KEY, DIB_IMAGE, IMAGES};
use crate::values::KeyPath;

/// Which of the two forms values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `diskimage_builder_os_images`, of which `enabled: true` chooses (sylva-core issue #729).
    Proposal,
    /// `sylva_diskimagebuilder_images`, of which each names its registry (sylva-core since 2024).
    SylvaCore,
    /// The same where registries have generations, each at a release of its own (sylva-core since 1.6): every listed image is
    /// one of its registry and one of each generation of it. Reconstructed from public statements; the chart was not seen.
    Sylva16,
}

/// An image that a deployment enables.
#[derive(Debug, Clone, PartialEq)]
pub struct OsImage {
    /// Its key in `os_images`, templates resolved.
    pub key: String,
    /// Where it is written.
    pub at: KeyPath,
    /// Whose it is.
    pub origin: ImageOrigin,
    /// The entry of the registries, where it is a generation: nothing says that its release has the image.
    pub generation: Option<String>,
}

/// Whose image it is.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageOrigin {
    /// The user's own, with its properties as they are written, templates resolved.
    Own(Map<String, Value>),
    /// An artifact of a producer.
    Published(Published),
}

/// An artifact of a producer, as the values name it.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Where the producer publishes.
    pub prefix: Prefix,
    /// The last path segment of its repository.
    pub key: ImageKey,
    /// Its tag.
    pub tag: Tag,
    /// The entries of the values that may have a public key for it: those of its registry, or its own once rendered.
    pub registries: Vec<KeyPath>,
    /// The public key (PEM) that the registry's entry gives, which charts hand on.
    pub cosign_key: Result<Option<String>, Problem>,
    /// Its other properties, where it was rendered before.
    pub more: Map<String, Value>,
}

impl Form {
    /// The mapping that has its images.
    pub fn mapping(self) -> &'static str {
        match self {
            Self::Proposal => IMAGES[0],
            Self::SylvaCore | Self::Sylva16 => IMAGES[1],
        }
    }
}

impl OsImage {
    /// The artifact, where it is one.
    pub fn published(&self) -> Option<&Published> {
        match &self.origin {
            ImageOrigin::Published(published) => Some(published),
            ImageOrigin::Own(_) => None,
        }
    }

    /// Its properties in `os_images`.
    pub fn properties(&self, form: Form) -> Map<String, Value> {
        let published = match &self.origin {
            ImageOrigin::Own(properties) => return properties.clone(),
            ImageOrigin::Published(published) => published,
        };
        let mut properties = published.more.clone();
        properties.insert("uri".to_owned(), published.uri().into());
        if form != Form::Proposal {
            properties.insert(DIB_IMAGE.to_owned(), true.into());
            if let Ok(Some(key)) = &published.cosign_key {
                properties.insert(COSIGN_KEY.to_owned(), key.clone().into());
            }
        }
        properties
    }
}

impl Published {
    /// Its repository.
    pub fn repository(&self) -> Repository {
        self.prefix.repository(&self.key)
    }

    /// Its address, as charts write it.
    pub fn uri(&self) -> String {
        format!("oci://{}:{}", self.repository(), self.tag)
    }
}
