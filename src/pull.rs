//! Pulling images into a folder: from the layer of an artifact to a file that was verified.
//!
//! An image is visible only once all of it was compared with what its manifest promises. What is there already is not
//! fetched again, and images with one content are fetched once.

mod decode;
mod download;
mod error;
mod tries;
mod unwanted;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;

pub use error::PullError;
pub use unwanted::{offered, remove, want};

use crate::blob::BlobSource;
use crate::image_folder::{ImageFolder, LayerSpool};
use crate::image_store::index::{StoredBytes, blob_name};
use crate::image_store::{ExpectedImage, StoredImage};
use crate::release::Digest;
use decode::NotStored;
use download::{Download, Fed};
use tries::Tries;

/// What is left free beside each image.
const ROOM: u64 = 100 << 20;

/// An image that is wanted, and of which the manifest was verified.
#[derive(Clone)]
pub struct PullJob {
    /// The key under which the values know it.
    pub key: String,
    /// Where it comes from, for people.
    pub uri: String,
    /// The digest of its manifest, where it has one.
    pub manifest: Option<Digest>,
    /// What is promised of it.
    pub expected: ExpectedImage,
    /// What hands out its bytes.
    pub source: Arc<dyn BlobSource>,
}

/// What became of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// It was there.
    Present {
        /// Its bytes.
        size: u64,
    },
    /// It was fetched.
    Stored {
        /// Its bytes.
        size: u64,
    },
}

/// What time it is by now.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How images are pulled.
#[derive(Clone)]
pub struct PullOptions {
    /// So many at once.
    pub jobs: usize,
    /// So often a download is begun again, counted anew whenever it got further than before.
    pub tries: u32,
    /// The wait before the second try that got nowhere; it doubles each time.
    pub backoff: Duration,
    /// Whether what was received of a layer is kept until its image is stored.
    pub spools: bool,
    /// Whether an image is stored as it is compressed, where its archive has it so.
    pub packs: bool,
    /// The time: an image is visible since it was stored, and not since its download began.
    pub clock: Clock,
}

/// Pulls images, and gives what became of each by its key. One that fails hides no other.
pub async fn pull(
    jobs: Vec<PullJob>,
    folder: &Arc<dyn ImageFolder>,
    options: &PullOptions,
) -> BTreeMap<String, Result<Pulled, PullError>> {
    let mut by_content: BTreeMap<String, Vec<PullJob>> = BTreeMap::new();
    for job in jobs {
        by_content.entry(job.expected.sha256.hex().to_owned()).or_default().push(job);
    }
    if let Err(error) = has_room(&by_content, &**folder, options) {
        let keys = by_content.into_values().flatten().map(|job| job.key);
        return keys.map(|key| (key, Err(error.clone()))).collect();
    }
    let groups = by_content.into_values().map(|jobs| async move {
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let outcome = one(&job, folder, options).await;
            outcomes.push((job.key, outcome));
        }
        outcomes
    });
    let outcomes: Vec<_> =
        futures::stream::iter(groups).buffer_unordered(options.jobs.max(1)).collect().await;
    let outcomes: BTreeMap<_, _> = outcomes.into_iter().flatten().collect();
    // What is left is of layers that are not wanted any more.
    if outcomes.values().all(Result::is_ok)
        && let Err(error) = folder.clear_spool()
    {
        tracing::warn!(%error, "what was received of layers cannot be removed");
    }
    outcomes
}

/// Whether the folder has room for all that is missing, as far as that is known, before the first byte comes.
fn has_room(
    by_content: &BTreeMap<String, Vec<PullJob>>,
    folder: &dyn ImageFolder,
    options: &PullOptions,
) -> Result<(), PullError> {
    let mut need = 0_u64;
    for job in by_content.values().filter_map(|jobs| jobs.first()) {
        let expected = &job.expected;
        if present(job, folder, options)?.is_some() {
            continue;
        }
        let packed = expected.layer.as_ref().map_or(0, |layer| layer.size);
        let spooled = if options.spools { packed } else { 0 };
        // The file in an archive is hardly smaller than the archive.
        let size = match options.packs && expected.is_archive {
            true => packed,
            false => expected.size.unwrap_or(packed),
        };
        need = need.saturating_add(size).saturating_add(spooled).saturating_add(ROOM);
    }
    let have = if need == 0 { 0 } else { folder.free().map_err(|error| PullError::folder("read", error))? };
    if need > have { Err(PullError::NoRoom { need, have }) } else { Ok(()) }
}

