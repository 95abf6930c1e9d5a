//! What was received of layers, kept across restarts: a file for each, and one for what the server called its content.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Result, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::regular;
use super::replace::replace;
use crate::image_folder::LayerSpool;

/// The folder of them, below that of the images.
const SPOOL: &str = "spool";

/// The largest name of a content.
const MOST: u64 = 4 << 10;

/// What was received of one layer.
pub(super) struct DiskSpool {
    path: PathBuf,
    file: File,
    received: u64,
    /// How much of it was read.
    at: u64,
    validator: Option<String>,
}

impl DiskSpool {
    /// Opens what there is of a layer, by the hexadecimal digits of its digest.
    pub(super) fn open(root: &Path, hex: &str) -> Result<Self> {
        let folder = root.join(SPOOL);
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(hex);
        let file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        let received = file.metadata()?.len();
        let validator = match regular::read(&path.with_extension("tag"), MOST) {
            Ok(bytes) => String::from_utf8(bytes).ok(),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Self { path, file, received, at: 0, validator })
    }
}

impl LayerSpool for DiskSpool {
    fn received(&self) -> u64 {
        self.received
    }

    fn validator(&self) -> Option<String> {
        self.validator.clone()
    }

    fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        self.file.seek(SeekFrom::Start(self.at))?;
        let read = self.file.read(room)?;
        self.at += read as u64;
        Ok(read)
    }

    fn append(&mut self, bytes: &[u8], validator: Option<&str>) -> Result<()> {
        if self.validator.as_deref() != validator {
            let name = self.path.with_extension("tag");
            match validator {
                Some(validator) => replace(&name, validator.as_bytes())?,
                None => removed(&name)?,
            }
            self.validator = validator.map(str::to_owned);
        }
        self.file.write_all(bytes)?;
        self.received += bytes.len() as u64;
        Ok(())
    }

    fn discard(&mut self) -> Result<()> {
        removed(&self.path)?;
        removed(&self.path.with_extension("tag"))
    }
}

/// Removes what is there of all layers.
pub(super) fn clear(root: &Path) -> Result<()> {
    match std::fs::remove_dir_all(root.join(SPOOL)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn removed(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
