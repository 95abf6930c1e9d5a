//! The folder of images: files without a name until they are whole, with holes where there are zeros.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{BufReader, Error, ErrorKind, Read, Result, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::bufread::MultiGzDecoder;

use super::replace::{HiddenFile, replace};
use super::spool::DiskSpool;
use super::{regular, spool};
use crate::image_folder::{FileStamp, ImageDraft, ImageFolder, LayerSpool};
use crate::image_store::index::{IMAGE_SCHEMA, IMAGES, PACKED, WANTED, blob_path, image_path};
use crate::image_store::sparse::ImageSink;
use crate::image_store::unwanted::{UNWANTED, UnwantedImages};
use crate::image_store::{StoredImage, WantedImages};
use crate::release::Digest;

/// The largest file of the index that is read.
const MOST: u64 = 64 << 10;

/// The largest list of what is wanted.
const MOST_WANTED: u64 = 16 << 20;

/// The file that a pull locks.
const LOCK: &str = ".lock";

/// How much of a file is hashed at once.
const HASHED_AT_ONCE: usize = 1 << 20;

/// A folder of images on this machine.
#[derive(Debug, Clone)]
pub struct DiskImages {
    root: PathBuf,
}

/// A file that takes its place once it is whole.
struct DiskDraft {
    draft: HiddenFile,
    root: PathBuf,
    /// Where the next byte goes: a hole at the end has not made the file longer yet.
    size: u64,
}

impl DiskImages {
    /// The folder as it is there.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Opens the folder, and makes it where it is not there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(root: &Path) -> Result<Self> {
        for folder in [root.join(IMAGES), blobs(root)] {
            of(&folder, std::fs::create_dir_all(&folder))?;
        }
        Ok(Self::at(root))
    }

    fn lock_file(&self) -> Result<File> {
        let path = self.root.join(LOCK);
        of(&path, File::create(&path))
    }

    /// One of the lists of the folder; none where it does not exist.
    fn list<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.root.join(name);
        let Some(bytes) = there(of(&path, regular::read(&path, MOST_WANTED)))? else { return Ok(None) };
        let unreadable =
            |error| Error::new(ErrorKind::InvalidData, format!("{} cannot be read: {error}", path.display()));
        serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
    }
}

impl ImageFolder for DiskImages {
    fn image(&self, key: &str) -> Result<Option<StoredImage>> {
        let path = self.root.join(image_path(key));
        let bytes = there(of(&path, regular::read(&path, MOST)))?;
        let image = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(image.filter(|image: &StoredImage| image.schema == IMAGE_SCHEMA && image.key == key))
    }

    fn wanted(&self) -> Result<Option<WantedImages>> {
        self.list(WANTED)
    }

    fn unwanted(&self) -> Result<UnwantedImages> {
        self.list(UNWANTED).map(Option::unwrap_or_default)
    }

    fn blobs(&self) -> Result<BTreeMap<String, u64>> {
        let mut found = BTreeMap::new();
        let folder = blobs(&self.root);
        for entry in of(&folder, std::fs::read_dir(&folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_blob(name)) else { continue };
            let metadata = there(entry.metadata())?.filter(std::fs::Metadata::is_file);
            found.extend(metadata.map(|metadata| (name.to_owned(), metadata.len())));
        }
        Ok(found)
    }

    fn images(&self) -> Result<Vec<StoredImage>> {
        let mut images = Vec::new();
        let folder = self.root.join(IMAGES);
        for entry in of(&folder, std::fs::read_dir(&folder))? {
            let name = entry?.file_name();
            if let Some(key) = name.to_str().and_then(|name| name.strip_suffix(".json")) {
                images.extend(self.image(key)?);
            }
        }
        Ok(images)
    }

    fn open(&self, name: &str) -> Result<Option<(File, FileStamp)>> {
        let path = self.root.join(blob_path(name));
        let Some(file) = there(of(&path, File::open(&path)))? else { return Ok(None) };
        let metadata = file.metadata()?;
        let stamp =
            FileStamp { size: metadata.len(), inode: inode(&metadata), modified: metadata.modified().ok() };
        Ok(metadata.is_file().then_some((file, stamp)))
    }

