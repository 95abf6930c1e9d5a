//! From the bytes of a layer to those of the image in it, in one pass and in bounded memory.
//!
//! Whatever is wrong with the content, the layer is read to its end first: only where its bytes are those of its digest the
//! artifact is to blame, and not the way here.

use std::io::{BufRead, BufReader, Cursor, Error, ErrorKind, Read, Result as IoResult, Write};

use aws_lc_rs::digest::{Context, SHA256};
use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use super::stop::Stop;
use super::tar::{Archive, BLOCK, is_header};
use super::{ExpectedImage, ExpectedLayer, UnacceptableImage as Unacceptable};
use crate::release::Digest;

/// How much is handed on at once. A multiple of the pages that may become holes.
pub const CHUNK: usize = 256 << 10;

/// What is kept of a stream that is decompressed into another one.
const BUFFER: usize = 64 << 10;

/// The largest window of zstd: what `zstd --ultra` needs below its last level.
const LARGEST_WINDOW: u64 = 32 << 20;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Why a layer was not unpacked.
#[derive(Debug)]
pub enum UnpackError {
    /// The layer could not be read to its end.
    Cut(Error),
    /// What was read is not the layer.
    Garbled {
        /// Of so many bytes.
        bytes: u64,
        /// The digest of what was read.
        found: Digest,
    },
    /// The layer is what its digest says, and not an image that can be stored.
    Unacceptable(Unacceptable),
    /// The image could not be handed on.
    Write(Error),
}

/// Writes the image that a layer holds to `to`, in chunks of [`CHUNK`] bytes but for the last. The image has as many bytes
/// as it should, and nothing is known of its sha256 yet. Where its archive holds it compressed by gzip, what is compressed
/// goes to `packed` as well, each byte before what it is decompressed to.
///
/// # Errors
/// It is not complete in `to`.
pub fn unpack(
    layer: impl BufRead,
    expected: &ExpectedImage,
    to: &mut dyn Write,
    packed: Option<&mut dyn Write>,
) -> Result<(), UnpackError> {
    let mut layer = HashedLayer { from: layer, hash: Context::new(&SHA256), bytes: 0, failure: None };
    let outcome = image(&mut layer, expected, to, packed);
    if let Err(Stop::Write(error)) = outcome {
        return Err(UnpackError::Write(error));
    }
    layer.finish(expected)?;
    match outcome {
        Ok(()) => Ok(()),
        Err(Stop::Image(unacceptable)) => Err(UnpackError::Unacceptable(unacceptable)),
        Err(Stop::Read(error)) => Err(UnpackError::Unacceptable(Unacceptable::Corrupt(error.to_string()))),
        Err(Stop::Write(error)) => Err(UnpackError::Write(error)),
    }
}

fn image(
    layer: &mut dyn BufRead,
    expected: &ExpectedImage,
    to: &mut dyn Write,
    packed: Option<&mut dyn Write>,
) -> Result<(), Stop> {
    let (head, content) = peeked(decompressed(layer)?, BLOCK)?;
    match (is_header(&head), expected.is_archive) {
        (true, _) => {}
        (false, false) => return copy(content, expected, to),
        // An archive without entries has zeros only.
        (false, true) if head.iter().all(|byte| *byte == 0) => {}
        (false, true) => return Err(Unacceptable::NotAnArchive.into()),
    }
    let mut archive = Archive::new(content);
    let file = archive.next_file()?.ok_or(Unacceptable::NoFile)?;
    // What is compressed is hardly larger than what it is made of.
    let most = expected.limit().saturating_add(expected.limit() / 64).saturating_add(1 << 20);
    if file.size > most {
        return Err(Unacceptable::FileTooLarge { size: file.size, most }.into());
    }
    let mut content = archive.content(&file);
    match packed {
        Some(packed) => {
            let (head, content) = peeked(&mut content, GZIP.len())?;
            match head == GZIP {
                true => {
                    let kept = BufReader::with_capacity(BUFFER, Kept { from: content, to: packed });
                    copy(decompressed(kept)?, expected, to)?;
                }
                false => copy(decompressed(content)?, expected, to)?,
            }
        }
        None => copy(decompressed(&mut content)?, expected, to)?,
    }
    let left = content.limit();
    archive.leave(&file, left)?;
    match archive.next_file()? {
        Some(second) => Err(Unacceptable::SeveralFiles { first: file.name, second: second.name }.into()),
        None => archive.finish(),
    }
}

