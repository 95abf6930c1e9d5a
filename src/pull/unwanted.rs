//! What is stored and not wanted any more: it is noticed before the first byte comes, and removed once all that is wanted is
//! there.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::PullError;
use crate::image_folder::ImageFolder;
use crate::image_store::index::blob_name;
use crate::image_store::offer::ImageOffer;
use crate::image_store::unwanted::UnwantedFate;
use crate::image_store::{StoredImage, UnwantedImages, WantedImages};

/// Says in the folder what is wanted from now on, and what is not wanted any more.
///
/// # Errors
/// The folder cannot be read, or written to.
pub fn want(
    folder: &dyn ImageFolder,
    wanted: &WantedImages,
    now: Timestamp,
) -> Result<UnwantedImages, PullError> {
    let unreadable = |error| PullError::folder("read", error);
    let before = folder.unwanted().map_err(unreadable)?;
    let (stored, blobs) = (folder.images().map_err(unreadable)?, folder.blobs().map_err(unreadable)?);
    let unwanted = UnwantedImages::new(&before, wanted, &stored, &blobs, now);
    // In this order a server finds the names of an image that is replaced at any time.
    if unwanted != before {
        folder.put_unwanted(&unwanted).map_err(|error| PullError::folder("write to", error))?;
    }
    folder.put_wanted(wanted).map_err(|error| PullError::folder("write to", error))?;
    Ok(unwanted)
}

/// What is served once the images are removed of which that is the fate.
///
/// # Errors
/// The folder cannot be read.
pub fn offered(
    folder: &dyn ImageFolder,
    wanted: &WantedImages,
    unwanted: &UnwantedImages,
    fates: &BTreeMap<String, UnwantedFate>,
) -> Result<ImageOffer, PullError> {
    let unreadable = |error| PullError::folder("read", error);
    let (mut stored, blobs) = (folder.images().map_err(unreadable)?, folder.blobs().map_err(unreadable)?);
    let stays = |sha256: &String| fates.get(sha256) != Some(&UnwantedFate::Removed);
    let is_there = |image: &StoredImage| blobs.get(&image.blob_name()) == Some(&image.stored_size());
    stored.retain(|image| stays(&image.sha256) && is_there(image));
    let mut unwanted = unwanted.clone();
    unwanted.images.retain(|sha256, image| {
        image.known_as.retain(is_there);
        stays(sha256)
    });
    Ok(ImageOffer::new(wanted, &unwanted, stored))
}

/// Removes the images of which that is the fate. Their names go first: what is visible is whole.
///
/// # Errors
/// The folder cannot be written to. What was not removed is removed by the next pull.
pub fn remove(
    folder: &dyn ImageFolder,
    mut unwanted: UnwantedImages,
    fates: &BTreeMap<String, UnwantedFate>,
) -> Result<(), PullError> {
    let removed: Vec<&String> =
        fates.iter().filter(|(_, fate)| **fate == UnwantedFate::Removed).map(|(sha256, _)| sha256).collect();
    if removed.is_empty() {
        return Ok(());
    }
    let unwritable = |error| PullError::folder("write to", error);
    let stored = folder.images().map_err(|error| PullError::folder("read", error))?;
    for image in stored.iter().filter(|image| removed.contains(&&image.sha256)) {
        folder.forget_image(&image.key).map_err(unwritable)?;
    }
    for sha256 in &removed {
        unwanted.images.remove(*sha256);
    }
    folder.put_unwanted(&unwanted).map_err(unwritable)?;
    for sha256 in removed {
        for is_packed in [false, true] {
            folder.remove_blob(&blob_name(sha256, is_packed)).map_err(unwritable)?;
        }
    }
    Ok(())
}
