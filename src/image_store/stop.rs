//! Why unpacking ends before the end of a layer.

use std::io::Error;

use super::UnacceptableImage;

/// Whose fault it is.
pub(super) enum Stop {
    /// That of the artifact.
    Image(UnacceptableImage),
    /// What was read could not be read, or not be decompressed.
    Read(Error),
    /// The image could not be handed on.
    Write(Error),
}

impl From<UnacceptableImage> for Stop {
    fn from(unacceptable: UnacceptableImage) -> Self {
        Self::Image(unacceptable)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Read(error)
    }
}
