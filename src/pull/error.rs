//! Why an image was not pulled.

use std::sync::Arc;

use crate::ending::{Ending, Ends};
use crate::image_store::UnacceptableImage;
use crate::image_store::expected::Unexpected;
use crate::os_image::info::Fault;
use crate::registry::RegistryError;
use crate::release::{Digest, Size};

/// Why an image is not there.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PullError {
    /// Its manifest was not read, or is not to be trusted.
    #[error("{0}")]
    Manifest(Fault),
    /// It cannot be stored or served.
    #[error("cannot be stored: {0}")]
    Unacceptable(UnacceptableImage),
    /// The registry does not hand it out.
    #[error("could not be downloaded")]
    Download(#[from] RegistryError),
    /// What was received is not what was asked for, however often.
    #[error("could not be downloaded: the layer of {uri} has the digest {found} in place of {layer}")]
    Garbled {
        /// The image.
        uri: String,
        /// The digest that was asked for.
        layer: Digest,
        /// The digest of what was received.
        found: Digest,
    },
    /// The server has other content each time that a download goes on.
    #[error("could not be downloaded: {uri} had other content each time the download resumed")]
    Restless {
        /// The image.
        uri: String,
    },
    /// The folder has too little room for all that is missing.
    #[error("was not downloaded: the missing images need {}, and the folder has room for {}", Size(*.need), Size(*.have))]
    NoRoom {
        /// What they need.
        need: u64,
        /// What there is.
        have: u64,
    },
    /// The folder cannot be used.
    #[error("couldn't {action} the folder of images")]
    Folder {
        /// What was done.
        action: &'static str,
        /// What happened.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// A defect of ours.
    #[error("could not be decoded: {0}")]
    Panicked(String),
}

impl PullError {
    /// The folder failed.
    pub(super) fn folder(action: &'static str, error: std::io::Error) -> Self {
        Self::Folder { action, source: Arc::new(error) }
    }
}

impl Ends for PullError {
    fn ending(&self) -> Ending {
        match self {
            Self::Manifest(fault) => fault.ending(),
            Self::Unacceptable(unacceptable) => unacceptable.ending(),
            Self::Download(error) => error.ending(),
            Self::Garbled { .. } | Self::Restless { .. } => Ending::Unknown,
            Self::NoRoom { .. } | Self::Folder { .. } => Ending::Person,
            Self::Panicked(_) => Ending::Bug,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Manifest(fault) => fault.hint(),
            Self::Download(error) => error.hint(),
            Self::Folder { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Some(
                    "make room in the folder, and run it again: images that are complete are kept".to_owned(),
                ),
                _ => None,
            },
            Self::NoRoom { .. } => {
                Some("make room in the folder, or name another one with --into".to_owned())
            }
            _ => None,
        }
    }
}

impl From<Fault> for PullError {
    fn from(fault: Fault) -> Self {
        Self::Manifest(fault)
    }
}

impl From<Unexpected> for PullError {
    fn from(unexpected: Unexpected) -> Self {
        match unexpected {
            Unexpected::Unusable(unusable) => Self::Manifest(Fault::Unfit(unusable)),
            Unexpected::Unacceptable(unacceptable) => Self::Unacceptable(unacceptable),
        }
    }
}

impl From<UnacceptableImage> for PullError {
    fn from(unacceptable: UnacceptableImage) -> Self {
        Self::Unacceptable(unacceptable)
    }
}
