//! The cache folder: one small file per release that was completely read, and for each producer when its undated releases
//! were first seen. Lists of values, one file each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::releases::ReleaseEntry;
use super::replace::replace;
use super::signatures::KeptSignatures;
use crate::registry::Prefix;
use crate::release::{Digest, Naming, Release, Version};
use crate::signature::Evidence;
use crate::store::Store;

/// The largest file of the cache: a release of a thousand images has about a megabyte.
const MOST_BYTES: u64 = 16 << 20;

/// A store in a folder. Unreadable or unwritable files only cost requests.
pub struct DiskStore {
    folder: PathBuf,
    lists: PathBuf,
    naming: Naming,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    read_at: Timestamp,
    release: ReleaseEntry,
}

#[derive(Serialize, Deserialize)]
struct KeptList {
    url: String,
    text: String,
}

/// First sights of one producer's versions.
#[derive(Debug, Serialize, Deserialize)]
struct FirstSights {
    /// When this memory began.
    since: Timestamp,
    versions: BTreeMap<String, Timestamp>,
}

impl FirstSights {
    /// When `version` was first seen; a new one is noted.
    fn of(&mut self, version: &Version, now: Timestamp) -> Option<Timestamp> {
        let seen = *self.versions.entry(version.to_string()).or_insert(now);
        (self.since < now).then_some(seen)
    }
}

impl DiskStore {
    /// A store in `folder`, which is made when something is kept.
    pub fn new(folder: &Path, naming: Naming) -> Self {
        Self { folder: folder.join("releases-1"), lists: folder.join("lists-1"), naming }
    }

    fn file(&self, prefix: &Prefix, version: &Version) -> PathBuf {
        self.producer(prefix).join(format!("{version}.json"))
    }

    fn signatures_of(&self, prefix: &Prefix, image: &Digest) -> PathBuf {
        self.producer(prefix).join("signatures").join(format!("{}.json", image.hex()))
    }

    fn list_at(&self, url: &str) -> PathBuf {
        self.lists.join(format!("{}.json", Digest::of(url.as_bytes()).hex()))
    }

    fn producer(&self, prefix: &Prefix) -> PathBuf {
        self.folder.join(format!("{}/{}", prefix.host(), prefix.path()).replace(['/', ':'], "_"))
    }
}

#[async_trait]
impl Store for DiskStore {
    async fn release(&self, prefix: &Prefix, version: &Version) -> Option<(Release, Timestamp)> {
        let bytes = kept(&self.file(prefix, version))?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        let release = kept.release.release(&self.naming).ok()?;
        (release.version == *version).then_some((release, kept.read_at))
    }

    async fn keep(&self, prefix: &Prefix, release: &Release, read_at: Timestamp) {
        let path = self.file(prefix, &release.version);
        let kept = Kept { read_at, release: ReleaseEntry::new(release, None) };
        if let Err(error) = write(&path, &kept) {
            tracing::warn!(path = %path.display(), %error, "couldn't write the cache");
        }
    }

    async fn first_seen(&self, prefix: &Prefix, version: &Version, now: Timestamp) -> Option<Timestamp> {
        let path = self.producer(prefix).join("first-seen.json");
        let bytes = kept(&path);
        let read = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut sights = read.unwrap_or(FirstSights { since: now, versions: BTreeMap::new() });
        let known = sights.versions.len();
        let seen = sights.of(version, now);
        if sights.versions.len() > known
            && let Err(error) = write(&path, &sights)
        {
            tracing::warn!(path = %path.display(), %error, "couldn't write the cache");
        }
        seen
    }

    async fn signatures(&self, prefix: &Prefix, image: &Digest) -> Vec<Evidence> {
        let Some(bytes) = kept(&self.signatures_of(prefix, image)) else { return Vec::new() };
        let kept = serde_json::from_slice::<KeptSignatures>(&bytes).ok();
        kept.and_then(KeptSignatures::evidence).unwrap_or_default()
    }

    async fn keep_signatures(&self, prefix: &Prefix, image: &Digest, evidence: &[Evidence]) {
        let path = self.signatures_of(prefix, image);
        if let Err(error) = write(&path, &KeptSignatures::of(evidence)) {
            tracing::warn!(path = %path.display(), %error, "couldn't write the cache");
        }
    }

    async fn list(&self, url: &str) -> Option<Vec<u8>> {
        let kept: KeptList = serde_json::from_slice(&kept(&self.list_at(url))?).ok()?;
        (kept.url == url).then(|| kept.text.into_bytes())
    }

    async fn keep_list(&self, url: &str, bytes: &[u8]) {
        let path = self.list_at(url);
        let Ok(text) = String::from_utf8(bytes.to_vec()) else { return };
        if let Err(error) = write(&path, &KeptList { url: url.to_owned(), text }) {
            tracing::warn!(path = %path.display(), %error, "couldn't write the cache");
        }
    }
}

/// What was kept in a file, as far as it is one that this may have written.
fn kept(path: &Path) -> Option<Vec<u8>> {
    super::regular::read(path, MOST_BYTES).ok()
}

fn write(path: &Path, kept: &impl Serialize) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    replace(path, &serde_json::to_vec(kept)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::release::Artifact;

    #[tokio::test]
    async fn a_kept_release_is_found_again_and_a_broken_file_is_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let store = DiskStore::new(folder.path(), Naming::default());
        let prefix: Prefix = "oci://registry.example:5000/group/diskimage-builder".parse().unwrap();
        let version: Version = "0.4.12".parse().unwrap();
        assert!(store.release(&prefix, &version).await.is_none());

        let artifact = Artifact::named("ubuntu-noble-plain-rke2-1-31-8".parse().unwrap(), &Naming::default())
            .sized(Some(1_992_294_400));
        let release = Release::complete(version.clone(), [artifact]);
        store.keep(&prefix, &release, Timestamp::UNIX_EPOCH).await;
        assert_eq!(store.release(&prefix, &version).await, Some((release, Timestamp::UNIX_EPOCH)));

        tokio::fs::write(store.file(&prefix, &version), b"{").await.unwrap();
        assert!(store.release(&prefix, &version).await.is_none());
    }

    #[tokio::test]
    async fn a_first_sight_counts_once_the_memory_has_outlived_a_run() {
        let folder = tempfile::tempdir().unwrap();
        let prefix: Prefix = "oci://registry.example/group/diskimage-builder".parse().unwrap();
        let seen = async |version: &str, second: i64| {
            let store = DiskStore::new(folder.path(), Naming::default());
            let now = Timestamp::from_second(second).unwrap();
            store.first_seen(&prefix, &version.parse().unwrap(), now).await.map(Timestamp::as_second)
        };
        assert_eq!(seen("0.4.11", 100).await, None);
        assert_eq!(seen("0.4.12", 100).await, None);
        assert_eq!(seen("0.4.11", 200).await, Some(100));
        assert_eq!(seen("0.4.13", 200).await, Some(200));
        assert_eq!(seen("0.4.13", 300).await, Some(200));
    }
}
