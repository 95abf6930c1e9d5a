//! Port: the folder in which images are stored. What is visible in it is whole; everything else is not there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Result;
use std::time::SystemTime;

use crate::image_store::sparse::ImageSink;
use crate::image_store::{StoredImage, UnwantedImages, WantedImages};
use crate::release::Digest;

/// A folder of images.
pub trait ImageFolder: Send + Sync {
    /// What is said of the image with a key; none where nothing is, or nothing that can be read.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn image(&self, key: &str) -> Result<Option<StoredImage>>;

    /// How many bytes the file of an image has, by its name; none where it is not there.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn blob(&self, name: &str) -> Result<Option<u64>>;

    /// How many bytes the file of each image has that is there, by its name, whatever is said of it.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn blobs(&self) -> Result<BTreeMap<String, u64>>;

    /// What is wanted; none where nothing says it.
    ///
    /// # Errors
    /// The folder cannot be read, or what it says of that.
    fn wanted(&self) -> Result<Option<WantedImages>>;

    /// What is stored and not wanted, as far as it was noticed.
    ///
    /// # Errors
    /// The folder cannot be read, or what it says of that.
    fn unwanted(&self) -> Result<UnwantedImages>;

    /// What is said of all images.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn images(&self) -> Result<Vec<StoredImage>>;

    /// Opens the file of an image; none where it is not there.
    ///
    /// # Errors
    /// It cannot be opened.
    fn open(&self, name: &str) -> Result<Option<(File, FileStamp)>>;

    /// The sha256 of the image that is in a file, which may be compressed; none where it is not there.
    ///
    /// # Errors
    /// It cannot be read.
    fn hash(&self, name: &str) -> Result<Option<Digest>>;

    /// Waits until nothing else stores images in the folder, and keeps others out until the file is dropped. It blocks.
    ///
    /// # Errors
    /// The folder cannot be locked.
    fn lock(&self) -> Result<File>;

    /// The same without waiting; none where something else stores images in the folder.
    ///
    /// # Errors
    /// The folder cannot be locked.
    fn try_lock(&self) -> Result<Option<File>>;

    /// How many bytes can still be stored.
    ///
    /// # Errors
    /// The system does not tell.
    fn free(&self) -> Result<u64>;

    /// Begins a file that is visible to nobody.
    ///
    /// # Errors
    /// It cannot be made.
    fn begin(&self) -> Result<Box<dyn ImageDraft>>;

    /// What was received of a layer by a download before, to be gone on with.
    ///
    /// # Errors
    /// It cannot be opened.
    fn spool(&self, layer: &Digest) -> Result<Box<dyn LayerSpool>>;

    /// Removes what was received of all layers.
    ///
    /// # Errors
    /// Some of it is still there.
    fn clear_spool(&self) -> Result<()>;

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

    /// Says what is stored and not wanted.
    ///
    /// # Errors
    /// It cannot be written.
    fn put_unwanted(&self, unwanted: &UnwantedImages) -> Result<()>;

    /// Forgets what is said of the image with a key.
    ///
    /// # Errors
    /// It is still there.
    fn forget_image(&self, key: &str) -> Result<()>;

    /// Removes the file of an image. Where it is being sent it stays until that ends.
    ///
    /// # Errors
    /// It is still there.
    fn remove_blob(&self, name: &str) -> Result<()>;
}

/// By what a file is known to be the same as before, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    /// Its bytes.
    pub size: u64,
    /// Which file of the file system it is.
    pub inode: u64,
    /// When it was changed, if the system tells.
    pub modified: Option<SystemTime>,
}

/// A file that takes its place once it is whole. One that is dropped leaves nothing.
pub trait ImageDraft: ImageSink {
    /// Stores what was written for good, and makes it visible under this name. It gives its bytes.
    ///
    /// # Errors
    /// It is not visible.
    fn publish(self: Box<Self>, name: &str) -> Result<u64>;
}

/// What was received of a layer, kept until its image is stored. It may be anything: who reads it hashes it.
pub trait LayerSpool: Send {
    /// How many bytes there are.
    fn received(&self) -> u64;

    /// What the server called the content that they are of.
    fn validator(&self) -> Option<String>;

    /// Reads on, from the beginning; 0 at the end.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&mut self, room: &mut [u8]) -> Result<usize>;

    /// Appends what was received of content that the server calls so.
    ///
    /// # Errors
    /// It is not kept.
    fn append(&mut self, bytes: &[u8], validator: Option<&str>) -> Result<()>;

    /// Removes it.
    ///
    /// # Errors
    /// It is still there.
    fn discard(&mut self) -> Result<()>;
}
