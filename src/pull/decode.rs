//! From the parts of a layer to a file: one thread takes the image out of the layer, another hashes and writes it.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use bytes::{Buf as _, Bytes};

use crate::image_folder::{ImageDraft, ImageFolder};
use crate::image_store::index::{StoredBytes, blob_name};
use crate::image_store::sparse::{ImageSink, Imprint};
use crate::image_store::unpack::{UnpackError, unpack};
use crate::image_store::{ExpectedImage, UnacceptableImage};
use crate::release::Digest;

/// So many chunks wait to be written.
const CHUNKS: usize = 8;

/// Why an image is not stored.
pub(super) enum NotStored {
    /// The layer is not an image that can be stored.
    Unacceptable(UnacceptableImage),
    /// What was received is not the layer.
    Garbled {
        /// The digest of what was received.
        found: Digest,
    },
    /// The folder cannot take it.
    Folder(Error),
}

/// Stores the image that a layer holds, compressed where it `packs` and the layer has it so. It blocks, and is visible only
/// if all of it is right.
pub(super) fn store(
    parts: tokio::sync::mpsc::Receiver<Bytes>,
    expected: &ExpectedImage,
    folder: &dyn ImageFolder,
    packs: bool,
) -> std::result::Result<StoredBytes, NotStored> {
    let mut draft = folder.begin().map_err(NotStored::Folder)?;
    let parts = Parts { parts, current: Bytes::new() };
    let Written { found, size, is_packed } = written(parts, expected, &mut *draft, packs)?;
    if found != expected.sha256 {
        let expected = expected.sha256.clone();
        return Err(NotStored::Unacceptable(UnacceptableImage::Sha256 { expected, found }));
    }
    let name = blob_name(expected.sha256.hex(), is_packed);
    let stored = draft.publish(&name).map_err(NotStored::Folder)?;
    Ok(StoredBytes { size, packed_size: is_packed.then_some(stored) })
}

/// What was written to a draft.
struct Written {
    /// The sha256 of the image.
    found: Digest,
    /// Its bytes.
    size: u64,
    /// Whether it was written as it is compressed.
    is_packed: bool,
}

/// Writes the image that the parts hold.
fn written(
    parts: Parts,
    expected: &ExpectedImage,
    draft: &mut dyn ImageDraft,
    packs: bool,
) -> std::result::Result<Written, NotStored> {
    let (full, chunks) = sync_channel(CHUNKS);
    let (empty, spare) = channel();
    thread::scope(|scope| {
        let writing = thread::Builder::new()
            .name("image".to_owned())
            .spawn_scoped(scope, move || write_all(&chunks, &empty, draft));
        let writing = writing.map_err(NotStored::Folder)?;
        let mut packed = packs.then(|| Handing { full: full.clone(), spare: None, kind: Chunk::Packed });
        let mut image = Handing { full, spare: Some(spare), kind: Chunk::Image };
        let unpacked =
            unpack(parts, expected, &mut image, packed.as_mut().map(|packed| packed as &mut dyn Write));
        drop((image, packed));
        let written = writing.join().unwrap_or_else(|_| Err(Error::other("the image was not written")));
        match (unpacked, written) {
            (Ok(()), Ok(written)) => Ok(written),
            // Whoever hands on only knows that nobody takes it.
            (Ok(()) | Err(UnpackError::Write(_)), Err(error)) | (Err(UnpackError::Write(error)), _) => {
                Err(NotStored::Folder(error))
            }
            // Where the one who takes what is compressed has left, that looks as if it could not be read.
            (Err(UnpackError::Unacceptable(_)), Err(error)) if packs => Err(NotStored::Folder(error)),
            (Err(UnpackError::Unacceptable(unacceptable)), _) => Err(NotStored::Unacceptable(unacceptable)),
            (Err(UnpackError::Garbled { found, .. }), _) => Err(NotStored::Garbled { found }),
            (Err(UnpackError::Cut(error)), _) => Err(NotStored::Folder(error)),
        }
    })
}

/// Part of an image, or of what it is compressed to.
enum Chunk {
    Image(Vec<u8>),
    Packed(Vec<u8>),
}

/// Hashes the image, and writes it or what it is compressed to: of that something comes first, where any comes.
fn write_all(
    chunks: &Receiver<Chunk>,
    empty: &Sender<Vec<u8>>,
    draft: &mut dyn ImageDraft,
) -> Result<Written> {
    let first = chunks.recv().ok();
    let mut nowhere = Nowhere;
    match first {
        Some(Chunk::Packed(_)) => {
            let (found, size) =
                each(first, chunks, empty, Imprint::new(&mut nowhere), |packed| draft.append(packed))?;
            Ok(Written { found, size, is_packed: true })
        }
        first => {
            let (found, size) = each(first, chunks, empty, Imprint::new(draft), |_| Ok(()))?;
            Ok(Written { found, size, is_packed: false })
        }
    }
}

/// Takes one chunk after the other, and gives the image's sha256 and its bytes.
fn each(
    first: Option<Chunk>,
    chunks: &Receiver<Chunk>,
    empty: &Sender<Vec<u8>>,
    mut image: Imprint<'_>,
    mut packed: impl FnMut(&[u8]) -> Result<()>,
) -> Result<(Digest, u64)> {
    let mut size = 0;
    for chunk in first.into_iter().chain(chunks) {
        match chunk {
            Chunk::Packed(bytes) => packed(&bytes)?,
            Chunk::Image(bytes) => {
                size += bytes.len() as u64;
                image.write_all(&bytes)?;
                // Where the one who takes it has left, it is dropped.
                drop(empty.send(bytes));
            }
        }
    }
    Ok((image.finish()?, size))
}

/// Where an image goes of which only the sha256 is wanted.
struct Nowhere;

impl ImageSink for Nowhere {
    fn append(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn hole(&mut self, _: u64) -> Result<()> {
        Ok(())
    }
}

/// Hands chunks to another thread, in buffers that come back.
struct Handing {
    full: SyncSender<Chunk>,
    spare: Option<Receiver<Vec<u8>>>,
    kind: fn(Vec<u8>) -> Chunk,
}

impl Write for Handing {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let spare = self.spare.as_ref().and_then(|spare| spare.try_recv().ok());
        let mut chunk = spare.unwrap_or_default();
        chunk.clear();
        chunk.extend_from_slice(bytes);
        self.full.send((self.kind)(chunk)).map_err(|_| Error::from(ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The parts of a layer as they come in.
struct Parts {
    parts: tokio::sync::mpsc::Receiver<Bytes>,
    current: Bytes,
}

impl Read for Parts {
    fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        let read = self.fill_buf()?.read(room)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Parts {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        while self.current.is_empty() {
            match self.parts.blocking_recv() {
                Some(part) => self.current = part,
                None => break,
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, bytes: usize) {
        self.current.advance(bytes);
    }
}