    fn hash(&self, name: &str) -> Result<Option<Digest>> {
        let Some((file, _)) = self.open(name)? else { return Ok(None) };
        let mut image: Box<dyn Read> = match name.ends_with(PACKED) {
            true => Box::new(MultiGzDecoder::new(BufReader::with_capacity(HASHED_AT_ONCE, file))),
            false => Box::new(file),
        };
        let (mut hash, mut chunk) = (Context::new(&SHA256), vec![0; HASHED_AT_ONCE]);
        loop {
            match image.read(&mut chunk) {
                Ok(0) => return Ok(Some(Digest::of_hash(hash.finish().as_ref()))),
                Ok(read) => hash.update(&chunk[..read]),
                // What cannot be decompressed is something, and no image.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof
                    ) =>
                {
                    return Ok(Some(Digest::of_hash(hash.finish().as_ref())));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn blob(&self, name: &str) -> Result<Option<u64>> {
        let path = self.root.join(blob_path(name));
        let metadata = there(of(&path, std::fs::symlink_metadata(&path)))?;
        Ok(metadata.filter(std::fs::Metadata::is_file).map(|metadata| metadata.len()))
    }

    fn lock(&self) -> Result<File> {
        let file = self.lock_file()?;
        file.lock().map(|()| file)
    }

    fn try_lock(&self) -> Result<Option<File>> {
        let file = self.lock_file()?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    #[cfg(unix)]
    fn free(&self) -> Result<u64> {
        let found = rustix::fs::statvfs(&self.root)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    #[cfg(not(unix))]
    fn free(&self) -> Result<u64> {
        Ok(u64::MAX)
    }

    fn begin(&self) -> Result<Box<dyn ImageDraft>> {
        let draft = HiddenFile::begin(&blobs(&self.root))?;
        Ok(Box::new(DiskDraft { draft, root: self.root.clone(), size: 0 }))
    }

    fn spool(&self, layer: &Digest) -> Result<Box<dyn LayerSpool>> {
        Ok(Box::new(DiskSpool::open(&self.root, layer.hex())?))
    }

    fn clear_spool(&self) -> Result<()> {
        spool::clear(&self.root)
    }

    fn put_image(&self, image: &StoredImage) -> Result<()> {
        replace(&self.root.join(image_path(&image.key)), &json(image)?)?;
        synced(&self.root.join(IMAGES))
    }

    fn put_wanted(&self, wanted: &WantedImages) -> Result<()> {
        replace(&self.root.join(WANTED), &json(wanted)?)
    }

    fn put_unwanted(&self, unwanted: &UnwantedImages) -> Result<()> {
        replace(&self.root.join(UNWANTED), &json(unwanted)?)
    }

    fn forget_image(&self, key: &str) -> Result<()> {
        there(std::fs::remove_file(self.root.join(image_path(key))))?;
        synced(&self.root.join(IMAGES))
    }

    fn remove_blob(&self, name: &str) -> Result<()> {
        there(std::fs::remove_file(self.root.join(blob_path(name))))?;
        synced(&blobs(&self.root))
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
    fn publish(mut self: Box<Self>, name: &str) -> Result<u64> {
        let file = self.draft.file();
        file.set_len(self.size)?;
        file.sync_all()?;
        self.draft.publish(&self.root.join(blob_path(name)))?;
        synced(&blobs(&self.root)).map(|()| self.size)
    }
}

/// An error names the file that it is about.
fn of<T>(path: &Path, result: Result<T>) -> Result<T> {
    result.map_err(|error| Error::new(error.kind(), format!("{}: {error}", path.display())))
}

/// What does not exist is nothing, and no error.
fn there<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

fn is_blob(name: &str) -> bool {
    let name = name.strip_suffix(PACKED).unwrap_or(name);
    name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
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
