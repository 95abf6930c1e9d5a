//! The folder of images: files without a name until they are whole, with holes where there are zeros.

use std::fs::File;
use std::io::{ErrorKind, Result, Write as _};
use std::path::{Path, PathBuf};

use super::regular;
use super::replace::{Draft, replace};
use crate::image_folder::{ImageDraft, ImageFolder};
use crate::image_store::index::{IMAGE_SCHEMA, IMAGES, WANTED, blob_path, image_path};
use crate::image_store::sparse::ImageSink;
use crate::image_store::{StoredImage, WantedImages};
use crate::release::Digest;

/// The largest file of the index that is read.
const MOST: u64 = 64 << 10;

/// A folder of images on this machine.
#[derive(Debug, Clone)]
pub struct DiskImages {
    root: PathBuf,
}

/// A file that takes its place once it is whole.
struct DiskDraft {
    draft: Draft,
    root: PathBuf,
    /// Where the next byte goes: a hole at the end has not made the file longer yet.
    size: u64,
}

impl DiskImages {
    /// Opens the folder, and makes it where it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        for folder in [root.join(IMAGES), blobs(root)] {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { root: root.to_owned() })
    }
}

impl ImageFolder for DiskImages {
    fn image(&self, key: &str) -> Result<Option<StoredImage>> {
        match regular::read(&self.root.join(image_path(key)), MOST) {
            Ok(bytes) => {
                let image = serde_json::from_slice(&bytes).ok();
                Ok(image.filter(|image: &StoredImage| image.schema == IMAGE_SCHEMA && image.key == key))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn blob(&self, sha256: &Digest) -> Result<Option<u64>> {
        match std::fs::symlink_metadata(self.root.join(blob_path(sha256.hex()))) {
            Ok(metadata) => Ok(metadata.is_file().then_some(metadata.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn begin(&self) -> Result<Box<dyn ImageDraft>> {
        let draft = Draft::begin(&blobs(&self.root))?;
        Ok(Box::new(DiskDraft { draft, root: self.root.clone(), size: 0 }))
    }

    fn put_image(&self, image: &StoredImage) -> Result<()> {
        replace(&self.root.join(image_path(&image.key)), &json(image)?)?;
        synced(&self.root.join(IMAGES))
    }

    fn put_wanted(&self, wanted: &WantedImages) -> Result<()> {
        replace(&self.root.join(WANTED), &json(wanted)?)
    }
}

impl ImageSink for DiskDraft {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.size += bytes.len() as u64;
        self.draft.file().write_all(bytes)
    }

    fn hole(&mut self, length: u64) -> Result<()> {
        use std::io::{Seek as _, SeekFrom};
        self.size += length;
        self.draft.file().seek(SeekFrom::Start(self.size)).map(drop)
    }
}

impl ImageDraft for DiskDraft {
    fn publish(mut self: Box<Self>, sha256: &Digest) -> Result<u64> {
        let file = self.draft.file();
        file.set_len(self.size)?;
        file.sync_all()?;
        self.draft.publish(&self.root.join(blob_path(sha256.hex())))?;
        synced(&blobs(&self.root)).map(|()| self.size)
    }
}

fn blobs(root: &Path) -> PathBuf {
    root.join("blobs").join("sha256")
}

/// Stores for good which names a folder has.
fn synced(folder: &Path) -> Result<()> {
    File::open(folder)?.sync_all()
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec_pretty(value)?)
}