async fn one(
    job: &PullJob,
    folder: &Arc<dyn ImageFolder>,
    options: &PullOptions,
) -> Result<Pulled, PullError> {
    let before = folder.image(&job.key).map_err(|error| PullError::folder("read", error))?;
    let (is_new, stored) = match present(job, &**folder, options)? {
        Some(stored) => (false, stored),
        None => (true, fetched(job, folder, options).await?),
    };
    let origin = (job.key.as_str(), job.uri.as_str(), job.manifest.as_ref());
    let image = StoredImage::new(origin, &job.expected, stored, (options.clock)(), before.as_ref());
    if before.as_ref() != Some(&image) {
        folder.put_image(&image).map_err(|error| PullError::folder("write to", error))?;
    }
    let size = stored.size;
    Ok(if is_new { Pulled::Stored { size } } else { Pulled::Present { size } })
}

/// What is there of an image, as the index or its file says; the one that is asked for first, where it is there twice.
fn present(
    job: &PullJob,
    folder: &dyn ImageFolder,
    options: &PullOptions,
) -> Result<Option<StoredBytes>, PullError> {
    let unreadable = |error| PullError::folder("read", error);
    let (expected, sha256) = (&job.expected, job.expected.sha256.hex());
    let plain = folder.blob(&blob_name(sha256, false)).map_err(unreadable)?;
    let plain = plain.filter(|size| expected.size.is_none_or(|expected| expected == *size));
    let plain = plain.map(|size| StoredBytes { size, packed_size: None });
    let packed = folder.blob(&blob_name(sha256, true)).map_err(unreadable)?;
    let packed = match packed {
        None => None,
        Some(packed) => {
            let known = folder.image(&job.key).map_err(unreadable)?;
            let known = known.filter(|known| known.sha256 == sha256);
            // One that is shorter or longer than it was is not the one that was verified.
            let was = known.as_ref().and_then(|known| known.packed_size);
            let size = expected.size.or(known.map(|known| known.size));
            let size = size.filter(|_| was.is_none_or(|was| was == packed));
            size.map(|size| StoredBytes { size, packed_size: Some(packed) })
        }
    };
    Ok(if options.packs { packed.or(plain) } else { plain.or(packed) })
}

/// Fetches an image until it is stored, or until that is hopeless.
async fn fetched(
    job: &PullJob,
    folder: &Arc<dyn ImageFolder>,
    options: &PullOptions,
) -> Result<StoredBytes, PullError> {
    let download = Download { job };
    let mut tries = Tries::new(options.tries, options.backoff);
    let mut spool = spool_of(job, &**folder, options);
    loop {
        let (sender, parts) = tokio::sync::mpsc::channel(download::PARTS);
        let (expected, into, packs) = (job.expected.clone(), Arc::clone(folder), options.packs);
        let storing = tokio::task::spawn_blocking(move || decode::store(parts, &expected, &*into, packs));
        let fed = download.feed(&mut tries, &mut spool, sender).await;
        let stored = storing.await.map_err(|error| PullError::Panicked(error.to_string()))?;
        // Only what a later run can go on with is kept.
        let goes_on = fed.is_err() && !matches!(stored, Err(NotStored::Folder(_)));
        if let Some(mut kept) = spool.take().filter(|_| !goes_on) {
            kept.discard().map_err(|error| PullError::folder("write to", error))?;
        }
        let why = match (fed, stored) {
            (_, Ok(stored)) => return Ok(stored),
            (_, Err(NotStored::Folder(error))) => return Err(PullError::folder("write to", error)),
            (Err(error), _) => return Err(error.into()),
            (Ok(_), Err(NotStored::Unacceptable(unacceptable))) => return Err(unacceptable.into()),
            (Ok(Fed::All), Err(NotStored::Garbled { found })) => {
                let layer = job.expected.layer.as_ref().map(|layer| layer.digest.clone());
                PullError::Garbled { uri: job.uri.clone(), layer: layer.unwrap_or(found.clone()), found }
            }
            (Ok(Fed::Part), Err(NotStored::Garbled { .. })) => PullError::Restless { uri: job.uri.clone() },
        };
        // A whole download took its time: there is nothing more to wait for.
        if !tries.at_once() {
            return Err(why);
        }
        tracing::warn!("{}; it is fetched from its beginning", crate::ending::sentence(&why));
        spool = spool_of(job, &**folder, options);
    }
}

/// What a download before this one received, where that is kept. A download does without it where it cannot be opened.
fn spool_of(job: &PullJob, folder: &dyn ImageFolder, options: &PullOptions) -> Option<Box<dyn LayerSpool>> {
    let layer = job.expected.layer.as_ref().filter(|_| options.spools)?;
    match folder.spool(&layer.digest) {
        Ok(spool) => Some(spool),
        Err(error) => {
            tracing::warn!(%error, "what is received cannot be kept");
            None
        }
    }
}
