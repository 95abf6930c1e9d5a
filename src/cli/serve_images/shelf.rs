//! The images of the folder as they are at present: read again from time to time, and each file as it was when it was
//! verified.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Result;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::image_folder::{FileStamp, ImageFolder};
use crate::image_store::index::PACKED;
use crate::image_store::offer::ImageOffer;
use crate::image_store::{StoredImage, WantedImages};

/// The folder, and what is known of its files.
pub(super) struct Shelf {
    folder: Arc<dyn ImageFolder>,
    offer: RwLock<Arc<ImageOffer>>,
    /// The files that are served, by their names, each as it was when it was stored or hashed.
    files: Mutex<BTreeMap<String, FileState>>,
    /// Whether a file that was never seen is hashed before it is served.
    hashes_first: bool,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileState {
    /// It is the image.
    Right(FileStamp),
    /// It is to be hashed.
    Unknown(FileStamp),
    /// It is not the image.
    Wrong(FileStamp),
}

/// What a file is at the moment of a request.
pub(super) enum OpenedImage {
    /// The image.
    Whole(File),
    /// Something else than what was verified.
    Changed,
}

impl Shelf {
    /// The folder before it was read.
    pub(super) fn new(folder: Arc<dyn ImageFolder>, hashes_first: bool) -> Self {
        Self { folder, offer: RwLock::default(), files: Mutex::default(), hashes_first }
    }

    /// What is offered at present.
    pub(super) fn offer(&self) -> Arc<ImageOffer> {
        Arc::clone(&self.offer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what is wanted, where that is said.
    pub(super) fn wanted(&self) -> Result<Option<WantedImages>> {
        self.folder.wanted()
    }

    /// Reads the folder again. It gives what is offered now, where that is something else.
    pub(super) fn reread(&self) -> Result<Option<Arc<ImageOffer>>> {
        let Some(wanted) = self.folder.wanted()? else { return Ok(None) };
        let mut whole = Vec::new();
        for image in self.folder.images()? {
            if self.look_at(&image)? {
                whole.push(image);
            }
        }
        let mut unwanted = self.folder.unwanted()?;
        let mut gone = Vec::new();
        for (sha256, image) in &mut unwanted.images {
            // All of them are one file.
            if image.known_as.first().is_some_and(|known| !matches!(self.look_at(known), Ok(true))) {
                gone.push(sha256.clone());
            }
        }
        unwanted.images.retain(|sha256, _| !gone.contains(sha256));
        let offer = Arc::new(ImageOffer::new(&wanted, &unwanted, whole));
        let mut current = self.offer.write().unwrap_or_else(PoisonError::into_inner);
        if **current == *offer {
            return Ok(None);
        }
        current.clone_from(&offer);
        Ok(Some(offer))
    }

    /// Whether the file of an image is there and is the one that was verified.
    fn look_at(&self, image: &StoredImage) -> Result<bool> {
        let Some((_, stamp)) = self.folder.open(&image.blob_name())? else { return Ok(false) };
        let mut files = self.files();
        let state = files.entry(image.blob_name()).or_insert(match self.hashes_first {
            true => FileState::Unknown(stamp),
            // What pull stored was verified.
            false => FileState::Right(stamp),
        });
        let (FileState::Right(known) | FileState::Unknown(known) | FileState::Wrong(known)) = *state;
        if known != stamp {
            *state = FileState::Unknown(stamp);
        }
        Ok(*state == FileState::Right(stamp) && stamp.size == image.stored_size())
    }

    /// Opens an image to be sent.
    pub(super) fn open(&self, image: &StoredImage) -> Result<OpenedImage> {
        let Some((file, stamp)) = self.folder.open(&image.blob_name())? else {
            return Ok(OpenedImage::Changed);
        };
        let is_right = self.files().get(&image.blob_name()) == Some(&FileState::Right(stamp));
        Ok(if is_right { OpenedImage::Whole(file) } else { OpenedImage::Changed })
    }

    /// Hashes the files of which it is not known what they are, and gives those that are not their images. It blocks.
    pub(super) fn hash_unknown(&self) -> Result<Vec<String>> {
        let is_unknown = |(sha256, state): (&String, &FileState)| {
            matches!(state, FileState::Unknown(_)).then(|| sha256.clone())
        };
        let unknown: Vec<String> = self.files().iter().filter_map(is_unknown).collect();
        let mut wrong = Vec::new();
        for name in unknown {
            let Some((_, stamp)) = self.folder.open(&name)? else { continue };
            let is_right =
                self.folder.hash(&name)?.is_some_and(|found| found.hex() == name.trim_end_matches(PACKED));
            let state = if is_right { FileState::Right(stamp) } else { FileState::Wrong(stamp) };
            self.files().insert(name.clone(), state);
            if !is_right {
                wrong.push(name);
            }
        }
        Ok(wrong)
    }

    /// Removes the files that are not their images, so that a pull fetches them. It blocks, also while a pull is under way.
    pub(super) fn discard_wrong(&self) -> Result<()> {
        let is_wrong = |(sha256, state): (&String, &FileState)| {
            matches!(state, FileState::Wrong(_)).then(|| sha256.clone())
        };
        let wrong: Vec<String> = self.files().iter().filter_map(is_wrong).collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let _lock = self.folder.lock()?;
        for sha256 in wrong {
            let stamp = self.folder.open(&sha256)?.map(|(_, stamp)| stamp);
            let known = self.files().get(&sha256).copied();
            // Another process may have mended it meanwhile.
            if stamp.is_some_and(|stamp| known == Some(FileState::Wrong(stamp))) {
                self.folder.remove_blob(&sha256)?;
                self.files().remove(&sha256);
            }
        }
        Ok(())
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, FileState>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
