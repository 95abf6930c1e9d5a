//! From the parts of a layer to a file: one thread takes the image out of the layer, another hashes and writes it.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use bytes::{Buf as _, Bytes};

use crate::image_folder::{ImageDraft, ImageFolder};
use crate::image_store::sparse::Imprint;
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

/// Stores the image that a layer holds. It blocks, and is visible only if all of it is right. It gives its bytes.
pub(super) fn store(
    parts: tokio::sync::mpsc::Receiver<Bytes>,
    expected: &ExpectedImage,
    folder: &dyn ImageFolder,
) -> std::result::Result<u64, NotStored> {
    let mut draft = folder.begin().map_err(NotStored::Folder)?;
    let parts = Parts { parts, current: Bytes::new() };
    let found = written(parts, expected, &mut *draft)?;
    if found != expected.sha256 {
        let expected = expected.sha256.clone();
        return Err(NotStored::Unacceptable(UnacceptableImage::Sha256 { expected, found }));
    }
    draft.publish(&expected.sha256).map_err(NotStored::Folder)
}

/// The sha256 of the image, once all of it is written.
fn written(
    parts: Parts,
    expected: &ExpectedImage,
    draft: &mut dyn ImageDraft,
) -> std::result::Result<Digest, NotStored> {
    let (full, chunks) = sync_channel(CHUNKS);
    let (empty, spare) = channel();
    thread::scope(|scope| {
        let writing = thread::Builder::new().name("image".to_owned()).spawn_scoped(scope, move || {
            let mut imprint = Imprint::new(draft);
            write_all(&chunks, &empty, &mut imprint)?;
            imprint.finish()
        });
        let writing = writing.map_err(NotStored::Folder)?;
        let unpacked = unpack(parts, expected, &mut Handing { full, spare });
        let written = writing.join().unwrap_or_else(|_| Err(Error::other("the image was not written")));
        match (unpacked, written) {
            (Ok(()), Ok(found)) => Ok(found),
            // Whoever hands on only knows that nobody takes it.
            (Ok(()) | Err(UnpackError::Write(_)), Err(error)) | (Err(UnpackError::Write(error)), _) => {
                Err(NotStored::Folder(error))
            }
            (Err(UnpackError::Unacceptable(unacceptable)), _) => Err(NotStored::Unacceptable(unacceptable)),
            (Err(UnpackError::Garbled { found, .. }), _) => Err(NotStored::Garbled { found }),
            (Err(UnpackError::Cut(error)), _) => Err(NotStored::Folder(error)),
        }
    })
}

fn write_all(chunks: &Receiver<Vec<u8>>, empty: &Sender<Vec<u8>>, imprint: &mut Imprint<'_>) -> Result<()> {
    for chunk in chunks {
        imprint.write_all(&chunk)?;
        // Where nobody takes it, it is dropped.
        drop(empty.send(chunk));
    }
    Ok(())
}

/// Hands chunks to another thread, in buffers that come back.
struct Handing {
    full: SyncSender<Vec<u8>>,
    spare: Receiver<Vec<u8>>,
}

impl Write for Handing {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        let mut chunk = self.spare.try_recv().unwrap_or_default();
        chunk.clear();
        chunk.extend_from_slice(bytes);
        self.full.send(chunk).map_err(|_| Error::from(ErrorKind::BrokenPipe))?;
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