/// Hands on what is decompressed, and no more of it than the image has.
fn copy(mut image: impl Read, expected: &ExpectedImage, to: &mut dyn Write) -> Result<(), Stop> {
    let (mut chunk, mut total) = (vec![0; CHUNK], 0_u64);
    loop {
        let filled = fill(&mut image, &mut chunk)?;
        total += filled as u64;
        if total > expected.limit() {
            return Err(Unacceptable::Longer { expected: expected.limit() }.into());
        }
        to.write_all(&chunk[..filled]).map_err(Stop::Write)?;
        if filled < chunk.len() {
            break;
        }
    }
    match expected.size {
        Some(expected) if expected != total => Err(Unacceptable::Shorter { expected, found: total }.into()),
        _ => Ok(()),
    }
}

/// Reads as much as there is room for, and less only at the end.
fn fill(from: &mut impl Read, room: &mut [u8]) -> IoResult<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match from.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A stream without its compression, which its first bytes tell.
fn decompressed<'a>(from: impl BufRead + 'a) -> IoResult<Box<dyn BufRead + 'a>> {
    let (head, from) = peeked(from, ZSTD.len())?;
    Ok(if head.starts_with(&GZIP) {
        Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(from)))
    } else if head.starts_with(&ZSTD) {
        Box::new(BufReader::with_capacity(BUFFER, Frames { source: Some(from), decoder: None }))
    } else {
        Box::new(from)
    })
}

/// A stream of which every byte that is read is kept.
struct Kept<'a, R> {
    from: R,
    to: &'a mut dyn Write,
}

impl<R: BufRead> Read for Kept<'_, R> {
    fn read(&mut self, room: &mut [u8]) -> IoResult<usize> {
        let read = self.from.read(room)?;
        self.to.write_all(&room[..read])?;
        Ok(read)
    }
}

type Peeked<R> = std::io::Chain<Cursor<Vec<u8>>, R>;

/// The first bytes of a stream, and the whole stream.
fn peeked<R: Read>(mut from: R, bytes: usize) -> IoResult<(Vec<u8>, Peeked<R>)> {
    let mut head = vec![0; bytes];
    let filled = fill(&mut from, &mut head)?;
    head.truncate(filled);
    Ok((head.clone(), Cursor::new(head).chain(from)))
}

/// The frames of zstd, one after the other.
struct Frames<R: BufRead> {
    source: Option<R>,
    decoder: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, room: &mut [u8]) -> IoResult<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                match decoder.read(room)? {
                    0 if !room.is_empty() => {}
                    read => return Ok(read),
                }
            }
            if let Some(decoder) = self.decoder.take() {
                self.source = Some(decoder.into_inner());
            }
            let Some(mut source) = self.source.take() else { return Ok(0) };
            if source.fill_buf()?.is_empty() {
                return Ok(0);
            }
            let decoder = StreamingDecoder::new_with_max_window_size(source, LARGEST_WINDOW);
            self.decoder =
                Some(decoder.map_err(|error| Error::new(ErrorKind::InvalidData, error.to_string()))?);
        }
    }
}

/// A layer that is hashed while it is read.
struct HashedLayer<R> {
    from: R,
    hash: Context,
    bytes: u64,
    /// Why it could not be read to its end.
    failure: Option<Error>,
}

impl<R: BufRead> HashedLayer<R> {
    /// Reads what is left of it.
    fn finish(mut self, expected: &ExpectedImage) -> Result<(), UnpackError> {
        while self.failure.is_none() {
            match self.fill_buf().map(<[u8]>::len) {
                Ok(0) => break,
                Ok(bytes) => self.consume(bytes),
                Err(_) => {}
            }
        }
        if let Some(failure) = self.failure {
            return Err(UnpackError::Cut(failure));
        }
        let (found, bytes) = (Digest::of_hash(self.hash.finish().as_ref()), self.bytes);
        let is_it = |layer: &ExpectedLayer| found == layer.digest && bytes == layer.size;
        match expected.layer.as_ref().is_none_or(is_it) {
            true => Ok(()),
            false => Err(UnpackError::Garbled { bytes, found }),
        }
    }
}

impl<R: BufRead> Read for HashedLayer<R> {
    fn read(&mut self, room: &mut [u8]) -> IoResult<usize> {
        let read = self.fill_buf()?.read(room)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for HashedLayer<R> {
    fn fill_buf(&mut self) -> IoResult<&[u8]> {
        if let Some(failure) = &self.failure {
            return Err(failure.kind().into());
        }
        match self.from.fill_buf() {
            // The same bytes: none were consumed meanwhile.
            Ok(_) => self.from.fill_buf(),
            Err(error) => {
                let kind = error.kind();
                self.failure = Some(error);
                Err(kind.into())
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        if let Ok(read) = self.from.fill_buf() {
            self.hash.update(&read[..bytes.min(read.len())]);
        }
        self.bytes += bytes as u64;
        self.from.consume(bytes);
    }
}
