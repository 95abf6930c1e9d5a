//! Port: the folder in which images are stored. What is visible in it is whole; everything else is not there.

use std::io::Result;

use crate::image_store::sparse::ImageSink;
use crate::image_store::{StoredImage, WantedImages};
use crate::release::Digest;

/// A folder of images.
pub trait ImageFolder: Send + Sync {
    /// What is said of the image with a key; none where nothing is, or nothing that can be read.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn image(&self, key: &str) -> Result<Option<StoredImage>>;

    /// How many bytes the image of a sha256 has; none where it is not there.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn blob(&self, sha256: &Digest) -> Result<Option<u64>>;

    /// Begins a file that is visible to nobody.
    ///
    /// # Errors
    /// It cannot be made.
    fn begin(&self) -> Result<Box<dyn ImageDraft>>;

    /// Says of an image under which key it is known. The image is there already.
    ///
    /// # Errors
    /// It cannot be written.
    fn put_image(&self, image: &StoredImage) -> Result<()>;

    /// Says what is wanted.
    ///
    /// # Errors
    /// It cannot be written.
    fn put_wanted(&self, wanted: &WantedImages) -> Result<()>;
}

/// A file that takes its place once it is whole. One that is dropped leaves nothing.
pub trait ImageDraft: ImageSink {
    /// Stores what was written for good, and makes it visible as the image of this sha256. It gives its bytes.
    ///
    /// # Errors
    /// It is not visible.
    fn publish(self: Box<Self>, sha256: &Digest) -> Result<u64>;
}
