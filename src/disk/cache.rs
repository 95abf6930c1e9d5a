//! The cache folder: one small file per release that was completely read.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::releases::ReleaseEntry;
use super::values_file::replace;
use crate::registry::Prefix;
use crate::release::{Naming, Release, Version};
use crate::store::Store;

/// A store in a folder. Unreadable or unwritable files only cost requests.
pub struct DiskStore {
    folder: PathBuf,
    naming: Naming,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    read_at: Timestamp,
    release: ReleaseEntry,
}

impl DiskStore {
    /// A store in `folder`, which is made when something is kept.
    pub fn new(folder: &Path, naming: Naming) -> Self {
        Self { folder: folder.join("releases-1"), naming }
    }

    fn file(&self, prefix: &Prefix, version: &Version) -> PathBuf {
        let name = format!("{}/{}", prefix.host(), prefix.path()).replace(['/', ':'], "_");
        self.folder.join(name).join(format!("{version}.json"))
    }
}

#[async_trait]
impl Store for DiskStore {
    async fn release(&self, prefix: &Prefix, version: &Version) -> Option<(Release, Timestamp)> {
        let bytes = tokio::fs::read(self.file(prefix, version)).await.ok()?;
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
}

fn write(path: &Path, kept: &Kept) -> std::io::Result<()> {
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
}
