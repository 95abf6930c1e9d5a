//! Images that are not handed on.

use super::{CREDENTIALS, Ending, Ends};
use crate::image_store::UnacceptableImage;
use crate::os_image::config_map::NotOsImagesInfo;
use crate::os_image::info::Fault;
use crate::os_image::machine_image::UnusableImage;

impl Ends for Fault {
    fn ending(&self) -> Ending {
        match self {
            Self::Missing | Self::Broken(_) | Self::Refused(_) | Self::Unusable(_) => Ending::Person,
            Self::Unfit(refusal) => refusal.ending(),
            Self::WrongImage(_) | Self::Signature(_) => Ending::Refused,
            Self::Unknown(_) => Ending::Unknown,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::Refused(_)).then(|| CREDENTIALS.to_owned())
    }
}

/// A machine would not boot it, or boot what nobody checked.
impl Ends for UnusableImage {
    fn ending(&self) -> Ending {
        Ending::Refused
    }
}

/// A ConfigMap that cannot be read stays so until a person mends it.
impl Ends for NotOsImagesInfo {
    fn ending(&self) -> Ending {
        Ending::Person
    }
}

/// Its bytes are those of its digest: the next try gives the same, and to boot from it would be unsafe.
impl Ends for UnacceptableImage {
    fn ending(&self) -> Ending {
        Ending::Refused
    }
}
